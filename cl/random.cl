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

/* Block i of a stream's pass: `pass` tells one use of the stream from the next. */
inline uint4 random_block(ulong key, ulong pass, ulong i)
{
    return philox((uint4)((uint)i, (uint)(i >> 32), (uint)pass, (uint)(pass >> 32)),
                  (uint2)((uint)key, (uint)(key >> 32)));
}

inline float4 random_four(ulong key, ulong pass, ulong i)
{
    return random_units(random_block(key, pass, i));
}

/* For vector i of a buffer's elements, a number in [0, 1) each. An element's number does not
 * depend on V. */
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

/* For vector i of a buffer's elements, 16 random bits each: half as many blocks as random_vec
 * needs. An element's bits do not depend on V either. */
inline ivec random_bits(ulong key, ulong pass, ulong i)
{
    const int n = V < 8 ? V : 8; /* of a block's 8 */
    int lanes[V];

    UNROLL for (int first = 0; first < V; first += n) {
        uint words[4];
        const ulong at = i * V + first;
        vstore4(random_block(key, pass, at / 8), 0, words);
        for (int j = 0; j < n; j++) {
            const int e = at % 8 + j;
            lanes[first + j] = words[e / 2] >> e % 2 * 16 & 0xFFFF;
        }
    }
#if V == 1
    return lanes[0];
#else
    return PASTE(vload, V)(0, lanes);
#endif
}

#if V >= 8
/* random_bits of vectors i to i + 7: V blocks side by side. */
inline void random_bits_of_8(ulong key, ulong pass, ulong i, ivec out[8])
{
#ifdef OCLGRIND /* it crashes at vectors taken for others */
    for (int k = 0; k < 8; k++)
        out[k] = random_bits(key, pass, i + k);
#else
    typedef vec_of(uint) uints;
    const ulong first = V / 8 * i;
    const uint low = (uint)first, high = (uint)(first >> 32);
    uints x = low + convert_vec(uint)(lane_numbers);
    uints y = high + select((uints)(0u), (uints)(1u), x < low);
    uints z = (uints)((uint)pass), w = (uints)((uint)(pass >> 32));
    uint key_x = (uint)key, key_y = (uint)(key >> 32);

    PHILOX(vec_of(uint), vec_of(ulong), x, y, z, w, key_x, key_y)
#define FOUR(s) x.s, y.s, z.s, w.s /* a block */
#if V == 8
#define BITS(s) convert_int8(as_ushort8((uint4)(FOUR(s))))
    out[0] = BITS(s0), out[1] = BITS(s1), out[2] = BITS(s2), out[3] = BITS(s3);
    out[4] = BITS(s4), out[5] = BITS(s5), out[6] = BITS(s6), out[7] = BITS(s7);
#else
#define BITS(s, t) convert_int16(as_ushort16((uint8)(FOUR(s), FOUR(t))))
    out[0] = BITS(s0, s1), out[1] = BITS(s2, s3), out[2] = BITS(s4, s5), out[3] = BITS(s6, s7);
    out[4] = BITS(s8, s9), out[5] = BITS(sa, sb), out[6] = BITS(sc, sd), out[7] = BITS(se, sf);
#endif
#undef FOUR
#undef BITS
#endif
}
#endif
