/* The peaks of a device: multiply-adds a second, and bytes of memory a second. */
#include <math.h>
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/reference.h"
#include "text.h"

/* ---- Arithmetic -------------------------------------------------------------------- */

typedef struct {
    lcl_device *dev;
    lcl_kernel *kernel;
    cl_mem out;
    lcl_range items, group;
    int width, chains, steps;
    const char *function; /* fma, or mad where a compiler has something better for it */
} fma_run;

static const float factor = 0.75f, addend = 0.5f;

static lcl_status run_fma(void *what, lcl_error *err)
{
    fma_run *f = what;
    const lcl_arg args[] = {LCL_ARG(f->out), LCL_ARG(f->steps), LCL_ARG(factor),
                            LCL_ARG(addend)};

    return lcl_kernel_run(f->dev, f->kernel, f->items, f->group, args, LCL_COUNT(args),
                          err);
}

/* Every element is the sum of the same chains. */
static lcl_status check_fma(void *what, double *error, lcl_error *err)
{
    const fma_run *f = what;
    const size_t n = f->items.x * (size_t)f->width;
    float *found = lcl_alloc(n, sizeof *found);
    lcl_status status = lcl_buffer_read(f->dev, f->out, 0, n * sizeof *found, found, err);
    lcl_bench_error e = {0};
    double right = 0;

    for (int c = 0; c < f->chains; c++) {
        double x = c;
        for (int i = 0; i < f->steps; i++)
            x = x * (double)factor + (double)addend;
        right += x;
    }
    for (size_t i = 0; status == LCL_OK && i < n; i++)
        lcl_bench_compare(&e, (double)found[i], right);
    *error = lcl_bench_error_part(&e);
    free(found);
    return status;
}

/* Enough work-items for every unit: groups of 128 on a GPU, single ones on a CPU. */
static void choose_items(const lcl_device *dev, lcl_range *items, lcl_range *group)
{
    const lcl_device_info *info = lcl_device_get_info(dev);
    size_t size = lcl_device_is_cpu(dev) ? 1 : 128;

    if (size > info->largest_work_group)
        size = info->largest_work_group;
    *group = (lcl_range){size, 1, 1};
    *items =
        (lcl_range){size * 16 * (info->compute_units ? info->compute_units : 1), 1, 1};
}

static lcl_status prepare_fma(fma_run *f, lcl_error *err)
{
    const lcl_define defines[] = {{.name = "B", .value = f->width},
                                  {.name = "V", .value = f->width},
                                  {.name = "CHAINS", .value = f->chains},
                                  {.name = "MULTIPLY_ADD", .text = f->function}};

    choose_items(f->dev, &f->items, &f->group);
    LCL_TRY(lcl_kernel_get(&f->kernel, f->dev, "peak", "peak_multiply_add", defines,
                           LCL_COUNT(defines), err));
    return lcl_buffer_create(&f->out, f->dev,
                             f->items.x * (size_t)f->width * sizeof(float),
                             "the arithmetic's results", err);
}

static void measure_fma(lcl_bench *b, const char *function, int width, int chains)
{
    fma_run f = {.dev = b->dev,
                 .width = width,
                 .chains = chains,
                 .steps = 1 << 16,
                 .function = function};
    char name[32], variant[32];
    lcl_error err = {0};

    snprintf(name, sizeof name, width == 1 ? "float" : "float%d", width);
    snprintf(variant, sizeof variant, "%d x %s", chains, function);
    if (prepare_fma(&f, &err) != LCL_OK) {
        lcl_bench_skip(b, name, variant, err.message);
        return;
    }
    const lcl_bench_case c = {
        .name = name,
        .variant = variant,
        .flop = 2.0 * (double)f.items.x * width * chains * f.steps,
        .run = run_fma,
        .check = check_fma,
        .tolerance = 1e-5,
    };
    if (lcl_bench_do(b, &c, &f)) {
        double seconds = b->device->rows[b->device->n_rows - 1].time.min;
        b->device->flops = fmax(b->device->flops, c.flop / seconds);
    }
    lcl_buffer_release(&f.out);
}

void lcl_bench_peak(lcl_bench *b)
{
    static const struct {
        const char *function;
        int width, chains;
    } variants[] = {{"fma", 1, 16}, {"fma", 4, 4},   {"fma", 4, 8},   {"fma", 8, 8},
                    {"fma", 16, 8}, {"fma", 16, 16}, {"mad", 16, 16}, {"fma", 16, 24}};

    for (size_t i = 0; i < LCL_COUNT(variants); i++)
        measure_fma(b, variants[i].function, variants[i].width, variants[i].chains);
}

/* ---- Memory ------------------------------------------------------------------------ */

#define MOST_BYTES ((size_t)256 << 20)
#define PERIOD 256 /* of the values in memory */

typedef struct {
    lcl_device *dev;
    lcl_kernel *kernel;
    cl_mem in, out;
    lcl_range items, group;
    int width, count; /* vectors of a work-item */
    size_t size;      /* bytes */
    bool copies;
} memory_run;

static lcl_status run_memory(void *what, lcl_error *err)
{
    memory_run *m = what;
    bool cpu = lcl_device_is_cpu(m->dev);
    cl_ulong first = cpu ? (cl_ulong)m->count : 1, step = cpu ? 1 : m->items.x;
    const lcl_arg args[] = {LCL_ARG(m->in), LCL_ARG(m->out), LCL_ARG(m->count),
                            LCL_ARG(first), LCL_ARG(step)};

    return lcl_kernel_run(m->dev, m->kernel, m->items, m->group, args, LCL_COUNT(args),
                          err);
}

static double value_at(size_t i)
{
    return (double)(i % PERIOD) - 100;
}

/* A part of the copy. */
static lcl_status check_copy(const memory_run *m, lcl_bench_error *e, lcl_error *err)
{
    float part[PERIOD];

    for (size_t i = 0; i < 64; i++) {
        size_t at = lcl_bench_pick(i, m->size / sizeof part) * PERIOD;
        LCL_TRY(
            lcl_buffer_read(m->dev, m->out, at * sizeof(float), sizeof part, part, err));
        for (size_t k = 0; k < PERIOD; k++)
            lcl_bench_compare(e, (double)part[k], value_at(at + k));
    }
    return LCL_OK;
}

/* The sum of all sums. */
static lcl_status check_sums(const memory_run *m, lcl_bench_error *e, lcl_error *err)
{
    const size_t n = m->items.x * (size_t)m->width;
    float *sums = lcl_alloc(n, sizeof *sums);
    lcl_status status = lcl_buffer_read(m->dev, m->out, 0, n * sizeof *sums, sums, err);
    double found = 0, right = 0;

    for (size_t i = 0; i < n; i++)
        found += (double)sums[i];
    for (size_t i = 0; i < PERIOD; i++)
        right += value_at(i) * (double)(m->size / sizeof(float) / PERIOD);
    lcl_bench_compare(e, found, right);
    free(sums);
    return status;
}

static lcl_status check_memory(void *what, double *error, lcl_error *err)
{
    const memory_run *m = what;
    lcl_bench_error e = {0};

    LCL_TRY(m->copies ? check_copy(m, &e, err) : check_sums(m, &e, err));
    *error = lcl_bench_error_part(&e);
    return LCL_OK;
}

static lcl_status fill_memory(const memory_run *m, lcl_error *err)
{
    size_t n = (size_t)1 << 20;
    float *values = lcl_alloc(n, sizeof *values);
    lcl_status status = LCL_OK;

    for (size_t i = 0; i < n; i++)
        values[i] = (float)value_at(i);
    for (size_t at = 0; at < m->size && status == LCL_OK; at += n * sizeof *values)
        status = lcl_buffer_write(m->dev, m->in, at, n * sizeof *values, values, err);
    free(values);
    return status;
}

static lcl_status prepare_memory(memory_run *m, lcl_error *err)
{
    const lcl_device_info *info = lcl_device_get_info(m->dev);
    const lcl_define defines[] = {{"B", m->width}, {"V", m->width}};

    for (m->size = (size_t)4 << 20; m->size * 2 <= MOST_BYTES &&
                                    m->size * 8 <= info->global_memory &&
                                    m->size * 4 <= info->largest_allocation;)
        m->size *= 2;
    m->count = lcl_device_is_cpu(m->dev) ? 1024 : 16;
    m->items.x = m->size / sizeof(float) / (size_t)(m->width * m->count);
    m->group = (lcl_range){lcl_device_is_cpu(m->dev) ? 1 : 128, 1, 1};
    LCL_TRY(lcl_kernel_get(&m->kernel, m->dev, "peak",
                           m->copies ? "peak_copy" : "peak_read", defines,
                           LCL_COUNT(defines), err));
    LCL_TRY(lcl_buffer_create(&m->in, m->dev, m->size, "the memory to read", err));
    LCL_TRY(lcl_buffer_create(&m->out, m->dev, m->size, "the memory to write", err));
    return fill_memory(m, err);
}

static void measure_memory(lcl_bench *b, bool copies)
{
    memory_run m = {
        .dev = b->dev, .copies = copies, .width = lcl_device_is_cpu(b->dev) ? 16 : 4};
    const char *name = copies ? "copy" : "read";
    char variant[32];
    lcl_error err = {0};

    if (prepare_memory(&m, &err) != LCL_OK) {
        lcl_bench_skip(b, name, "", err.message);
    } else {
        snprintf(variant, sizeof variant, "%zu MB", m.size >> 20);
        const lcl_bench_case c = {
            .name = name,
            .variant = variant,
            .bytes = (double)m.size * (copies ? 2 : 1),
            .run = run_memory,
            .check = check_memory,
            .tolerance = copies ? 0 : 1e-5,
        };
        if (lcl_bench_do(b, &c, &m)) {
            double seconds = b->device->rows[b->device->n_rows - 1].time.min;
            b->device->bandwidth = fmax(b->device->bandwidth, c.bytes / seconds);
        }
    }
    lcl_buffer_release(&m.in);
    lcl_buffer_release(&m.out);
}

void lcl_bench_bandwidth(lcl_bench *b)
{
    measure_memory(b, true);
    measure_memory(b, false);
}
