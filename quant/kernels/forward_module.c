/* Models come from Python as 64-bit words, in the order of the fields of forward.h's structures;
 * who makes them keeps the tensors alive that the addresses among them point to. */
#include "forward_module.h"

#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "team.h"

static const char *const NAME = "quant._kernels.model";
enum {
    HEADER_WORDS = 6,
    NORM_WORDS = 2,
    MATRIX_WORDS = 5,
    STACK_WORDS = PARTS * MATRIX_WORDS,
    LAYER_WORDS = 2 * NORM_WORDS + 4 * STACK_WORDS,
};

static void *address(uint64_t word)
{
    return (void *)(uintptr_t)word;
}

static Norm read_norm(const uint64_t **words)
{
    const uint64_t *word = *words;
    *words += NORM_WORDS;
    return (Norm){address(word[0]), address(word[1])};
}

static Matrix read_matrix(const uint64_t **words)
{
    const uint64_t *word = *words;
    *words += MATRIX_WORDS;
    return (Matrix){(int)word[0], address(word[1]), address(word[2]), word[3], word[4]};
}

static Stack read_stack(const uint64_t **words)
{
    Stack stack = {.out = 0};
    for (int i = 0; i < PARTS; i++) {
        stack.part[i] = read_matrix(words);
        stack.out += stack.part[i].out;
    }
    stack.in = stack.part[0].in;
    return stack;
}

static void read_layer(Layer *layer, const uint64_t **words)
{
    layer->attention_norm = read_norm(words);
    layer->mlp_norm = read_norm(words);
    layer->qkv = read_stack(words);
    layer->out = read_stack(words);
    layer->up = read_stack(words);
    layer->down = read_stack(words);
}

static Model *read_model(const uint64_t *words, size_t layers, float eps, float rope_scale,
                         float rope_gain)
{
    Model *model = calloc(1, sizeof *model);
    Layer *layer = calloc(layers, sizeof *layer);
    if (!model || !layer) {
        free(model);
        free(layer);
        return NULL;
    }
    *model = (Model){.hidden = words[0], .heads = words[1], .kv_heads = words[2],
                     .head_dim = words[3], .layers = layers, .eps = eps, .rope_scale = rope_scale,
                     .rope_gain = rope_gain,
                     .frequency = address(words[5]), .layer = layer};
    words += HEADER_WORDS;
    for (size_t i = 0; i < layers; i++)
        read_layer(&layer[i], &words);
    model->norm = read_norm(&words);
    model->head = read_stack(&words);
    return model;
}

static void free_model(PyObject *capsule)
{
    Model *model = PyCapsule_GetPointer(capsule, NAME);
    team_rest();
    free(model->memory);
    free(model->layer);
    free(model);
}

PyObject *py_model(PyObject *module, PyObject *args)
{
    (void)module;
    Py_buffer words;
    float eps, rope_scale, rope_gain;
    if (!PyArg_ParseTuple(args, "y*fff:model", &words, &eps, &rope_scale, &rope_gain))
        return NULL;
    size_t count = (size_t)words.len / sizeof(uint64_t);
    size_t layers = count < HEADER_WORDS ? 0 : ((const uint64_t *)words.buf)[4];
    Model *model = NULL;
    if (!layers || count != HEADER_WORDS + layers * LAYER_WORDS + NORM_WORDS + STACK_WORDS)
        PyErr_SetString(PyExc_ValueError, "these words describe no model");
    else if (!(model = read_model(words.buf, layers, eps, rope_scale, rope_gain)))
        PyErr_NoMemory();
    PyBuffer_Release(&words);
    return model ? PyCapsule_New(model, NAME, free_model) : NULL;
}

static const VectorKernels *find_kernels(const char *name)
{
    static const VectorKernels *const all[] = {
#if defined(__x86_64__)
        &VECTORS_AVX512, &VECTORS_AVX2,
#endif
        &VECTORS_PLAIN};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}

PyObject *py_forward(PyObject *module, PyObject *args)
{
    static const _Atomic int32_t never = 0;
    (void)module;
    PyObject *capsule;
    const char *name;
    unsigned long long x, logits, keys, values, given_up;
    Py_ssize_t rows, past, last, blocks;
    int threads;
    if (!PyArg_ParseTuple(args, "OsKKnnnKKnKi:forward", &capsule, &name, &x, &logits, &rows, &past,
                          &last, &keys, &values, &blocks, &given_up, &threads))
        return NULL;
    Model *model = PyCapsule_GetPointer(capsule, NAME);
    if (!model)
        return NULL;
    if (past < 0 || last < 1 || rows < last || threads < 1 || blocks < (past + rows - 1) / KEYS + 1)
        return PyErr_Format(PyExc_ValueError, "no pass of %zd rows at %zd, %zd of them last, in "
                            "%zd blocks by %d threads", rows, past, last, blocks, threads);
    const Variant *variant = find_variant(name);
    const VectorKernels *kernels = find_kernels(name);
    if (!variant || !kernels)
        return PyErr_Format(PyExc_ValueError, "no kernel '%s' runs here", name);
    Input input = {address(x), address(logits), (size_t)rows, (size_t)past, (size_t)last,
                   {address(keys), address(values), (size_t)blocks},
                   given_up ? address(given_up) : &never};
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = forward(model, &input, variant, kernels, threads);
    Py_END_ALLOW_THREADS
    return result < 0 ? PyErr_NoMemory() : PyBool_FromLong(result == 0);
}
