/* What a variant is made of, and the layouts of blocks: for the files in this folder only.
 *
 * A block is PANEL channels by one group of inputs, or by the 8 that share factors in Q4_K and
 * Q6_K. A group's numbers are 8 vectors of 64 bytes once unpacked: byte 4 * channel + i of vector v
 * is number 4 * v + i of the channel's group.
 */
#ifndef CARET_VARIANT_H
#define CARET_VARIANT_H

#include <string.h>

#include "matmul.h"

enum {
    INT4_SCALES = 256, /* byte offsets: vectors v and 4 + v lie in 64 bytes, low and high halves */
    INT4_MINIMA = 288,
    INT4_BLOCK = 320,
    INT4_NUMBERS = 256, /* bytes of a group's; those of INT6 are followed by 128 of tops */
    INT6_TOPS = 256, /* below are 4 bits as in INT4; here 2 bits of the vectors 0-3, then of 4-7 */
    INT6_SCALES = 384, /* of the first 16 inputs, then of the others */
    INT6_BLOCK = 448,
    INT6_ZERO = 32, /* the number that stands for 0 */
    INT8_SCALES = 512,
    INT8_BLOCK = 544,
    INT8_ZERO = 128,
    K_GROUPS = 8, /* in a block of Q4_K or Q6_K */
    Q4_K_MINIMA = 32, /* after the scales: float16, by which the factors of the groups multiply */
    Q4_K_FACTORS = 64, /* 24 bytes a group: a scale's 6 bits below a minimum's low 2, for each
                          channel; then the minima's high 4 bits, channel c below channel 8 + c */
    Q4_K_FACTOR = 24,
    Q4_K_NUMBERS = 256, /* as in INT4, group by group */
    Q4_K_BLOCK = 2304,
    Q6_K_FACTORS = 32, /* signed bytes as INT6's scales: 16 for one half of a group, 16 for both */
    Q6_K_NUMBERS = 288, /* as in INT6, group by group */
    Q6_K_BLOCK = 3360,
    MOST_POWER = 60, /* keeps the products with scales of weights inside of float32 */
};

/* Round `GROUP` floats. */
typedef void (*RoundGroup)(const float *x, int8_t *bytes, Factors *factors);
/* A tile, or some rows of it, times one panel: sums[rows][PANEL]. `bytes` and `factors` are those
 * of the first row; those of the next group are `width` rows further. */
typedef struct {
    const int8_t *bytes;
    const Factors *factors;
    size_t groups, width, rows;
} Tile;

typedef void (*SumTile)(const uint8_t *blocks, Tile x, float (*sums)[PANEL]);

struct Variant {
    const char *name;
    int (*runs_here)(void);
    RoundGroup round_group;
    SumTile sum_int4, sum_int6, sum_int8, sum_q4_k, sum_q6_k;
};

/* The exponent of the smallest power of two of which `largest` is at most 127. */
static inline int power_of_step(float largest)
{
    float step = largest / 127;
    int32_t bits;
    memcpy(&bits, &step, 4);
    int exponent = ((bits + 0x7fffff) >> 23) - 127;
    return exponent < -MOST_POWER ? -MOST_POWER : exponent > MOST_POWER ? MOST_POWER : exponent;
}

static inline float power_of_two(int exponent)
{
    int32_t bits = (exponent + 127) << 23;
    float power;
    memcpy(&power, &bits, 4);
    return power;
}

static inline Factors make_factors(int exponent, int low_sum, int high_sum)
{
    return (Factors){exponent * (1 << 23), power_of_two(exponent) * (float)(low_sum + high_sum),
                     {-INT6_ZERO * low_sum, -INT6_ZERO * high_sum}};
}

void round_group_plain(const float *x, int8_t *bytes, Factors *factors);
#define DECLARE_SUMS(variant)                                                \
    void sum_int4_##variant(const uint8_t *, Tile, float (*)[PANEL]);        \
    void sum_int6_##variant(const uint8_t *, Tile, float (*)[PANEL]);        \
    void sum_int8_##variant(const uint8_t *, Tile, float (*)[PANEL]);        \
    void sum_q4_k_##variant(const uint8_t *, Tile, float (*)[PANEL]);        \
    void sum_q6_k_##variant(const uint8_t *, Tile, float (*)[PANEL]);

DECLARE_SUMS(plain)
#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")))
void round_group_avx2(const float *x, int8_t *bytes, Factors *factors);
DECLARE_SUMS(avx2)
DECLARE_SUMS(vnni)
#endif

#endif
