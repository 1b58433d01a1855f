
/*
 * Copyright (C) the nginx-ux authors
 *
 * Random numbers for simulations: xoshiro256++ (Blackman and Vigna, ACM
 * Transactions on Mathematical Software 47, 2021), its state filled by
 * SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).  Fast and repeatable; of no
 * use for secrets.
 */

#ifndef UXCTL_SIMULATE_RANDOM_H
#define UXCTL_SIMULATE_RANDOM_H


#include <math.h>
#include <stdint.h>


typedef struct {
    uint64_t  s[4];
} uxctl_sim_random_t;


static inline uint64_t
uxctl_sim_mix(uint64_t *state)
{
    uint64_t  z;

    *state += 0x9e3779b97f4a7c15u;

    z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

    return z ^ (z >> 31);
}


static inline void
uxctl_sim_random_init(uxctl_sim_random_t *random, uint64_t seed)
{
    unsigned  i;

    for (i = 0; i < 4; i++) {
        random->s[i] = uxctl_sim_mix(&seed);
    }
}


static inline uint64_t
uxctl_sim_rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}


static inline uint64_t
uxctl_sim_next(uxctl_sim_random_t *random)
{
    uint64_t  result, t, *s;

    s = random->s;
    result = uxctl_sim_rotate(s[0] + s[3], 23) + s[0];
    t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = uxctl_sim_rotate(s[3], 45);

    return result;
}


/* Above 0, up to 1. */
static inline double
uxctl_sim_uniform(uxctl_sim_random_t *random)
{
    return (double) ((uxctl_sim_next(random) >> 11) + 1) * 0x1p-53;
}


static inline double
uxctl_sim_exponential(uxctl_sim_random_t *random, double mean)
{
    return -mean * log(uxctl_sim_uniform(random));
}


/* Box and Muller 1958. */
static inline double
uxctl_sim_normal(uxctl_sim_random_t *random)
{
    double  radius, turn;

    radius = sqrt(-2 * log(uxctl_sim_uniform(random)));
    turn = uxctl_sim_uniform(random);

    return radius * cos(6.283185307179586 * turn);
}


/* Counts exponential gaps; for small means. */
static inline unsigned
uxctl_sim_poisson(uxctl_sim_random_t *random, double mean)
{
    double    left;
    unsigned  n;

    left = mean - uxctl_sim_exponential(random, 1);

    for (n = 0; left > 0; n++) {
        left -= uxctl_sim_exponential(random, 1);
    }

    return n;
}


#endif
