/* The stages of a pass: what a thread does with one portion of each. For forward.c only. */
#ifndef CARET_STAGES_H
#define CARET_STAGES_H

#include "forward.h"
#include "team.h"

enum {
    SHARES = 8, /* portions of a matmul for each thread: a displaced one leaves the rest to others */
    ROWS = 4    /* of a portion of what is done row by row */
};

/* What every portion of a pass can see. `x` is the residual stream, to which `delta`, the last
 * block's result, is still to be added. */
typedef struct {
    const Model *model;
    const Variant *variant;
    const VectorKernels *kernels;
    Input input;
    int threads;
    float *angles, *normed, *heads, *mixed, *delta, *wide, *active, *scratch;
    size_t scratch_step;
    Rounded narrow, attended, middle, ending;
} Pass;

/* A portion's view: the pass, and where in the model it stands. */
typedef struct {
    const Pass *pass;
    const Layer *layer;
    size_t number, first, count; /* of the layer; rows */
    const Norm *norm;
    const Rounded *rounded;
    const Stack *stack;
    float *y;
    Work work;
} Stage;

static inline size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t row_portions(size_t rows)
{
    return (rows + ROWS - 1) / ROWS;
}

static inline size_t stack_panels(const Stack *stack)
{
    size_t panels = 0;
    for (int i = 0; i < PARTS; i++)
        panels += count_panels(&stack->part[i]);
    return panels;
}

static inline size_t matmul_portions(const Pass *pass, const Stack *stack)
{
    return at_most(stack_panels(stack), (size_t)pass->threads * SHARES);
}

/* All of them take a Stage as context and are a team's Work. */
void turn_angles(const void *stage, size_t portion, int thread);
void norm_rows(const void *stage, size_t portion, int thread);
void multiply_part(const void *stage, size_t portion, int thread);
void place_rows(const void *stage, size_t portion, int thread);
void attend_part(const void *stage, size_t portion, int thread);
void round_mixed(const void *stage, size_t portion, int thread);
void activate_rows(const void *stage, size_t portion, int thread);

#endif
