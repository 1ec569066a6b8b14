/* Images of whatever format: which one it is, and resizing. */
#include "image_kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define MAX_BYTES ((size_t)1 << 30) /* of an image's pixels */

static const lcl_image_kind *const kinds[] = {&lcl_png_image, &lcl_jpeg_image};

/* ---- Files ------------------------------------------------------------------------- */

lcl_status lcl_image_allocate(lcl_image *out, const char *name, lcl_error *err)
{
    size_t size;

    if (out->height < 1 || out->width < 1 ||
        !lcl_multiply((size_t)out->height, (size_t)out->width, &size) ||
        !lcl_multiply(size, (size_t)out->channels, &size) || size > MAX_BYTES)
        return lcl_fail(err, LCL_EDATA, name, "an image of %d x %d pixels is too large",
                        out->height, out->width);
    out->pixels = lcl_alloc(size, 1);
    return LCL_OK;
}

lcl_status lcl_image_decode(lcl_image *out, const void *bytes, size_t size,
                            lcl_image_color color, const char *name, lcl_error *err)
{
    *out = (lcl_image){0};
    for (size_t i = 0; i < LCL_COUNT(kinds); i++) {
        if (!kinds[i]->knows(bytes, size))
            continue;
        lcl_status status = kinds[i]->decode(out, bytes, size, color, name, err);
        if (status != LCL_OK)
            lcl_image_free(out);
        return status;
    }
    return lcl_fail(err, LCL_EDATA, name, "is neither a JPEG nor a PNG image");
}

lcl_status lcl_image_read(lcl_image *out, const char *path, lcl_image_color color,
                          lcl_error *err)
{
    char *bytes;
    size_t size;

    *out = (lcl_image){0};
    LCL_TRY(lcl_file_read(&bytes, &size, path, MAX_BYTES, err));
    lcl_status status = lcl_image_decode(out, bytes, size, color, path, err);
    free(bytes);
    return status;
}

void lcl_image_free(lcl_image *image)
{
    free(image->pixels);
    *image = (lcl_image){0};
}

lcl_status lcl_image_encode(const lcl_image *image, const char *type, uint8_t **out,
                            size_t *size, lcl_error *err)
{
    const char *name = *type == '.' ? type + 1 : type;

    if (strcasecmp(name, "png") == 0)
        return lcl_png_image.encode(image, out, size, err);
    if (strcasecmp(name, "jpg") == 0 || strcasecmp(name, "jpeg") == 0)
        return lcl_jpeg_image.encode(image, out, size, err);
    return lcl_fail(err, LCL_EUSAGE, NULL,
                    "images are encoded as png or jpg, not as '%s'", type);
}

void lcl_image_to_planes(const lcl_image *image, uint8_t *out)
{
    size_t n = (size_t)image->height * (size_t)image->width;
    size_t channels = (size_t)image->channels;

    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            *out++ = image->pixels[i * channels + c];
}

/* ---- Resizing ---------------------------------------------------------------------- */

/* OpenCV's fixed point: weights of 11 bits, rounded once a direction. */
#define ONE 2048

/* Where a row or column of the result comes from: `at` and the one after it. */
typedef struct {
    int at, next;
    int weight, next_weight; /* sum: ONE */
} tap;

static int clamp(int i, int n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* Beyond the edge a column takes the edge's alone; a row mixes it with itself, which rounds
 * otherwise. */
static tap *make_taps(int from, int to, bool columns)
{
    tap *taps = lcl_alloc((size_t)to, sizeof *taps);
    double scale = 1 / ((double)to / from);

    for (int i = 0; i < to; i++) {
        float place = (float)((i + 0.5) * scale - 0.5);
        int at = (int)floorf(place);
        float rest = place - (float)at;
        if (columns && (at < 0 || at >= from - 1))
            rest = 0;
        taps[i] = (tap){clamp(at, from), clamp(at + 1, from),
                        (int)lrintf((1 - rest) * ONE), (int)lrintf(rest * ONE)};
    }
    return taps;
}

static void resize_row(const uint8_t *in, int channels, const tap *taps, int width,
                       int *out)
{
    for (int x = 0; x < width; x++)
        for (int c = 0; c < channels; c++)
            *out++ = in[taps[x].at * channels + c] * taps[x].weight +
                     in[taps[x].next * channels + c] * taps[x].next_weight;
}

static void blend_rows(const int *a, int weight_a, const int *b, int weight_b, int n,
                       uint8_t *out)
{
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)(((weight_a * (a[i] >> 4) >> 16) +
                            (weight_b * (b[i] >> 4) >> 16) + 2) >>
                           2);
}

static void interpolate(const uint8_t *in, size_t stride, int channels, int in_height,
                        int in_width, const lcl_image *out)
{
    tap *ys = make_taps(in_height, out->height, false);
    tap *xs = make_taps(in_width, out->width, true);
    int n = out->width * channels;
    int *a = lcl_alloc((size_t)n, sizeof *a), *b = lcl_alloc((size_t)n, sizeof *b);

    for (int y = 0; y < out->height; y++) {
        resize_row(in + (size_t)ys[y].at * stride, channels, xs, out->width, a);
        resize_row(in + (size_t)ys[y].next * stride, channels, xs, out->width, b);
        blend_rows(a, ys[y].weight, b, ys[y].next_weight, n,
                   out->pixels + (size_t)y * (size_t)n);
    }
    free(a);
    free(b);
    free(ys);
    free(xs);
}

/* OpenCV takes means of 2 x 2 pixels where both sides are halved. */
static void halve(const uint8_t *in, size_t stride, int channels, const lcl_image *out)
{
    size_t n = (size_t)channels, width = (size_t)out->width;

    for (size_t y = 0; y < (size_t)out->height; y++)
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < n; c++) {
                const uint8_t *p = in + 2 * y * stride + 2 * x * n + c;
                out->pixels[(y * width + x) * n + c] =
                    (uint8_t)((p[0] + p[n] + p[stride] + p[stride + n] + 2) >> 2);
            }
}

lcl_image lcl_image_resize_part(const lcl_image *image, int y, int x, int part_height,
                                int part_width, int height, int width)
{
    lcl_image out = {image->channels, height, width, NULL};
    size_t channels = (size_t)image->channels, stride = (size_t)image->width * channels;
    const uint8_t *in = image->pixels + (size_t)y * stride + (size_t)x * channels;

    out.pixels = lcl_alloc((size_t)height * (size_t)width * channels, 1);
    if (part_height == 2 * height && part_width == 2 * width)
        halve(in, stride, image->channels, &out);
    else
        interpolate(in, stride, image->channels, part_height, part_width, &out);
    return out;
}

void lcl_image_resize(lcl_image *image, int height, int width)
{
    if (height == image->height && width == image->width)
        return;
    lcl_image out =
        lcl_image_resize_part(image, 0, 0, image->height, image->width, height, width);
    lcl_image_free(image);
    *image = out;
}
