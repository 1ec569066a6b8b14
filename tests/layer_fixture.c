/* One layer made from prototxt, over blobs of its own. */
#include "layer_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "testing.h"
#include "text.h"

float *layer_fixture_read(const lcl_blob *b, lcl_which which)
{
    lcl_error err;
    float *values = lcl_alloc(lcl_blob_count(b) + 1, sizeof(float));

    CHECK_OK(lcl_blob_read(b, which, values, &err));
    return values;
}

void layer_fixture_write(lcl_blob *b, lcl_which which, const float *values)
{
    lcl_error err;

    CHECK_OK(lcl_blob_write(b, which, values, &err));
}

static void make_blobs(layer_fixture *f, const Caffe__LayerParameter *param,
                       const int shapes[][FIXTURE_MAX_AXES])
{
    lcl_device *dev = testing_device();
    lcl_error err;

    ck_assert_uint_le(param->n_bottom, FIXTURE_MAX_ENDS);
    ck_assert_uint_le(param->n_top, FIXTURE_MAX_ENDS);
    for (; f->n_bottoms < (int)param->n_bottom; f->n_bottoms++) {
        const int *shape = shapes[f->n_bottoms];
        lcl_blob *b = lcl_blob_create(dev, param->bottom[f->n_bottoms]);
        int n_axes = 0;
        while (n_axes < FIXTURE_MAX_AXES && shape[n_axes] > 0)
            n_axes++;
        f->bottoms[f->n_bottoms] = b;
        CHECK_OK(lcl_blob_reshape(b, n_axes, shape, f->env.block, &err));
        CHECK_OK(lcl_blob_need_diff(b, &err));
    }
    f->in_place =
        param->n_bottom && param->n_top && strcmp(param->bottom[0], param->top[0]) == 0;
    for (; f->n_tops < (int)param->n_top; f->n_tops++)
        f->tops[f->n_tops] = f->in_place && f->n_tops == 0
                                 ? f->bottoms[0]
                                 : lcl_blob_create(dev, param->top[f->n_tops]);
}

lcl_status layer_fixture_open(layer_fixture *f, const char *text,
                              const int shapes[][FIXTURE_MAX_AXES], int block, int vector,
                              Caffe__Phase phase, lcl_error *err)
{
    *f = (layer_fixture){.blas = {.dev = testing_device(), .backend = LCL_GEMM_AUTO}};
    LCL_TRY(lcl_proto_parse_text(&f->proto, &caffe__layer_parameter__descriptor, "layer",
                                 text, strlen(text), LCL_UNKNOWN_IS_ERROR, NULL, err));
    const Caffe__LayerParameter *param =
        (const Caffe__LayerParameter *)lcl_proto_root(f->proto);
    lcl_rng_init(&f->rng, 1);
    f->env = (lcl_layer_env){.dev = testing_device(),
                             .blas = &f->blas,
                             .source = f->proto,
                             .rng = &f->rng,
                             .block = block,
                             .vector = vector,
                             .phase = phase};
    make_blobs(f, param, shapes);
    LCL_TRY(lcl_layer_create(&f->layer, param, &f->env, 0, f->bottoms, f->n_bottoms,
                             f->tops, f->n_tops, err));
    for (int t = 0; t < f->n_tops; t++)
        LCL_TRY(lcl_blob_need_diff(f->tops[t], err));
    for (int p = 0; p < f->layer->n_params; p++)
        LCL_TRY(lcl_blob_need_diff(f->layer->params[p], err));
    return LCL_OK;
}

void layer_fixture_close(layer_fixture *f)
{
    lcl_error err;

    /* The process may end next, and a driver that still builds a kernel would crash. */
    if (f->layer)
        CHECK_OK(lcl_device_finish(f->layer->dev, &err));
    lcl_layer_destroy(f->layer);
    for (int t = f->in_place; t < f->n_tops; t++)
        lcl_blob_destroy(f->tops[t]);
    for (int i = 0; i < f->n_bottoms; i++)
        lcl_blob_destroy(f->bottoms[i]);
    lcl_proto_destroy(f->proto);
}

void layer_fixture_refuses(const char *layer, const int shapes[][FIXTURE_MAX_AXES],
                           lcl_status status, const char *where, const char *text)
{
    layer_fixture f;
    lcl_error err;

    CHECK_FAILS(layer_fixture_open(&f, layer, shapes, 16, 16, CAFFE__PHASE__TRAIN, &err),
                status, text);
    ck_assert_str_eq(err.where, where);
    layer_fixture_close(&f);
}

void layer_fixture_fill(lcl_blob *b, lcl_which which, unsigned seed)
{
    float *values = testing_values(seed, lcl_blob_count(b));

    layer_fixture_write(b, which, values);
    free(values);
}
