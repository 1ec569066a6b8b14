/* Tests of Swish: values, gradients in every layout, in place. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-90, -3, 0, 0.5f, 2, 300};
    static const float y[] = {-7.37461136e-38f, -0.14227762f, 0,
                              0.311229666f,     1.76159416f,  300};

    unary_check("name: 'l' type: 'Swish' bottom: 'x' top: 'y' ", x, y, 6);
}
END_TEST

START_TEST(beta)
{
    static const float x[] = {-3, 0, 0.5f, 2};
    static const float y[] = {-0.00165833591f, 0, 0.388649931f, 1.9866143f};

    unary_check("name: 'l' type: 'Swish' bottom: 'x' top: 'y' swish_param { beta: 2.5 }",
                x, y, 4);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("Swish", "", false, NULL, -1);
    unary_check_gradients("Swish", "swish_param { beta: -2 }", false, NULL, -1);
}
END_TEST

START_TEST(gradient_in_place)
{
    unary_check_gradients("Swish", "swish_param { beta: 1.5 }", true, NULL, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("swish");
    TCase *cases = tcase_create("swish");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, beta);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_in_place);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
