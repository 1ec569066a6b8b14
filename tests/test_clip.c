/* Tests of Clip: values, gradients in every layout. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-2, -1, -0.5f, 1.25f, 1.5f, 1e+30f};
    static const float y[] = {-1, -1, -0.5f, 1.25f, 1.5f, 1.5f};

    unary_check(
        "name: 'l' type: 'Clip' bottom: 'x' top: 'y' clip_param { min: -1 max: 1.5 }", x,
        y, 6);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("Clip", "clip_param { min: -0.5 max: 0.5 }", false, NULL, 0.5f);
}
END_TEST

START_TEST(in_place_passes_all)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{3}};
    static const float x[3] = {-2, 0.5f, 9}, dy[3] = {1, 2, 3};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f,
                                "name: 'l' type: 'Clip' bottom: 'x' top: 'x' "
                                "clip_param { min: 0 max: 6 }",
                                shape, 1, 1, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    layer_fixture_write(f.tops[0], LCL_DIFF, dy);
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    float *dx = layer_fixture_read(f.bottoms[0], LCL_DIFF);
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq(dx[i], dy[i]);
    free(dx);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(limits_are_needed)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses("name: 'l'\ntype: 'Clip' bottom: 'x' top: 'y'", shape,
                          LCL_EPROTO, "layer", "clip_param is missing");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clip");
    TCase *cases = tcase_create("clip");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, in_place_passes_all);
    tcase_add_test(cases, limits_are_needed);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
