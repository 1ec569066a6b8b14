/* Layers whose outputs are each a function of one input: y = FORWARD of x, and
 * dx = dy * GRADIENT of x and y. In place where x is y. */

kernel void unary_forward(int n, int chunk, float a, float b, float c, global const vec *in,
                          global vec *out)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++) {
        vec x = in[i];
        out[i] = FORWARD;
    }
}

kernel void unary_backward(int n, int chunk, float a, float b, float c, global const vec *in,
                           global const vec *out, global const vec *dy, global vec *dx)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++) {
        vec x = in[i], y = out[i];
        dx[i] = dy[i] * (GRADIENT);
    }
}
