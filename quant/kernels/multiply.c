/* A matrix, panel by panel, with the block kernels of a variant. */
#include <string.h>

#include "variant.h"

enum {
    AHEAD = 4096, /* bytes: without prefetching, one core reads a third less */
    TILE = 128,   /* rows that share one unpacking: their sums and activations stay in cache */
};

size_t count_panels(const Matrix *matrix)
{
    return (matrix->out + PANEL - 1) / PANEL;
}

/* The columns of y [rows, out] that belong to one panel. */
static void multiply_panel(const Variant *variant, const uint8_t *blocks, const Rounded *x,
                           const float *bias, float *y, size_t width, size_t out)
{
    float sums[TILE][PANEL];
    for (size_t first = 0; first < x->rows; first += TILE) {
        size_t rows = x->rows - first < TILE ? x->rows - first : TILE;
        memset(sums, 0, rows * sizeof *sums);
        for (size_t group = 0; group < x->groups; group++) {
            size_t at = group * x->rows + first;
            for (int line = 0; line < INT4_BLOCK; line += 64)
                __builtin_prefetch(blocks + group * INT4_BLOCK + AHEAD + line);
            variant->add_int4(blocks + group * INT4_BLOCK, x->bytes + at * GROUP,
                              (const float(*)[2])x->factors + at, rows, sums);
        }
        for (size_t row = 0; row < rows; row++)
            for (size_t i = 0; i < width; i++)
                y[(first + row) * out + i] = sums[row][i] + (bias ? bias[i] : 0);
    }
}

void multiply_panels(const Variant *variant, const Matrix *matrix, const Rounded *x, float *y,
                     size_t first_panel, size_t last_panel)
{
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t first = panel * PANEL, left = matrix->out - first;
        multiply_panel(variant, matrix->packed + panel * x->groups * INT4_BLOCK, x,
                       matrix->bias ? matrix->bias + first : NULL, y + first,
                       left < PANEL ? left : PANEL, matrix->out);
    }
}
