/* The kernels of vectors.h over vectors of LANES floats, included once for each instruction set.
 * Sums run in an order that depends on nothing but the length. TOTAL and LARGEST go through the
 * lanes by halves; compilers make loops through memory of that where it is written with indices. */
#include "vectors.h"

#include <math.h>
#include <string.h>

#define VECTOR __attribute__((vector_size(4 * LANES)))
typedef float vec VECTOR;
typedef int32_t ints VECTOR;
typedef float loose VECTOR __attribute__((aligned(4), may_alias));

#define LOG2_E 1.44269504f

TARGET static inline vec splat(float x)
{
    return x - (vec){0};
}

/* `length` floats, at most LANES, and zeros behind them. */
TARGET static inline vec load(const float *at, size_t length)
{
    if (length >= LANES)
        return *(const loose *)at;
    vec x = {0};
    memcpy(&x, at, length * sizeof *at);
    return x;
}

TARGET static inline void store(float *at, vec x, size_t length)
{
    if (length >= LANES)
        *(loose *)at = x;
    else
        memcpy(at, &x, length * sizeof *at);
}

TARGET static inline vec choose(ints which, vec yes, vec no)
{
    return (vec)((which & (ints)yes) | (~which & (ints)no));
}

/* 2^x to 2 units in the last place: the whole part moves the exponent, the rest is Taylor's.
 * Below -126 it is 0, and above 126 it stays 2^126. */
TARGET static inline vec power_of_two(vec x)
{
    const vec magic = splat(0x1.8p23f); /* added, it leaves the nearest whole number below */
    vec near = SMALLER(LARGER(x, splat(-126)), splat(126));
    vec whole = near + magic, rest = near - (whole - magic);
    vec y = splat(1.5403530e-4f);
    y = FMA(y, rest, splat(1.3333558e-3f));
    y = FMA(y, rest, splat(9.6181291e-3f));
    y = FMA(y, rest, splat(5.5504109e-2f));
    y = FMA(y, rest, splat(2.4022651e-1f));
    y = FMA(y, rest, splat(6.9314718e-1f));
    y = FMA(y, rest, splat(1));
    y = (vec)((ints)y + ((ints)whole << 23));
    return choose(x < splat(-126), splat(0), y);
}

TARGET static float sum_of_squares(const float *x, float mean, size_t length)
{
    vec sums[2] = {{0}};
    for (size_t i = 0; i < length; i += LANES) {
        vec off = load(x + i, length - i);
        for (size_t j = length - i; j < LANES; j++)
            off[j] = mean;
        off -= splat(mean);
        sums[i / LANES % 2] = FMA(off, off, sums[i / LANES % 2]);
    }
    return TOTAL(sums[0] + sums[1]);
}

TARGET static float mean_of(const float *x, size_t length)
{
    vec sum = {0};
    for (size_t i = 0; i < length; i += LANES)
        sum += load(x + i, length - i);
    return TOTAL(sum) / (float)length;
}

TARGET static void norm(const float *x, const float *weight, const float *bias, float eps, float *y,
                        size_t length)
{
    float mean = bias ? mean_of(x, length) : 0;
    float factor = 1 / sqrtf(sum_of_squares(x, mean, length) / (float)length + eps);
    for (size_t i = 0; i < length; i += LANES) {
        size_t left = length - i;
        vec scaled = (load(x + i, left) - splat(mean)) * splat(factor) * load(weight + i, left);
        store(y + i, bias ? scaled + load(bias + i, left) : scaled, left);
    }
}

TARGET static void add(float *x, const float *y, size_t length)
{
    for (size_t i = 0; i < length; i += LANES)
        store(x + i, load(x + i, length - i) + load(y + i, length - i), length - i);
}

/* x times the sigmoid of `exponent`, which is in powers of two. */
TARGET static inline vec gated(vec x, vec exponent)
{
    return x / (splat(1) + power_of_two(-exponent));
}

TARGET static void silu(const float *gate, const float *up, float *y, size_t length)
{
    for (size_t i = 0; i < length; i += LANES) {
        vec x = load(gate + i, length - i);
        store(y + i, gated(x, x * splat(LOG2_E)) * load(up + i, length - i), length - i);
    }
}

/* (1 + tanh z) / 2 is the sigmoid of 2 z. */
TARGET static void gelu(const float *from, float *y, size_t length)
{
    for (size_t i = 0; i < length; i += LANES) {
        vec x = load(from + i, length - i);
        vec z = splat(0.79788456f) * (x + splat(0.044715f) * x * x * x);
        store(y + i, gated(x, z * splat(2 * LOG2_E)), length - i);
    }
}

TARGET static void halve(const float *x, uint16_t *y, size_t length)
{
    const vec most = splat(65504);
    for (size_t i = 0; i < length; i += LANES) {
        uint16_t halves[LANES];
        TO_HALF(halves, SMALLER(LARGER(load(x + i, length - i), -most), most));
        memcpy(y + i, halves, (length - i < LANES ? length - i : LANES) * sizeof *y);
    }
}

#include "attention_body.h"

const VectorKernels KERNELS = {VARIANT, norm, add, silu, gelu, halve, attend};
