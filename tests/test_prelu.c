/* Tests of PReLU beyond the golden cases: gradients, in place, first values. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'PReLU' "

/* Away from the kink. */
static float value(int bottom, size_t i)
{
    float x = testing_value((unsigned)bottom + 1, i);

    return fabsf(x) < 0.02f ? 0.5f : x;
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LAYER "bottom: 'x' top: 'y' ",
         .bottoms = {{3, 2, 3, 5}},
         .value = value},
        {.layer = LAYER "bottom: 'x' top: 'x' ", .bottoms = {{17, 3}}, .value = value},
        {.layer = LAYER "bottom: 'x' top: 'y' prelu_param { channel_shared: true }",
         .bottoms = {{3, 4, 2}},
         .value = value},
        {.layer = LAYER "bottom: 'x' top: 'x' prelu_param { channel_shared: true }",
         .bottoms = {{1, 4}},
         .value = value},
    };

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(first_slope)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{1, 2}};
    static const float x[2] = {4, -4};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, LAYER "bottom: 'x' top: 'y'", shape, 1, 1,
                                CAFFE__PHASE__TEST, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_float_eq(y[0], 4);
    ck_assert_float_eq(y[1], -1);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{6}};

    layer_fixture_refuses(LAYER "bottom: 'x'\ntop: 'y'", shape0, LCL_ESHAPE, "layer:1:25",
                          "must have at least 2 axes");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prelu");
    TCase *cases = tcase_create("prelu");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, first_slope);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
