/* Tests of RNN beyond the golden cases. */
#define TYPE "RNN"
#define STATES "bottom: 'h0' top: 'ht' "
enum { N_STATES = 1 };

#include "recurrent_cases.h"

int main(void)
{
    return recurrent_run("rnn");
}
