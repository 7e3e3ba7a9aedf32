/* A matrix, panel by panel, with the sums of a variant. */
#include "variant.h"

enum { NEAR = 1 << 18 }; /* bytes of panels that stay in a core's cache from tile to tile */

/* Bytes of a panel's 16 channels by `groups` groups; Q4_K and Q6_K have 8 in a block. */
static size_t panel_size(int kind, size_t groups)
{
    switch (kind) {
    case INT4: return groups * INT4_BLOCK;
    case INT6: return groups * INT6_BLOCK;
    case INT8: return groups * INT8_BLOCK;
    case Q4_K: return groups / K_GROUPS * Q4_K_BLOCK;
    default: return groups / K_GROUPS * Q6_K_BLOCK;
    }
}

static SumTile sum_of(const Variant *variant, int kind)
{
    switch (kind) {
    case INT4: return variant->sum_int4;
    case INT6: return variant->sum_int6;
    case INT8: return variant->sum_int8;
    case Q4_K: return variant->sum_q4_k;
    default: return variant->sum_q6_k;
    }
}

size_t count_panels(const Matrix *matrix)
{
    return (matrix->out + PANEL - 1) / PANEL;
}

int is_layout(int kind, size_t in)
{
    switch (kind) {
    case INT4:
    case INT6:
    case INT8: return 1;
    case Q4_K:
    case Q6_K: return in % (K_GROUPS * GROUP) == 0;
    default: return 0;
    }
}

size_t packed_size(int kind, size_t in, size_t out)
{
    return (out + PANEL - 1) / PANEL * panel_size(kind, (in + GROUP - 1) / GROUP);
}

static void write_columns(float (*sums)[PANEL], size_t rows, const float *bias, float *y,
                          size_t width, size_t step)
{
    for (size_t row = 0; row < rows; row++, y += step)
        for (size_t i = 0; i < width; i++)
            y[i] = sums[row][i] + (bias ? bias[i] : 0);
}

/* One tile times some panels. */
static void multiply_tile(SumTile sum_tile, size_t size, const Matrix *matrix, const Rounded *x,
                          size_t row, float *y, size_t step, size_t first_panel,
                          size_t last_panel)
{
    size_t left = x->rows - row, rows = left < TILE ? left : TILE, at = row * x->groups;
    Tile tile = {x->bytes + at * GROUP, x->factors + at, x->groups, rows, rows};
    float sums[TILE][PANEL];
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t column = panel * PANEL, width = matrix->out - column;
        sum_tile(matrix->packed + panel * size, tile, sums);
        write_columns(sums, rows, matrix->bias ? matrix->bias + column : NULL,
                      y + row * step + column, width < PANEL ? width : PANEL, step);
    }
}

void multiply_panels(const Variant *variant, const Matrix *matrix, const Rounded *x, float *y,
                     size_t step, size_t first_panel, size_t last_panel)
{
    SumTile sum_tile = sum_of(variant, matrix->kind);
    size_t size = panel_size(matrix->kind, x->groups);
    size_t some = NEAR / size ? NEAR / size : 1;
    for (size_t from = first_panel; from < last_panel; from += some) {
        size_t to = last_panel - from < some ? last_panel : from + some;
        for (size_t row = 0; row < x->rows; row += TILE)
            multiply_tile(sum_tile, size, matrix, x, row, y, step, from, to);
    }
}
