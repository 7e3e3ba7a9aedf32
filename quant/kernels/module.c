/* The Python module: addresses in, nothing out. Who calls it keeps the tensors alive. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>

#include "forward_module.h"
#include "matmul.h"
#include "pack.h"

enum {
    ALONE = 8, /* rows: fewer are rounded sooner than another thread wakes up */
    SHARES = 8 /* portions of work a thread: a preempted one leaves the rest to the others */
};

static void multiply(const Variant *variant, const Matrix *matrix, const float *x, float *y,
                     const Rounded *rounded, int threads)
{
    size_t panels = count_panels(matrix), share = panels / ((size_t)threads * SHARES) + 1;
#pragma omp parallel for num_threads(threads) if (rounded->rows >= ALONE)
    for (size_t row = 0; row < rounded->rows; row++)
        round_rows(variant, x, matrix->in, rounded, row, row + 1);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t first = 0; first < panels; first += share)
        multiply_panels(variant, matrix, rounded, y, matrix->out, first,
                        first + share < panels ? first + share : panels);
}

/* Numbers that can be computed with; whoever calls vouches for the addresses. */
static int are_sound(int kind, Py_ssize_t in, Py_ssize_t out, Py_ssize_t rows, int threads)
{
    if (in > 0 && out > 0 && rows >= 0 && threads > 0 && is_layout(kind, (size_t)in))
        return 1;
    PyErr_Format(PyExc_ValueError, "no %zd rows, %d threads for a matrix [%zd, %zd] of kind %d",
                 rows, threads, out, in, kind);
    return 0;
}

static PyObject *py_matmul(PyObject *module, PyObject *args)
{
    (void)module;
    const char *name;
    unsigned long long packed, x, bias, y;
    Py_ssize_t rows, in, out;
    int kind, threads;
    if (!PyArg_ParseTuple(args, "siKKKKnnni:matmul", &name, &kind, &packed, &x, &bias, &y, &rows,
                          &in, &out, &threads) ||
        !are_sound(kind, in, out, rows, threads))
        return NULL;
    const Variant *variant = find_variant(name);
    if (!variant)
        return PyErr_Format(PyExc_ValueError, "no kernel '%s' runs here", name);
    size_t size = (rounded_size((size_t)rows, (size_t)in) + 63) / 64 * 64;
    void *memory = aligned_alloc(64, size ? size : 64);
    if (!memory)
        return PyErr_NoMemory();
    Rounded rounded = rounded_in(memory, (size_t)rows, (size_t)in);
    Matrix matrix = {kind, (const uint8_t *)(uintptr_t)packed, (const float *)(uintptr_t)bias,
                     (size_t)in, (size_t)out};
    Py_BEGIN_ALLOW_THREADS
    multiply(variant, &matrix, (const float *)(uintptr_t)x, (float *)(uintptr_t)y, &rounded,
             threads);
    Py_END_ALLOW_THREADS
    free(memory);
    Py_RETURN_NONE;
}

static PyObject *py_rows(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long packed, numbers, y;
    Py_ssize_t out, in, count;
    int kind;
    if (!PyArg_ParseTuple(args, "iKnnKnK:rows", &kind, &packed, &out, &in, &numbers, &count, &y) ||
        !are_sound(kind, in, out, count, 1))
        return NULL;
    Matrix matrix = {kind, (const uint8_t *)(uintptr_t)packed, NULL, (size_t)in, (size_t)out};
    const int64_t *rows = (const int64_t *)(uintptr_t)numbers;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (rows[i] < 0 || rows[i] >= out)
            return PyErr_Format(PyExc_IndexError, "there is no row %lld", (long long)rows[i]);
        unpack_row(&matrix, (size_t)rows[i], (float *)(uintptr_t)y + i * in);
    }
    Py_RETURN_NONE;
}

static PyObject *py_interleave(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long stored, packed;
    Py_ssize_t out, in;
    int kind, threads;
    if (!PyArg_ParseTuple(args, "iKKnni:interleave", &kind, &stored, &packed, &out, &in, &threads) ||
        !are_sound(kind, in, out, 0, threads))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    interleave(kind, (const uint8_t *)(uintptr_t)stored, (uint8_t *)(uintptr_t)packed, (size_t)in,
               (size_t)out, threads);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *py_pack(PyObject *module, PyObject *args)
{
    (void)module;
    unsigned long long weight, packed;
    Py_ssize_t out, in;
    int kind, threads;
    if (!PyArg_ParseTuple(args, "iKKnni:pack", &kind, &weight, &packed, &out, &in, &threads) ||
        !are_sound(kind, in, out, 0, threads))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    pack(kind, (const float *)(uintptr_t)weight, (uint8_t *)(uintptr_t)packed, (size_t)in,
         (size_t)out, threads);
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

static PyObject *py_variants(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names && variant_name(i); i++) {
        PyObject *name = PyUnicode_FromString(variant_name(i));
        if (!name || PyList_Append(names, name))
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyMethodDef METHODS[] = {
    {"forward", py_forward, METH_VARARGS, NULL},
    {"interleave", py_interleave, METH_VARARGS, NULL},
    {"matmul", py_matmul, METH_VARARGS, NULL},
    {"model", py_model, METH_VARARGS, NULL},
    {"pack", py_pack, METH_VARARGS, NULL},
    {"rows", py_rows, METH_VARARGS, NULL},
    {"variants", py_variants, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "quant._kernels", NULL, -1, METHODS,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModule_Create(&MODULE);
}
