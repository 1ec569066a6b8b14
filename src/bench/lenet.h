/* LeNet for the benchmarks: prototxts, something to train on, and plain C for its numbers. */
#ifndef LCL_BENCH_LENET_H
#define LCL_BENCH_LENET_H

#include <stddef.h>
#include <stdint.h>

#include "bench/bench.h"

#define LCL_LENET_IMAGES 16 /* different ones; the files repeat them */
#define LCL_LENET_PIXELS (28 * 28)
#define LCL_LENET_CLASSES 10
#define LCL_LENET_PARAMS 8

/* Operations of one image: forward; forward and backward. */
double lcl_lenet_forward_flop(void);
double lcl_lenet_training_flop(void);

/* Image i as bytes, and its label. */
void lcl_lenet_image(size_t i, uint8_t pixels[LCL_LENET_PIXELS], int *label);
/* Writes LCL_LENET_IMAGES images 64 times as IDX files to the folder; the path of the
 * images' file, new. */
lcl_status lcl_lenet_write_images(const char *folder, char **path, lcl_error *err);

/* Texts, new. The net takes `n` images from an input and gives "prob". */
char *lcl_lenet_deploy(int n);
/* The train net, of `n` images and labels from an input. */
char *lcl_lenet_input_net(int n);
/* The train net, from IDX files; with a test net where test_source is not NULL. */
char *lcl_lenet_net(const char *source, int batch, const char *test_source);
/* A solver with the usual recipe around a net's text; no displays, tests, snapshots. */
char *lcl_lenet_solver(const char *net, int max_iter);

/* ---- Plain C ----------------------------------------------------------------------- */

/* Weights and biases of conv1, conv2, ip1, ip2 in this order; owned. */
typedef struct {
    float *values[LCL_LENET_PARAMS];
} lcl_lenet_weights;

extern const size_t lcl_lenet_counts[LCL_LENET_PARAMS];

void lcl_lenet_weights_free(lcl_lenet_weights *w);
/* Probabilities of one image of values in [0, 1). */
void lcl_lenet_forward(const lcl_lenet_weights *w, const float *image,
                       double prob[LCL_LENET_CLASSES]);
/* Gradients of the mean loss over the LCL_LENET_IMAGES images; new. */
lcl_lenet_weights lcl_lenet_gradients(const lcl_lenet_weights *w);

#endif
