/* lenet-cl verify: whether devices compute right. */
#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "commands/net_args.h"
#include "text.h"
#include "verify/report_json.h"
#include "verify/report_text.h"

/* ---- Options ----------------------------------------------------------------------- */

static lcl_status power_of_two(const lcl_args *args, const char *option, long max,
                               int *out, lcl_error *err)
{
    long value = 1;

    if (!lcl_args_given(args, option))
        return LCL_OK;
    LCL_TRY(lcl_args_int(args, option, 1, max, &value, err));
    if (value & (value - 1))
        return lcl_fail(err, LCL_EUSAGE, "", "--block and --vector are powers of two");
    *out = (int)value;
    return LCL_OK;
}

/* The folder of --cases and the operands. */
static void take_folders(lcl_verify_options *o, const lcl_args *args)
{
    const char *cases = lcl_args_get(args, "cases");
    const size_t n = lcl_args_n_operands(args);

    o->folders = lcl_alloc(n + 1, sizeof *o->folders);
    if (cases)
        o->folders[o->n_folders++] = lcl_strdup(cases);
    for (size_t i = 0; i < n; i++)
        o->folders[o->n_folders++] = lcl_strdup(lcl_args_operand(args, i));
}

static lcl_status take_options(lcl_verify_options *o, const lcl_args *args,
                               lcl_error *err)
{
    *o = (lcl_verify_options){.quick = lcl_args_switch(args, "quick"),
                              .skip_unknown = lcl_args_switch(args, "skip-unknown")};
    take_folders(o, args);
    o->only.list = lcl_list_split(lcl_args_get(args, "only"), &o->only.n);
    LCL_TRY(lcl_args_gemm(args, &o->gemm, err));
    LCL_TRY(lcl_args_residency(args, &o->residency, err));
    LCL_TRY(power_of_two(args, "block", 1024, &o->block, err));
    LCL_TRY(power_of_two(args, "vector", 16, &o->vector, err));
    return lcl_verify_check_only(o, err);
}

static void free_options(lcl_verify_options *o)
{
    lcl_list_free(o->folders, o->n_folders);
    lcl_list_free(o->only.list, o->only.n);
}

/* ---- Devices ----------------------------------------------------------------------- */

static lcl_status verify_chosen(const lcl_args *args, const lcl_verify_options *o,
                                lcl_log *log, lcl_verify_report *report, lcl_error *err)
{
    lcl_device *dev = NULL;
    lcl_status status = lcl_args_open_device(args, LCL_PREFER_ANY, log, &dev, err);

    if (status == LCL_OK)
        status = lcl_verify_run(dev, o, stdout, log, report, err);
    lcl_device_close(dev);
    return status;
}

/* One that cannot be opened is told of and left out. */
static lcl_status verify_one_of_all(const lcl_device_info *info,
                                    const lcl_verify_options *o, lcl_log *log,
                                    lcl_verify_report *report, lcl_error *err)
{
    char platform[16], device[16];
    const lcl_device_choice choice = {.platform = platform, .device = device};
    lcl_device *dev = NULL;
    lcl_error why = {0};
    lcl_status status = LCL_OK;

    snprintf(platform, sizeof platform, "%d", info->platform);
    snprintf(device, sizeof device, "%d", info->device);
    if (report->n_devices > 0)
        putchar('\n');
    if (lcl_device_open(&dev, &choice, &why) == LCL_OK)
        status = lcl_verify_run(dev, o, stdout, log, report, err);
    else
        printf("%s: skipped: %s\n", info->name, why.message);
    lcl_device_close(dev);
    return status;
}

static lcl_status verify_all(const lcl_verify_options *o, lcl_log *log,
                             lcl_verify_report *report, lcl_error *err)
{
    lcl_device_info *list;
    size_t n;
    lcl_status status = LCL_OK;

    LCL_TRY(lcl_device_list(&list, &n, err));
    for (size_t i = 0; status == LCL_OK && i < n; i++)
        status = verify_one_of_all(&list[i], o, log, report, err);
    free(list);
    if (status == LCL_OK && report->n_devices == 0)
        return lcl_fail(err, LCL_ENODEVICE, "", "none of the devices can be used");
    return status;
}

/* ---- The command ------------------------------------------------------------------- */

static lcl_status write_report(const lcl_verify_report *report, const char *path,
                               lcl_error *err)
{
    return lcl_has_suffix(path, ".json") ? lcl_verify_write_json(report, path, err)
                                         : lcl_verify_write_text(report, path, err);
}

static int verify_run(const lcl_args *args, lcl_error *err)
{
    lcl_verify_report report = {0};
    lcl_verify_options options;
    const char *path = lcl_args_get(args, "report");
    lcl_log *log = lcl_log_create(stderr);
    lcl_status status = take_options(&options, args, err);

    if (status == LCL_OK)
        status = lcl_args_switch(args, "all-devices")
                     ? verify_all(&options, log, &report, err)
                     : verify_chosen(args, &options, log, &report, err);
    if (status == LCL_OK && path)
        status = write_report(&report, path, err);
    const bool failed = lcl_verify_any_failed(&report);
    lcl_verify_report_free(&report);
    free_options(&options);
    lcl_log_destroy(log);
    return status != LCL_OK ? lcl_exit_code(status) : failed;
}

static const lcl_option options[] = {
    {"all-devices", NULL, NULL, "verify one device after the other"},
    {"report", "FILE", NULL, "write the report too; as JSON where FILE ends in .json"},
    {"quick", NULL, NULL, "only a few small cases of each kind"},
    {"only", "A,B/PART", NULL, "these groups, and rows with PART in their names"},
    {"cases", "DIR", NULL, "compare with a folder of stored cases instead"},
    {"skip-unknown", NULL, NULL, "leave out cases of layer types that there are not"},
    {"block", "N", NULL, "images side by side in memory (16 on CPUs, else 32)"},
    {"vector", "N", NULL, "images a work-item handles (16 on CPUs, else 4)"},
    LCL_RESIDENT_OPTION,
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_verify = {
    .name = "verify",
    .operands = "[CASE...]",
    .summary = "checks whether a device computes right",
    .help =
        "Computes on the device what is known, and compares: every layer forward and\n"
        "backward with results of Caffe, and convolutions, sums, conversions of "
        "layouts,\n"
        "matrix products, fused layers and solvers' updates with plain C. All of it is\n"
        "part of the program. Prints the worst error of each, relative to the largest\n"
        "magnitude of the array it is in, and what to do about failures. The exit code "
        "is\n"
        "1 if anything failed. Groups: layers, winograd, sums, layouts, gemm, nets,\n"
        "data, updates, repeats.\n\n"
        "  lenet-cl verify --all-devices --report report.txt\n"
        "  lenet-cl verify --only layers/Convolution,gemm\n"
        "  lenet-cl verify --cases tests/golden/data",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 1000,
    .run = verify_run,
};
