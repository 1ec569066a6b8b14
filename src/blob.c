/* Blobs: shapes, memory and the conversion of layouts; see include/lcl/blob.h. */
#include "lcl/blob.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

lcl_blob *lcl_blob_create(lcl_device *dev, const char *name)
{
    lcl_blob *b = lcl_alloc(1, sizeof *b);

    b->dev = dev;
    b->name = lcl_strdup(name ? name : "");
    b->block = 1;
    return b;
}

void lcl_blob_destroy(lcl_blob *b)
{
    if (!b)
        return;
    lcl_buffer_release(&b->data);
    lcl_buffer_release(&b->diff);
    free(b->written);
    free(b->name);
    free(b);
}

/* ---- Shape ------------------------------------------------------------------------- */

size_t lcl_blob_count_range(const lcl_blob *b, int axis, int end)
{
    size_t count = 1;

    assert(0 <= axis && axis <= end && end <= b->n_axes);
    for (int i = axis; i < end; i++)
        count *= (size_t)b->shape[i];
    return count;
}

size_t lcl_blob_count(const lcl_blob *b)
{
    return lcl_blob_count_range(b, 0, b->n_axes);
}

size_t lcl_blob_image_count(const lcl_blob *b)
{
    return b->n_axes > 0 ? lcl_blob_count_range(b, 1, b->n_axes) : 1;
}

static size_t blob_round_up(size_t n, size_t block)
{
    return (n + block - 1) / block;
}

size_t lcl_blob_n_blocks(const lcl_blob *b)
{
    return b->n_axes > 0 ? blob_round_up((size_t)b->shape[0], (size_t)b->block) : 1;
}

size_t lcl_blob_stored(const lcl_blob *b)
{
    if (b->n_axes == 0)
        return 1;
    return lcl_blob_n_blocks(b) * lcl_blob_image_count(b) * (size_t)b->block;
}

int lcl_blob_dim(const lcl_blob *b, int axis)
{
    assert(axis >= 0);
    return axis < b->n_axes ? b->shape[axis] : 1;
}

static void blob_shape_text(int n_axes, const int *shape, lcl_text *t)
{
    for (int i = 0; i < n_axes; i++)
        lcl_text_printf(t, "%d ", shape[i]);
}

void lcl_blob_shape_text(const lcl_blob *b, char *out, size_t size)
{
    lcl_text t = {0};

    blob_shape_text(b->n_axes, b->shape, &t);
    lcl_text_printf(&t, "(%zu)", lcl_blob_count(b));
    snprintf(out, size, "%s", t.text);
    free(t.text);
}

bool lcl_blob_same_shape(const lcl_blob *a, const lcl_blob *b)
{
    return a->n_axes == b->n_axes &&
           memcmp(a->shape, b->shape, (size_t)a->n_axes * sizeof *a->shape) == 0;
}

static lcl_status blob_bad_shape(const lcl_blob *b, int n_axes, const int *shape,
                                 const char *why, lcl_error *err)
{
    lcl_text t = {0};
    lcl_status status;

    blob_shape_text(n_axes, shape, &t);
    if (t.length > 0)
        t.text[t.length - 1] = '\0';
    status = lcl_fail(err, LCL_ESHAPE, NULL, "blob '%s' cannot have shape (%s): %s",
                      b->name, t.text ? t.text : "", why);
    free(t.text);
    return status;
}

/* Kernels count elements in an int. */
static lcl_status blob_check_shape(const lcl_blob *b, int n_axes, const int *shape,
                                   int block, lcl_error *err)
{
    size_t stored = 1;

    if (n_axes < 0 || n_axes > LCL_MAX_AXES)
        return lcl_fail(err, LCL_ESHAPE, NULL, "blob '%s' cannot have %d axes, only 0-%d",
                        b->name, n_axes, LCL_MAX_AXES);
    for (int i = 0; i < n_axes; i++)
        if (shape[i] < 0)
            return blob_bad_shape(b, n_axes, shape, "a dimension is negative", err);
    for (int i = 0; i < n_axes; i++) {
        size_t dim = (size_t)shape[i];

        if (i == 0)
            dim = blob_round_up(dim, (size_t)block) * (size_t)block;
        if (!lcl_multiply(stored, dim, &stored) || stored > INT_MAX)
            return blob_bad_shape(b, n_axes, shape, "it has over 2147483647 elements",
                                  err);
    }
    return LCL_OK;
}

/* ---- Memory ------------------------------------------------------------------------ */

static lcl_status blob_allocate(lcl_blob *b, cl_mem *memory, const char *what,
                                lcl_error *err)
{
    char *name = lcl_format("%s of blob '%s'", what, b->name);
    lcl_status status =
        lcl_buffer_create(memory, b->dev, b->capacity * sizeof(float), name, err);

    free(name);
    return status;
}

static void blob_forget(lcl_blob *b)
{
    free(b->written);
    b->written = NULL;
    b->shared = NULL;
}

lcl_status lcl_blob_reshape(lcl_blob *b, int n_axes, const int *shape, int block,
                            lcl_error *err)
{
    bool had_diff = b->diff != NULL;
    size_t old_count = lcl_blob_count(b);
    lcl_status status;

    assert(block >= 1);
    LCL_TRY(blob_check_shape(b, n_axes, shape, block, err));
    if (n_axes > 0)
        memmove(b->shape, shape, (size_t)n_axes * sizeof *shape);
    b->n_axes = n_axes;
    b->block = block;
    if (lcl_blob_count(b) != old_count)
        blob_forget(b);
    if (b->data && lcl_blob_stored(b) <= b->capacity)
        return LCL_OK;

    lcl_buffer_release(&b->data);
    lcl_buffer_release(&b->diff);
    b->capacity = lcl_blob_stored(b);
    status = blob_allocate(b, &b->data, "data", err);
    if (status == LCL_OK && had_diff)
        status = lcl_blob_need_diff(b, err);
    if (status != LCL_OK) {
        lcl_buffer_release(&b->data);
        b->capacity = 0;
    }
    return status;
}

lcl_status lcl_blob_need_diff(lcl_blob *b, lcl_error *err)
{
    return b->diff ? LCL_OK : blob_allocate(b, &b->diff, "diff", err);
}

/* One more owner of `from`'s memory instead of *memory, which may be the same. */
static void blob_share(lcl_blob *b, cl_mem *memory, cl_mem from, size_t from_capacity)
{
    if (from)
        clRetainMemObject(from);
    lcl_buffer_release(memory);
    *memory = from;
    if (b->capacity == 0 || from_capacity < b->capacity)
        b->capacity = from_capacity;
}

void lcl_blob_share_data(lcl_blob *b, const lcl_blob *from)
{
    assert(lcl_blob_stored(b) == lcl_blob_stored(from));
    blob_share(b, &b->data, from->data, from->capacity);
    if (b == from || !lcl_device_is_blank(b->dev))
        return;
    blob_forget(b);
    b->shared = from;
}

void lcl_blob_share_diff(lcl_blob *b, const lcl_blob *from)
{
    assert(lcl_blob_stored(b) == lcl_blob_stored(from));
    blob_share(b, &b->diff, from->diff, from->capacity);
}

/* ---- Host copies ------------------------------------------------------------------- */

void lcl_pack(float *out, const float *in, size_t n, size_t count, size_t block)
{
    for (size_t first = 0; first < n; first += block, out += count * block) {
        size_t n_lanes = n - first < block ? n - first : block;

        if (n_lanes < block)
            memset(out, 0, count * block * sizeof *out);
        for (size_t lane = 0; lane < n_lanes; lane++, in += count)
            for (size_t i = 0; i < count; i++)
                out[i * block + lane] = in[i];
    }
}

void lcl_unpack(float *out, const float *in, size_t n, size_t count, size_t block)
{
    for (size_t first = 0; first < n; first += block, in += count * block) {
        size_t n_lanes = n - first < block ? n - first : block;

        for (size_t lane = 0; lane < n_lanes; lane++, out += count)
            for (size_t i = 0; i < count; i++)
                out[i] = in[i * block + lane];
    }
}

static cl_mem blob_memory(const lcl_blob *b, lcl_which which)
{
    cl_mem memory = which == LCL_DATA ? b->data : b->diff;

    assert(memory || lcl_device_is_blank(b->dev));
    return memory;
}

static bool blob_is_plain(const lcl_blob *b)
{
    return b->block == 1 || b->n_axes == 0;
}

/* ---- On a blank device ------------------------------------------------------------- */

static const float *blob_written(const lcl_blob *b)
{
    return b->written || !b->shared ? b->written : blob_written(b->shared);
}

bool lcl_blob_has_data(const lcl_blob *b)
{
    return !lcl_device_is_blank(b->dev) || blob_written(b);
}

static void blob_recall(const lcl_blob *b, lcl_which which, float *out)
{
    const float *written = which == LCL_DATA ? blob_written(b) : NULL;
    size_t size = lcl_blob_count(b) * sizeof *out;

    if (written)
        memcpy(out, written, size);
    else
        memset(out, 0, size);
}

static void blob_note(lcl_blob *b, lcl_which which, const float *in)
{
    size_t count = lcl_blob_count(b);

    if (which != LCL_DATA)
        return;
    if (!b->written)
        b->written = lcl_alloc(count, sizeof *b->written);
    memcpy(b->written, in, count * sizeof *in);
}

/* ---- On a device ------------------------------------------------------------------- */

lcl_status lcl_blob_read(const lcl_blob *b, lcl_which which, float *out, lcl_error *err)
{
    size_t size = lcl_blob_stored(b) * sizeof(float);
    float *stored;
    lcl_status status;

    if (lcl_device_is_blank(b->dev)) {
        blob_recall(b, which, out);
        return LCL_OK;
    }
    if (blob_is_plain(b))
        return lcl_buffer_read(b->dev, blob_memory(b, which), 0, size, out, err);
    stored = lcl_alloc(size, 1);
    status = lcl_buffer_read(b->dev, blob_memory(b, which), 0, size, stored, err);
    if (status == LCL_OK)
        lcl_unpack(out, stored, (size_t)b->shape[0], lcl_blob_image_count(b),
                   (size_t)b->block);
    free(stored);
    return status;
}

lcl_status lcl_blob_write(lcl_blob *b, lcl_which which, const float *in, lcl_error *err)
{
    size_t size = lcl_blob_stored(b) * sizeof(float);
    float *stored;
    lcl_status status;

    if (lcl_device_is_blank(b->dev)) {
        blob_note(b, which, in);
        return LCL_OK;
    }
    if (blob_is_plain(b))
        return lcl_buffer_write(b->dev, blob_memory(b, which), 0, size, in, err);
    stored = lcl_alloc(size, 1);
    lcl_pack(stored, in, (size_t)b->shape[0], lcl_blob_image_count(b), (size_t)b->block);
    status = lcl_buffer_write(b->dev, blob_memory(b, which), 0, size, stored, err);
    free(stored);
    return status;
}
