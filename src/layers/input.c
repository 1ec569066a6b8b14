/* Input: tops of given shapes that the caller fills. shape: one for all tops or one per
 * top. */
#include "shape.h"

static lcl_status shape_top(lcl_layer *l, lcl_blob *top, const Caffe__BlobShape *from,
                            lcl_error *err)
{
    lcl_shape shape;

    LCL_TRY(lcl_shape_take(&shape, l, from, err));
    return lcl_blob_reshape(top, shape.n_axes, shape.shape,
                            shape.n_axes ? l->env->block : 1, err);
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
