/* LeNet in plain C: what one pass over a few images should give. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lenet.h"
#include "text.h"

enum { KERNEL = 5, CONV1 = 20, CONV2 = 50, HIDDEN = 500, FLAT = CONV2 * 16 };

const size_t lcl_lenet_counts[LCL_LENET_PARAMS] = {
    CONV1 * 25,   CONV1,  CONV2 *CONV1 * 25,         CONV2,
    HIDDEN *FLAT, HIDDEN, LCL_LENET_CLASSES *HIDDEN, LCL_LENET_CLASSES};

/* Everything that one image becomes; in the second half of a pass, gradients of it. */
typedef struct {
    double image[LCL_LENET_PIXELS];
    double conv1[CONV1 * 24 * 24], pool1[CONV1 * 12 * 12];
    double conv2[CONV2 * 8 * 8], pool2[FLAT];
    double ip1[HIDDEN], ip2[LCL_LENET_CLASSES];
} blobs;

void lcl_lenet_weights_free(lcl_lenet_weights *w)
{
    for (size_t i = 0; i < LCL_LENET_PARAMS; i++)
        free(w->values[i]);
    *w = (lcl_lenet_weights){0};
}

/* ---- Layers ------------------------------------------------------------------------ */

/* size: of the square input; the output is 4 smaller. */
static void conv_forward(const double *in, int channels, int size, const float *weight,
                         const float *bias, int outputs, double *out)
{
    const int width = size - KERNEL + 1;

    for (int k = 0; k < outputs; k++)
        for (int y = 0; y < width; y++)
            for (int x = 0; x < width; x++) {
                double sum = (double)bias[k];
                for (int c = 0; c < channels; c++)
                    for (int i = 0; i < KERNEL; i++)
                        for (int j = 0; j < KERNEL; j++)
                            sum += in[(c * size + y + i) * size + x + j] *
                                   (double)
                                       weight[((k * channels + c) * KERNEL + i) * KERNEL +
                                              j];
                out[(k * width + y) * width + x] = sum;
            }
}

/* Adds to the gradients of weights and bias, and of the input where in_grad is not NULL. */
static void conv_backward(const double *in, int channels, int size, const float *weight,
                          int outputs, const double *out_grad, float *weight_grad,
                          float *bias_grad, double *in_grad)
{
    const int width = size - KERNEL + 1;

    for (int k = 0; k < outputs; k++)
        for (int y = 0; y < width; y++)
            for (int x = 0; x < width; x++) {
                const double grad = out_grad[(k * width + y) * width + x];
                if (grad == 0) /* all but one of a pooling window */
                    continue;
                bias_grad[k] += (float)grad;
                for (int c = 0; c < channels; c++)
                    for (int i = 0; i < KERNEL; i++)
                        for (int j = 0; j < KERNEL; j++) {
                            int w = ((k * channels + c) * KERNEL + i) * KERNEL + j;
                            int p = (c * size + y + i) * size + x + j;
                            weight_grad[w] += (float)(grad * in[p]);
                            if (in_grad)
                                in_grad[p] += grad * (double)weight[w];
                        }
            }
}

/* Index of the greatest value of the 2 x 2 window of output (y, x). */
static int pool_greatest(const double *in, int size, int c, int y, int x)
{
    int best = (c * size + 2 * y) * size + 2 * x;

    for (int i = 1; i < 4; i++) {
        int at = (c * size + 2 * y + i / 2) * size + 2 * x + i % 2;
        if (in[at] > in[best])
            best = at;
    }
    return best;
}

/* With out_grad: moves it to the greatest values' gradients instead. */
static void pool(const double *in, int channels, int size, double *out,
                 const double *out_grad, double *in_grad)
{
    const int width = size / 2;

    for (int c = 0; c < channels; c++)
        for (int y = 0; y < width; y++)
            for (int x = 0; x < width; x++) {
                int at = (c * width + y) * width + x;
                int best = pool_greatest(in, size, c, y, x);
                if (out_grad)
                    in_grad[best] = out_grad[at];
                else
                    out[at] = in[best];
            }
}

static void product_forward(const double *in, int n, const float *weight,
                            const float *bias, int outputs, double *out)
{
    for (int k = 0; k < outputs; k++) {
        out[k] = (double)bias[k];
        for (int i = 0; i < n; i++)
            out[k] += in[i] * (double)weight[k * n + i];
    }
}

static void product_backward(const double *in, int n, const float *weight, int outputs,
                             const double *out_grad, float *weight_grad, float *bias_grad,
                             double *in_grad)
{
    for (int k = 0; k < outputs; k++) {
        bias_grad[k] += (float)out_grad[k];
        for (int i = 0; i < n; i++) {
            weight_grad[k * n + i] += (float)(out_grad[k] * in[i]);
            in_grad[i] += out_grad[k] * (double)weight[k * n + i];
        }
    }
}

/* ---- The net ----------------------------------------------------------------------- */

static void forward(const lcl_lenet_weights *w, blobs *b, double prob[LCL_LENET_CLASSES])
{
    float *const *v = w->values;
    double sum = 0, greatest;

    conv_forward(b->image, 1, 28, v[0], v[1], CONV1, b->conv1);
    pool(b->conv1, CONV1, 24, b->pool1, NULL, NULL);
    conv_forward(b->pool1, CONV1, 12, v[2], v[3], CONV2, b->conv2);
    pool(b->conv2, CONV2, 8, b->pool2, NULL, NULL);
    product_forward(b->pool2, FLAT, v[4], v[5], HIDDEN, b->ip1);
    for (int i = 0; i < HIDDEN; i++)
        b->ip1[i] = fmax(b->ip1[i], 0);
    product_forward(b->ip1, HIDDEN, v[6], v[7], LCL_LENET_CLASSES, b->ip2);
    greatest = b->ip2[0];
    for (int i = 1; i < LCL_LENET_CLASSES; i++)
        greatest = fmax(greatest, b->ip2[i]);
    for (int i = 0; i < LCL_LENET_CLASSES; i++)
        sum += prob[i] = exp(b->ip2[i] - greatest);
    for (int i = 0; i < LCL_LENET_CLASSES; i++)
        prob[i] /= sum;
}

/* d->ip2 is the gradient there; the rest of *d is zero. Adds to `grads`. */
static void backward(const lcl_lenet_weights *w, const blobs *b, blobs *d,
                     lcl_lenet_weights *grads)
{
    float *const *v = w->values, **g = grads->values;

    product_backward(b->ip1, HIDDEN, v[6], LCL_LENET_CLASSES, d->ip2, g[6], g[7], d->ip1);
    for (int i = 0; i < HIDDEN; i++)
        d->ip1[i] = b->ip1[i] > 0 ? d->ip1[i] : 0;
    product_backward(b->pool2, FLAT, v[4], HIDDEN, d->ip1, g[4], g[5], d->pool2);
    pool(b->conv2, CONV2, 8, NULL, d->pool2, d->conv2);
    conv_backward(b->pool1, CONV1, 12, v[2], CONV2, d->conv2, g[2], g[3], d->pool1);
    pool(b->conv1, CONV1, 24, NULL, d->pool1, d->conv1);
    conv_backward(b->image, 1, 28, v[0], CONV1, d->conv1, g[0], g[1], NULL);
}

void lcl_lenet_forward(const lcl_lenet_weights *w, const float *image,
                       double prob[LCL_LENET_CLASSES])
{
    blobs *b = lcl_alloc(1, sizeof *b);

    for (int i = 0; i < LCL_LENET_PIXELS; i++)
        b->image[i] = (double)image[i];
    forward(w, b, prob);
    free(b);
}

lcl_lenet_weights lcl_lenet_gradients(const lcl_lenet_weights *w)
{
    blobs *b = lcl_alloc(1, sizeof *b), *d = lcl_alloc(1, sizeof *d);
    uint8_t pixels[LCL_LENET_PIXELS];
    lcl_lenet_weights grads;
    int label;

    for (size_t i = 0; i < LCL_LENET_PARAMS; i++)
        grads.values[i] = lcl_alloc(lcl_lenet_counts[i], sizeof(float));
    for (size_t n = 0; n < LCL_LENET_IMAGES; n++) {
        lcl_lenet_image(n, pixels, &label);
        for (int i = 0; i < LCL_LENET_PIXELS; i++)
            b->image[i] = pixels[i] / 256.0;
        memset(d, 0, sizeof *d);
        forward(w, b, d->ip2);
        d->ip2[label] -= 1;
        for (int i = 0; i < LCL_LENET_CLASSES; i++)
            d->ip2[i] /= LCL_LENET_IMAGES;
        backward(w, b, d, &grads);
    }
    free(b);
    free(d);
    return grads;
}
