/* Counter-based random numbers (Philox 4x32-10): the same seed gives the same numbers on
 * every machine, and cl/random.cl gives the same ones on the device. */
#ifndef LCL_RNG_H
#define LCL_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct lcl_rng {
    uint64_t key;     /* the seed */
    uint64_t counter; /* blocks of four numbers used so far */
    uint32_t block[4];
    int n_left; /* of block */
} lcl_rng;

/* A negative seed takes one from the operating system; rng->key tells which. */
void lcl_rng_init(lcl_rng *rng, int64_t seed);
uint32_t lcl_rng_next(lcl_rng *rng);
/* In [low, high). */
float lcl_rng_uniform(lcl_rng *rng, float low, float high);
float lcl_rng_gaussian(lcl_rng *rng, float mean, float std);
/* 64 bits: the key of a stream of its own (a layer's). */
uint64_t lcl_rng_key(lcl_rng *rng);
/* Puts the n numbers in a random order. */
void lcl_rng_shuffle(lcl_rng *rng, size_t *numbers, size_t n);
/* The ten rounds themselves: out = philox(counter, key). */
void lcl_philox(uint32_t out[4], uint64_t counter, uint64_t key);

#endif
