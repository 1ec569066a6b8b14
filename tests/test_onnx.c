/* ONNX models: their nodes, tensors, inputs and outputs; what is left out and what is refused.
 * What they compute is onnx_models.py's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lcl/onnx.h"
#include "net_text.h"
#include "onnx/onnx.h"
#include "text.h"

static lcl_error err;
static char path[64];
static lcl_device *blank;

static void setup(void)
{
    snprintf(path, sizeof path, "/tmp/lcl_onnx_%ld.onnx", (long)getpid());
    blank = lcl_device_create_blank();
}

static void teardown(void)
{
    unlink(path);
    lcl_device_close(blank);
}

/* ---- Models ------------------------------------------------------------------------ */

static lcl_status write_net(const lcl_proto *p, Caffe__Phase phase, bool fixed_batch)
{
    const lcl_net_options options = {.phase = phase};
    const lcl_onnx_options onnx_options = {.fixed_batch = fixed_batch};
    lcl_net *net;

    CHECK_OK(lcl_net_create(&net, blank, p, &options, &err));
    err = (lcl_error){0};
    lcl_status status = lcl_onnx_write(net, path, &onnx_options, NULL, &err);
    lcl_net_destroy(net);
    return status;
}

static lcl_status write_text(const char *text)
{
    lcl_proto *p = parse_net(text);
    lcl_status status = write_net(p, CAFFE__PHASE__TEST, false);

    lcl_proto_destroy(p);
    return status;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Nodes take only what is there before them, no tensor is made twice and no constant useless. */
static void check_order(const Onnx__GraphProto *g)
{
    const char *there[1024];
    size_t n = 0;

    for (size_t i = 0; i < g->n_input; i++)
        there[n++] = g->input[i]->name;
    for (size_t i = 0; i < g->n_initializer; i++) {
        const char *name = g->initializer[i]->name;
        bool used = false;
        for (size_t k = 0; k < g->n_node; k++)
            used |= is_among(name, (const char *const *)g->node[k]->input,
                             g->node[k]->n_input);
        ck_assert_msg(used, "'%s' is not used", name);
        there[n++] = name;
    }
    for (size_t i = 0; i < g->n_node; i++) {
        for (size_t k = 0; k < g->node[i]->n_input; k++)
            ck_assert_msg(is_among(g->node[i]->input[k], there, n), "no '%s' before '%s'",
                          g->node[i]->input[k], g->node[i]->name);
        for (size_t k = 0; k < g->node[i]->n_output; k++) {
            ck_assert(!is_among(g->node[i]->output[k], there, n));
            ck_assert_uint_lt(n, LCL_COUNT(there));
            there[n++] = g->node[i]->output[k];
        }
    }
    for (size_t i = 0; i < g->n_output; i++)
        ck_assert(is_among(g->output[i]->name, there, n));
}

/* The model that was written. */
static Onnx__ModelProto *read_model(void)
{
    char *bytes;
    size_t size;

    CHECK_OK(lcl_file_read(&bytes, &size, path, 0, &err));
    Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, size, (const uint8_t *)bytes);
    free(bytes);
    ck_assert_ptr_nonnull(m);
    check_order(m->graph);
    return m;
}

/* "Conv Relu ..." */
static char *operators(const Onnx__GraphProto *g)
{
    lcl_text t = {0};

    for (size_t i = 0; i < g->n_node; i++)
        lcl_text_printf(&t, "%s%s", i ? " " : "", g->node[i]->op_type);
    return t.text;
}

/* "data(N,3,4) label(N)" */
static char *ends(Onnx__ValueInfoProto *const *list, size_t n)
{
    lcl_text t = {0};

    for (size_t i = 0; i < n; i++) {
        const Onnx__TensorShapeProto *shape = list[i]->type->tensor_type->shape;
        lcl_text_printf(&t, "%s%s(", i ? " " : "", list[i]->name);
        for (size_t k = 0; k < shape->n_dim; k++) {
            const Onnx__TensorShapeProto__Dimension *d = shape->dim[k];
            lcl_text_add(&t, k ? "," : "");
            if (d->dim_param)
                lcl_text_add(&t, d->dim_param);
            else
                lcl_text_printf(&t, "%lld", (long long)d->dim_value);
        }
        lcl_text_add(&t, ")");
    }
    lcl_text_add(&t, "");
    return t.text;
}

static void check_model(const Onnx__ModelProto *m, const char *nodes, const char *inputs,
                        const char *outputs)
{
    const Onnx__GraphProto *g = m->graph;
    char *got_nodes = operators(g), *got_inputs = ends(g->input, g->n_input);
    char *got_outputs = ends(g->output, g->n_output);

    ck_assert_str_eq(got_nodes, nodes);
    ck_assert_str_eq(got_inputs, inputs);
    ck_assert_str_eq(got_outputs, outputs);
    free(got_nodes);
    free(got_inputs);
    free(got_outputs);
}

/* Writes the net of that text and compares. */
static void check_net(const char *text, const char *nodes, const char *inputs,
                      const char *outputs)
{
    ck_assert_msg(write_text(text) == LCL_OK, "%s: %s", err.where, err.message);
    Onnx__ModelProto *m = read_model();
    check_model(m, nodes, inputs, outputs);
    onnx__model_proto__free_unpacked(m, NULL);
}

static const Onnx__NodeProto *node_of(const Onnx__ModelProto *m, const char *name)
{
    for (size_t i = 0; i < m->graph->n_node; i++)
        if (strcmp(m->graph->node[i]->name, name) == 0)
            return m->graph->node[i];
    ck_abort_msg("no node '%s'", name);
}

/* ---- LeNet ------------------------------------------------------------------------- */

START_TEST(lenet)
{
    static const char *const tensors[][2] = {{"conv1", "conv1"},       {"pool1", "pool1"},
                                             {"ip1/Gemm", "ip1/Gemm"}, {"relu1", "ip1"},
                                             {"ip2", "ip2"},           {"prob", "prob"}};
    lcl_proto *p;

    CHECK_OK(lcl_proto_read_text(&p, &caffe__net_parameter__descriptor,
                                 "examples/mnist/lenet.prototxt", LCL_UNKNOWN_IS_ERROR,
                                 NULL, &err));
    for (int fixed = 0; fixed < 2; fixed++) {
        ck_assert_int_eq(write_net(p, CAFFE__PHASE__TEST, fixed), LCL_OK);
        Onnx__ModelProto *m = read_model();
        check_model(m, "Conv MaxPool Conv MaxPool Flatten Gemm Relu Gemm Softmax",
                    fixed ? "data(1,1,28,28)" : "data(N,1,28,28)",
                    fixed ? "prob(1,10)" : "prob(N,10)");
        for (size_t i = 0; i < LCL_COUNT(tensors); i++)
            ck_assert_str_eq(node_of(m, tensors[i][0])->output[0], tensors[i][1]);
        ck_assert_int_eq(m->ir_version, 7);
        ck_assert_int_eq(m->opset_import[0]->version, LCL_ONNX_OPSET);
        ck_assert_str_eq(m->producer_name, "lenet-cl");
        ck_assert_str_eq(m->graph->name, "LeNet");
        ck_assert_uint_eq(m->graph->n_initializer, 8);
        const Onnx__TensorProto *w = m->graph->initializer[0];
        ck_assert_str_eq(w->name, "conv1/0");
        ck_assert_uint_eq(w->n_dims, 4);
        ck_assert_int_eq(w->dims[0], 20);
        ck_assert_uint_eq(w->n_float_data, 500);
        onnx__model_proto__free_unpacked(m, NULL);
    }
    lcl_proto_destroy(p);
}
END_TEST

/* ---- Inputs and outputs ------------------------------------------------------------ */

#define DATA                                                                             \
    "layer { name: 'd' type: 'Input' top: 'data' top: 'label'\n"                         \
    "  input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } } }\n"
#define IP(name, bottom)                                                                 \
    "layer { name: '" name "' type: 'InnerProduct' bottom: '" bottom "' top: '" name     \
    "' inner_product_param { num_output: 2 } }\n"
#define LOSS(type, ends) "layer { name: 'loss' type: '" type "' " ends " }\n"
#define ACCURACY                                                                         \
    "layer { name: 'a' type: 'Accuracy' bottom: 'ip' bottom: 'label' top: 'a' }\n"

START_TEST(losses_are_left_out)
{
    static const struct {
        const char *text, *nodes, *outputs;
    } nets[] = {
        {DATA IP("ip", "data")
             LOSS("SoftmaxWithLoss", "bottom: 'ip' bottom: 'label' top: 'l'") ACCURACY,
         "Gemm Softmax", "prob(N,2)"},
        {DATA IP("ip", "data") LOSS("SoftmaxWithLoss", "bottom: 'ip' bottom: 'label'"),
         "Gemm Softmax", "prob(N,2)"},
        {DATA IP("ip", "data")
             LOSS("SoftmaxWithLoss", "bottom: 'ip' bottom: 'label' top: 'l' top: 'p'"),
         "Gemm Softmax", "p(N,2)"},
        {DATA IP("prob", "data")
             LOSS("SoftmaxWithLoss", "bottom: 'prob' bottom: 'label' top: 'l'"),
         "Gemm Softmax", "loss/prob(N,2)"},
        {DATA IP("ip", "data") ACCURACY, "Gemm", "ip(N,2)"},
        {DATA IP("ip", "data") LOSS("HingeLoss", "bottom: 'ip' bottom: 'label'"), "Gemm",
         "ip(N,2)"},
        {DATA IP("ip", "data") IP("ip2", "data")
             LOSS("EuclideanLoss", "bottom: 'ip' bottom: 'ip2'"),
         "Gemm Gemm", "ip(N,2) ip2(N,2)"},
        {DATA IP("ip", "data") "layer { name: 'l' type: 'Power' bottom: 'label' top: 'l' "
                               "}\n" LOSS("HingeLoss", "bottom: 'ip' bottom: 'l'"),
         "Gemm", "ip(N,2)"},
        {DATA IP("ip", "data")
             IP("ip2", "data") "layer { name: 's' type: 'Silence' bottom: 'ip2' }\n",
         "Gemm", "ip(N,2)"},
    };

    for (size_t i = 0; i < LCL_COUNT(nets); i++)
        check_net(nets[i].text, nets[i].nodes, "data(N,3)", nets[i].outputs);
}
END_TEST

START_TEST(several_losses)
{
    check_net(DATA IP("a", "data") IP("b", "data")
                  IP("c", "data") "layer { name: 'x' type: 'SoftmaxWithLoss' bottom: 'a' "
                                  "bottom: 'label' }\n"
                                  "layer { name: 'y' type: 'SigmoidCrossEntropyLoss' "
                                  "bottom: 'b' bottom: 'c' }\n",
              "Gemm Gemm Softmax Sigmoid", "data(N,3)", "x/prob(N,2) y/prob(N,2)");
}
END_TEST

/* A net of text `first` whose blob data is the top of a data layer without its files. */
START_TEST(data_layers_are_inputs)
{
    static const char *const layers[] = {
        "type: 'Data' top: 'label' data_param { source: 'gone' batch_size: 4 }\n"
        "transform_param { crop_size: 5 scale: 0.5 mean_file: 'gone' }",
        "type: 'ImageData' top: 'label' image_data_param { source: 'gone' batch_size: 4\n"
        "new_height: 5 new_width: 5 }",
        "type: 'WindowData' top: 'label' window_data_param { source: 'gone' batch_size: "
        "4\n"
        "} transform_param { crop_size: 5 }",
        "type: 'MemoryData' top: 'label' memory_data_param { batch_size: 4 channels: 3\n"
        "height: 5 width: 5 }",
        "type: 'DummyData' dummy_data_param { shape { dim: 4 dim: 3 dim: 5 dim: 5 } }",
        "type: 'Input' input_param { shape { dim: 4 dim: 3 dim: 5 dim: 5 } }"};

    for (size_t i = 0; i < LCL_COUNT(layers); i++) {
        char *text = lcl_format("layer { name: 'd' top: 'data' %s }\n%s", layers[i],
                                IP("ip", "data"));
        check_net(text, "Flatten Gemm", "data(N,3,5,5)", "ip(N,2)");
        Onnx__ModelProto *m = read_model();
        const char *doc = m->graph->input[0]->doc_string;
        if (i == 0)
            ck_assert_str_eq(doc, "As transform_param of layer 'd' makes it: scale: 0.5\n"
                                  "crop_size: 5\nmean_file: \"gone\"\n");
        else if (i != 2)
            ck_assert_ptr_null(doc);
        onnx__model_proto__free_unpacked(m, NULL);
        free(text);
    }
}
END_TEST

START_TEST(in_place)
{
    check_net(DATA "layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'data' }\n",
              "Relu", "data(N,3)", "data_1(N,3)");
    check_net(
        DATA IP("ip",
                "data") "layer { name: 'r' type: 'ReLU' bottom: 'ip' top: 'ip' }\n"
                        "layer { name: 'd' type: 'Dropout' bottom: 'ip' top: 'ip' }\n",
        "Gemm Relu Identity", "data(N,3)", "ip(N,2)");
}
END_TEST

/* ---- Layers in one ----------------------------------------------------------------- */

#define IMAGES                                                                           \
    "layer { name: 'd' type: 'Input' top: 'x'\n"                                         \
    "  input_param { shape { dim: 2 dim: 3 dim: 4 dim: 5 } } }\n"
#define NORM "layer { name: 'bn' type: 'BatchNorm' bottom: 'x' top: 'bn' }\n"
#define SCALE(options)                                                                   \
    "layer { name: 's' type: 'Scale' bottom: 'bn' top: 's' scale_param { " options       \
    " } }\n"

START_TEST(batch_norm_takes_its_scale)
{
    static const char shapes[] = "x(N,3,4,5)", output[] = "s(N,3,4,5)";

    check_net(IMAGES NORM SCALE("bias_term: true"), "BatchNormalization", shapes, output);
    Onnx__ModelProto *m = read_model();
    ck_assert_str_eq(m->graph->node[0]->input[1], "s/0");
    ck_assert_str_eq(m->graph->node[0]->input[2], "s/1");
    onnx__model_proto__free_unpacked(m, NULL);
    check_net(IMAGES NORM SCALE(""), "BatchNormalization", shapes, output);
    check_net(IMAGES NORM SCALE("axis: -3"), "BatchNormalization", shapes, output);
    check_net(IMAGES NORM SCALE("axis: 2"), "BatchNormalization Mul", shapes, output);
    check_net(IMAGES NORM SCALE("num_axes: 0"), "BatchNormalization Mul", shapes, output);
    check_net(IMAGES NORM SCALE("num_axes: 2"), "BatchNormalization Mul", shapes, output);
    check_net(
        IMAGES NORM SCALE("") "layer { name: 'r' type: 'ReLU' bottom: 'bn' top: 'r' }\n",
        "BatchNormalization Mul Relu", shapes, "s(N,3,4,5) r(N,3,4,5)");
}
END_TEST

START_TEST(shared_parameters_are_there_once)
{
    check_net(DATA "layer { name: 'a' type: 'InnerProduct' bottom: 'data' top: 'a'\n"
                   "  param { name: 'w' } inner_product_param { num_output: 3 } }\n"
                   "layer { name: 'b' type: 'InnerProduct' bottom: 'a' top: 'b'\n"
                   "  param { name: 'w' } inner_product_param { num_output: 3 } }\n",
              "Gemm Gemm", "data(N,3)", "b(N,3)");
    Onnx__ModelProto *m = read_model();
    ck_assert_uint_eq(m->graph->n_initializer, 3);
    ck_assert_str_eq(node_of(m, "b")->input[1], "a/0");
    ck_assert_str_eq(node_of(m, "b")->input[2], "b/1");
    onnx__model_proto__free_unpacked(m, NULL);
}
END_TEST

/* ---- How many images --------------------------------------------------------------- */

#define FILTER                                                                           \
    "layer { name: 'f' type: 'Filter' bottom: 'data' bottom: 'label' top: 'some' }\n"

START_TEST(images_are_counted_by_layers)
{
    check_net(DATA "layer { name: 'r' type: 'Reshape' bottom: 'data' top: 'r'\n"
                   "  reshape_param { shape { dim: 2 dim: -1 } } }\n",
              "Reshape", "data(4,3)", "r(2,6)");
    check_net(DATA FILTER IP("ip", "some"), "Cast Compress Gemm", "data(N,3) label(N)",
              "ip(f,2)");
    ck_assert_int_eq(
        write_text(DATA FILTER
                   "layer { name: 'r' type: 'Reshape' bottom: 'some' top: 'r'\n"
                   "  reshape_param { shape { dim: 2 dim: -1 } } }\n"),
        LCL_EPROTO);
    ck_assert_str_eq(err.where, "net.prototxt:4:35");
    ck_assert_ptr_nonnull(strstr(err.message, "must know how many images"));
}
END_TEST

/* ---- What is refused --------------------------------------------------------------- */

static void check_refused(const char *text, lcl_status status, const char *where,
                          const char *message)
{
    unlink(path);
    ck_assert_int_eq(write_text(text), status);
    ck_assert_str_eq(err.where, where);
    ck_assert_str_eq(err.message, message);
    ck_assert(!lcl_file_exists(path));
}

#define WIDE                                                                             \
    "layer { name: 'p' type: 'Pooling' bottom: 'x' top: 'p'\n"                           \
    "  pooling_param { kernel_size: 1 stride: 3 } }\n"

START_TEST(what_cannot_be_written)
{
    check_refused(
        IMAGES WIDE, LCL_EPROTO, "net.prototxt:4:3",
        "layer 'p' (Pooling): cannot be written as ONNX: the last window has no "
        "pixel (the stride is larger than the kernel); ONNX has no value for it");
    check_refused(
        DATA IP("ip", "data") LOSS(
            "SoftmaxWithLoss",
            "bottom: 'ip' bottom: 'label' top: 'l'") "layer { name: 'p' type: 'Power' "
                                                     "bottom: 'l' top: 'p' }\n",
        LCL_EPROTO, "net.prototxt:5:33",
        "layer 'p' (Power): cannot be written as ONNX: a bottom is a loss, and "
        "losses are left out");
    check_refused(DATA LOSS("EuclideanLoss", "bottom: 'label' bottom: 'label'"),
                  LCL_EPROTO, "",
                  "net '' has no outputs but data, losses and accuracies, which are left "
                  "out");
    /* But not where no output needs it. */
    check_net(IMAGES WIDE "layer { name: 'q' type: 'Silence' bottom: 'p' }\n"
                          "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'r' }\n",
              "Relu", "x(N,3,4,5)", "r(N,3,4,5)");
}
END_TEST

START_TEST(only_the_test_phase)
{
    lcl_proto *p = parse_net(DATA IP("ip", "data"));

    ck_assert_int_eq(write_net(p, CAFFE__PHASE__TRAIN, false), LCL_EUSAGE);
    ck_assert(!lcl_file_exists(path));
    lcl_proto_destroy(p);
}
END_TEST

START_TEST(a_folder_that_is_not_there)
{
    strcpy(path, "/no/such/folder/net.onnx");
    ck_assert_int_eq(write_text(DATA IP("ip", "data")), LCL_EIO);
}
END_TEST

/* ---- The table --------------------------------------------------------------------- */

START_TEST(every_layer_has_its_entry)
{
    size_t n = 0;

    for (; lcl_layer_types[n]; n++)
        ck_assert_msg(lcl_onnx_find(lcl_layer_types[n]->name) != NULL,
                      "src/onnx/layers.c does not know %s", lcl_layer_types[n]->name);
    ck_assert_uint_eq(lcl_onnx_n_layers(), n);
    for (size_t i = 1; i < n; i++)
        ck_assert_str_lt(lcl_onnx_layer(i - 1).type, lcl_onnx_layer(i).type);
}
END_TEST

START_TEST(the_document_has_the_table)
{
    char *document;
    size_t size;

    CHECK_OK(lcl_file_read(&document, &size, "src/onnx/README.md", 0, &err));
    for (size_t i = 0; i < lcl_onnx_n_layers(); i++) {
        const lcl_onnx_layer_info info = lcl_onnx_layer(i);
        char *row =
            lcl_format("| %s | %s | %s |\n", info.type, info.operators, info.note);
        ck_assert_msg(strstr(document, row) != NULL, "src/onnx/README.md has no row %s",
                      row);
        free(row);
    }
    free(document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("onnx");
    TCase *cases = tcase_create("onnx");

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, lenet);
    tcase_add_test(cases, losses_are_left_out);
    tcase_add_test(cases, several_losses);
    tcase_add_test(cases, data_layers_are_inputs);
    tcase_add_test(cases, in_place);
    tcase_add_test(cases, batch_norm_takes_its_scale);
    tcase_add_test(cases, shared_parameters_are_there_once);
    tcase_add_test(cases, images_are_counted_by_layers);
    tcase_add_test(cases, what_cannot_be_written);
    tcase_add_test(cases, only_the_test_phase);
    tcase_add_test(cases, a_folder_that_is_not_there);
    tcase_add_test(cases, every_layer_has_its_entry);
    tcase_add_test(cases, the_document_has_the_table);
    suite_add_tcase(suite, cases);
    return testing_run(suite);
}
