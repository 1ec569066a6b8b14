/* RNN: h = tanh(W_hh h_before + W_xh x + b_h), y = tanh(W_ho h + b_o), step by step. Bottoms: x
 * (T, N, ...), cont (T, N) which is 0 where a sequence begins, an optional static input (N,
 * ...), and with expose_hidden h before the first step (1, N, D). Tops: y (T, N, D), and with
 * expose_hidden h after the last. Parameters: W_xh (D x I), b_h (D), W_xh_static, W_hh, W_ho (D
 * x D), b_o (D). Kernels: cl/rnn.cl. */
#include "layers/recurrent.h"

static lcl_status setup(lcl_layer *l, lcl_error *err)
{
    static const lcl_cell cell = {
        .file = "rnn", .n_gates = 1, .n_hidden = 1, .output = true};

    return lcl_recurrent_setup(l, &cell, err);
}

const lcl_layer_type lcl_layer_rnn = {
    .name = "RNN",
    .min_bottoms = 2,
    .max_bottoms = 4,
    .min_tops = 1,
    .max_tops = 2,
    .no_backward = 1u << 1,
    .state_size = sizeof(lcl_recurrent),
    .setup = setup,
    .reshape = lcl_recurrent_reshape,
    .forward = lcl_recurrent_forward,
    .backward = lcl_recurrent_backward,
    .flops = lcl_recurrent_flops,
    .destroy = lcl_recurrent_destroy,
};
