/* Tests of Sigmoid: values, gradients in every layout, in place. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-80, -3, 0, 0.5f, 20, 300};
    static const float y[] = {1.8048514e-35f, 0.0474258732f, 0.5f,
                              0.622459331f,   0.999999998f,  1};

    unary_check("name: 'l' type: 'Sigmoid' bottom: 'x' top: 'y' ", x, y, 6);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("Sigmoid", "", false, NULL, -1);
}
END_TEST

START_TEST(gradient_in_place)
{
    unary_check_gradients("Sigmoid", "", true, NULL, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sigmoid");
    TCase *cases = tcase_create("sigmoid");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_in_place);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
