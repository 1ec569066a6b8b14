/* Tests of Log: values, gradients in every layout, bad options. */
#include "unary_test.h"

/* Above 0. */
static float value(int bottom, size_t i)
{
    return 0.25f + fabsf(testing_value((unsigned)bottom + 1, i));
}

START_TEST(natural)
{
    static const float x[] = {1e-30f, 0.25f, 1, 8, 1e+20f};
    static const float y[] = {-69.0775528f, -1.38629436f, 0, 2.07944154f, 46.0517019f};

    unary_check("name: 'l' type: 'Log' bottom: 'x' top: 'y' ", x, y, 5);
}
END_TEST

START_TEST(options)
{
    static const float x[] = {0, 0.5f, 2, 5};
    static const float y[] = {0, 1.32192809f, 2.80735492f, 4};

    unary_check("name: 'l' type: 'Log' bottom: 'x' top: 'y' log_param { base: 2 scale: 3 "
                "shift: 1 }",
                x, y, 4);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("Log", "log_param { shift: 0.5 }", false, value, -1);
    unary_check_gradients("Log", "log_param { base: 2.5 scale: 0.5 shift: 1 }", false,
                          value, -1);
}
END_TEST

START_TEST(bad_base)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(
        "name: 'l' type: 'Log' bottom: 'x' top: 'y' log_param {\nbase: -2 }", shape,
        LCL_EPROTO, "layer:2:1", "base is -2");
    layer_fixture_refuses(
        "name: 'l' type: 'Log' bottom: 'x' top: 'y' log_param { base: 1 }", shape,
        LCL_EPROTO, "layer:1:56", "base must not be 1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *cases = tcase_create("log");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, natural);
    tcase_add_test(cases, options);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, bad_base);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
