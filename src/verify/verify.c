/* Runs the groups of checks over one device. */
#include "verify/verify.h"

#include <stdlib.h>
#include <string.h>

#include "golden.inc"
#include "lcl/net.h"
#include "text.h"
#include "verify/report_text.h"

/* In the order of lcl_verify_groups. */
static lcl_verify_run_group *const runs[] = {
    lcl_verify_layers,      lcl_verify_winograd, lcl_verify_sums,
    lcl_verify_conversions, lcl_verify_gemm,     lcl_verify_nets,
    lcl_verify_data,        lcl_verify_updates,  lcl_verify_repeats,
};

/* Of checks of cases that the user gave. */
static const lcl_verify_group cases_group = {"cases", "Stored cases"};

/* ---- What is wanted ---------------------------------------------------------------- */

lcl_status lcl_verify_check_only(const lcl_verify_options *options, lcl_error *err)
{
    const char *names[LCL_COUNT(runs)];

    for (size_t i = 0; i < LCL_COUNT(names); i++)
        names[i] = lcl_verify_groups[i].name;
    return lcl_only_check(&options->only, names, LCL_COUNT(names), err);
}

bool lcl_verify_wants(const lcl_verify *v, const char *row)
{
    return lcl_only_wants(&v->options->only, v->group->name, row);
}

/* ---- Findings ---------------------------------------------------------------------- */

/* Prints the row that the checks not yet shown are. */
static void show_row(lcl_verify *v)
{
    lcl_log_progress(v->log, NULL);
    if (v->shown < v->device->n_checks)
        lcl_verify_print_row(v->out, v->device, v->shown);
    v->shown = v->device->n_checks;
    fflush(v->out);
}

void lcl_verify_progress(lcl_verify *v, const char *row, const char *name)
{
    lcl_log_progress(v->log, "%s: %s %s", v->group->name, row, name ? name : "");
}

static char *copy(const char *text)
{
    return lcl_strdup(text ? text : "");
}

static char *failure_text(const lcl_error *e)
{
    return lcl_format("%s%s%s", e->where, *e->where ? ": " : "", e->message);
}

void lcl_verify_note(lcl_verify *v, lcl_verify_finding f)
{
    lcl_verify_device *d = v->device;
    const lcl_verify_check *last = d->n_checks ? &d->checks[d->n_checks - 1] : NULL;

    if (v->shown < d->n_checks && strcmp(last->row, f.row) != 0)
        show_row(v);
    *lcl_verify_add_check(d) =
        (lcl_verify_check){.group = v->group->name,
                           .row = copy(f.row),
                           .name = copy(f.name),
                           .mode = f.mode,
                           .error = f.error,
                           .limit = f.limit,
                           .where = copy(f.where),
                           .failure = f.failure ? failure_text(f.failure) : NULL,
                           .skipped = f.skipped ? copy(f.skipped) : NULL};
}

/* ---- Helpers ----------------------------------------------------------------------- */

void lcl_verify_layouts(const lcl_verify *v, int blocks[LCL_VERIFY_MODES],
                        int vectors[LCL_VERIFY_MODES])
{
    blocks[0] = v->device->block;
    vectors[0] = v->device->vector;
    blocks[1] = vectors[1] = 1;
}

/* ---- Running ----------------------------------------------------------------------- */

static lcl_status run_folders(lcl_verify *v, lcl_error *err)
{
    v->group = &cases_group;
    for (size_t i = 0; i < v->options->n_folders; i++) {
        LCL_TRY(lcl_verify_folder(v, v->options->folders[i], err));
        show_row(v);
    }
    return LCL_OK;
}

static lcl_status run_groups(lcl_verify *v, lcl_error *err)
{
    LCL_TRY(lcl_golden_files_unpack(&v->files, embedded_golden[0].bytes,
                                    embedded_golden[0].size, err));
    lcl_verify_generate_layers(&v->files);
    for (size_t i = 0; i < LCL_COUNT(runs); i++) {
        if (!lcl_only_wants_group(&v->options->only, lcl_verify_groups[i].name))
            continue;
        v->group = &lcl_verify_groups[i];
        runs[i](v);
        show_row(v);
    }
    return LCL_OK;
}

static lcl_status describe(lcl_verify *v, lcl_error *err)
{
    lcl_verify_device *d = v->device;
    const lcl_verify_options *o = v->options;

    d->info = *lcl_device_get_info(v->dev);
    d->quick = o->quick;
    LCL_TRY(lcl_net_layout(v->dev, 0, o->block, &d->block, &d->vector, err));
    if (o->vector)
        d->vector = o->vector < d->block ? o->vector : d->block;
    return LCL_OK;
}

lcl_status lcl_verify_run(lcl_device *dev, const lcl_verify_options *options, FILE *out,
                          lcl_log *log, lcl_verify_report *report, lcl_error *err)
{
    lcl_verify v = {.options = options,
                    .dev = dev,
                    .device = lcl_verify_add_device(report),
                    .log = log,
                    .out = out};
    const double start = lcl_now();
    lcl_status status = describe(&v, err);

    if (status == LCL_OK) {
        lcl_verify_print_device(out, v.device);
        status = options->n_folders ? run_folders(&v, err) : run_groups(&v, err);
        lcl_log_progress(log, NULL);
    }
    v.device->seconds = lcl_now() - start;
    if (status == LCL_OK)
        lcl_verify_print_end(out, v.device);
    lcl_golden_files_free(&v.files);
    return status;
}
