#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define VARIANT "avx2"
#define KERNELS VECTORS_AVX2
#define LANES 8
#define HEIGHT 6 /* with WIDTH vectors each: 12 sums in 16 registers */
#define WIDTH 2
#define FMA(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define FROM_HALF(at) ((vec)_mm256_cvtph_ps(_mm_loadu_si128((const void *)(at))))
#define TO_HALF(at, x) _mm_storeu_si128((void *)(at), _mm256_cvtps_ph((__m256)(x), 0))
#define LARGER(a, b) ((vec)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define SMALLER(a, b) ((vec)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define TOTAL(x) total_of((__m256)(x))
#define LARGEST(x) largest_of((__m256)(x))

TARGET static inline float total_of(__m256 eight)
{
    __m128 x = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

TARGET static inline float largest_of(__m256 eight)
{
    __m128 x = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    x = _mm_max_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)));
}

#include "vectors_body.h"
#endif
