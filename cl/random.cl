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
