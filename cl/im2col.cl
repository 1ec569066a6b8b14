/* The input values that each output of a convolution sees, one channel a tap of its kernel, and
 * the sum back. C channels of D x H x W (D = 1 for 2-d): kernel KD x KH x KW, strides S?,
 * padding P?, dilation D?; OD x OH x OW outputs. */
#define TAPS (KD * KH * KW)
#define INSIDE(i, n) ((uint)(i) < (uint)(n))
#define X_ROW(n, c, d, h) (((((size_t)(n) * C + (c)) * D + (d)) * H + (h)) * W * LANES + LANE)
#define Y_ROW(n, c, r, d, h)                                                             \
    ((((((size_t)(n) * C + (c)) * TAPS + (r)) * OD + (d)) * OH + (h)) * OW * LANES + LANE)

/* The outputs of one tap. Global size: LANES, C * TAPS, blocks. */
kernel void im2col_forward(global const vec *restrict x, global vec *restrict y)
{
    const int r = get_global_id(1) % TAPS, c = get_global_id(1) / TAPS, n = get_global_id(2);
    const int left = r % KW * DW - PW;
    /* Outputs from `first` to before `end` see values of a row, the others its padding. */
    const int first = clamp((SW - 1 - left) / SW, 0, OW);
    const int end = clamp((W - 1 - left + SW) / SW, first, OW);

    for (int o = 0; o < OD * OH; o++) {
        const int oh = o % OH, od = o / OH;
        const int d = od * SD - PD + r / (KW * KH) * DD, h = oh * SH - PH + r / KW % KH * DH;
        const bool inside = INSIDE(d, D) && INSIDE(h, H);
        global const vec *from = x + X_ROW(n, c, inside ? d : 0, inside ? h : 0);
        global vec *to = y + Y_ROW(n, c, r, od, oh);
        const int from_ow = inside ? first : OW, to_ow = inside ? end : OW;

        for (int w = 0; w < from_ow; w++)
            to[w * LANES] = (vec)0;
        for (int w = from_ow; w < to_ow; w++)
            to[w * LANES] = from[(w * SW + left) * LANES];
        for (int w = to_ow; w < OW; w++)
            to[w * LANES] = (vec)0;
    }
}

/* The output that sees input i through a tap at `offset`, or -1. */
inline int seen_from(int i, int pad, int offset, int stride, int outputs)
{
    const int o = i + pad - offset;

    return o >= 0 && o % stride == 0 && o / stride < outputs ? o / stride : -1;
}

/* A row of inputs. Global size: LANES, C * D * H, blocks. */
kernel void im2col_backward(global const vec *restrict dy, global vec *restrict dx)
{
    const int row = get_global_id(1), n = get_global_id(2);
    const int h = row % H, d = row / H % D, c = row / (H * D);
    global vec *to = dx + X_ROW(n, c, d, h);

    for (int w = 0; w < W; w++) {
        vec sum = 0;
        for (int r = 0; r < TAPS; r++) {
            const int od = seen_from(d, PD, r / (KW * KH) * DD, SD, OD);
            const int oh = seen_from(h, PH, r / KW % KH * DH, SH, OH);
            const int ow = seen_from(w, PW, r % KW * DW, SW, OW);
            if (od >= 0 && oh >= 0 && ow >= 0)
                sum += dy[Y_ROW(n, c, r, od, oh) + ow * LANES];
        }
        to[w * LANES] = sum;
    }
}
