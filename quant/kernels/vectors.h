/* What a forward pass does to rows of float32 between its matmuls, once for every instruction set.
 * Lengths count elements; nothing needs alignment, and no length has to be a multiple of anything.
 *
 * A cache of one layer and key-value head is a sequence of blocks of KEYS positions in float16:
 * keys [blocks][head_dim][KEYS], so that one query meets KEYS keys without a sum across a vector,
 * and values [blocks][KEYS][head_dim], where head_dim is rounded up to a multiple of HEAD_STEP.
 */
#ifndef CARET_VECTORS_H
#define CARET_VECTORS_H

#include <stddef.h>
#include <stdint.h>

enum {
    KEYS = 64,       /* positions in a block; attention goes over them block by block */
    QUERIES = 48,    /* that go over the keys together, or those of one row if they are more */
    HEAD_STEP = 64
};

/* Rows whose queries of one key-value head attend together. */
typedef struct {
    const float *queries; /* [rows][query_step], of which groups · head_dim are read */
    float *mixed;         /* [rows][mixed_step], of which as many are written */
    const uint16_t *keys, *values;
    size_t rows, groups, head_dim, query_step, mixed_step;
    size_t past;          /* positions before the first row */
} Attention;

typedef struct {
    const char *name; /* of the matmul variant that goes with it */
    /* y = x / rms(x) · weight; with a bias LayerNorm: (x - mean) / deviation · weight + bias */
    void (*norm)(const float *x, const float *weight, const float *bias, float eps, float *y,
                 size_t length);
    void (*add)(float *x, const float *y, size_t length);         /* x += y */
    void (*silu)(const float *gate, const float *up, float *y, size_t length); /* silu(gate) · up */
    void (*gelu)(const float *x, float *y, size_t length);        /* the tanh approximation */
    void (*halve)(const float *x, uint16_t *y, size_t length);    /* to float16, saturating */
    void (*attend)(const Attention *, float *scratch);            /* attend_scratch floats */
} VectorKernels;

static inline size_t padded_head(size_t head_dim)
{
    return (head_dim + HEAD_STEP - 1) / HEAD_STEP * HEAD_STEP;
}

static inline size_t attend_rows(size_t groups)
{
    return groups < QUERIES ? QUERIES / groups : 1;
}

static inline size_t attend_scratch(size_t groups, size_t head_dim)
{
    size_t queries = attend_rows(groups) * groups;
    return queries * (2 * padded_head(head_dim) + KEYS + 2);
}

extern const VectorKernels VECTORS_PLAIN;
#if defined(__x86_64__)
extern const VectorKernels VECTORS_AVX512, VECTORS_AVX2;
#endif

#endif
