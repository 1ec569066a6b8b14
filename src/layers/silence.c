/* Silence: takes blobs that nobody else does, so that they are no outputs of the net. */
#include "lcl/layer.h"

static lcl_status silence_nothing(lcl_layer *l, lcl_error *err)
{
    (void)l;
    (void)err;
    return LCL_OK;
}

static lcl_status silence_backward(lcl_layer *l, lcl_error *err)
{
    for (int i = 0; i < l->n_bottoms; i++)
        if (l->propagate[i])
            LCL_TRY(lcl_buffer_fill(l->dev, l->bottoms[i]->diff, 0,
                                    lcl_blob_stored(l->bottoms[i]) * sizeof(float), 0,
                                    err));
    return LCL_OK;
}

const lcl_layer_type lcl_layer_silence = {
    .name = "Silence",
    .min_bottoms = 1,
    .max_bottoms = LCL_MANY,
    .reshape = silence_nothing,
    .forward = silence_nothing,
    .backward = silence_backward,
};
