/* The command line: flags, operands, commands, and what is said where they are wrong. */
#include <stdlib.h>
#include <string.h>

#include "commands/args.h"
#include "testing.h"
#include "text.h"

static int run_nothing(const lcl_args *args, lcl_error *err)
{
    (void)args;
    (void)err;
    return 0;
}

static const lcl_option cook_options[] = {
    {"recipe", "FILE", NULL, "what to cook"},
    {"iterations", "N", "50", "how often"},
    {"sigint_effect", "stop|none", "stop", "on SIGINT"},
    {"salt", NULL, "true", "with salt"},
    {"quick", NULL, NULL, "in a hurry"},
};
static const lcl_option devices_options[] = {{"verbose", NULL, NULL, "more lines"},
                                             {"recipe", NULL, NULL, "a switch here"}};

static const lcl_command cook = {
    .name = "cook",
    .operands = "[RECIPE]",
    .summary = "Cooks",
    .help = "Cooks a meal.",
    .options = cook_options,
    .n_options = 5,
    .max_operands = 1,
    .run = run_nothing,
};
static const lcl_command devices = {
    .name = "devices",
    .operands = "",
    .summary = "Lists devices",
    .help = "Lists devices.",
    .options = devices_options,
    .n_options = 2,
    .max_operands = 0,
    .run = run_nothing,
};
static const lcl_command *const commands[] = {&cook, &devices, NULL};

#define MAX_WORDS 16

/* Parses the words after the program's name. */
static lcl_status parse(lcl_args **args, lcl_request *request, const char *const *words,
                        FILE *warnings, lcl_error *err)
{
    char *argv[MAX_WORDS] = {"lenet-cl"};
    int argc = 1;

    for (; *words; words++)
        argv[argc++] = (char *)*words;
    return lcl_args_parse(args, request, argc, argv, commands, warnings, err);
}

/* A line that parses, and what the flags must then say. */
typedef struct {
    const char *words[8]; /* NULL behind the last */
    const char *recipe, *iterations;
    bool salt, quick;
    const char *operand;
} good_line;

static const good_line good[] = {
    {{"cook"}, NULL, "50", true, false, NULL},
    {{"cook", "-recipe", "a"}, "a", "50", true, false, NULL},
    {{"cook", "--recipe", "a"}, "a", "50", true, false, NULL},
    {{"cook", "-recipe=a"}, "a", "50", true, false, NULL},
    {{"cook", "--recipe=a"}, "a", "50", true, false, NULL},
    {{"cook", "--recipe="}, "", "50", true, false, NULL},
    {{"--recipe=a", "cook"}, "a", "50", true, false, NULL},
    {{"--recipe", "a", "cook", "b"}, "a", "50", true, false, "b"},
    {{"-quick", "cook", "b", "-iterations", "7"}, NULL, "7", true, true, "b"},
    {{"cook", "b", "--nosalt"}, NULL, "50", false, false, "b"},
    {{"cook", "--salt=false", "--quick=1"}, NULL, "50", false, true, NULL},
    {{"cook", "--salt=FALSE", "--salt"}, NULL, "50", true, false, NULL},
    {{"cook", "--recipe=a", "--recipe=b"}, "b", "50", true, false, NULL},
    {{"cook", "--iterations", "-3"}, NULL, "-3", true, false, NULL},
    {{"cook", "--", "-odd-name"}, NULL, "50", true, false, "-odd-name"},
    {{"cook", "-"}, NULL, "50", true, false, "-"},
    {{"cook", "--recipe", "x=y"}, "x=y", "50", true, false, NULL},
};

static void check_text(const char *got, const char *wanted)
{
    if (wanted)
        ck_assert_str_eq(got, wanted);
    else
        ck_assert_ptr_null(got);
}

START_TEST(good_lines_parse)
{
    const good_line *l = &good[_i];
    lcl_error err;
    lcl_request request;
    lcl_args *args = NULL;

    CHECK_OK(parse(&args, &request, l->words, NULL, &err));
    ck_assert_int_eq(request, LCL_ARGS_RUN);
    ck_assert_ptr_eq(lcl_args_command(args), &cook);
    check_text(lcl_args_get(args, "recipe"), l->recipe);
    check_text(lcl_args_get(args, "iterations"), l->iterations);
    ck_assert_int_eq(lcl_args_switch(args, "salt"), l->salt);
    ck_assert_int_eq(lcl_args_switch(args, "quick"), l->quick);
    ck_assert_int_eq(lcl_args_given(args, "recipe"), l->recipe != NULL);
    ck_assert_uint_eq(lcl_args_n_operands(args), l->operand != NULL);
    if (l->operand)
        ck_assert_str_eq(lcl_args_operand(args, 0), l->operand);
    lcl_args_destroy(args);
}
END_TEST

START_TEST(the_command_says_whether_a_flag_takes_a_value)
{
    static const char *const words[] = {"devices", "--recipe", "--verbose", NULL};
    lcl_error err;
    lcl_request request;
    lcl_args *args = NULL;

    CHECK_OK(parse(&args, &request, words, NULL, &err));
    ck_assert(lcl_args_switch(args, "recipe") && lcl_args_switch(args, "verbose"));
    lcl_args_destroy(args);
}
END_TEST

/* Lines that are wrong, a part of the message and of the hint. */
static const struct {
    const char *words[6];
    const char *message, *hint;
} bad[] = {
    {{"cok"}, "unknown command 'cok'", "did you mean 'cook'?"},
    {{"zzzzzz"}, "unknown command 'zzzzzz'", "--help"},
    {{"cook", "--recipee=x"}, "'cook' has no flag --recipee=x", "--recipe?"},
    {{"cook", "-iteration", "5"}, "'cook' has no flag -iteration", "--iterations?"},
    {{"cook", "--verbose"}, "'cook' has no flag --verbose", "flag of 'devices'"},
    {{"cook", "--norecipe"}, "'cook' has no flag --norecipe", ""},
    {{"cook", "--recipe"}, "flag --recipe needs a value", "--recipe FILE"},
    {{"cook", "--salt=perhaps"}, "expected true or false, got 'perhaps'", ""},
    {{"cook", "a", "b"}, "'cook' has no use for 'b'", "cook [FLAGS] [RECIPE]"},
    {{"devices", "a"}, "'devices' has no use for 'a'", "usage"},
    {{"--nonsense"}, "unknown flag --nonsense", "--help"},
};

START_TEST(bad_lines_are_explained)
{
    lcl_error err;
    lcl_request request;
    lcl_args *args = NULL;

    CHECK_FAILS(parse(&args, &request, bad[_i].words, NULL, &err), LCL_EUSAGE,
                bad[_i].message);
    ck_assert_ptr_null(args);
    ck_assert_msg(strstr(err.hint, bad[_i].hint) != NULL, "'%s' is not in '%s'",
                  bad[_i].hint, err.hint);
}
END_TEST

static const struct {
    const char *words[4];
    lcl_request request;
    const lcl_command *command;
} requests[] = {
    {{NULL}, LCL_ARGS_USAGE, NULL},
    {{"--logtostderr"}, LCL_ARGS_USAGE, NULL},
    {{"--help"}, LCL_ARGS_HELP, NULL},
    {{"-h"}, LCL_ARGS_HELP, NULL},
    {{"-version"}, LCL_ARGS_VERSION, NULL},
    {{"cook", "--help"}, LCL_ARGS_HELP, &cook},
    {{"--help", "cook"}, LCL_ARGS_HELP, &cook},
    {{"cook", "-h", "--wrong"}, LCL_ARGS_HELP, &cook},
    {{"device_query"}, LCL_ARGS_RUN, &devices},
};

START_TEST(requests_are_told_apart)
{
    lcl_error err;
    lcl_request request;
    lcl_args *args = NULL;

    CHECK_OK(parse(&args, &request, requests[_i].words, NULL, &err));
    ck_assert_int_eq(request, requests[_i].request);
    ck_assert_ptr_eq(lcl_args_command(args), requests[_i].command);
    lcl_args_destroy(args);
}
END_TEST

START_TEST(logging_flags_are_dropped_with_a_warning)
{
    const char *const words[] = {"-logtostderr", "--minloglevel=2", "cook", "-log_dir",
                                 "/var/log",     "--nolog_prefix",  "-v=1", NULL};
    char *text = NULL;
    size_t size = 0;
    FILE *warnings = open_memstream(&text, &size);
    lcl_error err;
    lcl_request request;
    lcl_args *args = NULL;

    CHECK_OK(parse(&args, &request, words, warnings, &err));
    lcl_args_destroy(args);
    fclose(warnings);
    ck_assert_int_eq(request, LCL_ARGS_RUN);
    int lines = 0;
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    ck_assert_int_eq(lines, 5);
    ck_assert_ptr_nonnull(strstr(text, "--minloglevel=2"));
    free(text);
}
END_TEST

START_TEST(numbers_are_checked)
{
    static const char *const wrong[] = {"x", "5x", "", "1.5", "99999999999999999999",
                                        "0"};
    lcl_error err;
    lcl_request request;
    long n = 0;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *const words[] = {"cook", "--iterations", wrong[i], NULL};
        lcl_args *args = NULL;
        CHECK_OK(parse(&args, &request, words, NULL, &err));
        CHECK_FAILS(lcl_args_int(args, "iterations", 1, 1000, &n, &err), LCL_EUSAGE,
                    "--iterations");
        lcl_args_destroy(args);
    }
    const char *const words[] = {"cook", NULL};
    lcl_args *args = NULL;
    CHECK_OK(parse(&args, &request, words, NULL, &err));
    CHECK_OK(lcl_args_int(args, "iterations", 1, 1000, &n, &err));
    ck_assert_int_eq(n, 50);
    lcl_args_destroy(args);
}
END_TEST

START_TEST(dashes_and_underscores_are_the_same)
{
    const char *const words[] = {"cook", "--sigint-effect", "none", NULL};
    lcl_error err;
    lcl_request request;
    lcl_args *args = NULL;

    CHECK_OK(parse(&args, &request, words, NULL, &err));
    ck_assert_str_eq(lcl_args_get(args, "sigint_effect"), "none");
    lcl_args_destroy(args);
}
END_TEST

START_TEST(lists_are_split_and_trimmed)
{
    size_t n = 0;
    char **list = lcl_list_split(" a.model , b ,,c", &n);

    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(list[0], "a.model");
    ck_assert_str_eq(list[1], "b");
    ck_assert_str_eq(list[2], "c");
    lcl_list_free(list, n);
    list = lcl_list_split("", &n);
    ck_assert_uint_eq(n, 0);
    lcl_list_free(list, n);
    list = lcl_list_split(NULL, &n);
    ck_assert_uint_eq(n, 0);
    lcl_list_free(list, n);
}
END_TEST

START_TEST(help_names_everything)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    lcl_args_print_help(stream, NULL, commands);
    lcl_args_print_help(stream, &cook, commands);
    fclose(stream);
    ck_assert_ptr_nonnull(strstr(text, "cook             Cooks"));
    ck_assert_ptr_nonnull(strstr(text, "usage: lenet-cl cook [FLAGS] [RECIPE]"));
    ck_assert_ptr_nonnull(strstr(text, "--recipe FILE"));
    ck_assert_ptr_nonnull(strstr(text, "how often (default: 50)"));
    free(text);
}
END_TEST

START_TEST(every_command_is_whole)
{
    for (const lcl_command *const *c = lcl_commands; *c; c++) {
        ck_assert_ptr_nonnull((*c)->name);
        ck_assert_ptr_nonnull((*c)->operands);
        ck_assert_ptr_nonnull((*c)->summary);
        ck_assert_ptr_nonnull((*c)->help);
        ck_assert((*c)->run != NULL);
        for (size_t i = 0; i < (*c)->n_options; i++)
            ck_assert_msg((*c)->options[i].name && (*c)->options[i].help,
                          "option %zu of %s", i, (*c)->name);
    }
}
END_TEST

START_TEST(exit_codes)
{
    ck_assert_int_eq(lcl_exit_code(LCL_OK), 0);
    ck_assert_int_eq(lcl_exit_code(LCL_EIO), 1);
    ck_assert_int_eq(lcl_exit_code(LCL_EDEVICE), 1);
    ck_assert_int_eq(lcl_exit_code(LCL_EUSAGE), 2);
    ck_assert_int_eq(lcl_exit_code(LCL_EPROTO), 3);
    ck_assert_int_eq(lcl_exit_code(LCL_ESHAPE), 3);
    ck_assert_int_eq(lcl_exit_code(LCL_ENODEVICE), 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("args");
    TCase *tc = tcase_create("args");

    tcase_add_loop_test(tc, good_lines_parse, 0, (int)(sizeof good / sizeof *good));
    tcase_add_test(tc, the_command_says_whether_a_flag_takes_a_value);
    tcase_add_loop_test(tc, bad_lines_are_explained, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_loop_test(tc, requests_are_told_apart, 0,
                        (int)(sizeof requests / sizeof *requests));
    tcase_add_test(tc, logging_flags_are_dropped_with_a_warning);
    tcase_add_test(tc, numbers_are_checked);
    tcase_add_test(tc, dashes_and_underscores_are_the_same);
    tcase_add_test(tc, lists_are_split_and_trimmed);
    tcase_add_test(tc, help_names_everything);
    tcase_add_test(tc, every_command_is_whole);
    tcase_add_test(tc, exit_codes);
    suite_add_tcase(suite, tc);
    return testing_run(suite);
}
