/* Tests of Exp: values, gradients in every layout, bad options. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-80, -3, 0, 0.5f, 10};
    static const float y[] = {1.8048514e-35f, 0.0497870684f, 1, 1.64872127f, 22026.4658f};

    unary_check("name: 'l' type: 'Exp' bottom: 'x' top: 'y' ", x, y, 5);
}
END_TEST

START_TEST(options)
{
    static const float x[] = {-3, 0, 0.5f, 2};
    static const float y[] = {0.00390625f, 2, 5.65685425f, 128};

    unary_check("name: 'l' type: 'Exp' bottom: 'x' top: 'y' exp_param { base: 2 scale: 3 "
                "shift: 1 }",
                x, y, 4);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("Exp", "", false, NULL, -1);
    unary_check_gradients("Exp", "exp_param { base: 2.5 scale: -0.5 shift: 1 }", false,
                          NULL, -1);
}
END_TEST

START_TEST(gradient_in_place)
{
    unary_check_gradients("Exp", "exp_param { scale: 0.5 shift: 1 }", true, NULL, -1);
}
END_TEST

START_TEST(bad_base)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(
        "name: 'l' type: 'Exp' bottom: 'x' top: 'y' exp_param {\nbase: 0 }", shape,
        LCL_EPROTO, "layer:2:1", "base is 0");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exp");
    TCase *cases = tcase_create("exp");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, options);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_in_place);
    tcase_add_test(cases, bad_base);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
