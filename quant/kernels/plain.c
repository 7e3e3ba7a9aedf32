/* Panels in plain C: what the other variants must equal. */
#include "channel.h"
#include "half.h"
#include "variant.h"

static int dot(const uint8_t *numbers, const int8_t *bytes, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += numbers[i] * bytes[i];
    return sum;
}

/* A weight's scale, times the step of a group of activations. */
static float times(float scale, const Factors *by)
{
    return scale * power_of_two(by->exponent / (1 << 23));
}

/* The sum of one channel over one row's group. */
static float multiply_int4(const uint8_t *block, int channel, const int8_t *bytes,
                           const Factors *by)
{
    uint8_t numbers[GROUP];
    unpack_int4(block, channel, numbers);
    float scale = half_to_float(block + INT4_SCALES + 2 * channel);
    float minimum = half_to_float(block + INT4_MINIMA + 2 * channel);
    return (float)dot(numbers, bytes, GROUP) * times(scale, by) + minimum * by->offset;
}

static float multiply_int6(const uint8_t *block, int channel, const int8_t *bytes,
                           const Factors *by)
{
    enum { HALF = GROUP / 2 };
    uint8_t numbers[GROUP];
    unpack_int6(block, channel, numbers);
    float low = half_to_float(block + INT6_SCALES + 2 * channel);
    float high = half_to_float(block + INT6_SCALES + 32 + 2 * channel);
    low *= (float)(by->zeros[0] + dot(numbers, bytes, HALF));
    high *= (float)(by->zeros[1] + dot(numbers + HALF, bytes + HALF, HALF));
    return times(1, by) * (low + high);
}

static float multiply_int8(const uint8_t *block, int channel, const int8_t *bytes,
                           const Factors *by)
{
    uint8_t numbers[GROUP];
    unpack_int8(block, channel, numbers);
    float scale = half_to_float(block + INT8_SCALES + 2 * channel);
    float products = (float)dot(numbers, bytes, GROUP);
    return products * times(scale, by) - INT8_ZERO * scale * by->offset;
}

typedef float (*Multiply)(const uint8_t *, int, const int8_t *, const Factors *);

static void sum_tile(const uint8_t *blocks, size_t size, Multiply multiply, Tile x,
                     float (*sums)[PANEL])
{
    memset(sums, 0, x.rows * sizeof *sums);
    for (size_t group = 0; group < x.groups; group++, blocks += size)
        for (size_t row = 0; row < x.rows; row++) {
            const int8_t *bytes = x.bytes + (group * x.width + row) * GROUP;
            const Factors *by = x.factors + group * x.width + row;
            for (int channel = 0; channel < PANEL; channel++)
                sums[row][channel] += multiply(blocks, channel, bytes, by);
        }
}

void sum_int4_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, INT4_BLOCK, multiply_int4, x, sums);
}

void sum_int6_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, INT6_BLOCK, multiply_int6, x, sums);
}

void sum_int8_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, INT8_BLOCK, multiply_int8, x, sums);
}
