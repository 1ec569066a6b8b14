/* Parameter: a parameter of the given shape as a top. Kernels: cl/reduce.cl. */
#include "shape.h"

typedef struct {
    lcl_kernel *add; /* borrowed from the device */
} parameter_state;

static lcl_status parameter_setup(lcl_layer *l, lcl_error *err)
{
    static const Caffe__BlobShape no_axes = CAFFE__BLOB_SHAPE__INIT;
    const Caffe__ParameterParameter *p = l->param->parameter_param;
    lcl_shape shape;

    LCL_TRY(lcl_shape_take(&shape, l, p && p->shape ? p->shape : &no_axes, err));
    return lcl_layer_add_param(l, shape.n_axes, shape.shape, NULL, err);
}

static lcl_status parameter_reshape(lcl_layer *l, lcl_error *err)
{
    parameter_state *s = l->state;
    const lcl_blob *p = l->params[0];

    LCL_TRY(lcl_kernel_get(&s->add, l->dev, "reduce", "reduce_parts", NULL, 0, err));
    return lcl_blob_reshape(l->tops[0], p->n_axes, p->shape, 1, err);
}

static lcl_status parameter_forward(lcl_layer *l, lcl_error *err)
{
    const lcl_blob *p = l->params[0];

    return lcl_buffer_copy(l->dev, p->data, 0, l->tops[0]->data, 0,
                           lcl_blob_stored(p) * sizeof(float), err);
}

static lcl_status parameter_backward(lcl_layer *l, lcl_error *err)
{
    parameter_state *s = l->state;
    const lcl_blob *p = l->params[0];
    cl_int one = 1, count = (cl_int)lcl_blob_stored(p), accumulate = l->accumulate[0];
    const lcl_arg args[] = {LCL_ARG(l->tops[0]->diff), LCL_ARG(one), LCL_ARG(count),
                            LCL_ARG(p->diff), LCL_ARG(accumulate)};

    if (!l->param_propagate[0])
        return LCL_OK;
    return lcl_kernel_run(l->dev, s->add, (lcl_range){.x = (size_t)count}, (lcl_range){0},
                          args, 5, err);
}

const lcl_layer_type lcl_layer_parameter = {
    .name = "Parameter",
    .is_source = true,
    .min_tops = 1,
    .max_tops = 1,
    .state_size = sizeof(parameter_state),
    .setup = parameter_setup,
    .reshape = parameter_reshape,
    .forward = parameter_forward,
    .backward = parameter_backward,
};
