/* One device being measured, and what each group of measurements does with it. */
#ifndef LCL_BENCH_H
#define LCL_BENCH_H

#include "bench/measure.h"
#include "bench/report.h"
#include "lcl/blas.h"
#include "lcl/layer.h"
#include "only.h"

typedef struct {
    bool quick;
    lcl_only only;          /* GROUP or GROUP/PART-OF-A-NAME */
    bool own_gemm, clblast; /* measured in the group gemm */
    lcl_gemm_backend gemm;  /* of the nets */
    lcl_residency residency;
    const char *no_clblast; /* why not */
    const char *data;       /* folder of the Fashion-MNIST files */
} lcl_bench_options;

typedef struct {
    const lcl_bench_options *options;
    lcl_device *dev;
    lcl_bench_device *device; /* gets the rows */
    const lcl_bench_group *group;
    bool announced; /* the group's heading is printed */
    double seconds; /* to spend on a row */
    lcl_log *log;   /* progress */
    char *folder;   /* for files, made on first use; owned */
} lcl_bench;

/* LCL_EUSAGE, with what was probably meant, where a name of --only is no group. */
lcl_status lcl_bench_check_only(const lcl_bench_options *options, lcl_error *err);
/* Measures everything that is wanted. What the device cannot do becomes a skipped row. */
void lcl_bench_run_groups(lcl_bench *b);

/* ---- For the groups ---------------------------------------------------------------- */

/* The worst error of the last run's results, as a part of the largest magnitude. */
typedef lcl_status lcl_bench_check(void *what, double *error, lcl_error *err);

/* A row of the running group. */
typedef struct {
    const char *name, *variant;
    double flop, bytes, images; /* of one run; 0: does not count */
    int parts;                  /* a run is that many of what the row is about; 0: one */
    lcl_bench_run *run;
    lcl_bench_check *check; /* NULL: run itself fails where its numbers are wrong */
    double tolerance;
} lcl_bench_case;

bool lcl_bench_wants(const lcl_bench *b, const char *name);
/* True where --only asks for it by (part of) its name, not just for its group. */
bool lcl_bench_names(const lcl_bench *b, const char *name);
/* Runs, checks and times the case and adds its row. True where it was timed. */
bool lcl_bench_do(lcl_bench *b, const lcl_bench_case *c, void *what);
/* Adds a row with times that were taken elsewhere. */
void lcl_bench_add_time(lcl_bench *b, const char *name, const char *variant,
                        lcl_bench_time time, double images);
void lcl_bench_skip(lcl_bench *b, const char *name, const char *variant,
                    const char *reason);

/* Parses a text, which it frees and which errors call `name`. */
lcl_status lcl_bench_parse(lcl_proto **out, const ProtobufCMessageDescriptor *type,
                           const char *name, char *text, lcl_error *err);

/* ---- Single pieces of work --------------------------------------------------------- */

/* Something prepared with the device's tiles of that time, to be run, checked after its
 * first run, and timed. */
typedef struct {
    lcl_bench_run *run;
    lcl_bench_check *check;
    double tolerance;
    void *what; /* owned; NULL: empty */
    void (*release)(void *what);
} lcl_bench_work;

/* Each makes *out, which lcl_bench_work_release takes back, also after a failure. Of b they
 * use device, options->gemm and folder. */
lcl_status lcl_bench_gemm_work(lcl_bench_work *out, lcl_bench *b, size_t m, size_t n,
                               size_t k, lcl_error *err);
/* A shape of lcl_bench_convolution, and "forward", "input gradient" or "weight gradient". */
lcl_status lcl_bench_convolution_work(lcl_bench_work *out, lcl_bench *b,
                                      const char *shape, const char *pass,
                                      lcl_error *err);
lcl_status lcl_bench_training_work(lcl_bench_work *out, lcl_bench *b, int batch,
                                   lcl_error *err);
lcl_status lcl_bench_inference_work(lcl_bench_work *out, lcl_bench *b, int batch,
                                    lcl_error *err);
void lcl_bench_work_release(lcl_bench_work *work);

/* ---- The groups -------------------------------------------------------------------- */

typedef void lcl_bench_measure_group(lcl_bench *b);
lcl_bench_measure_group lcl_bench_peak, lcl_bench_bandwidth, lcl_bench_launch,
    lcl_bench_gemm, lcl_bench_convolution, lcl_bench_training, lcl_bench_inference,
    lcl_bench_start, lcl_bench_accuracy;

#endif
