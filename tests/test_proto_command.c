/* lenet-cl proto: what it prints and writes, and its exit codes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"
#include "text.h"

static lcl_error err;
static char folder[] = "/tmp/lcl-test-XXXXXX";

static char *path_of(const char *name)
{
    return lcl_path_join(folder, name);
}

static void put(const char *name, const char *text)
{
    char *path = path_of(name);

    CHECK_OK(lcl_file_write(path, text, strlen(text), &err));
    free(path);
}

static char *get(const char *name)
{
    char *path = path_of(name), *text;
    size_t size;

    CHECK_OK(lcl_file_read(&text, &size, path, 0, &err));
    free(path);
    return text;
}

/* Runs `lenet-cl proto ARGUMENTS` in the folder; its output goes to the files out and err.
 * Returns its exit code. */
static int proto(const char *arguments)
{
    char *command =
        lcl_format("cd %s && \"$LENET_CL\" proto %s >out 2>err", folder, arguments);
    int status = system(command);

    free(command);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check_file(const char *name, const char *text)
{
    char *got = get(name);

    ck_assert_str_eq(got, text);
    free(got);
}

static void check_contains(const char *name, const char *text)
{
    char *got = get(name);

    ck_assert_msg(strstr(got, text) != NULL, "'%s' is not in '%s'", text, got);
    free(got);
}

START_TEST(encode_and_decode)
{
    put("n", "name: 'a'\nlayer { name: 'b' }");
    ck_assert_int_eq(proto("encode --type net n"), 0);
    check_file("out", "\n\x01"
                      "a\xa2\x06\x03\n\x01"
                      "b");
    ck_assert_int_eq(proto("encode --type net n --out n.pb"), 0);
    check_file("out", "");
    ck_assert_int_eq(proto("decode --type net n.pb"), 0);
    check_file("out", "name: \"a\"\nlayer {\n  name: \"b\"\n}\n");
    ck_assert_int_eq(proto("encode --type net - <n --out m.pb"), 0);
    ck_assert_int_eq(proto("decode --type=net - <m.pb --out t"), 0);
    check_file("t", "name: \"a\"\nlayer {\n  name: \"b\"\n}\n");
    put("e", "");
    ck_assert_int_eq(proto("encode --type net e"), 0);
    check_file("out", "");
}
END_TEST

START_TEST(check)
{
    put("s", "max_iter: 5");
    ck_assert_int_eq(proto("check --type solver s"), 0);
    check_file("out", "s: ok\n");
    put("s", "max_iter: 5\nmax_itr: 6\n");
    ck_assert_int_eq(proto("check --type solver s"), 3);
    check_file("out", "");
    check_contains("err",
                   "s:2:8: Message type \"caffe.SolverParameter\" has no field named "
                   "\"max_itr\"");
    check_contains("err", "    2 | max_itr: 6\n      | ^~~~~~~");
    check_contains("err", "did you mean max_iter?");
    ck_assert_int_eq(proto("check --type solver --allow-unknown s"), 0);
    check_contains("err", "s:2:1: skipped max_itr");
    ck_assert_int_eq(proto("check --type net nosuchfile"), 1);
    check_contains("err", "nosuchfile");
}
END_TEST

/* Text and binary files are told apart. */
START_TEST(upgrade)
{
    static const char upgraded[] = "layer {\n  name: \"p\"\n  type: \"Pooling\"\n}\n";

    put("n", "layers { name: 'p' type: POOLING }");
    ck_assert_int_eq(proto("upgrade --type net n"), 0);
    check_file("out", upgraded);
    ck_assert_int_eq(proto("encode --type net n --out n.pb"), 0);
    ck_assert_int_eq(proto("upgrade --type net n.pb --out u"), 0);
    check_file("u", upgraded);
    ck_assert_int_eq(proto("check --type net n.pb"), 0);
    put("s", "solver_type: ADAM");
    ck_assert_int_eq(proto("upgrade --type solver s"), 0);
    check_file("out", "type: \"Adam\"\n");
    put("n", "layers { } layer { }");
    ck_assert_int_eq(proto("upgrade --type net n"), 3);
    check_contains("err", "n:1:12: ");
}
END_TEST

START_TEST(fix)
{
    static const char pasted[] = "layer { name: 'p' // a poolingtype: 'Poling'\n}}\n";
    static const char repaired[] =
        "layer { name: 'p' # a pooling\n  type: 'Pooling'\n}\n";

    put("n", pasted);
    ck_assert_int_eq(proto("fix n"), 0);
    check_file("out", repaired);
    check_file("err", "n:1:19: // a poolingtype -> # a pooling\\ntype\n"
                      "n:1:38: Poling -> Pooling\n"
                      "n:2:2: } -> nothing\n");
    check_file("n", pasted);
    ck_assert_int_eq(proto("fix -o n n"), 0);
    check_file("out", "");
    check_file("n", repaired);
    ck_assert_int_eq(proto("fix --type net - <n"), 0);
    check_file("out", repaired);
    check_file("err", "");

    put("s", "max_iter: 5k // all\nlr_policy: 'inv'");
    put("t", "as it was");
    ck_assert_int_eq(proto("fix --type solver s --out t"), 3);
    check_file("t", "as it was");
    check_file("out", "");
    check_contains("err", "lenet-cl: s:1:12: Need space between number and identifier");
    put("s", "type: 'Adma' lr_policy: 'Inv'");
    ck_assert_int_eq(proto("fix --type solver s"), 0);
    check_file("out", "type: 'Adam' lr_policy: 'inv'");
    put("n", "layer { inner_product_param { weight_filler { type: 'guassion' } } }");
    ck_assert_int_eq(proto("fix n"), 0);
    check_file("out",
               "layer { inner_product_param { weight_filler { type: 'gaussian' } } }");

    ck_assert_int_eq(proto("fix --allow-unknown n"), 2);
    ck_assert_int_eq(proto("fix n --out nosuch/file"), 1);
    ck_assert_int_eq(proto("fix nosuchfile"), 1);
}
END_TEST

START_TEST(wrong_use)
{
    put("n", "name: 'a'");
    ck_assert_int_eq(proto(""), 2);
    ck_assert_int_eq(proto("check"), 2);
    ck_assert_int_eq(proto("weigh n"), 2);
    check_contains("err", "encode, decode, check, fix, upgrade");
    ck_assert_int_eq(proto("check --type tree n"), 2);
    check_contains("err", "net, solver, state, blob, datum");
    ck_assert_int_eq(proto("decode --type net n"), 3);
    check_contains("err", "looks like a text file");
    ck_assert_int_eq(proto("encode --type net n --out nosuch/file"), 1);
}
END_TEST

START_TEST(no_room)
{
    put("n", "name: 'a'");
    if (access("/dev/full", W_OK) != 0)
        return;
    char *command =
        lcl_format("cd %s && \"$LENET_CL\" proto upgrade n >/dev/full 2>err", folder);
    ck_assert_int_eq(WEXITSTATUS(system(command)), 1);
    check_contains("err", "cannot write");
    free(command);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_command");
    TCase *all = tcase_create("all");

    if (!getenv("LENET_CL") || !mkdtemp(folder)) {
        fprintf(stderr, "set LENET_CL to the program under test\n");
        return EXIT_FAILURE;
    }
    tcase_add_test(all, encode_and_decode);
    tcase_add_test(all, check);
    tcase_add_test(all, upgrade);
    tcase_add_test(all, fix);
    tcase_add_test(all, wrong_use);
    tcase_add_test(all, no_room);
    tcase_set_timeout(all, 120);
    suite_add_tcase(suite, all);
    int code = testing_run(suite);
    char *command = lcl_format("rm -rf %s", folder);
    code |= system(command);
    free(command);
    return code;
}
