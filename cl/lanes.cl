/* Precedes every kernel file: a block's B images lie innermost, a work-item handles V of them.
 * Arrays are read as `vec`: element e of block n is x[(n * count + e) * LANES + LANE].
 * LOAD and STORE move V floats at any float address. */
#ifndef B
#define B 1
#endif
#ifndef V
#define V 1
#endif
#define LANES (B / V) /* work-items per block: the global size along x */
#if LANES == 1        /* which of them this is */
#define LANE 0
#else
#define LANE ((int)get_global_id(0))
#endif
#define UNROLL _Pragma("unroll")
/* Large functions for a CPU: inlined, they would be compiled for each of a driver's forms of the
 * kernel. */
#if LANES == 1 && V > 4
#define ONCE __attribute__((noinline))
#else
#define ONCE inline
#endif
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

/* mad may round its product or not. PoCL's does, in two instructions, even where there is one. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(FP_FAST_FMAF)
#undef mad
#define mad(a, b, c) fma(a, b, c)
#endif

#if V == 1
typedef float vec;
typedef int ivec;
#define to_vec(x) ((float)(x))
#define to_ivec(x) ((int)(x))
#define vec_of(type) type
#define convert_vec(type) PASTE(convert_, type)
#define lane_numbers 0
#define LOAD(p) (*(p))
#define STORE(x, p) (*(p) = (x))
inline float sum_lanes(vec x) { return x; }
#else
typedef PASTE(float, V) vec;
typedef PASTE(int, V) ivec;
#define LOAD(p) PASTE(vload, V)(0, p)
#define STORE(x, p) PASTE(vstore, V)(x, 0, p)
#define to_vec(x) PASTE(convert_float, V)(x)
#define to_ivec(x) PASTE(convert_int, V)(x)
#define vec_of(type) PASTE(type, V) /* of any other element type */
#define convert_vec(type) PASTE(PASTE(convert_, type), V)
/* One half plus the other. oclgrind takes halves of wide vectors for uninitialised, so it gets
 * OCLGRIND and the sums element by element. */
#ifdef OCLGRIND
#define FOLD(type, x) PASTE(fold_, type)(x)
inline float4 fold_float4(float8 x)
{
    return (float4)(x.s0 + x.s4, x.s1 + x.s5, x.s2 + x.s6, x.s3 + x.s7);
}
inline float8 fold_float8(float16 x)
{
    return (float8)(x.s0 + x.s8, x.s1 + x.s9, x.s2 + x.sa, x.s3 + x.sb, x.s4 + x.sc,
                    x.s5 + x.sd, x.s6 + x.se, x.s7 + x.sf);
}
#else
#define FOLD(type, x) ((x).lo + (x).hi)
#endif
inline float sum_of_4(float4 x) { return (x.x + x.z) + (x.y + x.w); }

#if V == 2
#define lane_numbers ((int2)(0, 1))
inline float sum_lanes(vec x) { return x.x + x.y; }
#elif V == 4
#define lane_numbers ((int4)(0, 1, 2, 3))
inline float sum_lanes(vec x) { return sum_of_4(x); }
#elif V == 8
#define lane_numbers ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
inline float sum_lanes(vec x) { return sum_of_4(FOLD(float4, x)); }
#elif V == 16
#define lane_numbers ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
inline float sum_lanes(vec x)
{
    const float8 half_sums = FOLD(float8, x);
    return sum_of_4(FOLD(float4, half_sums));
}
#endif
#endif

/* A condition for select(): true (-1, or 1 where V is 1) in lanes that hold one of n images. */
#define lane_exists(block, n) (lane_numbers + ((int)(block) * B + LANE * V) < (ivec)(n))

/* log(1 + x) for x from 0 to 1, with an error below 1.6e-7 of it: x times a polynomial through the
 * Chebyshev points of log(1 + x) / x. A fraction of log1p's time. */
inline vec log_1_plus(vec x)
{
    vec sum = (vec)(-0.003256378462538123f);

    sum = mad(sum, x, (vec)(0.019907161593437195f));
    sum = mad(sum, x, (vec)(-0.057064201682806015f));
    sum = mad(sum, x, (vec)(0.10614264756441116f));
    sum = mad(sum, x, (vec)(-0.15311862528324127f));
    sum = mad(sum, x, (vec)(0.19678117334842682f));
    sum = mad(sum, x, (vec)(-0.24954558908939362f));
    sum = mad(sum, x, (vec)(0.33330005407333374f));
    sum = mad(sum, x, (vec)(-0.4999990463256836f));
    sum = mad(sum, x, (vec)(1.0f));
    return x * sum;
}
