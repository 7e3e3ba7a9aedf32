/* Q4_K and Q6_K from a file's blocks of one row to blocks of a panel: bytes change places only.
 * Where a scale or a factor is 0, to whose product the kernels could not add an exponent, both
 * become other numbers, and the weights' numbers that of 0. */
#include "channel.h"
#include "pack.h"

enum {
    SPAN = K_GROUPS * GROUP,
    STORED_Q4_K = 144, /* bytes in the file: scale, minimum, factors, numbers */
    STORED_Q6_K = 210, /* low bits, high bits, factors, scale */
    Q6_K_HIGH = 128,
    Q6_K_SCALES = 192,
    Q6_K_SCALE = 208,
};

typedef void (*PutBlock)(const uint8_t *stored, uint8_t *block, int channel);

/* Copy a float16 that is not 0, or the smallest instead; returns whether it was 0. */
static int put_scale(const uint8_t *stored, uint8_t *at)
{
    uint16_t half;
    memcpy(&half, stored, 2);
    int zero = !(half & 0x7fff);
    half = zero ? 1 : half;
    memcpy(at, &half, 2);
    return zero;
}

/* 6-bit factors of a scale and a minimum, as ggml's get_scale_min_k4 finds them. */
static void read_factors(const uint8_t *stored, int group, int *scale, int *minimum)
{
    if (group < 4) {
        *scale = stored[group] & 63;
        *minimum = stored[group + 4] & 63;
    } else {
        *scale = (stored[group + 4] & 15) | stored[group - 4] >> 6 << 4;
        *minimum = stored[group + 4] >> 4 | stored[group] >> 6 << 4;
    }
}

static void put_q4_k(const uint8_t *stored, uint8_t *block, int channel)
{
    int zero = put_scale(stored, block + 2 * channel);
    block[Q4_K_MINIMA + 2 * channel] = stored[2];
    block[Q4_K_MINIMA + 2 * channel + 1] = stored[3] ^ 0x80; /* it is subtracted in the file */
    for (int group = 0; group < K_GROUPS; group++) {
        int scale, minimum;
        uint8_t numbers[GROUP] = {0}, *factors = block + Q4_K_FACTORS + Q4_K_FACTOR * group;
        const uint8_t *pairs = stored + 16 + group / 2 * GROUP;
        read_factors(stored + 4, group, &scale, &minimum);
        for (int i = 0; i < GROUP && scale && !zero; i++)
            numbers[i] = pairs[i] >> group % 2 * 4 & 15;
        factors[channel] = (uint8_t)((scale && !zero ? scale : 1) | minimum << 6);
        factors[PANEL + channel % 8] |= (uint8_t)(minimum >> 2 << channel / 8 * 4);
        put_low(numbers, block + Q4_K_NUMBERS + INT4_NUMBERS * group, channel);
    }
}

static void put_q6_k(const uint8_t *stored, uint8_t *block, int channel)
{
    int zero = put_scale(stored + Q6_K_SCALE, block + 2 * channel);
    for (int group = 0; group < K_GROUPS; group++) {
        int part = group / 4, turn = group % 4; /* 128 numbers share bytes of low and high bits */
        const uint8_t *low = stored + part * 64 + turn % 2 * GROUP;
        const uint8_t *high = stored + Q6_K_HIGH + part * GROUP;
        uint8_t numbers[GROUP], *factors = block + Q6_K_FACTORS + 2 * PANEL * group;
        for (int i = 0; i < GROUP; i++) {
            int half = i / (GROUP / 2), scale = stored[Q6_K_SCALES + 2 * group + half];
            int number = (low[i] >> turn / 2 * 4 & 15) | (high[i] >> 2 * turn & 3) << 4;
            numbers[i] = (uint8_t)(scale && !zero ? number : INT6_ZERO);
            factors[PANEL * half + channel] = (uint8_t)(scale && !zero ? scale : 1);
        }
        put_six(numbers, block + Q6_K_NUMBERS + INT6_SCALES * group, channel);
    }
}

void interleave(int kind, const uint8_t *stored, uint8_t *packed, size_t in, size_t out,
                int threads)
{
    static const uint8_t zeros[STORED_Q6_K]; /* channels that fill up the last panel */
    PutBlock put = kind == Q4_K ? put_q4_k : put_q6_k;
    size_t from = kind == Q4_K ? STORED_Q4_K : STORED_Q6_K, size = packed_size(kind, SPAN, 1);
    size_t blocks = in / SPAN, panels = (out + PANEL - 1) / PANEL;
    memset(packed, 0, packed_size(kind, in, out));
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t panel = 0; panel < panels; panel++)
        for (size_t channel = 0; channel < PANEL; channel++)
            for (size_t block = 0; block < blocks; block++) {
                size_t row = panel * PANEL + channel;
                put(row < out ? stored + (row * blocks + block) * from : zeros,
                    packed + (panel * blocks + block) * size, (int)channel);
            }
}
