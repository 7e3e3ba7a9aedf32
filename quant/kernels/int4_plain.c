/* 4-bit weights in plain C: what the other variants must equal. */
#include "half.h"
#include "variant.h"

void add_int4_plain(const uint8_t *block, const int8_t *bytes, const float (*factors)[2],
                            size_t rows, float (*sums)[PANEL])
{
    for (int channel = 0; channel < PANEL; channel++) {
        int8_t numbers[GROUP];
        for (int i = 0; i < GROUP / 2; i++) {
            uint8_t pair = block[i / 4 * 64 + channel * 4 + i % 4];
            numbers[i] = pair & 15;
            numbers[GROUP / 2 + i] = (int8_t)(pair >> 4);
        }
        float scale = half_to_float(block + INT4_SCALES + 2 * channel);
        float minimum = half_to_float(block + INT4_MINIMA + 2 * channel);
        for (size_t row = 0; row < rows; row++) {
            int dot = 0;
            for (int i = 0; i < GROUP; i++)
                dot += numbers[i] * bytes[row * GROUP + i];
            sums[row][channel] += (float)dot * (scale * factors[row][0]);
            sums[row][channel] += minimum * factors[row][1];
        }
    }
}
