/* From bytes in any encoding to UTF-8 text with '\n' line ends: byte order mark, coding cookie (PEP 263),
   newline translation. */

#include "source.h"

#include <string.h>

/* ---- the coding cookie ---- */

static bool is_encoding_char(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'
           || c == '_' || c == '.';
}

/* "utf-8" and "iso-8859-1" for all their spellings, else the name itself. */
static void normalise_encoding(char *name)
{
    char lower[13];
    size_t i;
    for (i = 0; i < 12 && name[i]; i++) {
        char c = name[i];
        lower[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    lower[i] = 0;
    if (strcmp(lower, "utf-8") == 0 || strncmp(lower, "utf-8-", 6) == 0) {
        strcpy(name, "utf-8");
    } else if (strcmp(lower, "latin-1") == 0 || strcmp(lower, "iso-8859-1") == 0
               || strcmp(lower, "iso-latin-1") == 0 || strncmp(lower, "latin-1-", 8) == 0
               || strncmp(lower, "iso-8859-1-", 11) == 0
               || strncmp(lower, "iso-latin-1-", 12) == 0) {
        strcpy(name, "iso-8859-1");
    }
}

/* Looks for a cookie in one line.  1: found (new, PyMem), 0: not, but the next line may have one; -1:
   no line behind this one may; -2: MemoryError. */
static int find_cookie(const char *line, const char *end, char **encoding)
{
    const char *p = line;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\f')) {
        p++;
    }
    if (p == end) {
        return 0;
    }
    if (*p != '#') {
        return -1;
    }
    for (; p + 6 < end; p++) {
        if (memcmp(p, "coding", 6) != 0 || (p[6] != ':' && p[6] != '=')) {
            continue;
        }
        const char *start = p + 7;
        while (start < end && (*start == ' ' || *start == '\t')) {
            start++;
        }
        const char *stop = start;
        while (stop < end && is_encoding_char((unsigned char)*stop)) {
            stop++;
        }
        if (stop > start) {
            size_t len = (size_t)(stop - start);
            char *name = PyMem_Malloc(len + 13);
            if (name == NULL) {
                PyErr_NoMemory();
                return -2;
            }
            memcpy(name, start, len);
            name[len] = 0;
            normalise_encoding(name);
            *encoding = name;
            return 1;
        }
    }
    return 0;
}

static int find_encoding(const char *source, size_t len, char **encoding)
{
    const char *p = source, *end = source + len;
    for (int line = 0; line < 2 && p < end; line++) {
        const char *stop = p;
        while (stop < end && *stop != '\n' && *stop != '\r') {
            stop++;
        }
        int found = find_cookie(p, stop, encoding);
        if (found != 0) {
            return found == -2 ? -1 : 0;
        }
        p = stop;
        if (p < end && *p == '\r') {
            p++;
        }
        if (p < end && *p == '\n') {
            p++;
        }
    }
    return 0;
}

/* ---- decoding ---- */

/* Errors of the encoding have no place: `message` is stolen. */
static void raise_encoding(PyObject *filename, PyObject *message)
{
    PyObject *args = message == NULL
                         ? NULL
                         : Py_BuildValue("(O(OiiOOO))", message, filename ? filename : Py_None, 0,
                                         -1, Py_None, Py_None, Py_None);
    if (args != NULL) {
        PyErr_SetObject(PyExc_SyntaxError, args);
        Py_DECREF(args);
    }
    Py_XDECREF(message);
}

/* The first byte that is not UTF-8, or NULL. */
static const char *find_invalid(const char *source, size_t len)
{
    const unsigned char *p = (const unsigned char *)source, *end = p + len;
    while (p < end) {
        if (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, 8);
            if ((word & 0x8080808080808080u) == 0) {
                p += 8;
                continue;
            }
        }
        const char *start = (const char *)p;
        unsigned c = *p++;
        if (c < 0x80) {
            continue;
        }
        int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        if (c < 0xC2 || c > 0xF4 || end - p < more) {
            return start;
        }
        if ((c == 0xE0 && p[0] < 0xA0) || (c == 0xED && p[0] > 0x9F) || (c == 0xF0 && p[0] < 0x90)
            || (c == 0xF4 && p[0] > 0x8F)) {
            return start;
        }
        for (; more > 0; more--) {
            if ((*p++ & 0xC0) != 0x80) {
                return start;
            }
        }
    }
    return NULL;
}

int source_check_file(const char *source, size_t len, PyObject *filename)
{
    char *encoding = NULL;
    if (find_encoding(source, len, &encoding) < 0) {
        return -1;
    }
    bool other = encoding != NULL && strcmp(encoding, "utf-8") != 0;
    PyObject *tried = other ? PyUnicode_Decode("", 0, encoding, NULL) : NULL;
    if (other && tried == NULL
        && (PyErr_ExceptionMatches(PyExc_LookupError)
            || PyErr_ExceptionMatches(PyExc_UnicodeError))) {
        PyErr_Clear();
        PyErr_Format(PyExc_SyntaxError, "encoding problem: %s", encoding);
    }
    bool failed = other && tried == NULL;
    Py_XDECREF(tried);
    PyMem_Free(encoding);
    if (failed) {
        return -1;
    }
    const char *at = other ? NULL : find_invalid(source, len);
    if (at == NULL) {
        return 0;
    }
    int line = 1;
    for (const char *p = source; p < at; p++) {
        line += *p == '\n';
    }
    PyErr_Format(PyExc_SyntaxError,
                 "Non-UTF-8 code starting with '\\x%.2x' in file %U on line %i, "
                 "but no encoding declared; see https://peps.python.org/pep-0263/ for details",
                 (unsigned char)*at, filename, line);
    return -1;
}

/* ---- newlines ---- */

/* Makes a NUL-terminated copy with '\n' line ends, or none if the text is fine as it is. */
static int translate(struct source *out, const char *text, size_t len, bool end_line)
{
    bool missing = end_line && (len == 0 || (text[len - 1] != '\n' && text[len - 1] != '\r'));
    if (memchr(text, '\r', len) == NULL && !missing && text[len] == 0) {
        out->text = text;
        out->len = len;
        return 0;
    }
    char *copy = PyMem_Malloc(len + 2), *to = copy;
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\r') {
            c = '\n';
            if (i + 1 < len && text[i + 1] == '\n') {
                i++;
            }
        }
        *to++ = c;
    }
    if (missing && len > 0) {
        *to++ = '\n';
        out->implicit_newline = true;
    }
    *to = 0;
    PyMem_Free(out->owned);
    out->text = out->owned = copy;
    out->len = (size_t)(to - copy);
    return 0;
}

/* ---- the whole way ---- */

void source_clear(struct source *source)
{
    PyMem_Free(source->owned);
    PyMem_Free(source->encoding);
    source->owned = source->encoding = NULL;
}

static int recode(struct source *out, const char *source, size_t len, PyObject *filename)
{
    PyObject *text = PyUnicode_Decode(source, (Py_ssize_t)len, out->encoding, NULL);
    if (text == NULL) {
        if (PyErr_ExceptionMatches(PyExc_LookupError)
            || PyErr_ExceptionMatches(PyExc_UnicodeError)) {
            PyObject *error = PyErr_GetRaisedException();
            raise_encoding(filename, PyObject_Str(error));
            Py_DECREF(error);
        }
        return -1;
    }
    PyObject *utf8 = PyUnicode_AsUTF8String(text);
    Py_DECREF(text);
    if (utf8 == NULL) {
        return -1;
    }
    size_t size = (size_t)PyBytes_GET_SIZE(utf8);
    out->owned = PyMem_Malloc(size + 1);
    if (out->owned == NULL) {
        Py_DECREF(utf8);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(out->owned, PyBytes_AS_STRING(utf8), size + 1);
    Py_DECREF(utf8);
    out->text = out->owned;
    out->len = size;
    return 0;
}

int source_decode(struct source *out, const char *source, size_t len, const char *encoding,
                  bool is_utf8, bool end_line, PyObject *filename)
{
    memset(out, 0, sizeof(*out));
    if (len > INT32_MAX - 16) {
        PyErr_SetString(PyExc_OverflowError, "source code is too long");
        return -1;
    }
    if (memchr(source, 0, len) != NULL) {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
        return -1;
    }
    if (!is_utf8) {
        bool bom = len >= 3 && memcmp(source, "\xEF\xBB\xBF", 3) == 0;
        if (bom) {
            source += 3;
            len -= 3;
        }
        if (encoding != NULL) {
            out->encoding = PyMem_Malloc(strlen(encoding) + 1);
            if (out->encoding == NULL) {
                PyErr_NoMemory();
                return -1;
            }
            strcpy(out->encoding, encoding);
        } else if (find_encoding(source, len, &out->encoding) < 0) {
            return -1;
        }
        if (bom && out->encoding != NULL && strcmp(out->encoding, "utf-8") != 0) {
            raise_encoding(filename,
                           PyUnicode_FromFormat("encoding problem: %s with BOM", out->encoding));
            goto error;
        }
        if (out->encoding != NULL && strcmp(out->encoding, "utf-8") != 0) {
            if (recode(out, source, len, filename) < 0) {
                goto error;
            }
            source = out->text;
            len = out->len;
        } else {
            out->invalid = find_invalid(source, len) != NULL;
        }
    }
    if (translate(out, source, len, end_line) < 0) {
        goto error;
    }
    return 0;

error:
    source_clear(out);
    return -1;
}
