/* LeNet on a few images, for checks of whole nets. */
#include "verify/lenet.h"

#include <stdlib.h>

#include "bench/lenet.h"
#include "text.h"

lcl_status lcl_verify_net_open(lcl_verify_net *n, const lcl_verify *v, char *text,
                               lcl_net_options options, lcl_error *err)
{
    options.gemm = v->options->gemm;
    options.seed = 7;
    LCL_TRY(lcl_bench_parse(&n->source, &caffe__net_parameter__descriptor, "verify", text,
                            err));
    return lcl_net_create(&n->net, v->dev, n->source, &options, err);
}

void lcl_verify_net_close(lcl_verify_net *n)
{
    lcl_net_destroy(n->net);
    lcl_proto_destroy(n->source);
}

static lcl_status write_images(lcl_net *net, lcl_error *err)
{
    float *values = lcl_alloc(LCL_LENET_IMAGES * LCL_LENET_PIXELS, sizeof *values);
    float labels[LCL_LENET_IMAGES];

    for (size_t i = 0; i < LCL_LENET_IMAGES; i++) {
        uint8_t pixels[LCL_LENET_PIXELS];
        int label;
        lcl_lenet_image(i, pixels, &label);
        labels[i] = (float)label;
        for (size_t p = 0; p < LCL_LENET_PIXELS; p++)
            values[i * LCL_LENET_PIXELS + p] = (float)pixels[p] / 256;
    }
    lcl_status status = lcl_blob_write(lcl_net_blob(net, "data"), LCL_DATA, values, err);
    free(values);
    return status == LCL_OK
               ? lcl_blob_write(lcl_net_blob(net, "label"), LCL_DATA, labels, err)
               : status;
}

lcl_status lcl_verify_lenet_open(lcl_verify_net *n, const lcl_verify *v, int block,
                                 bool fuse, lcl_error *err)
{
    LCL_TRY(lcl_verify_net_open(n, v, lcl_lenet_input_net(LCL_LENET_IMAGES),
                                (lcl_net_options){.block = block, .fuse = fuse}, err));
    return write_images(n->net, err);
}
