/* Embed: y = row x of a table of input_dim x num_output weights, + bias. Bottom: indices of
 * any shape; the top has one axis more. An index that the table has not gives NANs. */
#include <limits.h>

#include "channelwise.h"

enum { CPU_EACH = 32, GPU_ITEMS = 4096 };

typedef struct {
    cl_int entries, outputs;
    bool bias;
    cl_int rows, image_rows; /* of indices, a block wide; and of them, in a block */
    cl_int each, part;       /* outputs and table entries of a work-item */
    lcl_kernel *forward, *backward; /* borrowed from the device */
    lcl_channels channels;
    lcl_channel_sum bias_sum;
} embed_state;

static lcl_status embed_setup(lcl_layer *l, lcl_error *err)
{
    embed_state *s = l->state;
    const Caffe__EmbedParameter *p = l->param->embed_param;

    if (!p || p->num_output < 1 || p->num_output > INT_MAX)
        return lcl_layer_fail(l, p, "num_output", err, LCL_EPROTO,
                              "num_output must be at least 1");
    if (p->input_dim < 1 || p->input_dim > INT_MAX)
        return lcl_layer_fail(
            l, p, "input_dim", err, LCL_EPROTO,
            "input_dim, how many indices there are, must be at least 1");
    s->entries = (cl_int)p->input_dim;
    s->outputs = (cl_int)p->num_output;
    s->bias = p->bias_term;
    const int shape[2] = {s->entries, s->outputs};
    LCL_TRY(lcl_layer_add_param(l, 2, shape, p->weight_filler, err));
    return s->bias ? lcl_layer_add_param(l, 1, shape + 1, p->bias_filler, err) : LCL_OK;
}

static int pieces(int n, int each)
{
    return n / each + (n % each != 0);
}

static lcl_status embed_reshape(lcl_layer *l, lcl_error *err)
{
    embed_state *s = l->state;
    lcl_blob *x = l->bottoms[0], *y = l->tops[0];
    bool cpu = lcl_device_is_cpu(l->dev);
    int shape[LCL_MAX_AXES + 1];

    for (int i = 0; i < x->n_axes; i++)
        shape[i] = x->shape[i];
    shape[x->n_axes] = s->outputs;
    LCL_TRY(lcl_blob_reshape(y, x->n_axes + 1, shape, x->block, err));
    s->rows = (cl_int)(lcl_blob_stored(x) / (size_t)x->block);
    s->image_rows = (cl_int)lcl_blob_image_count(x);
    s->each = cpu ? CPU_EACH : 1;
    int columns = pieces(s->outputs, s->each);
    const int units = (int)lcl_device_get_info(l->dev)->compute_units;
    s->part = pieces(s->entries, pieces(cpu ? 2 * units : GPU_ITEMS, columns));
    s->channels = lcl_channels_of(y, y->n_axes, (size_t)s->outputs, false);
    LCL_TRY(lcl_channel_sum_get(&s->bias_sum, l, &s->channels, "d", err));
    LCL_TRY(lcl_layer_kernel(l, &s->forward, "embed", "embed_forward", x->block, NULL, 0,
                             err));
    return lcl_layer_kernel(l, &s->backward, "embed", "embed_backward", x->block, NULL, 0,
                            err);
}

static lcl_status embed_forward(lcl_layer *l, lcl_error *err)
{
    embed_state *s = l->state;
    const lcl_blob *x = l->bottoms[0];
    cl_int images = lcl_blob_dim(x, 0), has_bias = s->bias;
    cl_mem weights = l->params[0]->data, bias = s->bias ? l->params[1]->data : weights;
    const lcl_arg args[] = {LCL_ARG(s->entries),    LCL_ARG(s->outputs),
                            LCL_ARG(s->each),       LCL_ARG(images),
                            LCL_ARG(s->image_rows), LCL_ARG(x->data),
                            LCL_ARG(weights),       LCL_ARG(has_bias),
                            LCL_ARG(bias),          LCL_ARG(l->tops[0]->data)};
    lcl_range global = {(size_t)(x->block / lcl_layer_vector(l, x->block)),
                        (size_t)pieces(s->outputs, s->each), (size_t)s->rows};

    return lcl_kernel_run(l->dev, s->forward, global, (lcl_range){0}, args, 10, err);
}

static lcl_status backward_weights(lcl_layer *l, lcl_error *err)
{
    embed_state *s = l->state;
    cl_int accumulate = l->accumulate[0];
    const lcl_arg args[] = {LCL_ARG(s->rows),
                            LCL_ARG(s->entries),
                            LCL_ARG(s->outputs),
                            LCL_ARG(s->each),
                            LCL_ARG(s->part),
                            LCL_ARG(accumulate),
                            LCL_ARG(l->bottoms[0]->data),
                            LCL_ARG(l->tops[0]->diff),
                            LCL_ARG(l->params[0]->diff)};
    lcl_range global = {(size_t)pieces(s->outputs, s->each),
                        (size_t)pieces(s->entries, s->part), 1};

    return lcl_kernel_run(l->dev, s->backward, global, (lcl_range){0}, args, 9, err);
}

static lcl_status embed_backward(lcl_layer *l, lcl_error *err)
{
    embed_state *s = l->state;
    cl_mem dy = l->tops[0]->diff;

    if (l->param_propagate[0])
        LCL_TRY(backward_weights(l, err));
    if (!s->bias || !l->param_propagate[1])
        return LCL_OK;
    return lcl_channel_sum_run(l->dev, &s->bias_sum, &s->channels, dy, dy,
                               l->params[1]->diff, l->accumulate[1], err);
}

const lcl_layer_type lcl_layer_embed = {
    .name = "Embed",
    .min_bottoms = 1,
    .max_bottoms = 1,
    .min_tops = 1,
    .max_tops = 1,
    .no_backward = 1,
    .state_size = sizeof(embed_state),
    .setup = embed_setup,
    .reshape = embed_reshape,
    .forward = embed_forward,
    .backward = embed_backward,
};
