/* Panels with AVX-512 and VNNI. A tile of rows goes through a panel's blocks: each is unpacked
 * into 8 registers, and the tile's float sums stay in 16 others from end to end. */
#include "variant.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define INLINE VNNI static inline __attribute__((always_inline))

enum { AHEAD = 4096 }; /* bytes: the processor's own prefetching stops at each page's end */

typedef struct {
    __m512i w[8];
    __m512 first, second; /* scales and minima, or the scales of both halves */
} Block;

typedef Block (*Unpack)(const uint8_t *block, int group);
typedef __m512 (*AddRow)(const Block *, const int8_t *, const Factors *, __m512);

INLINE __m512 sixteen_halves(const uint8_t *at)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)at));
}

/* The numbers of a group of 4 bits, or the low 4 of 6. */
INLINE void unpack_low(const uint8_t *at, Block *block)
{
    const __m512i mask = _mm512_set1_epi8(15);
    for (int i = 0; i < 4; i++) {
        __m512i pairs = _mm512_loadu_si512(at + 64 * i);
        block->w[i] = _mm512_and_si512(pairs, mask);
        block->w[4 + i] = _mm512_and_si512(_mm512_srli_epi16(pairs, 4), mask);
    }
}

INLINE Block unpack_int4(const uint8_t *at, int group)
{
    (void)group;
    Block block = {.first = sixteen_halves(at + INT4_SCALES),
                   .second = sixteen_halves(at + INT4_MINIMA)};
    unpack_low(at, &block);
    return block;
}

INLINE Block unpack_q4_k(const uint8_t *at, int group)
{
    const __m512i first_low = _mm512_set_epi32(4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0);
    const uint8_t *factors = at + Q4_K_FACTORS + Q4_K_FACTOR * group;
    int64_t eight;
    memcpy(&eight, factors + PANEL, sizeof eight);
    __m512i both = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)factors));
    __m512i high = _mm512_srlv_epi32(_mm512_cvtepu8_epi32(_mm_set1_epi64x(eight)), first_low);
    high = _mm512_slli_epi32(_mm512_and_si512(high, _mm512_set1_epi32(15)), 2);
    __m512i minima = _mm512_or_si512(_mm512_srli_epi32(both, 6), high);
    __m512 scales = _mm512_cvtepi32_ps(_mm512_and_si512(both, _mm512_set1_epi32(63)));
    Block block = {.first = _mm512_mul_ps(scales, sixteen_halves(at)),
                   .second = _mm512_mul_ps(_mm512_cvtepi32_ps(minima),
                                           sixteen_halves(at + Q4_K_MINIMA))};
    unpack_low(at + Q4_K_NUMBERS + INT4_NUMBERS * group, &block);
    return block;
}

/* The two bits at 4 and 5 of each byte, above the four of `low`. */
INLINE __m512i with_top(__m512i low, __m512i top)
{
    return _mm512_ternarylogic_epi32(low, top, _mm512_set1_epi8(48), 0xf8); /* low | (top & 48) */
}

INLINE void unpack_six(const uint8_t *at, Block *block)
{
    unpack_low(at, block);
    for (int half = 0; half < 2; half++) {
        __m512i tops = _mm512_loadu_si512(at + INT6_TOPS + 64 * half);
        __m512i *w = block->w + 4 * half;
        w[0] = with_top(w[0], _mm512_slli_epi16(tops, 4));
        w[1] = with_top(w[1], _mm512_slli_epi16(tops, 2));
        w[2] = with_top(w[2], tops);
        w[3] = with_top(w[3], _mm512_srli_epi16(tops, 2));
    }
}

INLINE Block unpack_int6(const uint8_t *at, int group)
{
    (void)group;
    Block block = {.first = sixteen_halves(at + INT6_SCALES),
                   .second = sixteen_halves(at + INT6_SCALES + 32)};
    unpack_six(at, &block);
    return block;
}

INLINE __m512 sixteen_bytes(const uint8_t *at)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)at)));
}

INLINE Block unpack_q6_k(const uint8_t *at, int group)
{
    const uint8_t *factors = at + Q6_K_FACTORS + 2 * PANEL * group;
    __m512 scales = sixteen_halves(at);
    Block block = {.first = _mm512_mul_ps(sixteen_bytes(factors), scales),
                   .second = _mm512_mul_ps(sixteen_bytes(factors + PANEL), scales)};
    unpack_six(at + Q6_K_NUMBERS + INT6_SCALES * group, &block);
    return block;
}

INLINE Block unpack_int8(const uint8_t *at, int group)
{
    (void)group;
    Block block = {.first = sixteen_halves(at + INT8_SCALES)};
    block.second = _mm512_mul_ps(block.first, _mm512_set1_ps(-INT8_ZERO));
    for (int i = 0; i < 8; i++)
        block.w[i] = _mm512_loadu_si512(at + 64 * i);
    return block;
}

/* `start` plus the products of some vectors with the activations that belong to them. */
INLINE __m512 dot(__m512i start, const __m512i *w, const int8_t *bytes, int vectors)
{
#pragma GCC unroll 8
    for (int i = 0; i < vectors; i++) {
        int32_t four;
        memcpy(&four, bytes + 4 * i, 4);
        start = _mm512_dpbusd_epi32(start, w[i], _mm512_set1_epi32(four));
    }
    return _mm512_cvtepi32_ps(start);
}

/* Scales times a power of two: an integer addition, which runs beside the multiplications. */
INLINE __m512 times(__m512 scales, const Factors *by)
{
    __m512i bits = _mm512_castps_si512(scales);
    return _mm512_castsi512_ps(_mm512_add_epi32(bits, _mm512_set1_epi32(by->exponent)));
}

INLINE __m512 add_with_minima(const Block *block, const int8_t *bytes, const Factors *by,
                              __m512 sum)
{
    __m512 products = dot(_mm512_setzero_si512(), block->w, bytes, 8);
    sum = _mm512_fmadd_ps(block->second, _mm512_set1_ps(by->offset), sum);
    return _mm512_fmadd_ps(products, times(block->first, by), sum);
}

INLINE __m512 add_by_halves(const Block *block, const int8_t *bytes, const Factors *by, __m512 sum)
{
    __m512 low = dot(_mm512_set1_epi32(by->zeros[0]), block->w, bytes, 4);
    __m512 high = dot(_mm512_set1_epi32(by->zeros[1]), block->w + 4, bytes + GROUP / 2, 4);
    sum = _mm512_fmadd_ps(low, times(block->first, by), sum);
    return _mm512_fmadd_ps(high, times(block->second, by), sum);
}

/* What the compiler knows of a kind when it writes a loop. */
typedef struct {
    size_t size; /* of a block */
    int groups;  /* in it */
    Unpack unpack;
    AddRow add;
} Layout;

/* One group of a block for some rows, while as much of a later block is fetched. */
INLINE void add_group(const uint8_t *block, Layout layout, int group, const Tile *x, int rows,
                      __m512 *sum)
{
    size_t share = layout.size / (size_t)layout.groups;
    for (size_t line = 0; line < share; line += 64)
        __builtin_prefetch(block + AHEAD + share * (size_t)group + line);
    Block unpacked = layout.unpack(block, group);
#pragma GCC unroll 16
    for (int row = 0; row < rows; row++)
        sum[row] = layout.add(&unpacked, x->bytes + row * GROUP, x->factors + row, sum[row]);
}

INLINE void sum_rows(const uint8_t *block, Layout layout, Tile x, int rows, float (*sums)[PANEL])
{
    __m512 sum[TILE];
#pragma GCC unroll 16
    for (int row = 0; row < rows; row++)
        sum[row] = _mm512_setzero_ps();
    for (size_t at = 0; at < x.groups; at += (size_t)layout.groups, block += layout.size)
#pragma GCC unroll 1
        for (int group = 0; group < layout.groups; group++) {
            add_group(block, layout, group, &x, rows, sum);
            x.bytes += x.width * GROUP, x.factors += x.width;
        }
#pragma GCC unroll 16
    for (int row = 0; row < rows; row++)
        _mm512_storeu_ps(sums[row], sum[row]);
}

/* The compiler knows the number of rows: a whole tile, or half of one and what is left, each in
 * one go through the blocks, which costs more than another row does. */
INLINE void sum_tile(const uint8_t *blocks, Layout layout, Tile x, float (*sums)[PANEL])
{
#pragma GCC unroll 16
    for (int rows = TILE; rows > 0; rows--)
        if ((rows == TILE || rows <= TILE / 2) && x.rows >= (size_t)rows) {
            sum_rows(blocks, layout, x, rows, sums);
            x.bytes += rows * GROUP, x.factors += rows, x.rows -= (size_t)rows, sums += rows;
        }
}

VNNI void sum_int4_vnni(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){INT4_BLOCK, 1, unpack_int4, add_with_minima}, x, sums);
}

VNNI void sum_int6_vnni(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){INT6_BLOCK, 1, unpack_int6, add_by_halves}, x, sums);
}

VNNI void sum_int8_vnni(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){INT8_BLOCK, 1, unpack_int8, add_with_minima}, x, sums);
}

VNNI void sum_q4_k_vnni(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){Q4_K_BLOCK, K_GROUPS, unpack_q4_k, add_with_minima}, x, sums);
}

VNNI void sum_q6_k_vnni(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, (Layout){Q6_K_BLOCK, K_GROUPS, unpack_q6_k, add_by_halves}, x, sums);
}
#endif
