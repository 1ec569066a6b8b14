/* Matrix products: which kernel, tile and vector width; or a call of CLBlast. */
#include "lcl/blas.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <clblast_c.h>

#include "blas_clblast.h"
#include "text.h"
#include "tile.h"

#define MAX_TILE 12
#define PANEL_BYTES ((size_t)256 << 10) /* of B that stay in a core's second cache */
#define PANEL_COLUMNS 4 /* vectors of a row of it, half as many with less */
#define WIDE_PANELS 16  /* registers for sums */
#define PANEL_TILES 3   /* row tiles that take as long as its copy */
#define PANEL_ROWS 32   /* of C that pay for it */
#define DOT_ITEMS 8     /* of a unit of a CPU, where dot products are enough */
#define LONG_SUM 1024   /* terms that pay for the sums of dot products */

enum { ROW_BIAS = 1, COLUMN_BIAS = 2, RELU = 4 }; /* bits of `finish` in cl/gemm.cl */

lcl_status lcl_gemm_backend_parse(lcl_gemm_backend *out, const char *name, lcl_error *err)
{
    static const char *const names[] = {"auto", "own", "clblast"};

    for (size_t i = 0; i < LCL_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (lcl_gemm_backend)i;
            return LCL_OK;
        }
    }
    return lcl_fail(err, LCL_EUSAGE, "--gemm", "'%s' is none of auto, clblast, own",
                    name);
}

void lcl_blas_tile(size_t m, size_t n, int width, int registers, int *rows, int *columns)
{
    double best = INFINITY;

    *rows = *columns = 1;
    for (int r = 1; r <= MAX_TILE; r++) {
        for (int c = 1; c <= MAX_TILE && r * c * width <= registers; c++) {
            if (c > 1 && (r + 1) * c * width >= LCL_REGISTERS(registers))
                continue;
            const size_t r_tiles = (m + (size_t)r - 1) / (size_t)r;
            const size_t c_tiles = (n + (size_t)c - 1) / (size_t)c;
            /* Per step of k a tile costs its multiplications, two a cycle, or its loads,
             * two a cycle, or the latency of its chain of 4 cycles, whichever is more. */
            double cycles = fmax(fmax(r * c * width, r + c * width) / 2.0, 4.0);
            /* Of equals the one with the fewest values to keep beside the sums. */
            double cost = (double)(r_tiles * c_tiles) *
                          (cycles + 0.25 + 0.01 * (r + 2 * c * width));
            if (cost < best) {
                best = cost;
                *rows = r;
                *columns = c;
            }
        }
    }
}

static size_t tiles(size_t n, int tile)
{
    return (n + (size_t)tile - 1) / (size_t)tile;
}

/* The strides of element (row, column) of a matrix as it is after transposition. */
static void element_strides(const lcl_matrix *m, cl_long *row, cl_long *column)
{
    *row = m->transposed ? 1 : (cl_long)m->ld;
    *column = m->transposed ? (cl_long)m->ld : 1;
}

/* What every one of our kernels takes, in OpenCL's types. */
typedef struct {
    cl_int m, n, k, n_sum, accumulate, finish;
    cl_long a_row, a_column, a_stride, b_row, b_column, b_stride, ldc, c_stride;
    cl_mem bias;
    size_t products; /* work-items along z */
} own_args;

static own_args own_prepare(const lcl_gemm_args *g)
{
    own_args o = {
        .m = (cl_int)g->m,
        .n = (cl_int)g->n,
        .k = (cl_int)g->k,
        .n_sum = g->sum ? (cl_int)g->batch : 1,
        .accumulate = g->beta != 0,
        .finish = (g->row_bias ? ROW_BIAS : 0) | (g->column_bias ? COLUMN_BIAS : 0) |
                  (g->relu ? RELU : 0),
        .a_stride = (cl_long)g->a.stride,
        .b_stride = (cl_long)g->b.stride,
        .ldc = (cl_long)g->c.ld,
        .c_stride = (cl_long)g->c.stride,
        .bias = g->row_bias      ? g->row_bias
                : g->column_bias ? g->column_bias
                                 : g->a.buffer,
        .products = g->sum ? 1 : g->batch,
    };
    element_strides(&g->a, &o.a_row, &o.a_column);
    element_strides(&g->b, &o.b_row, &o.b_column);
    return o;
}

static lcl_status own_kernel(lcl_kernel **out, lcl_device *dev, const char *name,
                             int vector, int rows, int columns, lcl_error *err)
{
    const lcl_define defines[] = {
        {"B", vector}, {"V", vector}, {"MT", rows}, {"NT", columns}};

    return lcl_kernel_get(out, dev, "gemm", name, defines, LCL_COUNT(defines), err);
}

/* Columns j0.. of C, one element a work-item. */
static lcl_status own_any(lcl_device *dev, const lcl_gemm_args *g, size_t j0,
                          lcl_error *err)
{
    own_args o = own_prepare(g);
    cl_int first = (cl_int)j0;
    lcl_kernel *kernel;

    LCL_TRY(own_kernel(&kernel, dev, "gemm_any", 1, 1, 1, err));
    const lcl_arg args[] = {
        LCL_ARG(o.k),         LCL_ARG(o.n_sum),     LCL_ARG(first),
        LCL_ARG(g->a.buffer), LCL_ARG(o.a_row),     LCL_ARG(o.a_column),
        LCL_ARG(o.a_stride),  LCL_ARG(g->b.buffer), LCL_ARG(o.b_row),
        LCL_ARG(o.b_column),  LCL_ARG(o.b_stride),  LCL_ARG(g->c.buffer),
        LCL_ARG(o.ldc),       LCL_ARG(o.c_stride),  LCL_ARG(o.accumulate),
        LCL_ARG(o.bias),      LCL_ARG(o.finish)};
    return lcl_kernel_run(dev, kernel, (lcl_range){g->m, g->n - j0, o.products},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* Vectors of `vector` floats along the rows of B and C, which has `vector` columns or
 * more; the columns left over go to own_any. */
static lcl_status own_outer(lcl_device *dev, const lcl_gemm_args *g, int vector,
                            lcl_error *err)
{
    own_args o = own_prepare(g);
    const size_t per_product = g->n / (size_t)vector;
    const bool merged = !g->sum && g->a.stride == 0;
    const size_t n_blocks = merged ? per_product * g->batch : per_product;
    cl_int blocks = (cl_int)per_product, all_blocks = (cl_int)n_blocks;
    lcl_kernel *kernel;
    int rows, columns;

    lcl_blas_tile(g->m, n_blocks, 1, lcl_tile_get(dev, LCL_TILE_GEMM), &rows, &columns);
    LCL_TRY(own_kernel(&kernel, dev, "gemm_outer", vector, rows, columns, err));
    const lcl_arg args[] = {
        LCL_ARG(o.m),          LCL_ARG(blocks),     LCL_ARG(all_blocks),
        LCL_ARG(o.k),          LCL_ARG(o.n_sum),    LCL_ARG(g->a.buffer),
        LCL_ARG(o.a_row),      LCL_ARG(o.a_column), LCL_ARG(o.a_stride),
        LCL_ARG(g->b.buffer),  LCL_ARG(o.b_row),    LCL_ARG(o.b_stride),
        LCL_ARG(g->c.buffer),  LCL_ARG(o.ldc),      LCL_ARG(o.c_stride),
        LCL_ARG(o.accumulate), LCL_ARG(o.bias),     LCL_ARG(o.finish)};
    lcl_range range = {tiles(g->m, rows), tiles(n_blocks, columns),
                       merged ? 1 : o.products};
    LCL_TRY(
        lcl_kernel_run(dev, kernel, range, (lcl_range){0}, args, LCL_COUNT(args), err));
    if (g->n % (size_t)vector != 0)
        return own_any(dev, g, g->n - g->n % (size_t)vector, err);
    return LCL_OK;
}

/* Shares of the row tiles that keep all units busy without copying panels too often. */
static size_t row_shares(const lcl_device *dev, size_t row_tiles, size_t panels)
{
    const size_t units = lcl_device_get_info(dev)->compute_units;
    size_t best = SIZE_MAX, shares = 1;

    for (size_t n = 1; n <= row_tiles && n <= 4 * units; n++) {
        const size_t rounds = (panels * n + units - 1) / units;
        const size_t cost = rounds * ((row_tiles + n - 1) / n + PANEL_TILES);
        if (cost < best) {
            best = cost;
            shares = n;
        }
    }
    return shares;
}

/* Column tiles of a work-item of gemm_dot: on a CPU as many as leave each unit some items. */
static size_t dot_columns(const lcl_device *dev, size_t column_tiles, size_t products)
{
    const size_t items = DOT_ITEMS * lcl_device_get_info(dev)->compute_units;
    const size_t each = column_tiles * products / items;

    if (!lcl_device_is_cpu(dev) || each < 1)
        return 1;
    return each < column_tiles ? each : column_tiles;
}

/* Vectors along k, for A row-major and B given transposed. */
static lcl_status own_dot(lcl_device *dev, const lcl_gemm_args *g, int vector,
                          lcl_error *err)
{
    own_args o = own_prepare(g);
    lcl_kernel *kernel;
    int rows, columns;

    lcl_blas_tile(g->m, g->n, 1, lcl_tile_get(dev, LCL_TILE_GEMM_DOT), &rows, &columns);
    LCL_TRY(own_kernel(&kernel, dev, "gemm_dot", vector, rows, columns, err));
    const size_t row_tiles = tiles(g->m, rows), column_tiles = tiles(g->n, columns);
    const cl_int each = (cl_int)dot_columns(dev, column_tiles, o.products);
    const lcl_arg args[] = {
        LCL_ARG(o.m),        LCL_ARG(o.n),        LCL_ARG(o.k),
        LCL_ARG(o.n_sum),    LCL_ARG(each),       LCL_ARG(g->a.buffer),
        LCL_ARG(o.a_row),    LCL_ARG(o.a_stride), LCL_ARG(g->b.buffer),
        LCL_ARG(o.b_column), LCL_ARG(o.b_stride), LCL_ARG(g->c.buffer),
        LCL_ARG(o.ldc),      LCL_ARG(o.c_stride), LCL_ARG(o.accumulate),
        LCL_ARG(o.bias),     LCL_ARG(o.finish)};
    const size_t column_shares = tiles(column_tiles, each);
    const size_t shares = lcl_device_is_cpu(dev)
                              ? row_shares(dev, row_tiles, column_shares * o.products)
                              : row_tiles;
    return lcl_kernel_run(dev, kernel, (lcl_range){shares, column_shares, o.products},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* The same tile for almost all products, so that few kernels are built; the last of many row tiles
 * may be in vain. */
static void panel_tile(const lcl_device *dev, size_t m, size_t n_blocks, int *rows,
                       int *columns)
{
    const int registers = lcl_tile_get(dev, LCL_TILE_GEMM);

    *columns = registers < WIDE_PANELS ? PANEL_COLUMNS / 2 : PANEL_COLUMNS;
    *rows = registers / *columns;
    if (n_blocks < (size_t)*columns)
        lcl_blas_tile(m, n_blocks, 1, registers, rows, columns);
}

/* The same with B in panels (cl/gemm.cl), for any layout of A and B. */
static lcl_status own_panel(lcl_device *dev, const lcl_gemm_args *g, int vector,
                            lcl_error *err)
{
    own_args o = own_prepare(g);
    const size_t per_product = tiles(g->n, vector);
    const bool merged = !g->sum && g->a.stride == 0;
    const size_t n_blocks = merged ? per_product * g->batch : per_product;
    cl_int blocks = (cl_int)per_product, all_blocks = (cl_int)n_blocks;
    lcl_kernel *kernel;
    int rows, columns;

    panel_tile(dev, g->m, n_blocks, &rows, &columns);
    const size_t row_bytes = (size_t)(columns * vector) * sizeof(float);
    const lcl_define defines[] = {{"B", vector},
                                  {"V", vector},
                                  {"MT", rows},
                                  {"NT", columns},
                                  {"TERMS", (long)(PANEL_BYTES / row_bytes)}};
    LCL_TRY(lcl_kernel_get(&kernel, dev, "gemm", "gemm_panel", defines,
                           LCL_COUNT(defines), err));
    const lcl_arg args[] = {
        LCL_ARG(o.m),         LCL_ARG(o.n),         LCL_ARG(blocks),
        LCL_ARG(all_blocks),  LCL_ARG(o.k),         LCL_ARG(o.n_sum),
        LCL_ARG(g->a.buffer), LCL_ARG(o.a_row),     LCL_ARG(o.a_column),
        LCL_ARG(o.a_stride),  LCL_ARG(g->b.buffer), LCL_ARG(o.b_row),
        LCL_ARG(o.b_column),  LCL_ARG(o.b_stride),  LCL_ARG(g->c.buffer),
        LCL_ARG(o.ldc),       LCL_ARG(o.c_stride),  LCL_ARG(o.accumulate),
        LCL_ARG(o.bias),      LCL_ARG(o.finish)};
    const size_t products = merged ? 1 : o.products, panels = tiles(n_blocks, columns);
    const size_t shares = row_shares(dev, tiles(g->m, rows), products * panels);
    return lcl_kernel_run(dev, kernel, (lcl_range){shares, panels, products},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* The widest vector of at most `limit` floats that fits into n. */
static int fitting_vector(size_t n, int limit)
{
    int vector = limit;

    while ((size_t)vector > n)
        vector /= 2;
    return vector;
}

static bool panel_suits(const lcl_gemm_args *g, size_t vector)
{
    if (g->n < vector)
        return false;
    if (!g->b.transposed)
        return g->m >= PANEL_ROWS;
    return g->a.transposed || (g->m >= 8 && g->k < LONG_SUM);
}

static lcl_status own_gemm(lcl_device *dev, const lcl_gemm_args *g, lcl_error *err)
{
    const int widest = lcl_device_vector(dev);

    if (lcl_device_is_cpu(dev) && panel_suits(g, (size_t)widest))
        return own_panel(dev, g, widest, err);
    if (!g->b.transposed) {
        int vector = fitting_vector(g->n, widest);
        if (vector > 1)
            return own_outer(dev, g, vector, err);
    } else if (!g->a.transposed) {
        int vector = fitting_vector(g->k, widest);
        if (vector > 1)
            return own_dot(dev, g, vector, err);
    }
    return own_any(dev, g, 0, err);
}

static lcl_status add_bias(lcl_device *dev, const lcl_gemm_args *g, lcl_error *err)
{
    own_args o = own_prepare(g);
    lcl_kernel *kernel;

    LCL_TRY(own_kernel(&kernel, dev, "gemm_bias", 1, 1, 1, err));
    const lcl_arg args[] = {LCL_ARG(o.n),         LCL_ARG(o.bias), LCL_ARG(o.finish),
                            LCL_ARG(g->c.buffer), LCL_ARG(o.ldc),  LCL_ARG(o.c_stride)};
    return lcl_kernel_run(dev, kernel, (lcl_range){g->m, g->batch, 1}, (lcl_range){0},
                          args, LCL_COUNT(args), err);
}

static lcl_status apply_relu(lcl_device *dev, const lcl_gemm_args *g, lcl_error *err)
{
    own_args o = own_prepare(g);
    lcl_kernel *kernel;

    LCL_TRY(own_kernel(&kernel, dev, "gemm_relu", 1, 1, 1, err));
    const lcl_arg args[] = {LCL_ARG(o.n), LCL_ARG(g->c.buffer), LCL_ARG(o.ldc),
                            LCL_ARG(o.c_stride)};
    return lcl_kernel_run(dev, kernel, (lcl_range){g->m, g->batch, 1}, (lcl_range){0},
                          args, LCL_COUNT(args), err);
}

static CLBlastTranspose clblast_transpose(const lcl_matrix *m)
{
    return m->transposed ? CLBlastTransposeYes : CLBlastTransposeNo;
}

static lcl_status clblast_gemm(lcl_device *dev, const lcl_gemm_args *g, lcl_error *err)
{
    cl_command_queue queue = lcl_device_queue(dev);
    const bool has_bias = g->row_bias || g->column_bias;
    float beta = has_bias ? 1.0f : g->beta;
    CLBlastStatusCode rc = CLBlastSuccess;

    LCL_TRY(lcl_clblast_parameters(dev, err));
    if (has_bias)
        LCL_TRY(add_bias(dev, g, err));
    for (size_t i = 0; !lcl_device_is_dry(dev) && i < g->batch && rc == CLBlastSuccess;
         i++) {
        rc = CLBlastSgemm(CLBlastLayoutRowMajor, clblast_transpose(&g->a),
                          clblast_transpose(&g->b), g->m, g->n, g->k, 1.0f, g->a.buffer,
                          i * g->a.stride, g->a.ld, g->b.buffer, i * g->b.stride, g->b.ld,
                          beta, g->c.buffer, i * g->c.stride, g->c.ld, &queue, NULL);
        if (g->sum)
            beta = 1.0f;
    }
    if (rc != CLBlastSuccess)
        return lcl_fail(err, LCL_EDEVICE, "CLBlast", "SGEMM of %zu x %zu x %zu: %s", g->m,
                        g->n, g->k, lcl_cl_name(rc));
    return g->relu ? apply_relu(dev, g, err) : LCL_OK;
}

bool lcl_gemm_is_clblast(const lcl_blas *blas)
{
    return blas->backend == LCL_GEMM_CLBLAST ||
           (blas->backend == LCL_GEMM_AUTO && !lcl_device_is_cpu(blas->dev));
}

lcl_status lcl_gemm(const lcl_blas *blas, const lcl_gemm_args *args, lcl_error *err)
{
    assert((!args->row_bias && !args->column_bias) || (!args->sum && args->beta == 0));
    assert(!args->sum || (args->c.stride == 0 && !args->relu));
    if (args->m == 0 || args->n == 0 || args->batch == 0)
        return LCL_OK;
    if (lcl_gemm_is_clblast(blas))
        return clblast_gemm(blas->dev, args, err);
    return own_gemm(blas->dev, args, err);
}
