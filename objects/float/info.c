/*
 * sys.float_info.
 */
#include "locking/lock.h"
#include "objects/float.h"
#include <float.h>

static PyTypeObject info_type;
static PyMutex info_mutex;
static bool info_ready;

static PyStructSequence_Field info_fields[] = {
    {"max", "DBL_MAX, the largest finite float"},
    {"max_exp", "DBL_MAX_EXP: radix**(max_exp - 1) is a float"},
    {"max_10_exp", "DBL_MAX_10_EXP: 10**max_10_exp is a float"},
    {"min", "DBL_MIN, the smallest normal float above 0"},
    {"min_exp", "DBL_MIN_EXP: radix**(min_exp - 1) is a normal float"},
    {"min_10_exp", "DBL_MIN_10_EXP: 10**min_10_exp is a normal float"},
    {"dig", "DBL_DIG: decimal digits that survive being stored"},
    {"mant_dig", "DBL_MANT_DIG: digits of the mantissa"},
    {"epsilon", "DBL_EPSILON: from 1 to the next float"},
    {"radix", "FLT_RADIX: the base of the exponent"},
    {"rounds", "FLT_ROUNDS: how additions are rounded"},
    {NULL, NULL},
};

static PyStructSequence_Desc info_desc = {
    .name = "sys.float_info",
    .doc = "What the C type double can represent; read-only.",
    .fields = info_fields,
    .n_in_sequence = 11,
};

static int make_type(void)
{
    mutex_lock(&info_mutex);
    int failed = info_ready ? 0 : PyStructSequence_InitType2(&info_type, &info_desc);
    info_ready = failed == 0;
    mutex_unlock(&info_mutex);
    return failed;
}

PyObject *PyFloat_GetInfo(void)
{
    PyObject *info = make_type() < 0 ? NULL : PyStructSequence_New(&info_type);
    if (info == NULL) {
        return NULL;
    }
    PyStructSequence_SetItem(info, 0, float_new(DBL_MAX));
    PyStructSequence_SetItem(info, 1, PyLong_FromLong(DBL_MAX_EXP));
    PyStructSequence_SetItem(info, 2, PyLong_FromLong(DBL_MAX_10_EXP));
    PyStructSequence_SetItem(info, 3, float_new(DBL_MIN));
    PyStructSequence_SetItem(info, 4, PyLong_FromLong(DBL_MIN_EXP));
    PyStructSequence_SetItem(info, 5, PyLong_FromLong(DBL_MIN_10_EXP));
    PyStructSequence_SetItem(info, 6, PyLong_FromLong(DBL_DIG));
    PyStructSequence_SetItem(info, 7, PyLong_FromLong(DBL_MANT_DIG));
    PyStructSequence_SetItem(info, 8, float_new(DBL_EPSILON));
    PyStructSequence_SetItem(info, 9, PyLong_FromLong(FLT_RADIX));
    PyStructSequence_SetItem(info, 10, PyLong_FromLong(FLT_ROUNDS));
    if (PyErr_Occurred()) {
        Py_CLEAR(info);
    }
    return info;
}
