/* Tests of Embed beyond the golden cases: gradients, unknown entries, bad options. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'Embed' "

static float entry(int bottom, size_t i)
{
    return (float)((i * 3 + (size_t)bottom) % 5);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer =
             LAYER "bottom: 'x' top: 'y' embed_param { num_output: 3 input_dim: 5  }",
         .bottoms = {{7}},
         .value = entry},
        {.layer =
             LAYER "bottom: 'x' top: 'y' embed_param { num_output: 3 input_dim: 5  }",
         .bottoms = {{17, 2}},
         .value = entry},
        {.layer = LAYER "bottom: 'x' top: 'y' embed_param { num_output: 70 input_dim: 5 "
                        "bias_term: false }",
         .bottoms = {{1, 3}},
         .value = entry},
        {.layer =
             LAYER "bottom: 'x' top: 'y' embed_param { num_output: 37 input_dim: 5 }",
         .bottoms = {{19, 2}},
         .value = entry},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(unknown_entries_are_nan)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{3}};
    static const float x[3] = {1, 5, -1};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(
        &f, LAYER "bottom: 'x' top: 'y' embed_param { num_output: 2 input_dim: 5 }",
        shape, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq(y[1], 0);
    for (int i = 2; i < 6; i++)
        ck_assert(isnan(y[i]));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{6}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{6}};

    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' embed_param {\ninput_dim: 5 }",
                          shape0, LCL_EPROTO, "layer:1:46", "num_output must be");
    layer_fixture_refuses(LAYER "bottom: 'x' top: 'y' embed_param {\nnum_output: 5 }",
                          shape1, LCL_EPROTO, "layer:1:46", "input_dim, how many");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("embed");
    TCase *cases = tcase_create("embed");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, unknown_entries_are_nan);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
