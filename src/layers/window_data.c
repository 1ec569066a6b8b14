/* WindowData: batches of windows cut out of images and warped to one size, a given part of
 * them with an object (R-CNN's training data). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "image.h"
#include "mean_image.h"
#include "rng.h"
#include "text.h"
#include "window_list.h"

typedef Caffe__WindowDataParameter window_param;

typedef struct {
    lcl_window_list list;
    size_t *with, *without; /* the numbers of windows with an object and without; owned */
    size_t n_with, n_without;
    lcl_rng rng;
    lcl_mean_image mean;
    float *channel_mean; /* where there is no mean image; owned */
    float scale;
    bool mirror;
    int crop;
    lcl_feed *feed;
} state;

/* What is cut out of an image and where it goes. */
typedef struct {
    int x, y, width, height; /* in the image */
    int to_width, to_height; /* what it is resized to */
    int pad_x, pad_y;        /* zeros left and above */
} placement;

/* ---- Places ------------------------------------------------------------------------ */

static int max_of(int a, int b)
{
    return a > b ? a : b;
}

/* Whatever the list says, what is computed with the result fits an int. */
static int rounded(double x)
{
    return (int)round(fmin(fmax(x, -1e9), 1e9));
}

/* Widens the window by the context that `pad` pixels of the result show, clips it to the
 * image, and leaves as many zeros as that took away. */
static placement widen(const lcl_window *w, const lcl_image *image, int crop, int pad,
                       bool square, bool mirror)
{
    double by = (double)crop / (crop - 2 * pad);
    double half_height = (w->y2 - w->y1 + 1) / 2.0,
           half_width = (w->x2 - w->x1 + 1) / 2.0;
    double x = w->x1 + half_width, y = w->y1 + half_height;

    if (square)
        half_height = half_width = fmax(half_height, half_width);
    int x1 = rounded(x - half_width * by), x2 = rounded(x + half_width * by);
    int y1 = rounded(y - half_height * by), y2 = rounded(y + half_height * by);
    double scale_x = (double)crop / (x2 - x1 + 1), scale_y = (double)crop / (y2 - y1 + 1);
    int left = max_of(0, -x1), right = max_of(0, x2 - image->width + 1);
    int above = max_of(0, -y1), below = max_of(0, y2 - image->height + 1);
    placement p = {.x = x1 + left, .y = y1 + above};

    p.width = x2 - right - p.x + 1;
    p.height = y2 - below - p.y + 1;
    p.to_width = rounded(p.width * scale_x);
    p.to_height = rounded(p.height * scale_y);
    p.pad_x = rounded((mirror ? right : left) * scale_x);
    p.pad_y = rounded(above * scale_y);
    /* Rounding may make it too large. */
    if (p.pad_x + p.to_width > crop)
        p.to_width = crop - p.pad_x;
    if (p.pad_y + p.to_height > crop)
        p.to_height = crop - p.pad_y;
    return p;
}

static placement place_window(const lcl_layer *l, const lcl_window *w,
                              const lcl_image *image, bool mirror)
{
    const state *st = l->state;
    const window_param *p = l->param->window_data_param;
    bool square = strcmp(p->crop_mode, "square") == 0;

    if (p->context_pad || square)
        return widen(w, image, st->crop, (int)p->context_pad, square, mirror);
    return (placement){
        w->x1, w->y1, w->x2 - w->x1 + 1, w->y2 - w->y1 + 1, st->crop, st->crop, 0, 0};
}

static lcl_status check_place(const placement *p, const lcl_window *w,
                              const lcl_image *image, const char *path, lcl_error *err)
{
    if (p->x >= 0 && p->y >= 0 && p->width > 0 && p->height > 0 && p->to_width > 0 &&
        p->to_height > 0 && p->width <= image->width - p->x &&
        p->height <= image->height - p->y)
        return LCL_OK;
    return lcl_fail(err, LCL_EDATA, path,
                    "the window %d %d %d %d does not lie in the image, %d x %d", w->x1,
                    w->y1, w->x2, w->y2, image->height, image->width);
}

/* ---- Pixels ------------------------------------------------------------------------ */

static float mean_at(const state *st, int channel, int y, int x)
{
    const lcl_mean_image *m = &st->mean;
    int off = (m->width - st->crop) / 2;

    if (!m->values)
        return st->channel_mean[channel];
    return m->values[((size_t)channel * (size_t)m->height + (size_t)(y + off)) *
                         (size_t)m->width +
                     (size_t)(x + off)];
}

/* Writes the resized part to its place in `out`, which is zero. */
static void write_part(const state *st, const lcl_image *part, const placement *p,
                       bool mirror, float *out)
{
    const uint8_t *pixel = part->pixels;

    for (int h = 0; h < part->height; h++)
        for (int w = 0; w < part->width; w++)
            for (int c = 0; c < part->channels; c++, pixel++) {
                int y = h + p->pad_y;
                int x = (mirror ? part->width - 1 - w : w) + p->pad_x;
                size_t at =
                    ((size_t)c * (size_t)st->crop + (size_t)y) * (size_t)st->crop +
                    (size_t)x;
                out[at] = ((float)*pixel - mean_at(st, c, y, x)) * st->scale;
            }
}

static lcl_status read_window(lcl_layer *l, const lcl_window *w, float *out,
                              lcl_error *err)
{
    state *st = l->state;
    const window_param *p = l->param->window_data_param;
    bool mirror = st->mirror && lcl_rng_next(&st->rng) % 2;
    char *path = lcl_format("%s%s", p->root_folder ? p->root_folder : "",
                            st->list.images[w->image]);
    lcl_image image;
    lcl_status status = lcl_image_read(
        &image, path, st->list.channels == 1 ? LCL_IMAGE_GRAY : LCL_IMAGE_COLOR, err);

    if (status == LCL_OK) {
        placement place = place_window(l, w, &image, mirror);
        status = check_place(&place, w, &image, path, err);
        if (status == LCL_OK) {
            lcl_image part =
                lcl_image_resize_part(&image, place.y, place.x, place.height, place.width,
                                      place.to_height, place.to_width);
            write_part(st, &part, &place, mirror, out);
            lcl_image_free(&part);
        }
        lcl_image_free(&image);
    }
    free(path);
    return status;
}

/* On the feed's thread: first the windows without an object, then those with one. */
static lcl_status fill(lcl_layer *l, float *const *values, lcl_error *err)
{
    state *st = l->state;
    const window_param *p = l->param->window_data_param;
    size_t n = p->batch_size, n_with = (size_t)((float)n * p->fg_fraction);
    size_t count = lcl_blob_image_count(l->tops[0]);

    memset(values[0], 0, n * count * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        bool with = i >= n - n_with;
        size_t number = with ? st->with[lcl_rng_next(&st->rng) % st->n_with]
                             : st->without[lcl_rng_next(&st->rng) % st->n_without];
        const lcl_window *w = &st->list.windows[number];
        LCL_TRY(read_window(l, w, values[0] + i * count, err));
        values[1][i] = with ? (float)w->label : 0;
    }
    return LCL_OK;
}

/* ---- Setting up -------------------------------------------------------------------- */

static lcl_status check_param(const lcl_layer *l, lcl_error *err)
{
    const window_param *p = l->param->window_data_param;
    const Caffe__TransformationParameter *t = l->param->transform_param;

    if (!p || !p->source || !*p->source)
        return lcl_layer_fail(l, p, NULL, err, LCL_EPROTO,
                              "window_data_param has no source");
    if (!p->batch_size || p->batch_size > INT32_MAX)
        return lcl_layer_fail(l, p, "batch_size", err, LCL_EPROTO,
                              "batch_size must be a number from 1");
    if (!t || !t->crop_size || t->crop_size > 65535)
        return lcl_layer_fail(l, t, t ? "crop_size" : NULL, err, LCL_EPROTO,
                              "needs transform_param { crop_size } of 1 to 65535");
    if (p->context_pad >= t->crop_size / 2 + t->crop_size % 2)
        return lcl_layer_fail(l, p, "context_pad", err, LCL_EPROTO,
                              "context_pad %u leaves nothing of crop_size %u",
                              (unsigned)p->context_pad, (unsigned)t->crop_size);
    if (!(p->fg_fraction >= 0 && p->fg_fraction <= 1))
        return lcl_layer_fail(l, p, "fg_fraction", err, LCL_EPROTO,
                              "fg_fraction must be from 0 to 1");
    return LCL_OK;
}

static lcl_status sort_windows(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const window_param *p = l->param->window_data_param;
    size_t n = st->list.n_windows,
           n_with = (size_t)((float)p->batch_size * p->fg_fraction);

    st->with = lcl_alloc(n, sizeof *st->with);
    st->without = lcl_alloc(n, sizeof *st->without);
    for (size_t i = 0; i < n; i++) {
        const lcl_window *w = &st->list.windows[i];
        if (w->overlap >= p->fg_threshold) {
            if (w->label < 1)
                return lcl_fail(err, LCL_EDATA, p->source,
                                "window %zu has an object of class %d; classes of "
                                "objects are numbers from 1",
                                i + 1, w->label);
            st->with[st->n_with++] = i;
        } else if (w->overlap < p->bg_threshold) {
            st->without[st->n_without++] = i;
        }
    }
    LCL_LOG(l->env->log, "Number of images: %zu", st->list.n_images);
    LCL_LOG(l->env->log, "Windows with an object: %zu, without: %zu", st->n_with,
            st->n_without);
    if ((n_with && !st->n_with) || (n_with < p->batch_size && !st->n_without))
        return lcl_fail(err, LCL_EDATA, p->source,
                        "has %zu windows with an object and %zu without, and a batch "
                        "needs both",
                        st->n_with, st->n_without);
    return LCL_OK;
}

static lcl_status read_mean(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    const Caffe__TransformationParameter *t = l->param->transform_param;
    size_t channels = (size_t)st->list.channels;

    if (t->mean_file && lcl_device_is_blank(l->dev))
        return LCL_OK;
    if (t->mean_file) {
        LCL_TRY(lcl_mean_image_read(&st->mean, l, err));
        if (st->mean.channels == st->list.channels && st->mean.height == st->mean.width &&
            st->mean.width >= st->crop)
            return LCL_OK;
        return lcl_layer_fail(
            l, t, "mean_file", err, LCL_ESHAPE,
            "the mean in %s is %d x %d x %d, not a square of %d channels "
            "that holds the crop, %d x %d",
            t->mean_file, st->mean.channels, st->mean.height, st->mean.width,
            st->list.channels, st->crop, st->crop);
    }
    if (t->n_mean_value > 1 && t->n_mean_value != channels)
        return lcl_layer_fail(l, t, "mean_value", err, LCL_ESHAPE,
                              "%zu mean_values for %zu channels; give 1 or %zu",
                              t->n_mean_value, channels, channels);
    st->channel_mean = lcl_alloc(channels, sizeof *st->channel_mean);
    for (size_t c = 0; c < channels && t->n_mean_value; c++)
        st->channel_mean[c] = t->mean_value[t->n_mean_value > 1 ? c : 0];
    return LCL_OK;
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;

    LCL_TRY(check_param(l, err));
    const window_param *p = l->param->window_data_param;
    const Caffe__TransformationParameter *t = l->param->transform_param;
    st->scale = t->scale;
    st->mirror = t->mirror;
    st->crop = (int)t->crop_size;
    lcl_rng_init(&st->rng, lcl_rng_next(l->env->rng));
    LCL_TRY(lcl_window_list_read(&st->list, p->source, err));
    if (st->list.channels != 1 && st->list.channels != 3)
        return lcl_fail(err, LCL_EDATA, p->source, "images have %d channels, not 1 or 3",
                        st->list.channels);
    LCL_TRY(sort_windows(l, err));
    return read_mean(l, err);
}

static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;
    int n = (int)l->param->window_data_param->batch_size;
    const int shape[] = {n, st->list.channels, st->crop, st->crop};

    return lcl_feed_images(&st->feed, l, shape, LCL_FEED_AHEAD, fill, err);
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    state *st = l->state;

    return lcl_feed_forward(st->feed, err);
}

static void destroy(lcl_layer *l)
{
    state *st = l->state;

    lcl_feed_stop(st->feed);
    lcl_window_list_free(&st->list);
    lcl_mean_image_free(&st->mean);
    free(st->channel_mean);
    free(st->with);
    free(st->without);
}

const lcl_layer_type lcl_layer_window_data = {
    .name = "WindowData",
    .min_tops = 2,
    .max_tops = 2,
    .is_source = true,
    .state_size = sizeof(state),
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
    .destroy = destroy,
};
