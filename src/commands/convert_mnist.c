/* MNIST's files, as single images and as pairs for siamese nets. */
#include "commands/convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idx.h"
#include "rng.h"
#include "text.h"

/* Makes record i; the pixels of a pair go to `pair`. */
typedef lcl_record (*make_record)(const lcl_idx *idx, size_t i, lcl_rng *rng,
                                  uint8_t *pair);

static size_t image_size(const lcl_idx *idx)
{
    return (size_t)idx->height * (size_t)idx->width;
}

static lcl_record make_single(const lcl_idx *idx, size_t i, lcl_rng *rng, uint8_t *pair)
{
    (void)rng;
    (void)pair;
    return (lcl_record){.channels = 1,
                        .height = idx->height,
                        .width = idx->width,
                        .bytes = idx->pixels + i * image_size(idx),
                        .label = idx->labels[i]};
}

static lcl_record make_pair(const lcl_idx *idx, size_t i, lcl_rng *rng, uint8_t *pair)
{
    size_t size = image_size(idx);
    size_t a = lcl_rng_next(rng) % idx->count, b = lcl_rng_next(rng) % idx->count;

    (void)i;
    memcpy(pair, idx->pixels + a * size, size);
    memcpy(pair + size, idx->pixels + b * size, size);
    return (lcl_record){.channels = 2,
                        .height = idx->height,
                        .width = idx->width,
                        .bytes = pair,
                        .label = idx->labels[a] == idx->labels[b]};
}

static lcl_status put_records(lcl_db_writer *db, const lcl_idx *idx, make_record make,
                              long seed, lcl_error *err)
{
    uint8_t *pair = lcl_alloc(2 * image_size(idx), 1);
    lcl_rng rng;
    char key[32];
    lcl_status status = LCL_OK;

    lcl_rng_init(&rng, seed);
    for (size_t i = 0; i < idx->count && status == LCL_OK; i++) {
        lcl_record record = make(idx, i, &rng, pair);
        snprintf(key, sizeof key, "%08zu", i);
        status = lcl_convert_put(db, key, &record, err);
    }
    free(pair);
    return status;
}

static lcl_status write_database(const lcl_idx *idx, make_record make,
                                 const lcl_args *args, lcl_error *err)
{
    lcl_db_writer *db;
    long seed;

    LCL_TRY(lcl_convert_seed(args, &seed, err));
    LCL_TRY(lcl_convert_create(&db, args, lcl_args_operand(args, 3), err));
    lcl_status status = put_records(db, idx, make, seed, err);
    if (status == LCL_OK)
        status = lcl_db_finish(db, err);
    lcl_db_destroy(db);
    return status;
}

static lcl_status convert(const lcl_args *args, make_record make, lcl_log *log,
                          lcl_error *err)
{
    lcl_idx idx;

    LCL_TRY(
        lcl_idx_read(&idx, lcl_args_operand(args, 1), lcl_args_operand(args, 2), err));
    LCL_LOG(log, "A total of %zu items.", idx.count);
    LCL_LOG(log, "Rows: %d Cols: %d", idx.height, idx.width);
    lcl_status status = write_database(&idx, make, args, err);
    if (status == LCL_OK)
        LCL_LOG(log, "Processed %zu files.", idx.count);
    lcl_idx_free(&idx);
    return status;
}

static lcl_status convert_singles(const lcl_args *args, lcl_log *log, lcl_error *err)
{
    return convert(args, make_single, log, err);
}

static lcl_status convert_pairs(const lcl_args *args, lcl_log *log, lcl_error *err)
{
    return convert(args, make_pair, log, err);
}

const lcl_converter lcl_convert_mnist = {"mnist", "IMAGES LABELS DB", 3, convert_singles};
const lcl_converter lcl_convert_mnist_siamese = {"mnist-siamese", "IMAGES LABELS DB", 3,
                                                 convert_pairs};
