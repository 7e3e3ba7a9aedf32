/* A matrix, panel by panel, with the sums of a variant. */
#include "variant.h"

static size_t block_size(int kind)
{
    return kind == 4 ? INT4_BLOCK : kind == 6 ? INT6_BLOCK : INT8_BLOCK;
}

static SumPanel sum_of(const Variant *variant, int kind)
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

void multiply_panels(const Variant *variant, const Matrix *matrix, const Rounded *x, float *y,
                     size_t first_panel, size_t last_panel)
{
    SumPanel sum_panel = sum_of(variant, matrix->kind);
    size_t size = x->groups * block_size(matrix->kind);
    float sums[TILE][PANEL];
    for (size_t panel = first_panel; panel < last_panel; panel++) {
        size_t column = panel * PANEL, left = matrix->out - column;
        const float *bias = matrix->bias ? matrix->bias + column : NULL;
        for (size_t row = 0; row < x->rows; row += TILE) {
            size_t rows = x->rows - row < TILE ? x->rows - row : TILE;
            sum_panel(matrix->packed + panel * size, x, row, rows, sums);
            write_columns(sums, rows, bias, y + row * matrix->out + column,
                          left < PANEL ? left : PANEL, matrix->out);
        }
    }
}
