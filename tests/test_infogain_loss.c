/* Tests of InfogainLoss beyond the golden cases: gradients in every layout, the matrix from a
 * file, labels, what is refused. */
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gradient.h"
#include "text.h"

#define TYPE "name: 'loss' type: 'InfogainLoss' bottom: 'x' bottom: 'label' "
#define LOSS TYPE "bottom: 'h' top: 'loss' "

/* Labels 0..2; a matrix that is not symmetric; scores else. */
static float value(int bottom, size_t i)
{
    return bottom == 1 ? (float)(i * 7 % 3) : 2 * testing_value((unsigned)bottom, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS, .bottoms = {{5, 3}, {5}, {1, 1, 3, 3}}},
        {.layer = LOSS "infogain_loss_param { axis: 2 } loss_param { ignore_label: 1 }",
         .bottoms = {{17, 2, 3, 2}, {17, 2, 1, 2}, {3, 3}}},
        {.layer =
             LOSS "loss_weight: 2 loss_param { normalization: FULL ignore_label: 0 }",
         .bottoms = {{2, 3, 2, 2}, {2, 1, 2, 2}, {9}}},
        {.layer =
             LOSS "top: 'prob' loss_param { normalization: BATCH_SIZE } loss_weight: 1 "
                  "loss_weight: 0",
         .bottoms = {{1, 3}, {1}, {3, 3}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        gradient_check(&c);
    }
}
END_TEST

/* The loss and gradient of scores 0, labels as given, with the matrix of `text`. */
static float run(const char *text, const float *labels, const float *h, float dx[6])
{
    static const int shapes[][5] = {{2, 3}, {2}, {3, 3}};
    layer_fixture f;
    lcl_error err;
    float loss;

    CHECK_OK(layer_fixture_open(&f, text, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err));
    layer_fixture_write(f.bottoms[1], LCL_DATA, labels);
    if (h)
        layer_fixture_write(f.bottoms[2], LCL_DATA, h);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    CHECK_OK(lcl_layer_backward(f.layer, &err));
    CHECK_OK(lcl_blob_read(f.tops[0], LCL_DATA, &loss, &err));
    CHECK_OK(lcl_blob_read(f.bottoms[0], LCL_DIFF, dx, &err));
    layer_fixture_close(&f);
    return loss;
}

static const float matrix[9] = {1, 0, 0, 0.5f, 2, 0, 0, 0, 3};

START_TEST(by_hand)
{
    static const float labels[2] = {1, 2};
    float dx[6];

    ck_assert_float_eq_tol(run(LOSS, labels, matrix, dx), (2.5f + 3) * logf(3) / 2,
                           1e-5f);
    ck_assert_float_eq_tol(dx[0], (2.5f / 3 - 0.5f) / 2, 1e-6f);
    ck_assert_float_eq_tol(dx[1], (2.5f / 3 - 2) / 2, 1e-6f);
    ck_assert_float_eq_tol(dx[5], (1.0f - 3) / 2, 1e-6f);
}
END_TEST

START_TEST(labels_out_of_range)
{
    static const float labels[2] = {3, 2};
    float dx[6];

    ck_assert(isnan(run(LOSS, labels, matrix, dx)));
    for (int i = 0; i < 3; i++)
        ck_assert_float_eq(dx[i], 0);
    ck_assert_float_eq_tol(dx[5], (1.0f - 3) / 2, 1e-6f);
}
END_TEST

static void write_matrix(const char *path, size_t n)
{
    Caffe__BlobProto blob = CAFFE__BLOB_PROTO__INIT;
    float values[9];
    uint8_t *bytes;
    size_t size;
    lcl_error err;

    memcpy(values, matrix, sizeof values);
    blob.n_data = n;
    blob.data = values;
    CHECK_OK(lcl_proto_encode(&bytes, &size, &blob.base, &err));
    CHECK_OK(lcl_file_write(path, bytes, size, &err));
    free(bytes);
}

START_TEST(matrix_from_file)
{
    static const int shapes[][5] = {{2, 3}, {2}};
    static const float labels[2] = {1, 2};
    char path[64], *text;
    float dx[6];
    layer_fixture f;
    lcl_error err;

    snprintf(path, sizeof path, "/tmp/lcl_infogain_%ld", (long)getpid());
    text = lcl_format(TYPE "top: 'loss'\ninfogain_loss_param {\nsource: '%s' }", path);
    write_matrix(path, 9);
    ck_assert_float_eq_tol(run(text, labels, NULL, dx), (2.5f + 3) * logf(3) / 2, 1e-5f);
    write_matrix(path, 4);
    CHECK_FAILS(layer_fixture_open(&f, text, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "the matrix has 4 values; 3 classes need 3 x 3");
    ck_assert_str_eq(err.where, "layer:3:1");
    layer_fixture_close(&f);
    remove(path);
    CHECK_FAILS(layer_fixture_open(&f, text, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_EIO, "");
    layer_fixture_close(&f);
    free(text);
}
END_TEST

START_TEST(refused)
{
    static const int shapes[][5] = {{2, 3}, {2}, {2, 3}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, TYPE "top: 'loss'", shapes, 1, 1,
                                   CAFFE__PHASE__TRAIN, &err),
                LCL_EPROTO, "needs its matrix");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS, shapes, 1, 1, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "the matrix has 6 values");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS "loss_param {\nnormalize: true }", shapes, 1,
                                   1, CAFFE__PHASE__TRAIN, &err),
                LCL_EPROTO, "use normalization");
    ck_assert_str_eq(err.where, "layer:2:1");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("infogain_loss");
    TCase *cases = tcase_create("infogain_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, by_hand);
    tcase_add_test(cases, labels_out_of_range);
    tcase_add_test(cases, matrix_from_file);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
