/* Attention with the softmax that is corrected as larger scores turn up (Milakov and Gimelshein,
 * arXiv 1805.02867; Dao et al., FlashAttention, 2205.14135). It goes over the keys in blocks at
 * fixed positions, and a score that a row may not see counts as an exact nothing, so a row's
 * result does not depend on the rows that are evaluated with it. Included by vectors_body.h. */

/* c [count][WIDTH · LANES] += a [count][depth] · b [depth][WIDTH · LANES], b in float16 */
TARGET static inline __attribute__((always_inline)) void
multiply_tile(const int count, const float *a, size_t a_step, const uint16_t *b, size_t b_step,
              float *c, size_t c_step, size_t depth)
{
    vec sums[HEIGHT][WIDTH];
#pragma GCC unroll 8
    for (int i = 0; i < count; i++)
#pragma GCC unroll 4
        for (int j = 0; j < WIDTH; j++)
            sums[i][j] = *(const loose *)(c + (size_t)i * c_step + j * LANES);
    for (size_t k = 0; k < depth; k++, b += b_step) {
        vec row[WIDTH];
#pragma GCC unroll 4
        for (int j = 0; j < WIDTH; j++)
            row[j] = FROM_HALF(b + j * LANES);
#pragma GCC unroll 8
        for (int i = 0; i < count; i++) {
            vec x = splat(a[(size_t)i * a_step + k]);
#pragma GCC unroll 4
            for (int j = 0; j < WIDTH; j++)
                sums[i][j] = FMA(x, row[j], sums[i][j]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < count; i++)
#pragma GCC unroll 4
        for (int j = 0; j < WIDTH; j++)
            *(loose *)(c + (size_t)i * c_step + j * LANES) = sums[i][j];
}

/* c [count][columns] += a [count][depth] · b [depth][columns], columns a multiple of HEAD_STEP */
TARGET static void multiply_add(size_t count, const float *a, size_t a_step, const uint16_t *b,
                                float *c, size_t columns, size_t depth)
{
    for (size_t column = 0; column < columns; column += WIDTH * LANES) {
        size_t i = 0;
        for (; i + HEIGHT <= count; i += HEIGHT)
            multiply_tile(HEIGHT, a + i * a_step, a_step, b + column, columns,
                          c + i * columns + column, columns, depth);
        for (; i + 2 <= count; i += 2)
            multiply_tile(2, a + i * a_step, a_step, b + column, columns, c + i * columns + column,
                          columns, depth);
        if (i < count)
            multiply_tile(1, a + i * a_step, a_step, b + column, columns, c + i * columns + column,
                          columns, depth);
    }
}

/* Turn a row's KEYS scores into weights relative to the largest score so far. Returns what the
 * sums so far are to be multiplied by. */
TARGET static float weigh(float *scores, size_t visible, float *most, float *sum)
{
    for (size_t i = visible; i < KEYS; i++)
        scores[i] = -INFINITY;
    vec high = *(loose *)scores;
    for (int i = LANES; i < KEYS; i += LANES)
        high = LARGER(*(loose *)(scores + i), high);
    float before = *most, now = LARGEST(high);
    *most = now > before ? now : before;
    vec added = {0};
    for (int i = 0; i < KEYS; i += LANES) {
        vec weight = power_of_two(*(loose *)(scores + i) - splat(*most));
        *(loose *)(scores + i) = weight;
        added += weight;
    }
    float factor = power_of_two(splat(before - *most))[0];
    *sum = *sum * factor + TOTAL(added);
    return factor;
}

TARGET static void multiply_row(float *x, float factor, size_t length)
{
    for (size_t i = 0; i < length; i += LANES)
        *(loose *)(x + i) *= splat(factor);
}

TARGET static void attend(const Attention *a, float *scratch)
{
    size_t dim = a->head_dim, padded = padded_head(dim);
    size_t count = a->rows * a->groups, end = a->past + a->rows;
    float *queries = scratch, *sums = queries + count * padded, *scores = sums + count * padded;
    float *most = scores + count * KEYS, *weight = most + count;
    const vec scale = splat(LOG2_E / sqrtf((float)dim));

    memset(sums, 0, count * padded * sizeof *sums);
    for (size_t i = 0; i < count; i++) {
        const float *from = a->queries + i / a->groups * a->query_step + i % a->groups * dim;
        for (size_t d = 0; d < dim; d += LANES)
            store(queries + i * padded + d, load(from + d, dim - d) * scale, dim - d);
        most[i] = -INFINITY;
        weight[i] = 0;
    }
    for (size_t first = 0; first < end; first += KEYS) {
        size_t held = end - first < KEYS ? end - first : KEYS;
        memset(scores, 0, count * KEYS * sizeof *scores);
        multiply_add(count, queries, padded, a->keys + first * dim, scores, KEYS, dim);
        for (size_t i = 0; i < count; i++) {
            size_t position = a->past + i / a->groups;
            size_t visible = position < first ? 0 : position - first + 1;
            float factor = weigh(scores + i * KEYS, visible, &most[i], &weight[i]);
            multiply_row(sums + i * padded, factor, padded);
        }
        multiply_add(count, scores, KEYS, a->values + first * padded, sums, padded, held);
    }
    for (size_t i = 0; i < count; i++) {
        float *to = a->mixed + i / a->groups * a->mixed_step + i % a->groups * dim;
        for (size_t d = 0; d < dim; d += LANES)
            store(to + d, load(sums + i * padded + d, dim - d) * splat(1 / weight[i]), dim - d);
    }
}
