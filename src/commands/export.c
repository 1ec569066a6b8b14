/* lenet-cl export: a trained net's parameters for other programs. */
#include "commands/net_args.h"
#include "text.h"

static lcl_status check_args(const lcl_args *args, lcl_error *err)
{
    if (!lcl_args_given(args, "npz"))
        return lcl_hint(err, lcl_fail(err, LCL_EUSAGE, "", "export to what?"),
                        "lenet-cl export --npz OUT.npz --model NET --weights FILE");
    if (!lcl_args_given(args, "model"))
        return lcl_fail(err, LCL_EUSAGE, "--model", "the net's prototxt is needed");
    if (!lcl_args_given(args, "weights"))
        return lcl_fail(err, LCL_EUSAGE, "--weights", "the trained weights are needed");
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

static int run(const lcl_args *args, lcl_error *err)
{
    lcl_device *dev = NULL;
    lcl_net *net = NULL;
    lcl_status status = check_args(args, err);

    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    status = lcl_args_open_net(args, CAFFE__PHASE__TEST, NULL, &dev, &net, err);
    if (status == LCL_OK)
        status = write_npz(net, lcl_args_get(args, "npz"), log, err);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"npz", "FILE", NULL, "write the parameters as NumPy arrays"},
    {"model", "FILE", NULL, "the net's prototxt"},
    {"weights", "FILE", NULL, "its .caffemodel"},
    LCL_STATE_OPTIONS,
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_export = {
    .name = "export",
    .operands = "",
    .summary = "writes a trained net for other programs",
    .help =
        "Writes the parameters of a net's TEST phase as arrays that numpy.load reads, "
        "named\n"
        "as their layers: conv1/0 are conv1's weights and conv1/1 its biases. 'import' "
        "reads\n"
        "them back.\n\n"
        "  lenet-cl export --npz lenet.npz --model lenet.prototxt \\\n"
        "      --weights lenet_iter_10000.caffemodel",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
