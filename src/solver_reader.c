/* Requests are kept in a list; each holds the raw floats of all blobs and one event. */
#include "solver_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

typedef struct request {
    struct request *next;
    float *raw;     /* owned; as the blobs lie on the device */
    cl_event event; /* of the last read: the queue is in order */
} request;

struct lcl_reader {
    lcl_device *dev;
    lcl_blob **blobs; /* array owned, blobs borrowed */
    float *weights;   /* owned; loss weight of each */
    size_t n_blobs;
    request *oldest, *newest;
    size_t n_requests;
    float *values; /* owned; of the last take */
};

static lcl_reader *create_reader(const lcl_net *net, size_t most)
{
    lcl_reader *r = lcl_alloc(1, sizeof *r);

    r->dev = lcl_net_device(net);
    r->blobs = lcl_alloc(most + 1, sizeof *r->blobs);
    r->weights = lcl_alloc(most + 1, sizeof *r->weights);
    return r;
}

static void add_blob(lcl_reader *r, lcl_blob *blob, float weight)
{
    r->blobs[r->n_blobs] = blob;
    r->weights[r->n_blobs++] = weight;
}

lcl_reader *lcl_reader_of_outputs(const lcl_net *net)
{
    size_t n = lcl_net_n_outputs(net);
    lcl_reader *r = create_reader(net, n);

    for (size_t i = 0; i < n; i++)
        add_blob(r, lcl_net_output(net, i), lcl_net_output_loss_weight(net, i));
    return r;
}

lcl_reader *lcl_reader_of_losses(const lcl_net *net)
{
    size_t n = 0;

    for (size_t i = 0; i < lcl_net_n_layers(net); i++)
        n += (size_t)lcl_net_layer(net, i)->n_tops;
    lcl_reader *r = create_reader(net, n);
    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        const lcl_layer *l = lcl_net_layer(net, i);
        for (int t = 0; t < l->n_tops; t++)
            if (l->loss_weights[t] != 0)
                add_blob(r, l->tops[t], l->loss_weights[t]);
    }
    return r;
}

static void free_request(request *q)
{
    if (q->event)
        clReleaseEvent(q->event);
    free(q->raw);
    free(q);
}

void lcl_reader_destroy(lcl_reader *r)
{
    if (!r)
        return;
    if (r->oldest)
        clFinish(lcl_device_queue(r->dev)); /* the device still writes to the requests */
    while (r->oldest) {
        request *next = r->oldest->next;
        free_request(r->oldest);
        r->oldest = next;
    }
    free(r->blobs);
    free(r->weights);
    free(r->values);
    free(r);
}

static lcl_status cl_failed(cl_int code, const char *call, lcl_error *err)
{
    return lcl_fail(err, LCL_EDEVICE, "", "%s failed: %s", call, lcl_cl_name(code));
}

static lcl_status enqueue_reads(lcl_reader *r, request *q, lcl_error *err)
{
    float *to = q->raw;

    for (size_t i = 0; i < r->n_blobs; i++) {
        size_t stored = lcl_blob_stored(r->blobs[i]);
        bool last = i + 1 == r->n_blobs;
        cl_int code = clEnqueueReadBuffer(lcl_device_queue(r->dev), r->blobs[i]->data,
                                          CL_FALSE, 0, stored * sizeof *to, to, 0, NULL,
                                          last ? &q->event : NULL);
        if (code != CL_SUCCESS)
            return cl_failed(code, "clEnqueueReadBuffer", err);
        to += stored;
    }
    return LCL_OK;
}

lcl_status lcl_reader_request(lcl_reader *r, lcl_error *err)
{
    request *q = lcl_alloc(1, sizeof *q);
    size_t total = 0;

    for (size_t i = 0; i < r->n_blobs; i++)
        total += lcl_blob_stored(r->blobs[i]);
    q->raw = lcl_alloc(total + 1, sizeof *q->raw);
    if (r->newest)
        r->newest->next = q;
    else
        r->oldest = q;
    r->newest = q;
    r->n_requests++;
    return enqueue_reads(r, q, err);
}

size_t lcl_reader_n_requests(const lcl_reader *r)
{
    return r->n_requests;
}

/* Unpacks the raw values of the blobs to row-major ones. */
static size_t unpack_values(lcl_reader *r, const float *raw)
{
    size_t total = 0;

    for (size_t i = 0; i < r->n_blobs; i++)
        total += lcl_blob_count(r->blobs[i]);
    r->values = lcl_resize(r->values, total + 1, sizeof *r->values);
    float *to = r->values;
    for (size_t i = 0; i < r->n_blobs; i++) {
        const lcl_blob *b = r->blobs[i];
        if (b->n_axes == 0)
            *to = *raw;
        else
            lcl_unpack(to, raw, (size_t)b->shape[0], lcl_blob_image_count(b),
                       (size_t)b->block);
        to += lcl_blob_count(b);
        raw += lcl_blob_stored(b);
    }
    return total;
}

lcl_status lcl_reader_take(lcl_reader *r, const float **values, size_t *count,
                           lcl_error *err)
{
    request *q = r->oldest;
    cl_int code = q->event ? clWaitForEvents(1, &q->event) : CL_SUCCESS;

    if (code != CL_SUCCESS)
        return cl_failed(code, "clWaitForEvents", err);
    *count = unpack_values(r, q->raw);
    *values = r->values;
    r->oldest = q->next;
    if (!r->oldest)
        r->newest = NULL;
    r->n_requests--;
    free_request(q);
    return LCL_OK;
}

lcl_status lcl_reader_take_loss(lcl_reader *r, float *loss, lcl_error *err)
{
    const float *values;
    size_t count;
    double sum = 0;

    LCL_TRY(lcl_reader_take(r, &values, &count, err));
    for (size_t i = 0; i < r->n_blobs; i++)
        for (size_t n = lcl_blob_count(r->blobs[i]); n > 0; n--)
            sum += (double)r->weights[i] * (double)*values++;
    *loss = (float)sum;
    return LCL_OK;
}

/* The blob that value i belongs to. */
static size_t blob_of(const lcl_reader *r, size_t i)
{
    size_t b = 0;

    while (i >= lcl_blob_count(r->blobs[b]))
        i -= lcl_blob_count(r->blobs[b++]);
    return b;
}

const char *lcl_reader_name(const lcl_reader *r, size_t i)
{
    return r->blobs[blob_of(r, i)]->name;
}

void lcl_reader_line(const lcl_reader *r, size_t i, double value, char *out, size_t size)
{
    const char *name = lcl_reader_name(r, i);
    double weight = (double)r->weights[blob_of(r, i)];

    if (weight != 0)
        snprintf(out, size, "%s = %g (* %g = %g loss)", name, value, weight,
                 weight * value);
    else
        snprintf(out, size, "%s = %g", name, value);
}
