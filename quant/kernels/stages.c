#include "stages.h"

#include <math.h>

/* Cosines, then sines, of the rows' positions: angles [rows][head_dim]. */
void turn_angles(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Pass *pass = ((const Stage *)context)->pass;
    const Model *model = pass->model;
    size_t half = model->head_dim / 2, last = at_most((portion + 1) * ROWS, pass->input.rows);
    for (size_t row = portion * ROWS; row < last; row++) {
        float *cosine = pass->angles + row * model->head_dim;
        float position = (float)(pass->input.past + row) / model->rope_scale;
        for (size_t i = 0; i < half; i++) {
            float angle = position * model->frequency[i];
            cosine[i] = cosf(angle) * model->rope_gain;
            cosine[half + i] = sinf(angle) * model->rope_gain;
        }
    }
}

/* x += delta, but for the first norm of all; then norm and round. */
void norm_rows(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    size_t hidden = pass->model->hidden, end = at_most((portion + 1) * ROWS, stage->count);
    for (size_t row = portion * ROWS; row < end; row++) {
        size_t from = (stage->first + row) * hidden;
        if (stage->y)
            pass->kernels->add(pass->input.x + from, stage->y + from, hidden);
        pass->kernels->norm(pass->input.x + from, stage->norm->weight, stage->norm->bias,
                            pass->model->eps, pass->normed + row * hidden, hidden);
    }
    round_rows(pass->variant, pass->normed, hidden, stage->rounded, portion * ROWS, end);
}

/* The panels are numbered through all matrices of the stack. */
void multiply_part(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Stack *stack = stage->stack;
    size_t all = stack_panels(stack), portions = matmul_portions(stage->pass, stack);
    size_t first = all * portion / portions, last = all * (portion + 1) / portions;
    float *y = stage->y;
    for (const Matrix *part = stack->part; first < last; y += part++->out) {
        size_t panels = count_panels(part);
        multiply_panels(stage->pass->variant, part, stage->rounded, y, stack->out,
                        at_most(first, panels), at_most(last, panels));
        first -= at_most(first, panels);
        last -= at_most(last, panels);
    }
}

static void rotate(float *head, const float *cosine, size_t half)
{
    const float *sine = cosine + half;
    for (size_t i = 0; i < half; i++) {
        float left = head[i], right = head[half + i];
        head[i] = left * cosine[i] - right * sine[i];
        head[half + i] = right * cosine[i] + left * sine[i];
    }
}

/* One row's key and value of one head into its place in the cache. */
static void keep(const Pass *pass, size_t layer, size_t head, size_t position, const float *key,
                 const float *value)
{
    size_t dim = pass->model->head_dim;
    size_t block = (layer * pass->model->kv_heads + head) * pass->input.cache.blocks;
    size_t at = (block + position / KEYS) * KEYS, slot = position % KEYS;
    uint16_t *keys = pass->input.cache.keys + at * dim + slot;
    for (size_t d = 0; d < dim; d += GROUP) {
        uint16_t halves[GROUP];
        size_t count = at_most(dim - d, GROUP);
        pass->kernels->halve(key + d, halves, count);
        for (size_t i = 0; i < count; i++)
            keys[(d + i) * KEYS] = halves[i];
    }
    pass->kernels->halve(value, pass->input.cache.values + (at + slot) * padded_head(dim), dim);
}

/* Rotate queries and keys, and store keys and values. */
void place_rows(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    const Model *model = pass->model;
    size_t dim = model->head_dim, turned = model->heads + model->kv_heads;
    size_t last = at_most((portion + 1) * ROWS, pass->input.rows);
    for (size_t row = portion * ROWS; row < last; row++) {
        float *heads = pass->heads + row * stage->layer->qkv.out;
        for (size_t head = 0; head < turned; head++)
            rotate(heads + head * dim, pass->angles + row * dim, dim / 2);
        for (size_t head = 0; head < model->kv_heads; head++)
            keep(pass, stage->number, head, pass->input.past + row,
                 heads + (model->heads + head) * dim, heads + (turned + head) * dim);
    }
}

/* A portion is one key-value head and as many rows as go over the keys together. */
void attend_part(const void *context, size_t portion, int thread)
{
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    const Model *model = pass->model;
    size_t groups = model->heads / model->kv_heads, head = portion % model->kv_heads;
    size_t row = portion / model->kv_heads * attend_rows(groups);
    size_t dim = model->head_dim, step = model->heads * dim, column = head * groups * dim;
    size_t block = (stage->number * model->kv_heads + head) * pass->input.cache.blocks;
    Attention attention = {
        .queries = pass->heads + row * stage->layer->qkv.out + column,
        .mixed = pass->mixed + row * step + column,
        .keys = pass->input.cache.keys + block * KEYS * dim,
        .values = pass->input.cache.values + block * KEYS * padded_head(dim),
        .rows = at_most(attend_rows(groups), pass->input.rows - row),
        .groups = groups,
        .head_dim = dim,
        .query_step = stage->layer->qkv.out,
        .mixed_step = step,
        .past = pass->input.past + row,
    };
    pass->kernels->attend(&attention, pass->scratch + (size_t)thread * pass->scratch_step);
}

void round_mixed(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Pass *pass = ((const Stage *)context)->pass;
    round_rows(pass->variant, pass->mixed, pass->model->heads * pass->model->head_dim,
               &pass->attended, portion * ROWS, at_most((portion + 1) * ROWS, pass->input.rows));
}

void activate_rows(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    size_t in = stage->layer->down.in, out = stage->layer->up.out;
    size_t first = portion * ROWS, last = at_most(first + ROWS, pass->input.rows);
    for (size_t row = first; row < last; row++) {
        const float *wide = pass->wide + row * out;
        if (out == 2 * in)
            pass->kernels->silu(wide, wide + in, pass->active + row * in, in);
        else
            pass->kernels->gelu(wide, pass->active + row * in, in);
    }
    round_rows(pass->variant, pass->active, in, &pass->middle, first, last);
}
