/* Tests of Scale beyond the golden cases: gradients of both forms, first values, bad options. */
#include "testing.h"

#include "net_text.h"

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Scale' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' ", .bottoms = {{3, 2, 3, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'x' ", .bottoms = {{17, 3, 2}}},
        {.layer = LAYER "bottom: 'x' top: 'y' scale_param { num_axes: -1 }",
         .bottoms = {{3, 2, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'y' scale_param { axis: 0 num_axes: 2 }",
         .bottoms = {{3, 2, 3}}},
        {.layer = LAYER "bottom: 'x' top: 'y' scale_param { num_axes: 0 }",
         .bottoms = {{3, 4, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'y' scale_param { axis: -1 }",
         .bottoms = {{1, 2, 3}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' ", .bottoms = {{3, 2, 3}, {2}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' scale_param { axis: 0 }",
         .bottoms = {{3, 2, 3, 2}, {3, 2}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' scale_param { axis: 0 }",
         .bottoms = {{17, 3}, {17, 3}}},
        {.layer = LAYER "bottom: 'x' bottom: 's' top: 'y' scale_param { axis: 0 }",
         .bottoms = {{3, 2, 2}, {3}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(gradient_with_bias)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' scale_param { bias_term: true }",
         .bottoms = {{3, 2, 3, 5}}},
        {.layer = LAYER "bottom: 'x' top: 'x' scale_param { bias_term: true }",
         .bottoms = {{17, 3, 2}}},
        {.layer =
             LAYER "bottom: 'x' bottom: 's' top: 'y' scale_param { bias_term: true }",
         .bottoms = {{3, 2, 3}, {2}}},
        {.layer = LAYER
         "bottom: 'x' bottom: 's' top: 'y' scale_param { bias_term: true axis: 0 }",
         .bottoms = {{3, 2, 3}, {3, 2}}},
        {.layer =
             LAYER "bottom: 'x' top: 'y' scale_param { bias_term: true num_axes: 0 }",
         .bottoms = {{3, 2, 3}}},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(one_and_zero_at_first)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const float x[6] = {1, -2, 3, 4, 5, 6};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(
        &f, LAYER "bottom: 'x' top: 'y' scale_param { bias_term: true }", shape, 16, 16,
        CAFFE__PHASE__TEST, &err));
    ck_assert_int_eq(f.layer->n_params, 2);
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq(y[i], x[i]);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(scalar_bottom)
{
    static const char text[] =
        "layer { name: 'in' type: 'Input' top: 'x' top: 's' input_param {"
        "  shape { dim: 5 dim: 2 } shape { } } }"
        "layer { name: 'scale' type: 'Scale' bottom: 'x' bottom: 's' top: 'y' }";
    const float three = 3;
    float x[10];
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .block = 16};
    lcl_proto *source = parse_net(text);
    lcl_net *net;
    lcl_error err;

    CHECK_OK(lcl_net_create(&net, testing_device(), source, &options, &err));
    for (int i = 0; i < 10; i++)
        x[i] = (float)i;
    layer_fixture_write(lcl_net_blob(net, "x"), LCL_DATA, x);
    layer_fixture_write(lcl_net_blob(net, "s"), LCL_DATA, &three);
    CHECK_OK(lcl_net_forward(net, &err));
    float *y = layer_fixture_read(lcl_net_blob(net, "y"), LCL_DATA);
    for (int i = 0; i < 10; i++)
        ck_assert_float_eq(y[i], 3 * x[i]);
    free(y);
    lcl_net_destroy(net);
    lcl_proto_destroy(source);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{2, 3}};
    static const int shape3[][FIXTURE_MAX_AXES] = {{2, 3}, {4}};
    static const int shape4[][FIXTURE_MAX_AXES] = {{2, 3}, {2, 3}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' scale_param {\nnum_axes: 3 }",
                          shape0, LCL_ESHAPE, "layer:2:1", "has 1 axes from axis 1 on");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' scale_param {\nnum_axes: -2 }",
                          shape1, LCL_ESHAPE, "layer:2:1", "weights for -2");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' scale_param {\naxis: 2 }", shape2,
                          LCL_ESHAPE, "layer:2:1", "axis 2 does not exist");
    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape3, LCL_ESHAPE,
                          "layer", "weights of shape 4 (4) do not fit");
    layer_fixture_refuses(LAYER "bottom: 'x'\nbottom: 's' top: 'y'", shape4, LCL_ESHAPE,
                          "layer:1:25", "weights for 2 do not fit");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scale");
    TCase *cases = tcase_create("scale");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_with_bias);
    tcase_add_test(cases, one_and_zero_at_first);
    tcase_add_test(cases, scalar_bottom);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
