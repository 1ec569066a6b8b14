/* Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
 * 3", 2011) and numbers drawn from it. cl/random.cl computes the same. */
#include "rng.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

void lcl_philox(uint32_t out[4], uint64_t counter, uint64_t key)
{
    uint32_t x[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * x[0], b = (uint64_t)0xCD9E8D57u * x[2];

        x[0] = (uint32_t)(b >> 32) ^ x[1] ^ k0;
        x[1] = (uint32_t)b;
        x[2] = (uint32_t)(a >> 32) ^ x[3] ^ k1;
        x[3] = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(out, x, sizeof x);
}

/* A seed nobody can guess, such that --random_seed takes it back: not negative. */
static uint64_t rng_seed_of_system(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

        if (fd < 0 || read(fd, &seed, sizeof seed) != sizeof seed)
            seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
        if (fd >= 0)
            close(fd);
    }
    return seed & INT64_MAX;
}

void lcl_rng_init(lcl_rng *rng, int64_t seed)
{
    *rng = (lcl_rng){.key = seed < 0 ? rng_seed_of_system() : (uint64_t)seed};
}

uint32_t lcl_rng_next(lcl_rng *rng)
{
    if (rng->n_left == 0) {
        lcl_philox(rng->block, rng->counter++, rng->key);
        rng->n_left = 4;
    }
    return rng->block[4 - rng->n_left--];
}

uint64_t lcl_rng_key(lcl_rng *rng)
{
    uint64_t high = lcl_rng_next(rng);

    return high << 32 | lcl_rng_next(rng);
}

float lcl_rng_uniform(lcl_rng *rng, float low, float high)
{
    float unit = (float)(lcl_rng_next(rng) >> 8) * 0x1p-24f;
    float x = low + (high - low) * unit;

    /* Rounding may reach the open end. */
    return x >= high && low < high ? nextafterf(high, low) : x;
}

float lcl_rng_gaussian(lcl_rng *rng, float mean, float std)
{
    /* Box and Muller; the first number is in (0, 1]. */
    double radius = sqrt(-2.0 * log(((double)lcl_rng_next(rng) + 1.0) * 0x1p-32));
    double angle = 6.283185307179586 * 0x1p-32 * (double)lcl_rng_next(rng);

    return (float)((double)mean + (double)std * radius * cos(angle));
}

void lcl_rng_shuffle(lcl_rng *rng, size_t *numbers, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = lcl_rng_next(rng) % i, swap = numbers[k];
        numbers[k] = numbers[i - 1];
        numbers[i - 1] = swap;
    }
}
