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

#include "vectors_body.h"
#endif
