/* Layers with a weight for each channel (or any axes in a row): Scale, Bias, PReLU. */
#ifndef LCL_CHANNELWISE_H
#define LCL_CHANNELWISE_H

#include "elementwise.h"
#include "lcl/layer.h"

/* A blob as rows of `channels` runs, each of one weight. The weights are plain, or `per_image`:
 * a blob of the same block whose weights of one image are those channels. */
typedef struct {
    lcl_elements elements;
    size_t rows, channels, width; /* width: of a run, in vectors */
    int at_once; /* channels that a work-item adds up, where runs are short */
    int block;
    bool per_image;
} lcl_channels;

/* The axes of x from some axis to `end` have a weight each, `channels` of them; an `end` of 0
 * stands for one weight for all. */
lcl_channels lcl_channels_of(const lcl_blob *x, int end, size_t channels, bool per_image);

/* A kernel for out = `formula`, an OpenCL expression over vec: of x, d, and the weights s and
 * t. Its `out` may be x or d. What the formula does not use can be any buffer. */
lcl_status lcl_channel_map_get(lcl_kernel **out, const lcl_layer *l,
                               const lcl_channels *c, const char *formula,
                               lcl_error *err);
lcl_status lcl_channel_map_run(lcl_device *dev, lcl_kernel *kernel, const lcl_channels *c,
                               cl_mem x, cl_mem d, cl_mem s, cl_mem t, cl_mem out,
                               lcl_error *err);

typedef struct {
    lcl_kernel *sum, *reduce; /* borrowed from the device */
} lcl_channel_sum;

/* Kernels for the sum over each weight's runs of `formula`, of x and d. */
lcl_status lcl_channel_sum_get(lcl_channel_sum *out, const lcl_layer *l,
                               const lcl_channels *c, const char *formula,
                               lcl_error *err);
/* out = the sums, or += where `accumulate` (never for weights per image). */
lcl_status lcl_channel_sum_run(lcl_device *dev, const lcl_channel_sum *s,
                               const lcl_channels *c, cl_mem x, cl_mem d, cl_mem out,
                               bool accumulate, lcl_error *err);

/* As lcl_layer_add_param, with a constant where the prototxt has no filler. */
lcl_status lcl_channel_param(lcl_layer *l, int n_axes, const int *shape,
                             const Caffe__FillerParameter *filler, float otherwise,
                             lcl_error *err);

/* ---- The options of Scale and Bias ------------------------------------------------- */

/* Which axes of bottom 0 have weights: bottom 1, or a parameter. As the prototxt says. */
typedef struct {
    const void *message;
    int axis, num_axes;
} lcl_channel_axes;

/* The shape of the weights; sets l->plain where their layout asks for it. Call in setup. */
lcl_status lcl_channel_axes_set_up(lcl_layer *l, const lcl_channel_axes *a, int *n_axes,
                                   int shape[LCL_MAX_AXES], lcl_error *err);
/* Bottom 0 seen with those weights, whose shape must fit. */
lcl_status lcl_channel_axes_find(const lcl_layer *l, const lcl_channel_axes *a,
                                 const lcl_blob *weights, lcl_channels *out,
                                 lcl_error *err);

#endif
