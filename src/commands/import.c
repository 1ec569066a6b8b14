/* lenet-cl import: parameters from other programs as a model. */
#include "commands/net_args.h"
#include "text.h"

static lcl_status check_args(const lcl_args *args, lcl_error *err)
{
    if (lcl_args_given(args, "npz") && lcl_args_given(args, "out"))
        return LCL_OK;
    return lcl_hint(
        err,
        lcl_fail(err, LCL_EUSAGE, "", "import needs an archive, and a file to write"),
        "lenet-cl import --npz IN.npz --model NET --out OUT.caffemodel");
}

static lcl_status write_model(lcl_net *net, const char *path, lcl_log *log,
                              lcl_error *err)
{
    LCL_TRY(lcl_has_suffix(path, ".h5") ? lcl_net_save_hdf5(net, false, path, err)
                                        : lcl_net_save(net, false, path, err));
    LCL_LOG(log, "Wrote %s: %zu parameters", path, lcl_net_n_params(net));
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
    status = lcl_args_blank_net(args, log, &dev, &net, err);
    if (status == LCL_OK)
        status = lcl_net_load_npz(net, lcl_args_get(args, "npz"), err);
    if (status == LCL_OK)
        status = write_model(net, lcl_args_get(args, "out"), log, err);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"npz", "FILE", NULL, "the NumPy arrays to read"},
    {"out", "FILE", NULL, "the .caffemodel, or .caffemodel.h5, to write"},
    LCL_SHAPE_OPTIONS("TEST"),
};

const lcl_command lcl_command_import = {
    .name = "import",
    .operands = "",
    .summary = "makes a .caffemodel of NumPy arrays",
    .help =
        "Reads an archive of numpy.savez with an array for each parameter of a net's "
        "TEST\n"
        "phase, named as by 'export' (conv1/0, conv1/1, ...), and writes a model. None "
        "may\n"
        "be missing, be too many or have another shape. float64, float16 and whole "
        "numbers\n"
        "become float32.\n\n"
        "  lenet-cl import --npz lenet.npz --model lenet.prototxt --out "
        "lenet.caffemodel",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 0,
    .run = run,
};
