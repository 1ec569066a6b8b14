/* lenet-cl tune: finds faster tiles for a device and keeps them for later runs. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/tune.h"
#include "commands/args.h"
#include "text.h"
#include "tuning.h"

static volatile sig_atomic_t stopped_by;

static void on_signal(int number)
{
    stopped_by = number;
}

static bool is_stopped(void)
{
    return stopped_by != 0;
}

/* A second signal stops at once: the record is whole at any time. */
static void install_handlers(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static lcl_status find_path(const lcl_device *dev, char **path, lcl_error *err)
{
    const char *wanted = getenv("LCL_TUNING");

    *path = lcl_tuning_path(lcl_device_get_info(dev));
    if (*path)
        return LCL_OK;
    if (wanted && *wanted) {
        lcl_fail(err, LCL_EUSAGE, "LCL_TUNING", "is 0: no record would be used");
        return lcl_hint(err, LCL_EUSAGE, "unset it, or set it to a file's name");
    }
    lcl_fail(err, LCL_EIO, "", "there is no folder for the record");
    return lcl_hint(err, LCL_EIO, "set LCL_TUNING to a file's name");
}

static void print_result(const lcl_tune_result *result, const char *path)
{
    printf("%zu values tried, %zu kept: %s\n", result->n_tried, result->n_kept, path);
    if (result->n_left > 0)
        printf("%zu are left: run it again to go on\n", result->n_left);
    else
        printf("Nothing is left to try; --restart begins anew\n");
}

static lcl_status tune_device(const lcl_args *args, lcl_device *dev, lcl_log *log,
                              lcl_error *err)
{
    lcl_tune_options options = {.restart = lcl_args_switch(args, "restart"),
                                .stopped = is_stopped,
                                .log = log,
                                .out = stdout};
    lcl_tune_result result;
    char *path = NULL;
    long seconds;

    LCL_TRY(lcl_args_int(args, "seconds", 1, 1000000, &seconds, err));
    LCL_TRY(lcl_args_gemm(args, &options.gemm, err));
    LCL_TRY(find_path(dev, &path, err));
    options.seconds = (double)seconds;
    install_handlers();
    const lcl_status status = lcl_tune(dev, path, &options, &result, err);
    if (status == LCL_OK)
        print_result(&result, path);
    free(path);
    return status;
}

static int tune_run(const lcl_args *args, lcl_error *err)
{
    lcl_log *log = lcl_log_create(stderr);
    lcl_device *dev = NULL;
    lcl_status status = lcl_args_open_device(args, LCL_PREFER_ANY, log, &dev, err);

    if (status == LCL_OK)
        status = tune_device(args, dev, log, err);
    lcl_device_close(dev);
    lcl_log_destroy(log);
    return status == LCL_OK && stopped_by ? 128 + stopped_by : lcl_exit_code(status);
}

static const lcl_option tune_options[] = {
    {"seconds", "N", "60", "begin nothing new after that time"},
    {"restart", NULL, NULL, "begin anew, from the defaults"},
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_tune = {
    .name = "tune",
    .operands = "",
    .summary = "Find faster tile sizes for a device",
    .help =
        "Tries other sizes of the tiles that kernels work in, and CLBlast's parameters\n"
        "where CLBlast is used. A size must give right results, and be faster by more\n"
        "than the noise and slower nowhere, to be kept. What was found is kept in a\n"
        "record that later runs on the same device and driver use; Ctrl-C stops, and\n"
        "the next run goes on from there. Without the record the defaults are back.\n\n"
        "  lenet-cl tune --device gpu --seconds 300\n\n"
        "LCL_TUNING names a file for the record, or 0: none is used.",
    .options = tune_options,
    .n_options = LCL_COUNT(tune_options),
    .run = tune_run,
};
