/* Input: tops of given shapes that the caller fills. shape: one for all tops or one per
 * top. */
#include <limits.h>

#include "lcl/layer.h"

static lcl_status shape_top(lcl_layer *l, lcl_blob *top, const Caffe__BlobShape *from,
                            lcl_error *err)
{
    int shape[LCL_MAX_AXES];

    if (from->n_dim > LCL_MAX_AXES)
        return lcl_layer_fail(l, from, "dim", err, LCL_ESHAPE,
                              "a shape can have no more than %d dimensions, this has %zu",
                              LCL_MAX_AXES, from->n_dim);
    for (size_t i = 0; i < from->n_dim; i++) {
        if (from->dim[i] < 1 || from->dim[i] > INT_MAX)
            return lcl_layer_fail(l, from, "dim", err, LCL_ESHAPE,
                                  "dimension %zu is %lld; it must be from 1 to %d", i,
                                  (long long)from->dim[i], INT_MAX);
        shape[i] = (int)from->dim[i];
    }
    return lcl_blob_reshape(top, (int)from->n_dim, shape, from->n_dim ? l->env->block : 1,
                            err);
}

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__InputParameter *p = l->param->input_param;
    size_t n = p ? p->n_shape : 0;

    if (n != 1 && n != (size_t)l->n_tops) {
        lcl_layer_fail(l, p, n ? "shape" : NULL, err, LCL_EPROTO,
                       "needs one shape, or one per top: %d tops, but %zu shapes",
                       l->n_tops, n);
        return lcl_hint(err, LCL_EPROTO,
                        "for example: input_param { shape { dim: 1 dim: 1 dim: 28 dim: "
                        "28 } }");
    }
    for (int i = 0; i < l->n_tops; i++)
        LCL_TRY(shape_top(l, l->tops[i], p->shape[n == 1 ? 0 : i], err));
    return LCL_OK;
}

/* The caller may have given the tops other shapes since. */
static lcl_status reshape(lcl_layer *l, lcl_error *err)
{
    (void)l;
    (void)err;
    return LCL_OK;
}

static lcl_status forward(lcl_layer *l, lcl_error *err)
{
    (void)l;
    (void)err;
    return LCL_OK;
}

const lcl_layer_type lcl_layer_input = {
    .name = "Input",
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .is_source = true,
    .setup = setup,
    .reshape = reshape,
    .forward = forward,
};
