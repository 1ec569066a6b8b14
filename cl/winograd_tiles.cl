/* Winograd convolution (cl/winograd.cl): tiles of images to transformed tiles, in the layout of
 * cl/winograd_panels.cl, and back. Tiles first .. first + n_tiles are numbered from 0 here; a function
 * handles those of a panel. Channels m of the products have TOP_ROWS (of the top) or BOTTOM_ROWS a
 * group. The convolution may end in a max pool and a ReLU, as cl/epilogue.cl says. */
#include "epilogue.cl"
#include "winograd.cl"
#include "winograd_panels.cl"

#define TILES_X ((OW + TM - 1) / TM)
#define TILES (TILES_X * ((OH + TM - 1) / TM))
#define BOTTOM_IMAGE (H * W)
#define TOP_IMAGE (OH / QH * (OW / QW))

/* One of the tiles of a group: its block, its top left output; whether there is one. */
typedef struct {
    int block, top, left;
    bool exists;
} tile_t;
#define FOR_TILES(t) UNROLL for (int t = 0; t < TILES_A_GROUP; t++)

inline void find_tiles(tile_t tiles[TILES_A_GROUP], int first, int n_tiles, int group)
{
    FOR_TILES(t) {
        const int number = group * TILES_A_GROUP + t, tile = first + min(number, n_tiles - 1);
        tiles[t].block = tile / TILES;
        tiles[t].top = tile % TILES / TILES_X * TM;
        tiles[t].left = tile % TILES % TILES_X * TM;
        tiles[t].exists = number < n_tiles;
    }
}

/* A value for each of a group's tiles, as a vector x: READ from pixel AT(t) for tile t; WRITE
 * there, or ADD to what is there, where IF(t); EACH puts VALUE(t) into tile t's lanes. CLEAR sets
 * a pixel of all images to zero. */
#if TILES_A_GROUP == 1
#define READ(type, x, from, AT)                                                              \
    x = ((global const vec_of(type) *)(from))[(AT(0)) * LANES + LANE];
#define WRITE(type, x, to, AT, IF)                                                           \
    if (IF(0))                                                                               \
        ((global vec_of(type) *)(to))[(AT(0)) * LANES + LANE] = x;
#define ADD(x, to, AT, IF)                                                                   \
    if (IF(0))                                                                               \
        ((global vec *)(to))[(AT(0)) * LANES + LANE] += x;
#define CLEAR(to, at) ((global vec *)(to))[(at) * LANES + LANE] = (vec)(0.0f);
#define EACH(x, VALUE) x = (ivec)(VALUE(0));
#else
#if IB == 1
#define GET(p) (*(p))
#define PUT(x, p) (*(p) = (x))
#else
#define GET(p) PASTE(vload, IB)(0, p)
#define PUT(x, p) PASTE(vstore, IB)(x, 0, p)
#endif
#define READ(type, x, from, AT)                                                              \
    {                                                                                        \
        type lanes_[V];                                                                      \
        FOR_TILES(t_) PUT(GET((from) + (AT(t_)) * IB), lanes_ + t_ * IB);                    \
        x = PASTE(vload, V)(0, lanes_);                                                      \
    }
#define WRITE(type, x, to, AT, IF)                                                           \
    {                                                                                        \
        type lanes_[V];                                                                      \
        PASTE(vstore, V)(x, 0, lanes_);                                                      \
        FOR_TILES(t_) if (IF(t_)) PUT(GET(lanes_ + t_ * IB), (to) + (AT(t_)) * IB);          \
    }
#define ADD(x, to, AT, IF)                                                                   \
    {                                                                                        \
        float lanes_[V];                                                                     \
        STORE(x, lanes_);                                                                    \
        FOR_TILES(t_) if (IF(t_))                                                            \
            PUT(GET((to) + (AT(t_)) * IB) + GET(lanes_ + t_ * IB), (to) + (AT(t_)) * IB);    \
    }
#define CLEAR(to, at)                                                                        \
    UNROLL for (int l_ = 0; l_ < IB; l_++) (to)[(at) * IB + l_] = 0.0f;
#define EACH(x, VALUE)                                                                       \
    {                                                                                        \
        int lanes_[V];                                                                       \
        UNROLL for (int l_ = 0; l_ < V; l_++) lanes_[l_] = VALUE(l_ / IB);                   \
        x = PASTE(vload, V)(0, lanes_);                                                      \
    }
#endif
#define INSIDE(i, n) ((uint)(i) < (uint)(n))

/* u = B^T x B for channels c_first .. c_end of a panel's tiles, which lie at panel `at` of u. */
ONCE void input_tiles(global const float *restrict x, global vec *restrict u, int first,
                      int n_tiles, int panel, int at, int c_first, int c_end)
{
    for (int j = 0; j < GROUPS; j++) {
        tile_t tiles[TILES_A_GROUP];
        ivec rows[TN], columns[TN];
        bool inside = true;
        find_tiles(tiles, first, n_tiles, panel * GROUPS + j);
        FOR_TILES(t)
            inside &= tiles[t].exists && tiles[t].top >= PH && tiles[t].left >= PW &&
                      tiles[t].top - PH + TN <= H && tiles[t].left - PW + TN <= W;
        UNROLL for (int i = 0; i < TN; i++) {
#define ROW_INSIDE(t) -(int)(tiles[t].exists && INSIDE(tiles[t].top - PH + i, H))
#define COLUMN_INSIDE(t) -(int)INSIDE(tiles[t].left - PW + i, W)
            EACH(rows[i], ROW_INSIDE)
            EACH(columns[i], COLUMN_INSIDE)
        }
        for (int c = c_first; c < c_end; c++) {
            global vec *to = u + PANEL(G * C, 0, at, c) + j * LANES;
#define START(t) (size_t)(tiles[t].block * G * C + c) * BOTTOM_IMAGE
#define PIXEL(t) START(t) + (tiles[t].top - PH + i_) * W + tiles[t].left - PW + j_
#define NEAREST(t)                                                                           \
    START(t) + clamp(tiles[t].top - PH + i_, 0, H - 1) * W +                                 \
        clamp(tiles[t].left - PW + j_, 0, W - 1)
#define COLUMN(v, j)                                                                         \
    const int j_ = j;                                                                        \
    if (inside) {                                                                            \
        UNROLL for (int i_ = 0; i_ < TN; i_++) READ(float, v[i_], x, PIXEL)                  \
    } else {                                                                                 \
        UNROLL for (int i_ = 0; i_ < TN; i_++)                                               \
        {                                                                                    \
            READ(float, v[i_], x, NEAREST)                                                   \
            v[i_] = select((vec)(0.0f), v[i_], rows[i_] & columns[j_]);                      \
        }                                                                                    \
    }
#define ROW(i, v)                                                                            \
    UNROLL for (int k_ = 0; k_ < TN; k_++)                                                   \
        to[((i) * TN + k_) * POINT(G * C) * LANES] = v[k_];
            SPREAD_TILE(BT, TN, COLUMN, ROW)
#undef ROW_INSIDE
#undef COLUMN_INSIDE
#undef START
#undef PIXEL
#undef NEAREST
#undef COLUMN
#undef ROW
        }
    }
}

/* Pixels of the top: of channel k, window of row h and column w of tile t. */
#define TOP_PIXEL(t, k, h, w)                                                                \
    (size_t)(tiles[t].block * G * K + (k)) * TOP_IMAGE + (tiles[t].top + (h)) / QH * (OW / QW) + \
        (tiles[t].left + (w)) / QW

/* y = A^T m A + bias. */
ONCE void output_tiles(global const vec *restrict m, global const float *restrict bias,
                       global float *restrict y, global uchar *restrict places, int first,
                       int n_tiles, int panel, int at, int k_first, int k_end)
{
    for (int j = 0; j < GROUPS; j++) {
        tile_t tiles[TILES_A_GROUP];
        find_tiles(tiles, first, n_tiles, panel * GROUPS + j);
        for (int k = k_first; k < k_end; k++) {
            const vec b = (vec)(BIAS ? bias[k] : 0.0f);
            global const vec *from =
                m + PANEL(G * TOP_ROWS, 0, at, k / K * TOP_ROWS + k % K) + j * LANES;
            vec out[TM][TM];
            if (!tiles[0].exists)
                break;
#define COLUMN(v, j)                                                                         \
    UNROLL for (int i_ = 0; i_ < TN; i_++)                                                   \
        v[i_] = from[(i_ * TN + (j)) * POINT(G * TOP_ROWS) * LANES];
#define ROW(i, v) UNROLL for (int k_ = 0; k_ < TM; k_++) out[i][k_] = v[k_];
            GATHER_TILE(AT, TM, COLUMN, ROW)
            for (int h = 0; h < TM; h += QH)
                UNROLL for (int w = 0; w < TM; w += QW) {
                    vec best[1];
                    place_t place[1];
#define VALUE(y, x) (out[h + (y)][w + (x)] + b)
#define WINDOW(t) TOP_PIXEL(t, k, h, w)
#define EXISTS(t) (tiles[t].exists && tiles[t].top + h < OH && tiles[t].left + w < OW)
                    FINISH(VALUE, best, place, 0)
                    WRITE(float, best[0], y, WINDOW, EXISTS)
                    if (POOLED)
                        WRITE(uchar, place[0], places, WINDOW, EXISTS)
                }
#undef COLUMN
#undef ROW
#undef VALUE
#undef WINDOW
#undef EXISTS
        }
    }
}

/* v = A dy A^T. */
ONCE void output_adjoint_tiles(global const float *restrict dy,
                               global const uchar *restrict places, global vec *restrict v,
                               int first, int n_tiles, int panel, int at, int k_first,
                               int k_end)
{
    for (int j = 0; j < GROUPS; j++) {
        tile_t tiles[TILES_A_GROUP];
        ivec rows[TM], columns[TM];
        find_tiles(tiles, first, n_tiles, panel * GROUPS + j);
        UNROLL for (int i = 0; i < TM; i++) {
#define ROW_INSIDE(t) -(int)(tiles[t].exists && tiles[t].top + i < OH)
#define COLUMN_INSIDE(t) -(int)(tiles[t].left + i < OW)
            EACH(rows[i], ROW_INSIDE)
            EACH(columns[i], COLUMN_INSIDE)
        }
        for (int k = k_first; k < k_end; k++) {
            global vec *to = v + PANEL(G * K, 0, at, k) + j * LANES;
#define NEAREST(t)                                                                           \
    TOP_PIXEL(t, k, min(i_, OH - 1 - tiles[t].top), min(j_, OW - 1 - tiles[t].left))
#define COLUMN(x, j)                                                                         \
    const int j_ = j;                                                                        \
    UNROLL for (int i_ = 0; i_ < TM; i_++)                                                   \
    {                                                                                        \
        vec dq[1];                                                                           \
        place_t place[1];                                                                    \
        READ(float, dq[0], dy, NEAREST)                                                      \
        if (POOLED)                                                                          \
            READ(uchar, place[0], places, NEAREST)                                           \
        x[i_] = select((vec)(0.0f), FROM_POOLED(dq, place, 0, i_, j_), rows[i_] & columns[j_]); \
    }
#define ROW(i, x)                                                                            \
    UNROLL for (int k_ = 0; k_ < TN; k_++)                                                   \
        to[((i) * TN + k_) * POINT(G * K) * LANES] = x[k_];
            SPREAD_TILE(AT, TM, COLUMN, ROW)
#undef ROW_INSIDE
#undef COLUMN_INSIDE
#undef NEAREST
#undef COLUMN
#undef ROW
        }
    }
}

inline void clear_input_diff(global float *dx, int block, int c)
{
    for (int i = 0; i < BOTTOM_IMAGE; i++)
        CLEAR(dx, (size_t)(block * G * C + c) * BOTTOM_IMAGE + i)
}

/* dx += B m B^T for channel c of one group of tiles, those of them that exist; m is its first point. */
ONCE void add_input_diff(global const vec *restrict m, global float *restrict dx, int c,
                         const tile_t tiles[TILES_A_GROUP])
{
#define COLUMN(x, j)                                                                         \
    UNROLL for (int i_ = 0; i_ < TN; i_++)                                                   \
        x[i_] = m[(i_ * TN + (j)) * POINT(G * BOTTOM_ROWS) * LANES];
#define PIXEL(t)                                                                             \
    (size_t)(tiles[t].block * G * C + c) * BOTTOM_IMAGE + (tiles[t].top - PH + i_) * W +     \
        tiles[t].left - PW + k_
#define EXISTS(t)                                                                            \
    (tiles[t].exists && INSIDE(tiles[t].top - PH + i_, H) && INSIDE(tiles[t].left - PW + k_, W))
#define ROW(i, x)                                                                            \
    {                                                                                        \
        const int i_ = i;                                                                    \
        UNROLL for (int k_ = 0; k_ < TN; k_++) ADD(x[k_], dx, PIXEL, EXISTS)                 \
    }
    GATHER_TILE(BT, TN, COLUMN, ROW)
#undef COLUMN
#undef PIXEL
#undef EXISTS
#undef ROW
}
