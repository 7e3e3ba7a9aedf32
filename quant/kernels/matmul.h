/* Products of float rows with packed matrices, for whoever has threads of its own: nothing here
 * starts one. A row of activations is rounded to bytes with one scale for 32 of them, dot products
 * of 32 are integers, and a float32 sum runs over the groups in the same order whatever the number
 * of rows: a row's result does not depend on its neighbours.
 */
#ifndef CARET_MATMUL_H
#define CARET_MATMUL_H

#include <stddef.h>
#include <stdint.h>

enum {
    GROUP = 32, /* activations with one scale */
    PANEL = 16, /* output channels that lie interleaved */
    TILE = 16,  /* rows whose sums stay in registers together */
};

/* The layouts of packed matrices: by the bits of a number, or GGML's number of the type of which
 * they keep the factors. They are described where they are packed: quant/int4.py, int6.py, int8.py
 * and k_quants.py. */
enum { INT4 = 4, INT6 = 6, INT8 = 8, Q4_K = 12, Q6_K = 14 };

/* A packed matrix [out, in]; `bias` [out] may be NULL. */
typedef struct {
    int kind;
    const uint8_t *packed;
    const float *bias;
    size_t in, out;
} Matrix;

/* How a group of activations was rounded: to multiples of 2 to the `exponent`, which is shifted to
 * where a float has its own, so that an integer addition multiplies a weight's scale. `offset` is
 * the sum of the rounded group, by which a group's minimum is multiplied; `zeros` are -32 times the
 * sum of each half's bytes, from which dot products with 6-bit numbers start. */
typedef struct {
    int32_t exponent;
    float offset;
    int32_t zeros[2];
} Factors;

/* Activations, tile by tile, the last of which may have fewer rows, and there group by group:
 * bytes[groups][TILE][GROUP] and factors[groups][TILE] for each tile. */
typedef struct {
    int8_t *bytes;
    Factors *factors;
    size_t rows, groups;
} Rounded;

/* The arithmetic for one kind of processor. */
typedef struct Variant Variant;

/* The variant of that name, or NULL if none of that name runs here; "" is the best one. */
const Variant *find_variant(const char *name);
/* Names of the variants that run here, best first: NULL after the last one. */
const char *variant_name(size_t index);

/* Bytes of memory that rows of `in` activations take when rounded. */
size_t rounded_size(size_t rows, size_t in);
/* Rounded rows in that memory, which begins at a multiple of 64; nothing is written yet. */
Rounded rounded_in(void *memory, size_t rows, size_t in);
/* Round the rows first … last of x [rows, in]; other threads may round other rows meanwhile. */
void round_rows(const Variant *variant, const float *x, size_t in, const Rounded *to, size_t first,
                size_t last);

/* Whether a matrix of `in` inputs can be packed so. */
int is_layout(int kind, size_t in);
/* Bytes of a packed matrix. */
size_t packed_size(int kind, size_t in, size_t out);
/* The weights [in] of one output, as float32. */
void unpack_row(const Matrix *matrix, size_t row, float *to);

size_t count_panels(const Matrix *matrix);
/* y [rows, out] = x · matrixᵀ + bias, for the channels of some panels: the columns
 * first_panel * PANEL … last_panel * PANEL of y, whose rows are `step` floats apart. Different
 * panels may be multiplied by different threads. */
void multiply_panels(const Variant *variant, const Matrix *matrix, const Rounded *x, float *y,
                     size_t step, size_t first_panel, size_t last_panel);

#endif
