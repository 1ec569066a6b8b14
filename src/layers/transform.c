/* out = (in - mean) * scale over the cropped part of a record, mirrored at random. */
#include "transform.h"

#include <stdlib.h>
#include <string.h>

#include "mean_image.h"
#include "planes.h"
#include "rng.h"
#include "text.h"

struct lcl_transform {
    const lcl_layer *layer;
    const Caffe__TransformationParameter *param; /* NULL: nothing to do */
    lcl_recipe recipe;
    lcl_rng rng;           /* of the choices */
    lcl_image_color color; /* of encoded records */
    lcl_planes planes;     /* of the last of them */
    lcl_mean_image mean;   /* of a record's size, or none */
    float *channel_mean;   /* per channel, where there is no mean image; owned */
};

/* ---- Reading the parameter --------------------------------------------------------- */

static lcl_status read_param(lcl_transform *t, const lcl_layer *l, lcl_error *err)
{
    const Caffe__TransformationParameter *p = t->param;
    lcl_recipe *r = &t->recipe;

    r->scale = p->scale;
    r->mirror = p->mirror;
    r->random_crop = p->crop_size > 0 && l->phase == CAFFE__PHASE__TRAIN;
    r->n_choices = (r->mirror ? 1 : 0) + (r->random_crop ? 2 : 0);
    if (r->n_choices > 0)
        r->key = lcl_rng_next(l->env->rng);
    lcl_rng_init(&t->rng, (int64_t)r->key);
    /* A mean does not change shapes, and on a blank device there is nothing more. */
    return p->mean_file && !lcl_device_is_blank(l->dev)
               ? lcl_mean_image_read(&t->mean, l, err)
               : LCL_OK;
}

/* Caffe's older data_param.force_encoded_color means the same as force_color. */
static lcl_status read_color(lcl_transform *t, const lcl_layer *l, lcl_error *err)
{
    const Caffe__DataParameter *data = l->param->data_param;
    bool color =
        (t->param && t->param->force_color) || (data && data->force_encoded_color);
    bool gray = t->param && t->param->force_gray;

    if (color && gray)
        return lcl_layer_fail(l, t->param, "force_gray", err, LCL_EPROTO,
                              "force_color and force_gray exclude each other");
    t->color = color ? LCL_IMAGE_COLOR : gray ? LCL_IMAGE_GRAY : LCL_IMAGE_AS_IS;
    return LCL_OK;
}

lcl_status lcl_transform_create(lcl_transform **out, const lcl_layer *l, lcl_error *err)
{
    lcl_transform *t = lcl_alloc(1, sizeof *t);

    t->layer = l;
    t->param = l->param->transform_param;
    t->recipe.scale = 1;
    lcl_status status = read_color(t, l, err);
    if (status == LCL_OK && t->param)
        status = read_param(t, l, err);
    if (status != LCL_OK) {
        lcl_transform_destroy(t);
        return status;
    }
    *out = t;
    return LCL_OK;
}

void lcl_transform_destroy(lcl_transform *t)
{
    if (!t)
        return;
    lcl_mean_image_free(&t->mean);
    free(t->channel_mean);
    free(t->planes.bytes);
    free(t);
}

/* ---- Decoding ---------------------------------------------------------------------- */

static lcl_status decode(lcl_transform *t, const lcl_record *stored, lcl_record *record,
                         lcl_error *err)
{
    lcl_error inner = {0};
    lcl_status status = lcl_planes_decode(&t->planes, stored, t->color, record, &inner);

    if (status != LCL_OK)
        return lcl_layer_fail(t->layer, NULL, NULL, err, status,
                              "an encoded record (label %d) cannot be decoded: %s",
                              stored->label, inner.message);
    return LCL_OK;
}

lcl_status lcl_transform_decode(lcl_transform *t, const lcl_record *stored,
                                lcl_record *record, lcl_error *err)
{
    const lcl_recipe *r = &t->recipe;

    LCL_TRY(decode(t, stored, record, err));
    if (record->channels == r->channels && record->height == r->height &&
        record->width == r->width)
        return LCL_OK;
    return lcl_layer_fail(t->layer, NULL, NULL, err, LCL_EDATA,
                          "a record is %d x %d x %d and the first one %d x %d x %d",
                          record->channels, record->height, record->width, r->channels,
                          r->height, r->width);
}

/* ---- Fitting it to the records ----------------------------------------------------- */

static lcl_status check_mean_image(const lcl_transform *t, lcl_error *err)
{
    const lcl_mean_image *m = &t->mean;
    const lcl_recipe *r = &t->recipe;

    if (m->channels != r->channels || m->height != r->height || m->width != r->width)
        return lcl_layer_fail(t->layer, t->param, "mean_file", err, LCL_ESHAPE,
                              "the mean in %s is %d x %d x %d and the records are "
                              "%d x %d x %d",
                              t->param->mean_file, m->channels, m->height, m->width,
                              r->channels, r->height, r->width);
    return LCL_OK;
}

static lcl_status set_channel_mean(lcl_transform *t, lcl_error *err)
{
    size_t n = t->param ? t->param->n_mean_value : 0,
           channels = (size_t)t->recipe.channels;

    if (n > 1 && n != channels)
        return lcl_layer_fail(t->layer, t->param, "mean_value", err, LCL_ESHAPE,
                              "%zu mean_values for %zu channels; give 1 or %zu", n,
                              channels, channels);
    t->channel_mean = lcl_resize(t->channel_mean, channels, sizeof *t->channel_mean);
    for (size_t c = 0; c < channels; c++)
        t->channel_mean[c] = n ? t->param->mean_value[n > 1 ? c : 0] : 0;
    return LCL_OK;
}

lcl_status lcl_transform_set_shape(lcl_transform *t, const lcl_record *first,
                                   int shape[3], lcl_error *err)
{
    unsigned crop = t->param ? t->param->crop_size : 0;
    lcl_recipe *r = &t->recipe;
    lcl_record record;

    LCL_TRY(decode(t, first, &record, err));
    r->channels = record.channels;
    r->floats = !record.bytes;
    r->out_height = r->height = record.height;
    r->out_width = r->width = record.width;
    if (crop > (unsigned)r->height || crop > (unsigned)r->width)
        return lcl_layer_fail(t->layer, t->param, "crop_size", err, LCL_ESHAPE,
                              "crop_size %u is larger than the records, %d x %d", crop,
                              r->height, r->width);
    if (crop)
        r->out_height = r->out_width = (int)crop;
    r->mean_image = t->mean.values != NULL;
    LCL_TRY(r->mean_image ? check_mean_image(t, err) : set_channel_mean(t, err));
    r->mean = r->mean_image ? t->mean.values : t->channel_mean;
    shape[0] = r->channels;
    shape[1] = r->out_height;
    shape[2] = r->out_width;
    return LCL_OK;
}

/* ---- Transforming ------------------------------------------------------------------ */

static void convert(float *out, const lcl_record *record, size_t from, size_t n)
{
    if (!record->bytes) {
        memcpy(out, record->floats + from, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = record->bytes[from + i];
}

static void scale_by_image(float *out, const float *mean, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (out[i] - mean[i]) * scale;
}

static void scale_by_value(float *out, float mean, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (out[i] - mean) * scale;
}

static void reverse_rows(float *out, size_t n_rows, size_t width)
{
    for (size_t r = 0; r < n_rows; r++, out += width)
        for (size_t i = 0, k = width - 1; i < k; i++, k--) {
            float swap = out[i];
            out[i] = out[k];
            out[k] = swap;
        }
}

/* Offset of a crop of `size` in `whole`: random in training, in the middle otherwise. */
static size_t crop_offset(lcl_transform *t, int whole, int size)
{
    unsigned room = (unsigned)(whole - size);

    return t->recipe.random_crop ? lcl_rng_next(&t->rng) % (room + 1) : room / 2;
}

lcl_status lcl_transform_run(lcl_transform *t, const lcl_record *stored, float *out,
                             lcl_error *err)
{
    const lcl_recipe *r = &t->recipe;
    size_t height = (size_t)r->out_height, width = (size_t)r->out_width;
    size_t whole_width = (size_t)r->width, channels = (size_t)r->channels;
    float *to = out;
    lcl_record record;

    LCL_TRY(lcl_transform_decode(t, stored, &record, err));
    /* As Caffe, the mirror is drawn before the crop. */
    bool mirror = r->mirror && lcl_rng_next(&t->rng) % 2;
    size_t y = crop_offset(t, r->height, r->out_height);
    size_t x = crop_offset(t, r->width, r->out_width);
    /* Without a crop a channel's rows follow each other: one long row. */
    bool whole = width == whole_width;
    size_t n_rows = whole ? 1 : height, length = whole ? height * width : width;
    for (size_t c = 0; c < channels; c++)
        for (size_t row = 0; row < n_rows; row++, to += length) {
            size_t from = (c * (size_t)r->height + y + row) * whole_width + x;
            convert(to, &record, from, length);
            if (r->mean_image)
                scale_by_image(to, r->mean + from, r->scale, length);
            else
                scale_by_value(to, r->mean[c], r->scale, length);
        }
    if (mirror)
        reverse_rows(out, channels * height, width);
    return LCL_OK;
}

void lcl_transform_skip(lcl_transform *t, size_t n)
{
    for (size_t i = n * (size_t)t->recipe.n_choices; i > 0; i--)
        lcl_rng_next(&t->rng);
}

const lcl_recipe *lcl_transform_recipe(const lcl_transform *t)
{
    return &t->recipe;
}
