/* Classifies one image with a trained net: liblcl in a program of your own.
 *
 *     cc classify.c $(pkg-config --cflags --libs lcl) -o classify
 *     ./classify lenet.prototxt lenet_iter_10000.caffemodel digit.pgm
 *     zcat t10k-images-idx3-ubyte.gz | ./classify lenet.prototxt WEIGHTS - 7
 *
 * The net has an input "data" and an output "prob", as examples/mnist/lenet.prototxt. The
 * image is a grey PGM (P5) of the input's size, or image number N (from 0) of an IDX
 * file. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lcl/net.h"

/* What the net was trained with: transform_param { scale: 0.00390625 }. */
#define SCALE (1.0f / 256.0f)

/* The next number of a PGM's head, past comments. */
static bool read_number(FILE *file, int *n)
{
    char hash[2];

    while (fscanf(file, " %1[#]%*[^\n]", hash) == 1)
        ;
    return fscanf(file, "%6d", n) == 1;
}

/* Both leave the file at the first pixel. */
static bool read_pgm_head(FILE *file, int *height, int *width)
{
    int largest;

    return read_number(file, width) && read_number(file, height) &&
           read_number(file, &largest) && largest <= 255 && getc(file) != EOF;
}

static bool read_idx_head(FILE *file, int *height, int *width)
{
    uint8_t b[14]; /* type, axes; then number, height and width, high byte first */

    if (fread(b, 1, sizeof(b), file) != sizeof(b) || b[0] != 8 || b[1] != 3)
        return false;
    *height = b[8] << 8 | b[9];
    *width = b[12] << 8 | b[13];
    return true;
}

/* The pixels of a height x width image from `path` ("-": standard input). */
static lcl_status read_image(uint8_t *pixels, int height, int width, const char *path,
                             int number, lcl_error *err)
{
    size_t size = (size_t)height * (size_t)width;
    int h = 0, w = 0;
    FILE *file = path[0] == '-' && !path[1] ? stdin : fopen(path, "rb");

    if (!file)
        return lcl_fail(err, LCL_EIO, path, "cannot be opened");

    int magic = getc(file) << 8;
    magic |= getc(file);
    bool known = magic == ('P' << 8 | '5') ? read_pgm_head(file, &h, &w)
                                           : magic == 0 && read_idx_head(file, &h, &w);
    lcl_status status = LCL_OK;
    if (!known)
        status = lcl_fail(err, LCL_EDATA, path,
                          "is neither a grey PGM (P5) nor an IDX file of images");
    else if (h != height || w != width)
        status = lcl_fail(err, LCL_ESHAPE, path,
                          "images are %d x %d pixels, the net takes %d x %d", w, h, width,
                          height);
    for (int i = 0; status == LCL_OK && i <= number; i++)
        if (fread(pixels, 1, size, file) != size)
            status = lcl_fail(err, LCL_EDATA, path, "has no whole image %d", number);
    if (file != stdin)
        fclose(file);
    return status;
}

/* The image as the net's only input: a batch of one. */
static lcl_status set_input(lcl_net *net, const char *path, int number, lcl_error *err)
{
    lcl_blob *data = lcl_net_blob(net, "data");

    if (!data || data->n_axes != 4 || data->shape[1] != 1)
        return lcl_fail(err, LCL_ESHAPE, NULL, "the net has no grey input \"data\"");

    int shape[4] = {1, 1, data->shape[2], data->shape[3]};
    LCL_TRY(lcl_blob_reshape(data, 4, shape, data->block, err));
    LCL_TRY(lcl_net_reshape(net, err));

    size_t count = lcl_blob_count(data);
    uint8_t *pixels = malloc(count);
    float *values = malloc(count * sizeof(*values));
    lcl_status status = pixels && values
                            ? read_image(pixels, shape[2], shape[3], path, number, err)
                            : lcl_fail(err, LCL_EIO, NULL, "out of memory");
    if (status == LCL_OK) {
        for (size_t i = 0; i < count; i++)
            values[i] = (float)pixels[i] * SCALE;
        status = lcl_blob_write(data, LCL_DATA, values, err);
    }
    free(pixels);
    free(values);
    return status;
}

static lcl_status print_classes(const lcl_net *net, lcl_error *err)
{
    const lcl_blob *prob = lcl_net_blob(net, "prob");
    float p[1000];

    if (!prob || lcl_blob_count(prob) == 0 || lcl_blob_count(prob) > 1000)
        return lcl_fail(err, LCL_ESHAPE, NULL, "the net has no output \"prob\"");
    LCL_TRY(lcl_blob_read(prob, LCL_DATA, p, err));

    size_t best = 0;
    for (size_t i = 0; i < lcl_blob_count(prob); i++) {
        printf("class %zu: %.4f\n", i, (double)p[i]);
        if (p[i] > p[best])
            best = i;
    }
    printf("It is class %zu.\n", best);
    return LCL_OK;
}

static lcl_status classify(lcl_device *dev, char **argv, int number, lcl_error *err)
{
    lcl_net *net = NULL;
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST};
    lcl_status status = lcl_net_read(&net, dev, argv[1], &options, err);

    if (status == LCL_OK)
        status = lcl_net_load(net, argv[2], err);
    if (status == LCL_OK)
        status = set_input(net, argv[3], number, err);
    if (status == LCL_OK)
        status = lcl_net_forward(net, err);
    if (status == LCL_OK)
        status = print_classes(net, err);
    lcl_net_destroy(net);
    return status;
}

int main(int argc, char **argv)
{
    lcl_error err = {0};
    lcl_device *dev = NULL;
    lcl_device_choice choice = {getenv("LCL_PLATFORM"), getenv("LCL_DEVICE"),
                                LCL_PREFER_ANY};

    if (argc < 4 || argc > 5) {
        fprintf(stderr,
                "Usage: %s NET.prototxt WEIGHTS.caffemodel IMAGE.pgm\n"
                "       %s NET.prototxt WEIGHTS.caffemodel IMAGES.idx N\n",
                argv[0], argv[0]);
        return 2;
    }
    lcl_status status = lcl_device_open(&dev, &choice, &err);
    if (status == LCL_OK)
        status = classify(dev, argv, argc == 5 ? atoi(argv[4]) : 0, &err);
    lcl_device_close(dev);
    if (status != LCL_OK)
        fprintf(stderr, "%s%s%s\n", err.where, err.where[0] ? ": " : "", err.message);
    return status == LCL_OK ? 0 : 1;
}
