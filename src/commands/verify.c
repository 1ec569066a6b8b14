/* lenet-cl verify: runs layers on stored inputs and compares with stored outputs. */
#include "commands/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "text.h"

typedef struct {
    lcl_golden_options options;
    bool skip_unknown;
    size_t n_passed, n_failed, n_skipped;
} tally;

static void print_error(const char *name, const lcl_error *err)
{
    printf("%-40s FAILED: %s%s%s\n", name, err->where, *err->where ? ": " : "",
           err->message);
}

static void verify_case(tally *t, const char *folder)
{
    const char *slash = strrchr(folder, '/'), *name = slash ? slash + 1 : folder;
    lcl_golden_result result;
    lcl_error err = {0};
    char type[64];

    if (t->skip_unknown && !lcl_golden_knows(folder, type, sizeof type)) {
        printf("%-40s skipped: no layer type '%s' in this build\n", name, type);
        t->n_skipped++;
        return;
    }
    lcl_status status = lcl_golden_run(&result, folder, &t->options, &err);
    if (status == LCL_OK && result.passed) {
        t->n_passed++;
        printf("%-40s ok      worst error %.1e (%s)\n", name, result.error, result.array);
        return;
    }
    t->n_failed++;
    if (status != LCL_OK)
        print_error(name, &err);
    else
        printf("%-40s FAILED: worst error %.1e (%s) of the largest magnitude, allowed "
               "%.0e\n",
               name, result.error, result.array, result.tolerance);
}

static lcl_status verify_folder(tally *t, const char *folder, lcl_error *err)
{
    char **cases;
    size_t n;

    LCL_TRY(lcl_golden_list(&cases, &n, folder, err));
    for (size_t i = 0; i < n; i++) {
        verify_case(t, cases[i]);
        fflush(stdout);
        free(cases[i]);
    }
    free(cases);
    return LCL_OK;
}

static lcl_status verify_all(tally *t, const lcl_args *args, lcl_error *err)
{
    const char *cases = lcl_args_get(args, "cases");
    size_t n = lcl_args_n_operands(args);

    if (!cases && n == 0)
        return lcl_hint(err,
                        lcl_fail(err, LCL_EUSAGE, "", "which cases? none were given"),
                        "lenet-cl verify --cases tests/golden/layers");
    if (cases)
        LCL_TRY(verify_folder(t, cases, err));
    for (size_t i = 0; i < n; i++)
        LCL_TRY(verify_folder(t, lcl_args_operand(args, i), err));
    printf("%zu passed, %zu failed", t->n_passed, t->n_failed);
    if (t->n_skipped)
        printf(", %zu skipped", t->n_skipped);
    putchar('\n');
    return LCL_OK;
}

/* B and V: as given, else what nets get on such a device. */
static lcl_status take_block(lcl_golden_options *o, const lcl_args *args, lcl_error *err)
{
    bool cpu = lcl_device_is_cpu(o->dev);
    long block = cpu ? 16 : 32, vector = cpu ? 16 : 4;

    if (lcl_args_given(args, "block"))
        LCL_TRY(lcl_args_int(args, "block", 1, 1024, &block, err));
    if (lcl_args_given(args, "vector"))
        LCL_TRY(lcl_args_int(args, "vector", 1, 16, &vector, err));
    if ((block & (block - 1)) || (vector & (vector - 1)))
        return lcl_fail(err, LCL_EUSAGE, "", "--block and --vector are powers of two");
    o->block = (int)block;
    o->vector = (int)(vector < block ? vector : block);
    return LCL_OK;
}

static int verify_run(const lcl_args *args, lcl_error *err)
{
    tally t = {.skip_unknown = lcl_args_switch(args, "skip-unknown")};
    lcl_log *log = lcl_log_create(stderr);
    lcl_status status = lcl_args_gemm(args, &t.options.gemm, err);

    if (status == LCL_OK)
        status = lcl_args_open_device(args, LCL_PREFER_ANY, log, &t.options.dev, err);
    if (status == LCL_OK)
        status = take_block(&t.options, args, err);
    if (status == LCL_OK)
        status = verify_all(&t, args, err);
    if (t.options.dev)
        lcl_device_close(t.options.dev);
    lcl_log_destroy(log);
    return status != LCL_OK ? lcl_exit_code(status) : t.n_failed ? 1 : 0;
}

static const lcl_option options[] = {
    {"cases", "DIR", NULL, "folder of cases"},
    {"block", "N", NULL, "images side by side in memory (16 on CPUs, else 32)"},
    {"vector", "N", NULL, "images a work-item handles (16 on CPUs, else 4)"},
    {"skip-unknown", NULL, NULL, "leave out layer types that this build has not"},
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_verify = {
    .name = "verify",
    .operands = "[CASE...]",
    .summary = "checks the layers on a device against stored results",
    .help =
        "Runs each layer of a folder of cases on the device, forward and backward, and\n"
        "compares with stored results of Caffe. Prints the worst error of each case,\n"
        "relative to the largest magnitude of the array it is in.\n\n"
        "  lenet-cl verify --cases tests/golden/layers --device gpu\n",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 1000,
    .run = verify_run,
};
