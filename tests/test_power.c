/* Tests of Power: values, gradients in every layout. */
#include "unary_test.h"

/* Above 0. */
static float value(int bottom, size_t i)
{
    return 0.25f + fabsf(testing_value((unsigned)bottom + 1, i));
}

START_TEST(identity)
{
    static const float x[] = {-200, -3, 0, 0.5f};
    static const float y[] = {-200, -3, 0, 0.5f};

    unary_check("name: 'l' type: 'Power' bottom: 'x' top: 'y' ", x, y, 4);
}
END_TEST

START_TEST(square)
{
    static const float x[] = {-3, 0, 0.5f, 2};
    static const float y[] = {64, 1, 6.25f, 49};

    unary_check("name: 'l' type: 'Power' bottom: 'x' top: 'y' power_param { power: 2 "
                "scale: 3 shift: 1 }",
                x, y, 4);
}
END_TEST

START_TEST(general)
{
    static const float x[] = {0, 0.5f, 2};
    static const float y[] = {1, 4.74786121f, 27.3317014f};

    unary_check("name: 'l' type: 'Power' bottom: 'x' top: 'y' power_param { power: 1.7 "
                "scale: 3 shift: 1 }",
                x, y, 3);
}
END_TEST

START_TEST(inverse)
{
    static const float x[] = {-3, 0.5f, 2};
    static const float y[] = {-0.333333333f, 2, 0.5f};

    unary_check("name: 'l' type: 'Power' bottom: 'x' top: 'y' power_param { power: -1 }",
                x, y, 3);
}
END_TEST

START_TEST(constant)
{
    static const float x[] = {-3, 0, 0.5f};
    static const float y[] = {4, 4, 4};

    unary_check("name: 'l' type: 'Power' bottom: 'x' top: 'y' power_param { power: 2 "
                "scale: 0 shift: -2 }",
                x, y, 3);
}
END_TEST

START_TEST(gradient)
{
    static const char *const options[] = {
        "",
        "power_param { power: 0 }",
        "power_param { power: 0.5 shift: 0.5 }",
        "power_param { power: 1 scale: -2 shift: 3 }",
        "power_param { power: 2 scale: 0.5 }",
        "power_param { power: 3 scale: -1.5 shift: 0.5 }",
        "power_param { power: 2.3 scale: 1.5 shift: 0.5 }"};

    for (size_t i = 0; i < LCL_COUNT(options); i++)
        unary_check_gradients("Power", options[i], false, value, -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("power");
    TCase *cases = tcase_create("power");

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, identity);
    tcase_add_test(cases, square);
    tcase_add_test(cases, general);
    tcase_add_test(cases, inverse);
    tcase_add_test(cases, constant);
    tcase_add_test(cases, gradient);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
