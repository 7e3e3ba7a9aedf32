/* Rounding of activations: the same bytes and factors from plain C and from AVX2. */
#include <math.h>
#include <string.h>

#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void round_group_plain(const float *x, int8_t *bytes, Factors *factors)
{
    float largest = 0;
    for (int i = 0; i < GROUP; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    int exponent = power_of_step(largest);
    float inverse = power_of_two(-exponent);
    int sums[2] = {0, 0};
    for (int i = 0; i < GROUP; i++)
        sums[i / (GROUP / 2)] += bytes[i] = (int8_t)rintf(x[i] * inverse);
    *factors = make_factors(exponent, sums[0], sums[1]);
}

#if defined(__x86_64__)
AVX2 static inline int add_up(__m256i eight)
{
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1)));
}

AVX2 void round_group_avx2(const float *x, int8_t *bytes, Factors *factors)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 v[4], most = _mm256_setzero_ps();
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_loadu_ps(x + 8 * i);
        most = _mm256_max_ps(most, _mm256_andnot_ps(sign, v[i]));
    }
    __m128 half = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
    half = _mm_max_ps(half, _mm_movehl_ps(half, half));
    float largest = _mm_cvtss_f32(_mm_max_ss(half, _mm_movehdup_ps(half)));
    int exponent = power_of_step(largest);
    __m256 inverse = _mm256_set1_ps(power_of_two(-exponent));
    __m256i n[4];
    for (int i = 0; i < 4; i++)
        n[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
    *factors = make_factors(exponent, add_up(_mm256_add_epi32(n[0], n[1])),
                            add_up(_mm256_add_epi32(n[2], n[3])));
    __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(n[0], n[1]),
                                        _mm256_packs_epi32(n[2], n[3]));
    packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)bytes, packed);
}
#endif

size_t rounded_size(size_t rows, size_t in)
{
    return rows * ((in + GROUP - 1) / GROUP) * (GROUP + sizeof(Factors));
}

Rounded rounded_in(void *memory, size_t rows, size_t in)
{
    size_t groups = (in + GROUP - 1) / GROUP;
    int8_t *bytes = memory;
    return (Rounded){bytes, (Factors *)(void *)(bytes + rows * groups * GROUP), rows, groups};
}

/* One row [in] to bytes; what lies between `in` and the last group's end counts as zeros. */
static void round_row(const Variant *variant, const float *x, size_t in, size_t row,
                      const Rounded *to)
{
    size_t first = row / TILE * TILE, rows = to->rows - first, width = rows < TILE ? rows : TILE;
    size_t at = first * to->groups + row - first;
    for (size_t group = 0; group < to->groups; group++, x += GROUP, at += width) {
        size_t left = in - group * GROUP;
        float padded[GROUP] = {0};
        if (left < GROUP)
            memcpy(padded, x, left * sizeof *x);
        variant->round_group(left < GROUP ? padded : x, to->bytes + at * GROUP, to->factors + at);
    }
}

void round_rows(const Variant *variant, const float *x, size_t in, const Rounded *to, size_t first,
                size_t last)
{
    for (size_t row = first; row < last; row++)
        round_row(variant, x + row * in, in, row, to);
}
