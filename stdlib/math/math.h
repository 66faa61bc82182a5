/* What the files of math share. */
#ifndef KRAIT_MATH_H
#define KRAIT_MATH_H

#include "module.h"
#include "objects/bindings.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#pragma GCC visibility push(hidden)

/* New references, NULL with an exception; they may run Python code. */
PyObject *integer_factorial(PyObject *n);
PyObject *integer_comb(PyObject *n, PyObject *k);
PyObject *integer_perm(PyObject *n, PyObject *k);
PyObject *integer_gcd(PyObject *a, PyObject *b); /* of two ints */
PyObject *integer_lcm(PyObject *a, PyObject *b);
PyObject *integer_sqrt(PyObject *n);

PyObject *sum_floats(PyObject *seq);
PyObject *sum_products(PyObject *p, PyObject *q);
double vector_norm(double *values, Py_ssize_t count); /* overwrites values */

#pragma GCC visibility pop

static inline double domain_error(void)
{
    PyErr_SetString(PyExc_ValueError, "math domain error");
    return -1.0;
}

static inline double range_error(void)
{
    PyErr_SetString(PyExc_OverflowError, "math range error");
    return -1.0;
}

#endif
