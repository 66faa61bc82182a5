/* The file system's encoding and the C library's: names of files, environment, error texts. */
#include "objects/str/internal.h"

#include "objects/codecs.h"
#include "objects/str/codec_charmap.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

/* Py_UTF8Mode and its likes are deprecated for others, but must exist. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* ---- The file system's encoding --------------------------------------------------------------- */

/* Names of a few encodings and handlers, never freed: set at start-up and by
 * sys._enablelegacywindowsfsencoding's likes, read by every thread. */
static struct {
    char encoding[64], errors[64];
} fs = {"utf-8", "surrogateescape"};

const char *Py_FileSystemDefaultEncoding = fs.encoding;
const char *Py_FileSystemDefaultEncodeErrors = fs.errors;
int Py_HasFileSystemDefaultEncoding = 0;
int Py_UTF8Mode = 0;

int codec_fs_set(const char *encoding, const char *errors)
{
    if (strlen(encoding) >= sizeof fs.encoding || strlen(errors) >= sizeof fs.errors) {
        PyErr_SetString(PyExc_ValueError, "name of the file system encoding is too long");
        return -1;
    }
    strcpy(fs.encoding, encoding);
    strcpy(fs.errors, errors);
    Py_HasFileSystemDefaultEncoding = 1;
    return 0;
}

const char *codec_fs_encoding(void)
{
    return fs.encoding;
}

const char *codec_fs_errors(void)
{
    return fs.errors;
}

PyObject *PyUnicode_DecodeFSDefaultAndSize(const char *text, Py_ssize_t size)
{
    return PyUnicode_Decode(text, size, fs.encoding, fs.errors);
}

PyObject *PyUnicode_DecodeFSDefault(const char *text)
{
    return PyUnicode_DecodeFSDefaultAndSize(text, (Py_ssize_t)strlen(text));
}

PyObject *PyUnicode_EncodeFSDefault(PyObject *s)
{
    return PyUnicode_AsEncodedString(s, fs.encoding, fs.errors);
}

/* Converters of argument parsing: `address` is a PyObject **; NULL releases what it holds. */
int PyUnicode_FSConverter(PyObject *argument, void *address)
{
    PyObject **out = address;
    if (argument == NULL) {
        Py_CLEAR(*out);
        return 1;
    }
    PyObject *path = PyOS_FSPath(argument);
    if (path == NULL) {
        return 0;
    }
    PyObject *bytes = path;
    if (!PyBytes_Check(path)) {
        bytes = PyUnicode_EncodeFSDefault(path);
        Py_DECREF(path);
        if (bytes == NULL) {
            return 0;
        }
    }
    if (strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        Py_DECREF(bytes);
        return 0;
    }
    *out = bytes;
    return Py_CLEANUP_SUPPORTED;
}

int PyUnicode_FSDecoder(PyObject *argument, void *address)
{
    PyObject **out = address;
    if (argument == NULL) {
        Py_CLEAR(*out);
        return 1;
    }
    PyObject *path = PyOS_FSPath(argument), *text;
    if (path == NULL) {
        return 0;
    }
    if (PyUnicode_Check(path)) {
        text = path;
    } else {
        text = PyUnicode_DecodeFSDefaultAndSize(PyBytes_AS_STRING(path), PyBytes_GET_SIZE(path));
        Py_DECREF(path);
        if (text == NULL) {
            return 0;
        }
    }
    if (str_find_char(text, 0, 0, str_len(text)) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        Py_DECREF(text);
        return 0;
    }
    *out = text;
    return Py_CLEANUP_SUPPORTED;
}

/* ---- The C library's encoding ----------------------------------------------------------------- */

static bool locale_is_utf8(void)
{
    if (Py_UTF8Mode > 0) {
        return true;
    }
    const char *codeset = nl_langinfo(CODESET);
    return codeset != NULL && strcmp(codeset, "UTF-8") == 0;
}

/* The handlers that the locale codec supports: 0 strict, 1 surrogateescape, 2 surrogatepass. */
static int locale_errors(const char *errors)
{
    switch (codec_errors_from_name(errors)) {
    case CODEC_ERRORS_STRICT:
        return 0;
    case CODEC_ERRORS_SURROGATEESCAPE:
        return 1;
    case CODEC_ERRORS_SURROGATEPASS:
        return 2;
    default:
        PyErr_SetString(PyExc_ValueError, "unsupported error handler");
        return -1;
    }
}

/* Decodes with mbrtowc() into `out` (room for `size` + 1); the number of characters, or -1 and in
 * *bad the place of the byte that does not decode. */
static Py_ssize_t decode_multibyte(const char *text, size_t size, bool escape, wchar_t *out,
                                   size_t *bad)
{
    mbstate_t state = {0};
    size_t i = 0;
    Py_ssize_t count = 0;
    while (i < size) {
        wchar_t ch;
        size_t used = mbrtowc(&ch, text + i, size - i, &state);
        if (used == 0) {
            used = 1;
            ch = 0;
        }
        bool wrong = used >= (size_t)-2 || ((Py_UCS4)ch & ~0x7ffu) == 0xd800
                     || (Py_UCS4)ch > STR_MAX_CODE_POINT;
        if (wrong) {
            if (!escape || (uint8_t)text[i] < 0x80) {
                *bad = i;
                return -1;
            }
            ch = (wchar_t)(0xdc00 + (uint8_t)text[i]);
            used = 1;
            memset(&state, 0, sizeof state);
        }
        out[count++] = ch;
        i += used;
    }
    out[count] = 0;
    return count;
}

PyObject *PyUnicode_DecodeLocaleAndSize(const char *text, Py_ssize_t size, const char *errors)
{
    if (text[size] != '\0' || (size_t)size != strlen(text)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return NULL;
    }
    int handler = locale_errors(errors);
    if (handler < 0) {
        return NULL;
    }
    if (locale_is_utf8() || handler == 2) {
        return PyUnicode_DecodeUTF8Stateful(text, size, errors, NULL);
    }
    wchar_t *wide = PyMem_New(wchar_t, size + 1);
    if (wide == NULL) {
        return PyErr_NoMemory();
    }
    size_t bad = 0;
    Py_ssize_t count = decode_multibyte(text, (size_t)size, handler == 1, wide, &bad);
    PyObject *result;
    if (count >= 0) {
        result = str_from_ucs4((Py_UCS4 *)wide, count);
    } else {
        PyObject *exception =
            PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", "locale", text, size,
                                  (Py_ssize_t)bad, (Py_ssize_t)bad + 1, "decoding error");
        if (exception != NULL) {
            PyErr_SetObject(PyExc_UnicodeDecodeError, exception);
            Py_DECREF(exception);
        }
        result = NULL;
    }
    PyMem_Free(wide);
    return result;
}

PyObject *PyUnicode_DecodeLocale(const char *text, const char *errors)
{
    return PyUnicode_DecodeLocaleAndSize(text, (Py_ssize_t)strlen(text), errors);
}

/* Encodes `n` characters with wcrtomb() into `out` (room for n * MB_CUR_MAX + 1): the length, or -1
 * and in *bad the place of the character that does not encode. */
static Py_ssize_t encode_multibyte(const wchar_t *text, size_t n, bool escape, char *out,
                                   size_t *bad)
{
    mbstate_t state = {0};
    char *p = out;
    for (size_t i = 0; i < n; i++) {
        if (escape && text[i] >= 0xdc80 && text[i] <= 0xdcff) {
            *p++ = (char)(text[i] - 0xdc00);
            continue;
        }
        size_t length = wcrtomb(p, text[i], &state);
        if (length == (size_t)-1) {
            *bad = i;
            return -1;
        }
        p += length;
    }
    *p = '\0';
    return p - out;
}

PyObject *PyUnicode_EncodeLocale(PyObject *s, const char *errors)
{
    int handler = locale_errors(errors);
    if (handler < 0) {
        return NULL;
    }
    Py_ssize_t length;
    wchar_t *wide = PyUnicode_AsWideCharString(s, &length);
    if (wide == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (wcslen(wide) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        goto done;
    }
    if (locale_is_utf8() || handler == 2) {
        result = _PyUnicode_AsUTF8String(s, errors);
        goto done;
    }
    char *bytes = PyMem_Malloc((size_t)length * MB_CUR_MAX + 1);
    if (bytes == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    size_t bad = 0;
    Py_ssize_t size = encode_multibyte(wide, (size_t)length, handler == 1, bytes, &bad);
    if (size >= 0) {
        result = PyBytes_FromStringAndSize(bytes, size);
    } else {
        PyObject *exception =
            PyObject_CallFunction(PyExc_UnicodeEncodeError, "sOnns", "locale", s, (Py_ssize_t)bad,
                                  (Py_ssize_t)bad + 1, "encoding error");
        if (exception != NULL) {
            PyErr_SetObject(PyExc_UnicodeEncodeError, exception);
            Py_DECREF(exception);
        }
    }
    PyMem_Free(bytes);
done:
    PyMem_Free(wide);
    return result;
}

/* ---- Before there is an interpreter: raw memory, no exceptions --------------------------------- */

/* UTF-8 with surrogateescape into wide characters (room for `size` + 1). */
static Py_ssize_t decode_utf8_raw(const uint8_t *p, size_t size, wchar_t *out)
{
    const uint8_t *end = p + size;
    Py_ssize_t count = 0;
    while (p < end) {
        Py_UCS4 ch = *p;
        int more = ch < 0x80                 ? 0
                   : ch >= 0xc2 && ch < 0xe0 ? 1
                   : ch >= 0xe0 && ch < 0xf0 ? 2
                   : ch >= 0xf0 && ch < 0xf5 ? 3
                                             : -1;
        bool good = more >= 0 && end - p > more;
        if (good && more > 0) {
            ch &= 0x3fu >> more;
            for (int i = 1; i <= more; i++) {
                good = good && (p[i] & 0xc0) == 0x80;
                ch = ch << 6 | (p[i] & 0x3f);
            }
            static const Py_UCS4 least[] = {0, 0x80, 0x800, 0x10000};
            good =
                good && ch >= least[more] && (ch & ~0x7ffu) != 0xd800 && ch <= STR_MAX_CODE_POINT;
        }
        out[count++] = good ? (wchar_t)ch : (wchar_t)(0xdc00 + *p);
        p += good ? more + 1 : 1;
    }
    out[count] = 0;
    return count;
}

wchar_t *Py_DecodeLocale(const char *text, size_t *length)
{
    size_t size = strlen(text), bad;
    wchar_t *out = PyMem_RawMalloc((size + 1) * sizeof *out);
    if (out == NULL) {
        if (length != NULL) {
            *length = (size_t)-1;
        }
        return NULL;
    }
    Py_ssize_t count = locale_is_utf8() ? decode_utf8_raw((const uint8_t *)text, size, out)
                                        : decode_multibyte(text, size, true, out, &bad);
    if (count < 0) {
        PyMem_RawFree(out);
        if (length != NULL) {
            *length = (size_t)-2;
        }
        return NULL;
    }
    if (length != NULL) {
        *length = (size_t)count;
    }
    return out;
}

static Py_ssize_t encode_utf8_raw(const wchar_t *text, size_t n, char *out, size_t *bad)
{
    uint8_t *p = (uint8_t *)out;
    for (size_t i = 0; i < n; i++) {
        Py_UCS4 ch = (Py_UCS4)text[i];
        if (ch >= 0xdc80 && ch <= 0xdcff) {
            *p++ = (uint8_t)(ch - 0xdc00);
        } else if (ch < 0x80) {
            *p++ = (uint8_t)ch;
        } else if ((ch & ~0x7ffu) == 0xd800 || ch > STR_MAX_CODE_POINT) {
            *bad = i;
            return -1;
        } else {
            int more = ch < 0x800 ? 1 : ch < 0x10000 ? 2 : 3;
            *p++ = (uint8_t)((0xff00u >> (more + 1) & 0xff) | ch >> (6 * more));
            while (more-- > 0) {
                *p++ = (uint8_t)(0x80 | (ch >> (6 * more) & 0x3f));
            }
        }
    }
    *p = '\0';
    return (char *)p - out;
}

char *Py_EncodeLocale(const wchar_t *text, size_t *error_position)
{
    size_t n = wcslen(text), bad = 0;
    bool utf8 = locale_is_utf8();
    char *out = PyMem_Malloc(n * (utf8 ? 4 : MB_CUR_MAX) + 1);
    if (error_position != NULL) {
        *error_position = (size_t)-1;
    }
    if (out == NULL) {
        return NULL;
    }
    Py_ssize_t size =
        utf8 ? encode_utf8_raw(text, n, out, &bad) : encode_multibyte(text, n, true, out, &bad);
    if (size < 0) {
        PyMem_Free(out);
        if (error_position != NULL) {
            *error_position = bad;
        }
        return NULL;
    }
    return out;
}
