/* Makes batches on a thread, in the layout of the tops, and copies them there. */
#include "feed.h"

#include <stdlib.h>

#include "staging.h"
#include "text.h"

struct lcl_feed {
    lcl_layer *layer;
    lcl_feed_fill fill;
    lcl_staging *staging; /* of slots with all tops, one behind the other */
    size_t n_tops;
    float **rows;   /* the batch being made, where a top is not row-major; the thread's */
    float **values; /* where the fill function writes; not owned */
};

/* Blocks of one image, or of one value an image, are row-major already. */
static bool is_packed(const lcl_blob *b)
{
    return b->block > 1 && lcl_blob_image_count(b) > 1;
}

/* On the thread. */
static lcl_status fill_slot(void *context, void *slot, lcl_error *err)
{
    lcl_feed *f = context;
    float *to = slot;

    for (size_t i = 0; i < f->n_tops; i++) {
        f->values[i] = f->rows[i] ? f->rows[i] : to;
        to += lcl_blob_stored(f->layer->tops[i]);
    }
    LCL_TRY(f->fill(f->layer, f->values, err));
    to = slot;
    for (size_t i = 0; i < f->n_tops; i++) {
        const lcl_blob *top = f->layer->tops[i];
        if (f->rows[i])
            lcl_pack(to, f->rows[i], (size_t)top->shape[0], lcl_blob_image_count(top),
                     (size_t)top->block);
        to += lcl_blob_stored(top);
    }
    return LCL_OK;
}

lcl_status lcl_feed_start(lcl_feed **out, lcl_layer *l, size_t n_ahead,
                          lcl_feed_fill fill, lcl_error *err)
{
    *out = NULL;
    if (lcl_device_is_blank(l->dev))
        return LCL_OK;
    lcl_feed *f = lcl_alloc(1, sizeof *f);
    size_t total = 0;
    f->layer = l;
    f->fill = fill;
    f->n_tops = (size_t)l->n_tops;
    f->rows = lcl_alloc(f->n_tops, sizeof *f->rows);
    f->values = lcl_alloc(f->n_tops, sizeof *f->values);
    for (size_t i = 0; i < f->n_tops; i++) {
        total += lcl_blob_stored(l->tops[i]);
        if (is_packed(l->tops[i]))
            f->rows[i] = lcl_alloc(lcl_blob_count(l->tops[i]), sizeof(float));
    }
    lcl_status status = lcl_staging_start(&f->staging, l, n_ahead, total * sizeof(float),
                                          fill_slot, f, err);
    if (status == LCL_OK)
        *out = f;
    else
        lcl_feed_stop(f);
    return status;
}

lcl_status lcl_feed_shape(lcl_layer *l, const int shape[4], lcl_error *err)
{
    LCL_TRY(lcl_blob_reshape(l->tops[0], 4, shape, l->env->block, err));
    return l->n_tops > 1 ? lcl_blob_reshape(l->tops[1], 1, shape, l->env->block, err)
                         : LCL_OK;
}

lcl_status lcl_feed_images(lcl_feed **feed, lcl_layer *l, const int shape[4],
                           size_t n_ahead, lcl_feed_fill fill, lcl_error *err)
{
    LCL_TRY(lcl_feed_shape(l, shape, err));
    return *feed ? LCL_OK : lcl_feed_start(feed, l, n_ahead, fill, err);
}

void lcl_feed_stop(lcl_feed *f)
{
    if (!f)
        return;
    lcl_staging_stop(f->staging);
    for (size_t i = 0; i < f->n_tops; i++)
        free(f->rows[i]);
    free(f->rows);
    free(f->values);
    free(f);
}

lcl_status lcl_feed_forward(lcl_feed *f, lcl_error *err)
{
    const void *slot;

    LCL_TRY(lcl_staging_next(f->staging, &slot, err));
    const float *from = slot;
    for (size_t i = 0; i < f->n_tops; i++) {
        const lcl_blob *top = f->layer->tops[i];
        LCL_TRY(lcl_staging_copy(f->staging, from, lcl_blob_stored(top) * sizeof *from,
                                 top->data, 0, err));
        from += lcl_blob_stored(top);
    }
    return LCL_OK;
}
