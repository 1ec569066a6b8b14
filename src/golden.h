/* Runs a layer on stored inputs and compares what it gives with stored outputs. */
#ifndef LCL_GOLDEN_H
#define LCL_GOLDEN_H

#include "golden_files.h"
#include "lcl/blas.h"

typedef struct {
    lcl_device *dev;
    lcl_gemm_backend gemm;
    int block, vector;             /* B and V of the blobs */
    bool direct;                   /* convolutions do without Winograd's transforms */
    const lcl_golden_files *files; /* where cases are; NULL: on disk */
} lcl_golden_options;

/* Errors are relative to the largest magnitude of the array they are in. */
typedef struct {
    char type[32];    /* the layer's */
    double error;     /* the worst */
    double tolerance; /* 1e-4, or less where the operation is exact */
    char array[32];   /* where the worst is, e.g. "bottom_diff_0" */
    uint64_t bits;    /* a hash of all that was compared, as the device gave it */
    bool passed;
} lcl_golden_result;

#define LCL_GOLDEN_LAYER "layer.prototxt"

/* A case is a folder with layer.prototxt (a LayerParameter) and row-major arrays
 * bottom_I, param_I, top_I, top_diff_I, bottom_diff_I, param_diff_I, param_after_I
 * (.npy): what there is of the first two and of top_diff is given to the layer, the rest
 * compared. Comment lines
 * `#! phase TEST`, `#! propagate 1 0`, `#! backward no`, `#! forwards N` say how to run
 * it. Paths of data layers are relative to the folder above. A case that cannot be run at
 * all (an unknown layer, other shapes) is an error. */
lcl_status lcl_golden_run(lcl_golden_result *out, const char *folder,
                          const lcl_golden_options *options, lcl_error *err);

/* True where the case's layer type, which it writes, is one of ours. */
bool lcl_golden_knows(const char *folder, const lcl_golden_files *files, char *type,
                      size_t size);

/* The folder itself where it is a case, and the cases in it, in order of their names; on
 * disk where `files` is NULL. Free each and the list. A folder without any is LCL_EIO. */
lcl_status lcl_golden_list(char ***out, size_t *n_out, const char *folder,
                           const lcl_golden_files *files, lcl_error *err);

#endif
