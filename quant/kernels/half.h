/* float16 in plain C, rounded to the nearest, ties to even. */
#ifndef CARET_HALF_H
#define CARET_HALF_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float half_to_float(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, 2);
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float size = exponent ? ldexpf((float)(fraction + 1024), exponent - 25)
                          : ldexpf((float)fraction, -24);
    return half & 0x8000 ? -size : size;
}

static inline uint16_t float_to_half(float value)
{
    uint32_t word, rounded, exponent;
    memcpy(&word, &value, 4);
    exponent = word << 1 & 0xff000000u;
    if (exponent < 0x71000000u)
        exponent = 0x71000000u; /* below the normal halves all have one exponent */
    exponent = (exponent >> 1) + 0x07800000u;
    float aligner;
    memcpy(&aligner, &exponent, 4);
    aligner += fabsf(value) * 0x1p112f * 0x1p-110f; /* the addition rounds; the product overflows */
    memcpy(&rounded, &aligner, 4);
    uint32_t half = (rounded >> 13 & 0x7c00) + (rounded & 0x0fff);
    return (uint16_t)(word >> 16 & 0x8000) | (uint16_t)half;
}

#endif
