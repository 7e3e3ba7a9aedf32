/* Packing of 4-bit weights; quant/int4.py says what the layout is. */
#include "pack.h"

#include "half.h"
#include "variant.h"

enum { LEVELS = 15 };

static const float ON_GRID = 0.01f; /* steps */

static int round_up_half(float value)
{
    return (int)(value + 0.5f);
}

/* Steps between the smallest and the largest weight: as many as there can be, or fewer if all
 * weights lie on those. */
static int count_steps(const float *weights, float low, float span)
{
    for (int levels = LEVELS; span > 0 && levels > 1; levels--) {
        int i = 0;
        for (; i < GROUP; i++) {
            float at = (weights[i] - low) / span * (float)levels;
            if (fabsf(at - (float)round_up_half(at)) > ON_GRID)
                break;
        }
        if (i == GROUP)
            return levels;
    }
    return LEVELS;
}

static void pack_group(const float *weights, uint8_t *block, int channel)
{
    float low = weights[0], high = weights[0];
    for (int i = 1; i < GROUP; i++) {
        low = weights[i] < low ? weights[i] : low;
        high = weights[i] > high ? weights[i] : high;
    }
    uint16_t minimum = float_to_half(low);
    uint16_t scale = float_to_half((high - low) / (float)count_steps(weights, low, high - low));
    memcpy(block + INT4_SCALES + 2 * channel, &scale, 2);
    memcpy(block + INT4_MINIMA + 2 * channel, &minimum, 2);
    float step = half_to_float(block + INT4_SCALES + 2 * channel);
    float inverse = step > 0 ? 1 / step : 0;
    low = half_to_float(block + INT4_MINIMA + 2 * channel);
    uint8_t numbers[GROUP];
    for (int i = 0; i < GROUP; i++) {
        int number = round_up_half((weights[i] - low) * inverse);
        numbers[i] = (uint8_t)(number < 0 ? 0 : number > LEVELS ? LEVELS : number);
    }
    for (int i = 0; i < GROUP / 2; i++)
        block[i / 4 * 64 + channel * 4 + i % 4] =
            (uint8_t)(numbers[i] | numbers[GROUP / 2 + i] << 4);
}

/* weight [out, in] into panels; channels that fill up the last one are zeros, and weights that
 * fill up a channel's last group repeat its last, which widens no range. */
void pack_int4(const float *weight, uint8_t *packed, size_t in, size_t out, int threads)
{
    size_t groups = (in + GROUP - 1) / GROUP, channels = (out + PANEL - 1) / PANEL * PANEL;
#pragma omp parallel for num_threads(threads) schedule(dynamic, PANEL)
    for (size_t channel = 0; channel < channels; channel++)
        for (size_t group = 0; group < groups; group++) {
            float weights[GROUP] = {0};
            for (size_t i = 0; i < GROUP && channel < out; i++) {
                size_t column = group * GROUP + i;
                weights[i] = weight[channel * in + (column < in ? column : in - 1)];
            }
            pack_group(weights, packed + (channel / PANEL * groups + group) * INT4_BLOCK,
                       (int)(channel % PANEL));
        }
}
