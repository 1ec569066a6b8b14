/* Tests of Im2col beyond the golden cases: gradients in every layout, 1 and 3
 * dimensions, what is refused. */
#include "testing.h"

#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define TYPE "name: 'cols' type: 'Im2col' bottom: 'x' top: 'y' "
#define IM2COL TYPE "convolution_param "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = IM2COL "{ kernel_size: 3 }", .bottoms = {{3, 2, 4, 3}}},
        {.layer = IM2COL "{ kernel_size: 2 stride: 2 pad: 1 }",
         .bottoms = {{17, 1, 3, 3}}},
        {.layer = IM2COL "{ kernel_size: 2 dilation: 2 force_nd_im2col: true }",
         .bottoms = {{2, 2, 4, 3}}},
        {.layer = IM2COL "{ kernel_size: 3 pad: 2 }", .bottoms = {{3, 2, 4}}},
        {.layer = IM2COL "{ kernel_size: 2 }", .bottoms = {{2, 1, 2, 3, 2}}},
        {.layer = IM2COL "{ kernel_size: 2 axis: 2 }", .bottoms = {{3, 2, 2, 3}}},
        {.layer = IM2COL "{ kernel_size: 2 axis: 0 }", .bottoms = {{3, 2, 3}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(three_dimensions)
{
    static const int shapes[][5] = {{1, 2, 1, 2, 2}};
    static const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f,
                                IM2COL "{ kernel_size: 1 kernel_size: 1 kernel_size: 2 }",
                                shapes, 16, 16, CAFFE__PHASE__TEST, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *y = layer_fixture_read(f.tops[0], LCL_DATA);
    static const float wanted[8] = {1, 3, 2, 4, 5, 7, 6, 8};
    ck_assert_int_eq(f.tops[0]->shape[1], 4);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq(y[i], wanted[i]);
    free(y);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refused)
{
    static const int shapes[][5] = {{2, 2, 3, 3}};
    static const struct {
        const char *text, *message;
        lcl_status status;
    } cases[] = {{TYPE, "convolution_param is missing", LCL_EPROTO},
                 {IM2COL "{ pad: 1 }", "kernel_size must be at least 1", LCL_EPROTO},
                 {IM2COL "{ kernel_size: 4 }", "does not fit", LCL_ESHAPE},
                 {IM2COL "{ kernel_size: 1 axis: 3 }", "0 spatial axes", LCL_ESHAPE}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        layer_fixture f;
        lcl_error err;
        CHECK_FAILS(
            layer_fixture_open(&f, cases[i].text, shapes, 1, 1, CAFFE__PHASE__TEST, &err),
            cases[i].status, cases[i].message);
        layer_fixture_close(&f);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("im2col");
    TCase *cases = tcase_create("im2col");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, three_dimensions);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
