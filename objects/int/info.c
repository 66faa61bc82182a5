/*
 * sys.int_info.
 */
#include "locking/lock.h"
#include "objects/int.h"

static PyTypeObject info_type;
static PyMutex info_mutex;
static bool info_ready;

static PyStructSequence_Field info_fields[] = {
    {"bits_per_digit", "size of a digit in bits"},
    {"sizeof_digit", "size in bytes of the C type used to represent a digit"},
    {"default_max_str_digits", "default limit of digits in decimal conversions"},
    {"str_digits_check_threshold", "lowest limit that can be set"},
    {NULL, NULL},
};

static PyStructSequence_Desc info_desc = {
    .name = "sys.int_info",
    .doc = "How ints are represented; read-only.",
    .fields = info_fields,
    .n_in_sequence = 4,
};

static int make_type(void)
{
    mutex_lock(&info_mutex);
    int failed = info_ready ? 0 : PyStructSequence_InitType2(&info_type, &info_desc);
    info_ready = failed == 0;
    mutex_unlock(&info_mutex);
    return failed;
}

PyObject *PyLong_GetInfo(void)
{
    PyObject *info = make_type() < 0 ? NULL : PyStructSequence_New(&info_type);
    if (info == NULL) {
        return NULL;
    }
    PyStructSequence_SetItem(info, 0, int_from_i64(INT_SHIFT));
    PyStructSequence_SetItem(info, 1, int_from_i64(sizeof(digit)));
    PyStructSequence_SetItem(info, 2, int_from_i64(INT_DEFAULT_MAX_STR_DIGITS));
    PyStructSequence_SetItem(info, 3, int_from_i64(INT_MAX_STR_DIGITS_THRESHOLD));
    if (PyErr_Occurred()) {
        Py_CLEAR(info);
    }
    return info;
}
