/* lenet-cl convert: makes the databases that Data layers read. */
#include "commands/convert.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datum.h"
#include "text.h"

static const lcl_converter *const converters[] = {
    &lcl_convert_mnist, &lcl_convert_mnist_siamese, &lcl_convert_cifar,
    &lcl_convert_imageset};

lcl_status lcl_convert_create(lcl_db_writer **out, const lcl_args *args, const char *path,
                              lcl_error *err)
{
    return lcl_db_create(out, lcl_args_get(args, "backend"), path,
                         lcl_args_switch(args, "force"), err);
}

lcl_status lcl_convert_put(lcl_db_writer *db, const char *key, const lcl_record *record,
                           lcl_error *err)
{
    size_t size;
    uint8_t *value = lcl_datum_encode(record, &size);
    lcl_status status = lcl_db_put(db, key, value, size, err);

    free(value);
    return status;
}

lcl_status lcl_convert_seed(const lcl_args *args, long *seed, lcl_error *err)
{
    return lcl_args_int(args, "seed", -1, LONG_MAX, seed, err);
}

/* ---- The command ------------------------------------------------------------------- */

static lcl_status unknown_kind(const char *kind, lcl_error *err)
{
    const char *names[LCL_COUNT(converters)];
    lcl_status status =
        lcl_fail(err, LCL_EUSAGE, "", "convert what? '%s' is not known", kind);

    for (size_t i = 0; i < LCL_COUNT(converters); i++)
        names[i] = converters[i]->name;
    const char *nearest = lcl_nearest(kind, names, LCL_COUNT(names));
    if (nearest)
        return lcl_hint(err, status, "did you mean %s?", nearest);
    return lcl_hint(err, status, "there are mnist, mnist-siamese, cifar and imageset");
}

static lcl_status find_converter(const lcl_converter **out, const lcl_args *args,
                                 lcl_error *err)
{
    size_t n = lcl_args_n_operands(args);
    const char *kind = n ? lcl_args_operand(args, 0) : "";

    for (size_t i = 0; i < LCL_COUNT(converters); i++) {
        const lcl_converter *c = converters[i];
        if (strcmp(kind, c->name) != 0)
            continue;
        *out = c;
        if (n - 1 == c->n_operands)
            return LCL_OK;
        lcl_status status =
            lcl_fail(err, LCL_EUSAGE, "", "convert %s takes %zu names, %zu were given",
                     c->name, c->n_operands, n - 1);
        return lcl_hint(err, status, "lenet-cl convert %s %s", c->name, c->operands);
    }
    return unknown_kind(kind, err);
}

static int run(const lcl_args *args, lcl_error *err)
{
    const lcl_converter *converter = NULL;
    lcl_status status = find_converter(&converter, args, err);

    if (status != LCL_OK)
        return lcl_exit_code(status);
    lcl_log *log = lcl_log_create(stderr);
    status = converter->run(args, log, err);
    lcl_log_destroy(log);
    return lcl_exit_code(status);
}

static const lcl_option options[] = {
    {"backend", "lmdb|leveldb", "lmdb", "kind of database"},
    {"force", NULL, NULL, "replace a database that exists"},
    {"gray", NULL, NULL, "imageset: one channel instead of three"},
    {"shuffle", NULL, NULL, "imageset: store the images in random order"},
    {"resize_width", "N", "0", "imageset: width of the stored images; 0: their own"},
    {"resize_height", "N", "0", "imageset: height of the stored images"},
    {"check_size", NULL, NULL, "imageset: fail where an image has another size"},
    {"encoded", NULL, NULL, "imageset: store files, not pixels"},
    {"encode_type", "png|jpg", "", "imageset: the files' format, whatever it was"},
    {"seed", "N", "-1", "of random choices; -1: another one each time"},
};

const lcl_command lcl_command_convert = {
    .name = "convert",
    .operands = "KIND NAMES",
    .summary = "make a database from data files",
    .help =
        "Writes the database that Caffe's tool of the kind would write:\n"
        "  mnist IMAGES LABELS DB            MNIST's IDX files, gzipped or not\n"
        "  mnist-siamese IMAGES LABELS DB    random pairs of them; label 1: the same "
        "digit\n"
        "  cifar FOLDER OUT                  CIFAR-10's binary files, to "
        "OUT/cifar10_train_lmdb\n"
        "                                    and OUT/cifar10_test_lmdb\n"
        "  imageset ROOT LIST DB             JPEG and PNG files; each line of LIST is "
        "the path\n"
        "                                    behind ROOT, a space and a label\n"
        "For example:\n"
        "  lenet-cl convert mnist train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz "
        "mnist_train_lmdb\n"
        "  lenet-cl convert imageset --resize_height 256 --resize_width 256 --shuffle "
        "images/ train.txt train_lmdb\n"
        "The database appears under its name only when it is complete.",
    .options = options,
    .n_options = LCL_COUNT(options),
    .max_operands = 4,
    .run = run,
};
