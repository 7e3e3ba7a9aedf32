#include <math.h>
#include <stdint.h>
#include <string.h>

#define TARGET
#define VARIANT "c"
#define KERNELS VECTORS_PLAIN
#define LANES 4
#define HEIGHT 4
#define WIDTH 2
#define FMA(a, b, c) ((a) * (b) + (c))
#define FROM_HALF(at) from_half(at)
#define TO_HALF(at, x) to_half(at, x)
#define LARGER(a, b) choose((a) > (b), a, b)
#define SMALLER(a, b) choose((a) < (b), a, b)
#define TOTAL(x) total_of(x)
#define LARGEST(x) largest_of(x)

typedef float vec __attribute__((vector_size(16)));

/* The bits of a float16 below the sign, seen as those of a float32, are the number · 2^-112. */
static inline vec from_half(const uint16_t *at)
{
    vec y;
    for (int i = 0; i < LANES; i++) {
        uint32_t bits = (uint32_t)(at[i] & 0x7fff) << 13;
        float size;
        memcpy(&size, &bits, 4);
        size *= 0x1p112f;
        y[i] = at[i] & 0x8000 ? -size : size;
    }
    return y;
}

static inline void to_half(uint16_t *at, vec x)
{
    for (int i = 0; i < LANES; i++) {
        float small = x[i] * 0x1p-112f;
        uint32_t bits;
        memcpy(&bits, &small, 4);
        uint32_t size = bits & 0x7fffffff;
        size += 0xfff + (size >> 13 & 1); /* to the nearest, and to even between two */
        at[i] = (uint16_t)(size >> 13 | (bits >> 16 & 0x8000));
    }
}

static inline float total_of(vec x)
{
    return (x[0] + x[2]) + (x[1] + x[3]);
}

static inline float largest_of(vec x)
{
    return fmaxf(fmaxf(x[0], x[2]), fmaxf(x[1], x[3]));
}

#include "vectors_body.h"
