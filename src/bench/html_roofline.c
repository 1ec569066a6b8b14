/* The roofline: what each measured operation reaches, over the operations it does on each
 * byte of memory, under what the device's memory and arithmetic allow. */
#include <math.h>
#include <string.h>

#include "bench/html.h"

/* The drawing, and the area of the axes in it. */
enum { WIDTH = 1000, HEIGHT = 430, LEFT = 56, RIGHT = 985, TOP = 14, BOTTOM = 385 };

/* Logarithmic axes: powers of ten. */
typedef struct {
    double x0, x1, y0, y1;
} axes;

static double x_of(const axes *a, double intensity)
{
    return LEFT + (RIGHT - LEFT) * (log10(intensity) - a->x0) / (a->x1 - a->x0);
}

static double y_of(const axes *a, double gflops)
{
    return BOTTOM - (BOTTOM - TOP) * (log10(gflops) - a->y0) / (a->y1 - a->y0);
}

static bool is_point(const lcl_bench_row *row)
{
    const lcl_bench_group *group = lcl_bench_group_find(row->group);

    return group && !group->sets_peak && row->flop > 0 && row->bytes > 0 &&
           group->measure == LCL_BENCH_GFLOPS && lcl_bench_value(row) > 0;
}

static bool has_roof(const lcl_bench_device *d)
{
    return d->flops > 0 && d->bandwidth > 0;
}

static void widen(double *low, double *high, double value)
{
    *low = fmin(*low, floor(log10(value)));
    *high = fmax(*high, ceil(log10(value) + 1e-9));
}

/* Axes around all points and roofs; false where there is nothing to show. */
static bool choose_axes(axes *a, const lcl_bench_report *report)
{
    bool any = false;

    *a = (axes){INFINITY, -INFINITY, INFINITY, -INFINITY};
    for (size_t i = 0; i < report->n_devices; i++) {
        const lcl_bench_device *d = &report->devices[i];
        if (!has_roof(d))
            continue;
        widen(&a->x0, &a->x1, d->flops / d->bandwidth);
        widen(&a->y0, &a->y1, 1e-9 * d->flops);
        for (size_t r = 0; r < d->n_rows; r++) {
            if (!is_point(&d->rows[r]))
                continue;
            any = true;
            widen(&a->x0, &a->x1, d->rows[r].flop / d->rows[r].bytes);
            widen(&a->y0, &a->y1, lcl_bench_value(&d->rows[r]));
        }
    }
    return any;
}

static void add_axes(lcl_text *t, const axes *a)
{
    for (double p = a->x0; p <= a->x1; p++) {
        double x = x_of(a, pow(10, p));
        lcl_text_printf(t,
                        "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" "
                        "y2=\"%d\"/><text class=\"dim\" x=\"%.1f\" y=\"%d\" "
                        "text-anchor=\"middle\">%g</text>\n",
                        x, x, TOP, BOTTOM, x, BOTTOM + 18, pow(10, p));
    }
    for (double p = a->y0; p <= a->y1; p++) {
        double y = y_of(a, pow(10, p));
        lcl_text_printf(t,
                        "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                        "y2=\"%.1f\"/><text class=\"dim\" x=\"%d\" y=\"%.1f\" "
                        "text-anchor=\"end\">%g</text>\n",
                        LEFT, RIGHT, y, y, LEFT - 8, y + 4, pow(10, p));
    }
    lcl_text_printf(
        t,
        "<text class=\"dim\" x=\"%d\" y=\"%d\" text-anchor=\"end\">operations "
        "a byte of memory</text>\n",
        RIGHT, BOTTOM + 36);
}

static void add_roof(lcl_text *t, const axes *a, const lcl_bench_device *d, size_t colour)
{
    const double ridge = d->flops / d->bandwidth, peak = 1e-9 * d->flops;
    double left = pow(10, a->x0);

    /* The memory's line starts at the left or at the lower edge. */
    left = fmax(left, pow(10, a->y0) / (1e-9 * d->bandwidth));
    lcl_text_printf(t,
                    "<polyline class=\"roof c%zu\" points=\"%.1f,%.1f %.1f,%.1f "
                    "%d,%.1f\"/>\n",
                    colour, x_of(a, left), y_of(a, left * 1e-9 * d->bandwidth),
                    x_of(a, ridge), y_of(a, peak), RIGHT, y_of(a, peak));
}

static void add_point(lcl_text *t, const axes *a, const lcl_bench_row *row, size_t colour)
{
    const double value = lcl_bench_value(row);
    const double x = x_of(a, row->flop / row->bytes), y = y_of(a, value);

    if (strcmp(row->group, "gemm") == 0)
        lcl_text_printf(t,
                        "<rect class=\"fill c%zu\" x=\"%.1f\" y=\"%.1f\" width=\"9\" "
                        "height=\"9\"><title>",
                        colour, x - 4.5, y - 4.5);
    else
        lcl_text_printf(
            t, "<circle class=\"fill c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>",
            colour, x, y);
    lcl_html_text(t, row->name);
    lcl_text_add(t, " ");
    lcl_html_text(t, row->variant);
    lcl_text_printf(t, ": %.3g GFLOP/s</title></%s>\n", value,
                    strcmp(row->group, "gemm") == 0 ? "rect" : "circle");
}

void lcl_html_roofline(lcl_text *t, const lcl_bench_report *report)
{
    axes a;

    if (!choose_axes(&a, report))
        return;
    lcl_text_printf(
        t,
        "<section class=\"card wide\"><h2>Roofline</h2><p>GFLOP/s of matrix products "
        "(squares) and convolutions (circles) over the operations they do on each byte "
        "of "
        "their arrays, under what the device allows: memory's slope, arithmetic's level. "
        "Above it: caches, or Winograd.</p>\n<div class=\"scroll\"><svg viewBox=\"0 0 %d "
        "%d\" style=\"min-width:40rem;width:100%%\" role=\"img\" "
        "aria-label=\"Roofline\">\n",
        WIDTH, HEIGHT);
    add_axes(t, &a);
    for (size_t i = 0; i < report->n_devices; i++) {
        const lcl_bench_device *d = &report->devices[i];
        if (!has_roof(d))
            continue;
        add_roof(t, &a, d, i % LCL_HTML_COLOURS);
        for (size_t r = 0; r < d->n_rows; r++)
            if (is_point(&d->rows[r]))
                add_point(t, &a, &d->rows[r], i % LCL_HTML_COLOURS);
    }
    lcl_text_add(t, "</svg></div></section>\n");
}
