/* What a variant is made of, and the layout of blocks: for the files in this folder only. */
#ifndef CARET_VARIANT_H
#define CARET_VARIANT_H

#include "matmul.h"

enum {
    INT4_CHUNKS = 4,   /* of 64 bytes: 4 low and 4 high numbers of each channel */
    INT4_SCALES = 256, /* byte offsets in a block of PANEL * GROUP weights */
    INT4_MINIMA = 288,
    INT4_BLOCK = 320,
};

/* Round `GROUP` floats. */
typedef void (*RoundGroup)(const float *x, int8_t *bytes, float *factors);
/* Add the products of `rows` groups of activations with one block: sums[rows][PANEL]. */
typedef void (*AddBlock)(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                         size_t rows, float (*sums)[PANEL]);

struct Variant {
    const char *name;
    int (*runs_here)(void);
    RoundGroup round_group;
    AddBlock add_int4;
};

void round_group_plain(const float *x, int8_t *bytes, float *factors);
void add_int4_plain(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                    size_t rows, float (*sums)[PANEL]);

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")))

void round_group_avx2(const float *x, int8_t *bytes, float *factors);
void add_int4_avx2(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                   size_t rows, float (*sums)[PANEL]);
void add_int4_vnni(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                   size_t rows, float (*sums)[PANEL]);
#endif

#endif
