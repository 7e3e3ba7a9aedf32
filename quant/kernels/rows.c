/* Single rows of packed matrices: an embedding that is the head too. */
#include "channel.h"

static ReadChannel reader(int kind)
{
    switch (kind) {
    case INT4: return read_int4;
    case INT6: return read_int6;
    case INT8: return read_int8;
    case Q4_K: return read_q4_k;
    default: return read_q6_k;
    }
}

static void unpack_group(const Channel *channel, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (float)(channel->numbers[i] - channel->zero) * channel->scales[i / (GROUP / 2)] +
                channel->minimum;
}

void unpack_row(const Matrix *matrix, size_t row, float *to)
{
    size_t groups = matrix->kind == Q4_K || matrix->kind == Q6_K ? K_GROUPS : 1;
    size_t size = packed_size(matrix->kind, groups * GROUP, 1);
    const uint8_t *panel = matrix->packed + row / PANEL * packed_size(matrix->kind, matrix->in, 1);
    for (size_t at = 0; at < matrix->in; at += GROUP) {
        size_t number = at / GROUP, left = matrix->in - at;
        const uint8_t *block = panel + number / groups * size;
        Channel channel = reader(matrix->kind)(block, (int)(number % groups), (int)(row % PANEL));
        unpack_group(&channel, to + at, left < GROUP ? left : GROUP);
    }
}
