/* Convolution of G groups of C input and K output channels over D x H x W images (D = 1 for
 * 2-d): kernel KD x KH x KW, strides S?, padding P?, dilation D?; output OD x OH x OW.
 * Direct: a work-item keeps a tile of sums in registers, weights are broadcast to its lanes.
 *   y[n][k][o] = sum_c,r w[k][c][r] x[n][c][o * stride - pad + r * dilation] + bias[k]
 * in that order, which is Caffe's: where two values are nearly equal the same one is the larger.
 * It may end in a max pool of windows QH x QW side by side and a ReLU: cl/epilogue.cl. */
#include "epilogue.cl"
#include "transpose.cl"

/* Vectors of the images of block n, channel c (over all groups); Q: of what is written. */
#define X_ROW(n, c, d, h) (((((size_t)(n) * G * C + (c)) * D + (d)) * H + (h)) * W * LANES + LANE)
#define Y_ROW(n, k, d, h) (((((size_t)(n) * G * K + (k)) * OD + (d)) * OH + (h)) * OW * LANES + LANE)
#define Q_ROW(n, k, d, h) (((((size_t)(n) * G * K + (k)) * OD + (d)) * (OH / QH) + (h)) * (OW / QW) * LANES + LANE)
#define W_ROW(k, c, d, h) (((((size_t)(k) * C + (c)) * KD + (d)) * KH + (h)) * KW)
#define KERNEL (KD * KH * KW)
#define INSIDE(i, n) ((uint)(i) < (uint)(n))

#ifdef FORWARD
/* KT channels x PT columns of QH output rows a work-item; QW divides PT.
 * x: lanes, y: channel tiles of all groups, z: rows (of windows) of all blocks. */
kernel void convolution_forward(global const vec *restrict x, global const float *restrict w,
                                global const float *restrict bias, global vec *restrict y,
                                global place_t *restrict places)
{
    const int g = get_global_id(1) / K_TILES, k0 = get_global_id(1) % K_TILES * KT;
    const int qy = get_global_id(2) % (OH / QH), od = get_global_id(2) / (OH / QH) % OD;
    const int n = get_global_id(2) / (OH / QH * OD);
    global const float *filters[KT];

    UNROLL for (int k = 0; k < KT; k++) filters[k] = w + W_ROW(g * K + min(k0 + k, K - 1), 0, 0, 0);
    for (int ox = 0; ox < OW; ox += PT) {
        vec sum[KT][QH][PT];
        const int left = ox * SW - PW;
        const bool inside = left >= 0 && left + (PT - 1) * SW + (KW - 1) * DW < W;
        UNROLL for (int k = 0; k < KT; k++) UNROLL for (int q = 0; q < QH; q++)
            UNROLL for (int p = 0; p < PT; p++)
                sum[k][q][p] = (vec)(0.0f);
        for (int c = 0; c < C; c++) {
            for (int r = 0; r < KD * KH; r++) {
                const int id = od * SD - PD + r / KH * DD, tap = c * KERNEL + r * KW;
                UNROLL for (int q = 0; q < QH; q++) {
                    const int iy = (qy * QH + q) * SH - PH + r % KH * DH;
                    if (!INSIDE(id, D) || !INSIDE(iy, H))
                        continue;
                    global const vec *row = x + X_ROW(n, g * C + c, id, iy) + left * LANES;
                    if (inside) {
                        UNROLL for (int t = 0; t < KW; t++) {
                            vec v[PT];
                            UNROLL for (int p = 0; p < PT; p++)
                                v[p] = row[(p * SW + t * DW) * LANES];
                            UNROLL for (int k = 0; k < KT; k++) {
                                const vec f = (vec)(filters[k][tap + t]);
                                UNROLL for (int p = 0; p < PT; p++)
                                    sum[k][q][p] = mad(f, v[p], sum[k][q][p]);
                            }
                        }
                    } else {
                        UNROLL for (int t = 0; t < KW; t++) UNROLL for (int p = 0; p < PT; p++) {
                            if (INSIDE(left + p * SW + t * DW, W)) {
                                const vec v = row[(p * SW + t * DW) * LANES];
                                UNROLL for (int k = 0; k < KT; k++)
                                    sum[k][q][p] = mad((vec)(filters[k][tap + t]), v, sum[k][q][p]);
                            }
                        }
                    }
                }
            }
        }
        UNROLL for (int k = 0; k < KT; k++) if (k0 + k < K) {
            const size_t out = Q_ROW(n, g * K + k0 + k, od, qy);
            const vec b = (vec)(BIAS ? bias[g * K + k0 + k] : 0.0f);
            UNROLL for (int q = 0; q < QH; q++) UNROLL for (int p = 0; p < PT; p++)
                sum[k][q][p] += b;
            UNROLL for (int p = 0; p < PT; p += QW) if (ox + p < OW) {
#define AT(i, j) sum[k][i][p + (j)]
                FINISH(AT, y, places, out + (ox + p) / QW * LANES)
#undef AT
            }
        }
    }
}
#endif

#ifdef UNPOOL
/* dy of the convolution itself from that of its pooled top. x: lanes, y: channels, z: blocks
 * and depths. */
kernel void convolution_unpool(global const vec *restrict dq,
                               global const place_t *restrict places, global vec *restrict dy)
{
    const int k = get_global_id(1), od = get_global_id(2) % OD, n = get_global_id(2) / OD;

    for (int oy = 0; oy < OH; oy++) {
        const size_t from = Q_ROW(n, k, od, oy / QH);
        global vec *to = dy + Y_ROW(n, k, od, oy);
        for (int ox = 0; ox < OW; ox++)
            to[ox * LANES] = FROM_POOLED(dq, places, from + ox / QW * LANES, oy, ox);
    }
}
#endif

#ifdef BACKWARD_DATA
/* Columns q, q + SW, ... of a row see the tap t where s = q + PW - t * DW is a multiple of SW, as
 * outputs from s / SW on; SW * KW * DW is added so that the division rounds down. */
#define SEEN(q, t) ((q) + PW - (t) * DW + SW * KW * DW)
#define FIRST_SEEN(q, t) (SEEN(q, t) / SW - KW * DW)

/* Adds to the sums of PT columns, from q + SW * column on, what all outputs say of them. */
#define DATA_STEPS(checked)                                                                    \
    for (int k = 0; k < K; k++)                                                                \
        for (int sd = 0; sd < KD; sd++) {                                                      \
            const int d = id + PD - sd * DD;                                                   \
            if (d < 0 || d % SD != 0 || d / SD >= OD)                                          \
                continue;                                                                      \
            for (int r = r_first; r < r_end; r += R_STEP) {                                    \
                global const vec *row =                                                        \
                    dy + Y_ROW(n, g * K + k, d / SD, (iy + PH - r * DH) / SH);                 \
                const int tap = (k * C * KD + sd) * KH * KW + r * KW;                          \
                UNROLL for (int t = 0; t < KW; t++) if (SEEN(q, t) % SW == 0) {                \
                    const int ox = column + FIRST_SEEN(q, t);                                  \
                    global const vec *at = row + ox * LANES;                                   \
                    vec v[PT];                                                                 \
                    UNROLL for (int p = 0; p < PT; p++)                                        \
                        v[p] = !(checked) || INSIDE(ox + p, OW) ? at[p * LANES] : (vec)(0.0f); \
                    UNROLL for (int c = 0; c < CT; c++) {                                      \
                        const vec f = (vec)(filters[c][tap + t]);                              \
                        UNROLL for (int p = 0; p < PT; p++)                                    \
                            sum[c][p] = mad(f, v[p], sum[c][p]);                               \
                    }                                                                          \
                }                                                                              \
            }                                                                                  \
        }

/* dx[n][c][i] = sum over k and taps r with o * stride = i + pad - r * dilation of
 * w[k][c][r] dy[n][k][o] (+ bias[c] with DATA_BIAS): CT channels x PT columns, SW apart, of one
 * input row a work-item. The kernel's rows that an input row sees are R_STEP apart.
 * x: lanes, y: channel tiles of all groups, z: rows of all blocks. */
kernel void convolution_backward_data(global const vec *restrict dy,
                                      global const float *restrict w,
                                      global const float *restrict bias,
                                      global vec *restrict dx)
{
    const int g = get_global_id(1) / C_TILES, c0 = get_global_id(1) % C_TILES * CT;
    const int iy = get_global_id(2) % H, id = get_global_id(2) / H % D;
    const int n = get_global_id(2) / (H * D);
    global const float *filters[CT];
    int r_first = KH, r_end = 0;

    UNROLL for (int c = 0; c < CT; c++) filters[c] = w + W_ROW(g * K, min(c0 + c, C - 1), 0, 0);
    for (int r = KH - 1; r >= 0; r--) {
        const int o = iy + PH - r * DH;
        if (o >= 0 && o % SH == 0 && o / SH < OH) {
            r_first = r;
            r_end = max(r_end, r + 1);
        }
    }
    for (int column = 0; column < X_TILES * PT; column += PT)
        UNROLL for (int q = 0; q < SW; q++) {
            vec sum[CT][PT];
            bool inside = true;
            UNROLL for (int t = 0; t < KW; t++) if (SEEN(q, t) % SW == 0) {
                const int ox = column + FIRST_SEEN(q, t);
                inside &= ox >= 0 && ox + PT <= OW;
            }
            UNROLL for (int c = 0; c < CT; c++) UNROLL for (int p = 0; p < PT; p++)
                sum[c][p] = (vec)(DATA_BIAS ? bias[g * C + min(c0 + c, C - 1)] : 0.0f);
            if (inside)
                DATA_STEPS(false)
            else
                DATA_STEPS(true)
            UNROLL for (int c = 0; c < CT; c++) if (c0 + c < C) {
                global vec *out = dx + X_ROW(n, g * C + c0 + c, id, iy) + q * LANES;
                UNROLL for (int p = 0; p < PT; p++) if ((column + p) * SW + q < W)
                    out[(column + p) * SW * LANES] = sum[c][p];
            }
        }
}
#endif

#ifdef BACKWARD_WEIGHTS
/* sums[i] = x[i] of one image after the other, in which order Caffe adds them up: rounded alike,
 * weights after many updates let pools decide as Caffe's do. sums has room for V more. */
ONCE void sum_images(const vec *x, int n, float *sums)
{
    for (int i = 0; i < n; i += V) {
        vec images[V], sum;
        UNROLL for (int j = 0; j < V; j++) images[j] = x[min(i + j, n - 1)];
        transpose(images);
        sum = images[0];
        UNROLL for (int j = 1; j < V; j++) sum += images[j];
        STORE(sum, sums + i);
    }
}

/* On a CPU, products with all rows of a kernel read x each time: kept for the next column, it would
 * take the registers of the sums. */
#if YT > 1 && LANES == 1 && V > 4
#define COLUMN(row, ix) (*((global const volatile vec *)(row) + (ix) * LANES))
#else
#define COLUMN(row, ix) ((row)[(ix) * LANES])
#endif

/* Adds the products of one output column of a row with the XT taps from t0 on of YT kernel
 * rows. */
#define WEIGHT_STEP(ox, checked)                                                             \
    {                                                                                        \
        vec v[KT];                                                                           \
        UNROLL for (int k = 0; k < KT; k++)                                                  \
            v[k] = FROM_POOLED(d[k], taken[k], (ox) / QW * LANES, oy, ox);                   \
        UNROLL for (int t = 0; t < XT; t++) {                                                \
            const int ix = (ox) * SW - PW + (t0 + t) * DW;                                   \
            if (!(checked) || INSIDE(ix, W)) {                                               \
                UNROLL for (int r = 0; r < YT; r++) if (YT == 1 || PH == 0 || meets[r]) {    \
                    UNROLL for (int c = 0; c < CT; c++) {                                    \
                        const vec u = COLUMN(s[c][r], ix);                                   \
                        UNROLL for (int k = 0; k < KT; k++)                                  \
                            sum[k][c][r][t] = mad(v[k], u, sum[k][c][r][t]);                 \
                    }                                                                        \
                }                                                                            \
            }                                                                                \
        }                                                                                    \
    }

/* dw[k][c][r] = sum over images and outputs o of dy[k][o] x[c][o * stride - pad + r *
 * dilation]: tiles of KT x CT channels x YT kernel rows x XT of their taps, KG x CG x RG of them a
 * work-item, which go in turn over each STRIP of output rows, while a cache has it. A work-item has
 * its share of the strips of all blocks; db[k] = sum of dy[k][o] in those at the first tap. One
 * partial sum for each lane group and share: dw[(share * LANES + lane) * count + ...], db likewise.
 * x: lanes, y: groups, parts of their channels and taps, z: shares of the strips. */
#define STRIPS ((OD * OH + STRIP - 1) / STRIP)
kernel void convolution_backward_weights(global const vec *restrict dy,
                                         global const place_t *restrict places,
                                         global const vec *restrict x,
                                         global float *restrict dw, global float *restrict db,
                                         int n_blocks, int accumulate, int with_bias,
                                         int accumulate_bias)
{
    int i = get_global_id(1);
    const int t0 = i % T_TILES * XT, r_first = i / T_TILES % R_PARTS * RG * YT;
    i /= T_TILES * R_PARTS;
    const int k_first = i % K_PARTS * KG * KT, c_first = i / K_PARTS % C_PARTS * CG * CT;
    const int g = i / (K_PARTS * C_PARTS);
    const int share = get_global_id(2), n_shares = get_global_size(2);
    const int n_strips = n_blocks * STRIPS;
    const bool add_bias = with_bias && t0 == 0 && r_first == 0 && c_first == 0;
    /* Columns from LEFT to RIGHT meet no padding. */
    const int LEFT = (PW + SW - 1) / SW, RIGHT = (W - 1 + PW - (KW - 1) * DW) / SW + 1;
    vec sums[KG][CG][RG][KT][CT][YT][XT], biases[KG][KT];

    for (int kt = 0; kt < KG; kt++) {
        for (int k = 0; k < KT; k++)
            biases[kt][k] = (vec)(0.0f);
        for (int ct = 0; ct < CG; ct++) for (int rt = 0; rt < RG; rt++)
            for (int k = 0; k < KT; k++) for (int c = 0; c < CT; c++)
                for (int r = 0; r < YT; r++) for (int t = 0; t < XT; t++)
                    sums[kt][ct][rt][k][c][r][t] = (vec)(0.0f);
    }
    for (int strip = (int)((long)n_strips * share / n_shares);
         strip < (int)((long)n_strips * (share + 1) / n_shares); strip++) {
        const int n = strip / STRIPS, first = strip % STRIPS * STRIP;
        const int end = min(first + STRIP, OD * OH);
        for (int tile = 0; tile < KG * CG * RG; tile++) {
            const int kt = tile / (CG * RG), ct = tile / RG % CG, rt = tile % RG;
            const int k0 = k_first + kt * KT, c0 = c_first + ct * CT, r0 = r_first + rt * YT;
            if (k0 >= K || c0 >= C)
                continue;
            vec sum[KT][CT][YT][XT], bias[KT];
            UNROLL for (int k = 0; k < KT; k++) {
                bias[k] = biases[kt][k];
                UNROLL for (int c = 0; c < CT; c++) UNROLL for (int r = 0; r < YT; r++)
                    UNROLL for (int t = 0; t < XT; t++)
                        sum[k][c][r][t] = sums[kt][ct][rt][k][c][r][t];
            }
            for (int o = first; o < end; o++) {
                const int od = o / OH, oy = o % OH, id = od * SD - PD + r0 / KH * DD;
                global const vec *d[KT], *s[CT][YT];
                global const place_t *taken[KT];
                bool meets[YT], any = false;
                UNROLL for (int k = 0; k < KT; k++) {
                    const size_t row = Q_ROW(n, g * K + min(k0 + k, K - 1), od, oy / QH);
                    d[k] = dy + row;
                    taken[k] = places + row;
                }
                if (add_bias && ct == 0 && rt == 0 && oy % QH == 0)
                    for (int ox = 0; ox < OW / QW; ox++)
                        UNROLL for (int k = 0; k < KT; k++)
                            bias[k] += TAKEN(d[k], taken[k], ox * LANES);
                UNROLL for (int r = 0; r < YT; r++) {
                    const int iy = oy * SH - PH + (r0 % KH + r) * DH;
                    meets[r] = INSIDE(id, D) && INSIDE(iy, H);
                    any |= meets[r];
                    UNROLL for (int c = 0; c < CT; c++)
                        s[c][r] = x + X_ROW(n, g * C + min(c0 + c, C - 1), id, iy);
                }
                if (!any)
                    continue;
                int ox = 0;
                for (; ox < min(LEFT, OW); ox++)
                    WEIGHT_STEP(ox, true)
                for (; ox < min(RIGHT, OW); ox++)
                    WEIGHT_STEP(ox, T_TILES * XT > KW)
                for (; ox < OW; ox++)
                    WEIGHT_STEP(ox, true)
            }
            UNROLL for (int k = 0; k < KT; k++) {
                biases[kt][k] = bias[k];
                UNROLL for (int c = 0; c < CT; c++) UNROLL for (int r = 0; r < YT; r++)
                    UNROLL for (int t = 0; t < XT; t++)
                        sums[kt][ct][rt][k][c][r][t] = sum[k][c][r][t];
            }
        }
    }
    float weights[KG * CG * RG * KT * CT * YT * XT + V], ends[KG * KT + V];
    const float *value = weights; /* the next of them, in the order of `sums` */
    sum_images(&sums[0][0][0][0][0][0][0], KG * CG * RG * KT * CT * YT * XT, weights);
    dw += (size_t)(share * LANES + LANE) * (G * K * C * KERNEL);
    for (int tile = 0; tile < KG * CG * RG; tile++) {
        const int k0 = k_first + tile / (CG * RG) * KT, c0 = c_first + tile / RG % CG * CT;
        const int r0 = r_first + tile % RG * YT;
        for (int k = k0; k < k0 + KT; k++)
            for (int c = c0; c < c0 + CT; c++)
                for (int r = r0; r < r0 + YT; r++, value += XT)
                    for (int t = 0; t < min(XT, KW - t0) && k < K && c < C; t++) {
                        global float *out = dw + W_ROW(g * K + k, c, 0, 0) + r * KW + t0 + t;
                        *out = accumulate ? value[t] + *out : value[t];
                    }
    }
    if (add_bias) {
        sum_images(&biases[0][0], KG * KT, ends);
        db += (size_t)(share * LANES + LANE) * (G * K) + g * K + k_first;
        for (int k = 0; k < min(KG * KT, K - k_first); k++)
            db[k] = accumulate_bias ? ends[k] + db[k] : ends[k];
    }
}
#endif
