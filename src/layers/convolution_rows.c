/* Convolution of single images by rows, forward: picks vectors and ranges for the kernel of
 * cl/convolution_rows.cl. Backward is direct convolution's. */
#include <limits.h>
#include <string.h>

#include "layers/convolution.h"
#include "text.h"
#include "tile.h"

#define MIN_COLUMNS 8 /* of a vector, where there are such vectors: at least half of it */
#define ROWS 2        /* and vectors of channels that are computed at a time */
#define CHANNELS 4

/* Columns of a vector: as many as cover rows of the top with the fewest columns, and leave pools
 * whole; 0: none. */
static int columns_of(const lcl_layer *l, const lcl_convolution_epilogue *e)
{
    const convolution_state *s = l->state;
    const int width = s->s.out[2], widest = lcl_device_vector(l->dev);
    int best = 0, fewest = INT_MAX;

    for (int n = widest; n >= (widest < MIN_COLUMNS ? widest : MIN_COLUMNS); n /= 2) {
        const int columns = (int)lcl_tile_count(width, n) * n;
        if (n <= width && (width - n) % e->pool_w == 0 && columns < fewest) {
            best = n;
            fewest = columns;
        }
    }
    return best;
}

bool lcl_convolution_rows_suit(const lcl_layer *l, const lcl_convolution_epilogue *e)
{
    const convolution_state *s = l->state;
    const lcl_spatial *z = &s->s;

    return lcl_convolution_is_narrow(l) && l->phase == CAFFE__PHASE__TEST &&
           s->n_spatial == 2 && z->kernel[1] * z->kernel[2] > 1 && z->stride[2] == 1 &&
           z->pad[2] == 0 && e->pool_w <= 2 && e->pool_h <= ROWS && columns_of(l, e) > 0;
}

lcl_status lcl_convolution_rows_reshape(lcl_layer *l, lcl_error *err)
{
    convolution_state *s = l->state;
    const lcl_convolution_epilogue *e = &s->epilogue;
    const int vector = lcl_device_vector(l->dev), columns = columns_of(l, e);
    const int rows = ROWS / e->pool_h * e->pool_h;
    const lcl_define own[] = {{"B", vector},
                              {"V", vector},
                              {"COLUMNS", columns},
                              {"KT", CHANNELS},
                              {"RT", rows}};
    lcl_define defines[LCL_CONVOLUTION_DEFINES + LCL_COUNT(own)];
    const size_t n = lcl_convolution_defines(l, &s->s, defines);

    memcpy(defines + n, own, sizeof own);
    const size_t channels = lcl_tile_count(s->outputs, CHANNELS * vector / columns);
    const size_t wanted = 8 * (size_t)lcl_device_get_info(l->dev)->compute_units;
    const size_t most =
        lcl_tile_count(s->s.out[1], rows) * lcl_tile_count(s->s.out[2], columns);
    const size_t shares = (wanted + channels - 1) / channels;
    s->direct.forward_range =
        (lcl_range){channels, shares < most ? shares : most, s->n_blocks};
    return lcl_kernel_get(&s->direct.forward, l->dev, "convolution_rows",
                          "convolution_rows_forward", defines, n + LCL_COUNT(own), err);
}
