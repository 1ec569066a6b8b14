/* Reports as text, as a whole and bit by bit. */
#include "verify/report_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "device_list.h"
#include "text.h"
#include "verify/advice.h"

#define MAX_FAILURES 30 /* shown one by one */

void lcl_verify_print_device(FILE *out, const lcl_verify_device *d)
{
    const lcl_device_info *i = &d->info;
    /* Some versions go on with how the driver was built, after two spaces. */
    const char *build = strstr(i->platform_version, "  ");

    fprintf(out, "%s (%s) by %s\n  %s, %.*s\n  %s, driver %s\n  lenet-cl %s%s\n", i->name,
            lcl_device_kind(i), i->vendor, i->platform_name,
            build ? (int)(build - i->platform_version) : INT_MAX, i->platform_version,
            i->version, i->driver, LCL_VERSION,
            d->quick ? ", quick: only a few small cases" : "");
}

/* ---- Rows -------------------------------------------------------------------------- */

static const char *title_of(const char *group)
{
    for (const lcl_verify_group *g = lcl_verify_groups; g->name; g++)
        if (strcmp(g->name, group) == 0)
            return g->title;
    return "Stored cases";
}

/* Whether a is worse than b: what could not be run at all, then the larger part of its
 * limit. */
static bool is_worse(const lcl_verify_check *a, const lcl_verify_check *b)
{
    if (!b || !a->failure != !b->failure)
        return !b || a->failure;
    return !(a->error * b->limit <= b->error * a->limit) ||
           (a->limit == b->limit && a->error > b->error);
}

/* " (convolution_k3, top_0, B 16)" without what does not matter. */
static void print_place(FILE *out, const lcl_verify_check *c)
{
    lcl_text place = {0};

    if (*c->name)
        lcl_text_printf(&place, ", %s", c->name);
    if (*c->where)
        lcl_text_printf(&place, ", %s", c->where);
    if (c->mode.block)
        lcl_text_printf(&place, ", B %d", c->mode.block);
    if (c->mode.direct)
        lcl_text_add(&place, ", direct");
    if (place.length)
        fprintf(out, " (%s)", place.text + strlen(", "));
    free(place.text);
}

static void print_heading(FILE *out, const char *group)
{
    fprintf(out, "\n%-60s %6s %8s %6s\n", title_of(group), "checks", "worst", "limit");
}

void lcl_verify_print_row(FILE *out, const lcl_verify_device *d, size_t first)
{
    const size_t n = lcl_verify_row_length(d, first);
    const lcl_verify_check *worst = NULL;
    size_t n_failed = 0;

    if (first == 0 || strcmp(d->checks[first].group, d->checks[first - 1].group) != 0)
        print_heading(out, d->checks[first].group);
    for (size_t i = first; i < first + n; i++) {
        n_failed += lcl_verify_failed(&d->checks[i]);
        if (is_worse(&d->checks[i], worst))
            worst = &d->checks[i];
    }
    fprintf(out, "  %-58s ", worst->row);
    if (worst->skipped) {
        fprintf(out, "skipped: %s\n", worst->skipped);
        return;
    }
    fprintf(out, "%6zu ", n);
    if (worst->failure)
        fprintf(out, "%8s %6s  ", "-", "-");
    else
        fprintf(out, "%8.1e %6.0e  ", worst->error, worst->limit);
    if (n_failed)
        fprintf(out, "FAILED %zu\n", n_failed);
    else
        fprintf(out, "ok\n");
}

/* ---- The end ----------------------------------------------------------------------- */

static void print_failure(FILE *out, const lcl_verify_check *c)
{
    fprintf(out, "  %s", c->row);
    print_place(out, c);
    if (c->failure)
        fprintf(out, ": %s\n", c->failure);
    else if (c->limit > 0)
        fprintf(out, ": off by %.1e of the largest magnitude, allowed %.0e\n", c->error,
                c->limit);
    else
        fprintf(out, ": differs, and must not\n");
}

static void print_failures(FILE *out, const lcl_verify_device *d, size_t n_failed)
{
    size_t shown = 0;

    fprintf(out, "\nFailed\n");
    for (size_t i = 0; i < d->n_checks && shown < MAX_FAILURES; i++)
        if (lcl_verify_failed(&d->checks[i])) {
            print_failure(out, &d->checks[i]);
            shown++;
        }
    if (n_failed > shown)
        fprintf(out, "  and %zu more\n", n_failed - shown);
}

static void print_advice(FILE *out, const lcl_verify_device *d)
{
    size_t n;
    char **advice = lcl_verify_advice(d, &n);

    fprintf(out, "\nWhat to do\n");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "  - %s.\n", advice[i]);
    lcl_list_free(advice, n);
}

void lcl_verify_print_end(FILE *out, const lcl_verify_device *d)
{
    const lcl_verify_counts n = lcl_verify_count(d);

    if (n.failed) {
        print_failures(out, d, n.failed);
        print_advice(out, d);
    }
    fprintf(out, "\n%s: %.0f s\n%zu passed, %zu failed",
            n.failed ? "This device does not compute right"
                     : "This device computes right",
            d->seconds, n.passed, n.failed);
    if (n.skipped)
        fprintf(out, ", %zu skipped", n.skipped);
    fputc('\n', out);
}

lcl_status lcl_verify_write_text(const lcl_verify_report *report, const char *path,
                                 lcl_error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return lcl_fail(err, LCL_EIO, path, "no memory for the report");
    for (size_t i = 0; i < report->n_devices; i++) {
        const lcl_verify_device *d = &report->devices[i];
        if (i > 0)
            fputc('\n', out);
        lcl_verify_print_device(out, d);
        for (size_t first = 0; first < d->n_checks;
             first += lcl_verify_row_length(d, first))
            lcl_verify_print_row(out, d, first);
        lcl_verify_print_end(out, d);
    }
    fclose(out);
    lcl_status status = lcl_file_write(path, text, size, err);
    free(text);
    return status;
}
