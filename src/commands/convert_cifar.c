/* CIFAR-10's binary files: records of a label and 32 x 32 pixels in red, green and blue. */
#include "commands/convert.h"

#include <stdio.h>
#include <stdlib.h>

#include "text.h"

#define SIDE 32
#define IMAGE_SIZE (3 * SIDE * SIDE)
#define RECORD_SIZE (1 + IMAGE_SIZE)

static const char *const train_files[] = {"data_batch_1.bin", "data_batch_2.bin",
                                          "data_batch_3.bin", "data_batch_4.bin",
                                          "data_batch_5.bin"};
static const char *const test_files[] = {"test_batch.bin"};

static lcl_status put_records(lcl_db_writer *db, const uint8_t *bytes, size_t n,
                              size_t first, lcl_error *err)
{
    char key[32];

    for (size_t i = 0; i < n; i++, bytes += RECORD_SIZE) {
        const lcl_record record = {.channels = 3,
                                   .height = SIDE,
                                   .width = SIDE,
                                   .bytes = bytes + 1,
                                   .label = bytes[0]};
        snprintf(key, sizeof key, "%05zu", first + i);
        LCL_TRY(lcl_convert_put(db, key, &record, err));
    }
    return LCL_OK;
}

/* Puts a file's records, of which the first has number *n. */
static lcl_status put_file(lcl_db_writer *db, const char *folder, const char *name,
                           size_t *n, lcl_log *log, lcl_error *err)
{
    char *path = lcl_path_join(folder, name), *bytes = NULL;
    size_t size;
    lcl_status status = lcl_file_read(&bytes, &size, path, 0, err);

    if (status == LCL_OK && (!size || size % RECORD_SIZE))
        status =
            lcl_fail(err, LCL_EDATA, path,
                     "%zu bytes are not CIFAR-10 records of %d bytes", size, RECORD_SIZE);
    if (status == LCL_OK) {
        LCL_LOG(log, "%s: %zu images", path, size / RECORD_SIZE);
        status = put_records(db, (const uint8_t *)bytes, size / RECORD_SIZE, *n, err);
        *n += size / RECORD_SIZE;
    }
    free(bytes);
    free(path);
    return status;
}

static lcl_status write_database(const lcl_args *args, const char *kind,
                                 const char *const *files, size_t n_files, lcl_log *log,
                                 lcl_error *err)
{
    char *path = lcl_format("%s/cifar10_%s_%s", lcl_args_operand(args, 2), kind,
                            lcl_args_get(args, "backend"));
    lcl_db_writer *db;
    size_t n = 0;
    lcl_status status = lcl_convert_create(&db, args, path, err);

    if (status == LCL_OK) {
        for (size_t i = 0; i < n_files && status == LCL_OK; i++)
            status = put_file(db, lcl_args_operand(args, 1), files[i], &n, log, err);
        if (status == LCL_OK)
            status = lcl_db_finish(db, err);
        lcl_db_destroy(db);
    }
    if (status == LCL_OK)
        LCL_LOG(log, "%s: %zu images", path, n);
    free(path);
    return status;
}

static lcl_status convert(const lcl_args *args, lcl_log *log, lcl_error *err)
{
    LCL_TRY(write_database(args, "train", train_files, LCL_COUNT(train_files), log, err));
    return write_database(args, "test", test_files, LCL_COUNT(test_files), log, err);
}

const lcl_converter lcl_convert_cifar = {"cifar", "FOLDER OUT", 2, convert};
