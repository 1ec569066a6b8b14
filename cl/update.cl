/* The solvers' updates: one launch moves every parameter of the net. A group of GROUP
 * work-items handles a chunk, a run of one parameter's floats, V at a time. */

/* Each operation is rounded by itself, as in Caffe, whose updates are calls of BLAS. Only y + a x,
 * an axpy there, is one operation. Otherwise Adam drifts away from Caffe's losses. */
#pragma OPENCL FP_CONTRACT OFF

/* offset and count in vectors; rate and decay are the parameter's factors. */
typedef struct {
    uint offset, count;
    float rate, decay;
} chunk;

/* The sum of x over the group for its first work-item, 0 for the others; always in the same
 * order. */
inline float group_sum(local float *sums, float x)
{
#if GROUP > 1
    const int me = get_local_id(0);

    sums[me] = x;
    for (int reach = GROUP / 2; reach > 0; reach /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < reach)
            sums[me] += sums[me + reach];
    }
    return me == 0 ? sums[0] : 0;
#else
    return x;
#endif
}

/* ---- The length of the whole gradient, to clip it ---- */

kernel void norm_parts(global const chunk *chunks, global const vec *diff, global float *parts)
{
    local float sums[GROUP];
    const chunk c = chunks[get_group_id(0)];
    vec squares = 0;

    for (uint i = get_local_id(0); i < c.count; i += GROUP) {
        const vec d = diff[c.offset + i];
        squares += d * d;
    }
    const float sum = group_sum(sums, sum_lanes(squares));
    if (get_local_id(0) == 0)
        parts[get_group_id(0)] = sum;
}

/* clip[0] is the length, clip[1] the factor that brings it to `limit` where it is longer. */
kernel void norm_scale(global const float *parts, uint n, float limit, global float *clip)
{
    local float sums[GROUP];
    float sum = 0;

    for (uint i = get_local_id(0); i < n; i += GROUP)
        sum += parts[i];
    sum = group_sum(sums, sum);
    if (get_local_id(0) == 0) {
        const float norm = sqrt(sum);
        clip[0] = norm;
        clip[1] = norm > limit ? limit / norm : 1.0f;
    }
}

/* ---- One step of each solver: from the gradient g to what is taken off the weight ---- */

/* h and h2 are the weight's history; `second` is momentum2 or rms_decay. */
#define STEP(solver)                                                                         \
    inline vec solver##_step(vec g, global vec *h, global vec *h2, float rate,               \
                             float momentum, float second, float delta)

STEP(sgd)
{
    return *h = rate * g + momentum * *h;
}

STEP(nesterov)
{
    const vec before = *h;
    const vec after = rate * g + momentum * before;

    *h = after;
    return (1 + momentum) * after - momentum * before;
}

STEP(adagrad)
{
    *h += g * g;
    return rate * (g / (sqrt(*h) + delta));
}

STEP(rmsprop)
{
    *h = (1 - second) * (g * g) + second * *h;
    return rate * (g / (sqrt(*h) + delta));
}

STEP(adadelta)
{
    *h = (1 - momentum) * (g * g) + momentum * *h;
    const vec step = g * sqrt((delta + *h2) / (delta + *h));
    *h2 = (1 - momentum) * (step * step) + momentum * *h2;
    return rate * step;
}

STEP(adam)
{
    *h = (1 - momentum) * g + momentum * *h;
    *h2 = (1 - second) * (g * g) + second * *h2;
    return rate * (*h / (sqrt(*h2) + delta));
}

/* The gradient of the whole objective: clipped, divided by the number of passes, with the
 * weight decay's part. */
inline vec whole_gradient(vec g, vec w, float decay, global const float *clip,
                          float normalize)
{
#if CLIP
    g *= clip[1];
#endif
    g *= normalize;
#if L1
    return mad((vec)(decay), sign(w), g);
#else
    return mad((vec)(decay), w, g);
#endif
}

/* SOLVER's step. `rate` is the learning rate, to be multiplied by the parameter's own, and
 * `correction` is Adam's for young averages. */
kernel void update(global const chunk *chunks, global vec *data, global vec *diff,
                   global vec *h, global vec *h2, global const float *clip,
                   float normalize, float rate, float correction, float momentum,
                   float second, float delta)
{
    const chunk c = chunks[get_group_id(0)];
    const float own_rate = rate * c.rate * correction;

    for (uint n = get_local_id(0); n < c.count; n += GROUP) {
        const uint i = c.offset + n;
        const vec w = data[i];
        const vec g = whole_gradient(diff[i], w, c.decay, clip, normalize);
        const vec step =
            PASTE(SOLVER, _step)(g, h + i, h2 + i, own_rate, momentum, second, delta);
        data[i] = w - step;
        if (KEEP_DIFF)
            diff[i] = step;
    }
}

/* For what is compiled in one text with this. */
#pragma OPENCL FP_CONTRACT ON
