/* What losses share: how they are normalised, their labels, and all of a simple loss but
 * its kernels. */
#ifndef LCL_LOSS_H
#define LCL_LOSS_H

#include "axis_view.h"

typedef Caffe__LossParameter__NormalizationMode lcl_normalization;

/* The first member of a loss's state. Forward's work-items leave their shares of the loss and
 * of what counts (SUM_PLACE of cl/sums.cl); add_up makes top 0 and the divisor of them. */
typedef struct {
    lcl_range range; /* of forward's and backward's work-items: lanes, items, blocks */
    cl_int n_images, n_sums;
    cl_float normaliser;                  /* 0: what counted adds up to */
    lcl_kernel *forward, *sum, *backward; /* borrowed from the device */
    cl_mem losses, counted;               /* owned: n_sums vectors */
    cl_mem divisor;                       /* owned: what the loss was divided by */
    size_t size;                          /* bytes of losses and of counted */
} lcl_loss;

/* What the prototxt says, with `normalize`, Caffe's older way to say it, or `fallback`. */
lcl_normalization lcl_loss_normalization(const lcl_layer *l, lcl_normalization fallback);
/* For `full` values of `batch` images. 0 stands for the number of values that count. */
float lcl_loss_normaliser(lcl_normalization mode, size_t full, size_t batch);

/* Bottoms 0 and 1 have as many images; as many values. Bottom i has a value an image. */
lcl_status lcl_loss_check_batch(const lcl_layer *l, lcl_error *err);
lcl_status lcl_loss_check_counts(const lcl_layer *l, lcl_error *err);
lcl_status lcl_loss_check_labels(const lcl_layer *l, int i, lcl_error *err);

/* Shapes top 0, makes room for the sums over the positions of v, and gets the kernels
 * <file>_forward and <file>_backward of cl/<file>.cl, which includes loss.cl. */
lcl_status lcl_loss_reshape(lcl_layer *l, const lcl_axis_view *v, float normaliser,
                            const char *file, const lcl_define *defines, size_t n,
                            lcl_error *err);
/* The same for a loss of labels over the classes along `axis` of bottom 0, of which `prob` will
 * hold the softmax; *v is how it is seen. */
lcl_status lcl_loss_reshape_classes(lcl_layer *l, int axis, lcl_blob *prob,
                                    const char *file, lcl_axis_view *v, lcl_error *err);
lcl_status lcl_loss_add_up(lcl_layer *l, lcl_error *err);
/* Of losses whose forward takes the data of all bottoms, losses, counted and n_images; and
 * backward those data, the diff, n_images, the loss weight (of bottom 1: times -1), divisor.
 */
lcl_status lcl_loss_forward(lcl_layer *l, lcl_error *err);
lcl_status lcl_loss_backward(lcl_layer *l, lcl_error *err);
void lcl_loss_destroy(lcl_layer *l);

#endif
