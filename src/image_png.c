/* PNG through libpng. */
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "image_kind.h"
#include "text.h"

/* What libpng's callbacks know. */
typedef struct {
    const uint8_t *bytes; /* those still to be read */
    size_t size;
    lcl_text *written;
    char message[256]; /* of the error */
} context;

static void keep_error(png_structp png, png_const_charp message)
{
    context *c = png_get_error_ptr(png);

    strncpy(c->message, message, sizeof c->message - 1);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* ---- Reading ----------------------------------------------------------------------- */

static bool knows(const uint8_t *bytes, size_t size)
{
    return size >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

static void read_bytes(png_structp png, png_bytep out, size_t n)
{
    context *c = png_get_io_ptr(png);

    if (n > c->size)
        png_error(png, "the file ends too early");
    memcpy(out, c->bytes, n);
    c->bytes += n;
    c->size -= n;
}

/* Asks for rows of 8 bits a channel, in the channels of `color`. */
static void set_transforms(png_structp png, png_infop info, lcl_image_color color)
{
    int type = png_get_color_type(png, info);
    bool alpha = type & PNG_COLOR_MASK_ALPHA || png_get_valid(png, info, PNG_INFO_tRNS);

    png_set_strip_16(png);
    png_set_expand(png);
    png_set_bgr(png);
    if (color != LCL_IMAGE_AS_IS)
        png_set_strip_alpha(png);
    if (color == LCL_IMAGE_COLOR || (color == LCL_IMAGE_AS_IS && alpha))
        png_set_gray_to_rgb(png);
    if (color == LCL_IMAGE_GRAY && type & PNG_COLOR_MASK_COLOR)
        png_set_rgb_to_gray_fixed(png, PNG_ERROR_ACTION_NONE, 29900, 58700);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/* libpng jumps back here where it fails. */
static lcl_status read_png(png_structp png, png_infop info, context *c, lcl_image *out,
                           png_bytep **rows, lcl_image_color color, const char *name,
                           lcl_error *err)
{
    if (setjmp(png_jmpbuf(png)))
        return lcl_fail(err, LCL_EDATA, name, "the PNG image is damaged: %s", c->message);
    png_set_read_fn(png, c, read_bytes);
    png_read_info(png, info);
    set_transforms(png, info, color);
    out->channels = png_get_channels(png, info);
    out->height = (int)png_get_image_height(png, info);
    out->width = (int)png_get_image_width(png, info);
    LCL_TRY(lcl_image_allocate(out, name, err));
    size_t stride = (size_t)out->width * (size_t)out->channels;
    if (png_get_rowbytes(png, info) != stride)
        png_error(png, "its rows have another length");
    *rows = lcl_alloc((size_t)out->height, sizeof **rows);
    for (size_t y = 0; y < (size_t)out->height; y++)
        (*rows)[y] = out->pixels + y * stride;
    png_read_image(png, *rows);
    png_read_end(png, NULL);
    return LCL_OK;
}

static lcl_status decode(lcl_image *out, const uint8_t *bytes, size_t size,
                         lcl_image_color color, const char *name, lcl_error *err)
{
    context c = {.bytes = bytes, .size = size};
    png_bytep *rows = NULL;
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &c, keep_error, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    lcl_status status = info ? read_png(png, info, &c, out, &rows, color, name, err)
                             : lcl_fail(err, LCL_EIO, name, "libpng cannot be started");

    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return status;
}

/* ---- Writing ----------------------------------------------------------------------- */

static void write_bytes(png_structp png, png_bytep bytes, size_t n)
{
    context *c = png_get_io_ptr(png);

    lcl_text_add_bytes(c->written, bytes, n);
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

static lcl_status write_png(png_structp png, png_infop info, context *c,
                            const lcl_image *image, lcl_error *err)
{
    static const int types[] = {0, PNG_COLOR_TYPE_GRAY, 0, PNG_COLOR_TYPE_RGB,
                                PNG_COLOR_TYPE_RGB_ALPHA};
    size_t stride = (size_t)image->width * (size_t)image->channels;

    if (setjmp(png_jmpbuf(png)))
        return lcl_fail(err, LCL_EDATA, NULL, "cannot write a PNG image: %s", c->message);
    png_set_write_fn(png, c, write_bytes, flush_nothing);
    png_set_IHDR(png, info, (unsigned)image->width, (unsigned)image->height, 8,
                 types[image->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_set_bgr(png);
    for (size_t y = 0; y < (size_t)image->height; y++)
        png_write_row(png, image->pixels + y * stride);
    png_write_end(png, NULL);
    return LCL_OK;
}

static lcl_status encode(const lcl_image *image, uint8_t **out, size_t *size,
                         lcl_error *err)
{
    lcl_text written = {0};
    context c = {.written = &written};
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, &c, keep_error, ignore_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    lcl_status status = info ? write_png(png, info, &c, image, err)
                             : lcl_fail(err, LCL_EIO, NULL, "libpng cannot be started");

    png_destroy_write_struct(&png, &info);
    if (status == LCL_OK) {
        *out = (uint8_t *)written.text;
        *size = written.length;
    } else {
        free(written.text);
    }
    return status;
}

const lcl_image_kind lcl_png_image = {
    .name = "PNG",
    .knows = knows,
    .decode = decode,
    .encode = encode,
};
