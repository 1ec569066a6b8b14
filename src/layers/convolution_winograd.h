/* What the files of Winograd convolution share: the layout of transformed tiles
 * (cl/winograd_panels.cl), and the passes of small layers. */
#ifndef LCL_CONVOLUTION_WINOGRAD_H
#define LCL_CONVOLUTION_WINOGRAD_H

#include "layers/convolution.h"
#include "text.h"

#define LCL_WINOGRAD_TILE 4 /* outputs along an axis of a tile */

enum { SCRATCH_INPUT, SCRATCH_OUTPUT };

/* Chooses tiles and panels, and the sizes that follow. */
void lcl_winograd_plan(lcl_layer *l);

size_t lcl_winograd_points(const convolution_state *s);
size_t lcl_winograd_count_tiles(const convolution_state *s);
/* Floats that a work-item handles; of a group of tiles; vectors of a group. */
int lcl_winograd_vector(const lcl_layer *l);
int lcl_winograd_group(const lcl_layer *l);
size_t lcl_winograd_lanes(const lcl_layer *l);
size_t lcl_winograd_tiles_a_panel(const lcl_layer *l);
/* Bytes of the transformed filters. */
size_t lcl_winograd_filters_size(const convolution_state *s);
/* Gradients of the filters or the bias are wanted. */
bool lcl_winograd_wants_params(const lcl_layer *l);
/* Bytes of a transform of so many panels of `channels` channels. */
size_t lcl_winograd_size(const lcl_layer *l, int channels, size_t n_panels);

/* A kernel with the sizes, for arrays of so many panels, and `own` defines, at most 32. */
lcl_status lcl_winograd_kernel(lcl_layer *l, lcl_kernel **out, const char *file,
                               const char *name, int group, size_t panels,
                               const lcl_define *own, size_t n_own, lcl_error *err);
/* The same with the constant matrices, too. */
lcl_status lcl_winograd_transform(lcl_layer *l, lcl_kernel **out, const char *file,
                                  const char *name, int group, size_t panels,
                                  const lcl_define *own, size_t n_own, lcl_error *err);

/* Each pass in one launch (cl/winograd_pass.cl), where w->forward_in_one and backward_in_one
 * say so. */
lcl_status lcl_winograd_get_forward_pass(lcl_layer *l, lcl_error *err);
lcl_status lcl_winograd_prepare_backward_pass(lcl_layer *l, lcl_error *err);
lcl_status lcl_winograd_forward_pass(lcl_layer *l, int i, lcl_error *err);
lcl_status lcl_winograd_backward_pass(lcl_layer *l, int i, lcl_error *err);

#endif
