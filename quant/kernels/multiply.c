/* A matrix, panel by panel, with the sums of a variant. */
#include "variant.h"

enum { NEAR = 1 << 18 }; /* bytes of panels that stay in a core's cache from tile to tile */

static size_t block_size(int kind)
{
    return kind == 4 ? INT4_BLOCK : kind == 6 ? INT6_BLOCK : INT8_BLOCK;
}

static SumTile sum_of(const Variant *variant, int kind)
{
    return kind == 4 ? variant->sum_int4 : kind == 6 ? variant->sum_int6 : variant->sum_int8;
}

size_t count_panels(const Matrix *matrix)
{
    return (matrix->out + PANEL - 1) / PANEL;
}

size_t packed_size(int kind, size_t in, size_t out)
{
    return (out + PANEL - 1) / PANEL * ((in + GROUP - 1) / GROUP) * block_size(kind);
}

static void write_columns(float (*sums)[PANEL], size_t rows, const float *bias, float *y,
                          size_t width, size_t out)
{
    for (size_t row = 0; row < rows; row++, y += out)
        for (size_t i = 0; i < width; i++)
            y[i] = sums[row][i] + (bias ? bias[i] : 0);
}

/* One tile times some panels. */
static void multiply_tile(SumTile sum_tile, size_t size, const Matrix *matrix, const Rounded *x,
                          size_t row, float *y, size_t first_panel, size_t last_panel)
{
    size_t left = x->rows - row, rows = left < TILE ? left : TILE, at = row * x->groups;
    Tile tile = {x->bytes + at * GROUP, x->factors + at, x->groups, rows, rows};
    float sums[TILE][PANEL];
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t column = panel * PANEL, width = matrix->out - column;
        sum_tile(matrix->packed + panel * size, tile, sums);
        write_columns(sums, rows, matrix->bias ? matrix->bias + column : NULL,
                      y + row * matrix->out + column, width < PANEL ? width : PANEL, matrix->out);
    }
}

void multiply_panels(const Variant *variant, const Matrix *matrix, const Rounded *x, float *y,
                     size_t first_panel, size_t last_panel)
{
    SumTile sum_tile = sum_of(variant, matrix->kind);
    size_t size = x->groups * block_size(matrix->kind);
    size_t some = NEAR / size ? NEAR / size : 1;
    for (size_t from = first_panel; from < last_panel; from += some) {
        size_t to = last_panel - from < some ? last_panel : from + some;
        for (size_t row = 0; row < x->rows; row += TILE)
            multiply_tile(sum_tile, size, matrix, x, row, y, from, to);
    }
}
