/* Embed: rows of a table, chosen by x, and the table's gradient. x is rows of B indices, y and dy
 * rows of `outputs` x B. A work-item's outputs are cut into squares of V lanes x V outputs, which are
 * turned, so that rows of the table are read and added to as vectors; the rest goes one by one. */
#include "transpose.cl"

/* The first output that is in no square. */
inline int squares_end(int first, int end)
{
    return first + (end - first) / V * V;
}

/* y = weights[index] + bias; 0 in lanes without an image, NAN where the index is none of the
 * table. Global size: lanes, chunks of `each` outputs, rows (image_rows to a block). */
kernel void embed_forward(int entries, int outputs, int each, int images, int image_rows,
                          global const vec *x, global const float *weights, int has_bias,
                          global const float *bias, global vec *y)
{
    const int row = get_global_id(2), first = get_global_id(1) * each;
    const int end = min(first + each, outputs), image = row / image_rows * B + LANE * V;
    float indices[V], values[V];
    STORE(x[row * LANES + LANE], indices);
    for (int o = first; o < squares_end(first, end); o += V) {
        vec square[V];
        for (int v = 0; v < V; v++) {
            const int index = indices[v];
            square[v] = 0;
            if (image + v < images) {
                square[v] = NAN;
                if (index >= 0 && index < entries)
                    square[v] = LOAD(weights + (size_t)index * outputs + o);
                if (has_bias)
                    square[v] += LOAD(bias + o);
            }
        }
        transpose(square);
        for (int i = 0; i < V; i++)
            y[((size_t)row * outputs + o + i) * LANES + LANE] = square[i];
    }
    for (int o = squares_end(first, end); o < end; o++) {
        const float b = has_bias ? bias[o] : 0;
        for (int v = 0; v < V; v++) {
            const int index = indices[v];
            const bool known = index >= 0 && index < entries;
            values[v] = image + v >= images ? 0
                        : known             ? weights[(size_t)index * outputs + o] + b
                                            : NAN;
        }
        y[((size_t)row * outputs + o) * LANES + LANE] = LOAD(values);
    }
}

/* dweights[index] += dy, in the order of rows and lanes. Global size: chunks of `each` outputs,
 * parts of `part` entries; each work-item has its own piece of the table. */
kernel void embed_backward(int rows, int entries, int outputs, int each, int part,
                           int accumulate, global const float *x, global const float *dy,
                           global float *dweights)
{
    const int first = get_global_id(0) * each, end = min(first + each, outputs);
    const int entry0 = get_global_id(1) * part, entry1 = min(entry0 + part, entries);

    for (int e = accumulate ? entry1 : entry0; e < entry1; e++)
        for (int o = first; o < end; o++)
            dweights[(size_t)e * outputs + o] = 0;
    const int rest = squares_end(first, end);
    for (int row = 0; row < rows; row++)
        for (int lane = 0; lane < B; lane += V)
            for (int o = first; o < rest; o += V) {
                vec square[V];
                UNROLL for (int i = 0; i < V; i++)
                    square[i] = LOAD(dy + ((size_t)row * outputs + o + i) * B + lane);
                transpose(square);
                for (int v = 0; v < V; v++) {
                    const int index = x[row * B + lane + v];
                    if (index >= entry0 && index < entry1) {
                        global float *to = dweights + (size_t)index * outputs + o;
                        STORE(LOAD(to) + square[v], to);
                    }
                }
            }
    for (int row = 0; row < rows && rest < end; row++)
        for (int lane = 0; lane < B; lane++) {
            const int index = x[row * B + lane];
            if (index < entry0 || index >= entry1)
                continue;
            for (int o = rest; o < end; o++)
                dweights[(size_t)index * outputs + o] +=
                    dy[((size_t)row * outputs + o) * B + lane];
        }
}
