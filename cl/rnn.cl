/* Step t of RNN: gates holds W_xh x + b_h of all steps; from_hidden is W_hh h of the step
 * before, from_static W_xh_static x_static (where STATIC). The signatures are lstm.cl's. */
#include "recurrent.cl"

#ifdef STEP
kernel void rnn_forward(int n, int chunk, int t, global vec *gates,
                        global const vec *from_hidden, global const vec *from_static,
                        global const float *cont, global const vec *c_first, global vec *c,
                        global vec *h, global vec *top, global vec *conted,
                        global vec *conted_step)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++) {
        vec in = gates[t * n + i] + from_hidden[i];
        if (STATIC)
            in += from_static[i];
        const vec hidden = tanh(in);
        h[t * n + i] = hidden;
        HAND_ON(t, hidden);
    }
}

kernel void rnn_backward(int n, int chunk, int t, global const vec *gates,
                         global const float *cont, global const vec *c_first,
                         global const vec *c, global const vec *h, global const vec *dh,
                         global const vec *d_conted, global vec *d_cell, global vec *d_gates,
                         global vec *d_gates_step)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++) {
        const vec hidden = h[t * n + i], d = GRADIENT_OF_H(t) * (1 - hidden * hidden);
        d_gates[t * n + i] = d_gates_step[i] = d;
    }
}
#endif

#ifdef OUTPUT
/* top = out = tanh(out), and its gradient. */
kernel void rnn_output(int n, int chunk, global vec *out, global vec *top)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++)
        top[i] = out[i] = tanh(out[i]);
}

kernel void rnn_output_backward(int n, int chunk, global const vec *out,
                                global const vec *dy, global vec *d_out)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++)
        d_out[i] = dy[i] * (1 - out[i] * out[i]);
}
#endif
