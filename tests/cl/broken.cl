/* Does not compile at line 6, for tests/test_device.c. */
#include "random.cl"

kernel void broken(global float *x)
{
    x[get_global_id(0)] = no_such_name;
}
