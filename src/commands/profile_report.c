/* Sums a profile up per layer, pass and kernel, or writes it out as a trace. */
#include "commands/profile_report.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

typedef struct {
    const char *what;
    size_t n;
    double ns;
} kernel_row;

typedef struct {
    const char *layer, *pass;
    size_t n_runs, last_run;
    double ns;
    kernel_row *kernels; /* owned */
    size_t n_kernels;
} pass_row;

typedef struct {
    pass_row *rows; /* in the order of their first events; owned */
    size_t n;
    double ns;
} profile_table;

/* ---- Summing up -------------------------------------------------------------------- */

static pass_row *find_row(profile_table *t, const lcl_profile_event *e)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->rows[i].layer, e->layer) == 0 &&
            strcmp(t->rows[i].pass, e->pass) == 0)
            return &t->rows[i];
    t->rows = lcl_resize(t->rows, t->n + 1, sizeof *t->rows);
    t->rows[t->n] = (pass_row){.layer = e->layer, .pass = e->pass};
    return &t->rows[t->n++];
}

static kernel_row *find_kernel(pass_row *row, const char *what)
{
    for (size_t i = 0; i < row->n_kernels; i++)
        if (strcmp(row->kernels[i].what, what) == 0)
            return &row->kernels[i];
    row->kernels = lcl_resize(row->kernels, row->n_kernels + 1, sizeof *row->kernels);
    row->kernels[row->n_kernels] = (kernel_row){.what = what};
    return &row->kernels[row->n_kernels++];
}

static void add_event(profile_table *t, const lcl_profile_event *e)
{
    const double ns = (double)(e->end - e->start);
    pass_row *row = find_row(t, e);
    kernel_row *kernel = find_kernel(row, e->what);

    if (row->n_runs == 0 || row->last_run != e->run)
        row->n_runs++;
    row->last_run = e->run;
    row->ns += ns;
    kernel->n++;
    kernel->ns += ns;
    t->ns += ns;
}

static void free_table(profile_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->rows[i].kernels);
    free(t->rows);
}

/* ---- What a layer has to do -------------------------------------------------------- */

/* The layer of a row; NULL for what is none's, such as the update. */
static const lcl_layer *find_layer(const pass_row *row, lcl_net *const *nets, size_t n)
{
    const bool test = strcmp(row->pass, "test") == 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < lcl_net_n_layers(nets[i]); j++) {
            const lcl_layer *l = lcl_net_layer(nets[i], j);
            if (strcmp(l->param->name, row->layer) == 0 &&
                (l->phase == CAFFE__PHASE__TEST) == test)
                return l;
        }
    }
    return NULL;
}

static double floats(lcl_blob *const *blobs, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += (double)lcl_blob_count(blobs[i]);
    return sum;
}

/* Every blob and parameter read or written once. */
static double bytes_of(const lcl_layer *l, bool backward)
{
    const double ends = floats(l->bottoms, l->n_bottoms) + floats(l->tops, l->n_tops);
    double sum = ends + floats(l->params, l->n_params);

    for (int i = 0; backward && i < l->n_bottoms; i++)
        sum += l->propagate[i] ? (double)lcl_blob_count(l->bottoms[i]) : 0;
    for (int i = 0; backward && i < l->n_params; i++)
        sum += l->param_propagate[i] ? (double)lcl_blob_count(l->params[i]) : 0;
    return sum * sizeof(float);
}

static double flops_of(const lcl_layer *l, bool backward)
{
    const double forward = l->type->flops ? l->type->flops(l) : 0;
    bool bottoms = false, params = false;

    if (!backward)
        return forward;
    for (int i = 0; i < l->n_bottoms; i++)
        bottoms |= l->propagate[i];
    for (int i = 0; i < l->n_params; i++)
        params |= l->param_propagate[i];
    return forward * (bottoms + params);
}

/* ---- The table --------------------------------------------------------------------- */

typedef struct {
    double flops, bandwidth;
} device_peak;

static double per_second(double work, const pass_row *row)
{
    return row->ns > 0 ? work * (double)row->n_runs / (row->ns * 1e-9) : 0;
}

static void print_rates(FILE *stream, const pass_row *row, const lcl_layer *l,
                        device_peak peak)
{
    const bool backward = strcmp(row->pass, "backward") == 0;
    const double flops = per_second(flops_of(l, backward), row);
    const double bytes = per_second(bytes_of(l, backward), row);
    const double part = flops / peak.flops > bytes / peak.bandwidth
                            ? flops / peak.flops
                            : bytes / peak.bandwidth;

    if (flops > 0)
        fprintf(stream, " %9.1f", flops * 1e-9);
    else
        fprintf(stream, " %9s", "");
    fprintf(stream, " %8.1f %7.0f%%", bytes * 1e-9, 100 * part);
}

static double share(double ns, const profile_table *t)
{
    return t->ns > 0 ? 100 * ns / t->ns : 0;
}

static void print_row(FILE *stream, const profile_table *t, const pass_row *row,
                      const lcl_layer *l, device_peak peak)
{
    char *name = lcl_format("%s%s%s", row->layer, *row->layer ? " " : "", row->pass);

    fprintf(stream, "%-36s %8zu %11.1f %6.1f%%", *name ? name : "(no layer)", row->n_runs,
            row->ns * 1e-3 / (double)row->n_runs, share(row->ns, t));
    if (l)
        print_rates(stream, row, l, peak);
    fprintf(stream, "\n");
    for (size_t i = 0; i < row->n_kernels; i++) {
        const kernel_row *k = &row->kernels[i];
        fprintf(stream, "    %-32s %8zu %11.1f %6.1f%%\n", k->what, k->n,
                k->ns * 1e-3 / (double)k->n, share(k->ns, t));
    }
    free(name);
}

static void print_table(FILE *stream, const profile_table *t, lcl_device *dev,
                        lcl_net *const *nets, size_t n_nets, device_peak peak)
{
    fprintf(stream, "%s: at most %.1f GFLOP/s and %.1f GB/s (measured)\n",
            lcl_device_get_info(dev)->name, peak.flops * 1e-9, peak.bandwidth * 1e-9);
    fprintf(stream, "%-36s %8s %11s %7s %9s %8s %8s\n", "layer, pass and its kernels",
            "calls", "us/call", "share", "GFLOP/s", "GB/s", "of peak");
    for (size_t i = 0; i < t->n; i++)
        print_row(stream, t, &t->rows[i], find_layer(&t->rows[i], nets, n_nets), peak);
    fprintf(stream, "%-36s %8s %11.1f us in all\n", "total", "", t->ns * 1e-3);
}

lcl_status lcl_profile_print(FILE *stream, lcl_device *dev, lcl_net *const *nets,
                             size_t n_nets, lcl_error *err)
{
    const lcl_profile_event *events;
    size_t n, n_lost;
    profile_table t = {0};
    device_peak peak;

    LCL_TRY(lcl_profile_read(dev, &events, &n, &n_lost, err));
    for (size_t i = 0; i < n; i++)
        add_event(&t, &events[i]);
    lcl_status status = lcl_device_peak(dev, &peak.flops, &peak.bandwidth, err);
    if (status == LCL_OK)
        print_table(stream, &t, dev, nets, n_nets, peak);
    if (n_lost > 0)
        fprintf(stream, "%zu later events were not recorded\n", n_lost);
    free_table(&t);
    return status;
}

/* ---- The trace --------------------------------------------------------------------- */

static void add_string(lcl_text *out, const char *s)
{
    lcl_text_add(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            lcl_text_printf(out, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            lcl_text_printf(out, "\\u%04x", (unsigned)*s);
        else
            lcl_text_add_bytes(out, s, 1);
    }
    lcl_text_add(out, "\"");
}

/* Times in a trace are microseconds, from the first event on. */
static void add_span(lcl_text *out, const char *name, const lcl_profile_event *e,
                     uint64_t start, uint64_t end)
{
    lcl_text_add(out, ",\n{\"name\": ");
    add_string(out, name);
    lcl_text_printf(out,
                    ", \"ph\": \"X\", \"pid\": 1, \"tid\": 1, \"ts\": %.3f, "
                    "\"dur\": %.3f, \"cat\": ",
                    (double)start * 1e-3, (double)(end - start) * 1e-3);
    add_string(out, e->pass);
    lcl_text_add(out, ", \"args\": {\"layer\": ");
    add_string(out, e->layer);
    lcl_text_add(out, "}}");
}

/* The span of a layer's pass, before those of its n kernels, which lie in it. */
static void add_run(lcl_text *out, const lcl_profile_event *e, size_t n, uint64_t zero)
{
    char *name = lcl_format("%s%s%s", e->layer, *e->layer ? " " : "", e->pass);

    if (*name)
        add_span(out, name, e, e[0].start - zero, e[n - 1].end - zero);
    for (size_t i = 0; i < n; i++)
        add_span(out, e[i].what, &e[i], e[i].start - zero, e[i].end - zero);
    free(name);
}

static void add_trace(lcl_text *out, lcl_device *dev, const lcl_profile_event *e,
                      size_t n)
{
    lcl_text_add(out, "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n"
                      "{\"name\": \"process_name\", \"ph\": \"M\", \"pid\": 1, "
                      "\"args\": {\"name\": ");
    add_string(out, lcl_device_get_info(dev)->name);
    lcl_text_add(out, "}},\n{\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, "
                      "\"tid\": 1, \"args\": {\"name\": \"queue\"}}");
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && e[end].run == e[i].run;)
            end++;
        add_run(out, &e[i], end - i, e[0].start);
    }
    lcl_text_add(out, "\n]}\n");
}

lcl_status lcl_profile_write(const char *path, lcl_device *dev, lcl_error *err)
{
    const lcl_profile_event *events;
    size_t n, n_lost;
    lcl_text out = {0};

    LCL_TRY(lcl_profile_read(dev, &events, &n, &n_lost, err));
    add_trace(&out, dev, events, n);
    lcl_status status = lcl_file_write(path, out.text, out.length, err);
    free(out.text);
    return status;
}
