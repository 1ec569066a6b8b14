/* lenet-cl draw: the graph, nets that cannot be built, Graphviz there and not there. */
#include <sys/stat.h>

#include "program.h"

static const char net[] =
    "name: 'a \"net\"'\n"
    "layer { name: 'd' type: 'Data' top: 'x' top: 'y'\n"
    "  data_param { source: 'some/where/gone_lmdb' batch_size: 4 backend: LMDB } }\n"
    "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c'\n"
    "  convolution_param { num_output: 3 kernel_size: 2 weight_filler { type: 'msra' } } "
    "}\n"
    "layer { name: '<r>' type: 'ReLU' bottom: 'c' top: 'c'\n"
    "  relu_param { negative_slope: 0.5 } }\n"
    "layer { name: 's' type: 'Sigmoid' bottom: 'c' top: 's' }\n"
    "layer { name: 't' type: 'TanH' bottom: 'c' top: 't' }\n"
    "layer { name: 'ip' type: 'InnerProduct' bottom: 's' top: 'ip'\n"
    "  inner_product_param { num_output: 2 } }\n"
    "layer { name: 'a' type: 'Accuracy' bottom: 'ip' bottom: 'y' top: 'a'\n"
    "  include { phase: TEST } }\n"
    "layer { name: 'l' type: 'SoftmaxWithLoss' bottom: 'ip' bottom: 'y' top: 'l'\n"
    "  include { phase: TRAIN } }\n";

/* The graph's lines without what is the same in all of them, and without colours. */
static const char *const lines[] = {
    "digraph \"a \\\"net\\\"\" {\n",
    " label=\"a \\\"net\\\" (TRAIN)\"];\n",
    " label=<<B>d</B><BR/>Data<BR/><FONT POINT-SIZE=\"10\">source: gone_lmdb, "
    "batch_size: 4"
    "</FONT>>];\n",
    " label=<<B>c</B><BR/>Convolution<BR/><FONT POINT-SIZE=\"10\">num_output: 3, "
    "kernel_size: "
    "2</FONT><BR/>ReLU <FONT POINT-SIZE=\"10\">&lt;r&gt;</FONT><BR/><FONT "
    "POINT-SIZE=\"10\">negative_slope: 0.5</FONT>>];\n",
    "  layer0 -> layer1 [label=\" x: 4x1x5x5\"];\n",
    /* past the ReLU in its box and the split */
    "  layer1 -> layer4 [label=\" 4x3x4x4\"];\n",
    "  layer1 -> layer5 [label=\" 4x3x4x4\"];\n",
    "  layer0 -> layer7 [label=\" y: 4\"];\n",
    "  layer6 -> layer7 [label=\" 4x2\"];\n",
    " label=\"t\"];\n  layer5 -> output0 [label=\" 4x3x4x4\"];\n}\n",
};

START_TEST(graph)
{
    make_folder();
    put("net", net);
    ck_assert_int_eq(lenet_cl("draw --model net --input-shape 4,1,5,5"), 0);
    check_file("err", "");
    for (size_t i = 0; i < LCL_COUNT(lines); i++)
        check_contains("out", lines[i]);
    check_lacks("out", "Split");
    check_lacks("out", "Accuracy");
    check_lacks("out", "layer2");
    check_lacks("out", "output1");
    ck_assert_int_eq(
        lenet_cl("draw --model net --input-shape 4,1,5,5 --phase TEST -o net.dot"), 0);
    check_file("out", "");
    check_contains("net.dot", "(TEST)");
    check_contains("net.dot", "Accuracy");
    check_lacks("net.dot", "SoftmaxWithLoss");
    remove_folder();
}
END_TEST

/* Shapes, or the layer itself, are not known. */
START_TEST(without_shapes)
{
    make_folder();
    put("net", net);
    ck_assert_int_eq(lenet_cl("draw --model net --rankdir LR"), 0);
    check_contains("err", "Drawn without shapes: net:2:1: layer 'd' (Data): "
                          "'some/where/gone_lmdb' is missing");
    check_contains("out", "rankdir=LR");
    check_contains("out", "  layer0 -> layer1 [label=\" x\"];\n");
    check_contains("out", "  layer1 -> layer4 [label=\" \"];\n");
    put("net", "layer { top: 'x' }\n"
               "layer { name: 'p' type: 'Python' bottom: 'x' top: 'p'\n"
               "  python_param { module: 'm' layer: 'l' } }\n");
    ck_assert_int_eq(lenet_cl("draw --model net"), 0);
    check_contains("err", "Drawn without shapes: net:1:1");
    check_contains("out",
                   "<<B>p</B><BR/>Python<BR/><FONT POINT-SIZE=\"10\">module: m, layer: "
                   "l</FONT>>");
    remove_folder();
}
END_TEST

START_TEST(svg)
{
    make_folder();
    put("net", net);
    if (system("command -v dot >/dev/null") == 0) {
        ck_assert_int_eq(lenet_cl("draw --model net --input-shape 4,1,5,5 --out net.svg"),
                         0);
        check_file("out", "");
        check_file("err", "");
        check_contains("net.svg", "<svg ");
        check_contains("net.svg", ">Convolution</text>");
        check_contains("net.svg", "> 4x3x4x4</text>");
    } else {
        puts("no dot here: SVG is not tested");
    }
    put("none.svg", "old");
    ck_assert_int_eq(lenet_cl_with("PATH=/nonexistent",
                                   "draw --model net --input-shape 4,1,5,5 -o none.svg"),
                     1);
    check_contains("err", "lenet-cl: dot: Graphviz's program cannot be started");
    check_contains("err", "hint: SVG needs Graphviz: apt-get install graphviz");
    check_file("none.svg", "old");
    remove_folder();
}
END_TEST

/* A Graphviz that fails. */
START_TEST(dot_fails)
{
    make_folder();
    put("net", net);
    put("dot", "#!/bin/sh\nexit 3\n");
    char *path = lcl_path_join(program_folder, "dot");
    ck_assert_int_eq(chmod(path, 0700), 0);
    ck_assert_int_eq(lenet_cl_with("PATH=.:$PATH", "draw --model net -o net.svg"), 1);
    check_contains("err", "Graphviz failed to draw the net");
    ck_assert(!exists("net.svg"));
    free(path);
    remove_folder();
}
END_TEST

static const struct {
    const char *arguments;
    int code;
    const char *message;
} mistakes[] = {
    {"", 2, "--model: a net's prototxt is needed"},
    {"--model net -o net.png", 2, "neither a .svg nor a .dot file"},
    {"--model net --rankdir DOWN", 2, "TB, LR, BT or RL"},
    {"--model net --input-shape z=1", 2, "a shape is given for 'z'"},
    {"--model gone", 1, "gone"},
    {"--model net -o nowhere/net.dot --input-shape 4,1,5,5", 1, "nowhere/net.dot"},
    {"--model loose", 3, "Unknown bottom blob 'x'"},
};

START_TEST(mistakes_are_explained)
{
    char *arguments = lcl_format("draw %s", mistakes[_i].arguments);

    make_folder();
    put("net", net);
    put("loose", "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'r' }");
    int code = lenet_cl(arguments);
    check_contains("err", mistakes[_i].message);
    ck_assert_int_eq(code, mistakes[_i].code);
    remove_folder();
    free(arguments);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("draw");
    TCase *all = tcase_create("all");

    tcase_add_test(all, graph);
    tcase_add_test(all, without_shapes);
    tcase_add_test(all, svg);
    tcase_add_test(all, dot_fails);
    tcase_add_loop_test(all, mistakes_are_explained, 0, (int)LCL_COUNT(mistakes));
    suite_add_tcase(suite, all);
    return testing_run(suite);
}
