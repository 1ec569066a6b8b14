/* y = x / (scale ^ beta), scale = k + alpha * the sum of squares around x: RC channels, RH rows
 * and RW columns to each side. A work-item handles a row. Global size: LANES, HEIGHT *
 * CHANNELS, blocks. */
#define ROW_C ((int)get_global_id(1) % CHANNELS)
#define ROW_H ((int)get_global_id(1) / CHANNELS)
#define PLACE(c, h, w)                                                                   \
    ((((get_global_id(2) * CHANNELS + (c)) * HEIGHT + (h)) * WIDTH + (w)) * LANES + LANE)

/* Each element i around (c, h, w) that the image has. */
#define FOR_NEIGHBOURS(i, c, h, w)                                                       \
    for (int c_ = max(c - RC, 0); c_ <= min(c + RC, CHANNELS - 1); c_++)                 \
        for (int h_ = max(h - RH, 0); h_ <= min(h + RH, HEIGHT - 1); h_++)               \
            for (int i = PLACE(c_, h_, max(w - RW, 0)),                                  \
                     last_ = PLACE(c_, h_, min(w + RW, WIDTH - 1));                      \
                 i <= last_; i += LANES)

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
    const int c = ROW_C, h = ROW_H;

    for (int w = 0; w < WIDTH; w++) {
        const size_t at = PLACE(c, h, w);
        vec sum = 0;
        FOR_NEIGHBOURS (i, c, h, w)
            sum += x[i] * x[i];
        vec scale = lane_exists(get_global_id(2), n_images) ? k + alpha * sum : (vec)1;
        scales[at] = scale;
        y[at] = x[at] * falloff(scale, beta);
    }
}

kernel void lrn_backward(global const vec *restrict x, global const vec *restrict y,
                         global const vec *restrict scales, global const vec *restrict dy,
                         global vec *restrict dx, float alpha, float beta)
{
    const int c = ROW_C, h = ROW_H;

    for (int w = 0; w < WIDTH; w++) {
        const size_t at = PLACE(c, h, w);
        vec sum = 0;
        FOR_NEIGHBOURS (i, c, h, w)
            sum += dy[i] * y[i] / scales[i];
        dx[at] = dy[at] * falloff(scales[at], beta) - 2 * alpha * beta * x[at] * sum;
    }
}
