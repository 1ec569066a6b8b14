/* y = x / (scale ^ beta), scale = k + alpha * the sum of squares around x: RADIUS to each side along
 * channels, or (WITHIN) along rows and columns. A work-item goes along channels (rows), CHUNK of them
 * by COLUMNS at a time, and has a ring of those that sums still need: each term is made once, unless
 * sums are so WIDE that the ring would be.
 * Global size: LANES, rows (channels) * chunks, blocks. */
#define SPAN (2 * RADIUS + 1)
#if WITHIN
#define STEPS HEIGHT
#define OTHERS CHANNELS
#define HALO RADIUS
#define PLACE(step, other, w) ROW(other, step) + (w) * LANES
#else
#define STEPS CHANNELS
#define OTHERS HEIGHT
#define HALO 0
#define PLACE(step, other, w) ROW(step, other) + (w) * LANES
#endif
#define ROW(c, h)                                                                               \
    (((get_global_id(2) * CHANNELS + (c)) * HEIGHT + (h)) * (size_t)WIDTH * LANES + LANE)

#if WIDE
#define FOR_EACH_SUM(TERM, FINISH)                                                              \
    const int other = get_global_id(1) % OTHERS, first = get_global_id(1) / OTHERS * CHUNK;     \
    for (int step = first; step < min(first + CHUNK, STEPS); step++)                            \
        for (int w = 0; w < WIDTH; w++) {                                                       \
            vec sum = 0;                                                                        \
            for (int i = max(step - RADIUS, 0); i <= min(step + RADIUS, STEPS - 1); i++)        \
                for (int j = max(w - HALO, 0); j <= min(w + HALO, WIDTH - 1); j++) {            \
                    const size_t at = PLACE(i, other, j);                                       \
                    sum += TERM;                                                                \
                }                                                                               \
            const size_t at = PLACE(step, other, w);                                            \
            FINISH                                                                              \
        }
#else
#define FOR_EACH_SUM(TERM, FINISH)                                                              \
    const int other = get_global_id(1) % OTHERS, first = get_global_id(1) / OTHERS * CHUNK;     \
    const int end = min(first + CHUNK, STEPS);                                                  \
    vec ring[SPAN][COLUMNS + 2 * HALO], sums[COLUMNS + 2 * HALO];                               \
    for (int w0 = 0; w0 < WIDTH; w0 += COLUMNS) {                                               \
        const int w_end = min(w0 + COLUMNS, WIDTH);                                             \
        const int left = max(w0 - HALO, 0), right = min(w_end + HALO, WIDTH);                   \
        for (int newest = max(first - RADIUS, 0); newest < end + RADIUS; newest++) {            \
            const int step = newest - RADIUS;                                                   \
            for (int w = left; w < right && newest < STEPS; w++) {                              \
                const size_t at = PLACE(newest, other, w);                                      \
                ring[newest % SPAN][w - w0 + HALO] = TERM;                                      \
            }                                                                                   \
            if (step < first)                                                                   \
                continue;                                                                       \
            for (int w = w0 - HALO; w < w0 + COLUMNS + HALO; w++) {                             \
                vec sum = 0;                                                                    \
                for (int i = max(step - RADIUS, 0);                                             \
                     i <= min(newest, STEPS - 1) && w >= left && w < right; i++)                \
                    sum += ring[i % SPAN][w - w0 + HALO];                                       \
                sums[w - w0 + HALO] = sum;                                                      \
            }                                                                                   \
            for (int w = w0; w < w_end; w++) {                                                  \
                const size_t at = PLACE(step, other, w);                                        \
                vec sum = 0;                                                                    \
                UNROLL for (int i = 0; i < 2 * HALO + 1; i++)                                   \
                    sum += sums[w - w0 + i];                                                    \
                FINISH                                                                          \
            }                                                                                   \
        }                                                                                       \
    }
#endif

inline vec falloff(vec scale, float beta)
{
#if THREE_QUARTERS /* the usual beta */
    return 1 / (sqrt(scale) * sqrt(sqrt(scale)));
#else
    return powr(scale, (vec)(-beta));
#endif
}

kernel void lrn_forward(global const vec *restrict x, global vec *restrict y,
                        global vec *restrict scales, int n_images, float k, float alpha,
                        float beta)
{
    FOR_EACH_SUM(x[at] * x[at], {
        const vec scale = lane_exists(get_global_id(2), n_images) ? k + alpha * sum : (vec)1;
        scales[at] = scale;
        y[at] = x[at] * falloff(scale, beta);
    })
}

kernel void lrn_backward(global const vec *restrict x, global const vec *restrict y,
                         global const vec *restrict scales, global const vec *restrict dy,
                         global vec *restrict dx, float alpha, float beta)
{
    FOR_EACH_SUM(dy[at] * y[at] / scales[at], {
        dx[at] = dy[at] * falloff(scales[at], beta) - 2 * alpha * beta * x[at] * sum;
    })
}
