/* lenet-cl export: a trained net, or its parameters alone, for other programs. */
#include <stdio.h>
#include <stdlib.h>

#include "commands/net_args.h"
#include "lcl/onnx.h"
#include "text.h"

static lcl_status check_args(const lcl_args *args, lcl_error *err)
{
    if (!lcl_args_given(args, "onnx") && !lcl_args_given(args, "npz"))
        return lcl_hint(err, lcl_fail(err, LCL_EUSAGE, "", "export to what?"),
                        "lenet-cl export --onnx OUT.onnx --model NET --weights FILE, or "
                        "--npz OUT.npz");
    if (!lcl_args_given(args, "weights"))
        return lcl_fail(err, LCL_EUSAGE, "--weights", "the trained weights are needed");
    return LCL_OK;
}

/* A layer that the weights have not would be filled at random in a net that runs; here it is an
 * error. */
static lcl_status load_weights(lcl_net *net, const char *path, lcl_error *err)
{
    LCL_TRY(lcl_net_load(net, path, err));
    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_net_param *p = lcl_net_param_at(net, i);
        if (!lcl_blob_has_data(p->blob))
            return lcl_fail(
                err, LCL_ESHAPE, path,
                "the net's layer '%s' has parameters, but there are none for it",
                p->layer);
    }
    return LCL_OK;
}

static lcl_status write_npz(const lcl_net *net, const char *path, lcl_log *log,
                            lcl_error *err)
{
    size_t count = 0;

    LCL_TRY(lcl_net_save_npz(net, path, err));
    for (size_t i = 0; i < lcl_net_n_params(net); i++)
        count += lcl_blob_count(lcl_net_param_at(net, i)->blob);
    LCL_LOG(log, "Wrote %s: %zu arrays, %zu values", path, lcl_net_n_params(net), count);
    return LCL_OK;
}

static lcl_status write_onnx(const lcl_net *net, const char *path,
                             const lcl_onnx_options *options, lcl_log *log,
                             lcl_error *err)
{
    lcl_onnx_summary s;

    LCL_TRY(lcl_onnx_write(net, path, options, &s, err));
    LCL_LOG(log, "Wrote %s: %zu nodes of opset %d", path, s.n_nodes, LCL_ONNX_OPSET);
    LCL_LOG(log, "Inputs: %s", s.inputs ? s.inputs : "none");
    LCL_LOG(log, "Outputs: %s", s.outputs);
    free(s.inputs);
    free(s.outputs);
    return LCL_OK;
}

static lcl_status write_files(const lcl_args *args, const lcl_net *net, lcl_log *log,
                              lcl_error *err)
{
    const lcl_onnx_options options = {.fixed_batch =
                                          lcl_args_switch(args, "fixed-batch")};
    const char *onnx = lcl_args_get(args, "onnx"), *npz = lcl_args_get(args, "npz");

    if (onnx)
        LCL_TRY(write_onnx(net, onnx, &options, log, err));
    return npz ? write_npz(net, npz, log, err) : LCL_OK;
}

/* The table of src/onnx/README.md. */
static void print_layers(void)
{
    printf("| layer | ONNX | |\n|---|---|---|\n");
    for (size_t i = 0; i < lcl_onnx_n_layers(); i++) {
        const lcl_onnx_layer_info info = lcl_onnx_layer(i);
        printf("| %s | %s | %s |\n", info.type, info.operators, info.note);
    }
}

static int run(const lcl_args *args, lcl_error *err)
{
    lcl_device *dev = NULL;
    lcl_net *net = NULL;

    if (lcl_args_switch(args, "layers")) {
        print_layers();
        return 0;
    }
    lcl_status status = check_args(args, err);
    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    status = lcl_args_blank_net(args, log, &dev, &net, err);
    if (status == LCL_OK)
        status = load_weights(net, lcl_args_get(args, "weights"), err);
    if (status == LCL_OK)
        status = write_files(args, net, log, err);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"onnx", "FILE", NULL, "write an ONNX model"},
    {"npz", "FILE", NULL, "write the parameters as NumPy arrays"},
    {"weights", "FILE", NULL, "its .caffemodel"},
    {"fixed-batch", NULL, NULL, "ONNX for the prototxt's batch size, not for any"},
    {"layers", NULL, NULL, "print what each type of layer becomes in ONNX"},
    LCL_SHAPE_OPTIONS("TEST"),
};

const lcl_command lcl_command_export = {
    .name = "export",
    .operands = "",
    .summary = "writes a trained net for other programs",
    .help =
        "Writes the TEST phase of a net with trained weights as an ONNX model, or its\n"
        "parameters as arrays that numpy.load reads, or both.\n\n"
        "  lenet-cl export --onnx lenet.onnx --model lenet.prototxt \\\n"
        "      --weights lenet_iter_10000.caffemodel\n\n"
        "The model's inputs are the tops of data layers; its outputs what no layer "
        "takes.\n"
        "Losses and Accuracy are left out: SoftmaxWithLoss becomes Softmax, with output\n"
        "'prob'. NumPy's arrays are named as their layers: conv1/0 are conv1's weights "
        "and\n"
        "conv1/1 its biases; 'import' reads them back.",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
