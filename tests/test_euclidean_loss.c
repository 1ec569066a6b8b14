/* Tests of EuclideanLoss beyond the golden cases: gradients in every layout, shapes. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient.h"
#include "text.h"

#define LOSS "name: 'loss' type: 'EuclideanLoss' bottom: 'a' bottom: 'b' top: 'loss' "

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS, .bottoms = {{3, 4}, {3, 4}}},
        {.layer = LOSS "loss_weight: 0.5", .bottoms = {{17, 2, 3, 1}, {17, 6}}},
        {.layer = LOSS, .bottoms = {{1, 300}, {1, 300}}},
        {.layer = LOSS, .bottoms = {{18}, {18}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++)
        gradient_check(&cases[i]);
}
END_TEST

START_TEST(shapes)
{
    static const int images[][5] = {{3, 4}, {2, 6}}, values[][5] = {{3, 4}, {3, 5}};
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, LOSS, images, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "same first dimension, but have 3 and 2");
    layer_fixture_close(&f);
    CHECK_FAILS(layer_fixture_open(&f, LOSS, values, 16, 16, CAFFE__PHASE__TRAIN, &err),
                LCL_ESHAPE, "'a' has 12 values, but 'b' has 15");
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("euclidean_loss");
    TCase *cases = tcase_create("euclidean_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
