/* JPEG through libjpeg. */
#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "image_kind.h"
#include "text.h"

#define QUALITY 95 /* OpenCV's */

/* libjpeg's own, and where to go on after an error. */
typedef struct {
    struct jpeg_error_mgr manager; /* first: libjpeg hands out its address */
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
} errors;

static void fail(j_common_ptr jpeg)
{
    errors *e = (errors *)jpeg->err;

    e->manager.format_message(jpeg, e->message);
    longjmp(e->failed, 1);
}

/* Libjpeg paints grey what is missing of a file; that is an error here. Other oddities of
 * a file are let pass, as by OpenCV. */
static void check_warning(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF)
        fail(jpeg);
}

static void set_errors(errors *e)
{
    jpeg_std_error(&e->manager);
    e->manager.error_exit = fail;
    e->manager.emit_message = check_warning;
}

/* ---- Reading ----------------------------------------------------------------------- */

static bool knows(const uint8_t *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

static void set_color(struct jpeg_decompress_struct *jpeg, lcl_image_color color)
{
    if (jpeg->num_components == 4)
        jpeg->out_color_space = JCS_CMYK;
    else if (color == LCL_IMAGE_GRAY ||
             (color == LCL_IMAGE_AS_IS && jpeg->num_components == 1))
        jpeg->out_color_space = JCS_GRAYSCALE;
    else
        jpeg->out_color_space = JCS_RGB;
}

static void swap_red_and_blue(uint8_t *row, size_t width)
{
    for (size_t x = 0; x < width; x++, row += 3) {
        uint8_t red = row[0];
        row[0] = row[2];
        row[2] = red;
    }
}

/* Print's colours come inverted. */
static void from_cmyk(const uint8_t *in, uint8_t *out, size_t width, int channels)
{
    for (size_t x = 0; x < width; x++, in += 4) {
        int k = in[3];
        int red = k - ((255 - in[0]) * k >> 8), green = k - ((255 - in[1]) * k >> 8);
        int blue = k - ((255 - in[2]) * k >> 8);
        if (channels == 1) {
            *out++ = (uint8_t)((1868 * blue + 9617 * green + 4899 * red + 8192) >> 14);
            continue;
        }
        *out++ = (uint8_t)blue;
        *out++ = (uint8_t)green;
        *out++ = (uint8_t)red;
    }
}

static void read_rows(struct jpeg_decompress_struct *jpeg, lcl_image *out, uint8_t *wide)
{
    size_t stride = (size_t)out->width * (size_t)out->channels;

    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *row = out->pixels + jpeg->output_scanline * stride;
        JSAMPROW rows[1] = {jpeg->out_color_space == JCS_CMYK ? wide : row};
        jpeg_read_scanlines(jpeg, rows, 1);
        if (jpeg->out_color_space == JCS_CMYK)
            from_cmyk(wide, row, (size_t)out->width, out->channels);
        else if (out->channels == 3)
            swap_red_and_blue(row, (size_t)out->width);
    }
    jpeg_finish_decompress(jpeg);
}

/* libjpeg jumps back here where it fails. */
static lcl_status read_jpeg(struct jpeg_decompress_struct *jpeg, errors *e,
                            lcl_image *out, uint8_t **wide, const uint8_t *bytes,
                            size_t size, lcl_image_color color, const char *name,
                            lcl_error *err)
{
    if (setjmp(e->failed))
        return lcl_fail(err, LCL_EDATA, name, "the JPEG image is damaged: %s",
                        e->message);
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_read_header(jpeg, TRUE);
    set_color(jpeg, color);
    out->channels =
        color == LCL_IMAGE_GRAY || jpeg->out_color_space == JCS_GRAYSCALE ? 1 : 3;
    out->height = (int)jpeg->image_height;
    out->width = (int)jpeg->image_width;
    LCL_TRY(lcl_image_allocate(out, name, err));
    *wide = lcl_alloc((size_t)out->width * 4, 1);
    jpeg_start_decompress(jpeg);
    read_rows(jpeg, out, *wide);
    return LCL_OK;
}

static lcl_status decode(lcl_image *out, const uint8_t *bytes, size_t size,
                         lcl_image_color color, const char *name, lcl_error *err)
{
    struct jpeg_decompress_struct jpeg = {0};
    errors e = {0};
    uint8_t *wide = NULL;

    set_errors(&e);
    jpeg.err = &e.manager;
    lcl_status status = read_jpeg(&jpeg, &e, out, &wide, bytes, size, color, name, err);
    jpeg_destroy_decompress(&jpeg);
    free(wide);
    return status;
}

/* ---- Writing ----------------------------------------------------------------------- */

static lcl_status write_jpeg(struct jpeg_compress_struct *jpeg, errors *e,
                             const lcl_image *image, uint8_t *row, unsigned char **bytes,
                             unsigned long *length, lcl_error *err)
{
    size_t stride = (size_t)image->width * (size_t)image->channels;

    if (setjmp(e->failed))
        return lcl_fail(err, LCL_EDATA, NULL, "cannot write a JPEG image: %s",
                        e->message);
    jpeg_create_compress(jpeg);
    jpeg_mem_dest(jpeg, bytes, length);
    jpeg->image_width = (unsigned)image->width;
    jpeg->image_height = (unsigned)image->height;
    jpeg->input_components = image->channels;
    jpeg->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, QUALITY, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW rows[1] = {row};
        memcpy(row, image->pixels + jpeg->next_scanline * stride, stride);
        if (image->channels == 3)
            swap_red_and_blue(row, (size_t)image->width);
        jpeg_write_scanlines(jpeg, rows, 1);
    }
    jpeg_finish_compress(jpeg);
    return LCL_OK;
}

static lcl_status encode(const lcl_image *image, uint8_t **out, size_t *size,
                         lcl_error *err)
{
    struct jpeg_compress_struct jpeg = {0};
    errors e = {0};
    unsigned char *bytes = NULL;
    unsigned long length = 0;

    if (image->channels == 4)
        return lcl_fail(err, LCL_EDATA, NULL, "a JPEG image cannot be transparent");
    set_errors(&e);
    jpeg.err = &e.manager;
    uint8_t *row = lcl_alloc((size_t)image->width * (size_t)image->channels, 1);
    lcl_status status = write_jpeg(&jpeg, &e, image, row, &bytes, &length, err);
    jpeg_destroy_compress(&jpeg);
    free(row);
    if (status == LCL_OK) {
        *out = bytes;
        *size = length;
    } else {
        free(bytes);
    }
    return status;
}

const lcl_image_kind lcl_jpeg_image = {
    .name = "JPEG",
    .knows = knows,
    .decode = decode,
    .encode = encode,
};
