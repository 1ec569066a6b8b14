/* LSTM: cells that see a sequence step by step. Bottoms: x (T, N, ...), cont (T, N) which is 0
 * where a sequence begins, an optional static input (N, ...), and with expose_hidden h and c
 * before the first step (1, N, D). Tops: h (T, N, D), and with expose_hidden h and c after the
 * last. Parameters: W_xc (4D x I), b_c (4D), W_xc_static, W_hc (4D x D); gates in the order
 * i, f, o, g. Kernels: cl/lstm.cl. */
#include "layers/recurrent.h"

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    static const lcl_cell cell = {.file = "lstm", .n_gates = 4, .n_hidden = 2};

    return lcl_recurrent_setup(l, &cell, err);
}

const lcl_layer_type lcl_layer_lstm = {
    .name = "LSTM",
    .min_bottoms = 2,
    .max_bottoms = 5,
    .min_tops = 1,
    .max_tops = 3,
    .no_backward = 1u << 1,
    .state_size = sizeof(lcl_recurrent),
    .setup = setup,
    .reshape = lcl_recurrent_reshape,
    .forward = lcl_recurrent_forward,
    .backward = lcl_recurrent_backward,
    .flops = lcl_recurrent_flops,
    .destroy = lcl_recurrent_destroy,
};
