#include "forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "team.h"

enum {
    SHARES = 8, /* portions of a matmul for each thread: a displaced one leaves the rest to others */
    ROWS = 4,   /* of a portion of what is done row by row */
    LINE = 64   /* bytes */
};

/* What every portion of a pass can see. `x` is the residual stream, to which `delta`, the last
 * block's result, is still to be added. */
typedef struct {
    const Model *model;
    const Variant *variant;
    const RowKernels *kernels;
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
    const Matrix *matrix;
    float *y;
} Stage;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Cosines, then sines, of the rows' positions: angles [rows][head_dim]. */
static void turn_angles(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Pass *pass = ((const Stage *)context)->pass;
    const Model *model = pass->model;
    size_t half = model->head_dim / 2, last = smaller((portion + 1) * ROWS, pass->input.rows);
    for (size_t row = portion * ROWS; row < last; row++) {
        float *cosine = pass->angles + row * model->head_dim;
        float position = (float)(pass->input.past + row) / model->rope_scale;
        for (size_t i = 0; i < half; i++) {
            cosine[i] = cosf(position * model->frequency[i]);
            cosine[half + i] = sinf(position * model->frequency[i]);
        }
    }
}

/* x += delta, but for the first norm of all; then norm and round. */
static void norm_rows(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    size_t hidden = pass->model->hidden, end = smaller((portion + 1) * ROWS, stage->count);
    for (size_t row = portion * ROWS; row < end; row++) {
        size_t from = (stage->first + row) * hidden;
        if (stage->y)
            pass->kernels->add(pass->input.x + from, stage->y + from, hidden);
        pass->kernels->norm(pass->input.x + from, stage->norm->weight, stage->norm->bias,
                            pass->model->eps, pass->normed + row * hidden, hidden);
    }
    round_rows(pass->variant, pass->normed, hidden, stage->rounded, portion * ROWS, end);
}

static void multiply_part(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    size_t panels = count_panels(stage->matrix);
    size_t portions = smaller(panels, (size_t)stage->pass->threads * SHARES);
    multiply_panels(stage->pass->variant, stage->matrix, stage->rounded, stage->y,
                    panels * portion / portions, panels * (portion + 1) / portions);
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
    size_t at = (block + position / KEYS) * KEYS * dim, slot = position % KEYS;
    uint16_t *keys = pass->input.cache.keys + at + slot;
    for (size_t d = 0; d < dim; d += GROUP) {
        uint16_t halves[GROUP];
        size_t count = smaller(dim - d, GROUP);
        pass->kernels->halve(key + d, halves, count);
        for (size_t i = 0; i < count; i++)
            keys[(d + i) * KEYS] = halves[i];
    }
    pass->kernels->halve(value, pass->input.cache.values + at + slot * dim, dim);
}

/* Rotate queries and keys, and store keys and values. */
static void place_rows(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    const Model *model = pass->model;
    size_t dim = model->head_dim, turned = model->heads + model->kv_heads;
    size_t last = smaller((portion + 1) * ROWS, pass->input.rows);
    for (size_t row = portion * ROWS; row < last; row++) {
        float *heads = pass->heads + row * stage->layer->qkv.out;
        for (size_t head = 0; head < turned; head++)
            rotate(heads + head * dim, pass->angles + row * dim, dim / 2);
        for (size_t head = 0; head < model->kv_heads; head++)
            keep(pass, stage->number, head, pass->input.past + row,
                 heads + (model->heads + head) * dim, heads + (turned + head) * dim);
    }
}

/* A portion is one key-value head and as many rows as share the unpacking of a block. */
static void attend_rows_of(const void *context, size_t portion, int thread)
{
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    const Model *model = pass->model;
    size_t groups = model->heads / model->kv_heads, head = portion % model->kv_heads;
    size_t row = portion / model->kv_heads * attend_rows(groups);
    size_t column = head * groups * model->head_dim;
    size_t block = (stage->number * model->kv_heads + head) * pass->input.cache.blocks;
    size_t at = block * KEYS * model->head_dim, step = model->heads * model->head_dim;
    Attention attention = {
        .queries = pass->heads + row * stage->layer->qkv.out + column,
        .mixed = pass->mixed + row * step + column,
        .keys = pass->input.cache.keys + at,
        .values = pass->input.cache.values + at,
        .rows = smaller(attend_rows(groups), pass->input.rows - row),
        .groups = groups,
        .head_dim = model->head_dim,
        .query_step = stage->layer->qkv.out,
        .mixed_step = step,
        .past = pass->input.past + row,
    };
    pass->kernels->attend(&attention, pass->scratch + (size_t)thread * pass->scratch_step);
}

static void round_mixed(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Pass *pass = ((const Stage *)context)->pass;
    round_rows(pass->variant, pass->mixed, pass->model->heads * pass->model->head_dim,
               &pass->attended, portion * ROWS, smaller((portion + 1) * ROWS, pass->input.rows));
}

static void activate_rows(const void *context, size_t portion, int thread)
{
    (void)thread;
    const Stage *stage = context;
    const Pass *pass = stage->pass;
    size_t in = stage->layer->down.in, out = stage->layer->up.out;
    size_t first = portion * ROWS, last = smaller(first + ROWS, pass->input.rows);
    for (size_t row = first; row < last; row++) {
        const float *wide = pass->wide + row * out;
        if (out == 2 * in)
            pass->kernels->silu(wide, wide + in, pass->active + row * in, in);
        else
            pass->kernels->gelu(wide, pass->active + row * in, in);
    }
    round_rows(pass->variant, pass->active, in, &pass->middle, first, last);
}

static size_t row_portions(size_t rows)
{
    return (rows + ROWS - 1) / ROWS;
}

/* Add what the last block gave, if there was one; norm and round the rows first … first + count. */
static void run_norm(Member *me, Stage stage, const Norm *norm, const Rounded *to, size_t first,
                     float *delta)
{
    stage.norm = norm;
    stage.rounded = to;
    stage.first = first;
    stage.count = stage.pass->input.rows - first;
    stage.y = delta;
    team_share(me, row_portions(stage.count), norm_rows, &stage);
}

static void run_matmul(Member *me, Stage stage, const Matrix *matrix, const Rounded *x, float *y)
{
    stage.matrix = matrix;
    stage.rounded = x;
    stage.y = y;
    size_t portions = smaller(count_panels(matrix), (size_t)stage.pass->threads * SHARES);
    team_share(me, portions, multiply_part, &stage);
}

static void run_attention(Member *me, const Stage *stage)
{
    const Model *model = stage->pass->model;
    size_t rows = stage->pass->input.rows, tile = attend_rows(model->heads / model->kv_heads);
    team_share(me, row_portions(rows), place_rows, stage);
    team_share(me, model->kv_heads * ((rows + tile - 1) / tile), attend_rows_of, stage);
    team_share(me, row_portions(rows), round_mixed, stage);
}

static void run(Member *me, const void *job)
{
    const Pass *pass = job;
    const Model *model = pass->model;
    size_t rows = pass->input.rows;
    Stage stage = {.pass = pass};
    team_share(me, row_portions(rows), turn_angles, &stage);
    for (size_t i = 0; i < model->layers; i++) {
        const Layer *layer = stage.layer = &model->layer[i];
        stage.number = i;
        run_norm(me, stage, &layer->attention_norm, &pass->narrow, 0, i ? pass->delta : NULL);
        run_matmul(me, stage, &layer->qkv, &pass->narrow, pass->heads);
        run_attention(me, &stage);
        run_matmul(me, stage, &layer->out, &pass->attended, pass->delta);
        run_norm(me, stage, &layer->mlp_norm, &pass->narrow, 0, pass->delta);
        run_matmul(me, stage, &layer->up, &pass->narrow, pass->wide);
        team_share(me, row_portions(rows), activate_rows, &stage);
        run_matmul(me, stage, &layer->down, &pass->middle, pass->delta);
    }
    run_norm(me, stage, &model->norm, &pass->ending, rows - pass->input.last, pass->delta);
    run_matmul(me, stage, &model->head, &pass->ending, pass->input.logits);
}

/* The next `size` bytes of the workspace; with no workspace yet, only counted. */
static void *take(unsigned char *memory, size_t *used, size_t size)
{
    void *at = memory ? memory + *used : NULL;
    *used += (size + LINE - 1) / LINE * LINE;
    return at;
}

static float *take_floats(unsigned char *memory, size_t *used, size_t count)
{
    return take(memory, used, count * sizeof(float));
}

static Rounded take_rounded(unsigned char *memory, size_t *used, size_t rows, size_t in)
{
    return rounded_in(take(memory, used, rounded_size(rows, in)), rows, in);
}

/* Lay the pass's buffers out in `memory`; returns the bytes that they take. */
static size_t lay_out(Pass *pass, unsigned char *memory)
{
    const Model *model = pass->model;
    const Layer *layer = model->layer;
    size_t rows = pass->input.rows, used = 0;
    pass->angles = take_floats(memory, &used, rows * model->head_dim);
    pass->normed = take_floats(memory, &used, rows * model->hidden);
    pass->heads = take_floats(memory, &used, rows * layer->qkv.out);
    pass->mixed = take_floats(memory, &used, rows * layer->out.in);
    pass->delta = take_floats(memory, &used, rows * model->hidden);
    pass->wide = take_floats(memory, &used, rows * layer->up.out);
    pass->active = take_floats(memory, &used, rows * layer->down.in);
    pass->narrow = take_rounded(memory, &used, rows, model->hidden);
    pass->attended = take_rounded(memory, &used, rows, layer->out.in);
    pass->middle = take_rounded(memory, &used, rows, layer->down.in);
    pass->ending = take_rounded(memory, &used, pass->input.last, model->hidden);
    size_t scratch = attend_scratch(model->heads / model->kv_heads, model->head_dim);
    pass->scratch_step = (scratch * sizeof(float) + LINE - 1) / LINE * LINE / sizeof(float);
    pass->scratch = take_floats(memory, &used, pass->scratch_step * (size_t)pass->threads);
    return used;
}

int forward(Model *model, const Input *input, const Variant *variant, const RowKernels *kernels,
            int threads)
{
    _Static_assert(sizeof(Pass) <= JOB, "the team copies a pass");
    Pass pass = {model, variant, kernels, *input, threads, .scratch_step = 0};
    size_t size = lay_out(&pass, NULL);
    if (size > model->size) {
        free(model->memory);
        model->memory = aligned_alloc(LINE, size);
        model->size = model->memory ? size : 0;
        if (!model->memory)
            return -1;
    }
    lay_out(&pass, model->memory);
    team_run(threads, run, &pass, sizeof pass);
    return 0;
}
