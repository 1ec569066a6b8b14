/* Reports as tables of text. */
#include "bench/report_text.h"

#include <math.h>
#include <string.h>

#include "text.h"

void lcl_bench_number_text(double value, char *out, size_t size)
{
    int digits = value > 0 ? 2 - (int)floor(log10(value)) : 0;

    snprintf(out, size, "%.*f", digits < 0 ? 0 : digits > 6 ? 6 : digits, value);
}

/* ---- One device -------------------------------------------------------------------- */

void lcl_bench_print_device(FILE *out, const lcl_bench_device *d)
{
    fprintf(out, "%s (%s)\n  %s, driver %s\n  %s, lenet-cl %s, %s%s\n", d->name, d->kind,
            d->platform, d->driver, d->host, d->lenet_cl, d->date,
            d->quick ? ", quick" : "");
}

void lcl_bench_print_heading(FILE *out, const lcl_bench_group *group)
{
    fprintf(out, "\n%-38s %9s %9s %7s %9s %7s\n", group->title, "min ms", "median",
            "spread", lcl_bench_unit(group->measure), "of peak");
}

void lcl_bench_print_row(FILE *out, const lcl_bench_device *device,
                         const lcl_bench_row *row)
{
    char min[32], median[32], value[32], label[64];
    double share = lcl_bench_share(device, row);

    snprintf(label, sizeof label, "%-22s %s", row->name, row->variant);
    fprintf(out, "  %-36s ", label);
    if (row->wrong) {
        fprintf(out, "WRONG: error %.1e of the largest magnitude\n", row->error);
        return;
    }
    if (row->skipped) {
        fprintf(out, "skipped: %s\n", row->skipped);
        return;
    }
    lcl_bench_number_text(1e3 * row->time.min, min, sizeof min);
    lcl_bench_number_text(1e3 * row->time.median, median, sizeof median);
    lcl_bench_number_text(lcl_bench_value(row), value, sizeof value);
    fprintf(out, "%9s %9s %5.0f %% %9s", min, median, 100 * row->time.spread, value);
    if (share > 0)
        fprintf(out, " %5.0f %%", 100 * share);
    fputc('\n', out);
}

/* ---- Several devices --------------------------------------------------------------- */

static void print_names(FILE *out, const lcl_bench_report *report)
{
    for (size_t i = 0; i < report->n_devices; i++) {
        fprintf(out, "%c  ", (char)('A' + i % 26));
        lcl_bench_print_device(out, &report->devices[i]);
    }
}

static void print_group_heading(FILE *out, const lcl_bench_report *report,
                                const lcl_bench_group *group)
{
    char title[128];

    snprintf(title, sizeof title, "%s, %s", group->title, lcl_bench_unit(group->measure));
    fprintf(out, "\n%-38s", title);
    for (size_t i = 0; i < report->n_devices; i++)
        fprintf(out, i == 0 ? " %8c" : " %8c  times", (char)('A' + i % 26));
    fputc('\n', out);
}

/* One device's cell of a row; `first` is the first device's row. */
static void print_cell(FILE *out, const lcl_bench_row *row, const lcl_bench_row *first,
                       bool with_ratio)
{
    char text[32] = "-";
    double ratio = lcl_bench_ratio(first, row);

    if (row && row->wrong)
        snprintf(text, sizeof text, "WRONG");
    else if (row && row->skipped)
        snprintf(text, sizeof text, "skipped");
    else if (row)
        lcl_bench_number_text(lcl_bench_value(row), text, sizeof text);
    fprintf(out, " %8s", text);
    if (!with_ratio)
        return;
    if (ratio > 0)
        fprintf(out, " %5.*fx", ratio < 10 ? 2 : 1, ratio);
    else
        fprintf(out, "       ");
}

static void print_group_row(FILE *out, const lcl_bench_report *report,
                            const lcl_bench_row *like)
{
    const lcl_bench_row *first = lcl_bench_find_row(&report->devices[0], like);
    char label[64];

    snprintf(label, sizeof label, "%-22s %s", like->name, like->variant);
    fprintf(out, "  %-36s", label);
    for (size_t i = 0; i < report->n_devices; i++)
        print_cell(out, lcl_bench_find_row(&report->devices[i], like), first, i > 0);
    fputc('\n', out);
}

static void print_group(FILE *out, const lcl_bench_report *report,
                        const lcl_bench_group *group)
{
    bool printed = false;

    for (size_t d = 0; d < report->n_devices; d++) {
        const lcl_bench_device *device = &report->devices[d];
        for (size_t r = 0; r < device->n_rows; r++) {
            const lcl_bench_row *row = &device->rows[r];
            if (strcmp(row->group, group->name) != 0 ||
                !lcl_bench_is_first(report, d, row))
                continue;
            if (!printed)
                print_group_heading(out, report, group);
            printed = true;
            print_group_row(out, report, row);
        }
    }
}

void lcl_bench_print_comparison(FILE *out, const lcl_bench_report *report)
{
    print_names(out, report);
    for (const lcl_bench_group *g = lcl_bench_groups; g->name; g++)
        print_group(out, report, g);
}
