/* Runs the groups of measurements over one device. */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "bench/report_text.h"
#include "text.h"

/* In the order of lcl_bench_groups. */
static lcl_bench_measure_group *const measures[] = {
    lcl_bench_peak,      lcl_bench_bandwidth,   lcl_bench_launch,
    lcl_bench_gemm,      lcl_bench_convolution, lcl_bench_training,
    lcl_bench_inference, lcl_bench_start,       lcl_bench_accuracy,
};

/* ---- What is wanted ---------------------------------------------------------------- */

bool lcl_bench_wants(const lcl_bench *b, const char *name)
{
    return lcl_only_wants(&b->options->only, b->group->name, name);
}

bool lcl_bench_names(const lcl_bench *b, const char *name)
{
    return lcl_only_names(&b->options->only, b->group->name, name);
}

lcl_status lcl_bench_check_only(const lcl_bench_options *options, lcl_error *err)
{
    const char *names[LCL_COUNT(measures)];

    for (size_t i = 0; i < LCL_COUNT(names); i++)
        names[i] = lcl_bench_groups[i].name;
    return lcl_only_check(&options->only, names, LCL_COUNT(names), err);
}

/* ---- Rows -------------------------------------------------------------------------- */

static lcl_bench_row *add_row(const lcl_bench *b, const char *name, const char *variant)
{
    return lcl_bench_add_row(b->device, b->group->name, name, variant);
}

static void print_last_row(lcl_bench *b)
{
    lcl_log_progress(b->log, NULL);
    if (!b->announced)
        lcl_bench_print_heading(stdout, b->group);
    b->announced = true;
    lcl_bench_print_row(stdout, b->device, &b->device->rows[b->device->n_rows - 1]);
    fflush(stdout);
}

void lcl_bench_skip(lcl_bench *b, const char *name, const char *variant,
                    const char *reason)
{
    add_row(b, name, variant)->skipped = lcl_strdup(reason);
    print_last_row(b);
}

void lcl_bench_add_time(lcl_bench *b, const char *name, const char *variant,
                        lcl_bench_time time, double images)
{
    lcl_bench_row *row = add_row(b, name, variant);

    row->time = time;
    row->images = images;
    print_last_row(b);
}

/* Runs once, checks the results, then measures. */
static lcl_status check_and_time(const lcl_bench *b, const lcl_bench_case *c, void *what,
                                 lcl_bench_row *row, lcl_error *err)
{
    LCL_TRY(c->run(what, err));
    LCL_TRY(lcl_device_finish(b->dev, err));
    if (c->check) {
        LCL_TRY(c->check(what, &row->error, err));
        row->wrong = !(row->error <= c->tolerance);
        if (row->wrong)
            return LCL_OK;
    }
    LCL_TRY(lcl_bench_measure_run(&row->time, b->dev, b->seconds, c->run, what, err));
    if (c->parts > 1) {
        row->time.min /= c->parts;
        row->time.median /= c->parts;
    }
    return LCL_OK;
}

bool lcl_bench_do(lcl_bench *b, const lcl_bench_case *c, void *what)
{
    lcl_error err = {0};
    lcl_bench_row *row = add_row(b, c->name, c->variant);

    lcl_log_progress(b->log, "%s: %s %s", b->group->title, c->name, c->variant);
    row->flop = c->flop;
    row->bytes = c->bytes;
    row->images = c->images;
    if (check_and_time(b, c, what, row, &err) != LCL_OK)
        row->skipped = lcl_strdup(err.message);
    bool timed = !row->skipped && !row->wrong;
    print_last_row(b);
    return timed;
}

lcl_status lcl_bench_parse(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                           const char *name, char *text, lcl_error *err)
{
    lcl_status status = lcl_proto_parse_text(out, type, name, text, strlen(text),
                                             LCL_UNKNOWN_IS_ERROR, NULL, err);

    free(text);
    return status;
}

void lcl_bench_work_release(lcl_bench_work *work)
{
    if (work->what)
        work->release(work->what);
    *work = (lcl_bench_work){0};
}

void lcl_bench_run_groups(lcl_bench *b)
{
    lcl_bench_print_device(stdout, b->device);
    for (size_t i = 0; i < LCL_COUNT(measures); i++) {
        b->group = &lcl_bench_groups[i];
        b->announced = false;
        if (b->group->sets_peak ||
            lcl_only_wants_group(&b->options->only, b->group->name))
            measures[i](b);
    }
}
