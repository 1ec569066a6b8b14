/* Tests of Deconvolution beyond the golden cases: gradients in every layout with every
 * option, in 1, 2 and 3 dimensions, and what is refused. */
#include "testing.h"

#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LAYER "name: 'up' type: 'Deconvolution' "
#define ONE LAYER "bottom: 'x' top: 'y' convolution_param "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = ONE "{ num_output: 2 kernel_size: 3 }", .bottoms = {{3, 2, 2, 3}}},
        {.layer = ONE "{ num_output: 4 kernel_size: 4 stride: 2 pad: 1 group: 2 }",
         .bottoms = {{17, 2, 2, 2}}},
        {.layer = ONE "{ num_output: 3 kernel_h: 3 kernel_w: 2 stride_h: 1 stride_w: 3 "
                      "pad_h: 1 pad_w: 0 bias_term: false }",
         .bottoms = {{1, 2, 2, 3}}},
        {.layer = ONE "{ num_output: 2 kernel_size: 2 dilation: 2 }",
         .bottoms = {{2, 3, 2, 2}}},
        {.layer = ONE "{ num_output: 2 kernel_size: 3 stride: 2 }",
         .bottoms = {{3, 2, 4}}},
        {.layer = ONE "{ num_output: 2 kernel_size: 2 stride: 2 }",
         .bottoms = {{2, 1, 2, 1, 2}}},
        {.layer = ONE "{ num_output: 2 kernel_size: 2 axis: 2 }",
         .bottoms = {{3, 2, 2, 3}}},
        {.layer = ONE "{ num_output: 2 kernel_size: 3 axis: 0 }", .bottoms = {{3, 2, 2}}},
        {.layer = LAYER "bottom: 'a' bottom: 'b' top: 'c' top: 'd' convolution_param { "
                        "num_output: 2 kernel_size: 2 }",
         .bottoms = {{3, 2, 2, 2}, {3, 2, 2, 2}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

/* One pixel becomes the kernel times it, and the bias. */
START_TEST(one_pixel)
{
    static const int shapes[][5] = {{1, 1, 1, 1}};
    static const float x = 2, w[4] = {1, 2, 3, 4}, b = 0.5f;
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, ONE "{ num_output: 1 kernel_size: 2 }", shapes, 16,
                                16, CAFFE__PHASE__TEST, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, &x);
    layer_fixture_write(f.layer->params[0], LCL_DATA, w);
    layer_fixture_write(f.layer->params[1], LCL_DATA, &b);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    ck_assert_uint_eq(lcl_blob_count(f.tops[0]), 4);
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq(y[i], 2 * w[i] + b);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *text;
        lcl_status status;
        const char *message, *where;
    } cases[] = {{LAYER "bottom: 'x' top: 'y'", LCL_EPROTO,
                  "convolution_param is missing", "layer"},
                 {ONE "{\n kernel_size: 2 }", LCL_EPROTO, "num_output must be at least 1",
                  "layer:1"},
                 {ONE "{ num_output: 4 kernel_size: 2\n group: 3 }", LCL_ESHAPE,
                  "group 3 must divide the 2 channels and the 4 outputs", "layer:2:2"},
                 {ONE "{ num_output: 4\n kernel_size: 2 pad: 4 }", LCL_ESHAPE,
                  "does not fit", "layer:2:2"}};
    static const int shapes[][5] = {{2, 2, 3, 3}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        layer_fixture f;
        lcl_error err;
        CHECK_FAILS(layer_fixture_open(&f, cases[i].text, shapes, 1, 1,
                                       CAFFE__PHASE__TRAIN, &err),
                    cases[i].status, cases[i].message);
        ck_assert_msg(strncmp(err.where, cases[i].where, strlen(cases[i].where)) == 0,
                      "%s", err.where);
        layer_fixture_close(&f);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deconvolution");
    TCase *cases = tcase_create("deconvolution");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, one_pixel);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
