/* Tests of Accuracy beyond the golden cases: against counting by hand in every layout. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layer_fixture.h"
#include "text.h"

#define ACCURACY "name: 'acc' type: 'Accuracy' bottom: 'x' bottom: 'label' top: 'acc' "

static const int layouts[][2] = {{1, 1}, {16, 16}, {8, 4}, {32, 2}};

/* Opens a layer with scores and labels, runs it, and reads top t. */
static float *run(const char *text, const int shapes[][5], const int layout[2],
                  const float *x, const float *labels, int t)
{
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, text, shapes, layout[0], layout[1],
                                CAFFE__PHASE__TEST, &err));
    layer_fixture_write(f.bottoms[0], LCL_DATA, x);
    layer_fixture_write(f.bottoms[1], LCL_DATA, labels);
    CHECK_OK(lcl_layer_forward(f.layer, &err));
    float *top = layer_fixture_read(f.tops[t], LCL_DATA);
    layer_fixture_close(&f);
    return top;
}

/* Scores N x 5 x 3 and labels N x 3; which positions are right by top 2. */
enum { IMAGES = 37, CLASSES = 5, INNER = 3, POSITIONS = IMAGES * INNER };

static bool right(const float *x, const float *labels, int n, int i)
{
    const float *run = x + n * CLASSES * INNER + i;
    int label = (int)labels[n * INNER + i], larger = 0;

    for (int c = 0; c < CLASSES; c++)
        larger += c != label && run[c * INNER] >= run[label * INNER];
    return larger < 2;
}

START_TEST(against_counting)
{
    static const int shapes[][5] = {{IMAGES, CLASSES, INNER}, {IMAGES, INNER}};
    static float x[IMAGES * CLASSES * INNER], labels[POSITIONS];
    float of_class[CLASSES] = {0}, n_class[CLASSES] = {0}, all = 0, n_all = 0;

    for (size_t i = 0; i < LCL_COUNT(x); i++)
        x[i] = roundf(3 * testing_value(1, i)); /* many ties */
    for (int i = 0; i < POSITIONS; i++)
        labels[i] = (float)(i * 3 % CLASSES);
    for (int n = 0; n < IMAGES; n++)
        for (int i = 0; i < INNER; i++) {
            int label = (int)labels[n * INNER + i];
            if (label == 1)
                continue;
            n_all++;
            n_class[label]++;
            all += right(x, labels, n, i);
            of_class[label] += right(x, labels, n, i);
        }
    for (size_t k = 0; k < LCL_COUNT(layouts); k++) {
        const char *text =
            ACCURACY "top: 'each' accuracy_param { top_k: 2 ignore_label: 1 }";
        float *acc = run(text, shapes, layouts[k], x, labels, 0);
        float *each = run(text, shapes, layouts[k], x, labels, 1);
        ck_assert_float_eq_tol(acc[0], all / n_all, 1e-6f);
        ck_assert_float_eq(each[1], 0);
        for (int c = 0; c < CLASSES; c++)
            if (c != 1)
                ck_assert_float_eq_tol(each[c], of_class[c] / n_class[c], 1e-6f);
        free(acc);
        free(each);
    }
}
END_TEST

START_TEST(odd_values)
{
    static const int shapes[][5] = {{3, 2}, {3}};
    static const float nans[6] = {NAN, NAN, NAN, 1, 1, 0}, zero[3] = {0, 0, 0};
    static const float outside[3] = {2, -1, 0}, fine[6] = {1, 0, 1, 0, 1, 0};

    for (size_t k = 0; k < LCL_COUNT(layouts); k++) {
        float *acc = run(ACCURACY, shapes, layouts[k], nans, zero, 0);
        ck_assert_float_eq_tol(acc[0], 1 / 3.0f, 1e-6f);
        free(acc);
        acc = run(ACCURACY, shapes, layouts[k], fine, outside, 0);
        ck_assert_float_eq_tol(acc[0], 1 / 3.0f, 1e-6f);
        free(acc);
        acc = run(ACCURACY "accuracy_param { ignore_label: 0 }", shapes, layouts[k], fine,
                  zero, 0);
        ck_assert_float_eq(acc[0], 0);
        free(acc);
    }
}
END_TEST

/* Labels in a row for scores of any shape; and scores along axis 0. */
START_TEST(other_axes)
{
    static const int flat[][5] = {{2, 2, 2}, {4}}, columns[][5] = {{2, 3}, {3}};
    static const float x[8] = {1, 0, 0, 1, 1, 1, 0, 0}, flat_labels[4] = {0, 1, 0, 1};
    static const float y[6] = {1, 0, 1, 0, 1, 0}, labels[3] = {0, 0, 0};

    for (size_t k = 0; k < LCL_COUNT(layouts); k++) {
        float *acc = run(ACCURACY, flat, layouts[k], x, flat_labels, 0);
        ck_assert_float_eq(acc[0], 0.75f);
        free(acc);
        acc =
            run(ACCURACY "accuracy_param { axis: 0 }", columns, layouts[k], y, labels, 0);
        ck_assert_float_eq_tol(acc[0], 2 / 3.0f, 1e-6f);
        free(acc);
    }
}
END_TEST

START_TEST(refused)
{
    static const int shapes[][5] = {{3, 4}, {3}}, few[][5] = {{3, 4}, {5}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, ACCURACY "accuracy_param {\n top_k: 5 }", shapes,
                                   1, 1, CAFFE__PHASE__TEST, &err),
                LCL_ESHAPE, "top_k 5 is more than the 4 classes");
    ck_assert_str_eq(err.where, "layer:2:2");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, ACCURACY, few, 1, 1, CAFFE__PHASE__TEST, &err),
                LCL_ESHAPE, "one label is needed for each of 3 predictions");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accuracy");
    TCase *cases = tcase_create("accuracy");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, against_counting);
    tcase_add_test(cases, odd_values);
    tcase_add_test(cases, other_axes);
    tcase_add_test(cases, refused);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
