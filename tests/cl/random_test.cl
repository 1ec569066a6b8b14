/* One block of cl/random.cl, for tests/test_rng.c. */
#include "random.cl"

kernel void philox_test(uint4 counter, uint2 key, global uint4 *out)
{
    *out = philox(counter, key);
}
