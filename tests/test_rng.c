/* Philox against its authors' known answers, on the host and on the device, and the
 * numbers drawn from it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "testing.h"
#include "text.h"

START_TEST(test_known_answer)
{
    static const uint32_t expected[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    uint32_t out[4];

    lcl_philox(out, 0, 0);
    ck_assert_mem_eq(out, expected, sizeof out);
}
END_TEST

/* Block `counter` of 128 bits under `key` of 64 bits, as cl/random.cl computes it. */
static void device_philox(uint32_t out[4], const uint32_t counter[4],
                          const uint32_t key[2])
{
    lcl_device *dev = testing_device();
    lcl_error err;
    lcl_kernel *kernel = NULL;
    cl_mem buffer = NULL;
    cl_uint4 c;
    cl_uint2 k;

    memcpy(&c, counter, sizeof c);
    memcpy(&k, key, sizeof k);
    CHECK_OK(lcl_buffer_create(&buffer, dev, 16, "random numbers", &err));
    CHECK_OK(lcl_kernel_get(&kernel, dev, "random_test", "philox_test", NULL, 0, &err));
    lcl_arg args[] = {LCL_ARG(c), LCL_ARG(k), LCL_ARG(buffer)};
    CHECK_OK(
        lcl_kernel_run(dev, kernel, (lcl_range){1, 1, 1}, (lcl_range){0}, args, 3, &err));
    CHECK_OK(lcl_buffer_read(dev, buffer, 0, 16, out, &err));
    lcl_buffer_release(&buffer);
}

START_TEST(test_device_known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    uint32_t out[4];

    for (size_t i = 0; i < LCL_COUNT(cases); i++) {
        device_philox(out, cases[i].counter, cases[i].key);
        ck_assert_mem_eq(out, cases[i].out, sizeof out);
    }
}
END_TEST

START_TEST(test_host_and_device_agree)
{
    static const uint64_t counters[] = {0, 1, 0xffffffff, 0x123456789abcdef0, UINT64_MAX};
    static const uint64_t keys[] = {0, 42, 0xfedcba9876543210, UINT64_MAX};
    uint32_t host[4], device[4];

    for (size_t i = 0; i < LCL_COUNT(counters); i++) {
        for (size_t j = 0; j < LCL_COUNT(keys); j++) {
            uint32_t counter[4] = {(uint32_t)counters[i], (uint32_t)(counters[i] >> 32)};
            uint32_t key[2] = {(uint32_t)keys[j], (uint32_t)(keys[j] >> 32)};

            lcl_philox(host, counters[i], keys[j]);
            device_philox(device, counter, key);
            ck_assert_mem_eq(host, device, sizeof host);
        }
    }
}
END_TEST

START_TEST(test_same_seed_same_numbers)
{
    lcl_rng a, b, c;
    uint32_t block[4];
    int n_equal = 0;

    lcl_rng_init(&a, 1701);
    lcl_rng_init(&b, 1701);
    lcl_rng_init(&c, 1702);
    lcl_philox(block, 0, 1701);
    for (int i = 0; i < 1000; i++) {
        uint32_t x = lcl_rng_next(&a);

        if (i < 4)
            ck_assert_uint_eq(x, block[i]);
        ck_assert_uint_eq(x, lcl_rng_next(&b));
        n_equal += x == lcl_rng_next(&c);
    }
    ck_assert_int_eq(n_equal, 0);
}
END_TEST

START_TEST(test_seed_of_the_system)
{
    lcl_rng a, b;

    lcl_rng_init(&a, -1);
    lcl_rng_init(&b, -1);
    ck_assert(a.key != b.key);
    ck_assert(a.key <= INT64_MAX);
    lcl_rng_init(&b, (int64_t)a.key);
    ck_assert_uint_eq(lcl_rng_next(&a), lcl_rng_next(&b));
}
END_TEST

#define N_DRAWS 100000

START_TEST(test_uniform)
{
    lcl_rng rng;
    double sum = 0;
    int buckets[10] = {0};

    lcl_rng_init(&rng, 3);
    for (int i = 0; i < N_DRAWS; i++) {
        float x = lcl_rng_uniform(&rng, -2.0f, 3.0f);

        ck_assert(x >= -2.0f && x < 3.0f);
        sum += (double)x;
        buckets[(int)((x + 2.0f) * 2.0f)]++;
    }
    ck_assert_double_eq_tol(sum / N_DRAWS, 0.5, 0.02);
    for (int i = 0; i < 10; i++)
        ck_assert_int_lt(abs(buckets[i] - N_DRAWS / 10), 400);
}
END_TEST

START_TEST(test_uniform_never_reaches_the_open_end)
{
    lcl_rng rng;
    float next = nextafterf(1.0f, 2.0f);

    lcl_rng_init(&rng, 4);
    for (int i = 0; i < 1000; i++)
        ck_assert(lcl_rng_uniform(&rng, 1.0f, next) == 1.0f);
    ck_assert(lcl_rng_uniform(&rng, 5.0f, 5.0f) == 5.0f);
}
END_TEST

START_TEST(test_gaussian)
{
    lcl_rng rng;
    double sum = 0, squares = 0, cubes = 0;
    int n_far = 0;

    lcl_rng_init(&rng, 5);
    for (int i = 0; i < N_DRAWS; i++) {
        double x = ((double)lcl_rng_gaussian(&rng, 10.0f, 2.0f) - 10.0) / 2.0;

        ck_assert(isfinite(x));
        sum += x;
        squares += x * x;
        cubes += x * x * x;
        n_far += fabs(x) > 2.0;
    }
    ck_assert_double_eq_tol(sum / N_DRAWS, 0.0, 0.015);
    ck_assert_double_eq_tol(squares / N_DRAWS, 1.0, 0.02);
    ck_assert_double_eq_tol(cubes / N_DRAWS, 0.0, 0.04);
    ck_assert_double_eq_tol((double)n_far / N_DRAWS, 0.0455, 0.003);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rng");
    TCase *t = tcase_create("rng");

    setenv("LCL_CL_DIR", "tests/cl", 1);
    tcase_add_test(t, test_known_answer);
    tcase_add_test(t, test_device_known_answers);
    tcase_add_test(t, test_host_and_device_agree);
    tcase_add_test(t, test_same_seed_same_numbers);
    tcase_add_test(t, test_seed_of_the_system);
    tcase_add_test(t, test_uniform);
    tcase_add_test(t, test_uniform_never_reaches_the_open_end);
    tcase_add_test(t, test_gaussian);
    suite_add_tcase(suite, t);
    return testing_run(suite);
}
