/* Reading prototxts: the verdicts of Google's parser, and what a person is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/proto.h"
#include "proto_text_cases.h"
#include "testing.h"
#include "text.h"

static lcl_error err;

static lcl_status parse(lcl_proto **p, const ProtobufCMessageDescriptor *type,
                        const char *text)
{
    err = (lcl_error){0};
    return lcl_proto_parse_text(p, type, "t", text, strlen(text), LCL_UNKNOWN_IS_ERROR,
                                NULL, &err);
}

/* --- against protoc
 * --------------------------------------------------------------------- */

static char *temporary(const void *bytes, size_t size)
{
    char *path = lcl_strdup("/tmp/lcl-test-XXXXXX");
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    return path;
}

static bool have_protoc(void)
{
    return system("protoc --version >/dev/null 2>&1") == 0;
}

/* What protoc makes of the file: its bytes, or the first line of its complaints. */
static bool protoc_encode(const char *type, const char *path, char **out, size_t *size)
{
    char *result = temporary("", 0), *complaint = temporary("", 0);
    char *command = lcl_format("protoc --encode=%s -I proto -I /usr/include "
                               "proto/caffe.proto <%s >%s 2>%s",
                               type, path, result, complaint);
    bool accepted = system(command) == 0;

    CHECK_OK(lcl_file_read(out, size, accepted ? result : complaint, 0, &err));
    if (!accepted && strchr(*out, '\n'))
        *strchr(*out, '\n') = '\0';
    unlink(result);
    unlink(complaint);
    free(result);
    free(complaint);
    free(command);
    return accepted;
}

static void compare_with_protoc(const text_case *c, const lcl_proto *p)
{
    char *path = temporary(c->text, c->length), *theirs;
    size_t their_size, size;

    if (protoc_encode(c->type->name, path, &theirs, &their_size)) {
        uint8_t *ours;
        ck_assert_msg(p != NULL, "protoc takes: %s", c->text);
        CHECK_OK(lcl_proto_encode(&ours, &size, lcl_proto_root(p), &err));
        ck_assert_uint_eq(size, their_size);
        ck_assert_msg(memcmp(ours, theirs, size) == 0, "other bytes: %s", c->text);
        free(ours);
    } else {
        ck_assert_msg(!p && c->place, "protoc rejects: %s", c->text);
        char *start = lcl_format("input:%s: ", c->place);
        ck_assert_msg(strncmp(theirs, start, strlen(start)) == 0, "'%s' is not at %s",
                      theirs, c->place);
        free(start);
    }
    free(theirs);
    unlink(path);
    free(path);
}

static void check_case(const text_case *c, bool with_protoc)
{
    lcl_proto *p = NULL;

    err = (lcl_error){0};
    lcl_status status = lcl_proto_parse_text(&p, c->type, "t", c->text, c->length,
                                             LCL_UNKNOWN_IS_ERROR, NULL, &err);
    if (c->place) {
        ck_assert_msg(status == LCL_EPROTO, "accepted: %s", c->text);
        ck_assert_str_eq(err.where + 2, c->place);
        ck_assert_msg(strncmp(err.message, c->says, strlen(c->says)) == 0,
                      "'%s' does not start with '%s'", err.message, c->says);
    } else {
        ck_assert_msg(status == LCL_OK, "%s: %s: %s", c->text, err.where, err.message);
        char *text = lcl_proto_print(lcl_proto_root(p));
        ck_assert_str_eq(text, c->says);
        free(text);
    }
    if (with_protoc)
        compare_with_protoc(c, p);
    lcl_proto_destroy(p);
}

START_TEST(verdicts)
{
    for (size_t i = 0; i < subjects[_i].n; i++)
        check_case(&subjects[_i].cases[i], false);
}
END_TEST

START_TEST(verdicts_of_protoc)
{
    if (!have_protoc())
        return;
    for (size_t i = 0; i < subjects[_i].n; i++)
        check_case(&subjects[_i].cases[i], true);
}
END_TEST

/* --- against a folder of real files
 * ------------------------------------------------------ */

/* The tab-separated column; "" where there is none. */
static char *column(const char *line, int n)
{
    for (; n > 0 && line; n--) {
        line = strchr(line, '\t');
        line = line ? line + 1 : NULL;
    }
    return line ? lcl_format("%.*s", (int)strcspn(line, "\t\n"), line) : lcl_strdup("");
}

static void check_file(const char *folder, const char *line)
{
    char *name = column(line, 0), *kind = column(line, 1), *verdict = column(line, 2);
    char *path = lcl_path_join(folder, name);
    const ProtobufCMessageDescriptor *type = strcmp(kind, "net") == 0 ? NET : SOLVER;
    lcl_proto *p = NULL;

    err = (lcl_error){0};
    lcl_status status =
        lcl_proto_read_text(&p, type, path, LCL_UNKNOWN_IS_ERROR, NULL, &err);
    if (strcmp(verdict, "ok") == 0) {
        char *pb = lcl_format("%.*s.pb", (int)(strlen(path) - strlen(".prototxt")), path);
        char *theirs;
        uint8_t *ours;
        size_t n, size;
        ck_assert_msg(status == LCL_OK, "%s: %s", err.where, err.message);
        CHECK_OK(lcl_file_read(&theirs, &n, pb, 0, &err));
        CHECK_OK(lcl_proto_encode(&ours, &size, lcl_proto_root(p), &err));
        ck_assert_uint_eq(size, n);
        ck_assert_msg(memcmp(ours, theirs, n) == 0, "%s: other bytes", path);
        free(ours);
        free(theirs);
        free(pb);
    } else {
        /* "input:LINE:COLUMN: ...", perhaps in quotes */
        const char *place = strstr(verdict, "input:");
        ck_assert_msg(status == LCL_EPROTO, "%s was accepted", path);
        ck_assert_msg(place && strncmp(place + 6, err.where + strlen(path) + 1,
                                       strlen(err.where) - strlen(path) - 1) == 0,
                      "%s where %s", err.where, verdict);
    }
    lcl_proto_destroy(p);
    free(path);
    free(verdict);
    free(kind);
    free(name);
}

START_TEST(real_files)
{
    const char *folder = getenv("LCL_PROTOTXT_DIR");
    char *list, *text;
    size_t size, n = 0;

    if (!folder)
        return;
    list = lcl_path_join(folder, "MANIFEST.tsv");
    CHECK_OK(lcl_file_read(&text, &size, list, 0, &err));
    for (char *line = strchr(text, '\n'); line && line[1];
         line = strchr(line + 1, '\n')) {
        check_file(folder, line + 1);
        n++;
    }
    printf("%zu files of %s: same verdict, place and bytes\n", n, folder);
    ck_assert_uint_gt(n, 0);
    free(text);
    free(list);
}
END_TEST

/* --- what a person is told
 * ----------------------------------------------------------------- */

static const struct {
    const ProtobufCMessageDescriptor *type;
    const char *text, *hint;
} hints[] = {
    {NET, "name: \"a\" // note", "write #"},
    {NET, "name: \"a\" /* note */", "write #"},
    {NET, "\xef\xbb\xbfname: \"a\"", "byte order mark"},
    {NET,
     "name: \xe2\x80\x9c"
     "a\xe2\x80\x9d",
     "plain \" in place of \xe2\x80\x9c"},
    {NET,
     "name: \xe2\x80\x98"
     "a\xe2\x80\x99",
     "plain ' in place of \xe2\x80\x98"},
    {NET, "name\xef\xbc\x9a \"a\"", "plain : in place of \xef\xbc\x9a"},
    {NET, "name: \"a\"\xef\xbc\x8c", "plain , in place of"},
    {NET, "name: \"a\"\xef\xbc\x9b", "plain ; in place of"},
    {NET, "layer \xef\xbd\x9b }", "plain { in place of"},
    {NET, "name:\xe3\x80\x80\"a\"", "ordinary space (U+3000)"},
    {NET, "name:\xc2\xa0\"a\"", "ordinary space (U+00A0)"},
    {NET, "name: \xe2\x80\x8b\"a\"", "invisible character (U+200B)"},
    {NET, "\xe5\xb1\x82", "write # before a note"},
    {NET, "name: \xb2\xe3", "save the file as UTF-8"},
    {NET, "\xff\xfen", "UTF-16"},
    {SOLVER, "max_iter: 5\n~\n", "stray ~"},
    {SOLVER, "<<<<<<< HEAD\n", "unresolved merge"},
    {SOLVER, "max_iter: ${N}", "placeholder"},
    {NET, "layer { convolution_param { num_output: 50kernel_size: 5 } }",
     "missing space between 50 and kernel_size"},
    {NET, "layer { pooling_param { pool: MAXkernel_size: 2 } }",
     "did you mean MAX kernel_size?"},
    {NET, "layer { inner_product_param { bias_term: falsenum_output: 2 } }",
     "did you mean false num_output?"},
    {NET, "layer { pooling_param { pool: AVG } }",
     "did you mean AVE? pool is one of MAX, AVE, STOCHASTIC"},
    {NET, "layer { pooling_param { engine: FFT } }", "delete the line"},
    {NET, "layer { pooling_param { pool: {MAX} } }", "one of MAX, AVE, STOCHASTIC"},
    {SOLVER, "solver_mode: gpu", "write GPU"},
    {SOLVER, "solver_mode: \"GPU\"", "without quotes"},
    {SOLVER, "lr_polcy: \"inv\"", "did you mean lr_policy?"},
    {SOLVER, "Base_lr: 1", "write base_lr"},
    {SOLVER, "type: Adam", "write \"Adam\""},
    {SOLVER, "net: 5", "net is a string: write it in quotes"},
    {NET, "layer { type: CONVOLUTION }", "write \"Convolution\""},
    {NET, "layers { type: \"Data\" }", "with type: \"Data\" write `layer`"},
    {NET, "layer { kernel_size: 5 }", "belongs in convolution_param, pooling_param"},
    {NET, "layer { lr_mult: 1 }", "lr_mult belongs in param"},
    {NET, "layer { data_param { transform_param { } } }",
     "transform_param belongs in a layer"},
    {NET, "layer { roi_pooling_param { } }", "faster-rcnn"},
    {NET, "layer { quantization_param { } }", "Intel's Caffe"},
    {NET, "base_lr: 1", "is this the solver's file?"},
    {SOLVER, "layer { }", "is this the net's file?"},
    {SOLVER, "base_lr 0.1", "write base_lr: 0.1"},
    {SOLVER, "base_lr = 0.1", "write base_lr: with a colon"},
    {SOLVER, "base_lr: +0.1", "without +"},
    {SOLVER, "base_lr: \"0.1\"", "without quotes"},
    {SOLVER, "max_iter: 1e4", "a whole number, such as 10000"},
    {SOLVER, "max_iter: 08", "without the leading 0"},
    {NET, "layer { pooling_param { pad: -1 } }", "no negative number"},
    {SOLVER, "debug_info: TRUE", "write true"},
    {SOLVER, "debug_info: no", "write false"},
    {SOLVER, "max_iter: 5;;", "one ; after a field is enough"},
    {SOLVER, "test_iter: [1 2]", "separate the values by commas"},
    {SOLVER, "max_iter: 5\nmax_iter: 6", "from line 1"},
    {NET, "name: \"a\nlayer { }", "close the string with \""},
    {NET, "layer {\n name: \"a\"\n", "the text ends before the } of layer in line 1"},
    {NET, "layer { } }", "one } too many"},
    {NET, "layer { name: \"C:\\data\" }", "write \\\\ for a backslash"},
    {NET, "layer { param: 1 }", "write its fields in { }"},
    {SOLVER, "max_iter: 5 \x01", "is this a binary file?"},
};

START_TEST(says_what_to_write)
{
    lcl_proto *p;

    ck_assert_int_eq(parse(&p, hints[_i].type, hints[_i].text), LCL_EPROTO);
    ck_assert_msg(strstr(err.hint, hints[_i].hint) != NULL, "%s: '%s' is not in '%s'",
                  hints[_i].text, hints[_i].hint, err.hint);
}
END_TEST

static void check_excerpt(const char *text, const char *excerpt)
{
    lcl_proto *p;

    ck_assert_int_eq(parse(&p, NET, text), LCL_EPROTO);
    ck_assert_str_eq(err.excerpt, excerpt);
}

START_TEST(shows_the_line)
{
    check_excerpt("name: \"a\"\n  nosuch: 1\n", "    2 |   nosuch: 1\n"
                                                "      |   ^~~~~~");
    /* tabs are shown as one space, wide characters take two columns, \r is not shown */
    check_excerpt("\tname: \"\xe5\xb1\x82\"\tnosuch: 1\r\n",
                  "    1 |  name: \"\xe5\xb1\x82\" nosuch: 1\n"
                  "      |             ^~~~~~");
    /* the mark is under the word, though Google's place is the next token, a line below
     */
    check_excerpt("layer { pooling_param { pool: MIN\n} }",
                  "    1 | layer { pooling_param { pool: MIN\n"
                  "      |                               ^~~");
    /* a word of several bytes is marked whole */
    check_excerpt("\xe2\x80\x9c", "    1 | \xe2\x80\x9c\n"
                                  "      | ^");
    /* where the line is empty there is nothing to show */
    check_excerpt("layer {\n", "");
}
END_TEST

START_TEST(cuts_long_lines)
{
    lcl_text text = {0};
    lcl_proto *p;

    for (int i = 0; i < 200; i++)
        lcl_text_add(&text, "name: '\xe5\xb1\x82' ");
    ck_assert_int_eq(parse(&p, NET, text.text), LCL_EPROTO);
    ck_assert_ptr_nonnull(strstr(err.excerpt, "...\n"));
    ck_assert_uint_lt(strlen(err.excerpt), 300);
    free(text.text);

    text = (lcl_text){0};
    for (int i = 0; i < 300; i++)
        lcl_text_add(&text, "\xe5\xb1\x82");
    ck_assert_int_eq(parse(&p, NET, text.text), LCL_EPROTO);
    for (const unsigned char *c = (unsigned char *)err.excerpt; *c; c++)
        ck_assert_msg(*c != '?', "a character was cut: %s", err.excerpt);
    free(text.text);
}
END_TEST

/* --- documents
 * -------------------------------------------------------------------------- */

static const char *const layered = "name: 'n'\n"
                                   "layer {\n"
                                   "  name: 'c'\n"
                                   "  convolution_param { num_output: 5 pad: 1 pad: 2 }\n"
                                   "}\n";

static void check_where(const lcl_proto *p, const void *message, const char *field,
                        const char *expected)
{
    char where[64];

    lcl_proto_where(p, message, field, where, sizeof where);
    ck_assert_str_eq(where, expected);
}

START_TEST(knows_where_fields_come_from)
{
    lcl_proto *p;

    ck_assert_int_eq(parse(&p, NET, layered), LCL_OK);
    Caffe__NetParameter *net = (Caffe__NetParameter *)lcl_proto_root(p);
    Caffe__ConvolutionParameter *conv = net->layer[0]->convolution_param;
    check_where(p, net, NULL, "t");
    check_where(p, net, "name", "t:1:1");
    check_where(p, net->layer[0], NULL, "t:2:1");
    check_where(p, net->layer[0], "name", "t:3:3");
    check_where(p, net->layer[0], "bottom", "t:2:1");
    check_where(p, conv, NULL, "t:4:3");
    check_where(p, conv, "pad", "t:4:37");

    lcl_proto_fail(p, conv, "num_output", &err, LCL_ESHAPE, "too %s", "many");
    ck_assert_int_eq(err.status, LCL_ESHAPE);
    ck_assert_str_eq(err.where, "t:4:23");
    ck_assert_str_eq(err.message, "too many");
    ck_assert_ptr_nonnull(strstr(err.excerpt, "^~~~~~~~~~"));
    lcl_proto_destroy(p);
}
END_TEST

START_TEST(copies_keep_places)
{
    lcl_proto *p, *copy;

    ck_assert_int_eq(parse(&p, NET, layered), LCL_OK);
    Caffe__NetParameter *net = (Caffe__NetParameter *)lcl_proto_root(p);
    char *before = lcl_proto_print(&net->layer[0]->base);
    copy = lcl_proto_copy(p, &net->layer[0]->base);
    lcl_proto_destroy(p);

    Caffe__LayerParameter *layer = (Caffe__LayerParameter *)lcl_proto_root(copy);
    char *after = lcl_proto_print(&layer->base);
    ck_assert_str_eq(before, after);
    check_where(copy, layer, "name", "t:3:3");
    check_where(copy, layer->convolution_param, "pad", "t:4:37");
    lcl_proto_destroy(copy);
    free(before);
    free(after);
}
END_TEST

START_TEST(derived_messages_keep_places)
{
    lcl_proto *p;

    ck_assert_int_eq(parse(&p, NET, layered), LCL_OK);
    Caffe__NetParameter *net = (Caffe__NetParameter *)lcl_proto_root(p);
    Caffe__LayerParameter *made = lcl_proto_new(&caffe__layer_parameter__descriptor);
    check_where(p, made, NULL, "t");
    lcl_proto_derive(p, made, net->layer[0]);
    check_where(p, made, NULL, "t:2:1");
    check_where(p, made, "name", "t:3:3");
    lcl_proto_free(&made->base);
    lcl_proto_destroy(p);
}
END_TEST

START_TEST(device_is_device_id)
{
    lcl_proto *p;

    ck_assert_int_eq(parse(&p, SOLVER, "device: 3"), LCL_OK);
    Caffe__SolverParameter *solver = (Caffe__SolverParameter *)lcl_proto_root(p);
    ck_assert(solver->has_device_id);
    ck_assert_int_eq(solver->device_id, 3);
    lcl_proto_destroy(p);
    ck_assert_int_eq(parse(&p, SOLVER, "device: 3 device_id: 3"), LCL_EPROTO);
    ck_assert_int_eq(parse(&p, NET, "device: 3"), LCL_EPROTO);
}
END_TEST

START_TEST(missing_required_fields)
{
    lcl_proto *p;

    ck_assert_int_eq(parse(&p, NET, "layer { name: 'a'\n clip_param { max: 1 } }"),
                     LCL_EPROTO);
    ck_assert_str_eq(err.where, "t:2:2");
    ck_assert_str_eq(err.message, "ClipParameter lacks the required field min");
    ck_assert_int_eq(parse(&p, NET, "layer { clip_param { max: 1 min: 0 } }"), LCL_OK);
    lcl_proto_destroy(p);
}
END_TEST

/* --- unknown fields
 * ----------------------------------------------------------------------- */

static lcl_status parse_loosely(lcl_proto **p, const char *text, char **log_text)
{
    size_t size = 0;
    FILE *stream = open_memstream(log_text, &size);
    lcl_log *log = lcl_log_create(stream);

    err = (lcl_error){0};
    lcl_status status = lcl_proto_parse_text(p, SOLVER, "t", text, strlen(text),
                                             LCL_UNKNOWN_IS_WARNED, log, &err);
    lcl_log_destroy(log);
    fclose(stream);
    return status;
}

START_TEST(unknown_fields_can_be_skipped)
{
    static const char *const skipped[] = {
        "x: 5",         "x: -5.5",
        "x: 'a' \"b\"", "x: WORD",
        "x { }",        "x: { y: 1 }",
        "x < y { } >",  "x: [1, 2]",
        "x: []",        "x: [{ y: 1; }, < >]",
        "x: 5,",        "x { };",
        "x: -inf",      "x { y: [ 'a', B ] z { } }",
    };
    char *log;
    lcl_proto *p;

    for (size_t i = 0; i < LCL_COUNT(skipped); i++) {
        char *text = lcl_format("max_iter: 1 %s display: 2", skipped[i]);
        ck_assert_msg(parse_loosely(&p, text, &log) == LCL_OK, "%s: %s: %s", text,
                      err.where, err.message);
        Caffe__SolverParameter *solver = (Caffe__SolverParameter *)lcl_proto_root(p);
        ck_assert_int_eq(solver->max_iter, 1);
        ck_assert_int_eq(solver->display, 2);
        ck_assert_msg(
            strstr(log, "t:1:13: skipped x, which SolverParameter does not have"), "%s",
            log);
        lcl_proto_destroy(p);
        free(log);
        free(text);
    }
}
END_TEST

START_TEST(skipping_still_needs_sound_text)
{
    static const char *const broken[] = {"x 5",   "x: }",       "x: [1",    "x: [1 2]",
                                         "x { y", "x { y: 1 >", "x: [[1]]", "x:"};
    char *log;
    lcl_proto *p;

    for (size_t i = 0; i < LCL_COUNT(broken); i++) {
        ck_assert_msg(parse_loosely(&p, broken[i], &log) == LCL_EPROTO, "%s", broken[i]);
        free(log);
    }
}
END_TEST

START_TEST(depth_is_limited)
{
    lcl_text text = {0};
    char *log;
    lcl_proto *p;

    for (int i = 0; i < 100000; i++)
        lcl_text_add(&text, "x {");
    ck_assert_int_eq(parse_loosely(&p, text.text, &log), LCL_EPROTO);
    ck_assert_ptr_nonnull(strstr(err.message, "too deep"));
    free(log);
    free(text.text);
}
END_TEST

START_TEST(unreadable_files)
{
    lcl_proto *p;

    CHECK_FAILS(lcl_proto_read_text(&p, NET, "/nonexistent/net.prototxt",
                                    LCL_UNKNOWN_IS_ERROR, NULL, &err),
                LCL_EIO, "");
    CHECK_FAILS(lcl_proto_read_text(&p, NET, "/", LCL_UNKNOWN_IS_ERROR, NULL, &err),
                LCL_EIO, "");
    ck_assert_int_eq(lcl_proto_read_text(&p, NET, "/nonexistent/net.prototxt",
                                         LCL_UNKNOWN_IS_ERROR, NULL, NULL),
                     LCL_EIO);
}
END_TEST

/* Nothing that a file can hold may crash the parser. */
START_TEST(damaged_texts)
{
    static const char text[] =
        "name: 'n' # note\nlayer { name: \"c\" type: 'Convolution' param { lr_mult: 1e-3 "
        "}\n"
        " convolution_param { num_output: 50 pad: [1, 2] weight_filler < type: 'xavier' "
        "> "
        "engine: CAFFE bias_term: false } } input_shape: { dim: 0x10; dim: -1 }";
    char damaged[sizeof text];
    lcl_proto *p;

    for (unsigned i = 0; i < 20000; i++) {
        memcpy(damaged, text, sizeof text);
        for (unsigned j = 0; j <= i % 4; j++) {
            size_t at = (size_t)((testing_value(i, 2 * j) + 1) / 2 * (sizeof text - 2));
            damaged[at] = (char)(testing_value(i, 2 * j + 1) * 127);
        }
        lcl_status status = lcl_proto_parse_text(
            &p, NET, "t", damaged, sizeof damaged - 1,
            i % 2 ? LCL_UNKNOWN_IS_WARNED : LCL_UNKNOWN_IS_ERROR, NULL, &err);
        if (status == LCL_OK)
            lcl_proto_destroy(p);
        else
            ck_assert_int_eq(status, LCL_EPROTO);
    }
    for (size_t n = 0; n < sizeof text; n++)
        if (lcl_proto_parse_text(&p, NET, "t", text, n, LCL_UNKNOWN_IS_ERROR, NULL,
                                 &err) == LCL_OK)
            lcl_proto_destroy(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_text");
    TCase *verdict = tcase_create("verdicts"), *people = tcase_create("people"),
          *documents = tcase_create("documents");

    tcase_add_loop_test(verdict, verdicts, 0, (int)LCL_COUNT(subjects));
    tcase_add_loop_test(verdict, verdicts_of_protoc, 0, (int)LCL_COUNT(subjects));
    tcase_add_test(verdict, real_files);
    tcase_add_test(verdict, missing_required_fields);
    tcase_set_timeout(verdict, 120);
    suite_add_tcase(suite, verdict);
    tcase_add_loop_test(people, says_what_to_write, 0, (int)LCL_COUNT(hints));
    tcase_add_test(people, shows_the_line);
    tcase_add_test(people, cuts_long_lines);
    suite_add_tcase(suite, people);
    tcase_add_test(documents, knows_where_fields_come_from);
    tcase_add_test(documents, copies_keep_places);
    tcase_add_test(documents, derived_messages_keep_places);
    tcase_add_test(documents, device_is_device_id);
    tcase_add_test(documents, unknown_fields_can_be_skipped);
    tcase_add_test(documents, skipping_still_needs_sound_text);
    tcase_add_test(documents, depth_is_limited);
    tcase_add_test(documents, unreadable_files);
    tcase_add_test(documents, damaged_texts);
    tcase_set_timeout(documents, 120);
    suite_add_tcase(suite, documents);
    return testing_run(suite);
}
