/* Winograd convolution (cl/winograd.cl): filters to transformed ones, and their gradients back. */
#include "winograd.cl"

/* u = G w G^T for V filters of group g from `first` on: number f of a point's filters is
 * u[f / (C * KB) * KB + f % KB][f / KB % C]; FILTERS floats a point and group. */
ONCE void transform_filters(global const float *restrict w, global float *restrict u, int first,
                            int g)
{
    int from[V];

    for (int v = 0; v < V; v++) {
        const int f = first + v, k = min(f / (C * KB) * KB + f % KB, K - 1);
        from[v] = ((g * K + k) * C + f / KB % C) * R * R;
    }
#define COLUMN(x, j)                                                                         \
    OUTER for (int i = 0; i < R; i++)                                                        \
    {                                                                                        \
        float lanes[V];                                                                      \
        UNROLL for (int v = 0; v < V; v++) lanes[v] = w[from[v] + i * R + (j)];              \
        x[i] = LOAD(lanes);                                                                  \
    }
#define ROW(i, x)                                                                            \
    UNROLL for (int j = 0; j < TN; j++)                                                      \
        STORE(x[j], u + (size_t)(((i) * TN + j) * G + g) * FILTERS + first);
    SPREAD_TILE(GT, R, COLUMN, ROW)
#undef COLUMN
#undef ROW
}

#ifdef FILTER
/* x: vectors of filters, y: groups. */
kernel void winograd_filter(global const float *restrict w, global float *restrict u)
{
    transform_filters(w, u, get_global_id(0) * V, get_global_id(1));
}
#endif

#ifdef FACTORS
/* dw = G^T du G (+ dw), with du summed over `n_shares` arrays of [point][g][FACTORS][ROW_SIZE], of
 * which COLUMNS are used: [k][c], or [c][k] where TOP_TURNED. V of a point's floats from `first` on, the
 * last of them beginning earlier. */
ONCE void gather_filters(global const float *restrict du, int n_shares,
                         global float *restrict dw, int first, int g, int accumulate)
{
    const int from = min(first, FACTORS * ROW_SIZE - V);
    int to[V];

    for (int v = 0; v < V; v++) {
        const int row = (from + v) / ROW_SIZE, column = (from + v) % ROW_SIZE;
        const int k = TOP_TURNED ? column : row, c = TOP_TURNED ? row : column;
        to[v] = from + v < first || column >= COLUMNS ? -1 : ((g * K + k) * C + c) * R * R;
    }
#define COLUMN(x, j)                                                                         \
    OUTER for (int i = 0; i < TN; i++)                                                       \
    {                                                                                        \
        x[i] = (vec)(0.0f);                                                                  \
        for (int s = 0; s < n_shares; s++)                                                   \
            x[i] += LOAD(du +                                                                \
                         (((size_t)s * TN * TN + i * TN + (j)) * G + g) * FACTORS * ROW_SIZE + \
                         from);                                                              \
    }
#define ROW(i, x)                                                                            \
    OUTER for (int j = 0; j < R; j++)                                                        \
    {                                                                                        \
        float lanes[V];                                                                      \
        STORE(x[j], lanes);                                                                  \
        for (int v = 0; v < V; v++)                                                          \
            if (to[v] >= 0) {                                                                \
                global float *at = dw + to[v] + (i)*R + j;                                   \
                *at = accumulate ? *at + lanes[v] : lanes[v];                                \
            }                                                                                \
    }
    GATHER_TILE(GT, R, COLUMN, ROW)
#undef COLUMN
#undef ROW
}
#endif

#ifdef FILTER_ADJOINT
/* x: vectors, y: groups. */
kernel void winograd_filter_adjoint(global const float *restrict du, int n_shares,
                                    global float *restrict dw, int accumulate)
{
    gather_filters(du, n_shares, dw, get_global_id(0) * V, get_global_id(1), accumulate);
}
#endif
