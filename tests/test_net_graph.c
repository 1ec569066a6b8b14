/* Layers filtered by rules, splits inserted, and what is said of nets that do not fit. */
#include "net_graph.h"
#include "net_text.h"
#include "text.h"

static lcl_status build(const char *text, lcl_net_options options, char **printed,
                        lcl_error *err)
{
    lcl_proto *p = parse_net(text);
    lcl_status status = lcl_net_graph_build(p, &options, err);

    if (status == LCL_OK && printed)
        *printed = lcl_proto_print(lcl_proto_root(p));
    lcl_proto_destroy(p);
    return status;
}

static const char *const stages[] = {"deploy", "small"};

static const struct {
    const char *rules;
    bool in;
    const char *log;
} rules[] = {
    {"", true, NULL},
    {"include { phase: TEST }", true, NULL},
    {"include { phase: TRAIN }", false,
     "The NetState phase (1) differed from the phase (0) specified by a rule in layer x"},
    {"include { phase: TRAIN } include { min_level: 1 }", true,
     "The NetState phase (1) differed from the phase (0) specified by a rule in layer x"},
    {"include { min_level: 2 max_level: 2 }", true, NULL},
    {"include { min_level: 3 }", false,
     "The NetState level (2) is above the min_level (3) specified by a rule in layer x"},
    {"include { max_level: 1 }", false,
     "The NetState level (2) is above the max_level (1) specified by a rule in layer x"},
    {"include { stage: 'deploy' stage: 'small' }", true, NULL},
    {"include { stage: 'deploy' stage: 'large' }", false,
     "The NetState did not contain stage 'large' specified by a rule in layer x"},
    {"include { not_stage: 'large' }", true, NULL},
    {"include { not_stage: 'large' not_stage: 'small' }", false,
     "The NetState contained a not_stage 'small' specified by a rule in layer x"},
    {"include { phase: TEST not_stage: 'deploy' }", false,
     "The NetState contained a not_stage 'deploy' specified by a rule in layer x"},
    {"exclude { phase: TEST }", false, NULL},
    {"exclude { phase: TRAIN }", true,
     "The NetState phase (1) differed from the phase (0) specified by a rule in layer x"},
    {"exclude { phase: TRAIN } exclude { stage: 'small' }", false,
     "The NetState phase (1) differed from the phase (0) specified by a rule in layer x"},
    {"include { }", true, NULL},
};

START_TEST(rules_decide)
{
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST,
                               .has_level = true,
                               .level = 2,
                               .stages = stages,
                               .n_stages = 2};
    char *text = lcl_format("layer { name: 'x' type: 'X' %s }", rules[_i].rules);
    char *printed = NULL, *log;
    memory_log m;
    lcl_error err;

    open_log(&m);
    options.log = m.log;
    CHECK_OK(build(text, options, &printed, &err));
    log = close_log(&m);
    ck_assert_msg((strstr(printed, "name: \"x\"") != NULL) == rules[_i].in, "%s",
                  printed);
    if (rules[_i].log)
        ck_assert_msg(strncmp(log, rules[_i].log, strlen(rules[_i].log)) == 0, "%s", log);
    else
        ck_assert_msg(strncmp(log, "Initializing net", 16) == 0, "%s", log);
    free(text);
    free(printed);
    free(log);
}
END_TEST

START_TEST(include_and_exclude)
{
    lcl_error err;

    CHECK_FAILS(build("layer { name: 'x' type: 'X'\n  include { phase: TEST }\n"
                      "  exclude { phase: TRAIN }\n}",
                      (lcl_net_options){0}, NULL, &err),
                LCL_EPROTO, "include rules or exclude rules; not both");
    ck_assert_str_eq(err.where, "net.prototxt:3:3");
}
END_TEST

START_TEST(state_is_merged)
{
    lcl_net_options options = {.phase = CAFFE__PHASE__TRAIN,
                               .has_level = true,
                               .stages = (const char *const[]){""},
                               .n_stages = 1};
    char *log;
    memory_log m;
    lcl_error err;

    open_log(&m);
    options.log = m.log;
    CHECK_OK(build("name: 'n' state { phase: TEST level: 7 stage: 'a' }", options, NULL,
                   &err));
    log = close_log(&m);
    ck_assert_str_eq(log, "Initializing net from parameters: \n"
                          "name: \"n\"\n"
                          "state {\n"
                          "  phase: TRAIN\n"
                          "  level: 0\n"
                          "  stage: \"a\"\n"
                          "  stage: \"\"\n"
                          "}\n");
    free(log);
}
END_TEST

/* A net in short: "layer: bottoms -> tops, weights;" for each layer. */
static char *in_short(const char *text, Caffe__Phase phase)
{
    lcl_proto *p = parse_net(text);
    const Caffe__NetParameter *net = (Caffe__NetParameter *)lcl_proto_root(p);
    lcl_net_options options = {.phase = phase};
    lcl_text t = {0};
    lcl_error err;

    CHECK_OK(lcl_net_graph_build(p, &options, &err));
    for (size_t i = 0; i < net->n_layer; i++) {
        const Caffe__LayerParameter *l = net->layer[i];
        lcl_text_printf(&t, "%s(%s):", l->name, l->type);
        for (size_t j = 0; j < l->n_bottom; j++)
            lcl_text_printf(&t, " %s", l->bottom[j]);
        lcl_text_add(&t, " ->");
        for (size_t j = 0; j < l->n_top; j++)
            lcl_text_printf(&t, " %s", l->top[j]);
        for (size_t j = 0; j < l->n_loss_weight; j++)
            lcl_text_printf(&t, " %g", (double)l->loss_weight[j]);
        lcl_text_add(&t, "\n");
        ck_assert(l->has_phase && l->phase == phase);
    }
    lcl_proto_destroy(p);
    return t.text;
}

static void check_short(const char *text, const char *wanted)
{
    char *got = in_short(text, CAFFE__PHASE__TEST);

    ck_assert_str_eq(got, wanted);
    free(got);
}

START_TEST(splits_as_caffe)
{
    check_short("layer { name: 'mnist' type: 'Data' top: 'data' top: 'label' }"
                "layer { name: 'ip2' type: 'Ip' bottom: 'data' top: 'ip2' }"
                "layer { name: 'acc' type: 'A' bottom: 'ip2' bottom: 'label' top: 'acc' }"
                "layer { name: 'loss' type: 'L' bottom: 'ip2' bottom: 'label' top: 'l' }",
                "mnist(Data): -> data label\n"
                "label_mnist_1_split(Split): label -> label_mnist_1_split_0 "
                "label_mnist_1_split_1\n"
                "ip2(Ip): data -> ip2\n"
                "ip2_ip2_0_split(Split): ip2 -> ip2_ip2_0_split_0 ip2_ip2_0_split_1\n"
                "acc(A): ip2_ip2_0_split_0 label_mnist_1_split_0 -> acc\n"
                "loss(L): ip2_ip2_0_split_1 label_mnist_1_split_1 -> l\n");
}
END_TEST

START_TEST(no_split_for_one_reader)
{
    check_short("layer { name: 'a' type: 'A' top: 'x' }"
                "layer { name: 'b' type: 'B' bottom: 'x' top: 'x' }"
                "layer { name: 'c' type: 'C' bottom: 'x' top: 'y' }",
                "a(A): -> x\nb(B): x -> x\nc(C): x -> y\n");
}
END_TEST

/* Readers of the blob that the in-place layer made, not of the one it took. */
START_TEST(split_after_in_place)
{
    check_short("layer { name: 'a' type: 'A' top: 'x' }"
                "layer { name: 'r' type: 'R' bottom: 'x' top: 'x' }"
                "layer { name: 'c' type: 'C' bottom: 'x' bottom: 'x' top: 'y' }",
                "a(A): -> x\nr(R): x -> x\n"
                "x_r_0_split(Split): x -> x_r_0_split_0 x_r_0_split_1\n"
                "c(C): x_r_0_split_0 x_r_0_split_1 -> y\n");
}
END_TEST

/* A loss reads its blob too, before the layers do. */
START_TEST(split_of_a_loss)
{
    check_short("layer { name: 'a' type: 'A' top: 'x' loss_weight: 0.5 }"
                "layer { name: 'b' type: 'B' bottom: 'x' top: 'y' loss_weight: 2 }",
                "a(A): -> x\n"
                "x_a_0_split(Split): x -> x_a_0_split_0 x_a_0_split_1 0.5 0\n"
                "b(B): x_a_0_split_1 -> y 2\n");
}
END_TEST

static const struct {
    const char *text, *where, *message, *hint;
} bad[] = {
    {"layer { name: 'a' type: 'A' top: 'data' }\n"
     "layer { name: 'b' type: 'B' bottom: 'dta' top: 'y' }",
     "net.prototxt:2:29", "Unknown bottom blob 'dta' (layer 'b', bottom index 0)",
     "did you mean 'data'?"},
    {"layer { name: 'b' type: 'B' bottom: 'data' top: 'y' }\n"
     "layer { name: 'a' type: 'A' top: 'data' }",
     "net.prototxt:1:29", "Unknown bottom blob 'data'", "layer 'a' makes it, but stands"},
    {"layer { name: 'a' type: 'A' top: 'data' include { phase: TEST } }\n"
     "layer { name: 'b' type: 'B' bottom: 'data' top: 'y' }",
     "net.prototxt:2:29", "Unknown bottom blob 'data'", "keep it out of phase TRAIN"},
    {"layer { name: 'b' type: 'B' bottom: 'qqqqq' top: 'y' }", "net.prototxt:1:29",
     "Unknown bottom blob 'qqqqq'", "no layer above has a top of that name"},
    {"layer { name: 'a' type: 'A' top: 'x' }\n"
     "layer { name: 'b' type: 'B' top: 'x' }",
     "net.prototxt:2:29",
     "Top blob 'x' produced by multiple sources (layers 'a' and 'b')",
     "a name of its own"},
    {"layer { name: 'a' type: 'A' top: 'x' top: 'x' }", "net.prototxt:1:29",
     "Top blob 'x' produced by multiple sources (layers 'a' and 'a')", "its own"},
    {"layer { name: 'a' type: 'A' top: 'x' }\n"
     "layer { name: 'r' type: 'R' bottom: 'x' top: 'x' }\n"
     "layer { name: 's' type: 'R' bottom: 'x' top: 'z' }\n",
     NULL, NULL, NULL},
    {"layer { name: 'a' type: 'A' top: 'x' }\n"
     "layer { name: 's' type: 'R' bottom: 'x' top: 'z' }\n"
     "layer { name: 'r' type: 'R' bottom: 'x' top: 'x' }\n",
     "net.prototxt:3:41", "Top blob 'x' produced by multiple sources",
     "'r' cannot work in place, as another layer reads 'x' too"},
    {"layer { name: 'a' type: 'A' top: 'x' }\n"
     "layer { name: 'b' type: 'B' bottom: 'x' propagate_down: true\n"
     "        propagate_down: false }",
     "net.prototxt:2:41", "propagate_down must be given once per bottom (1)", ""},
};

START_TEST(bad_nets)
{
    lcl_error err = {0};
    lcl_status status = build(bad[_i].text, (lcl_net_options){0}, NULL, &err);

    if (!bad[_i].message) {
        ck_assert_msg(status == LCL_OK, "%s", err.message);
        return;
    }
    ck_assert_int_eq(status, LCL_EPROTO);
    ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.hint, bad[_i].hint) != NULL, "%s", err.hint);
    ck_assert_str_eq(err.where, bad[_i].where);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_graph");
    TCase *tcase = tcase_create("net_graph");

    tcase_add_loop_test(tcase, rules_decide, 0, (int)LCL_COUNT(rules));
    tcase_add_test(tcase, include_and_exclude);
    tcase_add_test(tcase, state_is_merged);
    tcase_add_test(tcase, splits_as_caffe);
    tcase_add_test(tcase, no_split_for_one_reader);
    tcase_add_test(tcase, split_after_in_place);
    tcase_add_test(tcase, split_of_a_loss);
    tcase_add_loop_test(tcase, bad_nets, 0, (int)LCL_COUNT(bad));
    suite_add_tcase(suite, tcase);
    return testing_run(suite);
}
