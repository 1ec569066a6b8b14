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

/* Near 1, where the logarithm is small, and where there is none or x has few bits. */
START_TEST(edges)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 5}}, blocks[] = {16, 8, 1};
    static const float x[] = {1.0009765625f, 0.9990234375f, 0.70710677f, 1.4142135f, 1,
                              1e-40f,        INFINITY,      0,           -1,         NAN};
    layer_fixture f;
    lcl_error err = {0};

    for (size_t i = 0; i < LCL_COUNT(blocks); i++) {
        CHECK_OK(layer_fixture_open(&f, "name: 'l' type: 'Log' bottom: 'x' top: 'y'",
                                    shape, blocks[i], blocks[i], CAFFE__PHASE__TRAIN,
                                    &err));
        layer_fixture_write(f.bottoms[0], LCL_DATA, x);
        CHECK_OK(lcl_layer_forward(f.layer, &err));
        float *y = layer_fixture_read(f.tops[0], LCL_DATA);
        for (int k = 0; k < 5; k++)
            ck_assert_double_eq_tol((double)y[k], log((double)x[k]),
                                    1e-12 + 3e-7 * fabs(log((double)x[k])));
        /* A device may take a number of so few bits for 0. */
        ck_assert_msg(fabs((double)y[5] - log(1e-40)) < 1e-4 || (isinf(y[5]) && y[5] < 0),
                      "%g", (double)y[5]);
        ck_assert(isinf(y[6]) && y[6] > 0);
        ck_assert(isinf(y[7]) && y[7] < 0);
        ck_assert(isnan(y[8]) && isnan(y[9]));
        free(y);
        layer_fixture_close(&f);
    }
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
    tcase_add_test(cases, edges);
    tcase_add_test(cases, options);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, bad_base);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
