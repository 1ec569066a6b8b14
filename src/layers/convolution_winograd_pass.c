/* Winograd convolution of small layers on a CPU: a launch a pass, whose transforms stay in a core's
 * own cache (cl/winograd_pass.cl). */
#include "layers/convolution_winograd.h"

static size_t slab_size(const lcl_layer *l, int bottom_channels, int top_channels)
{
    const convolution_state *s = l->state;

    return lcl_winograd_size(l, s->group * bottom_channels, 1) +
           lcl_winograd_size(l, s->group * top_channels, 1);
}

static size_t forward_slab(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return slab_size(l, s->channels / s->group, s->winograd.top_rows);
}

/* The product for the bottom's gradient takes the place of the transformed bottom; behind it
 * the filters' transformed gradient. */
static size_t backward_slab(const lcl_layer *l)
{
    const convolution_state *s = l->state;
    const lcl_convolution_winograd *w = &s->winograd;

    return slab_size(l, w->bottom_rows, s->outputs / s->group) +
           lcl_winograd_points(s) *
               (size_t)(s->group * w->product_rows * w->product_row) * sizeof(float);
}

/* Floats of a share's gradients of the filters and the bias. */
static size_t part_count(const lcl_layer *l)
{
    const convolution_state *s = l->state;

    return lcl_blob_count(l->params[0]) + (size_t)s->outputs;
}

static long slab_vectors(const lcl_layer *l, size_t size)
{
    return (long)(size / sizeof(float)) / lcl_winograd_vector(l);
}

lcl_status lcl_winograd_get_forward_pass(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const int channels = s->channels / s->group;
    const lcl_define own[] = {
        {"FORWARD", 1},         {"SLAB", slab_vectors(l, forward_slab(l))},
        {"CHANNELS", channels}, {"ROWS", w->top_rows},
        {"DEPTH", channels},    {"RT", w->top_tile}};

    return lcl_winograd_transform(l, &w->forward_pass, "winograd_pass",
                                  "winograd_forward", lcl_winograd_group(l), 1, own,
                                  LCL_COUNT(own), err);
}

static lcl_status get_backward_pass(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const lcl_define own[] = {{"BACKWARD", 1},
                              {"SLAB", slab_vectors(l, backward_slab(l))},
                              {"CHANNELS", s->channels / s->group},
                              {"ROWS", w->bottom_rows},
                              {"DEPTH", s->outputs / s->group},
                              {"RT", w->bottom_tile},
                              {"ADJOINT", 1},
                              {"BIAS_POINT", w->matrices.n + 1},
                              {"TOP_TURNED", w->top_turned},
                              {"FACTORS", w->product_rows},
                              {"COLUMNS", w->product_columns},
                              {"ROW_SIZE", w->product_row},
                              {"FT", w->row_tile},
                              {"CT", w->column_tile}};

    LCL_TRY(lcl_winograd_transform(l, &w->backward_pass, "winograd_pass",
                                   "winograd_backward", lcl_winograd_group(l), 1, own,
                                   LCL_COUNT(own), err));
    return lcl_winograd_transform(l, &w->gradients, "winograd_pass", "winograd_gradients",
                                  lcl_winograd_group(l), 1, own, LCL_COUNT(own), err);
}

lcl_status lcl_winograd_prepare_backward_pass(lcl_layer *l, lcl_error *err)
{
    lcl_convolution_winograd *w = &((convolution_state *)l->state)->winograd;

    LCL_TRY(get_backward_pass(l, err));
    return lcl_buffer_create(&w->filter_parts, l->dev,
                             w->n_passes * part_count(l) * sizeof(float), l->param->name,
                             err);
}

lcl_status lcl_winograd_forward_pass(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_mem bias = l->params[s->bias ? 1 : 0]->data;
    const cl_int n_tiles = (cl_int)w->n_tiles, n_panels = (cl_int)w->n_panels;
    cl_mem slabs;

    LCL_TRY(lcl_device_scratch(&slabs, l->dev, SCRATCH_INPUT,
                               w->n_passes * forward_slab(l), err));
    const lcl_arg args[] = {LCL_ARG(l->bottoms[i]->data),
                            LCL_ARG(l->params[0]->data),
                            LCL_ARG(bias),
                            LCL_ARG(lcl_convolution_top(l, i)->data),
                            LCL_ARG(s->epilogue.buffer),
                            LCL_ARG(w->filters),
                            LCL_ARG(slabs),
                            LCL_ARG(n_tiles),
                            LCL_ARG(n_panels)};
    return lcl_kernel_run(l->dev, w->forward_pass, (lcl_range){1, w->n_passes, 1},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

/* The parameters' gradients from the passes' parts. */
static lcl_status sum_gradients(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int parts = (cl_int)w->n_passes, with_weights = l->param_propagate[0];
    const cl_int with_bias = s->bias && l->param_propagate[1];
    const cl_int add_weights = l->accumulate[0] || i > 0;
    const cl_int add_bias = with_bias && (l->accumulate[1] || i > 0);
    const cl_mem db = l->params[s->bias ? 1 : 0]->diff;
    const lcl_arg args[] = {LCL_ARG(w->filter_parts),    LCL_ARG(parts),
                            LCL_ARG(l->params[0]->diff), LCL_ARG(with_weights),
                            LCL_ARG(add_weights),        LCL_ARG(db),
                            LCL_ARG(with_bias),          LCL_ARG(add_bias)};

    return lcl_kernel_run(l->dev, w->gradients, (lcl_range){1, w->n_passes, 1},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}

lcl_status lcl_winograd_backward_pass(lcl_layer *l, int i, lcl_error *err)
{
    convolution_state *s = l->state;
    lcl_convolution_winograd *w = &s->winograd;
    const cl_int n_blocks = (cl_int)s->n_blocks, params = lcl_winograd_wants_params(l);
    const cl_int bottom = l->propagate[i];
    cl_mem slabs;

    LCL_TRY(lcl_device_scratch(&slabs, l->dev, SCRATCH_INPUT,
                               w->n_passes * backward_slab(l), err));
    const lcl_arg args[] = {LCL_ARG(lcl_convolution_top(l, i)->diff),
                            LCL_ARG(s->epilogue.buffer),
                            LCL_ARG(l->bottoms[i]->data),
                            LCL_ARG(w->filters),
                            LCL_ARG(l->bottoms[i]->diff),
                            LCL_ARG(w->filter_parts),
                            LCL_ARG(slabs),
                            LCL_ARG(n_blocks),
                            LCL_ARG(params),
                            LCL_ARG(bottom)};
    LCL_TRY(lcl_kernel_run(l->dev, w->backward_pass, (lcl_range){1, w->n_passes, 1},
                           (lcl_range){0}, args, LCL_COUNT(args), err));
    return params ? sum_gradients(l, i, err) : LCL_OK;
}
