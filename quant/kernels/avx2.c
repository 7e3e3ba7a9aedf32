/* Panels with AVX2, block by block: 16 registers do not hold a tile's sums as well. */
#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define INLINE AVX2 static inline __attribute__((always_inline))

enum { ROWS = 4, AHEAD = 4096 }; /* rows multiplied at once; bytes fetched ahead */

/* Half a panel: the weights of 8 channels, 4 inputs in each of 8 vectors. */
typedef struct {
    __m256i w[8];
    __m256 first, second; /* scales and minima, or the scales of both halves of the group */
} Half;

typedef Half (*Unpack)(const uint8_t *block, int group, int half);
typedef __m256 (*AddRow)(const Half *, const int8_t *, const Factors *, __m256);

/* Keeps GCC from gathering all products first, which spills them: a third faster. */
#define IN_REGISTERS(a, b) __asm__("" : "+x"(a), "+x"(b))

/* Four activations, for every channel. */
INLINE __m256i four(const int8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm256_set1_epi32(word);
}

INLINE __m256 eight_halves(const uint8_t *at)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const void *)at));
}

/* The numbers of a group of 4 bits, or the low 4 of 6. */
INLINE void unpack_low(const uint8_t *at, int half, Half *to)
{
    const __m256i mask = _mm256_set1_epi8(15);
    for (int i = 0; i < 4; i++) {
        __m256i pairs = _mm256_loadu_si256((const void *)(at + 64 * i + 32 * half));
        to->w[i] = _mm256_and_si256(pairs, mask);
        to->w[4 + i] = _mm256_and_si256(_mm256_srli_epi16(pairs, 4), mask);
    }
}

INLINE Half unpack_int4(const uint8_t *block, int group, int half)
{
    (void)group;
    Half to = {.first = eight_halves(block + INT4_SCALES + 16 * half),
               .second = eight_halves(block + INT4_MINIMA + 16 * half)};
    unpack_low(block, half, &to);
    return to;
}

INLINE Half unpack_q4_k(const uint8_t *block, int group, int half)
{
    const uint8_t *factors = block + Q4_K_FACTORS + Q4_K_FACTOR * group;
    __m256i both = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(factors + 8 * half)));
    __m256i high = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(factors + PANEL)));
    high = _mm256_and_si256(_mm256_srli_epi32(high, 4 * half), _mm256_set1_epi32(15));
    __m256i minima = _mm256_or_si256(_mm256_srli_epi32(both, 6), _mm256_slli_epi32(high, 2));
    __m256 scales = _mm256_cvtepi32_ps(_mm256_and_si256(both, _mm256_set1_epi32(63)));
    Half to = {.first = _mm256_mul_ps(scales, eight_halves(block + 16 * half)),
               .second = _mm256_mul_ps(_mm256_cvtepi32_ps(minima),
                                       eight_halves(block + Q4_K_MINIMA + 16 * half))};
    unpack_low(block + Q4_K_NUMBERS + INT4_NUMBERS * group, half, &to);
    return to;
}

INLINE __m256i with_top(__m256i low, __m256i top)
{
    return _mm256_or_si256(low, _mm256_and_si256(top, _mm256_set1_epi8(48)));
}

INLINE void unpack_six(const uint8_t *numbers, int half, Half *to)
{
    unpack_low(numbers, half, to);
    for (int i = 0; i < 2; i++) {
        const uint8_t *at = numbers + INT6_TOPS + 64 * i + 32 * half;
        __m256i tops = _mm256_loadu_si256((const void *)at), *w = to->w + 4 * i;
        w[0] = with_top(w[0], _mm256_slli_epi16(tops, 4));
        w[1] = with_top(w[1], _mm256_slli_epi16(tops, 2));
        w[2] = with_top(w[2], tops);
        w[3] = with_top(w[3], _mm256_srli_epi16(tops, 2));
    }
}

INLINE Half unpack_int6(const uint8_t *block, int group, int half)
{
    (void)group;
    Half to = {.first = eight_halves(block + INT6_SCALES + 16 * half),
               .second = eight_halves(block + INT6_SCALES + 32 + 16 * half)};
    unpack_six(block, half, &to);
    return to;
}

INLINE __m256 eight_bytes(const uint8_t *at)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)at)));
}

INLINE Half unpack_q6_k(const uint8_t *block, int group, int half)
{
    const uint8_t *factors = block + Q6_K_FACTORS + 2 * PANEL * group + 8 * half;
    __m256 scales = eight_halves(block + 16 * half);
    Half to = {.first = _mm256_mul_ps(eight_bytes(factors), scales),
               .second = _mm256_mul_ps(eight_bytes(factors + PANEL), scales)};
    unpack_six(block + Q6_K_NUMBERS + INT6_SCALES * group, half, &to);
    return to;
}

INLINE Half unpack_int8(const uint8_t *block, int group, int half)
{
    (void)group;
    Half to = {.first = eight_halves(block + INT8_SCALES + 16 * half)};
    for (int i = 0; i < 8; i++) {
        __m256i numbers = _mm256_loadu_si256((const void *)(block + 64 * i + 32 * half));
        to.w[i] = _mm256_xor_si256(numbers, _mm256_set1_epi8((char)INT8_ZERO)); /* minus 128 */
    }
    return to;
}

/* Scales times a power of two: an integer addition, which runs beside the multiplications. */
INLINE __m256 times(__m256 scales, const Factors *by)
{
    __m256i bits = _mm256_castps_si256(scales);
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(by->exponent)));
}

INLINE __m256i widen(__m256i products)
{
    return _mm256_madd_epi16(products, _mm256_set1_epi16(1));
}

INLINE __m256 finish_int4(__m256i products, const Half *half, const Factors *by, __m256 sum)
{
    sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(widen(products)), times(half->first, by), sum);
    return _mm256_fmadd_ps(half->second, _mm256_set1_ps(by->offset), sum);
}

/* Products of 15 and 127 are so small that all 16 of one 16-bit lane can be added there. */
INLINE __m256 add_int4(const Half *half, const int8_t *bytes, const Factors *by, __m256 sum)
{
    __m256i products = _mm256_maddubs_epi16(half->w[0], four(bytes));
    for (int i = 1; i < 8; i++) {
        __m256i more = _mm256_maddubs_epi16(half->w[i], four(bytes + 4 * i));
        products = _mm256_add_epi16(products, more);
    }
    return finish_int4(products, half, by, sum);
}

/* 4 vectors of 6-bit numbers: of 63 and 127, 4 products fit in a 16-bit lane. */
INLINE __m256 dot_int6(int32_t zero, const __m256i *w, const int8_t *bytes)
{
    __m256i sum = _mm256_set1_epi32(zero);
    for (int i = 0; i < 4; i += 2) {
        __m256i one = _mm256_maddubs_epi16(w[i], four(bytes + 4 * i));
        __m256i other = _mm256_maddubs_epi16(w[i + 1], four(bytes + 4 * i + 4));
        sum = _mm256_add_epi32(sum, widen(_mm256_add_epi16(one, other)));
    }
    return _mm256_cvtepi32_ps(sum);
}

INLINE __m256 add_int6(const Half *half, const int8_t *bytes, const Factors *by, __m256 sum)
{
    __m256 low = dot_int6(by->zeros[0], half->w, bytes);
    __m256 high = dot_int6(by->zeros[1], half->w + 4, bytes + GROUP / 2);
    sum = _mm256_fmadd_ps(low, times(half->first, by), sum);
    return _mm256_fmadd_ps(high, times(half->second, by), sum);
}

/* Signs move from weights to activations, since one factor must be unsigned; 2 products fit. */
INLINE __m256 add_int8(const Half *half, const int8_t *bytes, const Factors *by, __m256 sum)
{
    __m256i dot = _mm256_setzero_si256();
    for (int i = 0; i < 8; i++) {
        __m256i x = _mm256_sign_epi8(four(bytes + 4 * i), half->w[i]);
        dot = _mm256_add_epi32(dot, widen(_mm256_maddubs_epi16(_mm256_abs_epi8(half->w[i]), x)));
    }
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), times(half->first, by), sum);
}

/* What the compiler knows of a kind when it writes a loop. */
typedef struct {
    size_t size; /* of a block */
    int groups;  /* in it */
    Unpack unpack;
    AddRow add;
} Layout;

/* Rows of activations from one on, for one group. */
typedef struct {
    const int8_t *bytes;
    const Factors *factors;
    size_t count;
} Rows;

/* Row by row, half a panel at a time, whose weights stay in registers. */
INLINE void add_rows(const uint8_t *block, Layout layout, int group, Rows x, float (*sums)[PANEL])
{
    for (int i = 0; i < 2; i++) {
        Half half = layout.unpack(block, group, i);
        for (size_t row = 0; row < x.count; row++) {
            float *at = sums[row] + 8 * i;
            __m256 sum = layout.add(&half, x.bytes + row * GROUP, x.factors + row,
                                    _mm256_loadu_ps(at));
            _mm256_storeu_ps(at, sum);
        }
    }
}

/* 4 rows at a time with the whole panel, so that each vector that is loaded, of weights or
 * activations, is used more than once. */
INLINE void add_many_int4(const uint8_t *block, Layout layout, int group, Rows x,
                          float (*sums)[PANEL])
{
    Half left = layout.unpack(block, group, 0), right = layout.unpack(block, group, 1);
    for (; x.count >= ROWS; x.count -= ROWS, x.bytes += ROWS * GROUP, x.factors += ROWS) {
        __m256i a[ROWS], b[ROWS];
        for (int row = 0; row < ROWS; row++)
            a[row] = b[row] = _mm256_setzero_si256();
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
#pragma GCC unroll 4
            for (int row = 0; row < ROWS; row++) {
                __m256i four_x = four(x.bytes + row * GROUP + 4 * i);
                a[row] = _mm256_add_epi16(a[row], _mm256_maddubs_epi16(left.w[i], four_x));
                b[row] = _mm256_add_epi16(b[row], _mm256_maddubs_epi16(right.w[i], four_x));
                IN_REGISTERS(a[row], b[row]);
            }
        }
#pragma GCC unroll 4
        for (int row = 0; row < ROWS; row++, sums++) {
            float *at = *sums;
            const Factors *by = x.factors + row;
            _mm256_storeu_ps(at, finish_int4(a[row], &left, by, _mm256_loadu_ps(at)));
            _mm256_storeu_ps(at + 8, finish_int4(b[row], &right, by, _mm256_loadu_ps(at + 8)));
        }
    }
    add_rows(block, layout, group, x, sums);
}

INLINE void add_group(const uint8_t *block, Layout layout, int group, Rows x,
                      float (*sums)[PANEL])
{
    size_t share = layout.size / (size_t)layout.groups;
    for (size_t line = 0; line < share; line += 64)
        __builtin_prefetch(block + AHEAD + share * (size_t)group + line);
    if (layout.add == add_int4 && x.count >= ROWS)
        add_many_int4(block, layout, group, x, sums);
    else
        add_rows(block, layout, group, x, sums);
}

INLINE void sum_tile(const uint8_t *block, Layout layout, Tile x, float (*sums)[PANEL])
{
    memset(sums, 0, x.rows * sizeof *sums);
    for (size_t at = 0; at < x.groups; at += (size_t)layout.groups, block += layout.size)
        for (int group = 0; group < layout.groups; group++) {
            add_group(block, layout, group, (Rows){x.bytes, x.factors, x.rows}, sums);
            x.bytes += x.width * GROUP, x.factors += x.width;
        }
}

AVX2 void sum_int4_avx2(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){INT4_BLOCK, 1, unpack_int4, add_int4}, x, sums);
}

AVX2 void sum_int6_avx2(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){INT6_BLOCK, 1, unpack_int6, add_int6}, x, sums);
}

AVX2 void sum_int8_avx2(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){INT8_BLOCK, 1, unpack_int8, add_int8}, x, sums);
}

AVX2 void sum_q4_k_avx2(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){Q4_K_BLOCK, K_GROUPS, unpack_q4_k, add_int4}, x, sums);
}

AVX2 void sum_q6_k_avx2(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){Q6_K_BLOCK, K_GROUPS, unpack_q6_k, add_int6}, x, sums);
}
#endif
