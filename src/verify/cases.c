/* Layers on stored inputs, compared with stored outputs. */
#include <stdlib.h>
#include <string.h>

#include "lcl/layer.h"
#include "text.h"
#include "verify/verify.h"

/* A case to run. */
typedef struct {
    char *folder; /* owned */
    const char *name;
    char type[64];
    bool known;
} stored_case;

static int by_type_and_name(const void *a, const void *b)
{
    const stored_case *left = a, *right = b;
    int order = strcmp(left->type, right->type);

    return order ? order : strcmp(left->name, right->name);
}

static void note_case(lcl_verify *v, const stored_case *c, const char *row,
                      const lcl_golden_options *options)
{
    lcl_golden_result result;
    lcl_error err = {0};
    lcl_verify_finding f = {.row = row,
                            .name = row == c->name ? NULL : c->name,
                            .mode = {options->block, options->direct}};

    if (lcl_golden_run(&result, c->folder, options, &err) != LCL_OK) {
        f.failure = &err;
    } else {
        f.error = result.error;
        f.limit = result.tolerance;
        f.where = result.array;
    }
    lcl_verify_note(v, f);
}

/* Layers whose Winograd's transforms can be left out. */
static bool has_transforms(const char *type)
{
    return strcmp(type, "Convolution") == 0 || strcmp(type, "Deconvolution") == 0;
}

/* In the layout of nets, and, of the built-in cases, image by image and directly too. */
static void run_case(lcl_verify *v, const stored_case *c, const char *row,
                     const lcl_golden_files *files)
{
    lcl_golden_options o = {.dev = v->dev, .gemm = v->options->gemm, .files = files};
    const bool both = files && has_transforms(c->type);
    int blocks[LCL_VERIFY_MODES], vectors[LCL_VERIFY_MODES];
    const int n_modes = files ? LCL_VERIFY_MODES : 1;

    lcl_verify_layouts(v, blocks, vectors);
    for (int i = 0; i < n_modes && (i == 0 || blocks[i] != blocks[0]); i++) {
        o.block = blocks[i];
        o.vector = vectors[i];
        for (int direct = 0; direct <= both; direct++) {
            o.direct = direct;
            note_case(v, c, row, &o);
        }
    }
}

static void run_or_skip(lcl_verify *v, const stored_case *c, const char *row,
                        const lcl_golden_files *files)
{
    char reason[128];

    lcl_verify_progress(v, row, row == c->name ? NULL : c->name);
    if (c->known || !v->options->skip_unknown) {
        run_case(v, c, row, files);
        return;
    }
    snprintf(reason, sizeof reason, "no layer type '%s' in this build", c->type);
    lcl_verify_note(v, (lcl_verify_finding){.row = row, .skipped = reason});
}

static lcl_status find_cases(stored_case **out, size_t *n, const char *folder,
                             const lcl_golden_files *files, lcl_error *err)
{
    char **folders;

    LCL_TRY(lcl_golden_list(&folders, n, folder, files, err));
    stored_case *cases = *out = lcl_alloc(*n, sizeof *cases);
    for (size_t i = 0; i < *n; i++) {
        const char *slash = strrchr(folders[i], '/');
        cases[i].folder = folders[i];
        cases[i].name = slash ? slash + 1 : folders[i];
        cases[i].known =
            lcl_golden_knows(folders[i], files, cases[i].type, sizeof cases[i].type);
    }
    free(folders);
    return LCL_OK;
}

static void free_cases(stored_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(cases[i].folder);
    free(cases);
}

lcl_status lcl_verify_folder(lcl_verify *v, const char *folder, lcl_error *err)
{
    stored_case *cases;
    size_t n;

    LCL_TRY(find_cases(&cases, &n, folder, NULL, err));
    for (size_t i = 0; i < n; i++)
        run_or_skip(v, &cases[i], cases[i].name, NULL);
    free_cases(cases, n);
    return LCL_OK;
}

/* ---- Built in ---------------------------------------------------------------------- */

/* With --quick: the first and the last case of a type. */
static bool is_quick(const stored_case *c, size_t i, size_t n)
{
    return i == 0 || i + 1 == n || strcmp(c[i - 1].type, c[i].type) != 0 ||
           strcmp(c[i + 1].type, c[i].type) != 0;
}

static void run_built_in(lcl_verify *v, const char *folder, bool by_type)
{
    stored_case *cases;
    size_t n;
    lcl_error err = {0};

    if (find_cases(&cases, &n, folder, &v->files, &err) != LCL_OK) {
        lcl_verify_note(v, (lcl_verify_finding){.row = folder, .failure = &err});
        return;
    }
    if (by_type)
        qsort(cases, n, sizeof *cases, by_type_and_name);
    for (size_t i = 0; i < n; i++) {
        const char *row = by_type ? cases[i].type : cases[i].name;
        if (lcl_verify_wants(v, row) &&
            (!by_type || !v->options->quick || is_quick(cases, i, n)))
            run_or_skip(v, &cases[i], row, &v->files);
    }
    free_cases(cases, n);
}

void lcl_verify_layers(lcl_verify *v)
{
    run_built_in(v, "layers", true);
}

void lcl_verify_winograd(lcl_verify *v)
{
    lcl_verify_generate_winograd(&v->files, v->options->quick);
    run_built_in(v, "winograd", false);
}

void lcl_verify_sums(lcl_verify *v)
{
    lcl_verify_generate_sums(&v->files, v->options->quick);
    run_built_in(v, "sums", false);
}
