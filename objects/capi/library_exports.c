/* Private functions that compiled modules of the library, and a few others, are known to call. */
#include "objects/capi/capi.h"

#include "objects/bindings.h"
#include "objects/dict.h"
#include "objects/set.h"

#include <fcntl.h>
#include <locale.h>

PyAPI_FUNC(PyObject *const *)
    _PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                          PyObject *kwnames, struct _PyArg_Parser *parser, int minpos, int maxpos,
                          int minkw, PyObject **slots);
PyAPI_FUNC(PyObject *const *)
    _PyArg_UnpackKeywordsWithVararg(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                                    PyObject *kwnames, struct _PyArg_Parser *parser, int minpos,
                                    int maxpos, int minkw, int vararg, PyObject **slots);
PyAPI_FUNC(int) _PyDict_SetItem_KnownHash_LockHeld(PyObject *dict, PyObject *key, PyObject *value,
                                                   Py_hash_t hash);
PyAPI_FUNC(int) _PySet_Update(PyObject *set, PyObject *iterable);
PyAPI_FUNC(int)
    _PySet_NextEntryRef(PyObject *set, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash);
PyAPI_FUNC(int) _PyObject_IsFreed(PyObject *object);
PyAPI_FUNC(int) _Py_convert_optional_to_ssize_t(PyObject *object, void *result);
PyAPI_FUNC(PyObject *) _PyErr_FormatFromCause(PyObject *exception, const char *format, ...);
PyAPI_FUNC(char *) _Py_SetLocaleFromEnv(int category);
PyAPI_FUNC(int) _Py_IsValidFD(int fd);
PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttr(PyObject *module, PyObject *name);
PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttrString(const char *module, const char *name);

/* ---- arguments --------------------------------------------------------------------------------- */

enum { NAMES_MAX = 2048 };

/* What a parser says, for bind_unpack; `names` is the room for the names. False, with an exception, if they
 * are too many. */
static bool spec_of_parser(struct _PyArg_Parser *parser, int minpos, int maxpos, int minkw,
                           struct bind_spec *spec, char *names)
{
    int count = 0, posonly = 0;
    size_t used = 0;
    for (; parser->keywords[count] != NULL; count++) {
        size_t length = strlen(parser->keywords[count]);
        posonly += length == 0;
        if (count >= UINT8_MAX || length > INT8_MAX || used + length + 1 > NAMES_MAX) {
            PyErr_SetString(PyExc_SystemError, "too many or too long keywords");
            return false;
        }
        names[used++] = (char)length;
        memcpy(names + used, parser->keywords[count], length);
        used += length;
    }
    *spec = (struct bind_spec){
        .fname = parser->fname == NULL ? "function" : parser->fname,
        .names = names,
        .count = (uint8_t)count,
        .posonly = (uint8_t)posonly,
        .maxpos = (uint8_t)maxpos,
        .minpos = (uint8_t)minpos,
        .minkw = (uint8_t)minkw,
    };
    return true;
}

PyObject *const *_PyArg_UnpackKeywords(PyObject *const *args, Py_ssize_t nargs, PyObject *kwargs,
                                       PyObject *kwnames, struct _PyArg_Parser *parser, int minpos,
                                       int maxpos, int minkw, PyObject **slots)
{
    char names[NAMES_MAX];
    struct bind_spec spec;
    return spec_of_parser(parser, minpos, maxpos, minkw, &spec, names)
               ? bind_unpack(&spec, args, nargs, kwnames, kwargs, slots)
               : NULL;
}

/* The tuple of further arguments (new reference) stands in slots[vararg], before the keyword-only ones. */
PyObject *const *_PyArg_UnpackKeywordsWithVararg(PyObject *const *args, Py_ssize_t nargs,
                                                 PyObject *kwargs, PyObject *kwnames,
                                                 struct _PyArg_Parser *parser, int minpos,
                                                 int maxpos, int minkw, int vararg,
                                                 PyObject **slots)
{
    char names[NAMES_MAX];
    struct bind_spec spec;
    if (!spec_of_parser(parser, minpos, maxpos, minkw, &spec, names)) {
        return NULL;
    }
    spec.vararg = true;
    if (bind_unpack(&spec, args, nargs, kwnames, kwargs, slots) == NULL) {
        return NULL;
    }
    Py_ssize_t more = nargs > maxpos ? nargs - maxpos : 0;
    PyObject *rest = PyTuple_New(more);
    if (rest == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < more; i++) {
        PyTuple_SET_ITEM(rest, i, Py_NewRef(args[maxpos + i]));
    }
    memmove(slots + vararg + 1, slots + vararg, (size_t)(spec.count - vararg) * sizeof *slots);
    slots[vararg] = rest;
    return slots;
}

/* A converter for PyArg_Parse: None leaves the number as it is. */
int _Py_convert_optional_to_ssize_t(PyObject *object, void *result)
{
    if (object == Py_None) {
        return 1;
    }
    if (!PyIndex_Check(object)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not %.200s",
                     Py_TYPE(object)->tp_name);
        return 0;
    }
    Py_ssize_t number = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    if (number == -1 && PyErr_Occurred()) {
        return 0;
    }
    *(Py_ssize_t *)result = number;
    return 1;
}

/* ---- sets --------------------------------------------------------------------------------------- */

int _PySet_Update(PyObject *set, PyObject *iterable)
{
    if (!PySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return set_update_from(set, iterable);
}

/* The next key (new reference) and its hash: 1, or 0 at the end. */
int _PySet_NextEntryRef(PyObject *set, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash)
{
    if (!PyAnySet_Check(set)) {
        PyErr_BadInternalCall();
        return -1;
    }
    int found = set_next(set, pos, key, hash);
    if (found) {
        Py_INCREF(*key);
    }
    return found;
}

/* ---- memory ------------------------------------------------------------------------------------- */

/* Is this an address, or a fill of the debug hooks? */
static bool looks_freed(const void *pointer)
{
    uintptr_t bits = (uintptr_t)pointer, byte = bits & 0xff;
    bool is_fill = byte == 0xcd || byte == 0xdd || byte == 0xfd;
    return bits <= 0xff || (is_fill && bits == byte * (UINTPTR_MAX / 0xff));
}

int _PyObject_IsFreed(PyObject *object)
{
    return looks_freed(object) || looks_freed(Py_TYPE(object));
}

/* ---- other things ------------------------------------------------------------------------------ */

/* The caller holds the dict's critical section; it may be entered again. */
int _PyDict_SetItem_KnownHash_LockHeld(PyObject *dict, PyObject *key, PyObject *value,
                                       Py_hash_t hash)
{
    if (!PyDict_Check(dict)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return dict_set(dict, key, hash, value);
}

/* Raises an exception whose cause is the current one: NULL. */
PyObject *_PyErr_FormatFromCause(PyObject *exception, const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    va_list args;
    va_start(args, format);
    PyErr_FormatV(exception, format, args);
    va_end(args);
    PyObject *raised = PyErr_GetRaisedException();
    PyException_SetContext(raised, Py_XNewRef(cause));
    PyException_SetCause(raised, cause);
    PyErr_SetRaisedException(raised);
    return NULL;
}

/* The locale of the environment for a category: its name, or NULL if there is no such locale. */
char *_Py_SetLocaleFromEnv(int category)
{
    return setlocale(category, "");
}

int _Py_IsValidFD(int fd)
{
    return fd >= 0 && fcntl(fd, F_GETFD) >= 0;
}

PyObject *_PyImport_GetModuleAttr(PyObject *name, PyObject *attribute)
{
    PyObject *module = PyImport_Import(name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttr(module, attribute);
    Py_XDECREF(module);
    return value;
}

PyObject *_PyImport_GetModuleAttrString(const char *name, const char *attribute)
{
    PyObject *module = PyImport_ImportModule(name);
    PyObject *value = module == NULL ? NULL : PyObject_GetAttrString(module, attribute);
    Py_XDECREF(module);
    return value;
}
