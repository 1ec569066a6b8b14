/* Messages as text and as bytes, and back. */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/proto.h"
#include "testing.h"
#include "text.h"

static lcl_error err;

static char *printed(const ProtobufCMessageDescriptor *type, const char *text)
{
    lcl_proto *p;

    CHECK_OK(lcl_proto_parse_text(&p, type, "t", text, strlen(text), LCL_UNKNOWN_IS_ERROR,
                                  NULL, &err));
    char *out = lcl_proto_print(lcl_proto_root(p));
    lcl_proto_destroy(p);
    return out;
}

static void check_printed(const ProtobufCMessageDescriptor *type, const char *text,
                          const char *expected)
{
    char *out = printed(type, text);

    ck_assert_str_eq(out, expected);
    free(out);
}

START_TEST(fields_in_order_of_their_numbers)
{
    check_printed(
        &caffe__solver_parameter__descriptor,
        "net: 'n' solver_mode: CPU test_iter: [3, 4] train_state { stage: 'a' } "
        "display: 0 debug_info: false",
        "test_iter: 3\ntest_iter: 4\ndisplay: 0\nsolver_mode: CPU\n"
        "debug_info: false\nnet: \"n\"\ntrain_state {\n  stage: \"a\"\n}\n");
    check_printed(&caffe__net_parameter__descriptor, "", "");
    check_printed(
        &caffe__net_parameter__descriptor,
        "layer { include { phase: TEST } pooling_param { } }",
        "layer {\n  include {\n    phase: TEST\n  }\n  pooling_param {\n  }\n}\n");
}
END_TEST

/* Defaults are printed where they were given, as in Caffe's log. */
START_TEST(only_what_is_set)
{
    check_printed(&caffe__solver_parameter__descriptor,
                  "type: 'SGD' regularization_type: 'L2'",
                  "regularization_type: \"L2\"\ntype: \"SGD\"\n");
    check_printed(&caffe__clip_parameter__descriptor, "min: 0 max: 1",
                  "min: 0\nmax: 1\n");
}
END_TEST

static const struct {
    const char *in, *out;
} numbers[] = {
    {"0.00390625", "0.00390625"},
    {"0.01", "0.01"},
    {"0.0001", "0.0001"},
    {"0.00001", "1e-05"},
    {"100000", "100000"},
    {"1000000", "1e+06"},
    {"16777216", "16777216"},
    {"0.333333333", "0.333333343"},
    {"1e-45", "1.4013e-45"},
    {"-0.75", "-0.75"},
    {"inf", "inf"},
    {"-inf", "-inf"},
    {"nan", "nan"},
    {"-0", "-0"},
};

START_TEST(numbers_are_short_but_exact)
{
    char *in = lcl_format("value: %s", numbers[_i].in);
    char *out = lcl_format("value: %s\n", numbers[_i].out);

    check_printed(&caffe__filler_parameter__descriptor, in, out);
    free(in);
    free(out);
}
END_TEST

START_TEST(doubles_are_exact)
{
    check_printed(
        &caffe__blob_proto__descriptor,
        "double_data: [0.1, 0.30000000000000004, 1e300, 123456789012]",
        "double_data: 0.1\ndouble_data: 0.30000000000000004\ndouble_data: 1e+300\n"
        "double_data: 123456789012\n");
}
END_TEST

START_TEST(strings_are_escaped)
{
    check_printed(&caffe__datum__descriptor,
                  "data: '\\n\\r\\t\\'\"\\\\\\001\\177\\377 ~\\0'",
                  "data: \"\\n\\r\\t\\'\\\"\\\\\\001\\177\\377 ~\\000\"\n");
    check_printed(&caffe__net_parameter__descriptor, "name: '\xe5\xb1\x82'",
                  "name: \"\\345\\261\\202\"\n");
}
END_TEST

START_TEST(printing_and_parsing_are_inverse)
{
    static const char text[] =
        "name: 'a\\tb' layer { name: 'x' type: 'Convolution' param { lr_mult: 0.1 } "
        "blobs { "
        "shape { dim: [1, 2] } data: [1.5, -3e-20] } convolution_param { kernel_size: 3 "
        "weight_filler { type: 'xavier' } } include { phase: TRAIN not_stage: 'q' } } "
        "state { level: -3 }";
    char *once = printed(&caffe__net_parameter__descriptor, text);
    char *twice = printed(&caffe__net_parameter__descriptor, once);

    ck_assert_str_eq(once, twice);
    free(once);
    free(twice);
}
END_TEST

/* A program that embeds the library may have set a locale with a decimal comma. */
START_TEST(locale_does_not_matter)
{
    const char *set = setlocale(LC_ALL, "de_DE.UTF-8");

    if (set)
        check_printed(&caffe__filler_parameter__descriptor, "value: 0.5", "value: 0.5\n");
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(values_that_no_enum_has)
{
    Caffe__NetState state = CAFFE__NET_STATE__INIT;

    state.has_phase = 1;
    state.phase = (Caffe__Phase)7;
    char *out = lcl_proto_print(&state.base);
    ck_assert_str_eq(out, "phase: 7\n");
    free(out);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_print");
    TCase *all = tcase_create("all");

    tcase_add_test(all, fields_in_order_of_their_numbers);
    tcase_add_test(all, only_what_is_set);
    tcase_add_loop_test(all, numbers_are_short_but_exact, 0, (int)LCL_COUNT(numbers));
    tcase_add_test(all, doubles_are_exact);
    tcase_add_test(all, strings_are_escaped);
    tcase_add_test(all, printing_and_parsing_are_inverse);
    tcase_add_test(all, locale_does_not_matter);
    tcase_add_test(all, values_that_no_enum_has);
    suite_add_tcase(suite, all);
    return testing_run(suite);
}
