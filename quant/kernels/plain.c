/* Panels in plain C: what the other variants must equal. */
#include "channel.h"
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
static float multiply_whole(const Channel *channel, const int8_t *bytes, const Factors *by)
{
    float scale = channel->scales[0], products = (float)dot(channel->numbers, bytes, GROUP);
    float minimum = channel->minimum - (float)channel->zero * scale;
    return products * times(scale, by) + minimum * by->offset;
}

/* With two scales. */
static float multiply_halves(const Channel *channel, const int8_t *bytes, const Factors *by)
{
    enum { HALF = GROUP / 2 };
    int low = by->zeros[0] + dot(channel->numbers, bytes, HALF);
    int high = by->zeros[1] + dot(channel->numbers + HALF, bytes + HALF, HALF);
    return times(1, by) * (channel->scales[0] * (float)low + channel->scales[1] * (float)high);
}

typedef float (*Multiply)(const Channel *, const int8_t *, const Factors *);

/* Every channel of one group of a block. */
static void add_group(const uint8_t *block, int group, ReadChannel read, Multiply multiply,
                      const Tile *x, float (*sums)[PANEL])
{
    for (int number = 0; number < PANEL; number++) {
        Channel channel = read(block, group, number);
        for (size_t row = 0; row < x->rows; row++)
            sums[row][number] += multiply(&channel, x->bytes + row * GROUP, x->factors + row);
    }
}

static void sum_tile(const uint8_t *block, size_t size, int groups, ReadChannel read,
                     Multiply multiply, Tile x, float (*sums)[PANEL])
{
    memset(sums, 0, x.rows * sizeof *sums);
    for (size_t at = 0; at < x.groups; at += (size_t)groups, block += size)
        for (int group = 0; group < groups; group++) {
            add_group(block, group, read, multiply, &x, sums);
            x.bytes += x.width * GROUP, x.factors += x.width;
        }
}

void sum_int4_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, INT4_BLOCK, 1, read_int4, multiply_whole, x, sums);
}

void sum_int6_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, INT6_BLOCK, 1, read_int6, multiply_halves, x, sums);
}

void sum_int8_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, INT8_BLOCK, 1, read_int8, multiply_whole, x, sums);
}

void sum_q4_k_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, Q4_K_BLOCK, K_GROUPS, read_q4_k, multiply_whole, x, sums);
}

void sum_q6_k_plain(const uint8_t *blocks, Tile x, float (*sums)[PANEL])
{
    sum_tile(blocks, Q6_K_BLOCK, K_GROUPS, read_q6_k, multiply_halves, x, sums);
}
