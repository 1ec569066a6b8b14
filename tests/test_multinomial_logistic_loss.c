/* Tests of MultinomialLogisticLoss beyond the golden cases: gradients in every layout, labels. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "class_labels.h"
#include "gradient.h"
#include "text.h"

#define LOSS                                                                             \
    "name: 'loss' type: 'MultinomialLogisticLoss' bottom: 'x' bottom: 'label' top: "     \
    "'loss' "

static float value(int bottom, size_t i)
{
    return bottom == 1 ? (float)(i * 7 % 4) : 1.5f + testing_value(1, i);
}

START_TEST(gradient)
{
    static const gradient_case cases[] = {
        {.layer = LOSS, .bottoms = {{5, 4}, {5}}},
        {.layer = LOSS, .bottoms = {{17, 2, 3}, {17, 1}}},
        {.layer = LOSS "loss_weight: 2", .bottoms = {{1, 5}, {1}}}};

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        gradient_case c = cases[i];
        c.value = value;
        gradient_check(&c);
    }
}
END_TEST

START_TEST(labels_out_of_range)
{
    class_labels_out_of_range(LOSS, -1);
}
END_TEST

START_TEST(label_shapes)
{
    class_label_shapes(LOSS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("multinomial_logistic_loss");
    TCase *cases = tcase_create("multinomial_logistic_loss");

    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, labels_out_of_range);
    tcase_add_test(cases, label_shapes);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
