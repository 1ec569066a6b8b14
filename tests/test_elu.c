/* Tests of ELU: values, gradients in every layout, in place. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-200, -3, -0.001f, 0, 0.5f, 20};
    static const float y[] = {-0.5f, -0.475106466f, -0.000499750083f, 0, 0.5f, 20};

    unary_check("name: 'l' type: 'ELU' bottom: 'x' top: 'y' elu_param { alpha: 0.5 }", x,
                y, 6);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("ELU", "", false, NULL, 0);
    unary_check_gradients("ELU", "elu_param { alpha: 0.3 }", false, NULL, 0);
}
END_TEST

START_TEST(gradient_in_place)
{
    unary_check_gradients("ELU", "elu_param { alpha: 1.5 }", true, NULL, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("elu");
    TCase *cases = tcase_create("elu");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_in_place);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
