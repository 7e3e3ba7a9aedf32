/* The Python face of forward.h; see quant/_kernels.pyi. */
#ifndef CARET_FORWARD_MODULE_H
#define CARET_FORWARD_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *py_model(PyObject *module, PyObject *args);
PyObject *py_forward(PyObject *module, PyObject *args);

#endif
