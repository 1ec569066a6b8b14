/* Random numbers by counter (Philox 4x32-10): block `counter` of stream `key` is always the
 * same four numbers, here and in src/rng.c. Other files say: #include "random.cl". */

/* The rounds for counters x y z w, of type `uints` (ulongs: as many of 64 bits), in place. */
#define PHILOX(uints, ulongs, x, y, z, w, key_x, key_y)                                      \
    for (int round_ = 0; round_ < 10; round_++) {                                            \
        const ulongs a_ = PASTE(convert_, ulongs)(x) * 0xD2511F53ul;                         \
        const ulongs b_ = PASTE(convert_, ulongs)(z) * 0xCD9E8D57ul;                         \
        x = PASTE(convert_, uints)(b_ >> 32) ^ y ^ key_x;                                    \
        y = PASTE(convert_, uints)(b_);                                                      \
        z = PASTE(convert_, uints)(a_ >> 32) ^ w ^ key_y;                                    \
        w = PASTE(convert_, uints)(a_);                                                      \
        key_x += 0x9E3779B9u;                                                                \
        key_y += 0xBB67AE85u;                                                                \
    }

/* Four numbers of 32 random bits. */
uint4 philox(uint4 counter, uint2 key)
{
    uint x = counter.x, y = counter.y, z = counter.z, w = counter.w;
    uint key_x = key.x, key_y = key.y;

    PHILOX(uint, ulong, x, y, z, w, key_x, key_y)
    return (uint4)(x, y, z, w);
}

/* The same for counters and keys of 64 bits, as lcl_philox takes them. */
uint4 philox_block(ulong counter, ulong key)
{
    return philox((uint4)((uint)counter, (uint)(counter >> 32), 0, 0),
                  (uint2)((uint)key, (uint)(key >> 32)));
}

/* Random bits to [0, 1). */
float4 random_units(uint4 bits)
{
    return convert_float4(bits >> 8) * 0x1p-24f;
}

/* For vector i of a buffer's elements, a number in [0, 1) each; `pass` tells one use of the
 * stream from the next. An element's number does not depend on V. */
inline float4 random_four(ulong key, ulong pass, ulong i)
{
    return random_units(philox((uint4)((uint)i, (uint)(i >> 32), (uint)pass, (uint)(pass >> 32)),
                               (uint2)((uint)key, (uint)(key >> 32))));
}

inline vec random_vec(ulong key, ulong pass, ulong i)
{
#if V == 16
    float4 a = random_four(key, pass, 4 * i), b = random_four(key, pass, 4 * i + 1);
    float4 c = random_four(key, pass, 4 * i + 2), d = random_four(key, pass, 4 * i + 3);
    return (vec)(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w, c.x, c.y, c.z, c.w, d.x, d.y, d.z, d.w);
#elif V == 8
    float4 a = random_four(key, pass, 2 * i), b = random_four(key, pass, 2 * i + 1);
    return (vec)(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w);
#elif V == 4
    return random_four(key, pass, i);
#elif V == 2
    float4 four = random_four(key, pass, i / 2);
    return i & 1 ? four.zw : four.xy;
#else
    float4 four = random_four(key, pass, i / 4);
    float2 two = i & 2 ? four.zw : four.xy;
    return i & 1 ? two.y : two.x;
#endif
}

#if V >= 8
/* random_vec of vectors i to i + 3: V blocks side by side. */
inline void random_vecs(ulong key, ulong pass, ulong i, vec out[4])
{
    typedef vec_of(uint) uints;
    const ulong first = V / 4 * i;
    const uint low = (uint)first, high = (uint)(first >> 32);
    uints x = low + convert_vec(uint)(lane_numbers);
    uints y = high + select((uints)(0u), (uints)(1u), x < low);
    uints z = (uints)((uint)pass), w = (uints)((uint)(pass >> 32));
    uint key_x = (uint)key, key_y = (uint)(key >> 32);

    PHILOX(vec_of(uint), vec_of(ulong), x, y, z, w, key_x, key_y)
    /* A block's four numbers follow each other. */
#define FOUR(s) x.s, y.s, z.s, w.s
#define UNITS(...) to_vec((uints)(__VA_ARGS__) >> 8) * 0x1p-24f
#if V == 8
    out[0] = UNITS(FOUR(s0), FOUR(s1));
    out[1] = UNITS(FOUR(s2), FOUR(s3));
    out[2] = UNITS(FOUR(s4), FOUR(s5));
    out[3] = UNITS(FOUR(s6), FOUR(s7));
#else
    out[0] = UNITS(FOUR(s0), FOUR(s1), FOUR(s2), FOUR(s3));
    out[1] = UNITS(FOUR(s4), FOUR(s5), FOUR(s6), FOUR(s7));
    out[2] = UNITS(FOUR(s8), FOUR(s9), FOUR(sa), FOUR(sb));
    out[3] = UNITS(FOUR(sc), FOUR(sd), FOUR(se), FOUR(sf));
#endif
#undef FOUR
#undef UNITS
}
#endif
