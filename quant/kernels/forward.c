#include "forward.h"

#include <stdlib.h>

#include "stages.h"
#include "team.h"

enum { LINE = 64 }; /* bytes */

static int is_given_up(const Pass *pass)
{
    return atomic_load_explicit(pass->input.given_up, memory_order_relaxed) != 0;
}

/* A portion of any stage. Those of a pass that was given up go by with nothing done: the threads
 * still come to the same shares. */
static void do_portion(const void *context, size_t portion, int thread)
{
    const Stage *stage = context;
    if (!is_given_up(stage->pass))
        stage->work(stage, portion, thread);
}

static void share(Member *me, Stage stage, size_t portions, Work work)
{
    stage.work = work;
    team_share(me, portions, do_portion, &stage);
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
    share(me, stage, row_portions(stage.count), norm_rows);
}

static void run_matmul(Member *me, Stage stage, const Stack *stack, const Rounded *x, float *y)
{
    stage.stack = stack;
    stage.rounded = x;
    stage.y = y;
    share(me, stage, matmul_portions(stage.pass, stack), multiply_part);
}

static void run_attention(Member *me, Stage stage)
{
    const Model *model = stage.pass->model;
    size_t rows = stage.pass->input.rows, tile = attend_rows(model->heads / model->kv_heads);
    share(me, stage, row_portions(rows), place_rows);
    share(me, stage, model->kv_heads * ((rows + tile - 1) / tile), attend_part);
    share(me, stage, row_portions(rows), round_mixed);
}

static void run(Member *me, const void *job)
{
    const Pass *pass = job;
    const Model *model = pass->model;
    size_t rows = pass->input.rows;
    Stage stage = {.pass = pass};
    share(me, stage, row_portions(rows), turn_angles);
    for (size_t i = 0; i < model->layers; i++) {
        const Layer *layer = stage.layer = &model->layer[i];
        stage.number = i;
        run_norm(me, stage, &layer->attention_norm, &pass->narrow, 0, i ? pass->delta : NULL);
        run_matmul(me, stage, &layer->qkv, &pass->narrow, pass->heads);
        run_attention(me, stage);
        run_matmul(me, stage, &layer->out, &pass->attended, pass->delta);
        run_norm(me, stage, &layer->mlp_norm, &pass->narrow, 0, pass->delta);
        run_matmul(me, stage, &layer->up, &pass->narrow, pass->wide);
        share(me, stage, row_portions(rows), activate_rows);
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

int forward(Model *model, const Input *input, const Variant *variant, const VectorKernels *kernels,
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
    return is_given_up(&pass);
}
