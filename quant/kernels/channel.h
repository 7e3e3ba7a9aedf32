/* One channel of one group of a block: its numbers in their order, and its factors. */
#ifndef CARET_CHANNEL_H
#define CARET_CHANNEL_H

#include "half.h"
#include "variant.h"

static inline void unpack_int4(const uint8_t *block, int channel, uint8_t *numbers)
{
    for (int i = 0; i < GROUP / 2; i++) {
        uint8_t pair = block[i / 4 * 64 + channel * 4 + i % 4];
        numbers[i] = pair & 15;
        numbers[GROUP / 2 + i] = pair >> 4;
    }
}

static inline void unpack_int6(const uint8_t *block, int channel, uint8_t *numbers)
{
    unpack_int4(block, channel, numbers);
    for (int i = 0; i < GROUP; i++) {
        uint8_t tops = block[INT6_TOPS + i / 16 * 64 + channel * 4 + i % 4];
        numbers[i] |= (uint8_t)((tops >> (i / 4 % 4 * 2) & 3) << 4);
    }
}

/* The other way: the low 4 bits of numbers, and all 6. */
static inline void put_low(const uint8_t *numbers, uint8_t *block, int channel)
{
    for (int i = 0; i < GROUP / 2; i++)
        block[i / 4 * 64 + channel * 4 + i % 4] =
            (uint8_t)((numbers[i] & 15) | (numbers[GROUP / 2 + i] & 15) << 4);
}

static inline void put_six(const uint8_t *numbers, uint8_t *block, int channel)
{
    put_low(numbers, block, channel);
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < 4; i++) {
            int tops = 0;
            for (int vector = 0; vector < 4; vector++)
                tops |= numbers[half * 16 + vector * 4 + i] >> 4 << 2 * vector;
            block[INT6_TOPS + half * 64 + channel * 4 + i] = (uint8_t)tops;
        }
}

static inline void unpack_int8(const uint8_t *block, int channel, uint8_t *numbers)
{
    for (int i = 0; i < GROUP; i++)
        numbers[i] = block[i / 4 * 64 + channel * 4 + i % 4];
}

/* A number's weight is scale * (number - zero) + minimum, with a scale for each half. */
typedef struct {
    uint8_t numbers[GROUP];
    int zero;
    float scales[2], minimum;
} Channel;

static inline Channel read_int4(const uint8_t *block, int group, int channel)
{
    (void)group;
    float scale = half_to_float(block + INT4_SCALES + 2 * channel);
    Channel to = {.scales = {scale, scale},
                  .minimum = half_to_float(block + INT4_MINIMA + 2 * channel)};
    unpack_int4(block, channel, to.numbers);
    return to;
}

static inline Channel read_int6(const uint8_t *block, int group, int channel)
{
    (void)group;
    const uint8_t *scales = block + INT6_SCALES + 2 * channel;
    Channel to = {.zero = INT6_ZERO,
                  .scales = {half_to_float(scales), half_to_float(scales + 2 * PANEL)}};
    unpack_int6(block, channel, to.numbers);
    return to;
}

static inline Channel read_int8(const uint8_t *block, int group, int channel)
{
    (void)group;
    float scale = half_to_float(block + INT8_SCALES + 2 * channel);
    Channel to = {.zero = INT8_ZERO, .scales = {scale, scale}};
    unpack_int8(block, channel, to.numbers);
    return to;
}

static inline Channel read_q4_k(const uint8_t *block, int group, int channel)
{
    const uint8_t *factors = block + Q4_K_FACTORS + Q4_K_FACTOR * group;
    int both = factors[channel], high = factors[PANEL + channel % 8] >> channel / 8 * 4 & 15;
    float scale = half_to_float(block + 2 * channel) * (float)(both & 63);
    float minimum = half_to_float(block + Q4_K_MINIMA + 2 * channel);
    Channel to = {.scales = {scale, scale}, .minimum = minimum * (float)(both >> 6 | high << 2)};
    unpack_int4(block + Q4_K_NUMBERS + INT4_NUMBERS * group, channel, to.numbers);
    return to;
}

static inline Channel read_q6_k(const uint8_t *block, int group, int channel)
{
    const uint8_t *factors = block + Q6_K_FACTORS + 2 * PANEL * group + channel;
    float scale = half_to_float(block + 2 * channel);
    Channel to = {.zero = INT6_ZERO,
                  .scales = {scale * (int8_t)factors[0], scale * (int8_t)factors[PANEL]}};
    unpack_int6(block + Q6_K_NUMBERS + INT6_SCALES * group, channel, to.numbers);
    return to;
}

typedef Channel (*ReadChannel)(const uint8_t *block, int group, int channel);

#endif
