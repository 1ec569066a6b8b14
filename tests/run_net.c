/* For tests of exported nets: what lenet-cl itself makes of the same inputs.
 *
 *   run_net NET.prototxt fill MODEL.caffemodel
 *       the net's parameters as its fillers make them
 *   run_net NET.prototxt run MODEL.caffemodel IN.npz OUT.npz
 *       all blobs of the TEST phase; IN has the Input layers' tops, whose shapes the net takes */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "lcl/net.h"
#include "npz.h"

static lcl_status set_input(lcl_net *net, const char *name, const lcl_npy *a,
                            lcl_error *err)
{
    lcl_blob *b = lcl_net_blob(net, name);

    if (!b)
        return lcl_fail(err, LCL_EUSAGE, name, "the net has no such blob");
    LCL_TRY(lcl_blob_reshape(b, a->n_axes, a->shape, b->block, err));
    return lcl_blob_write(b, LCL_DATA, a->values, err);
}

static lcl_status set_inputs(lcl_net *net, const char *path, lcl_error *err)
{
    lcl_status status = LCL_OK;
    lcl_npz *z;
    lcl_npy a;

    LCL_TRY(lcl_npz_open(&z, path, err));
    for (size_t i = 0; i < lcl_npz_n(z) && status == LCL_OK; i++) {
        status = lcl_npz_read(z, i, &a, err);
        if (status == LCL_OK)
            status = set_input(net, lcl_npz_name(z, i), &a, err);
        free(a.values);
    }
    lcl_npz_close(z);
    return status == LCL_OK ? lcl_net_reshape(net, err) : status;
}

/* A blob is there under its name; in place, for several layers. */
static bool is_first(const lcl_net *net, size_t layer, const lcl_blob *b)
{
    for (size_t i = 0; i < layer; i++)
        for (int k = 0; k < lcl_net_layer(net, i)->n_tops; k++)
            if (lcl_net_layer(net, i)->net_tops[k] == b)
                return false;
    return lcl_net_blob(net, b->name) == b;
}

static lcl_status add_blob(lcl_npz *z, const lcl_blob *b, lcl_error *err)
{
    float *values = calloc(lcl_blob_count(b) + 1, sizeof *values);
    lcl_status status = lcl_blob_read(b, LCL_DATA, values, err);

    if (status == LCL_OK)
        status = lcl_npz_add(z, b->name, values, b->n_axes, b->shape, err);
    free(values);
    return status;
}

static lcl_status write_blobs(const lcl_net *net, const char *path, lcl_error *err)
{
    lcl_status status = LCL_OK;
    lcl_npz *z;

    LCL_TRY(lcl_npz_create(&z, path, err));
    for (size_t i = 0; i < lcl_net_n_layers(net); i++) {
        const lcl_layer *l = lcl_net_layer(net, i);
        for (int k = 0; k < l->n_tops && status == LCL_OK; k++)
            if (is_first(net, i, l->net_tops[k]))
                status = add_blob(z, l->net_tops[k], err);
    }
    if (status == LCL_OK)
        status = lcl_npz_save(z, err);
    lcl_npz_close(z);
    return status;
}

static lcl_status run(lcl_net *net, char **words, int n, lcl_error *err)
{
    if (n == 2 && strcmp(words[0], "fill") == 0)
        return lcl_net_save(net, false, words[1], err);
    if (n != 4 || strcmp(words[0], "run") != 0)
        return lcl_fail(err, LCL_EUSAGE, "", "see the top of tests/run_net.c");
    LCL_TRY(lcl_net_load(net, words[1], err));
    LCL_TRY(set_inputs(net, words[2], err));
    LCL_TRY(lcl_net_forward(net, err));
    return write_blobs(net, words[3], err);
}

int main(int argc, char **argv)
{
    const lcl_device_choice choice = {.platform = getenv("LCL_PLATFORM"),
                                      .device = getenv("LCL_DEVICE")};
    const lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .seed = 1};
    lcl_error err = {0};
    lcl_device *dev = NULL;
    lcl_net *net = NULL;
    lcl_status status = lcl_device_open(&dev, &choice, &err);

    if (status == LCL_OK)
        status = lcl_net_read(&net, dev, argc > 1 ? argv[1] : "", &options, &err);
    if (status == LCL_OK)
        status = run(net, argv + 2, argc - 2, &err);
    if (status != LCL_OK)
        fprintf(stderr, "run_net: %s: %s\n", err.where, err.message);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    return lcl_exit_code(status);
}
