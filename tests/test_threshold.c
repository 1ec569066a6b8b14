/* Tests of Threshold: values, gradients in every layout, no gradient. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-2, 0, 0.001f, 4};
    static const float y[] = {0, 0, 1, 1};

    unary_check("name: 'l' type: 'Threshold' bottom: 'x' top: 'y' ", x, y, 4);
}
END_TEST

START_TEST(level)
{
    static const float x[] = {-2, 0, 0.5f, 0.75f};
    static const float y[] = {0, 0, 0, 1};

    unary_check("name: 'l' type: 'Threshold' bottom: 'x' top: 'y' threshold_param { "
                "threshold: 0.5 }",
                x, y, 4);
}
END_TEST

START_TEST(no_gradient)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3}};
    layer_fixture f;
    lcl_error err;

    CHECK_OK(layer_fixture_open(&f, "name: 'l' type: 'Threshold' bottom: 'x' top: 'x'",
                                shape, 1, 1, CAFFE__PHASE__TRAIN, &err));
    ck_assert(!f.layer->propagate[0]);
    layer_fixture_close(&f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threshold");
    TCase *cases = tcase_create("threshold");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, level);
    tcase_add_test(cases, no_gradient);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
