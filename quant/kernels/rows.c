/* Single rows of packed matrices: an embedding that is the head too. */
#include "channel.h"
#include "half.h"

static void unpack_group_int4(const uint8_t *block, int channel, float *to)
{
    uint8_t numbers[GROUP];
    unpack_int4(block, channel, numbers);
    float scale = half_to_float(block + INT4_SCALES + 2 * channel);
    float minimum = half_to_float(block + INT4_MINIMA + 2 * channel);
    for (int i = 0; i < GROUP; i++)
        to[i] = (float)numbers[i] * scale + minimum;
}

static void unpack_group_int6(const uint8_t *block, int channel, float *to)
{
    uint8_t numbers[GROUP];
    unpack_int6(block, channel, numbers);
    for (int i = 0; i < GROUP; i++) {
        const uint8_t *scales = block + INT6_SCALES + i / (GROUP / 2) * 2 * PANEL;
        to[i] = (float)(numbers[i] - INT6_ZERO) * half_to_float(scales + 2 * channel);
    }
}

static void unpack_group_int8(const uint8_t *block, int channel, float *to)
{
    uint8_t numbers[GROUP];
    unpack_int8(block, channel, numbers);
    float scale = half_to_float(block + INT8_SCALES + 2 * channel);
    for (int i = 0; i < GROUP; i++)
        to[i] = (float)(numbers[i] - INT8_ZERO) * scale;
}

void unpack_row(const Matrix *matrix, size_t row, float *to)
{
    void (*unpack_group)(const uint8_t *, int, float *) = matrix->kind == 4   ? unpack_group_int4
                                                          : matrix->kind == 6 ? unpack_group_int6
                                                                              : unpack_group_int8;
    size_t size = packed_size(matrix->kind, 1, 1);
    const uint8_t *block = matrix->packed + row / PANEL * packed_size(matrix->kind, matrix->in, 1);
    for (size_t at = 0; at < matrix->in; at += GROUP, block += size) {
        float group[GROUP];
        unpack_group(block, (int)(row % PANEL), group);
        memcpy(to + at, group, (matrix->in - at < GROUP ? matrix->in - at : GROUP) * sizeof *to);
    }
}
