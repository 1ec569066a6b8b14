/* Gradients and weights go between devices through the host's memory: they may belong to
 * different platforms. */
#include "solver_replicas.h"

#include <stdlib.h>
#include <string.h>

#include "solver_reader.h"
#include "text.h"
#include "tile.h"

#define SHARE 4096 /* floats of a work-item, about */

struct lcl_replicas {
    lcl_net *net;        /* borrowed */
    lcl_net **copies;    /* owned, as all below */
    lcl_reader **losses; /* of each copy */
    size_t n, count; /* copies; floats of the net's parameters, with those between them */
    float *floats;   /* count of them on their way, */
    float *theirs;   /* and as they lie in a copy */
    cl_mem others;   /* on the net's device: the copies' gradients */
    lcl_kernel *mean; /* borrowed from the device */
};

static lcl_status start(lcl_replicas *r, lcl_error *err)
{
    lcl_device *dev = lcl_net_device(r->net);
    const lcl_define vector = {.name = "V", .value = lcl_tile_get(dev, LCL_TILE_VECTOR)};

    LCL_TRY(lcl_buffer_create(&r->others, dev, r->n * r->count * sizeof(float),
                              "the gradients of other devices", err));
    return lcl_kernel_get(&r->mean, dev, "replicas", "replicas_mean", &vector, 1, err);
}

lcl_status lcl_replicas_create(lcl_replicas **out, lcl_net *net, lcl_net **copies,
                               size_t n, lcl_error *err)
{
    lcl_replicas *r = lcl_alloc(1, sizeof *r);

    r->net = net;
    r->copies = copies;
    r->n = n;
    r->count = lcl_net_param_count(net);
    r->losses = lcl_alloc(n, sizeof *r->losses);
    r->floats = lcl_alloc(r->count + 1, sizeof *r->floats);
    size_t most = 1;
    for (size_t i = 0; i < n; i++) {
        const size_t count = lcl_net_param_count(copies[i]);
        r->losses[i] = lcl_reader_of_losses(copies[i]);
        most = count > most ? count : most;
    }
    r->theirs = lcl_alloc(most, sizeof *r->theirs);
    lcl_status status = start(r, err);
    if (status != LCL_OK) {
        lcl_replicas_destroy(r);
        return status;
    }
    *out = r;
    return LCL_OK;
}

void lcl_replicas_destroy(lcl_replicas *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++) {
        lcl_reader_destroy(r->losses[i]);
        lcl_net_destroy(r->copies[i]);
    }
    lcl_buffer_release(&r->others);
    free(r->theirs);
    free(r->floats);
    free(r->losses);
    free(r->copies);
    free(r);
}

/* Devices align parameters in their own ways: those of `from` to where those of `to` lie. */
static void move_params(const lcl_net *from, const float *values, const lcl_net *to,
                        float *moved)
{
    for (size_t i = 0; i < lcl_net_n_params(from); i++) {
        const lcl_net_param *p = lcl_net_param_at(from, i);
        memcpy(moved + lcl_net_param_at(to, i)->offset, values + p->offset,
               lcl_blob_count(p->blob) * sizeof(float));
    }
}

static size_t size_of(const lcl_net *net)
{
    return lcl_net_param_count(net) * sizeof(float);
}

lcl_status lcl_replicas_send_weights(lcl_replicas *r, lcl_error *err)
{
    if (r->count == 0)
        return LCL_OK;
    LCL_TRY(lcl_buffer_read(lcl_net_device(r->net), lcl_net_param_data(r->net), 0,
                            size_of(r->net), r->floats, err));
    for (size_t i = 0; i < r->n; i++) {
        lcl_net *copy = r->copies[i];
        move_params(r->net, r->floats, copy, r->theirs);
        LCL_TRY(lcl_buffer_write(lcl_net_device(copy), lcl_net_param_data(copy), 0,
                                 size_of(copy), r->theirs, err));
    }
    return LCL_OK;
}

static lcl_status run_pass(const lcl_replicas *r, size_t i, bool first, bool with_loss,
                           lcl_error *err)
{
    lcl_net *copy = r->copies[i];

    lcl_net_accumulate(copy, !first);
    LCL_TRY(lcl_net_forward(copy, err));
    if (with_loss)
        LCL_TRY(lcl_reader_request(r->losses[i], err));
    LCL_TRY(lcl_net_backward(copy, err));
    return lcl_device_flush(lcl_net_device(copy), err);
}

lcl_status lcl_replicas_run_pass(lcl_replicas *r, bool first, bool with_loss,
                                 lcl_error *err)
{
    LCL_TRY(lcl_device_flush(lcl_net_device(r->net), err));
    for (size_t i = 0; i < r->n; i++)
        LCL_TRY(run_pass(r, i, first, with_loss, err));
    return LCL_OK;
}

lcl_status lcl_replicas_mean_loss(lcl_replicas *r, float *loss, lcl_error *err)
{
    double sum = (double)*loss;

    for (size_t i = 0; i < r->n; i++) {
        float one;
        if (lcl_reader_n_requests(r->losses[i]) == 0)
            return LCL_OK;
        LCL_TRY(lcl_reader_take_loss(r->losses[i], &one, err));
        sum += (double)one;
    }
    *loss = (float)(sum / (double)(r->n + 1));
    return LCL_OK;
}

lcl_status lcl_replicas_mean_diff(lcl_replicas *r, lcl_error *err)
{
    lcl_device *dev = lcl_net_device(r->net);
    const cl_int n = (cl_int)r->n;
    const cl_ulong count = r->count;
    const cl_mem diff = lcl_net_param_diff(r->net);
    const lcl_arg args[] = {LCL_ARG(r->others), LCL_ARG(n), LCL_ARG(count),
                            LCL_ARG(diff)};

    if (r->count == 0)
        return LCL_OK;
    for (size_t i = 0; i < r->n; i++) {
        lcl_net *copy = r->copies[i];
        LCL_TRY(lcl_buffer_read(lcl_net_device(copy), lcl_net_param_diff(copy), 0,
                                size_of(copy), r->theirs, err));
        move_params(copy, r->theirs, r->net, r->floats);
        LCL_TRY(lcl_buffer_write(dev, r->others, i * size_of(r->net), size_of(r->net),
                                 r->floats, err));
    }
    return lcl_kernel_run(dev, r->mean, (lcl_range){.x = (r->count + SHARE - 1) / SHARE},
                          (lcl_range){0}, args, LCL_COUNT(args), err);
}
