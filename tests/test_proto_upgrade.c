/* Old nets and solvers become new ones, and keep their places. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lcl/proto.h"
#include "testing.h"
#include "text.h"

#define NET &caffe__net_parameter__descriptor
#define SOLVER &caffe__solver_parameter__descriptor

static lcl_error err;

static lcl_proto *parse(const ProtobufCMessageDescriptor *type, const char *text)
{
    lcl_proto *p;

    CHECK_OK(lcl_proto_parse_text(&p, type, "t", text, strlen(text), LCL_UNKNOWN_IS_ERROR,
                                  NULL, &err));
    return p;
}

/* What Caffe's text dump of `text` would be. */
static char *canonical(const ProtobufCMessageDescriptor *type, const char *text)
{
    lcl_proto *p = parse(type, text);
    char *out = lcl_proto_print(lcl_proto_root(p));

    lcl_proto_destroy(p);
    return out;
}

static void check_same(const lcl_proto *p, const ProtobufCMessageDescriptor *type,
                       const char *expected)
{
    char *got = lcl_proto_print(lcl_proto_root(p)), *want = canonical(type, expected);

    ck_assert_str_eq(got, want);
    free(got);
    free(want);
}

static void check_upgrade(const char *old, const char *expected)
{
    lcl_proto *p = parse(NET, old);

    ck_assert(lcl_proto_net_needs_upgrade(p));
    CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
    ck_assert(!lcl_proto_net_needs_upgrade(p));
    check_same(p, NET, expected);
    CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
    check_same(p, NET, expected);
    lcl_proto_destroy(p);
}

static void check_refused(const char *old, const char *place, const char *message)
{
    lcl_proto *p = parse(NET, old);

    CHECK_FAILS(lcl_proto_upgrade_net(p, NULL, &err), LCL_EPROTO, message);
    ck_assert_str_eq(err.where, place);
    lcl_proto_destroy(p);
}

START_TEST(new_nets_stay_as_they_are)
{
    static const char text[] = "name: 'n' layer { name: 'b' type: 'BatchNorm' param { "
                               "lr_mult: 0 decay_mult: 0 } "
                               "param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 "
                               "decay_mult: 0 } } layer { name: "
                               "'d' type: 'Data' data_param { scale: 2 } }";
    lcl_proto *p = parse(NET, text);

    ck_assert(!lcl_proto_net_needs_upgrade(p));
    CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
    check_same(p, NET, text);
    lcl_proto_destroy(p);
}
END_TEST

/* ---- V0 ---------------------------------------------------------------------------- */

START_TEST(v0_layers)
{
    check_upgrade(
        "name: 'n'"
        "layers { layer { name: 'd' type: 'data' source: 'db' batchsize: 8 scale: 0.5 "
        "  meanfile: 'm' cropsize: 20 mirror: true rand_skip: 3 } top: 'data' top: "
        "'label' }"
        "layers { layer { name: 'c' type: 'conv' num_output: 6 kernelsize: 5 stride: 2 "
        "pad: 1 "
        "  group: 2 biasterm: false weight_filler { type: 'xavier' } bias_filler { "
        "value: 1 } "
        "  blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0 } bottom: 'data' top: "
        "'c' }"
        "layers { layer { name: 'p' type: 'pool' pool: AVE kernelsize: 3 stride: 2 } "
        "  bottom: 'c' top: 'p' }"
        "layers { layer { name: 'l' type: 'lrn' local_size: 3 alpha: 0.1 beta: 0.5 } "
        "  bottom: 'p' top: 'l' }"
        "layers { layer { name: 'i' type: 'innerproduct' num_output: 10 } bottom: 'l' "
        "top: 'i' }"
        "layers { layer { name: 'o' type: 'dropout' dropout_ratio: 0.3 } bottom: 'i' "
        "top: 'i' }"
        "layers { layer { name: 's' type: 'softmax_loss' } bottom: 'i' bottom: 'label' }",
        "name: 'n'"
        "layer { name: 'd' type: 'Data' top: 'data' top: 'label' data_param { source: "
        "'db' "
        "  batch_size: 8 rand_skip: 3 } transform_param { scale: 0.5 mean_file: 'm' "
        "  crop_size: 20 mirror: true } }"
        "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' "
        "  param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 } "
        "  convolution_param { num_output: 6 kernel_size: 5 stride: 2 pad: 1 group: 2 "
        "  bias_term: false weight_filler { type: 'xavier' } bias_filler { value: 1 } } }"
        "layer { name: 'p' type: 'Pooling' bottom: 'c' top: 'p' pooling_param { pool: "
        "AVE "
        "  kernel_size: 3 stride: 2 } }"
        "layer { name: 'l' type: 'LRN' bottom: 'p' top: 'l' lrn_param { local_size: 3 "
        "  alpha: 0.1 beta: 0.5 } }"
        "layer { name: 'i' type: 'InnerProduct' bottom: 'l' top: 'i' inner_product_param "
        "{ "
        "  num_output: 10 } }"
        "layer { name: 'o' type: 'Dropout' bottom: 'i' top: 'i' dropout_param { "
        "  dropout_ratio: 0.3 } }"
        "layer { name: 's' type: 'SoftmaxWithLoss' bottom: 'i' bottom: 'label' }");
}
END_TEST

START_TEST(v0_other_layers)
{
    check_upgrade(
        "layers { layer { name: 'a' type: 'images' source: 's' batchsize: 2 new_height: "
        "3 "
        "  new_width: 4 shuffle_images: true } top: 'x' }"
        "layers { layer { name: 'b' type: 'window_data' det_fg_threshold: 0.1 "
        "  det_bg_threshold: 0.2 det_fg_fraction: 0.3 det_context_pad: 4 det_crop_mode: "
        "'square' "
        "  } top: 'y' }"
        "layers { layer { name: 'c' type: 'concat' concat_dim: 2 } bottom: 'x' bottom: "
        "'y' "
        "  top: 'z' }"
        "layers { layer { name: 'h' type: 'hdf5_output' hdf5_output_param { file_name: "
        "'f' } } "
        "  bottom: 'z' }"
        "layers { layer { name: 'g' type: 'infogain_loss' source: 'm' } bottom: 'z' }",
        "layer { name: 'a' type: 'ImageData' top: 'x' image_data_param { source: 's' "
        "  batch_size: 2 new_height: 3 new_width: 4 shuffle: true } }"
        "layer { name: 'b' type: 'WindowData' top: 'y' window_data_param { fg_threshold: "
        "0.1 "
        "  bg_threshold: 0.2 fg_fraction: 0.3 context_pad: 4 crop_mode: 'square' } }"
        "layer { name: 'c' type: 'Concat' bottom: 'x' bottom: 'y' top: 'z' concat_param "
        "{ "
        "  concat_dim: 2 } }"
        "layer { name: 'h' type: 'HDF5Output' bottom: 'z' hdf5_output_param { file_name: "
        "'f' } }"
        "layer { name: 'g' type: 'InfogainLoss' bottom: 'z' infogain_loss_param { "
        "source: 'm' } "
        "}");
}
END_TEST

START_TEST(v0_padding_layers)
{
    check_upgrade(
        "layers { layer { name: 'p1' type: 'padding' pad: 2 } bottom: 'data' top: "
        "'padded' }"
        "layers { layer { name: 'c' type: 'conv' num_output: 6 kernelsize: 5 } bottom: "
        "'padded' "
        "  top: 'c' }"
        "layers { layer { name: 'p2' type: 'padding' pad: 1 } bottom: 'c' top: "
        "'c_padded' }"
        "layers { layer { name: 'p' type: 'pool' kernelsize: 3 } bottom: 'c_padded' top: "
        "'p' }",
        "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' convolution_param "
        "{ "
        "  num_output: 6 pad: 2 kernel_size: 5 } }"
        "layer { name: 'p' type: 'Pooling' bottom: 'c' top: 'p' pooling_param { pad: 1 "
        "  kernel_size: 3 } }");
    check_refused("layers { layer { type: 'padding' pad: 2 } bottom: 'a' top: 'b' }\n"
                  "layers { layer { type: 'relu' } bottom: 'b' top: 'c' }",
                  "t:2:1", "must lead to a conv or pool layer");
    check_refused(
        "layers { layer { type: 'padding' pad: 2 } bottom: 'a' bottom: 'x' top: 'b' }\n"
        "layers { layer { type: 'conv' } bottom: 'b' top: 'c' }",
        "t:1:1", "one bottom and one top");
}
END_TEST

START_TEST(v0_mistakes)
{
    char *text;
    size_t size;

    check_refused("layers {\n  layer { name: 'a'\n    type: 'convolution' } }", "t:3:5",
                  "Unknown layer type \"convolution\"");
    check_refused("layers { layer { name: 'a' } }", "t:1:10", "Unknown layer type \"\"");

    FILE *stream = open_memstream(&text, &size);
    lcl_log *log = lcl_log_create(stream);
    lcl_proto *p = parse(NET, "layers {\n layer { type: 'relu'\n kernelsize: 3 } }");
    CHECK_OK(lcl_proto_upgrade_net(p, log, &err));
    lcl_log_destroy(log);
    fclose(stream);
    ck_assert_msg(
        strstr(text, "t:3:2: Unknown parameter kernelsize for layer type relu") != NULL,
        "%s", text);
    lcl_proto_destroy(p);
    free(text);
}
END_TEST

/* ---- V1 ---------------------------------------------------------------------------- */

START_TEST(v1_layers)
{
    check_upgrade("name: 'n' force_backward: true state { level: 1 }"
                  "layers { name: 'c' type: CONVOLUTION bottom: 'a' top: 'b' blobs_lr: 1 "
                  "blobs_lr: 2 "
                  "  weight_decay: 1 param: 'w' param: 'v' blob_share_mode: PERMISSIVE "
                  "loss_weight: 0.5 "
                  "  convolution_param { num_output: 6 kernel_size: 5 weight_filler { "
                  "type: 'xavier' } } "
                  "  include { phase: TRAIN } exclude { stage: 'x' } blobs { num: 1 "
                  "channels: 1 height: 1 "
                  "  width: 1 data: 2 } }"
                  "layers { name: 'p' type: POOLING bottom: 'b' top: 'p' pooling_param { "
                  "pool: MAX } "
                  "  transform_param { scale: 2 } loss_param { ignore_label: 3 } }",
                  "name: 'n' force_backward: true state { level: 1 }"
                  "layer { name: 'c' type: 'Convolution' bottom: 'a' top: 'b' "
                  "  param { name: 'w' share_mode: PERMISSIVE lr_mult: 1 decay_mult: 1 } "
                  "  param { name: 'v' lr_mult: 2 } loss_weight: 0.5 "
                  "  convolution_param { num_output: 6 kernel_size: 5 weight_filler { "
                  "type: 'xavier' } } "
                  "  include { phase: TRAIN } exclude { stage: 'x' } blobs { num: 1 "
                  "channels: 1 height: 1 "
                  "  width: 1 data: 2 } }"
                  "layer { name: 'p' type: 'Pooling' bottom: 'b' top: 'p' pooling_param "
                  "{ pool: MAX } "
                  "  transform_param { scale: 2 } loss_param { ignore_label: 3 } }");
}
END_TEST

/* The new names are the old ones without the underscores, but for SoftmaxWithLoss. */
static void check_type_name(const char *old, const char *type)
{
    char plain[64], *out = plain;

    for (; *old; old++)
        if (*old != '_')
            *out++ = *old;
    *out = '\0';
    ck_assert_msg(strcasecmp(plain, type) == 0 || strcmp(type, "SoftmaxWithLoss") == 0,
                  "%s for %s", type, plain);
}

START_TEST(v1_types)
{
    const ProtobufCEnumDescriptor *types =
        &caffe__v1_layer_parameter__layer_type__descriptor;

    for (unsigned i = 0; i < types->n_values; i++) {
        char *text = lcl_format("layers { type: %s }", types->values[i].name);
        lcl_proto *p = parse(NET, text);
        CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
        if (types->values[i].value != 0)
            check_type_name(types->values[i].name,
                            ((Caffe__NetParameter *)lcl_proto_root(p))->layer[0]->type);
        lcl_proto_destroy(p);
        free(text);
    }
    check_upgrade("layers { type: NONE }", "layer { type: '' }");
    check_upgrade("layers { type: SOFTMAX_LOSS }", "layer { type: 'SoftmaxWithLoss' }");
    check_upgrade("layers { name: 'untyped' }", "layer { name: 'untyped' }");
}
END_TEST

START_TEST(v1_transformations)
{
    check_upgrade(
        "layers { type: DATA data_param { source: 's' scale: 0.5 mean_file: 'm' "
        "crop_size: 3 "
        "  mirror: true } }"
        "layers { type: IMAGE_DATA image_data_param { scale: 2 } transform_param { "
        "scale: 9 "
        "  mean_file: 'keep' } }"
        "layers { type: WINDOW_DATA window_data_param { crop_size: 4 mean_file: 'w' } "
        "  transform_param { mean_file: 'gone' } }"
        "layers { type: POOLING data_param { scale: 2 } }",
        "layer { type: 'Data' data_param { source: 's' } transform_param { scale: 0.5 "
        "mean_file: "
        "  'm' crop_size: 3 mirror: true } }"
        "layer { type: 'ImageData' image_data_param { } transform_param { scale: 2 "
        "mean_file: "
        "  'keep' } }"
        "layer { type: 'WindowData' window_data_param { } transform_param { crop_size: 4 "
        "  mean_file: 'w' } }"
        "layer { type: 'Pooling' data_param { scale: 2 } }");
}
END_TEST

START_TEST(both_layer_and_layers)
{
    check_refused("layer { name: 'a' }\nlayers { name: 'b' }", "t:2:1",
                  "both `layer` and");
    check_refused("layers { name: 'a' }\nlayer { name: 'b' }", "t:2:1",
                  "both `layer` and");
}
END_TEST

/* Errors found later still point to the line of the old file. */
START_TEST(upgraded_layers_keep_places)
{
    lcl_proto *p = parse(NET, "layers {\n  name: 'a'\n  type: POOLING\n"
                              "  pooling_param { pad: 1\n kernel_size: 2 } }\n"
                              "input: 'x' input_dim: [1, 2, 3, 4]");
    char where[32];

    CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
    Caffe__NetParameter *net = (Caffe__NetParameter *)lcl_proto_root(p);
    lcl_proto_where(p, net->layer[0], NULL, where, sizeof where);
    ck_assert_str_eq(where, "t:6:1");
    lcl_proto_where(p, net->layer[1], "type", where, sizeof where);
    ck_assert_str_eq(where, "t:3:3");
    lcl_proto_where(p, net->layer[1]->pooling_param, "kernel_size", where, sizeof where);
    ck_assert_str_eq(where, "t:5:2");
    lcl_proto_destroy(p);

    p = parse(NET, "layers {\n layer { type: 'conv'\n kernelsize: 3 } }");
    CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
    net = (Caffe__NetParameter *)lcl_proto_root(p);
    lcl_proto_where(p, net->layer[0]->convolution_param, "kernel_size", where,
                    sizeof where);
    ck_assert_str_eq(where, "t:3:2");
    lcl_proto_destroy(p);
}
END_TEST

START_TEST(binary_models)
{
    lcl_proto *text =
        parse(NET, "name: 'm' layers { name: 'c' type: CONVOLUTION blobs_lr: [1, 2] "
                   "blobs { data: [1, 2] } } input: 'x'");
    lcl_proto *p;
    uint8_t *bytes;
    size_t size;

    CHECK_OK(lcl_proto_encode(&bytes, &size, lcl_proto_root(text), &err));
    CHECK_OK(lcl_proto_parse_binary(&p, NET, "m", bytes, size, &err));
    CHECK_OK(lcl_proto_upgrade_net(p, NULL, &err));
    check_same(p, NET,
               "name: 'm' layer { name: 'c' type: 'Convolution' param { lr_mult: 1 } "
               "param { lr_mult: 2 } blobs { data: [1, 2] } }");
    lcl_proto_destroy(p);
    lcl_proto_destroy(text);
    free(bytes);
}
END_TEST

/* ---- Inputs, batch norm ------------------------------------------------------------ */

START_TEST(input_fields)
{
    check_upgrade(
        "input: 'a' input: 'b' input_dim: [1, 2, 3, 4, 5, 6, 7, 8] layer { name: 'l' } "
        "layer { name: 'm' }",
        "layer { name: 'input' type: 'Input' top: 'a' top: 'b' input_param { shape { "
        "dim: [1, 2, 3, 4] } shape { dim: [5, 6, 7, 8] } } } layer { name: 'l' } layer "
        "{ name: 'm' }");
    check_upgrade(
        "input: 'a' input_shape { dim: [3, 5] } layer { name: 'l' }",
        "layer { name: 'input' type: 'Input' top: 'a' input_param { shape { dim: [3, 5] "
        "} } } layer { name: 'l' }");
    check_upgrade("input: 'a' layer { name: 'l' }", "layer { name: 'l' }");
    check_refused("input: 'a' input: 'b'\ninput_shape { dim: 1 }", "t:2:1",
                  "1 input_shape for 2 input");
    check_refused("input: 'a'\ninput_dim: [1, 2, 3]", "t:2:1", "3 input_dim for 1 input");
}
END_TEST

START_TEST(batch_norm)
{
    check_upgrade(
        "layer { type: 'BatchNorm' param { lr_mult: 1 name: 'a' } param { } param { "
        "decay_mult: 2 } }",
        "layer { type: 'BatchNorm' param { lr_mult: 0 decay_mult: 0 name: 'a' } param { "
        "lr_mult: 0 decay_mult: 0 } param { lr_mult: 0 decay_mult: 0 } }");
}
END_TEST

/* ---- Solvers ----------------------------------------------------------------------- */

static const struct {
    const char *old, *type;
} solver_types[] = {
    {"SGD", "SGD"},         {"NESTEROV", "Nesterov"}, {"ADAGRAD", "AdaGrad"},
    {"RMSPROP", "RMSProp"}, {"ADADELTA", "AdaDelta"}, {"ADAM", "Adam"},
    {"5", "Adam"}};

START_TEST(solver_types_become_words)
{
    char *old = lcl_format("snapshot_prefix: 'p' solver_type: %s", solver_types[_i].old);
    char *new = lcl_format("snapshot_prefix: 'p' type: '%s'", solver_types[_i].type);
    lcl_proto *p = parse(SOLVER, old);

    CHECK_OK(lcl_proto_upgrade_solver(p, NULL, &err));
    check_same(p, SOLVER, new);
    lcl_proto_destroy(p);
    free(old);
    free(new);
}
END_TEST

START_TEST(both_forms_of_the_type)
{
    lcl_proto *p = parse(SOLVER, "type: 'SGD'\nsolver_type: ADAM");

    CHECK_FAILS(lcl_proto_upgrade_solver(p, NULL, &err), LCL_EPROTO,
                "both solver_type and");
    ck_assert_str_eq(err.where, "t:2:1");
    lcl_proto_destroy(p);
}
END_TEST

static void check_prefix(const char *path, const char *text, const char *expected)
{
    lcl_proto *p;

    CHECK_OK(lcl_proto_parse_text(&p, SOLVER, path, text, strlen(text),
                                  LCL_UNKNOWN_IS_ERROR, NULL, &err));
    CHECK_OK(lcl_proto_upgrade_solver(p, NULL, &err));
    ck_assert_str_eq(((Caffe__SolverParameter *)lcl_proto_root(p))->snapshot_prefix,
                     expected);
    lcl_proto_destroy(p);
}

START_TEST(snapshot_prefix)
{
    check_prefix("a/b.c/solver.prototxt", "", "a/b.c/solver");
    check_prefix("a/b.c/solver", "", "a/b.c/solver");
    check_prefix("solver.x.prototxt", "", "solver.x");
    check_prefix("s.prototxt", "snapshot_prefix: 'x/y'", "x/y");
    check_prefix("q/s.prototxt", "snapshot_prefix: '/tmp'", "/tmp/s");
    check_prefix("s.prototxt", "snapshot_prefix: '/tmp/'", "/tmp/s");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto_upgrade");
    TCase *nets = tcase_create("nets"), *solvers = tcase_create("solvers");

    tcase_add_test(nets, new_nets_stay_as_they_are);
    tcase_add_test(nets, v0_layers);
    tcase_add_test(nets, v0_other_layers);
    tcase_add_test(nets, v0_padding_layers);
    tcase_add_test(nets, v0_mistakes);
    tcase_add_test(nets, v1_layers);
    tcase_add_test(nets, v1_types);
    tcase_add_test(nets, v1_transformations);
    tcase_add_test(nets, both_layer_and_layers);
    tcase_add_test(nets, upgraded_layers_keep_places);
    tcase_add_test(nets, binary_models);
    tcase_add_test(nets, input_fields);
    tcase_add_test(nets, batch_norm);
    suite_add_tcase(suite, nets);
    tcase_add_loop_test(solvers, solver_types_become_words, 0,
                        (int)LCL_COUNT(solver_types));
    tcase_add_test(solvers, both_forms_of_the_type);
    tcase_add_test(solvers, snapshot_prefix);
    suite_add_tcase(suite, solvers);
    return testing_run(suite);
}
