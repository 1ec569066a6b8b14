/* Tests of LSTM beyond the golden cases. */
#define TYPE "LSTM"
#define STATES "bottom: 'h0' bottom: 'c0' top: 'ht' top: 'ct' "
enum { N_STATES = 2 };

#include "recurrent_cases.h"

int main(void)
{
    return recurrent_run("lstm");
}
