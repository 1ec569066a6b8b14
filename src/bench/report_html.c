/* Reports as a page of charts. */
#include "bench/report_html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/html.h"
#include "bench/report_text.h"

#define BAR_HEIGHT 19

typedef struct {
    lcl_text text;
    const lcl_bench_report *report;
    const lcl_bench_group *group; /* the one being written */
    double scale;                 /* the group's greatest value */
} page;

/* ---- Devices ----------------------------------------------------------------------- */

static void add_tile(page *p, const char *label, double value, const char *unit)
{
    char number[32];

    if (value <= 0)
        return;
    lcl_bench_number_text(value, number, sizeof number);
    lcl_text_printf(&p->text, "<div><dt>%s</dt><dd>%s <small>%s</small></dd></div>\n",
                    label, number, unit);
}

/* The best run of a row, in seconds; 0 where it was not measured. */
static double seconds_of(const lcl_bench_device *d, const char *group, const char *name,
                         const char *variant)
{
    const lcl_bench_row like = {
        .group = (char *)group, .name = (char *)name, .variant = (char *)variant};
    const lcl_bench_row *row = lcl_bench_find_row(d, &like);

    return row && !row->skipped && !row->wrong ? row->time.min : 0;
}

static void add_device(page *p, const lcl_bench_device *d, size_t i)
{
    lcl_text *t = &p->text;

    lcl_text_printf(t, "<section class=\"card device c%zu\"><h3>", i % LCL_HTML_COLOURS);
    if (p->report->n_devices > 1)
        lcl_text_printf(t, "%c: ", (char)('A' + i % 26));
    lcl_html_text(t, d->name);
    lcl_text_add(t, "</h3>\n<p>");
    lcl_html_text(t, d->kind);
    lcl_text_printf(t, ", %g compute units, %.0f GB. ", d->compute_units,
                    d->memory / 1e9);
    lcl_html_text(t, d->platform);
    lcl_text_add(t, ", driver ");
    lcl_html_text(t, d->driver);
    lcl_text_add(t, ".<br>");
    lcl_html_text(t, d->host);
    lcl_text_add(t, ".<br>lenet-cl ");
    lcl_html_text(t, d->lenet_cl);
    lcl_text_add(t, ", ");
    lcl_html_text(t, d->date);
    lcl_text_printf(t, "%s</p>\n<dl class=\"tiles\">\n", d->quick ? ", quick" : "");
    double training = seconds_of(d, "training", "batch 64", "");
    add_tile(p, "peak arithmetic", 1e-9 * d->flops, "GFLOP/s");
    add_tile(p, "peak memory", 1e-9 * d->bandwidth, "GB/s");
    add_tile(p, "LeNet training, batch 64", 1e3 * training, "ms/iteration");
    add_tile(p, "LeNet, one image",
             1e6 * seconds_of(d, "inference", "batch 1", "host to host"), "&micro;s");
    add_tile(p, "start-up, warm", seconds_of(d, "start", "warm", ""), "s");
    lcl_text_add(t, "</dl></section>\n");
}

/* ---- Bars -------------------------------------------------------------------------- */

/* What the device's peak is in the group's unit; 0: it is no limit there. */
static double limit_of(const page *p, const lcl_bench_device *d)
{
    if (p->group->sets_peak)
        return 0;
    return p->group->measure == LCL_BENCH_GFLOPS ? 1e-9 * d->flops : 0;
}

static void add_value(page *p, const lcl_bench_device *d, const lcl_bench_row *row,
                      const lcl_bench_row *first)
{
    lcl_text *t = &p->text;
    char number[32];
    double ratio = lcl_bench_ratio(first, row), share = lcl_bench_share(d, row);

    lcl_bench_number_text(lcl_bench_value(row), number, sizeof number);
    lcl_text_add(t, number);
    if (p->report->n_devices > 1 && first && first != row && ratio > 0)
        lcl_text_printf(t, "<tspan class=\"dim\" dx=\"5\">%.*fx</tspan>",
                        ratio < 10 ? 2 : 1, ratio);
    else if (p->report->n_devices == 1 && share > 0)
        lcl_text_printf(t, "<tspan class=\"dim\" dx=\"5\">%.0f %%</tspan>", 100 * share);
}

/* One device's bar of a row, bar number i from above. */
static void add_bar(page *p, size_t i, const lcl_bench_device *d,
                    const lcl_bench_row *row, const lcl_bench_row *first)
{
    lcl_text *t = &p->text;
    const double value = lcl_bench_value(row), limit = limit_of(p, d);
    const double width = 100 * value / p->scale, mark = 100 * limit / p->scale;
    const int top = (int)i * BAR_HEIGHT;

    if (value > 0) {
        lcl_text_printf(t,
                        "<rect class=\"track\" y=\"%d\" width=\"100%%\" height=\"13\" "
                        "rx=\"2\"/><rect class=\"fill c%zu\" y=\"%d\" width=\"%.2f%%\" "
                        "height=\"13\" rx=\"2\"/>",
                        top + 3, i % LCL_HTML_COLOURS, top + 3, width);
        if (limit > 0)
            lcl_text_printf(t,
                            "<line class=\"mark\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" "
                            "y2=\"%d\"/>",
                            mark, mark, top + 1, top + 18);
        lcl_text_printf(t, "<text x=\"100%%\" dx=\"8\" y=\"%d\">", top + 14);
        add_value(p, d, row, first);
    } else {
        lcl_text_printf(t, "<text class=\"dim\" y=\"%d\">%s", top + 14,
                        row && row->wrong ? "WRONG"
                        : row             ? "skipped"
                                          : "not measured");
    }
    lcl_text_add(t, "</text>");
}

static void add_bars(page *p, const lcl_bench_row *like)
{
    const lcl_bench_report *r = p->report;
    const lcl_bench_row *first = lcl_bench_find_row(&r->devices[0], like);

    lcl_text_printf(&p->text,
                    "<td class=\"bar\"><svg height=\"%zu\" role=\"img\" "
                    "aria-label=\"",
                    r->n_devices * BAR_HEIGHT);
    lcl_html_text(&p->text, like->name);
    lcl_text_add(&p->text, "\">");
    for (size_t i = 0; i < r->n_devices; i++)
        add_bar(p, i, &r->devices[i], lcl_bench_find_row(&r->devices[i], like), first);
    lcl_text_add(&p->text, "</svg></td>");
}

/* ---- Tables ------------------------------------------------------------------------ */

/* Milliseconds and spread of the only device. */
static void add_times(page *p, const lcl_bench_row *row)
{
    char min[32], median[32];

    lcl_bench_number_text(1e3 * row->time.min, min, sizeof min);
    lcl_bench_number_text(1e3 * row->time.median, median, sizeof median);
    lcl_text_printf(
        &p->text,
        "<td class=\"n\">%s</td><td class=\"n less\">%s</td><td class=\"n dim "
        "less\">%.0f %%</td>",
        min, median, 100 * row->time.spread);
}

static void add_row(page *p, const lcl_bench_row *row, bool first_of_name)
{
    lcl_text *t = &p->text;
    const bool single = p->report->n_devices == 1;

    lcl_text_printf(t, "<tr%s><td class=\"name\">",
                    first_of_name ? " class=\"first\"" : "");
    lcl_html_text(t, first_of_name ? row->name : "");
    lcl_text_add(t, "</td><td class=\"dim\">");
    lcl_html_text(t, row->variant);
    lcl_text_add(t, "</td>");
    if (single && row->wrong) {
        lcl_text_printf(t, "<td class=\"bad\" colspan=\"4\">WRONG: error %.1e</td>",
                        row->error);
    } else if (single && row->skipped) {
        lcl_text_add(t, "<td class=\"why\" colspan=\"4\">skipped: ");
        lcl_html_text(t, row->skipped);
        lcl_text_add(t, "</td>");
    } else {
        add_bars(p, row);
        if (single)
            add_times(p, row);
    }
    lcl_text_add(t, "</tr>\n");
}

static const char *unit_of(lcl_bench_measure measure)
{
    return measure == LCL_BENCH_MICROSECONDS ? "&micro;s" : lcl_bench_unit(measure);
}

static void add_table_head(page *p)
{
    const lcl_bench_measure measure = p->group->measure;

    lcl_text_printf(&p->text, "<table><thead><tr><th></th><th></th><th>%s%s</th>",
                    unit_of(measure),
                    lcl_bench_more_is_better(measure) ? "" : ", less is better");
    if (p->report->n_devices == 1)
        lcl_text_add(&p->text,
                     "<th class=\"n\">min ms</th><th class=\"n less\">median</th>"
                     "<th class=\"n less\">spread</th>");
    lcl_text_add(&p->text, "</tr></thead><tbody>\n");
}

/* Sets the scale; false where the group has no rows. */
static bool measure_group(page *p)
{
    bool any = false;

    p->scale = 0;
    for (size_t d = 0; d < p->report->n_devices; d++) {
        const lcl_bench_device *device = &p->report->devices[d];
        for (size_t r = 0; r < device->n_rows; r++) {
            if (strcmp(device->rows[r].group, p->group->name) != 0)
                continue;
            any = true;
            p->scale = fmax(p->scale, lcl_bench_value(&device->rows[r]));
            p->scale = fmax(p->scale, limit_of(p, device));
        }
    }
    return any;
}

static void add_group(page *p)
{
    const char *name = "";

    if (!measure_group(p))
        return;
    lcl_text_printf(&p->text, "<section class=\"card%s\"><h2>",
                    strcmp(p->group->name, "convolution") == 0 ? " wide" : "");
    lcl_html_text(&p->text, p->group->title);
    lcl_text_add(&p->text, "</h2><p>");
    lcl_html_text(&p->text, p->group->note);
    lcl_text_add(&p->text, "</p>\n");
    add_table_head(p);
    for (size_t d = 0; d < p->report->n_devices; d++) {
        const lcl_bench_device *device = &p->report->devices[d];
        for (size_t r = 0; r < device->n_rows; r++) {
            const lcl_bench_row *row = &device->rows[r];
            if (strcmp(row->group, p->group->name) != 0 ||
                !lcl_bench_is_first(p->report, d, row))
                continue;
            add_row(p, row, strcmp(name, row->name) != 0);
            name = row->name;
        }
    }
    lcl_text_add(&p->text, "</tbody></table></section>\n");
}

/* ---- The page ---------------------------------------------------------------------- */

static void add_body(page *p)
{
    const size_t n = p->report->n_devices;
    lcl_text *t = &p->text;

    lcl_text_add(t, "<body>\n<header><h1>lenet-cl bench</h1>\n");
    lcl_text_add(t, "<p>Bars show each row's fastest run. ");
    lcl_text_add(t, n > 1 ? "2.00x: twice as fast as A. "
                          : "Per cent: of what the measured peaks allow. ");
    lcl_text_add(
        t, "Dashed: the device's measured peak. Every result was compared with "
           "plain C before it was timed.</p></header>\n<div class=\"grid devices\">\n");
    for (size_t i = 0; i < n; i++)
        add_device(p, &p->report->devices[i], i);
    lcl_text_add(t, "</div>\n<main class=\"grid\">\n");
    for (p->group = lcl_bench_groups; p->group->name; p->group++)
        add_group(p);
    lcl_html_roofline(t, p->report);
    lcl_text_add(t, "</main>\n</body>\n</html>\n");
}

lcl_status lcl_bench_write_html(const lcl_bench_report *report, const char *path,
                                lcl_error *err)
{
    page p = {.report = report};

    lcl_html_head(&p.text, report->n_devices > 1 ? "lenet-cl bench: devices compared"
                                                 : report->devices[0].name);
    add_body(&p);
    lcl_status status = lcl_file_write(path, p.text.text, p.text.length, err);
    free(p.text.text);
    return status;
}
