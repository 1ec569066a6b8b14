/* Tests of Reshape beyond the golden cases: gradients, shapes, bad options. */
#include "testing.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Reshape' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' reshape_param { shape { dim: 0 dim: -1 } }",
         .bottoms = {{3, 2, 3, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'y' reshape_param { shape { dim: 2 dim: -1 } "
                        "axis: 1 num_axes: 1 }",
         .bottoms = {{17, 4, 2}}},
        {.layer = LAYER "bottom: 'x' top: 'y' reshape_param { shape { dim: -1 dim: 2 } }",
         .bottoms = {{3, 4}}},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reshape_param { shape { dim: 1 } axis: -1 num_axes: 0 }",
         .bottoms = {{5, 3}}},
        {.layer = LAYER
         "bottom: 'x' top: 'y' reshape_param { shape { dim: 1 dim: 0 dim: 2 } }",
         .bottoms = {{2, 3}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(top_shape)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3, 4, 5}};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f,
                                LAYER
                                "bottom: 'x' top: 'y' reshape_param { shape { dim: 2 "
                                "dim: 2 } axis: -3 num_axes: 1 }",
                                shape, 16, 16, CAFFE__PHASE__TEST, &err));
    ck_assert_int_eq(f.tops[0]->n_axes, 5);
    ck_assert_int_eq(f.tops[0]->shape[1], 3);
    ck_assert_int_eq(f.tops[0]->shape[3], 2);
    ck_assert_int_eq(f.tops[0]->shape[4], 5);
    ck_assert_ptr_eq(f.tops[0]->data, f.bottoms[0]->data);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape3[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape4[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape5[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape6[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape7[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses(
        LAYER "bottom: 'x' top: 'y' reshape_param { shape { dim: 2\ndim: 4 } }", shape0,
        LCL_ESHAPE, "layer:1:72",
        "'x' has 6 values, and the new shape's dimensions multiply to 8");
    layer_fixture_refuses(
        LAYER "bottom: 'x' top: 'y' reshape_param { shape {\ndim: -1 dim: -1 } }", shape1,
        LCL_EPROTO, "layer:2:1", "only one dim can be -1");
    layer_fixture_refuses(
        LAYER "bottom: 'x' top: 'y' reshape_param { shape {\ndim: -1 dim: 4 } }", shape2,
        LCL_ESHAPE, "layer:2:1", "does not divide");
    layer_fixture_refuses(
        LAYER "bottom: 'x' top: 'y' reshape_param { shape {\ndim: 6 dim: 1 dim: 0 } }",
        shape3, LCL_ESHAPE, "layer:2:1", "no axis 2 to copy");
    layer_fixture_refuses(LAYER
                          "bottom: 'x' top: 'y' reshape_param { shape {\ndim: -2 } }",
                          shape4, LCL_ESHAPE, "layer:2:1", "dim 0 is -2");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' reshape_param { \naxis: 3 }",
                          shape5, LCL_ESHAPE, "layer:2:1",
                          "axis 3 is not within the 2 axes");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' reshape_param { \nnum_axes: 3 }",
                          shape6, LCL_ESHAPE, "layer:2:1", "num_axes is 3");
    layer_fixture_refuses(LAYER "bottom: 'x'\ntop: 'x'", shape7, LCL_EPROTO, "layer:2:1",
                          "cannot work in place");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reshape_layer");
    TCase *cases = tcase_create("reshape_layer");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, top_shape);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
