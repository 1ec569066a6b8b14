/* DummyData: tops of given shapes, filled once (constant fillers) or for each batch. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "shape.h"
#include "text.h"

static const Caffe__DummyDataParameter none = CAFFE__DUMMY_DATA_PARAMETER__INIT;

static const Caffe__DummyDataParameter *param_of(const lcl_layer *l)
{
    return l->param->dummy_data_param ? l->param->dummy_data_param : &none;
}

/* The older fields: one value for all tops or one per top. */
static lcl_status older_dim(const lcl_layer *l, const char *field, size_t n,
                            const uint32_t *values, int top, int *out, lcl_error *err)
{
    if (n != 1 && n != (size_t)l->n_tops)
        return lcl_layer_fail(l, param_of(l), n ? field : NULL, err, LCL_EPROTO,
                              "needs %s once, or once per top: %d tops, but %zu of them",
                              field, l->n_tops, n);
    uint32_t value = values[n == 1 ? 0 : top];
    if (value < 1 || value > INT_MAX)
        return lcl_layer_fail(l, param_of(l), field, err, LCL_ESHAPE,
                              "%s is %u; it must be from 1 to %d", field, value, INT_MAX);
    *out = (int)value;
    return LCL_OK;
}

static bool has_older_dims(const Caffe__DummyDataParameter *p)
{
    return p->n_num || p->n_channels || p->n_height || p->n_width;
}

static lcl_status top_shape(const lcl_layer *l, int top, lcl_shape *out, lcl_error *err)
{
    const Caffe__DummyDataParameter *p = param_of(l);
    int *d = out->shape;

    if (!has_older_dims(p))
        return lcl_shape_take(out, l, p->shape[p->n_shape == 1 ? 0 : top], err);
    out->n_axes = 4;
    LCL_TRY(older_dim(l, "num", p->n_num, p->num, top, &d[0], err));
    LCL_TRY(older_dim(l, "channels", p->n_channels, p->channels, top, &d[1], err));
    LCL_TRY(older_dim(l, "height", p->n_height, p->height, top, &d[2], err));
    return older_dim(l, "width", p->n_width, p->width, top, &d[3], err);
}

static lcl_status dummy_data_setup(lcl_layer *l, lcl_error *err)
{
    const Caffe__DummyDataParameter *p = param_of(l);
    size_t n_tops = (size_t)l->n_tops;

    if (p->n_data_filler > 1 && p->n_data_filler != n_tops)
        return lcl_layer_fail(l, p, "data_filler", err, LCL_EPROTO,
                              "needs no data_filler, one, or one per top: %zu tops, but "
                              "%zu fillers",
                              n_tops, p->n_data_filler);
    if (has_older_dims(p) && p->n_shape)
        return lcl_layer_fail(l, p, "shape", err, LCL_EPROTO,
                              "give shape, or num, channels, height and width, not both");
    if (!has_older_dims(p) && p->n_shape != 1 && p->n_shape != n_tops)
        return lcl_layer_fail(l, p->n_shape ? p : NULL, "shape", err, LCL_EPROTO,
                              "needs one shape, or one per top: %zu tops, but %zu shapes",
                              n_tops, p->n_shape);
    return LCL_OK;
}

/* NULL: zeros. */
static const Caffe__FillerParameter *filler_of(const lcl_layer *l, int top)
{
    const Caffe__DummyDataParameter *p = param_of(l);

    if (p->n_data_filler == 0)
        return NULL;
    return p->data_filler[p->n_data_filler == 1 ? 0 : top];
}

static bool is_constant(const Caffe__FillerParameter *filler)
{
    return !filler || !filler->type || strcmp(filler->type, "constant") == 0;
}

static lcl_status fill(lcl_layer *l, int top, lcl_error *err)
{
    lcl_blob *y = l->tops[top];
    float *values = lcl_alloc(lcl_blob_count(y) + 1, sizeof *values);
    lcl_status status =
        lcl_layer_fill(l, values, y->n_axes, y->shape, filler_of(l, top), err);

    if (status == LCL_OK)
        status = lcl_blob_write(y, LCL_DATA, values, err);
    free(values);
    return status;
}

static lcl_status dummy_data_reshape(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_tops; i++) {
        lcl_shape shape = {0};
        LCL_TRY(top_shape(l, i, &shape, err));
        LCL_TRY(lcl_blob_reshape(l->tops[i], shape.n_axes, shape.shape,
                                 shape.n_axes ? l->env->block : 1, err));
        LCL_TRY(fill(l, i, err));
    }
    return LCL_OK;
}

static lcl_status dummy_data_forward(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_tops; i++)
        if (!is_constant(filler_of(l, i)))
            LCL_TRY(fill(l, i, err));
    return LCL_OK;
}

const lcl_layer_type lcl_layer_dummy_data = {
    .name = "DummyData",
    .min_tops = 1,
    .max_tops = LCL_MANY,
    .is_source = true,
    .setup = dummy_data_setup,
    .reshape = dummy_data_reshape,
    .forward = dummy_data_forward,
};
