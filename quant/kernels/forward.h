/* The forward pass of a decoder: every layer's norms, matmuls, rotation and attention, from the
 * embedded rows to the logits, by a team of threads and without a word of Python between. */
#ifndef CARET_FORWARD_H
#define CARET_FORWARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "matmul.h"
#include "vectors.h"

typedef struct {
    const float *weight, *bias; /* bias or NULL: RMSNorm */
} Norm;

/* Matrices that multiply the same rows; their outputs follow each other. Those of one layout lie in
 * one matrix, and parts that are not there have no outputs. */
enum { PARTS = 3 };
typedef struct {
    Matrix part[PARTS];
    size_t in, out; /* of all */
} Stack;

typedef struct {
    Norm attention_norm, mlp_norm;
    Stack qkv, out;
    Stack up, down; /* gate and up, or up alone where the activation is GELU */
} Layer;

/* A model, and the memory that its passes work in. */
typedef struct {
    size_t hidden, heads, kv_heads, head_dim, layers;
    float eps, rope_scale, rope_gain; /* positions are divided by rope_scale, and the cosines and
                                       * sines of their angles multiplied by rope_gain */
    const float *frequency; /* [head_dim / 2], of the rotary embedding */
    Layer *layer;
    Norm norm;
    Stack head;
    void *memory;
    size_t size;
} Model;

/* Keys and values in float16, [layers][kv_heads][blocks] of vectors.h's blocks. */
typedef struct {
    uint16_t *keys, *values;
    size_t blocks;
} Cache;

/* Rows to append to a cache that holds `past` positions. */
typedef struct {
    float *x;      /* [rows][hidden], embedded; overwritten */
    float *logits; /* [last][vocabulary], of the last rows */
    size_t rows, past, last;
    Cache cache;
    const _Atomic int32_t *given_up; /* set by another thread: the rest of the pass is for nothing */
} Input;

/* One pass. Returns 0, 1 if it was given up, or -1 where memory is short. */
int forward(Model *, const Input *, const Variant *, const VectorKernels *, int threads);

#endif
