/* lenet-cl compute-mean: the mean image of a database. */
#include "commands/commands.h"

#include <stdlib.h>
#include <string.h>

#include "datum.h"
#include "lcl/proto.h"
#include "planes.h"
#include "text.h"

/* Sums over the records so far. */
typedef struct {
    lcl_record first; /* only its size */
    double *sums;     /* one a value; owned */
    size_t size, n_records;
} totals;

/* ---- Adding up --------------------------------------------------------------------- */

static lcl_status add_record(totals *t, const lcl_record *r, const char *path,
                             lcl_error *err)
{
    if (!t->n_records) {
        t->first =
            (lcl_record){.channels = r->channels, .height = r->height, .width = r->width};
        lcl_record_size(r, &t->size);
        t->sums = lcl_alloc(t->size, sizeof *t->sums);
    }
    if (r->channels != t->first.channels || r->height != t->first.height ||
        r->width != t->first.width)
        return lcl_fail(err, LCL_EDATA, path,
                        "record %zu is %d x %d x %d and the first one %d x %d x %d",
                        t->n_records + 1, r->channels, r->height, r->width,
                        t->first.channels, t->first.height, t->first.width);
    for (size_t i = 0; i < t->size; i++)
        t->sums[i] += r->bytes ? (double)r->bytes[i] : (double)r->floats[i];
    t->n_records++;
    return LCL_OK;
}

static lcl_status add_records(totals *t, lcl_source *s, lcl_log *log, lcl_error *err)
{
    lcl_planes planes = {0};
    lcl_status status = LCL_OK;

    while (status == LCL_OK) {
        lcl_record stored, record;
        bool wrapped = false;
        status = lcl_source_next(s, &stored, &wrapped, err);
        if (status == LCL_OK && wrapped)
            break;
        if (status == LCL_OK)
            status = lcl_planes_decode(&planes, &stored, LCL_IMAGE_AS_IS, &record, err);
        if (status == LCL_OK)
            status = add_record(t, &record, lcl_source_path(s), err);
        if (status == LCL_OK && t->n_records % 10000 == 0)
            LCL_LOG(log, "Processed %zu files.", t->n_records);
    }
    free(planes.bytes);
    return status;
}

/* ---- The result -------------------------------------------------------------------- */

/* In Caffe's old form, with four dimensions. */
static Caffe__BlobProto *make_mean(const totals *t)
{
    Caffe__BlobProto *blob = lcl_proto_new(&caffe__blob_proto__descriptor);

    blob->has_num = blob->has_channels = blob->has_height = blob->has_width = true;
    blob->num = 1;
    blob->channels = t->first.channels;
    blob->height = t->first.height;
    blob->width = t->first.width;
    blob->n_data = t->size;
    blob->data = lcl_alloc(t->size, sizeof *blob->data);
    for (size_t i = 0; i < t->size; i++)
        blob->data[i] = (float)t->sums[i] / (float)t->n_records;
    return blob;
}

static void log_channels(const totals *t, const Caffe__BlobProto *mean, lcl_log *log)
{
    size_t channels = (size_t)t->first.channels, dim = t->size / channels;

    LCL_LOG(log, "Number of channels: %zu", channels);
    for (size_t c = 0; c < channels; c++) {
        double sum = 0;
        for (size_t i = 0; i < dim; i++)
            sum += (double)mean->data[c * dim + i];
        LCL_LOG(log, "mean_value channel [%zu]: %g", c, sum / (double)dim);
    }
}

static lcl_status write_mean(const totals *t, const char *path, lcl_log *log,
                             lcl_error *err)
{
    Caffe__BlobProto *mean = make_mean(t);
    lcl_status status = LCL_OK;

    if (path) {
        LCL_LOG(log, "Write to %s", path);
        status = lcl_proto_write(&mean->base, path, err);
    }
    if (status == LCL_OK)
        log_channels(t, mean, log);
    lcl_proto_free(&mean->base);
    return status;
}

static lcl_status compute_mean(const char *db, const char *out, lcl_log *log,
                               lcl_error *err)
{
    lcl_source *s;
    totals t = {0};

    LCL_TRY(lcl_source_open(&s, db, err));
    LCL_LOG(log, "Opened %s %s", lcl_source_kind_name(s), db);
    LCL_LOG(log, "Starting iteration");
    lcl_status status = add_records(&t, s, log, err);
    if (status == LCL_OK) {
        LCL_LOG(log, "Processed %zu files.", t.n_records);
        status = write_mean(&t, out, log, err);
    }
    free(t.sums);
    lcl_source_close(s);
    return status;
}

static int run(const lcl_args *args, lcl_error *err)
{
    size_t n = lcl_args_n_operands(args);

    if (!n) {
        lcl_fail(err, LCL_EUSAGE, "", "compute-mean needs a database");
        return lcl_exit_code(
            lcl_hint(err, LCL_EUSAGE, "lenet-cl compute-mean DB [mean.binaryproto]"));
    }
    lcl_log *log = lcl_log_create(stderr);
    lcl_status status = compute_mean(lcl_args_operand(args, 0),
                                     n > 1 ? lcl_args_operand(args, 1) : NULL, log, err);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"backend", "lmdb|leveldb", NULL, "Caffe's flag; the kind is found out anyway"},
};

const lcl_command lcl_command_compute_mean = {
    .name = "compute-mean",
    .operands = "DB [FILE]",
    .summary = "the mean image of a database",
    .help =
        "Writes the mean of all records of an LMDB or LevelDB database, or of an IDX "
        "file,\n"
        "to a .binaryproto for transform_param.mean_file, and prints the mean of each\n"
        "channel, for transform_param.mean_value:\n"
        "  lenet-cl compute-mean mnist_train_lmdb mean.binaryproto",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 2,
    .run = run,
};
