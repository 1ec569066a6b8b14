/* ReLU: y = x where x > 0, else slope * x. In place where x is y. */

kernel void relu_forward(int n, int chunk, float slope, global const vec *x, global vec *y)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++)
        y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

kernel void relu_backward(int n, int chunk, float slope, global const vec *x,
                          global const vec *dy, global vec *dx)
{
    int i = get_global_id(0) * chunk, end = min(i + chunk, n);

    for (; i < end; i++)
        dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
}
