/* Caffe's six updates, written out in plain C. */
#include "verify/update_reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void lcl_update_values_free(lcl_update_values *values, const lcl_net *net)
{
    for (size_t i = 0; values && i < lcl_net_n_params(net); i++) {
        free(values[i].data);
        free(values[i].diff);
        free(values[i].history);
        free(values[i].history2);
    }
    free(values);
}

lcl_status lcl_update_values_read(lcl_update_values **out, const lcl_net *net,
                                  lcl_error *err)
{
    const size_t n = lcl_net_n_params(net);
    lcl_update_values *v = *out = lcl_alloc(n, sizeof *v);

    for (size_t i = 0; i < n; i++) {
        const lcl_blob *b = lcl_net_param_at(net, i)->blob;
        v[i].n = lcl_blob_count(b);
        v[i].data = lcl_alloc(v[i].n, sizeof(float));
        v[i].diff = lcl_alloc(v[i].n, sizeof(float));
        v[i].history = lcl_alloc(v[i].n, sizeof(float));
        v[i].history2 = lcl_alloc(v[i].n, sizeof(float));
        LCL_TRY(lcl_blob_read(b, LCL_DATA, v[i].data, err));
    }
    return LCL_OK;
}

/* What is subtracted from a weight whose gradient is g; h and h2 are its history. */
static double step(const Caffe__SolverParameter *p, double g, double rate, float *h,
                   float *h2, int iteration)
{
    double m = (double)p->momentum, b2 = (double)p->momentum2, delta = (double)p->delta;
    double rms = (double)p->rms_decay, before = (double)*h;

    if (strcmp(p->type, "SGD") == 0) {
        *h = (float)(rate * g + m * before);
        return (double)*h;
    }
    if (strcmp(p->type, "Nesterov") == 0) {
        *h = (float)(rate * g + m * before);
        return (1 + m) * (double)*h - m * before;
    }
    if (strcmp(p->type, "AdaGrad") == 0) {
        *h = (float)(before + g * g);
        return rate * g / (sqrt((double)*h) + delta);
    }
    if (strcmp(p->type, "RMSProp") == 0) {
        *h = (float)((1 - rms) * g * g + rms * before);
        return rate * g / (sqrt((double)*h) + delta);
    }
    if (strcmp(p->type, "AdaDelta") == 0) {
        *h = (float)((1 - m) * g * g + m * before);
        double u = g * sqrt((delta + (double)*h2) / (delta + (double)*h));
        *h2 = (float)((1 - m) * u * u + m * (double)*h2);
        return rate * u;
    }
    *h = (float)((1 - m) * g + m * before);
    *h2 = (float)((1 - b2) * g * g + b2 * (double)*h2);
    double correction = sqrt(1 - pow(b2, iteration + 1)) / (1 - pow(m, iteration + 1));
    return rate * correction * (double)*h / (sqrt((double)*h2) + delta);
}

/* What gradients are multiplied by where clip_gradients limits their norm. */
static double clip_scale(const Caffe__SolverParameter *p, const lcl_update_values *v,
                         size_t n)
{
    double squares = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < v[i].n; k++)
            squares += (double)v[i].diff[k] * (double)v[i].diff[k];
    if (p->clip_gradients >= 0 && sqrt(squares) > (double)p->clip_gradients)
        return (double)p->clip_gradients / sqrt(squares);
    return 1;
}

void lcl_update_reference(const Caffe__SolverParameter *p, const lcl_net *net,
                          lcl_update_values *v, int iteration, double rate)
{
    const size_t n = lcl_net_n_params(net);
    const double scale = clip_scale(p, v, n) / p->iter_size;
    const bool l1 = strcmp(p->regularization_type, "L1") == 0;

    for (size_t i = 0; i < n; i++) {
        const lcl_net_param *param = lcl_net_param_at(net, i);
        const double decay = (double)p->weight_decay * (double)param->decay_mult;
        for (size_t k = 0; k < v[i].n; k++) {
            double w = (double)v[i].data[k];
            double g = (double)v[i].diff[k] * scale;
            g += decay * (l1 ? (w > 0) - (w < 0) : w);
            w -= step(p, g, rate * (double)param->lr_mult, &v[i].history[k],
                      &v[i].history2[k], iteration);
            v[i].data[k] = (float)w;
        }
    }
}
