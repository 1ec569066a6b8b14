/* Tests of ReLU beyond the golden cases: gradients in every layout, in place, odd sizes.
 */
#include "testing.h"

#include "gradient.h"

/* Away from the kink, but small enough to tell the two sides apart. */
static float value(int bottom, size_t i)
{
    float x = testing_value((unsigned)bottom + 1, i);

    return x > -0.02f && x < 0.02f ? 0.5f : x;
}

START_TEST(gradient)
{
    const gradient_case plain = {.layer =
                                     "name: 'relu' type: 'ReLU' bottom: 'x' top: 'y'",
                                 .bottoms = {{3, 2, 3, 5}},
                                 .value = value};
    const gradient_case slope = {.layer =
                                     "name: 'relu' type: 'ReLU' bottom: 'x' top: 'y' "
                                     "relu_param { negative_slope: 0.25 }",
                                 .bottoms = {{17, 7}},
                                 .value = value};

    gradient_check(&plain);
    gradient_check(&slope);
}
END_TEST

START_TEST(gradient_in_place)
{
    const gradient_case c = {.layer = "name: 'relu' type: 'ReLU' bottom: 'x' top: 'x' "
                                      "relu_param { negative_slope: 0.1 }",
                             .bottoms = {{3, 4, 5}},
                             .value = value};

    gradient_check(&c);
}
END_TEST

START_TEST(one_image)
{
    const gradient_case c = {.layer = "name: 'relu' type: 'ReLU' bottom: 'x' top: 'y'",
                             .bottoms = {{1, 13}},
                             .value = value};

    gradient_check(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relu");
    TCase *cases = tcase_create("relu");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, gradient_in_place);
    tcase_add_test(cases, one_image);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
