/* Reshape (in a file of a longer name, as lcl_layer_reshape is a function): `num_axes` axes from `axis` on become those of `shape`, in which 0 copies the
 * bottom's dimension and -1, once, takes what is left. The top shares the bottom's memory. */
#include <limits.h>
#include <stdint.h>

#include "text.h"
#include "view.h"

static const Caffe__ReshapeParameter none = CAFFE__RESHAPE_PARAMETER__INIT;

/* The axes that are replaced: start to end. */
static lcl_status replaced(const lcl_layer *l, int *start, int *end, lcl_error *err)
{
    const Caffe__ReshapeParameter *p =
        l->param->reshape_param ? l->param->reshape_param : &none;
    int n_axes = l->bottoms[0]->n_axes;

    if (p->axis < -n_axes - 1 || p->axis > n_axes)
        return lcl_layer_fail(l, p, "axis", err, LCL_ESHAPE,
                              "axis %d is not within the %d axes of '%s', or just behind",
                              p->axis, n_axes, l->bottoms[0]->name);
    *start = p->axis < 0 ? n_axes + p->axis + 1 : p->axis;
    if (p->num_axes < -1 || p->num_axes > n_axes - *start)
        return lcl_layer_fail(l, p, "num_axes", err, LCL_ESHAPE,
                              "num_axes is %d; it must be from 0 to the %d axes of '%s' "
                              "from axis %d on, or -1 for all of these",
                              p->num_axes, n_axes - *start, l->bottoms[0]->name, *start);
    *end = p->num_axes == -1 ? n_axes : *start + p->num_axes;
    return LCL_OK;
}

/* Dimension `i` of the prototxt's shape, -1 where it is to be found. */
static lcl_status new_dim(const lcl_layer *l, const Caffe__BlobShape *shape, size_t i,
                          int start, int *out, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];
    int64_t dim = shape->dim[i];

    if (dim == 0 && start + (int)i >= x->n_axes)
        return lcl_layer_fail(l, shape, "dim", err, LCL_ESHAPE,
                              "dim %zu is 0, but '%s' has no axis %d to copy it from", i,
                              x->name, start + (int)i);
    if (dim < -1 || dim > INT_MAX)
        return lcl_layer_fail(l, shape, "dim", err, LCL_ESHAPE,
                              "dim %zu is %lld; it must be -1, 0 or more", i,
                              (long long)dim);
    *out = dim == 0 ? x->shape[start + (int)i] : (int)dim;
    return LCL_OK;
}

/* Sets the dimension that was -1 (at `inferred`; none where that is < 0). */
static lcl_status infer(const lcl_layer *l, lcl_shape *top, int inferred,
                        const Caffe__BlobShape *shape, lcl_error *err)
{
    const lcl_blob *x = l->bottoms[0];
    size_t count = lcl_blob_count(x), others = 1;

    for (int i = 0; i < top->n_axes; i++)
        if (i != inferred && !lcl_multiply(others, (size_t)top->shape[i], &others))
            others = SIZE_MAX;
    if (inferred < 0 ? count == others : others > 0 && count % others == 0) {
        if (inferred >= 0)
            top->shape[inferred] = (int)(count / others);
        return LCL_OK;
    }
    return lcl_layer_fail(l, shape, shape ? "dim" : NULL, err, LCL_ESHAPE,
                          "'%s' has %zu values, and the new shape's dimensions multiply "
                          "to %zu%s",
                          x->name, count, others,
                          inferred < 0 ? "" : ", which does not divide it");
}

static lcl_status new_shape(const lcl_layer *l, lcl_shape *top, lcl_error *err)
{
    const Caffe__ReshapeParameter *p = l->param->reshape_param;
    const Caffe__BlobShape *shape = p ? p->shape : NULL;
    const lcl_blob *x = l->bottoms[0];
    size_t n_new = shape ? shape->n_dim : 0;
    int start = 0, end = 0, inferred = -1;

    LCL_TRY(replaced(l, &start, &end, err));
    if (n_new + (size_t)(x->n_axes - (end - start)) > LCL_MAX_AXES)
        return lcl_layer_fail(l, shape, "dim", err, LCL_ESHAPE,
                              "the new shape has more than %d axes", LCL_MAX_AXES);
    *top = (lcl_shape){0};
    for (int i = 0; i < start; i++)
        top->shape[top->n_axes++] = x->shape[i];
    for (size_t i = 0; i < n_new; i++) {
        int *dim = &top->shape[top->n_axes++];
        LCL_TRY(new_dim(l, shape, i, start, dim, err));
        if (*dim >= 0)
            continue;
        if (inferred >= 0)
            return lcl_layer_fail(l, shape, "dim", err, LCL_EPROTO,
                                  "only one dim can be -1");
        inferred = top->n_axes - 1;
    }
    for (int i = end; i < x->n_axes; i++)
        top->shape[top->n_axes++] = x->shape[i];
    return infer(l, top, inferred, shape, err);
}

static lcl_status reshape_setup(lcl_layer *l, lcl_error *err)
{
    lcl_shape top;

    LCL_TRY(new_shape(l, &top, err));
    l->plain = lcl_view_mixes_images(l, &top);
    return LCL_OK;
}

static lcl_status reshape_reshape(lcl_layer *l, lcl_error *err)
{
    lcl_shape top;

    LCL_TRY(new_shape(l, &top, err));
    return lcl_view_reshape(l, &top, err);
}

const lcl_layer_type lcl_layer_reshape_layer = {
    .name = "Reshape",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .is_view = true,
    .setup = reshape_setup,
    .reshape = reshape_reshape,
    .forward = lcl_view_forward,
    .backward = lcl_view_backward,
};
