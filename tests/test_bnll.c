/* Tests of BNLL: values, gradients in every layout. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-100, -3, 0, 0.5f, 20, 300};
    static const float y[] = {
        3.72007598e-44f, 0.0485873516f, 0.693147181f, 0.974076984f, 20, 300};

    unary_check("name: 'l' type: 'BNLL' bottom: 'x' top: 'y' ", x, y, 6);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("BNLL", "", false, NULL, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bnll");
    TCase *cases = tcase_create("bnll");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, gradient);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
