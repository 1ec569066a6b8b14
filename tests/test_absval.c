/* Tests of AbsVal: values, gradients in every layout, not in place. */
#include "unary_test.h"

START_TEST(value)
{
    static const float x[] = {-2, -0.5f, 0, 3, -1e+30f};
    static const float y[] = {2, 0.5f, 0, 3, 1e+30f};

    unary_check("name: 'l' type: 'AbsVal' bottom: 'x' top: 'y' ", x, y, 5);
}
END_TEST

START_TEST(gradient)
{
    unary_check_gradients("AbsVal", "", false, NULL, 0);
}
END_TEST

START_TEST(not_in_place)
{
    static const int shape[][FIXTURE_MAX_AXES] = {{2, 3}};

    layer_fixture_refuses("name: 'l' type: 'AbsVal' bottom: 'x'\ntop: 'x'", shape,
                          LCL_EPROTO, "layer:2:1", "cannot work in place");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("absval");
    TCase *cases = tcase_create("absval");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, value);
    tcase_add_test(cases, gradient);
    tcase_add_test(cases, not_in_place);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
