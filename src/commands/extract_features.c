/* lenet-cl extract-features: blobs of a trained net as databases. */
#include "commands/net_args.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "datum.h"
#include "db_write.h"
#include "text.h"

enum { WEIGHTS, MODEL, BLOBS, DATABASES, BATCHES, BACKEND, MODE, DEVICE };

/* What is extracted: blob i goes to database i. */
typedef struct {
    char **blobs, **paths; /* owned */
    size_t n;
    long n_batches;
    lcl_db_writer **databases; /* n; owned */
    size_t *n_images;          /* n; owned */
} extraction;

/* ---- Running ----------------------------------------------------------------------- */

static lcl_status find_blob(lcl_net *net, const char *name, lcl_blob **out,
                            lcl_error *err)
{
    *out = lcl_net_blob(net, name);
    if (!*out)
        return lcl_fail(err, LCL_EUSAGE, "", "the net has no blob '%s'", name);
    if ((*out)->n_axes < 1 || (*out)->n_axes > 4)
        return lcl_fail(err, LCL_ESHAPE, "", "blob '%s' has %d axes; a record has 1 to 4",
                        name, (*out)->n_axes);
    return LCL_OK;
}

static lcl_status put_images(lcl_db_writer *db, const lcl_blob *b, const float *values,
                             size_t *n_images, lcl_error *err)
{
    size_t count = lcl_blob_image_count(b);

    for (int i = 0; i < lcl_blob_dim(b, 0); i++) {
        const lcl_record record = {.channels = lcl_blob_dim(b, 1),
                                   .height = lcl_blob_dim(b, 2),
                                   .width = lcl_blob_dim(b, 3),
                                   .floats = values + (size_t)i * count};
        char key[32];
        size_t size;
        snprintf(key, sizeof key, "%010zu", (*n_images)++);
        uint8_t *value = lcl_datum_encode(&record, &size);
        lcl_status status = lcl_db_put(db, key, value, size, err);
        free(value);
        LCL_TRY(status);
    }
    return LCL_OK;
}

static lcl_status extract_blob(extraction *x, lcl_net *net, size_t i, lcl_error *err)
{
    lcl_blob *b = NULL;

    LCL_TRY(find_blob(net, x->blobs[i], &b, err));
    float *values = lcl_alloc(lcl_blob_count(b), sizeof *values);
    lcl_status status = lcl_blob_read(b, LCL_DATA, values, err);
    if (status == LCL_OK)
        status = put_images(x->databases[i], b, values, &x->n_images[i], err);
    free(values);
    return status;
}

static lcl_status extract(extraction *x, lcl_net *net, lcl_log *log, lcl_error *err)
{
    LCL_LOG(log, "Extracting Features");
    for (long batch = 0; batch < x->n_batches; batch++) {
        LCL_TRY(lcl_net_forward(net, err));
        for (size_t i = 0; i < x->n; i++)
            LCL_TRY(extract_blob(x, net, i, err));
    }
    for (size_t i = 0; i < x->n; i++) {
        LCL_TRY(lcl_db_finish(x->databases[i], err));
        LCL_LOG(log, "Extracted features of %zu query images for feature blob %s",
                x->n_images[i], x->blobs[i]);
    }
    LCL_LOG(log, "Successfully extracted the features!");
    return LCL_OK;
}

/* ---- Setting up -------------------------------------------------------------------- */

static const char *operand_or(const lcl_args *args, size_t i, const char *fallback)
{
    return i < lcl_args_n_operands(args) ? lcl_args_operand(args, i) : fallback;
}

static lcl_status create_databases(extraction *x, const lcl_args *args, lcl_error *err)
{
    const char *backend = operand_or(args, BACKEND, "lmdb");

    x->databases = lcl_alloc(x->n, sizeof *x->databases);
    x->n_images = lcl_alloc(x->n, sizeof *x->n_images);
    for (size_t i = 0; i < x->n; i++)
        LCL_TRY(lcl_db_create(&x->databases[i], backend, x->paths[i],
                              lcl_args_switch(args, "force"), err));
    return LCL_OK;
}

/* Blobs must keep what Caffe has in them, so nothing is fused. */
static lcl_status open_net(const lcl_args *args, lcl_device *dev, lcl_log *log,
                           lcl_net **net, lcl_error *err)
{
    lcl_net_options options = {.phase = CAFFE__PHASE__TEST, .seed = -1, .log = log};

    LCL_TRY(lcl_args_gemm(args, &options.gemm, err));
    LCL_TRY(lcl_net_read(net, dev, lcl_args_operand(args, MODEL), &options, err));
    return lcl_net_load(*net, lcl_args_operand(args, WEIGHTS), err);
}

static lcl_status open_device(const lcl_args *args, lcl_log *log, lcl_device **dev,
                              lcl_error *err)
{
    const char *mode = operand_or(args, MODE, "");
    bool gpu = strcasecmp(mode, "GPU") == 0;

    if (*mode && !gpu && strcasecmp(mode, "CPU") != 0)
        return lcl_fail(err, LCL_EUSAGE, "", "expected CPU or GPU, found '%s'", mode);
    return lcl_args_open_device_or(args, operand_or(args, DEVICE, NULL),
                                   gpu     ? LCL_PREFER_GPU
                                   : *mode ? LCL_PREFER_CPU
                                           : LCL_PREFER_ANY,
                                   log, dev, err);
}

static lcl_status extract_all(extraction *x, const lcl_args *args, lcl_log *log,
                              lcl_error *err)
{
    lcl_device *dev = NULL;
    lcl_net *net = NULL;
    lcl_blob *b = NULL;
    lcl_status status = open_device(args, log, &dev, err);

    if (status == LCL_OK)
        status = open_net(args, dev, log, &net, err);
    for (size_t i = 0; i < x->n && status == LCL_OK; i++)
        status = find_blob(net, x->blobs[i], &b, err);
    if (status == LCL_OK)
        status = create_databases(x, args, err);
    if (status == LCL_OK)
        status = extract(x, net, log, err);
    for (size_t i = 0; i < x->n && x->databases; i++)
        lcl_db_destroy(x->databases[i]);
    lcl_net_destroy(net);
    lcl_device_close(dev);
    return status;
}

static lcl_status read_args(extraction *x, const lcl_args *args, lcl_error *err)
{
    size_t n = lcl_args_n_operands(args), n_paths;
    char *end;

    if (n <= BATCHES)
        return lcl_hint(err,
                        lcl_fail(err, LCL_EUSAGE, "",
                                 "extract-features takes 5 operands or more, %zu were "
                                 "given",
                                 n),
                        "lenet-cl extract-features WEIGHTS NET BLOBS DBS BATCHES");
    const char *batches = lcl_args_operand(args, BATCHES);
    x->n_batches = strtol(batches, &end, 10);
    if (*end || x->n_batches < 1 || x->n_batches > INT_MAX)
        return lcl_fail(err, LCL_EUSAGE, "",
                        "the number of batches is '%s', not a number from 1", batches);
    x->blobs = lcl_list_split(lcl_args_operand(args, BLOBS), &x->n);
    x->paths = lcl_list_split(lcl_args_operand(args, DATABASES), &n_paths);
    if (x->n == n_paths && n_paths)
        return LCL_OK;
    lcl_list_free(x->paths, n_paths);
    x->paths = NULL;
    return lcl_fail(err, LCL_EUSAGE, "", "%zu blobs for %zu databases; give as many",
                    x->n, n_paths);
}

static int run(const lcl_args *args, lcl_error *err)
{
    extraction x = {0};
    lcl_status status = read_args(&x, args, err);

    if (status == LCL_OK) {
        lcl_log *log = lcl_log_create(stderr);
        status = extract_all(&x, args, log, err);
        lcl_log_destroy(log);
    }
    lcl_list_free(x.blobs, x.n);
    if (x.paths)
        lcl_list_free(x.paths, x.n);
    free(x.databases);
    free(x.n_images);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"force", NULL, NULL, "replace databases that exist"},
    LCL_DEVICE_OPTIONS,
};

const lcl_command lcl_command_extract_features = {
    .name = "extract-features",
    .operands = "WEIGHTS NET BLOB,BLOB DB,DB BATCHES [lmdb|leveldb [CPU|GPU [DEVICE]]]",
    .summary = "stores blobs of a trained net in databases",
    .help =
        "Runs the TEST phase of a net and stores each image's part of the named blobs as "
        "a\n"
        "record of floats, as Caffe's extract_features does:\n"
        "  lenet-cl extract-features lenet_iter_10000.caffemodel "
        "lenet_train_test.prototxt \\\n"
        "      ip1,ip2 ip1_lmdb,ip2_lmdb 100 lmdb",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 8,
    .run = run,
};
