/* Step t of LSTM: gates holds W_xc x + b_c of all steps and then the gates' values; from_hidden
 * is W_hc h of the step before, from_static W_xc_static x_static (where STATIC). */
#include "lstm_unit.cl"
#include "recurrent.cl"

#ifdef STEP
kernel void lstm_forward(int n, int chunk, int t, global vec *gates,
                         global const vec *from_hidden, global const vec *from_static,
                         global const float *cont, global const vec *c_first, global vec *c,
                         global vec *h, global vec *top, global vec *conted,
                         global vec *conted_step)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    gates += t * GATES * n;
    for (; i < end; i++) {
        vec gate[GATES];
        for (int k = 0; k < GATES; k++) {
            const int at = GATES_AT(i) + k * ROW;
            gate[k] = gates[at] + from_hidden[at];
            if (STATIC)
                gate[k] += from_static[at];
        }
        lstm_open(gate, CONT(t));
        const vec cell = lstm_cell(gate, t > 0 ? c[(t - 1) * n + i] : c_first[i]);
        const vec hidden = gate[GATE_O] * tanh(cell);
        c[t * n + i] = cell;
        h[t * n + i] = top[t * n + i] = hidden;
        for (int k = 0; k < GATES; k++)
            gates[GATES_AT(i) + k * ROW] = gate[k];
        HAND_ON(t, hidden);
    }
}

/* d_cell: the gradient of c from the step after, then for the step before. */
kernel void lstm_backward(int n, int chunk, int t, global const vec *gates,
                          global const float *cont, global const vec *c_first,
                          global const vec *c, global const vec *h, global const vec *dh,
                          global const vec *d_conted, global vec *d_cell,
                          global vec *d_gates, global vec *d_gates_step)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    gates += t * GATES * n, d_gates += t * GATES * n;
    for (; i < end; i++) {
        vec gate[GATES], d[GATES];
        for (int k = 0; k < GATES; k++)
            gate[k] = gates[GATES_AT(i) + k * ROW];
        d_cell[i] = lstm_gradient(gate, t > 0 ? c[(t - 1) * n + i] : c_first[i], c[t * n + i],
                                  t + 1 < STEPS ? d_cell[i] : (vec)0, GRADIENT_OF_H(t), d);
        for (int k = 0; k < GATES; k++)
            d_gates[GATES_AT(i) + k * ROW] = d_gates_step[GATES_AT(i) + k * ROW] = d[k];
    }
}
#endif
