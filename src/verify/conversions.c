/* Blobs from one layout to another: nothing may change, and lanes without an image are
 * zero. */
#include <math.h>
#include <stdlib.h>

#include "bench/reference.h"
#include "lcl/blob.h"
#include "text.h"
#include "verify/verify.h"

typedef struct {
    lcl_blob *from, *to;            /* owned */
    float *values, *stored, *right; /* row-major; as the device has `to`, and should */
} conversion;

static void release(conversion *c)
{
    lcl_blob_destroy(c->from);
    lcl_blob_destroy(c->to);
    free(c->values);
    free(c->stored);
    free(c->right);
}

/* How many floats of the converted blob are other ones than they should be. */
static lcl_status convert(conversion *c, lcl_device *dev, int n_axes, const int *shape,
                          int from, int to, double *wrong, lcl_error *err)
{
    c->from = lcl_blob_create(dev, "from");
    c->to = lcl_blob_create(dev, "to");
    LCL_TRY(lcl_blob_reshape(c->from, n_axes, shape, from, err));
    LCL_TRY(lcl_blob_reshape(c->to, n_axes, shape, to, err));
    const size_t n = lcl_blob_count(c->from), n_stored = lcl_blob_stored(c->to);
    c->values = lcl_alloc(n, sizeof(float));
    c->stored = lcl_alloc(n_stored, sizeof(float));
    c->right = lcl_alloc(n_stored, sizeof(float));
    lcl_bench_fill(c->values, n, 1);
    lcl_pack(c->right, c->values, (size_t)shape[0], n / (size_t)shape[0], (size_t)to);
    LCL_TRY(lcl_blob_write(c->from, LCL_DATA, c->values, err));
    LCL_TRY(lcl_buffer_fill(dev, c->to->data, 0, n_stored * sizeof(float), 7, err));
    LCL_TRY(lcl_blob_convert(c->to, c->from, LCL_DATA, err));
    LCL_TRY(
        lcl_buffer_read(dev, c->to->data, 0, n_stored * sizeof(float), c->stored, err));
    *wrong = 0;
    for (size_t i = 0; i < n_stored; i++)
        *wrong += c->stored[i] != c->right[i];
    return LCL_OK;
}

static void check(lcl_verify *v, int n_axes, const int *shape, int from, int to)
{
    conversion c = {0};
    lcl_error err = {0};
    char row[64], name[64];
    double wrong = 0;

    snprintf(row, sizeof row, "blocks of %d", from);
    snprintf(name, sizeof name, "%d images to blocks of %d", shape[0], to);
    if (!lcl_verify_wants(v, row))
        return;
    lcl_verify_progress(v, row, name);
    lcl_status status = convert(&c, v->dev, n_axes, shape, from, to, &wrong, &err);
    lcl_verify_note(v, (lcl_verify_finding){.row = row,
                                            .name = name,
                                            .mode.block = from == 1 ? to : from,
                                            .error = wrong,
                                            .where = "values",
                                            .failure = status == LCL_OK ? NULL : &err});
    release(&c);
}

void lcl_verify_conversions(lcl_verify *v)
{
    static const int shapes[][4] = {{17, 3, 5, 7}, {5, 1, 1, 33}, {64, 20, 12, 12}};
    static const int blocks[] = {1, 4, 16, 32};
    const size_t n = v->options->quick ? 2 : LCL_COUNT(shapes);

    for (size_t from = 0; from < LCL_COUNT(blocks); from++)
        for (size_t to = 0; to < LCL_COUNT(blocks); to++)
            for (size_t s = 0; s < n; s++)
                if (from != to)
                    check(v, 4, shapes[s], blocks[from], blocks[to]);
}
