/* Runs cl/update.cl over the parameters: a table of chunks, the history, clipping. */
#include "update.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lcl/profile.h"
#include "text.h"

#define MAX_HISTORIES 2

/* As in cl/update.cl. */
typedef struct {
    cl_uint offset, count;
    cl_float rate, decay;
} chunk;

typedef struct {
    const char *name, *solver;
    size_t n_histories;
} solver_type;

static const solver_type types[] = {
    {"SGD", "sgd", 1},         {"Nesterov", "nesterov", 1}, {"AdaGrad", "adagrad", 1},
    {"RMSProp", "rmsprop", 1}, {"AdaDelta", "adadelta", 2}, {"Adam", "adam", 2},
};

struct lcl_update {
    lcl_net *net; /* borrowed */
    lcl_device *dev;
    const Caffe__SolverParameter *param; /* borrowed from the solver's document */
    const solver_type *type;
    cl_mem history[MAX_HISTORIES];
    cl_mem chunks, parts, clip; /* owned; parts: sums of squares, one a chunk */
    size_t n_chunks;
    int vector, group; /* V and GROUP of the kernels */
    bool keep_diff;
    lcl_kernel *step, *norm_parts, *norm_scale; /* borrowed from the device */
};

/* ---- The solver's fields ----------------------------------------------------------- */

const char *lcl_update_type_name(size_t i)
{
    return i < LCL_COUNT(types) ? types[i].name : NULL;
}

static lcl_status find_type(const solver_type **type, const lcl_proto *source,
                            lcl_error *err)
{
    const Caffe__SolverParameter *p = (const void *)lcl_proto_root(source);
    const char *names[LCL_COUNT(types)];

    for (size_t i = 0; i < LCL_COUNT(types); i++) {
        names[i] = types[i].name;
        if (strcmp(types[i].name, p->type) == 0) {
            *type = &types[i];
            return LCL_OK;
        }
    }
    lcl_status status = lcl_proto_fail(
        source, p, "type", err, LCL_EPROTO,
        "unknown solver type \"%s\" (known types: AdaDelta, AdaGrad, Adam, Nesterov, "
        "RMSProp, SGD)",
        p->type);
    const char *near = lcl_nearest(p->type, names, LCL_COUNT(names));
    return near ? lcl_hint(err, status, "did you mean \"%s\"?", near) : status;
}

/* What Caffe's solvers refuse. */
static lcl_status check_fields(const lcl_update *u, const lcl_proto *source,
                               lcl_error *err)
{
    const Caffe__SolverParameter *p = u->param;
    bool rmsprop = strcmp(u->type->name, "RMSProp") == 0;

    if ((rmsprop || strcmp(u->type->name, "AdaGrad") == 0) && p->momentum != 0)
        return lcl_proto_fail(source, p, "momentum", err, LCL_EPROTO,
                              "momentum cannot be used with %s", u->type->name);
    if (rmsprop && !(p->rms_decay >= 0 && p->rms_decay < 1))
        return lcl_proto_fail(source, p, "rms_decay", err, LCL_EPROTO,
                              "rms_decay must lie in [0, 1), not %g",
                              (double)p->rms_decay);
    if (p->weight_decay != 0 && strcmp(p->regularization_type, "L2") != 0 &&
        strcmp(p->regularization_type, "L1") != 0) {
        lcl_status status =
            lcl_proto_fail(source, p, "regularization_type", err, LCL_EPROTO,
                           "unknown regularization type \"%s\"", p->regularization_type);
        return lcl_hint(err, status, "L2 or L1");
    }
    return LCL_OK;
}

/* ---- The table of chunks ----------------------------------------------------------- */

/* The widest vectors that the parameters' places in the buffers allow. */
static int common_vector(const lcl_net *net, int widest)
{
    size_t v = (size_t)widest;

    for (; v > 1; v /= 2) {
        bool fits = lcl_net_param_count(net) % v == 0;
        for (size_t i = 0; fits && i < lcl_net_n_params(net); i++)
            fits = lcl_net_param_at(net, i)->offset % v == 0;
        if (fits)
            break;
    }
    return (int)v;
}

/* Adds the chunks of one parameter to `table` (NULL: only counts them). The last vector
 * may reach into the padding behind the parameter, which is zero and stays so. */
static size_t add_chunks(const lcl_update *u, const lcl_net_param *param, chunk *table)
{
    size_t v = (size_t)u->vector;
    size_t longest = (u->group == 1 ? 4096 : 16 * (size_t)u->group) / v;
    size_t n_vectors = (lcl_blob_count(param->blob) + v - 1) / v;
    size_t n = 0;

    for (size_t done = 0; done < n_vectors; done += longest, n++) {
        size_t count = n_vectors - done < longest ? n_vectors - done : longest;
        if (table)
            table[n] =
                (chunk){(cl_uint)(param->offset / v + done), (cl_uint)count,
                        param->lr_mult, u->param->weight_decay * param->decay_mult};
    }
    return n;
}

static lcl_status make_chunks(lcl_update *u, lcl_error *err)
{
    size_t n = 0;

    if (lcl_net_param_count(u->net) / (size_t)u->vector > UINT32_MAX)
        return lcl_fail(err, LCL_EDEVICE, "", "the net has too many parameters: %zu",
                        lcl_net_param_count(u->net));
    for (size_t i = 0; i < lcl_net_n_params(u->net); i++)
        u->n_chunks += add_chunks(u, lcl_net_param_at(u->net, i), NULL);
    if (u->n_chunks == 0)
        return LCL_OK;
    chunk *table = lcl_alloc(u->n_chunks, sizeof *table);
    for (size_t i = 0; i < lcl_net_n_params(u->net); i++)
        n += add_chunks(u, lcl_net_param_at(u->net, i), table + n);
    size_t size = u->n_chunks * sizeof *table;
    lcl_status status =
        lcl_buffer_create(&u->chunks, u->dev, size, "the table of parameters", err);
    if (status == LCL_OK)
        status = lcl_buffer_write(u->dev, u->chunks, 0, size, table, err);
    free(table);
    return status;
}

/* ---- Creation ---------------------------------------------------------------------- */

static lcl_status get_kernels(lcl_update *u, lcl_error *err)
{
    const lcl_define defines[] = {
        {"B", u->vector},
        {"V", u->vector},
        {"GROUP", u->group},
        {"CLIP", u->param->clip_gradients >= 0},
        {"L1", strcmp(u->param->regularization_type, "L1") == 0},
        {"KEEP_DIFF", u->keep_diff},
        {"SOLVER", 0, u->type->solver},
    };
    const struct {
        lcl_kernel **kernel;
        const char *name;
    } wanted[] = {{&u->step, "update"},
                  {&u->norm_parts, "norm_parts"},
                  {&u->norm_scale, "norm_scale"}};

    for (size_t i = 0; i < (u->param->clip_gradients >= 0 ? LCL_COUNT(wanted) : 1); i++)
        LCL_TRY(lcl_kernel_get(wanted[i].kernel, u->dev, "update", wanted[i].name,
                               defines, LCL_COUNT(defines), err));
    return LCL_OK;
}

static lcl_status make_buffers(lcl_update *u, lcl_error *err)
{
    size_t size = lcl_net_param_count(u->net) * sizeof(float);

    for (size_t i = 0; i < u->type->n_histories; i++)
        LCL_TRY(
            lcl_buffer_create(&u->history[i], u->dev, size, "the solver's history", err));
    LCL_TRY(
        lcl_buffer_create(&u->clip, u->dev, 2 * sizeof(float), "gradient clipping", err));
    if (u->param->clip_gradients < 0)
        return LCL_OK;
    return lcl_buffer_create(&u->parts, u->dev, u->n_chunks * sizeof(float),
                             "gradient clipping", err);
}

static lcl_status fill_update(lcl_update *u, const lcl_proto *source, lcl_error *err)
{
    LCL_TRY(find_type(&u->type, source, err));
    LCL_TRY(check_fields(u, source, err));
    u->vector = common_vector(u->net, u->vector);
    u->keep_diff = u->param->debug_info || u->param->snapshot_diff;
    LCL_TRY(make_chunks(u, err));
    if (u->n_chunks == 0)
        return LCL_OK;
    LCL_TRY(make_buffers(u, err));
    return get_kernels(u, err);
}

lcl_status lcl_update_create_as(lcl_update **out, lcl_net *net, const lcl_proto *source,
                                int vector, int group, lcl_error *err)
{
    lcl_update *u = lcl_alloc(1, sizeof *u);

    u->net = net;
    u->dev = lcl_net_device(net);
    u->param = (const void *)lcl_proto_root(source);
    u->vector = vector;
    u->group = group;
    lcl_status status = fill_update(u, source, err);
    if (status != LCL_OK) {
        lcl_update_destroy(u);
        return status;
    }
    *out = u;
    return LCL_OK;
}

lcl_status lcl_update_create(lcl_update **out, lcl_net *net, const lcl_proto *source,
                             lcl_error *err)
{
    const lcl_device *dev = lcl_net_device(net);

    return lcl_update_create_as(out, net, source, lcl_device_vector(dev),
                                lcl_device_is_cpu(dev) ? 1 : 64, err);
}

void lcl_update_destroy(lcl_update *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < MAX_HISTORIES; i++)
        lcl_buffer_release(&u->history[i]);
    lcl_buffer_release(&u->chunks);
    lcl_buffer_release(&u->parts);
    lcl_buffer_release(&u->clip);
    free(u);
}

/* ---- Running ----------------------------------------------------------------------- */

/* Finds the factor that brings the gradient's length to clip_gradients, and logs it. */
static lcl_status clip_gradient(lcl_update *u, lcl_log *log, lcl_error *err)
{
    const size_t group = (size_t)u->group;
    const cl_uint n_parts = (cl_uint)u->n_chunks;
    const float limit = u->param->clip_gradients;
    const cl_mem diff = lcl_net_param_diff(u->net);
    const lcl_arg parts_args[] = {LCL_ARG(u->chunks), LCL_ARG(diff), LCL_ARG(u->parts)};
    const lcl_arg scale_args[] = {LCL_ARG(u->parts), LCL_ARG(n_parts), LCL_ARG(limit),
                                  LCL_ARG(u->clip)};
    float clip[2];

    LCL_TRY(lcl_kernel_run(u->dev, u->norm_parts, (lcl_range){u->n_chunks * group, 1, 1},
                           (lcl_range){group, 1, 1}, parts_args, LCL_COUNT(parts_args),
                           err));
    LCL_TRY(lcl_kernel_run(u->dev, u->norm_scale, (lcl_range){group, 1, 1},
                           (lcl_range){group, 1, 1}, scale_args, LCL_COUNT(scale_args),
                           err));
    if (!log)
        return LCL_OK;
    LCL_TRY(lcl_buffer_read(u->dev, u->clip, 0, sizeof clip, clip, err));
    if (clip[0] > limit)
        LCL_LOG(log,
                "Gradient clipping: scaling down gradients (L2 norm %g > %g) by scale "
                "factor %g",
                (double)clip[0], (double)limit, (double)clip[1]);
    return LCL_OK;
}

/* Adam's correction of averages that started at zero. */
static float adam_correction(const Caffe__SolverParameter *p, int iteration)
{
    int t = iteration + 1;

    return (float)(sqrt(1 - pow((double)p->momentum2, t)) /
                   (1 - pow((double)p->momentum, t)));
}

lcl_status lcl_update_run(lcl_update *u, int iteration, float rate, lcl_log *log,
                          lcl_error *err)
{
    const Caffe__SolverParameter *p = u->param;
    const bool adam = strcmp(u->type->name, "Adam") == 0;
    const bool rmsprop = strcmp(u->type->name, "RMSProp") == 0;
    const cl_mem data = lcl_net_param_data(u->net), diff = lcl_net_param_diff(u->net);
    const cl_mem history2 = u->history[u->type->n_histories - 1];
    const float normalize = 1.0f / (float)p->iter_size;
    const float correction = adam ? adam_correction(p, iteration) : 1.0f;
    const float second = rmsprop ? p->rms_decay : p->momentum2;
    const lcl_arg args[] = {
        LCL_ARG(u->chunks),     LCL_ARG(data),     LCL_ARG(diff),
        LCL_ARG(u->history[0]), LCL_ARG(history2), LCL_ARG(u->clip),
        LCL_ARG(normalize),     LCL_ARG(rate),     LCL_ARG(correction),
        LCL_ARG(p->momentum),   LCL_ARG(second),   LCL_ARG(p->delta),
    };
    const size_t group = (size_t)u->group;

    if (u->n_chunks == 0)
        return LCL_OK;
    lcl_profile_label(u->dev, "", "update");
    if (p->clip_gradients >= 0)
        LCL_TRY(clip_gradient(u, log, err));
    return lcl_kernel_run(u->dev, u->step, (lcl_range){u->n_chunks * group, 1, 1},
                          (lcl_range){group, 1, 1}, args, LCL_COUNT(args), err);
}

size_t lcl_update_n_histories(const lcl_update *u)
{
    return u->type->n_histories;
}

cl_mem lcl_update_history(const lcl_update *u, size_t i)
{
    return u->history[i];
}

bool lcl_update_keeps_diff(const lcl_update *u)
{
    return u->keep_diff;
}
