#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c")))
#define VARIANT "avx512-vnni"
#define KERNELS VECTORS_AVX512
#define LANES 16
#define HEIGHT 6 /* with WIDTH vectors each: 24 sums in 32 registers */
#define WIDTH 4
#define FMA(a, b, c) ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define FROM_HALF(at) ((vec)_mm512_cvtph_ps(_mm256_loadu_si256((const void *)(at))))
#define TO_HALF(at, x) _mm256_storeu_si256((void *)(at), _mm512_cvtps_ph((__m512)(x), 0))
#define LARGER(a, b) ((vec)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define SMALLER(a, b) ((vec)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define TOTAL(x) _mm512_reduce_add_ps((__m512)(x))
#define LARGEST(x) _mm512_reduce_max_ps((__m512)(x))

#include "vectors_body.h"
#endif
