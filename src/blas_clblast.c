/* Sets of CLBlast's parameters for lenet-cl tune to try; CLBlast's tuners chose its own for
 * some devices, and defaults for all others. Names and constraints are CLBlast's. */
#include "blas_clblast.h"

#include <clblast_c.h>

#include "text.h"
#include "tile.h"

#define MOST_PARAMETERS 16
#define N_SETS 6

typedef struct {
    lcl_tile tile; /* value n: sets[n - 1] */
    const char *kernel;
    size_t n;
    const char *names[MOST_PARAMETERS];
    size_t sets[N_SETS][MOST_PARAMETERS];
} parameters;

/* MWG x NWG of C a group of MDIMC x NDIMC, in steps of KWG along k; SA, SB: through local
 * memory; VWM, VWN: widths of vectors. From small tiles to large ones, the last two for
 * devices without local memory of their own. */
static const parameters large = {
    .tile = LCL_TILE_CLBLAST,
    .kernel = "Xgemm",
    .n = 16,
    .names = {"KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB", "NDIMC", "NWG", "SA", "SB",
              "STRM", "STRN", "VWM", "VWN", "GEMMK", "KREG"},
    .sets = {{16, 2, 8, 8, 32, 8, 8, 32, 1, 1, 0, 0, 2, 2, 0, 1},
             {16, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4, 0, 1},
             {16, 2, 16, 16, 64, 16, 16, 64, 1, 1, 0, 0, 4, 4, 0, 1},
             {32, 2, 16, 16, 128, 16, 16, 128, 1, 1, 0, 0, 4, 4, 0, 1},
             {32, 2, 8, 8, 64, 8, 8, 64, 0, 0, 0, 0, 8, 8, 0, 1},
             {16, 8, 4, 4, 64, 4, 4, 32, 0, 0, 0, 0, 8, 8, 0, 1}},
};

/* WGD x WGD of C a group, in steps of WGD along k. */
static const parameters small = {
    .tile = LCL_TILE_CLBLAST_DIRECT,
    .kernel = "XgemmDirect",
    .n = 10,
    .names = {"KWID", "MDIMAD", "MDIMCD", "NDIMBD", "NDIMCD", "PADA", "PADB", "VWMD",
              "VWND", "WGD"},
    .sets = {{2, 8, 8, 8, 8, 1, 1, 1, 1, 8},
             {2, 8, 8, 8, 8, 1, 1, 2, 2, 16},
             {2, 8, 8, 8, 8, 1, 1, 4, 4, 32},
             {2, 16, 16, 16, 16, 1, 1, 2, 2, 32},
             {8, 8, 8, 8, 8, 1, 1, 4, 4, 64},
             {8, 4, 4, 4, 4, 0, 0, 8, 8, 32}},
};

static lcl_status override(lcl_device *dev, const parameters *p, lcl_error *err)
{
    const int value = lcl_tile_get(dev, p->tile);
    const char *names[MOST_PARAMETERS];

    if (!lcl_tile_take_change(dev, p->tile) || value == 0)
        return LCL_OK;
    for (size_t i = 0; i < p->n; i++) /* CLBlast's type has no const */
        names[i] = p->names[i];
    const CLBlastStatusCode rc = CLBlastOverrideParameters(
        lcl_device_get_info(dev)->id, p->kernel, CLBlastPrecisionSingle, p->n, names,
        p->sets[value - 1]);
    return rc == CLBlastSuccess
               ? LCL_OK
               : lcl_fail(err, LCL_EDEVICE, "CLBlast", "parameters of %s: %s", p->kernel,
                          lcl_cl_name(rc));
}

lcl_status lcl_clblast_parameters(lcl_device *dev, lcl_error *err)
{
    LCL_TRY(override(dev, &large, err));
    return override(dev, &small, err);
}
