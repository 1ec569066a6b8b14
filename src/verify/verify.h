/* One device being verified, and what each group of checks does with it. */
#ifndef LCL_VERIFY_H
#define LCL_VERIFY_H

#include "golden.h"
#include "lcl/layer.h"
#include "only.h"
#include "verify/report.h"

typedef struct {
    bool quick;              /* a few small cases of each kind */
    lcl_only only;           /* GROUP or GROUP/PART-OF-A-ROW'S-NAME */
    lcl_gemm_backend gemm;   /* of layers and nets; AUTO: both are checked */
    lcl_residency residency; /* OFF: what it says is not verified */
    char **folders;          /* of stored cases: verify those and nothing else */
    size_t n_folders;
    bool skip_unknown; /* leave out cases of layer types that there are not */
    int block, vector; /* B and V; 0: what nets get on the device */
} lcl_verify_options;

typedef struct {
    const lcl_verify_options *options;
    lcl_device *dev;
    lcl_verify_device *device; /* gets the checks */
    const lcl_verify_group *group;
    lcl_log *log; /* progress */
    FILE *out;    /* rows, as they are done */
    size_t shown; /* checks whose rows are printed */
    lcl_golden_files files;
} lcl_verify;

/* LCL_EUSAGE, with what was probably meant, where a name of --only is no group. */
lcl_status lcl_verify_check_only(const lcl_verify_options *options, lcl_error *err);
/* Verifies the device and adds what it found to the report, and prints it to `out` at the
 * same time. Fails where it could not begin. */
lcl_status lcl_verify_run(lcl_device *dev, const lcl_verify_options *options, FILE *out,
                          lcl_log *log, lcl_verify_report *report, lcl_error *err);

/* ---- For the groups ---------------------------------------------------------------- */

/* What a check found. Strings are borrowed; NULL is "". */
typedef struct {
    const char *row, *name, *where;
    lcl_verify_mode mode;
    double error, limit;
    const lcl_error *failure; /* it could not be run; NULL: it was */
    const char *skipped;
} lcl_verify_finding;

bool lcl_verify_wants(const lcl_verify *v, const char *row);
/* Shows what is done next. */
void lcl_verify_progress(lcl_verify *v, const char *row, const char *name);
void lcl_verify_note(lcl_verify *v, lcl_verify_finding finding);
/* The modes that layers are tried in: as nets run them, and one image by one. */
#define LCL_VERIFY_MODES 2
void lcl_verify_layouts(const lcl_verify *v, int blocks[LCL_VERIFY_MODES],
                        int vectors[LCL_VERIFY_MODES]);

/* Runs the stored cases of a folder on disk. Rows are cases. */
lcl_status lcl_verify_folder(lcl_verify *v, const char *folder, lcl_error *err);

/* Add to v->files what is computed here in plain C: layers/, winograd/ and sums/. */
void lcl_verify_generate_layers(lcl_golden_files *files);
void lcl_verify_generate_winograd(lcl_golden_files *files, bool quick);
void lcl_verify_generate_sums(lcl_golden_files *files, bool quick);

typedef void lcl_verify_run_group(lcl_verify *v);
lcl_verify_run_group lcl_verify_layers, lcl_verify_winograd, lcl_verify_sums,
    lcl_verify_conversions, lcl_verify_gemm, lcl_verify_nets, lcl_verify_data,
    lcl_verify_updates, lcl_verify_repeats;

#endif
