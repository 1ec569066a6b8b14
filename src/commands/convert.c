/* lenet-cl convert: makes the databases that Data layers read. */
#include "commands/commands.h"

#include <stdlib.h>
#include <string.h>

#include "datum.h"
#include "idx.h"
#include "lmdb_write.h"
#include "text.h"

static lcl_status put_image(lcl_lmdb_writer *db, const lcl_idx *idx, size_t i,
                            lcl_error *err)
{
    size_t image = (size_t)idx->height * (size_t)idx->width, size;
    lcl_record record = {.channels = 1,
                         .height = idx->height,
                         .width = idx->width,
                         .bytes = idx->pixels + i * image,
                         .label = idx->labels[i]};
    char key[32];

    snprintf(key, sizeof key, "%08zu", i);
    uint8_t *value = lcl_datum_encode(&record, &size);
    lcl_status status = lcl_lmdb_put(db, key, value, size, err);
    free(value);
    return status;
}

static lcl_status write_database(const lcl_idx *idx, const char *path, bool replace,
                                 lcl_error *err)
{
    lcl_lmdb_writer *db;

    LCL_TRY(lcl_lmdb_create(&db, path, replace, err));
    lcl_status status = LCL_OK;
    for (size_t i = 0; i < idx->count && status == LCL_OK; i++)
        status = put_image(db, idx, i, err);
    if (status == LCL_OK)
        status = lcl_lmdb_finish(db, err);
    lcl_lmdb_destroy(db);
    return status;
}

static lcl_status convert_mnist(const char *images, const char *labels, const char *path,
                                bool replace, lcl_log *log, lcl_error *err)
{
    lcl_idx idx;

    LCL_TRY(lcl_idx_read(&idx, images, labels, err));
    LCL_LOG(log, "A total of %zu items.", idx.count);
    LCL_LOG(log, "Rows: %d Cols: %d", idx.height, idx.width);
    lcl_status status = write_database(&idx, path, replace, err);
    if (status == LCL_OK)
        LCL_LOG(log, "Processed %zu files.", idx.count);
    lcl_idx_free(&idx);
    return status;
}

static lcl_status check_args(const lcl_args *args, lcl_error *err)
{
    const char *kind = lcl_args_operand(args, 0),
               *backend = lcl_args_get(args, "backend");

    if (!kind || strcmp(kind, "mnist") != 0)
        return lcl_hint(err,
                        lcl_fail(err, LCL_EUSAGE, "", "convert what? '%s' is not known",
                                 kind ? kind : ""),
                        "lenet-cl convert mnist IMAGES LABELS DB");
    if (lcl_args_n_operands(args) != 4)
        return lcl_hint(err,
                        lcl_fail(err, LCL_EUSAGE, "",
                                 "convert mnist takes 3 names, %zu were given",
                                 lcl_args_n_operands(args) - 1),
                        "lenet-cl convert mnist IMAGES LABELS DB");
    if (strcmp(backend, "lmdb") != 0)
        return lcl_fail(err, LCL_EUSAGE, "",
                        "--backend is '%s', only lmdb can be written", backend);
    return LCL_OK;
}

static int run(const lcl_args *args, lcl_error *err)
{
    lcl_status status = check_args(args, err);

    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    status = convert_mnist(lcl_args_operand(args, 1), lcl_args_operand(args, 2),
                           lcl_args_operand(args, 3), lcl_args_switch(args, "force"), log,
                           err);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"backend", "lmdb", "lmdb", "kind of database"},
    {"force", NULL, NULL, "replace a database that exists"},
};

const lcl_command lcl_command_convert = {
    .name = "convert",
    .operands = "mnist IMAGES LABELS DB",
    .summary = "makes a database from data files",
    .help =
        "Writes the LMDB that Caffe's convert_mnist_data would write, from MNIST's IDX\n"
        "files, gzipped or not:\n"
        "  lenet-cl convert mnist train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz "
        "mnist_train_lmdb\n"
        "The database appears under its name only when it is complete.",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 4,
    .run = run,
};
