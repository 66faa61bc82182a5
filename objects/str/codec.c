/* Encoding and decoding by name: the built-in codecs directly, others through the registry. */
#include "objects/str/internal.h"

#include "objects/codecs.h"
#include "objects/str/codec_charmap.h"

static PyObject *decode_builtin(enum codec_builtin codec, const char *text, Py_ssize_t size,
                                const char *errors)
{
    int order;
    switch (codec) {
    case CODEC_UTF_8:
        return PyUnicode_DecodeUTF8Stateful(text, size, errors, NULL);
    case CODEC_UTF_16:
    case CODEC_UTF_16_LE:
    case CODEC_UTF_16_BE:
        order = codec == CODEC_UTF_16 ? 0 : codec == CODEC_UTF_16_LE ? -1 : 1;
        return PyUnicode_DecodeUTF16(text, size, errors, &order);
    case CODEC_UTF_32:
    case CODEC_UTF_32_LE:
    case CODEC_UTF_32_BE:
        order = codec == CODEC_UTF_32 ? 0 : codec == CODEC_UTF_32_LE ? -1 : 1;
        return PyUnicode_DecodeUTF32(text, size, errors, &order);
    case CODEC_LATIN_1:
        return PyUnicode_DecodeLatin1(text, size, errors);
    default:
        return PyUnicode_DecodeASCII(text, size, errors);
    }
}

PyObject *PyUnicode_Decode(const char *text, Py_ssize_t size, const char *encoding,
                           const char *errors)
{
    if (codec_checks_names && codec_check_names(encoding, errors) < 0) {
        return NULL;
    }
    if (encoding == NULL) {
        return PyUnicode_DecodeUTF8Stateful(text, size, errors, NULL);
    }
    enum codec_builtin codec = codec_builtin_from_name(encoding);
    if (codec != CODEC_NOT_BUILTIN) {
        return decode_builtin(codec, text, size, errors);
    }
    PyObject *view = PyMemoryView_FromMemory((char *)text, size, PyBUF_READ);
    if (view == NULL) {
        return NULL;
    }
    PyObject *result = codec_decode_text(view, encoding, errors);
    Py_DECREF(view);
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' decoder returned '%.400s' instead of 'str'; "
                     "use codecs.decode() to decode to arbitrary types",
                     encoding, Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    if (result != NULL && !PyUnicode_CheckExact(result)) {
        Py_SETREF(result, str_exact(result));
    }
    return result;
}

PyObject *PyUnicode_FromEncodedObject(PyObject *object, const char *encoding, const char *errors)
{
    if (object == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_Check(object)) {
        return PyUnicode_Decode(PyBytes_AS_STRING(object), PyBytes_GET_SIZE(object), encoding,
                                errors);
    }
    if (PyUnicode_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "decoding str is not supported");
        return NULL;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "decoding to str: need a bytes-like object, %.80s found",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    PyObject *result = PyUnicode_Decode(view.buf, view.len, encoding, errors);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *encode_builtin(enum codec_builtin codec, PyObject *s, const char *errors)
{
    switch (codec) {
    case CODEC_UTF_8:
        return _PyUnicode_AsUTF8String(s, errors);
    case CODEC_UTF_16:
        return _PyUnicode_EncodeUTF16(s, errors, 0);
    case CODEC_UTF_16_LE:
        return _PyUnicode_EncodeUTF16(s, errors, -1);
    case CODEC_UTF_16_BE:
        return _PyUnicode_EncodeUTF16(s, errors, 1);
    case CODEC_UTF_32:
        return _PyUnicode_EncodeUTF32(s, errors, 0);
    case CODEC_UTF_32_LE:
        return _PyUnicode_EncodeUTF32(s, errors, -1);
    case CODEC_UTF_32_BE:
        return _PyUnicode_EncodeUTF32(s, errors, 1);
    case CODEC_LATIN_1:
        return _PyUnicode_AsLatin1String(s, errors);
    default:
        return _PyUnicode_AsASCIIString(s, errors);
    }
}

PyObject *PyUnicode_AsEncodedString(PyObject *s, const char *encoding, const char *errors)
{
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    if (codec_checks_names && codec_check_names(encoding, errors) < 0) {
        return NULL;
    }
    if (encoding == NULL) {
        return _PyUnicode_AsUTF8String(s, errors);
    }
    enum codec_builtin codec = codec_builtin_from_name(encoding);
    if (codec != CODEC_NOT_BUILTIN) {
        return encode_builtin(codec, s, errors);
    }
    PyObject *result = codec_encode_text(s, encoding, errors);
    if (result == NULL || PyBytes_Check(result)) {
        return result;
    }
    if (PyByteArray_Check(result)) {
        PyObject *bytes = NULL;
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                             "encoder %s returned bytearray instead of bytes; "
                             "use codecs.encode() to encode to arbitrary types",
                             encoding)
            == 0) {
            bytes = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(result),
                                              PyByteArray_GET_SIZE(result));
        }
        Py_DECREF(result);
        return bytes;
    }
    PyErr_Format(PyExc_TypeError,
                 "'%.400s' encoder returned '%.400s' instead of 'bytes'; "
                 "use codecs.encode() to encode to arbitrary types",
                 encoding, Py_TYPE(result)->tp_name);
    Py_DECREF(result);
    return NULL;
}

/* ---- Old functions, deprecated since 3.6: they go through codecs of any kind ------------------- */

static PyObject *deprecated(const char *name, const char *instead)
{
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "%s is deprecated; use %s instead", name,
                            instead)
                   < 0
               ? NULL
               : Py_None;
}

static PyObject *checked_str(PyObject *result, const char *kind)
{
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.400s' %s returned '%.400s' instead of 'str'; "
                     "use codecs.%s() to %s to arbitrary types",
                     "", kind, Py_TYPE(result)->tp_name, kind, kind);
        Py_CLEAR(result);
    }
    return result;
}

PyObject *PyUnicode_AsDecodedObject(PyObject *s, const char *encoding, const char *errors)
{
    if (str_check_argument(s) < 0
        || deprecated("PyUnicode_AsDecodedObject()", "PyCodec_Decode() to decode from str")
               == NULL) {
        return NULL;
    }
    return PyCodec_Decode(s, encoding == NULL ? "utf-8" : encoding, errors);
}

PyObject *PyUnicode_AsDecodedUnicode(PyObject *s, const char *encoding, const char *errors)
{
    if (str_check_argument(s) < 0
        || deprecated("PyUnicode_AsDecodedUnicode()", "PyCodec_Decode() to decode from str to str")
               == NULL) {
        return NULL;
    }
    return checked_str(PyCodec_Decode(s, encoding == NULL ? "utf-8" : encoding, errors), "decode");
}

PyObject *PyUnicode_AsEncodedObject(PyObject *s, const char *encoding, const char *errors)
{
    if (str_check_argument(s) < 0
        || deprecated("PyUnicode_AsEncodedObject()",
                      "PyUnicode_AsEncodedString() to encode from str to bytes "
                      "or PyCodec_Encode() for generic encoding")
               == NULL) {
        return NULL;
    }
    return PyCodec_Encode(s, encoding == NULL ? "utf-8" : encoding, errors);
}

PyObject *PyUnicode_AsEncodedUnicode(PyObject *s, const char *encoding, const char *errors)
{
    if (str_check_argument(s) < 0
        || deprecated("PyUnicode_AsEncodedUnicode()", "PyCodec_Encode() to encode from str to str")
               == NULL) {
        return NULL;
    }
    return checked_str(PyCodec_Encode(s, encoding == NULL ? "utf-8" : encoding, errors), "encode");
}
