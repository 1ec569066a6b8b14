/* Batches made on the device, of records that lie there, against the host's: every option of
 * the transformation. */
#include <stdlib.h>

#include "bench/folder.h"
#include "bench/lenet.h"
#include "text.h"
#include "verify/lenet.h"

enum { N_IMAGES = 21, N_BATCHES = 3 };

static const char *const transforms[] = {
    "scale: 0.00390625",
    "mean_value: 33.5 crop_size: 20",
    "scale: 0.5 mirror: true crop_size: 9",
};

static lcl_status open_net(lcl_verify_net *n, const lcl_verify *v, const char *images,
                           const char *transform, int block, lcl_residency residency,
                           lcl_error *err)
{
    char *text = lcl_format(
        "layer { name: 'data' type: 'Data' top: 'data' top: 'label' data_param "
        "{ source: '%s' batch_size: %d } transform_param { %s } }",
        images, N_IMAGES, transform);

    return lcl_verify_net_open(
        n, v, text, (lcl_net_options){.block = block, .residency = residency}, err);
}

/* Adds how many values differ. */
static lcl_status compare(const lcl_net *a, const lcl_net *b, const char *blob,
                          double *wrong, lcl_error *err)
{
    const size_t n = lcl_blob_count(lcl_net_blob(a, blob));
    float *x = lcl_alloc(2 * n, sizeof *x), *y = x + n;
    lcl_status status = lcl_blob_read(lcl_net_blob(a, blob), LCL_DATA, x, err);

    if (status == LCL_OK)
        status = lcl_blob_read(lcl_net_blob(b, blob), LCL_DATA, y, err);
    for (size_t i = 0; status == LCL_OK && i < n; i++)
        *wrong += x[i] != y[i];
    free(x);
    return status;
}

static lcl_status run(lcl_net *host, lcl_net *device, double *wrong, lcl_error *err)
{
    for (int i = 0; i < N_BATCHES; i++) {
        LCL_TRY(lcl_net_forward(host, err));
        LCL_TRY(lcl_net_forward(device, err));
        LCL_TRY(compare(host, device, "data", wrong, err));
        LCL_TRY(compare(host, device, "label", wrong, err));
    }
    return LCL_OK;
}

static void check(lcl_verify *v, const char *images, const char *transform, int block)
{
    lcl_verify_net host = {0}, device = {0};
    lcl_error err = {0};
    double wrong = 0;

    lcl_verify_progress(v, "batches", transform);
    lcl_status status =
        open_net(&host, v, images, transform, block, LCL_RESIDENT_OFF, &err);
    if (status == LCL_OK)
        status = open_net(&device, v, images, transform, block, LCL_RESIDENT_ON, &err);
    if (status == LCL_OK)
        status = run(host.net, device.net, &wrong, &err);
    lcl_verify_note(v, (lcl_verify_finding){.row = "batches",
                                            .name = transform,
                                            .mode.block = block,
                                            .error = wrong,
                                            .where = "values",
                                            .failure = status == LCL_OK ? NULL : &err});
    lcl_verify_net_close(&host);
    lcl_verify_net_close(&device);
}

void lcl_verify_data(lcl_verify *v)
{
    int blocks[LCL_VERIFY_MODES], vectors[LCL_VERIFY_MODES];
    char *folder = NULL, *images = NULL;
    lcl_error err = {0};

    if (!lcl_verify_wants(v, "batches"))
        return;
    if (v->options->residency == LCL_RESIDENT_OFF) {
        lcl_verify_note(
            v, (lcl_verify_finding){.row = "batches", .skipped = "--resident off"});
        return;
    }
    lcl_verify_layouts(v, blocks, vectors);
    lcl_status status = lcl_bench_folder(&folder, &err);
    if (status == LCL_OK)
        status = lcl_lenet_write_images(folder, &images, &err);
    if (status != LCL_OK)
        lcl_verify_note(v, (lcl_verify_finding){.row = "batches", .failure = &err});
    for (size_t t = 0; status == LCL_OK && t < LCL_COUNT(transforms); t++)
        for (int m = 0; m < LCL_VERIFY_MODES; m++)
            check(v, images, transforms[t], blocks[m]);
    if (folder)
        lcl_bench_remove_folder(folder);
    free(folder);
    free(images);
}
