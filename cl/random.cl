/* Random numbers by counter (Philox 4x32-10): block `counter` of stream `key` is always the
 * same four numbers, here and in src/rng.c. Other files say: #include "random.cl". */

/* Four numbers of 32 random bits. */
uint4 philox(uint4 counter, uint2 key)
{
    UNROLL
    for (int round = 0; round < 10; round++) {
        uint a = counter.x, b = counter.z;

        counter = (uint4)(mul_hi(0xCD9E8D57u, b) ^ counter.y ^ key.x, 0xCD9E8D57u * b,
                          mul_hi(0xD2511F53u, a) ^ counter.w ^ key.y, 0xD2511F53u * a);
        key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
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
    typedef vec_of(ulong) ulongs;
    const ulong first = V / 4 * i;
    const uint low = (uint)first, high = (uint)(first >> 32);
    uints x = low + convert_vec(uint)(lane_numbers);
    uints y = high + select((uints)(0u), (uints)(1u), x < low);
    uints z = (uints)((uint)pass), w = (uints)((uint)(pass >> 32));
    uint key_x = (uint)key, key_y = (uint)(key >> 32);

    for (int round = 0; round < 10; round++) {
        const ulongs a = convert_vec(ulong)(x) * 0xD2511F53ul;
        const ulongs b = convert_vec(ulong)(z) * 0xCD9E8D57ul;
        x = convert_vec(uint)(b >> 32) ^ y ^ key_x;
        y = convert_vec(uint)(b);
        z = convert_vec(uint)(a >> 32) ^ w ^ key_y;
        w = convert_vec(uint)(a);
        key_x += 0x9E3779B9u;
        key_y += 0xBB67AE85u;
    }
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
