/* 4-bit weights with AVX2. */
#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

enum { ROWS = 4 }; /* that are multiplied at once */

/* Keeps GCC from gathering all products first, which spills them: a third faster. */
#define IN_REGISTERS(a, b) __asm__("" : "+x"(a), "+x"(b))

/* Four activations, for every channel. */
AVX2 static inline __m256i four(const int8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm256_set1_epi32(word);
}

/* From the sums of products in 16 bits to float32, for one row and half a panel. */
AVX2 static inline void add_products(__m256i products, __m256 scale, __m256 minimum,
                                     const float *factors, float *sums)
{
    __m256 dot = _mm256_cvtepi32_ps(_mm256_madd_epi16(products, _mm256_set1_epi16(1)));
    __m256 step = _mm256_mul_ps(scale, _mm256_set1_ps(factors[0]));
    __m256 sum = _mm256_fmadd_ps(dot, step, _mm256_loadu_ps(sums));
    _mm256_storeu_ps(sums, _mm256_fmadd_ps(minimum, _mm256_set1_ps(factors[1]), sum));
}

AVX2 static inline __m256 eight_halves(const uint8_t *at)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const void *)at));
}

AVX2 static inline void unpack_chunk(const uint8_t *at, __m256i *low, __m256i *high)
{
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i pairs = _mm256_loadu_si256((const void *)at);
    *low = _mm256_and_si256(pairs, mask);
    *high = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), mask);
}

/* A few rows: half a panel at a time, whose 8 vectors of weights stay in registers. The products
 * of 15 and 127 are so small that all 16 of one 16-bit lane can be added there. */
AVX2 static void add_few_avx2(const uint8_t *block, const int8_t *bytes,
                                const float (*factors)[2], size_t rows, float (*sums)[PANEL])
{
    for (int half = 0; half < 2; half++) {
        __m256i w[2 * INT4_CHUNKS];
        for (int i = 0; i < INT4_CHUNKS; i++)
            unpack_chunk(block + 64 * i + 32 * half, &w[i], &w[INT4_CHUNKS + i]);
        __m256 scale = eight_halves(block + INT4_SCALES + 16 * half);
        __m256 minimum = eight_halves(block + INT4_MINIMA + 16 * half);
        for (size_t row = 0; row < rows; row++) {
            const int8_t *x = bytes + row * GROUP;
            __m256i products = _mm256_maddubs_epi16(w[0], four(x));
            for (int i = 1; i < 2 * INT4_CHUNKS; i++)
                products = _mm256_add_epi16(products, _mm256_maddubs_epi16(w[i], four(x + 4 * i)));
            add_products(products, scale, minimum, factors[row], sums[row] + 8 * half);
        }
    }
}

/* Many rows: 4 at a time with the whole panel, so that each vector that is loaded, of weights or
 * activations, is used more than once. */
AVX2 void add_int4_avx2(const uint8_t *block, const int8_t *bytes,
                                const float (*factors)[2], size_t rows, float (*sums)[PANEL])
{
    if (rows < ROWS) {
        add_few_avx2(block, bytes, factors, rows, sums);
        return;
    }
    __m256i left[2 * INT4_CHUNKS], right[2 * INT4_CHUNKS];
    for (int i = 0; i < INT4_CHUNKS; i++) {
        unpack_chunk(block + 64 * i, &left[i], &left[INT4_CHUNKS + i]);
        unpack_chunk(block + 64 * i + 32, &right[i], &right[INT4_CHUNKS + i]);
    }
    __m256 left_scale = eight_halves(block + INT4_SCALES);
    __m256 left_low = eight_halves(block + INT4_MINIMA);
    __m256 right_scale = eight_halves(block + INT4_SCALES + 16);
    __m256 right_low = eight_halves(block + INT4_MINIMA + 16);
    for (; rows >= ROWS; rows -= ROWS, bytes += ROWS * GROUP, factors += ROWS, sums += ROWS) {
        __m256i a[ROWS], b[ROWS];
        for (int row = 0; row < ROWS; row++)
            a[row] = b[row] = _mm256_setzero_si256();
#pragma GCC unroll 8
        for (int i = 0; i < 2 * INT4_CHUNKS; i++) {
#pragma GCC unroll 4
            for (int row = 0; row < ROWS; row++) {
                __m256i x = four(bytes + row * GROUP + 4 * i);
                a[row] = _mm256_add_epi16(a[row], _mm256_maddubs_epi16(left[i], x));
                b[row] = _mm256_add_epi16(b[row], _mm256_maddubs_epi16(right[i], x));
                IN_REGISTERS(a[row], b[row]);
            }
        }
#pragma GCC unroll 4
        for (int row = 0; row < ROWS; row++) {
            add_products(a[row], left_scale, left_low, factors[row], sums[row]);
            add_products(b[row], right_scale, right_low, factors[row], sums[row] + PANEL / 2);
        }
    }
    if (rows)
        add_few_avx2(block, bytes, factors, rows, sums);
}
#endif
