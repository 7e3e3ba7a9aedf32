/* Panels in plain C: what the other variants must equal. */
#include "half.h"
#include "variant.h"

static int dot(const uint8_t *numbers, const int8_t *bytes, int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += numbers[i] * bytes[i];
    return sum;
}

/* The numbers of one channel. */
static void unpack_int4(const uint8_t *block, int channel, uint8_t *numbers)
{
    for (int i = 0; i < GROUP / 2; i++) {
        uint8_t pair = block[i / 4 * 64 + channel * 4 + i % 4];
        numbers[i] = pair & 15;
        numbers[GROUP / 2 + i] = pair >> 4;
    }
}

static void unpack_int6(const uint8_t *block, int channel, uint8_t *numbers)
{
    unpack_int4(block, channel, numbers);
    for (int i = 0; i < GROUP; i++) {
        uint8_t tops = block[INT6_TOPS + i / 16 * 64 + channel * 4 + i % 4];
        numbers[i] |= (uint8_t)((tops >> (i / 4 % 4 * 2) & 3) << 4);
    }
}

static void unpack_int8(const uint8_t *block, int channel, uint8_t *numbers)
{
    for (int i = 0; i < GROUP; i++)
        numbers[i] = block[i / 4 * 64 + channel * 4 + i % 4];
}

static float with_minimum(const uint8_t *numbers, float scale, float minimum, const int8_t *bytes,
                          const Factors *by)
{
    return (float)dot(numbers, bytes, GROUP) * (scale * by->scale) + minimum * by->offset;
}

void sum_int4_plain(const uint8_t *blocks, const Rounded *x, size_t first, size_t rows,
                    float (*sums)[PANEL])
{
    memset(sums, 0, rows * sizeof *sums);
    for (size_t group = 0; group < x->groups; group++, blocks += INT4_BLOCK)
        for (int channel = 0; channel < PANEL; channel++) {
            uint8_t numbers[GROUP];
            unpack_int4(blocks, channel, numbers);
            float scale = half_to_float(blocks + INT4_SCALES + 2 * channel);
            float minimum = half_to_float(blocks + INT4_MINIMA + 2 * channel);
            for (size_t row = 0; row < rows; row++) {
                size_t at = group * x->rows + first + row;
                sums[row][channel] +=
                    with_minimum(numbers, scale, minimum, x->bytes + at * GROUP, x->factors + at);
            }
        }
}

void sum_int6_plain(const uint8_t *blocks, const Rounded *x, size_t first, size_t rows,
                    float (*sums)[PANEL])
{
    memset(sums, 0, rows * sizeof *sums);
    for (size_t group = 0; group < x->groups; group++, blocks += INT6_BLOCK)
        for (int channel = 0; channel < PANEL; channel++) {
            uint8_t numbers[GROUP];
            unpack_int6(blocks, channel, numbers);
            float low_scale = half_to_float(blocks + INT6_SCALES + 2 * channel);
            float high_scale = half_to_float(blocks + INT6_SCALES + 32 + 2 * channel);
            for (size_t row = 0; row < rows; row++) {
                size_t at = group * x->rows + first + row;
                const int8_t *bytes = x->bytes + at * GROUP;
                const Factors *by = x->factors + at;
                int low = by->zeros[0] + dot(numbers, bytes, GROUP / 2);
                int high = by->zeros[1] + dot(numbers + GROUP / 2, bytes + GROUP / 2, GROUP / 2);
                sums[row][channel] +=
                    by->scale * ((float)low * low_scale + (float)high * high_scale);
            }
        }
}

void sum_int8_plain(const uint8_t *blocks, const Rounded *x, size_t first, size_t rows,
                    float (*sums)[PANEL])
{
    memset(sums, 0, rows * sizeof *sums);
    for (size_t group = 0; group < x->groups; group++, blocks += INT8_BLOCK)
        for (int channel = 0; channel < PANEL; channel++) {
            uint8_t numbers[GROUP];
            unpack_int8(blocks, channel, numbers);
            float scale = half_to_float(blocks + INT8_SCALES + 2 * channel);
            for (size_t row = 0; row < rows; row++) {
                size_t at = group * x->rows + first + row;
                sums[row][channel] += with_minimum(numbers, scale, -INT8_ZERO * scale,
                                                   x->bytes + at * GROUP, x->factors + at);
            }
        }
}
