/* A square of floats turned in registers. */

/* x[i][j] becomes x[j][i]. */
inline void transpose(vec x[V])
{
#ifdef OCLGRIND /* it cannot follow vectors made of halves: see lanes.cl */
    float rows[V][V];
    for (int i = 0; i < V; i++)
        STORE(x[i], rows[i]);
    for (int i = 0; i < V; i++) {
        float column[V];
        for (int j = 0; j < V; j++)
            column[j] = rows[j][i];
        x[i] = LOAD(column);
    }
#elif V > 1
    /* Of the bits of i and j, put together, each round moves the last to the front. */
    UNROLL for (int round = 1; round < V; round *= 2) {
        vec from[V];
        UNROLL for (int i = 0; i < V; i++) from[i] = x[i];
        UNROLL for (int i = 0; i < V / 2; i++) {
            x[i] = (vec)(from[2 * i].even, from[2 * i + 1].even);
            x[i + V / 2] = (vec)(from[2 * i].odd, from[2 * i + 1].odd);
        }
    }
#endif
}
