/* Pooling of planes of H x W to OUT_H x OUT_W by windows of KERNEL_H x KERNEL_W every
 * STRIDE_H, STRIDE_W, with PAD_H, PAD_W around the plane.
 * Global size: LANES, tiles of a plane, planes (blocks * channels). Forward, a tile is ROWS x
 * COLS outputs. Backward, it is BACK_ROWS rows of BACK_COLS strides of inputs, which gather
 * from the windows over them: no two work-items write one value. */
#include "random.cl"

/* What MAX and STOCHASTIC windows took: the number inside the window, or NONE. */
#if KERNEL_H * KERNEL_W < 256
#define NONE 255
typedef vec_of(uchar) choice;
#define to_choice(x) convert_vec(uchar)(x)
#else
#define NONE -1
typedef ivec choice;
#define to_choice(x) (x)
#endif

/* The part of a window inside the plane, from its first row or column (maybe < 0). Constant
 * where no window reaches over an edge. */
#define CLIPPED_H (PAD_H > 0 || (OUT_H - 1) * STRIDE_H + KERNEL_H > H)
#define CLIPPED_W (PAD_W > 0 || (OUT_W - 1) * STRIDE_W + KERNEL_W > W)
#define BEGIN_H(h0) (CLIPPED_H ? max(0, -(h0)) : 0)
#define BEGIN_W(w0) (CLIPPED_W ? max(0, -(w0)) : 0)
#define END_H(h0) (CLIPPED_H ? min(KERNEL_H, H - (h0)) : KERNEL_H)
#define END_W(w0) (CLIPPED_W ? min(KERNEL_W, W - (w0)) : KERNEL_W)

/* For each row of outputs, and each output (ph, pw), of this work-item, with its window's first row
 * and column. */
#define COL_TILES ((OUT_W + COLS - 1) / COLS)
#define FIRST_ROW ((int)get_global_id(1) / COL_TILES * ROWS)
#define FIRST_COL ((int)get_global_id(1) % COL_TILES * COLS)
#define FOR_ROWS                                                                          \
    for (int ph = FIRST_ROW, h0 = ph * STRIDE_H - PAD_H;                                  \
         ph < min(FIRST_ROW + ROWS, OUT_H); ph++, h0 += STRIDE_H)
#define FOR_OUTPUTS                                                                       \
    FOR_ROWS                                                                              \
        for (int pw = FIRST_COL, w0 = pw * STRIDE_W - PAD_W;                              \
             pw < min(FIRST_COL + COLS, OUT_W); pw++, w0 += STRIDE_W)
/* For each input of the window: its place kh, kw in it. */
#define FOR_WINDOW                                                                        \
    for (int kh = BEGIN_H(h0); kh < END_H(h0); kh++)                                      \
        for (int kw = BEGIN_W(w0); kw < END_W(w0); kw++)
#define IN ((size_t)get_global_id(2) * (H * W) * LANES + LANE)
#define OUT ((size_t)get_global_id(2) * (OUT_H * OUT_W) * LANES + LANE)
#define INPUT x[((h0 + kh) * W + w0 + kw) * LANES]
#define AT ((ph * OUT_W + pw) * LANES)

/* Inputs under windows that Caffe divides by: those over the padded plane. */
inline float pool_size(int h0, int w0)
{
    int h = CLIPPED_H ? min(KERNEL_H, H + PAD_H - h0) : KERNEL_H;
    int w = CLIPPED_W ? min(KERNEL_W, W + PAD_W - w0) : KERNEL_W;
    return (float)(max(h, 1) * max(w, 1));
}

/* Of single images a row of outputs at a time, tap by tap: the compiler makes vectors of it. */
#if V == 1 && COLS == OUT_W && COLS > 1 && !CLIPPED_W
#define FOR_COLS for (int c = 0; c < COLS; c++)
#define ROW_INPUT x[(h0 + kh) * W + c * STRIDE_W + kw]
kernel void pooling_max_forward(global const float *restrict x, global float *restrict y,
                                global choice *restrict chosen)
{
    x += IN, y += OUT, chosen += OUT;
    FOR_ROWS
    {
        float best[COLS];
        int place[COLS];
        FOR_COLS best[c] = -FLT_MAX, place[c] = NONE;
        for (int kh = BEGIN_H(h0); kh < END_H(h0); kh++)
            UNROLL for (int kw = 0; kw < KERNEL_W; kw++)
                FOR_COLS
                {
                    const float value = ROW_INPUT;
                    place[c] = value > best[c] ? kh * KERNEL_W + kw : place[c];
                    best[c] = value > best[c] ? value : best[c];
                }
        FOR_COLS y[ph * OUT_W + c] = best[c], chosen[ph * OUT_W + c] = to_choice(place[c]);
    }
}
#else
kernel void pooling_max_forward(global const vec *x, global vec *y, global choice *chosen)
{
    x += IN, y += OUT, chosen += OUT;
    FOR_OUTPUTS
    {
        vec best = -FLT_MAX;
        ivec place = NONE;
        FOR_WINDOW
        {
            vec value = INPUT;
            ivec better = value > best;
            best = better ? value : best;
            place = better ? (ivec)(kh * KERNEL_W + kw) : place;
        }
        y[AT] = best;
        chosen[AT] = to_choice(place);
    }
}
#endif

/* Where in the plane each window's choice is, as Caffe's second top: h * W + w, or -1. */
kernel void pooling_mask(global const choice *chosen, global vec *mask)
{
    chosen += OUT, mask += OUT;
    FOR_OUTPUTS
    {
        ivec place = to_ivec(chosen[AT]);
        ivec index = (place / KERNEL_W + h0) * W + place % KERNEL_W + w0;
        mask[AT] = to_vec(place == NONE ? (ivec)-1 : index);
    }
}

kernel void pooling_ave_forward(global const vec *x, global vec *y)
{
    x += IN, y += OUT;
    FOR_OUTPUTS
    {
        vec sum = 0;
        FOR_WINDOW sum += INPUT;
        y[AT] = sum / pool_size(h0, w0);
    }
}

/* Takes one input of each window by chance, in proportion to its value. */
kernel void pooling_stochastic_forward(global const vec *x, global vec *y,
                                       global choice *chosen, ulong key, ulong counter)
{
    x += IN, y += OUT, chosen += OUT;
    FOR_OUTPUTS
    {
        vec total = 0, sum = 0, value = 0;
        FOR_WINDOW total += INPUT;
        vec threshold = total * random_vec(key, counter, OUT + AT);
        ivec place = NONE;
        FOR_WINDOW
        {
            vec input = INPUT;
            sum += input;
            ivec take = (place == NONE) && (sum >= threshold);
            value = take ? input : value;
            place = take ? (ivec)(kh * KERNEL_W + kw) : place;
        }
        y[AT] = value;
        chosen[AT] = to_choice(place);
    }
}

/* The mean that stochastic training expects: each input weighted by its chance. */
kernel void pooling_stochastic_test(global const vec *x, global vec *y)
{
    x += IN, y += OUT;
    FOR_OUTPUTS
    {
        vec sum = 0, squares = 0;
        FOR_WINDOW
        {
            vec input = INPUT;
            sum += input;
            squares += input * input;
        }
        y[AT] = sum > 0 ? squares / sum : (vec)0;
    }
}

/* For each input (h, w) of this work-item: it lies rh rows into the stride hq, so that the
 * windows over it are the ones hq - th with th * STRIDE_H + rh < KERNEL_H; columns too. */
#define STRIDES_W ((W + PAD_W + STRIDE_W - 1) / STRIDE_W)
#define BACK_TILES ((STRIDES_W + BACK_COLS - 1) / BACK_COLS)
#define FIRST_BACK_ROW ((int)get_global_id(1) / BACK_TILES * BACK_ROWS)
#define FIRST_STRIDE ((int)get_global_id(1) % BACK_TILES * BACK_COLS)
#define FOR_INPUTS                                                                        \
    for (int h = FIRST_BACK_ROW, hq = (h + PAD_H) / STRIDE_H, rh = (h + PAD_H) % STRIDE_H; \
         h < min(FIRST_BACK_ROW + BACK_ROWS, H);                                          \
         h++, rh = rh + 1 == STRIDE_H ? 0 : rh + 1, hq += rh == 0)                        \
        for (int wq = FIRST_STRIDE; wq < min(FIRST_STRIDE + BACK_COLS, STRIDES_W); wq++)  \
            for (int rw = 0, w = wq * STRIDE_W - PAD_W; rw < STRIDE_W; rw++, w++)         \
                if (w >= 0 && w < W)
#define FOR_WINDOWS                                                                       \
    for (int ph = hq, kh = rh; kh < KERNEL_H; ph--, kh += STRIDE_H)                       \
        for (int pw = wq, kw = rw; kw < KERNEL_W; pw--, kw += STRIDE_W)                   \
            if (ph >= 0 && ph < OUT_H && pw >= 0 && pw < OUT_W)

/* The gradient goes to the input that the window took (MAX and STOCHASTIC). */
kernel void pooling_chosen_backward(global const vec *dy, global const choice *chosen,
                                    global vec *dx)
{
    dx += IN, dy += OUT, chosen += OUT;
    FOR_INPUTS
    {
        vec sum = 0;
        FOR_WINDOWS
            sum += to_ivec(chosen[AT]) == kh * KERNEL_W + kw ? dy[AT] : (vec)0;
        dx[(h * W + w) * LANES] = sum;
    }
}

kernel void pooling_ave_backward(global const vec *dy, global vec *dx)
{
    dx += IN, dy += OUT;
    FOR_INPUTS
    {
        vec sum = 0;
        FOR_WINDOWS
            sum += dy[AT] / pool_size(ph * STRIDE_H - PAD_H, pw * STRIDE_W - PAD_W);
        dx[(h * W + w) * LANES] = sum;
    }
}
