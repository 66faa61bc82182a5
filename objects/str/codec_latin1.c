/* ASCII and latin-1. */
#include "objects/str/internal.h"

#include "objects/codecs/callbacks.h"

PyObject *PyUnicode_DecodeLatin1(const char *text, Py_ssize_t size, const char *errors)
{
    (void)errors; /* every byte is a character */
    return str_from_latin1((const uint8_t *)text, size);
}

PyObject *PyUnicode_DecodeASCII(const char *text, Py_ssize_t size, const char *errors)
{
    if (str_data_maxchar(1, text, size) < 0x80) {
        return str_from_ascii(text, size);
    }
    struct text_decoder d;
    text_decoder_init(&d, "ascii", errors, text, size);
    const uint8_t *p = d.start;
    while (p < d.end) {
        const uint8_t *run = p;
        while (p < d.end && *p < 0x80) {
            p++;
        }
        if (str_writer_ascii(&d.out, (const char *)run, p - run) < 0) {
            return text_decoder_finish(&d, true);
        }
        if (p < d.end) {
            Py_ssize_t at = p - d.start;
            at = text_decoder_error(&d, "ordinal not in range(128)", at, at + 1);
            if (at < 0) {
                return text_decoder_finish(&d, true);
            }
            p = d.start + at;
        }
    }
    return text_decoder_finish(&d, false);
}

/* ---- Encoding: characters below `limit` (128 or 256) are their own bytes ---------------------- */

static const char *limit_reason(Py_UCS4 limit)
{
    return limit == 256 ? "ordinal not in range(256)" : "ordinal not in range(128)";
}

/* Characters [start, end) by a built-in handler: how many it dealt with, -1 on failure. */
static Py_ssize_t builtin_handler(struct text_encoder *e, struct bytes_writer *w, Py_ssize_t start,
                                  Py_ssize_t end)
{
    char text[12];
    Py_ssize_t i = start;
    for (; i < end; i++) {
        Py_UCS4 ch = str_read(e->text, i);
        int length = 0;
        switch (e->kind) {
        case CODEC_ERRORS_IGNORE:
            break;
        case CODEC_ERRORS_REPLACE:
            text[length++] = '?';
            break;
        case CODEC_ERRORS_SURROGATEESCAPE:
            if (ch < 0xdc80 || ch > 0xdcff) {
                return i - start;
            }
            text[length++] = (char)(ch - 0xdc00);
            break;
        case CODEC_ERRORS_BACKSLASHREPLACE:
            length = escape_backslash(ch, text);
            break;
        case CODEC_ERRORS_XMLCHARREFREPLACE:
            length = escape_xml(ch, text);
            break;
        default:
            return i - start;
        }
        if (bytes_writer_write(w, text, length) < 0) {
            return -1;
        }
    }
    return i - start;
}

static Py_ssize_t handle_run(struct text_encoder *e, struct bytes_writer *w, Py_UCS4 limit,
                             Py_ssize_t start)
{
    Py_ssize_t end = start + 1, next;
    while (end < str_len(e->text) && str_read(e->text, end) >= limit) {
        end++;
    }
    if (e->kind == CODEC_ERRORS_STRICT) {
        text_encoder_raise(e, limit_reason(limit), start, end);
        return -1;
    }
    Py_ssize_t done = builtin_handler(e, w, start, end);
    if (done < 0 || start + done == end) {
        return done < 0 ? -1 : end;
    }
    start += done;
    PyObject *replacement = text_encoder_ask(e, limit_reason(limit), start, end, &next);
    if (replacement == NULL) {
        return -1;
    }
    int failed;
    if (PyBytes_Check(replacement)) {
        failed = bytes_writer_write(w, bytes_data(replacement), bytes_len(replacement));
    } else if (str_maxchar(replacement) >= limit) {
        text_encoder_raise(e, limit_reason(limit), start, start + 1);
        failed = -1;
    } else {
        failed = bytes_writer_write(w, str_data(replacement), str_len(replacement));
    }
    Py_DECREF(replacement);
    return failed < 0 ? -1 : next;
}

static PyObject *encode_limited(PyObject *s, const char *errors, Py_UCS4 limit)
{
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    if (str_maxchar(s) < limit) {
        return bytes_from(str_data(s), str_len(s));
    }
    struct text_encoder e;
    struct bytes_writer w;
    text_encoder_init(&e, limit == 256 ? "latin-1" : "ascii", errors, s);
    bytes_writer_init(&w);
    Py_ssize_t i = 0, n = str_len(s);
    if (bytes_writer_reserve(&w, n) < 0) {
        return NULL;
    }
    while (i >= 0 && i < n) {
        Py_UCS4 ch = str_read(s, i);
        if (ch >= limit) {
            i = handle_run(&e, &w, limit, i);
        } else {
            i = bytes_writer_byte(&w, (uint8_t)ch) < 0 ? -1 : i + 1;
        }
    }
    text_encoder_drop(&e);
    if (i < 0) {
        bytes_writer_drop(&w);
        return NULL;
    }
    return bytes_writer_finish(&w);
}

PyObject *_PyUnicode_AsLatin1String(PyObject *s, const char *errors)
{
    return encode_limited(s, errors, 256);
}

PyObject *_PyUnicode_AsASCIIString(PyObject *s, const char *errors)
{
    return encode_limited(s, errors, 128);
}

PyObject *PyUnicode_AsLatin1String(PyObject *s)
{
    return encode_limited(s, NULL, 256);
}

PyObject *PyUnicode_AsASCIIString(PyObject *s)
{
    return encode_limited(s, NULL, 128);
}
