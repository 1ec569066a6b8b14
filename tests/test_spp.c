/* Tests of SPP beyond the golden cases: gradients in every layout, pooling methods,
 * new shapes, what is refused. */
#include "testing.h"

#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define SPP "name: 'pyramid' type: 'SPP' bottom: 'x' top: 'y' "

/* Values that all differ by more than two steps of the gradient check. */
static float distinct(int bottom, size_t i)
{
    (void)bottom;
    return (float)(i * 379 % 1009) * 0.03f - 15;
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = SPP "spp_param { pyramid_height: 1 }", .bottoms = {{3, 2, 3, 4}}},
        {.layer = SPP "spp_param { pyramid_height: 2 }", .bottoms = {{17, 1, 3, 2}}},
        {.layer = SPP "spp_param { pyramid_height: 3 pool: AVE }",
         .bottoms = {{2, 2, 7, 8}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = distinct;
        gradient_check(&c);
    }
}
END_TEST

/* x counts up from 0: the largest and the mean of each quarter are known. */
static void check_pyramid(layer_fixture *f, const float *wanted)
{
    lcl_error err;
    size_t n = lcl_blob_count(f->bottoms[0]);
    float *x = lcl_alloc(n, sizeof *x);

    for (size_t i = 0; i < n; i++)
        x[i] = (float)i;
    layer_fixture_write(f->bottoms[0], LCL_DATA, x);
    CHECK_OK(lcl_layer_forward(f->layer, &err));
    float *y = layer_fixture_read(f->tops[0], LCL_DATA);
    ck_assert_int_eq(f->tops[0]->shape[1], 5);
    for (int i = 0; i < 5; i++)
        ck_assert_float_eq_tol(y[i], wanted[i], 1e-5f);
    free(y);
    free(x);
}

START_TEST(new_shapes)
{
    static const int shapes[][5] = {{1, 1, 4, 4}}, smaller[4] = {1, 1, 2, 2};
    static const float large[5] = {15, 5, 7, 13, 15}, small[5] = {3, 0, 1, 2, 3};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, SPP "spp_param { pyramid_height: 2 }", shapes, 16, 16,
                                CAFFE__PHASE__TEST, &err));
    check_pyramid(&f, large);
    CHECK_OK(lcl_blob_reshape(f.bottoms[0], 4, smaller, 16, &err));
    CHECK_OK(lcl_layer_reshape(f.layer, &err));
    check_pyramid(&f, small);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(averages)
{
    static const int shapes[][5] = {{1, 1, 4, 4}};
    static const float wanted[5] = {7.5f, 2.5f, 4.5f, 10.5f, 12.5f};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, SPP "spp_param { pyramid_height: 2 pool: AVE }",
                                shapes, 16, 16, CAFFE__PHASE__TEST, &err));
    check_pyramid(&f, wanted);
    layer_fixture_close(&f);
}
END_TEST

START_TEST(refused)
{
    static const int shapes[][5] = {{2, 2, 3, 3}}, plane[][5] = {{2, 3, 4}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, SPP, shapes, 1, 1, CAFFE__PHASE__TEST, &err),
                LCL_EPROTO, "pyramid_height must be 1 to");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, SPP "spp_param { pyramid_height: 9999 }", shapes,
                                   1, 1, CAFFE__PHASE__TEST, &err),
                LCL_EPROTO, "pyramid_height must be 1 to");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, SPP "spp_param { pyramid_height: 3 }", shapes, 1,
                                   1, CAFFE__PHASE__TEST, &err),
                LCL_EPROTO, "pad must be less than the kernel size");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, SPP "spp_param { pyramid_height: 2 }", plane, 1, 1,
                                   CAFFE__PHASE__TEST, &err),
                LCL_ESHAPE, "'x' has 3 axes");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spp");
    TCase *cases = tcase_create("spp");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, new_shapes);
    tcase_add_test(cases, averages);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
