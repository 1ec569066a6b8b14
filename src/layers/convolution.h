/* What Convolution, Deconvolution and Im2col share: sizes and ways to compute. */
#ifndef LCL_CONVOLUTION_H
#define LCL_CONVOLUTION_H

#include "layers/winograd.h"
#include "lcl/layer.h"

#define MAX_SPATIAL 3

/* Sizes along depth, height and width; axes that the blobs have not count as 1. */
typedef struct {
    int in[MAX_SPATIAL], out[MAX_SPATIAL];
    int kernel[MAX_SPATIAL], stride[MAX_SPATIAL], pad[MAX_SPATIAL], dilation[MAX_SPATIAL];
} lcl_spatial;

/* What the convolution does to its top before it writes it (cl/epilogue.cl): a max pool of
 * windows side by side and a ReLU, of the layers fused with it. */
typedef struct {
    int pool_h, pool_w; /* 1 x 1: no pool */
    bool relu;
    lcl_blob *top; /* the fused layers' top; NULL: nothing is fused, l->tops */
    cl_mem places; /* owned; a byte for each pooled value */
    cl_mem buffer; /* places, or something that stands for it where nothing is pooled */
} lcl_convolution_epilogue;

/* Direct convolution: kernels (the device's), their ranges, partial sums of gradients. */
typedef struct {
    lcl_kernel *forward, *backward_data, *backward_weights, *reduce, *unpool;
    lcl_range forward_range, data_range, weights_range;
    cl_mem parts, bias_parts; /* owned; or NULL where there is one part */
    size_t n_parts;
} lcl_convolution_direct;

/* Winograd convolution: kernels, transformed filters, and the layout of cl/winograd_panels.cl. */
typedef struct {
    bool forward_in_one, backward_in_one; /* one launch a pass; else step by step */
    lcl_kernel *filter, *filter_adjoint, *sum_parts;
    lcl_kernel *forward_pass, *backward_pass, *gradients;
    lcl_kernel *input, *output, *output_adjoint, *input_adjoint;
    lcl_kernel *multiply, *multiply_adjoint, *filter_product;
    lcl_winograd matrices;
    int groups;                /* of tiles in a panel */
    size_t n_tiles, n_panels;  /* of all blocks */
    size_t chunk_panels;       /* of a step: their transforms fit into a cache */
    int top_tile, bottom_tile; /* rows of a product at a time, forward and backward */
    int top_rows,
        bottom_rows;      /* channels of a group, with those that fill the last tile */
    size_t row_shares[2]; /* of multiply, multiply_adjoint */
    /* The products for the filters' gradient: rows are channels of the top and columns of the
     * bottom, or (top_turned) the other way; `turned`: vectors are of channels, not of terms. */
    bool turned, top_turned;
    int product_rows, product_columns, product_row; /* floats that a row takes */
    int row_tile, column_tile; /* at a time; of vectors where turned */
    int filters_size;          /* floats a point and group */
    size_t n_passes; /* side by side, each with filters of its own; 1 step by step */
    size_t n_shares; /* of the panels, in steps for the filters' gradient */
    /* Bytes of a chunk's transformed bottom and top, and of products that are as large. */
    size_t bottom_size, top_size, bottom_product_size, top_product_size;
    cl_mem filters, filter_parts; /* owned */
    cl_mem bias_parts;            /* owned; NULL where there is one share */
    cl_mem kept_input;            /* owned: the transformed bottom, where it is small */
    bool is_kept;                 /* forward has filled it */
} lcl_convolution_winograd;

/* Convolution as a matrix product with the columns that cl/im2col.cl makes of the bottom; where
 * the kernel is 1 x 1, they are the bottom. */
typedef struct {
    lcl_kernel *columns, *images, *sum_rows; /* the device's; NULL where not needed */
    lcl_range columns_range, images_range;
} lcl_convolution_product;

typedef enum {
    LCL_CONVOLUTION_DIRECT,
    LCL_CONVOLUTION_WINOGRAD,
    LCL_CONVOLUTION_PRODUCT,
    LCL_CONVOLUTION_ROWS,
    LCL_N_CONVOLUTION_WAYS
} lcl_convolution_way;

/* Of a Deconvolution (`transposed`) the sizes, too, are those of the convolution that it is
 * the adjoint of: its bottom has `outputs` channels of s.out, its top `channels` of s.in. */
typedef struct {
    int axis, n_spatial, group, channels, outputs; /* channels, outputs: of all groups */
    bool bias, transposed;
    lcl_spatial s;
    size_t n_blocks;     /* of images (each with all axes before `axis` but the first) */
    bool backward_ready; /* kernels and buffers of backward fit the shapes */
    lcl_convolution_way way;
    lcl_convolution_epilogue epilogue;
    lcl_convolution_direct direct;
    lcl_convolution_winograd winograd;
    lcl_convolution_product product;
} convolution_state;

/* Checks the prototxt and makes the parameters; shapes the tops. Their parts that concern the
 * spatial axes only: kernel_size and the like; the tops' sizes and n_blocks. */
lcl_status lcl_convolution_setup(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_shape(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_read_sizes(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_top_sizes(lcl_layer *l, lcl_error *err);

/* Each output sees one value, in its own place: the bottom's values are the columns. */
bool lcl_convolution_is_pointwise(const lcl_spatial *z);
/* Defines for the sizes G, C, K (of a group), the spatial ones of z and the epilogue's, at most 26
 * of them. */
#define LCL_CONVOLUTION_DEFINES 26
size_t lcl_convolution_defines(const lcl_layer *l, const lcl_spatial *z,
                               lcl_define *defines);
/* The top that pair i writes. */
lcl_blob *lcl_convolution_top(const lcl_layer *l, int i);
/* The gradient of the bias for pair i: y->diff summed over images and places. `sum_rows` is
 * lcl_bias_sum_get's. */
lcl_status lcl_convolution_sum_diff(lcl_layer *l, int i, lcl_kernel *sum_rows,
                                    const lcl_blob *y, lcl_error *err);
/* Work-items along x for blobs of the bottom's block. */
size_t lcl_convolution_lanes(const lcl_layer *l);

/* Each way has: what forward needs, made at reshape; what backward needs; the passes for
 * bottom and top i (gradients of parameters are added to for i > 0); release. */
lcl_status lcl_convolution_direct_reshape(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_direct_prepare_backward(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_direct_forward(lcl_layer *l, int i, lcl_error *err);
lcl_status lcl_convolution_direct_backward(lcl_layer *l, int i, lcl_error *err);
void lcl_convolution_direct_release(lcl_layer *l);
/* The maps that the passes are made of: y = w * x + b; its adjoint from dy to dx, which adds
 * the bias where `transposed`; the parameters' gradients from the pair i of dy and x. */
lcl_status lcl_convolution_direct_map(lcl_layer *l, cl_mem x, cl_mem y, lcl_error *err);
lcl_status lcl_convolution_direct_adjoint(lcl_layer *l, cl_mem dy, cl_mem dx,
                                          lcl_error *err);
lcl_status lcl_convolution_direct_weights(lcl_layer *l, int i, cl_mem dy, cl_mem x,
                                          lcl_error *err);

/* What the last of these needs: kernel, range and partial sums. */
lcl_status lcl_convolution_direct_prepare_weights(lcl_layer *l, lcl_error *err);
/* A kernel of cl/convolution.cl for images of z, with defines of its own. */
lcl_status lcl_convolution_direct_kernel(lcl_layer *l, lcl_kernel **out, const char *name,
                                         const lcl_spatial *z, const lcl_define *own,
                                         size_t n_own, lcl_error *err);

/* Forward by rows, for single images in the test phase; it goes with direct convolution's passes.
 * With the pool and the ReLU of `e`. */
bool lcl_convolution_rows_suit(const lcl_layer *l, const lcl_convolution_epilogue *e);
lcl_status lcl_convolution_rows_reshape(lcl_layer *l, lcl_error *err);

/* The sizes suit Winograd, and neither the layers' environment nor LCL_WINOGRAD=0 forbids
 * it. */
bool lcl_convolution_winograd_suits(const lcl_layer *l);
lcl_status lcl_convolution_winograd_reshape(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_winograd_prepare_backward(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_winograd_forward(lcl_layer *l, int i, lcl_error *err);
lcl_status lcl_convolution_winograd_backward(lcl_layer *l, int i, lcl_error *err);
void lcl_convolution_winograd_release(lcl_layer *l);

/* On a CPU images lie alone: vectors are of pixels, by rows or in products. */
bool lcl_convolution_is_narrow(const lcl_layer *l);
bool lcl_convolution_product_suits(const lcl_layer *l);
lcl_status lcl_convolution_product_reshape(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_product_prepare_backward(lcl_layer *l, lcl_error *err);
lcl_status lcl_convolution_product_forward(lcl_layer *l, int i, lcl_error *err);
lcl_status lcl_convolution_product_backward(lcl_layer *l, int i, lcl_error *err);

#endif
