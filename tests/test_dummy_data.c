/* Tests of DummyData beyond the golden cases: constants, noise, older fields, bad options. */
#include "testing.h"

#include <stdlib.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'l' type: 'DummyData' "

START_TEST(constants_and_noise)
{
    static const char text[] = LAYER
        "top: 'a' top: 'b' dummy_data_param { shape { dim: 5 dim: 3 } shape { dim: 2 }"
        " data_filler { value: 4 } data_filler { type: 'uniform' min: 1 max: 2 } }";
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, text, NULL, 16, 16, CAFFE__PHASE__TRAIN, &err));
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *a = layer_fixture_read(f.tops[0], LCL_DATA),
          *b = layer_fixture_read(f.tops[1], LCL_DATA);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *next = layer_fixture_read(f.tops[1], LCL_DATA);
    for (int i = 0; i < 15; i++)
        ck_assert_float_eq(a[i], 4);
    for (int i = 0; i < 2; i++) {
        ck_assert(b[i] >= 1 && b[i] < 2);
        ck_assert_float_ne(b[i], next[i]);
    }
    free(a);
    free(b);
    free(next);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(older_fields)
{
    static const char text[] = LAYER "top: 'a' top: 'b' dummy_data_param { num: 5 "
                                     "channels: 1 channels: 2 height: 3 width: 4 }";
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, text, NULL, 16, 16, CAFFE__PHASE__TRAIN, &err));
    ck_assert_int_eq(f.tops[1]->n_axes, 4);
    ck_assert_int_eq(f.tops[0]->shape[1], 1);
    ck_assert_int_eq(f.tops[1]->shape[1], 2);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *b = layer_fixture_read(f.tops[1], LCL_DATA);
    ck_assert_float_eq(b[119], 0);
    free(b);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refuses)
{
    static const int shape0[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape1[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape2[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape3[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape4[][FIXTURE_MAX_AXES] = {{0}};
    static const int shape5[][FIXTURE_MAX_AXES] = {{0}};

    layer_fixture_refuses(LAYER "top: 'a'", shape0, LCL_EPROTO, "layer",
                          "needs one shape, or one per top");
    layer_fixture_refuses(LAYER
                          "top: 'a' dummy_data_param { num: 1 channels: 1 height: 1 }",
                          shape1, LCL_EPROTO, "layer:1:38", "needs width once");
    layer_fixture_refuses(LAYER "top: 'a' dummy_data_param { num: 1\nshape { dim: 1 } }",
                          shape2, LCL_EPROTO, "layer:2:1", "not both");
    layer_fixture_refuses(
        LAYER "top: 'a' dummy_data_param {\nnum: 0 channels: 1 height: 1 width: 1 }",
        shape3, LCL_ESHAPE, "layer:2:1", "num is 0");
    layer_fixture_refuses(
        LAYER
        "top: 'a' dummy_data_param { shape { dim: 1 }\ndata_filler {} data_filler {} }",
        shape4, LCL_EPROTO, "layer:2:1", "1 tops, but 2 fillers");
    layer_fixture_refuses(
        LAYER
        "top: 'a' dummy_data_param { shape { dim: 1 } data_filler {\ntype: 'nosuch' } }",
        shape5, LCL_EPROTO, "layer:2:1", "nosuch");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dummy_data");
    TCase *cases = tcase_create("dummy_data");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, constants_and_noise);
    tcase_add_test(cases, older_fields);
    tcase_add_test(cases, refuses);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
