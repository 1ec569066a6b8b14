/* What `lenet-cl convert` can convert: one const lcl_converter per kind, listed in
 * convert.c. */
#ifndef LCL_CONVERT_H
#define LCL_CONVERT_H

#include "commands/commands.h"
#include "db_write.h"
#include "source.h"

typedef struct {
    const char *name;     /* first operand of the command */
    const char *operands; /* those after it */
    size_t n_operands;
    /* Operands are those of lcl_args, from number 1 on. */
    lcl_status (*run)(const lcl_args *args, lcl_log *log, lcl_error *err);
} lcl_converter;

extern const lcl_converter lcl_convert_mnist, lcl_convert_mnist_siamese,
    lcl_convert_cifar, lcl_convert_imageset;

/* Starts the database that --backend and --force ask for. */
lcl_status lcl_convert_create(lcl_db_writer **out, const lcl_args *args, const char *path,
                              lcl_error *err);
/* Stores a record as a Datum. */
lcl_status lcl_convert_put(lcl_db_writer *db, const char *key, const lcl_record *record,
                           lcl_error *err);
/* The seed of --seed: negative, and so another one each time, where it is not given. */
lcl_status lcl_convert_seed(const lcl_args *args, long *seed, lcl_error *err);

#endif
