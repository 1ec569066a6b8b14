/* lenet-cl bench: measures devices, and compares reports. */
#define _DEFAULT_SOURCE /* sysconf's names of processors */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/folder.h"
#include "bench/report_html.h"
#include "bench/report_json.h"
#include "bench/report_text.h"
#include "commands/net_args.h"
#include "device_list.h"
#include "text.h"

#define FASHION "/usr/share/datasets/fashion-mnist"

/* ---- Where and when ---------------------------------------------------------------- */

/* "model name" of Linux's list of processors; new. */
static char *processor_name(void)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256], *name = NULL;

    while (file && !name && fgets(line, sizeof line, file)) {
        char *value = strchr(line, ':');
        if (!value || strncmp(line, "model name", 10) != 0)
            continue;
        value[strcspn(value, "\n")] = '\0';
        name = lcl_strdup(value + 1 + strspn(value + 1, " "));
    }
    if (file)
        fclose(file);
    return name ? name : lcl_strdup("unknown processor");
}

static char *host_text(void)
{
    struct utsname system = {0};
    char *processor = processor_name();

    uname(&system);
    char *text =
        lcl_format("%s, %ld threads, %s %s %s", processor, sysconf(_SC_NPROCESSORS_ONLN),
                   system.sysname, system.release, system.machine);
    free(processor);
    return text;
}

static char *date_text(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return lcl_strdup(text);
}

static void describe(lcl_bench_device *d, const lcl_device_info *info, bool quick)
{
    /* Some versions go on with how the driver was built, after two spaces. */
    const char *build = strstr(info->platform_version, "  ");

    d->name = lcl_strdup(info->name);
    d->kind = lcl_strdup(lcl_device_kind(info));
    d->vendor = lcl_strdup(info->vendor);
    d->version = lcl_strdup(info->version);
    d->driver = lcl_strdup(info->driver);
    d->platform = lcl_format("%s, %.*s", info->platform_name,
                             build ? (int)(build - info->platform_version) : INT_MAX,
                             info->platform_version);
    d->compute_units = info->compute_units;
    d->clock_mhz = info->clock_mhz;
    d->memory = (double)info->global_memory;
    d->lenet_cl = lcl_strdup(LCL_VERSION);
    d->date = date_text();
    d->host = host_text();
    d->quick = quick;
}

/* ---- Measuring --------------------------------------------------------------------- */

static void measure_device(lcl_device *dev, const lcl_bench_options *options,
                           lcl_log *log, lcl_bench_report *report)
{
    lcl_bench b = {.options = options,
                   .dev = dev,
                   .device = lcl_bench_add_device(report),
                   .seconds = options->quick ? 0.12 : 0.5,
                   .log = log};

    describe(b.device, lcl_device_get_info(dev), options->quick);
    lcl_bench_run_groups(&b);
    if (b.folder)
        lcl_bench_remove_folder(b.folder);
    free(b.folder);
}

/* One that cannot be opened is told of and left out. */
static void measure_one_of_all(const lcl_device_info *info,
                               const lcl_bench_options *options, lcl_log *log,
                               lcl_bench_report *report)
{
    char platform[16], device[16];
    const lcl_device_choice choice = {.platform = platform, .device = device};
    lcl_device *dev = NULL;
    lcl_error err = {0};

    snprintf(platform, sizeof platform, "%d", info->platform);
    snprintf(device, sizeof device, "%d", info->device);
    if (report->n_devices > 0)
        putchar('\n');
    if (lcl_device_open(&dev, &choice, &err) == LCL_OK)
        measure_device(dev, options, log, report);
    else
        printf("%s: skipped: %s\n", info->name, err.message);
    lcl_device_close(dev);
}

static lcl_status measure_all(const lcl_bench_options *options, lcl_log *log,
                              lcl_bench_report *report, lcl_error *err)
{
    lcl_device_info *list;
    size_t n;

    LCL_TRY(lcl_device_list(&list, &n, err));
    for (size_t i = 0; i < n; i++)
        measure_one_of_all(&list[i], options, log, report);
    free(list);
    if (report->n_devices == 0)
        return lcl_fail(err, LCL_ENODEVICE, "", "none of the devices can be used");
    return LCL_OK;
}

static lcl_status measure_chosen(const lcl_args *args, const lcl_bench_options *options,
                                 lcl_log *log, lcl_bench_report *report, lcl_error *err)
{
    lcl_device *dev = NULL;
    lcl_status status = lcl_args_open_device(args, LCL_PREFER_ANY, log, &dev, err);

    if (status == LCL_OK)
        measure_device(dev, options, log, report);
    lcl_device_close(dev);
    return status;
}

/* CLBlast builds for many seconds: with --quick only where it is asked for. */
static lcl_status choose_gemms(const lcl_args *args, lcl_bench_options *o, lcl_error *err)
{
    LCL_TRY(lcl_args_gemm(args, &o->gemm, err));
    o->own_gemm = true;
    o->clblast = o->gemm == LCL_GEMM_CLBLAST || (o->gemm == LCL_GEMM_AUTO && !o->quick);
    o->no_clblast = o->gemm == LCL_GEMM_OWN
                        ? "--gemm own"
                        : "takes long to build its kernels: use --gemm clblast, or leave "
                          "out --quick";
    return LCL_OK;
}

static lcl_status measure(const lcl_args *args, lcl_bench_report *report, lcl_error *err)
{
    lcl_bench_options options = {.quick = lcl_args_switch(args, "quick"),
                                 .data = lcl_args_get(args, "data")};

    if (lcl_args_n_operands(args) > 0) {
        lcl_fail(err, LCL_EUSAGE, "", "what is '%s' for?", lcl_args_operand(args, 0));
        return lcl_hint(err, LCL_EUSAGE, "reports are compared with --compare");
    }
    LCL_TRY(choose_gemms(args, &options, err));
    LCL_TRY(lcl_args_residency(args, &options.residency, err));
    options.only.list = lcl_list_split(lcl_args_get(args, "only"), &options.only.n);
    lcl_log *log = lcl_log_create(stderr);
    lcl_status status = lcl_bench_check_only(&options, err);
    if (status == LCL_OK)
        status = lcl_args_switch(args, "all-devices")
                     ? measure_all(&options, log, report, err)
                     : measure_chosen(args, &options, log, report, err);
    lcl_log_destroy(log);
    lcl_list_free(options.only.list, options.only.n);
    return status;
}

/* ---- Comparing --------------------------------------------------------------------- */

static lcl_status compare(const lcl_args *args, lcl_bench_report *report, lcl_error *err)
{
    size_t n = lcl_args_n_operands(args);

    if (n == 0) {
        lcl_fail(err, LCL_EUSAGE, "", "which reports are to be compared?");
        return lcl_hint(err, LCL_EUSAGE, "lenet-cl bench --compare a.json b.json");
    }
    for (size_t i = 0; i < n; i++)
        LCL_TRY(lcl_bench_read_json(report, lcl_args_operand(args, i), err));
    lcl_bench_print_comparison(stdout, report);
    return LCL_OK;
}

static lcl_status write_files(const lcl_args *args, const lcl_bench_report *report,
                              lcl_error *err)
{
    const char *json = lcl_args_get(args, "json"), *html = lcl_args_get(args, "html");

    if (json)
        LCL_TRY(lcl_bench_write_json(report, json, err));
    return html ? lcl_bench_write_html(report, html, err) : LCL_OK;
}

static int bench_run(const lcl_args *args, lcl_error *err)
{
    lcl_bench_report report = {0};
    lcl_status status = lcl_args_switch(args, "compare") ? compare(args, &report, err)
                                                         : measure(args, &report, err);

    if (status == LCL_OK)
        status = write_files(args, &report, err);
    bool wrong = lcl_bench_any_wrong(&report);
    if (status == LCL_OK && wrong)
        status = lcl_fail(err, LCL_EDATA, "", "some results are WRONG: see above");
    lcl_bench_report_free(&report);
    return lcl_exit_code(status);
}

static const lcl_option bench_options[] = {
    {"quick", NULL, NULL, "fewer shapes and repeats: about a minute"},
    {"all-devices", NULL, NULL, "measure one device after the other"},
    {"only", "A,B/PART", NULL, "these groups, and rows with PART in their names"},
    {"json", "FILE", NULL, "write the report"},
    {"html", "FILE", NULL, "write a page with charts"},
    {"compare", NULL, NULL, "compare the reports given as operands"},
    {"data", "FOLDER", FASHION, "Fashion-MNIST's IDX files"},
    LCL_RESIDENT_OPTION,
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_bench = {
    .name = "bench",
    .operands = "[REPORT...]",
    .summary = "Measure a device, or compare reports",
    .help =
        "Measures what a device can do at most (arithmetic, memory, launches), then "
        "matrix\n"
        "products, convolutions, LeNet's training, inference and start-up. Results are\n"
        "compared with plain C first; wrong ones are not timed, and the exit code is 1.\n"
        "Groups: peak, bandwidth, launch, gemm, convolution, training, inference, "
        "start,\n"
        "accuracy. The first two are always measured: the others are shares of them.\n\n"
        "  lenet-cl bench --quick\n"
        "  lenet-cl bench --only gemm,convolution/resnet\n"
        "  lenet-cl bench --json mine.json\n"
        "  lenet-cl bench --compare mine.json yours.json --html page.html",
    .options = bench_options,
    .n_options = LCL_COUNT(bench_options),
    .max_operands = -1,
    .run = bench_run,
};
