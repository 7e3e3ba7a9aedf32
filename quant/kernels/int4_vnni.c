/* 4-bit weights with AVX-512 and VNNI. */
#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

VNNI static inline __m512i four_wide(const int8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm512_set1_epi32(word);
}

VNNI void add_int4_vnni(const uint8_t *block, const int8_t *bytes,
                                const float (*factors)[2], size_t rows, float (*sums)[PANEL])
{
    const __m512i low = _mm512_set1_epi8(15);
    __m512i w[2 * INT4_CHUNKS];
    for (int i = 0; i < INT4_CHUNKS; i++) {
        __m512i pairs = _mm512_loadu_si512(block + 64 * i);
        w[i] = _mm512_and_si512(pairs, low);
        w[INT4_CHUNKS + i] = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), low);
    }
    __m512 scale = _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(block + INT4_SCALES)));
    __m512 minimum = _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(block + INT4_MINIMA)));
    for (size_t row = 0; row < rows; row++) {
        const int8_t *x = bytes + row * GROUP;
        __m512i even = _mm512_setzero_si512(), odd = _mm512_setzero_si512();
        for (int i = 0; i < 2 * INT4_CHUNKS; i += 2) {
            even = _mm512_dpbusd_epi32(even, w[i], four_wide(x + 4 * i));
            odd = _mm512_dpbusd_epi32(odd, w[i + 1], four_wide(x + 4 * i + 4));
        }
        __m512 dot = _mm512_cvtepi32_ps(_mm512_add_epi32(even, odd));
        __m512 step = _mm512_mul_ps(scale, _mm512_set1_ps(factors[row][0]));
        __m512 sum = _mm512_loadu_ps(sums[row]);
        sum = _mm512_fmadd_ps(dot, step, sum);
        sum = _mm512_fmadd_ps(minimum, _mm512_set1_ps(factors[row][1]), sum);
        _mm512_storeu_ps(sums[row], sum);
    }
}
#endif
