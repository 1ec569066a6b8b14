/* debug_info: Caffe's lines with the mean absolute value of each blob. Reads everything
 * back, so it is slow; for looking at a net that does not learn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "solver_state.h"
#include "text.h"

typedef struct {
    double sum, squares; /* of absolute values */
    size_t count;
} magnitude;

static double mean(magnitude m)
{
    return m.count ? m.sum / (double)m.count : 0;
}

/* Adds the blob's values to *m. */
static lcl_status add_blob(const lcl_blob *b, lcl_which which, magnitude *m,
                           lcl_error *err)
{
    size_t count = lcl_blob_count(b);
    float *values = lcl_alloc(count, sizeof *values);
    lcl_status status = lcl_blob_read(b, which, values, err);

    for (size_t i = 0; status == LCL_OK && i < count; i++) {
        m->sum += fabs((double)values[i]);
        m->squares += (double)values[i] * (double)values[i];
    }
    m->count += count;
    free(values);
    return status;
}

static lcl_status log_blob(lcl_log *log, const char *pass, const lcl_layer *l,
                           const char *role, const char *name, const lcl_blob *b,
                           lcl_which which, lcl_error *err)
{
    magnitude m = {0};

    LCL_TRY(add_blob(b, which, &m, err));
    LCL_LOG(log, "    [%s] Layer %s, %s blob %s %s: %g", pass, l->param->name, role, name,
            which == LCL_DATA ? "data" : "diff", mean(m));
    return LCL_OK;
}

/* The parameter's name in the prototxt, else its number. */
static const char *param_name(const Caffe__LayerParameter *layer, int i, char *number,
                              size_t size)
{
    if ((size_t)i < layer->n_param && layer->param[i]->name && layer->param[i]->name[0])
        return layer->param[i]->name;
    snprintf(number, size, "%d", i);
    return number;
}

static lcl_status log_params(lcl_log *log, const char *pass, const lcl_layer *l,
                             lcl_which which, lcl_error *err)
{
    char number[16];

    for (int i = 0; i < l->n_params; i++)
        if (which == LCL_DATA || (l->param_propagate[i] && l->params[i]->diff))
            LCL_TRY(log_blob(log, pass, l, "param",
                             param_name(l->param, i, number, sizeof number), l->params[i],
                             which, err));
    return LCL_OK;
}

lcl_status lcl_solver_debug_forward(lcl_net *net, lcl_log *log, lcl_error *err)
{
    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        const lcl_layer *l = lcl_net_layer(net, i);
        LCL_TRY(lcl_net_forward_layer(net, i, err));
        for (int t = 0; t < l->n_tops; t++)
            LCL_TRY(log_blob(log, "Forward", l, "top", l->tops[t]->name, l->tops[t],
                             LCL_DATA, err));
        LCL_TRY(log_params(log, "Forward", l, LCL_DATA, err));
    }
    return LCL_OK;
}

static lcl_status log_totals(const lcl_net *net, lcl_log *log, lcl_error *err)
{
    magnitude data = {0}, diff = {0};

    for (size_t i = 0; i < lcl_net_n_params(net); i++) {
        const lcl_blob *b = lcl_net_param_at(net, i)->blob;
        LCL_TRY(add_blob(b, LCL_DATA, &data, err));
        if (b->diff)
            LCL_TRY(add_blob(b, LCL_DIFF, &diff, err));
    }
    lcl_log_write(log, 'E', __FILE__, __LINE__,
                  "    [Backward] All net params (data, diff): L1 norm = (%g, %g); "
                  "L2 norm = (%g, %g)",
                  data.sum, diff.sum, sqrt(data.squares), sqrt(diff.squares));
    return LCL_OK;
}

lcl_status lcl_solver_debug_backward(lcl_net *net, lcl_log *log, lcl_error *err)
{
    for (size_t i = lcl_net_n_layers(net); i-- > 0;) {
        const lcl_layer *l = lcl_net_layer(net, i);
        LCL_TRY(lcl_net_backward_layer(net, i, err));
        if (!lcl_net_layer_needs_backward(net, i))
            continue;
        for (int b = 0; b < l->n_bottoms; b++)
            if (l->propagate[b] && l->bottoms[b]->diff)
                LCL_TRY(log_blob(log, "Backward", l, "bottom", l->bottoms[b]->name,
                                 l->bottoms[b], LCL_DIFF, err));
        LCL_TRY(log_params(log, "Backward", l, LCL_DIFF, err));
    }
    return log_totals(net, log, err);
}

lcl_status lcl_solver_debug_update(const lcl_net *net, lcl_log *log, lcl_error *err)
{
    char number[16];

    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        const lcl_layer *l = lcl_net_layer(net, i);
        for (int k = 0; k < l->n_params; k++) {
            magnitude data = {0}, diff = {0};
            LCL_TRY(add_blob(l->params[k], LCL_DATA, &data, err));
            if (l->params[k]->diff)
                LCL_TRY(add_blob(l->params[k], LCL_DIFF, &diff, err));
            LCL_LOG(log, "    [Update] Layer %s, param %s data: %g; diff: %g",
                    l->param->name, param_name(l->param, k, number, sizeof number),
                    mean(data), mean(diff));
        }
    }
    return LCL_OK;
}
