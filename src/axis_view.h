/* A blob seen around one of its axes: what softmax, accuracy and their like walk over. */
#ifndef LCL_AXIS_VIEW_H
#define LCL_AXIS_VIEW_H

#include "lcl/layer.h"

/* Each of `n_blocks` blocks is outer x channels x inner (x B), channels being the axis; a
 * position is one of its outer * inner runs of channels. A view around axis 0 is for
 * plain blobs only: one block, that counts as one image. */
typedef struct {
    size_t n_blocks, lanes; /* lanes: work-items that share a block */
    int n_images;
    int outer, channels, inner;
    int runs; /* positions side by side, a divisor of `inner`, that one work-item should take */
    int items; /* per lane and block: few enough that one work-item can add their sums */
} lcl_axis_view;

lcl_axis_view lcl_axis_view_of(const lcl_layer *l, const lcl_blob *b, int axis);
/* Each image as one run of `channels` after another, whatever its axes. */
lcl_axis_view lcl_axis_view_flat(const lcl_layer *l, const lcl_blob *b, int channels);

/* Where each work-item has `runs` of a block's positions. */
lcl_range lcl_axis_view_range(const lcl_axis_view *v);
/* Number of positions over all images, and of sums that the items of all blocks leave. */
size_t lcl_axis_view_positions(const lcl_axis_view *v);
size_t lcl_axis_view_sums(const lcl_axis_view *v);

/* Labels of `scores` along `axis`: checks that there is one for each position. Where they
 * do not share the scores' first axis, or the axis is 0, the layer must be plain. */
lcl_status lcl_axis_check_labels(const lcl_layer *l, int axis, lcl_error *err);
bool lcl_axis_labels_need_plain(const lcl_layer *l, int axis);

#endif
