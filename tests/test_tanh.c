/* Tests of TanH: values, gradients in every layout, in place. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-200, -3, 0, 0.5f, 2, 300};
    static const float y[] = {-1, -0.995054754f, 0, 0.462117157f, 0.96402758f, 1};

    unary_check("name: 'l' type: 'TanH' bottom: 'x' top: 'y' ", x, y, 6);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("TanH", "", false, NULL, -1);
}
END_TEST

START_TEST(gradient_in_place)
{
    unary_check_gradients("TanH", "", true, NULL, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tanh");
    TCase *cases = tcase_create("tanh");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_in_place);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
