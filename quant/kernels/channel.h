/* The numbers of one channel of a block, in their order. */
#ifndef CARET_CHANNEL_H
#define CARET_CHANNEL_H

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

static inline void unpack_int8(const uint8_t *block, int channel, uint8_t *numbers)
{
    for (int i = 0; i < GROUP; i++)
        numbers[i] = block[i / 4 * 64 + channel * 4 + i % 4];
}

#endif
