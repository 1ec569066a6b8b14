/* A step of LSTM cells. A cell's gates lie ROW vectors apart, in the order i, f, o, g:
 *   c = cont sigmoid(f) c_before + sigmoid(i) tanh(g),  h = sigmoid(o) tanh(c). */
#define GATE_I 0
#define GATE_F 1
#define GATE_O 2
#define GATE_G 3
#define GATES 4

/* Where the gates of vector i of a step start. */
#define GATES_AT(i) ((i) / ROW * GATES * ROW + (i) % ROW)

inline vec sigmoid(vec x) { return 1 / (1 + exp(-x)); }

/* From the gates' inputs to their values; f is 0 where a sequence begins. */
inline void lstm_open(vec gate[GATES], float cont)
{
    gate[GATE_I] = sigmoid(gate[GATE_I]);
    gate[GATE_F] = cont == 0 ? (vec)0 : cont * sigmoid(gate[GATE_F]);
    gate[GATE_O] = sigmoid(gate[GATE_O]);
    gate[GATE_G] = tanh(gate[GATE_G]);
}

inline vec lstm_cell(const vec gate[GATES], vec c_before)
{
    return gate[GATE_F] * c_before + gate[GATE_I] * gate[GATE_G];
}

/* Gradients of the gates' inputs; that of c_before is returned. */
inline vec lstm_gradient(const vec gate[GATES], vec c_before, vec c, vec dc, vec dh,
                         vec d[GATES])
{
    const vec i = gate[GATE_I], f = gate[GATE_F], o = gate[GATE_O], g = gate[GATE_G];
    const vec t = tanh(c), dcell = dc + dh * o * (1 - t * t);

    d[GATE_I] = dcell * g * i * (1 - i);
    d[GATE_F] = dcell * c_before * f * (1 - f);
    d[GATE_O] = dh * t * o * (1 - o);
    d[GATE_G] = dcell * i * (1 - g * g);
    return dcell * f;
}

#ifdef UNIT
kernel void lstm_unit_forward(int n, int chunk, global const vec *c_before,
                              global const vec *x, global const float *cont,
                              global vec *gates, global vec *c, global vec *h)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++) {
        vec gate[GATES];
        for (int k = 0; k < GATES; k++)
            gate[k] = x[GATES_AT(i) + k * ROW];
        lstm_open(gate, cont[i / ROW]);
        c[i] = lstm_cell(gate, c_before[i]);
        h[i] = gate[GATE_O] * tanh(c[i]);
        for (int k = 0; k < GATES; k++)
            gates[GATES_AT(i) + k * ROW] = gate[k];
    }
}

/* Writes what is wanted of dc_before and dx. */
kernel void lstm_unit_backward(int n, int chunk, int want_c, int want_x,
                               global const vec *c_before, global const vec *gates,
                               global const vec *c, global const vec *dc,
                               global const vec *dh, global vec *dc_before, global vec *dx)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++) {
        vec gate[GATES], d[GATES];
        for (int k = 0; k < GATES; k++)
            gate[k] = gates[GATES_AT(i) + k * ROW];
        vec before = lstm_gradient(gate, c_before[i], c[i], dc[i], dh[i], d);
        if (want_c)
            dc_before[i] = before;
        for (int k = 0; want_x && k < GATES; k++)
            dx[GATES_AT(i) + k * ROW] = d[k];
    }
}
#endif
