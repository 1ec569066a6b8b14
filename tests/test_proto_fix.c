/* Repairing prototxts: what each rule makes of its faults, what is left alone, what is
 * refused, and that whatever comes out can be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filler.h"
#include "lcl/layer.h"
#include "learning_rate.h"
#include "proto_fix.h"
#include "rng.h"
#include "testing.h"

#define NET &caffe__net_parameter__descriptor
#define SOLVER &caffe__solver_parameter__descriptor

static lcl_error err;

static const char *layer_name(size_t i)
{
    return lcl_layer_types[i] ? lcl_layer_types[i]->name : NULL;
}

static const lcl_proto_names known[] = {
    {&caffe__layer_parameter__descriptor, "type", layer_name},
    {&caffe__filler_parameter__descriptor, "type", lcl_filler_name},
    {SOLVER, "lr_policy", lcl_learning_rate_policy},
};

static lcl_status fix(lcl_text *fixed, lcl_text *report,
                      const ProtobufCMessageDescriptor *type, const char *text)
{
    err = (lcl_error){0};
    return lcl_proto_fix(fixed, report, type, "t", text, strlen(text), known,
                         LCL_COUNT(known), &err);
}

/* ---- Rule by rule ------------------------------------------------------------------ */

typedef struct {
    const ProtobufCMessageDescriptor *type;
    const char *text, *fixed, *report;
} fix_case;

/* clang-format off */
static const fix_case cases[] = {
    /* notes */
    {SOLVER, "max_iter: 5 // all\ndisplay: 1\n", "max_iter: 5 # all\ndisplay: 1\n",
     "t:1:13: // all -> # all\n"},
    {NET, "layer { name: \"a\" // 层top: \"b\" }", "layer { name: \"a\" # 层\n  top: \"b\" }",
     "t:1:19: // 层top -> # 层\\ntop\n"},
    {NET, "layer { loss_weight: 1 // 1/2 }", "layer { loss_weight: 1 # 1/2\n}",
     "t:1:24: // 1/2 } -> # 1/2\\n}\n"},
    {NET, "layer { include { phase: TEST // 层}top: \"b\" }",
     "layer { include { phase: TEST # 层\n  }top: \"b\" }",
     "t:1:31: // 层} -> # 层\\n}\n"},
    {NET, "layer { name: \"a\" // a {b} or 1}\n", "layer { name: \"a\" # a {b} or 1\n}\n",
     "t:1:19: // a {b} or 1} -> # a {b} or 1\\n}\n"},
    {NET, "layer { param {lr_mult: 1 // 率} param {lr_mult: 2 // 率}\n}",
     "layer { param {lr_mult: 1 # 率\n  } param {lr_mult: 2 # 率\n  }\n}",
     "t:1:27: // 率} -> # 率\\n}\nt:1:53: // 率} -> # 率\\n}\n"},
    /* the misspelt name of the next field is one all the same, and glued to the note */
    {NET, "layer { inner_product_param { axis: 1 // 轴num_ouput: 3 } }",
     "layer { inner_product_param { axis: 1 # 轴\n    num_output: 3 } }",
     "t:1:39: // 轴num_ouput -> # 轴\\nnum_output\n"},
    {NET, "layer { inner_product_param { // a constantaxis: 1num_output: 3 } }",
     "layer { inner_product_param { # a constant\n    axis: 1 num_output: 3 } }",
     "t:1:31: // a constantaxis -> # a constant\\naxis\nt:1:50: 1num_output -> 1 num_output\n"},
    {SOLVER, "max_iter: 5 // a noteDispaly: 3\n", "max_iter: 5 # a note\ndisplay: 3\n",
     "t:1:13: // a noteDispaly -> # a note\\ndisplay\n"},
    {NET, "layer { // the convolutionparam { axis: 1 } }", "layer { # the\n  convolution_param { axis: 1 } }",
     "t:1:9: // the convolutionparam -> # the\\nconvolution_param\n"},
    {SOLVER, "base_lr: 1 // rate solver_mode: 1dispaly: 3", "base_lr: 1 # rate\nsolver_mode: 1 display: 3",
     "t:1:12: // rate solver_mode -> # rate\\nsolver_mode\nt:1:33: 1dispaly -> 1 display\n"},
    {SOLVER, "base_lr: 1 // \xb2\xe3""display: 1", "base_lr: 1 # \xb2\xe3\ndisplay: 1",
     "t:1:12: // <B2><E3>display -> # <B2><E3>\\ndisplay\n"},
    /* a field that was taken out stays out, and so does one that the note is about */
    {SOLVER, "max_iter: 5\n//display: 3\ndisplay: 1\n", "max_iter: 5\n#display: 3\ndisplay: 1\n",
     "t:2:1: //display: 3 -> #display: 3\n"},
    {SOLVER, "max_iter: 5 // not display: 3\ndisplay: 1\n",
     "max_iter: 5 # not display: 3\ndisplay: 1\n",
     "t:1:13: // not display: 3 -> # not display: 3\n"},
    {SOLVER, "max_iter: 5 // more than max_iter: 3\n", "max_iter: 5 # more than max_iter: 3\n",
     "t:1:13: // more than max_iter: 3 -> # more than max_iter: 3\n"},
    {SOLVER, "max_iter: 5 // the display: is 3\n", "max_iter: 5 # the display: is 3\n",
     "t:1:13: // the display: is 3 -> # the display: is 3\n"},
    {SOLVER, "max_iter: 5 // display: 3 at first\n", "max_iter: 5 # display: 3 at first\n",
     "t:1:13: // display: 3 at first -> # display: 3 at first\n"},
    /* without a mark, and in blocks */
    {SOLVER, "max_iter: 5 次数display: 1", "max_iter: 5 # 次数\ndisplay: 1",
     "t:1:13: 次数display -> # 次数\\ndisplay\n"},
    {SOLVER, "/* one\ntwo */ max_iter: 5", "# one\n#two \n max_iter: 5",
     "t:1:1: /* one\\ntwo */ -> # one\\n#two\n"},
    /* a comment that swallowed a brace; one that did not */
    {NET, "layer { name: \"a\" # 层}\nlayer { # {}\n }",
     "layer { name: \"a\" # 层\n}\nlayer { # {}\n }", "t:1:19: # 层} -> # 层\\n}\n"},
    {NET, "layer { param { lr_mult: 1 # 率}\n}\nlayer { }\n",
     "layer { param { lr_mult: 1 # 率\n  }\n}\nlayer { }\n", "t:1:28: # 率} -> # 率\\n}\n"},

    /* characters */
    {NET, "\xef\xbb\xbfname: 'a'", "name: 'a'", "t:1:1: <U+FEFF> -> nothing\n"},
    {SOLVER, "max_iter：５０", "max_iter:50", "t:1:9: ：５０ -> :50\n"},
    {SOLVER, "max_iter:\xe3\x80\x80""5;", "max_iter: 5;", "t:1:10: <U+3000> -> a space\n"},
    {NET, "layer ｛ name: 'a' ｝", "layer { name: 'a' }", "t:1:7: ｛ -> {\nt:1:21: ｝ -> }\n"},
    {SOLVER, "max_iter: 5\n~\n~", "max_iter: 5\n\n", "t:2:1: ~ -> nothing\nt:3:1: ~ -> nothing\n"},
    {SOLVER, "max_iter: 5;;", "max_iter: 5;", "t:1:13: ; -> nothing\n"},
    {SOLVER, "max_iter:: 5。", "max_iter: 5", "t:1:10: : -> nothing\nt:1:13: 。 -> nothing\n"},

    /* quotes */
    {NET, "name: “a”", "name: \"a\"", "t:1:7: “a” -> \"a\"\n"},
    {NET, "name: ‘a’", "name: 'a'", "t:1:7: ‘a’ -> 'a'\n"},
    {NET, "name: “a\" layer { }", "name: \"a\" layer { }", "t:1:7: “a\" -> \"a\"\n"},
    {NET, "layer { name: \"a” type: \"Data\" }", "layer { name: \"a\" type: \"Data\" }",
     "t:1:17: ” -> \"\n"},
    {NET, "layer { name: \"a' type: \"Data\" }", "layer { name: \"a\" type: \"Data\" }",
     "t:1:17: ' -> \"\n"},
    {NET, "name: “['a', 'b']” // a", "name: \"['a', 'b']\" # a",
     "t:1:7: “['a', 'b']” -> \"['a', 'b']\"\nt:1:24: // a -> # a\n"},
    {NET, "name: \"['a', 'b']\" // a", "name: \"['a', 'b']\" # a", "t:1:20: // a -> # a\n"},
    {NET, "name: \"a”\n", "name: \"a\"\n", "t:1:9: ” -> \"\n"},
    {NET, "name: \"a\nlayer { }", "name: \"a\"\nlayer { }", "t:1:7: \"a -> \"a\"\n"},
    {NET, "layer { name: 'a }", "layer { name: 'a' }", "t:1:15: 'a -> 'a'\n"},
    {NET, "layer { name: fc-1 type: Data }", "layer { name: \"fc-1\" type: \"Data\" }",
     "t:1:15: fc-1 -> \"fc-1\"\nt:1:26: Data -> \"Data\"\n"},
    {SOLVER, "net: ../a/b.prototxt\n", "net: \"../a/b.prototxt\"\n",
     "t:1:6: ../a/b.prototxt -> \"../a/b.prototxt\"\n"},
    {NET, "name: 3a", "name: \"3a\"", "t:1:7: 3a -> \"3a\"\n"},
    {NET, "name: a\"", "name: \"a\"", "t:1:7: a\" -> \"a\"\n"},
    {NET, "layer { type: Poolingtop: 'a' }", "layer { type: \"Pooling\"top: 'a' }",
     "t:1:15: Pooling -> \"Pooling\"\n"},
    {NET, "layer { type: POOLING }", "layer { type: \"Pooling\" }", "t:1:15: POOLING -> \"Pooling\"\n"},
    {NET, "layer { include { phase: 'TEST' } loss_weight: \"-1.5\" }",
     "layer { include { phase: TEST } loss_weight: -1.5 }",
     "t:1:26: 'TEST' -> TEST\nt:1:48: \"-1.5\" -> -1.5\n"},
    {SOLVER, "debug_info: “yes” solver_mode: “gpu”", "debug_info: true solver_mode: GPU",
     "t:1:13: “yes” -> true\nt:1:36: “gpu” -> GPU\n"},

    /* words grown together */
    {SOLVER, "max_iter: 50display: 1", "max_iter: 50 display: 1", "t:1:11: 50display -> 50 display\n"},
    {SOLVER, "base_lr: 0.5force_x: 1", NULL, "t:1:14"},
    {NET, "layer { transform_param { scale: 0.5force_color: true } }",
     "layer { transform_param { scale: 0.5 force_color: true } }",
     "t:1:34: 0.5force_color -> 0.5 force_color\n"},
    {NET, "layer { batch_norm_param { moving_average_fraction: 1eps: 1e-5 } }",
     "layer { batch_norm_param { moving_average_fraction: 1 eps: 1e-5 } }",
     "t:1:53: 1eps -> 1 eps\n"},
    {SOLVER, "max_iter: 50dispaly: 1", "max_iter: 50 display: 1", "t:1:11: 50dispaly -> 50 display\n"},
    {NET, "layer { pooling_param { pool: MAXkernel_size: 2stride: 2 } }",
     "layer { pooling_param { pool: MAX kernel_size: 2 stride: 2 } }",
     "t:1:31: MAXkernel_size -> MAX kernel_size\nt:1:47: 2stride -> 2 stride\n"},
    {NET, "layer { pooling_param { pool: MAxkernel_size: 2 } }",
     "layer { pooling_param { pool: MAX kernel_size: 2 } }",
     "t:1:31: MAxkernel_size -> MAX kernel_size\n"},
    {NET, "layer { pooling_param { pool: MAXkernal_size: 2 } }",
     "layer { pooling_param { pool: MAX kernel_size: 2 } }",
     "t:1:31: MAXkernal_size -> MAX kernel_size\n"},
    {NET, "layer { include {phase: TESTstage: 'a'} }", "layer { include {phase: TEST stage: 'a'} }",
     "t:1:25: TESTstage -> TEST stage\n"},
    {SOLVER, "debug_info: falsedisplay: 1", "debug_info: false display: 1",
     "t:1:13: falsedisplay -> false display\n"},

    /* misspelt */
    {SOLVER, "lr_polcy: 'inv' Display: 1", "lr_policy: 'inv' display: 1",
     "t:1:1: lr_polcy -> lr_policy\nt:1:17: Display -> display\n"},
    {SOLVER, "max_itre=5", "max_iter:5", "t:1:1: max_itre -> max_iter\nt:1:9: = -> :\n"},
    {NET, "layer { pooling_param { pool: avg } }", "layer { pooling_param { pool: AVE } }",
     "t:1:31: avg -> AVE\n"},
    {SOLVER, "debug_info: TRUE", "debug_info: true", "t:1:13: TRUE -> true\n"},
    {NET, "layer { type: 'Poolnig' inner_product_param { weight_filler { type: 'guassion' } } }",
     "layer { type: 'Pooling' inner_product_param { weight_filler { type: 'gaussian' } } }",
     "t:1:16: Poolnig -> Pooling\nt:1:70: guassion -> gaussian\n"},
    {SOLVER, "lr_policy: \"Step\"", "lr_policy: \"step\"", "t:1:13: Step -> step\n"},

    /* colons, commas, braces */
    {SOLVER, "max_iter 5 display = 1", "max_iter: 5 display : 1",
     "t:1:1: max_iter -> max_iter:\nt:1:20: = -> :\n"},
    {SOLVER, "test_iter: [1 2, 3]", "test_iter: [1, 2, 3]", "t:1:13: 1 -> 1,\n"},
    {NET, "layer { include phase: TEST } }", "layer { include { phase: TEST } }",
     "t:1:17: nothing -> {\n"},
    {NET, "layer {\n  param {\n", "layer {\n  param {\n} }\n", "t:2:10: nothing -> } }\n"},
    {NET, "layer < name: 'a'", "layer < name: 'a' >", "t:1:18: nothing -> >\n"},
    {NET, "layer { param { lr_mult: 1 top: 'a' }\nlayer { }",
     "layer { param { lr_mult: 1 } top: 'a' }\nlayer { }", "t:1:27: nothing -> }\n"},
    {NET, "layer { name: 'a'\nlayer { }", "layer { name: 'a'\n}\nlayer { }", "t:1:18: nothing -> }\n"},
    {NET, "layer { } }\n}\n", "layer { } \n\n", "t:1:11: } -> nothing\nt:2:1: } -> nothing\n"},
    {NET, "layer { param { } } top: 'a' }", "layer { param { }  top: 'a' }", "t:1:19: } -> nothing\n"},
    {NET, "layer { param { > >", "layer { param { } }", "t:1:17: > -> }\nt:1:19: > -> }\n"},

    /* where nothing is sure, nothing is done */
    {NET, "layer { ... }", NULL, "t:1:9"},
    {NET, "layer { roi_pooling_param { } }", NULL, "t:1:27"},
    {NET, "layer { remote_data_param { } }", NULL, "t:1:27"},
    {NET, "layer { pooling_param { kernel_x: 1 } }", NULL, "t:1:33"},
    {NET, "layer { convolution_param { kernel_size: ${k} } }", NULL, "t:1:42"},
    {NET, "layer { pooling_param { pool: MIN } }", NULL, "t:1:35"},
    {NET, "name: 'a' name: 'b'", NULL, "t:1:15"},
    {NET, "base_lr: 1", NULL, "t:1:8"},
    {NET, "net is not a field", NULL, "t:1:5"},
    {SOLVER, "<<<<<<< HEAD\nmax_iter: 1\n", NULL, "t:1:1"},
    {SOLVER, "max_iter: 50k", NULL, "t:1:13"},
    {SOLVER, "max_iter: 5 \x01", NULL, "t:1:13"},
    {NET, "\xff\xfen", NULL, "t:1:1"},
    /* an error tells the place in the text as it was */
    {NET, "layer { name: 'a' // 层top: 'b' }\nlayer { nosuch: 1 }", NULL, "t:2:15"},
    {NET, "layer { name: 'a' // 层top: 'b' }\nlayers { }", NULL, "t:2:1"},
    {NET, "name: “a” layer { clip_param { min: 1 } }", NULL, "t:1:23"},

    /* nothing to repair */
    {NET, "", "", ""},
    {NET, "# a // note 层 top: 'b' }\nname: '“a” ： // ~' # c\n", "# a // note 层 top: 'b' }\nname: '“a” ： // ~' # c\n", ""},
    {NET, "layer { type: 'Python' } layer { type: 'CReLU' } layer { type: 'ReLU6' }",
     "layer { type: 'Python' } layer { type: 'CReLU' } layer { type: 'ReLU6' }", ""},
    {NET, "layers { type: POOLING bottom: 'a' top: 'b' }", "layers { type: POOLING bottom: 'a' top: 'b' }", ""},
};
/* clang-format on */

static void check_case(const fix_case *c)
{
    lcl_text fixed, report;
    lcl_status status = fix(&fixed, &report, c->type, c->text);

    if (c->fixed) {
        ck_assert_msg(status == LCL_OK, "'%s': %s: %s", c->text, err.where, err.message);
        ck_assert_str_eq(fixed.text, c->fixed);
        ck_assert_str_eq(report.text, c->report);
    } else {
        ck_assert_msg(status == LCL_EPROTO, "'%s' became '%s'", c->text, fixed.text);
        ck_assert_str_eq(err.where, c->report);
        ck_assert_ptr_null(fixed.text);
        ck_assert_ptr_null(report.text);
    }
    free(fixed.text);
    free(report.text);
}

START_TEST(repairs)
{
    check_case(&cases[_i]);
}
END_TEST

START_TEST(the_error_shows_the_text_as_it_was)
{
    lcl_text fixed, report;

    ck_assert_int_eq(fix(&fixed, &report, SOLVER, "max_iter: 5display: 1\nnosuch：１\n"),
                     LCL_EPROTO);
    ck_assert_str_eq(err.where, "t:2:7");
    ck_assert_str_eq(err.excerpt, "    2 | nosuch：１\n"
                                  "      | ^~~~~~");
}
END_TEST

START_TEST(long_notes_are_shortened)
{
    lcl_text text = {0}, fixed, report;

    lcl_text_add(&text, "max_iter: 5 // ");
    for (int i = 0; i < 100; i++)
        lcl_text_add(&text, "层");
    ck_assert_int_eq(fix(&fixed, &report, SOLVER, text.text), LCL_OK);
    ck_assert_ptr_nonnull(strstr(report.text, "层 ... 层"));
    ck_assert_uint_lt(strlen(report.text), 280);
    free(text.text);
    free(fixed.text);
    free(report.text);
}
END_TEST

/* ---- A whole listing --------------------------------------------------------------- */

static const char *const pasted =
    "# Zwei Schichten\n"
    "layer {name: “mnist”type: \"Data\"    // 读数据top: \"data\"top: \"label\"include "
    "{phase: "
    "TRAIN}transform_param {scale: 0.00390625  // 1/256}data_param {source: "
    "\"train_lmdb\"batch_size: 64      // 批backend: LMDB  // 也可以是LEVELDB}\n"
    "}\n"
    "layer {name: \"c\"type: \"Convolution\"bottom: \"data\"top: \"c\"param {lr_mult: 1  "
    "// 权值}param "
    "{lr_mult: 2 }convolution_param {num_output: 20kernal_size： 5stride: 1weight_filler "
    "{   // "
    "xavier/guassion都行type: \"guassion\"std: 0.01}bias_filler {type: 'constant'}}\n"
    "}\n"
    "layer {name: \"p\"type: \"Pooling\"bottom: \"c\"top: \"p\"pooling_param {pool: "
    "MAxkernel_size: 2stride: 2}\n"
    "~\n";

static const char *const meant =
    "layer { name: 'mnist' type: 'Data' top: 'data' top: 'label' include { phase: TRAIN "
    "}\n"
    "  transform_param { scale: 0.00390625 }\n"
    "  data_param { source: 'train_lmdb' batch_size: 64 backend: LMDB } }\n"
    "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' param { lr_mult: 1 }\n"
    "  param { lr_mult: 2 } convolution_param { num_output: 20 kernel_size: 5 stride: 1\n"
    "    weight_filler { type: 'gaussian' std: 0.01 } bias_filler { type: 'constant' } } "
    "}\n"
    "layer { name: 'p' type: 'Pooling' bottom: 'c' top: 'p'\n"
    "  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }\n";

static char *print(const char *text)
{
    lcl_proto *p;

    CHECK_OK(lcl_proto_parse_text(&p, NET, "t", text, strlen(text), LCL_UNKNOWN_IS_ERROR,
                                  NULL, &err));
    char *printed = lcl_proto_print(lcl_proto_root(p));
    lcl_proto_destroy(p);
    return printed;
}

START_TEST(a_pasted_listing_is_what_was_meant)
{
    lcl_text fixed, report;

    ck_assert_msg(fix(&fixed, &report, NET, pasted) == LCL_OK, "%s: %s", err.where,
                  err.message);
    char *got = print(fixed.text), *wanted = print(meant);
    ck_assert_str_eq(got, wanted);
    ck_assert_ptr_nonnull(strstr(report.text, "t:2:14: “mnist” -> \"mnist\"\n"));
    ck_assert_ptr_nonnull(strstr(fixed.text, "# Zwei Schichten\nlayer {"));
    ck_assert_ptr_nonnull(strstr(fixed.text, "# xavier/guassion都行\n"));
    free(got);
    free(wanted);
    free(fixed.text);
    free(report.text);
}
END_TEST

/* ---- Faults by chance -------------------------------------------------------------- */

static const char *const pieces[] = {
    "",     "{",     "}",           "\"",   "'",  ":",    "//",      "/*",
    "*/",   "#",     "\n",          " ",    "~",  "“",    "”",       "：",
    "层",   "\xff",  "\xb2\xe3",    "50",   "0x", "1e",   "MAX",     "type: \"",
    "top:", "layer", "kernel_size", "true", "=",  "[",    "]",       ",",
    "<",    ">",     "\\",          "$",    "-",  "\x01", "param {", ".",
};

/* The text with some bytes taken out and some pieces put in. */
static char *mutate(lcl_rng *rng, const char *text)
{
    char *s = lcl_strdup(text);

    for (uint32_t n = 1 + lcl_rng_next(rng) % 4; n > 0; n--) {
        size_t length = strlen(s), at = lcl_rng_next(rng) % (length + 1);
        size_t gone = lcl_rng_next(rng) % 4 == 0 ? lcl_rng_next(rng) % 8 : 0;
        const char *piece = pieces[lcl_rng_next(rng) % LCL_COUNT(pieces)];
        if (gone > length - at)
            gone = length - at;
        char *next = lcl_format("%.*s%s%s", (int)at, s, piece, s + at + gone);
        free(s);
        s = next;
    }
    return s;
}

/* What comes out is read, and has nothing left to repair. */
static void check_mutant(const ProtobufCMessageDescriptor *type, const char *text)
{
    lcl_text fixed, report, again, nothing;
    lcl_proto *p;

    if (fix(&fixed, &report, type, text) != LCL_OK) {
        ck_assert_int_eq(err.status, LCL_EPROTO);
        ck_assert_msg(strncmp(err.where, "t", 1) == 0, "%s", err.where);
        return;
    }
    CHECK_OK(lcl_proto_parse_text(&p, type, "t", fixed.text, fixed.length,
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    lcl_proto_destroy(p);
    ck_assert((strcmp(text, fixed.text) == 0) == (report.length == 0));
    ck_assert_int_eq(fix(&again, &nothing, type, fixed.text), LCL_OK);
    ck_assert_str_eq(again.text, fixed.text);
    ck_assert_str_eq(nothing.text, "");
    free(fixed.text);
    free(report.text);
    free(again.text);
    free(nothing.text);
}

START_TEST(what_comes_out_can_be_read)
{
    const char *const texts[] = {pasted, meant};
    lcl_rng rng;

    lcl_rng_init(&rng, 1701);
    for (int i = 0; i < 3000; i++) {
        char *text = mutate(&rng, texts[i % 2]);
        check_mutant(NET, text);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_fix");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, repairs, 0, LCL_COUNT(cases));
    tcase_add_test(all, the_error_shows_the_text_as_it_was);
    tcase_add_test(all, long_notes_are_shortened);
    tcase_add_test(all, a_pasted_listing_is_what_was_meant);
    tcase_add_test(all, what_comes_out_can_be_read);
    tcase_set_timeout(all, 300);
    suite_add_tcase(suite, all);
    return testing_run(suite);
}
