/* Packing of float weights. A group that was on a grid of its format before keeps its numbers, if
 * the grid can be found: its ends need not be used. */
#include "pack.h"

#include "channel.h"

static const float ON_GRID = 0.01f; /* steps */

/* Packs the group of one channel of a block. */
typedef void (*PackGroup)(const float *weights, uint8_t *block, int channel);

static int round_up_half(float value)
{
    return (int)floorf(value + 0.5f);
}

static int between(int low, int number, int high)
{
    return number < low ? low : number > high ? high : number;
}

/* In how many steps `span` is divided: `levels`, or fewer if all of the weights lie on those. */
static int count_steps(const float *weights, int count, float zero, float span, int levels)
{
    for (int steps = levels; span != 0 && steps > 1; steps--) {
        int i = 0;
        for (; i < count; i++) {
            float at = (weights[i] - zero) / span * (float)steps;
            if (fabsf(at - (float)round_up_half(at)) > ON_GRID)
                break;
        }
        if (i == count)
            return steps;
    }
    return levels;
}

/* Write the nearest half and return what it is. */
static float put_half(uint8_t *at, float value)
{
    uint16_t half = float_to_half(value);
    memcpy(at, &half, 2);
    return half_to_float(at);
}

/* A scale is never 0, to whose bits the kernels could not add an exponent. */
static float put_scale(uint8_t *at, float value)
{
    uint16_t half = float_to_half(value);
    half = half & 0x7fff ? half : 1;
    memcpy(at, &half, 2);
    return half_to_float(at);
}

static void pack_group_int4(const float *weights, uint8_t *block, int channel)
{
    float low = weights[0], high = weights[0];
    for (int i = 1; i < GROUP; i++) {
        low = weights[i] < low ? weights[i] : low;
        high = weights[i] > high ? weights[i] : high;
    }
    int steps = count_steps(weights, GROUP, low, high - low, 15);
    float step = put_scale(block + INT4_SCALES + 2 * channel, (high - low) / (float)steps);
    float inverse = 1 / step;
    low = put_half(block + INT4_MINIMA + 2 * channel, low);
    uint8_t numbers[GROUP];
    for (int i = 0; i < GROUP; i++)
        numbers[i] = (uint8_t)between(0, round_up_half((weights[i] - low) * inverse), 15);
    put_low(numbers, block, channel);
}

/* The weight that is furthest from 0. */
static float furthest(const float *weights, int count)
{
    float most = 0;
    for (int i = 0; i < count; i++)
        most = fabsf(weights[i]) > fabsf(most) ? weights[i] : most;
    return most;
}

/* The furthest weight becomes number 0, -32 steps from zero, where none is as far on the other
 * side, which has 31. */
static void pack_half_group(const float *weights, uint8_t *scale, uint8_t *numbers)
{
    const int count = GROUP / 2;
    float most = furthest(weights, count), least = 1;
    for (int i = 0; most != 0 && i < count; i++)
        least = fminf(least, weights[i] / most);
    int levels = least * INT6_ZERO < 0.5f - INT6_ZERO ? INT6_ZERO - 1 : INT6_ZERO;
    int steps = count_steps(weights, count, 0, most, levels);
    float step = put_scale(scale, -most / (float)steps), inverse = 1 / step;
    for (int i = 0; i < count; i++)
        numbers[i] = (uint8_t)between(0, round_up_half(weights[i] * inverse) + INT6_ZERO, 63);
}

static void pack_group_int6(const float *weights, uint8_t *block, int channel)
{
    uint8_t numbers[GROUP];
    for (int half = 0; half < 2; half++)
        pack_half_group(weights + half * GROUP / 2, block + INT6_SCALES + 32 * half + 2 * channel,
                        numbers + half * GROUP / 2);
    put_six(numbers, block, channel);
}

static void pack_group_int8(const float *weights, uint8_t *block, int channel)
{
    const int most = INT8_ZERO - 1;
    float largest = fabsf(furthest(weights, GROUP));
    float step = put_scale(block + INT8_SCALES + 2 * channel, largest / (float)most);
    float inverse = 1 / step;
    for (int i = 0; i < GROUP; i++) {
        int number = between(-most, round_up_half(weights[i] * inverse), most);
        block[i / 4 * 64 + channel * 4 + i % 4] = (uint8_t)(number + INT8_ZERO);
    }
}

/* Channels that fill up the last panel are zeros, and weights that fill up a channel's last group
 * repeat its last, which widens no range. */
static void pack_channel(PackGroup pack_group, size_t size, const float *weight, uint8_t *packed,
                         size_t in, size_t out, size_t channel)
{
    size_t groups = (in + GROUP - 1) / GROUP;
    for (size_t group = 0; group < groups; group++) {
        float weights[GROUP] = {0};
        for (size_t i = 0; i < GROUP && channel < out; i++) {
            size_t column = group * GROUP + i;
            weights[i] = weight[channel * in + (column < in ? column : in - 1)];
        }
        pack_group(weights, packed + (channel / PANEL * groups + group) * size,
                   (int)(channel % PANEL));
    }
}

void pack(int kind, const float *weight, uint8_t *packed, size_t in, size_t out, int threads)
{
    PackGroup pack_group = kind == 4 ? pack_group_int4 : kind == 6 ? pack_group_int6
                                                                   : pack_group_int8;
    size_t channels = (out + PANEL - 1) / PANEL * PANEL, size = packed_size(kind, 1, 1);
#pragma omp parallel for num_threads(threads) schedule(dynamic, PANEL)
    for (size_t channel = 0; channel < channels; channel++)
        pack_channel(pack_group, size, weight, packed, in, out, channel);
}
