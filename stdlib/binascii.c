/* The module binascii. */
#include "module.h"

#include <zlib.h>

struct binascii_state {
    PyObject *error, *incomplete;
};

#include "binascii.bind.h"

static PyObject *fail(PyObject *module, const char *message)
{
    PyErr_SetString(((struct binascii_state *)PyModule_GetState(module))->error, message);
    return NULL;
}

/* Bytes of at most `size`, to be written at the pointer; *out is a new reference. */
static unsigned char *bytes_new(PyObject **out, Py_ssize_t size)
{
    *out = PyBytes_FromStringAndSize(NULL, size);
    return *out ? (unsigned char *)PyBytes_AS_STRING(*out) : NULL;
}

/* Cuts `bytes` (stolen) where writing ended. */
static PyObject *bytes_end(PyObject *bytes, const unsigned char *end)
{
    _PyBytes_Resize(&bytes, end - (unsigned char *)PyBytes_AS_STRING(bytes));
    return bytes;
}

/* ---- base64 --------------------------------------------------------------------------------- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NO_DIGIT = 0xff };

#define X NO_DIGIT
static const unsigned char base64_value[256] = {
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  62, X,  X,  X,  63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, X,  X,  X,  X,  X,  X,  X,  0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, X,  X,  X,  X,  X,
    X,  26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
    X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
};
#undef X

/* Decodes groups of four digits as long as there is nothing else. */
static const unsigned char *base64_plain(const unsigned char *in, const unsigned char *end,
                                         unsigned char **out)
{
    unsigned char *to = *out;
    while (end - in >= 4) {
        uint32_t a = base64_value[in[0]], b = base64_value[in[1]], c = base64_value[in[2]],
                 d = base64_value[in[3]];
        if ((a | b | c | d) == NO_DIGIT) {
            break;
        }
        uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        to[0] = (unsigned char)(bits >> 16);
        to[1] = (unsigned char)(bits >> 8);
        to[2] = (unsigned char)bits;
        to += 3;
        in += 4;
    }
    *out = to;
    return in;
}

static PyObject *binascii_a2b_base64(PyObject *module, Py_buffer *data, int strict)
{
    const unsigned char *in = data->buf, *end = in + data->len;
    PyObject *result;
    unsigned char *start = bytes_new(&result, (data->len + 3) / 4 * 3), *out = start;
    if (out == NULL) {
        return NULL;
    }
    const char *complaint = NULL;
    int digits = 0, pads = 0; /* of the group of four that is being read */
    unsigned carry = 0;
    while (complaint == NULL) {
        if (digits == 0 && pads == 0) {
            in = base64_plain(in, end, &out);
        }
        if (in == end) {
            break;
        }
        unsigned char ch = *in++;
        unsigned value = base64_value[ch];
        if (ch == '=') {
            pads++;
            if (strict && digits == 1) {
                break;
            }
            if (strict && (digits == 0 || digits + pads > 4)) {
                complaint = in - 1 == data->buf ? "Leading padding not allowed"
                                                : "Excess padding not allowed";
            }
        } else if (value == NO_DIGIT) {
            complaint = strict ? "Only base64 data is allowed" : NULL;
        } else if (strict && pads != 0) {
            complaint = digits + pads == 4 ? "Excess data after padding"
                                           : "Discontinuous padding not allowed";
        } else {
            if (digits != 0) {
                int low = 6 - 2 * digits; /* bits of this digit that the next byte gets */
                *out++ = (unsigned char)(carry << (2 * digits) | value >> low);
                value &= (1u << low) - 1;
            }
            carry = value;
            digits = (digits + 1) & 3;
            pads = 0;
        }
    }
    if (complaint == NULL && digits == 1) {
        PyErr_Format(((struct binascii_state *)PyModule_GetState(module))->error,
                     "Invalid base64-encoded string: number of data characters (%zd) cannot be 1 "
                     "more than a multiple of 4",
                     (out - start) / 3 * 4 + 1);
        Py_DECREF(result);
        return NULL;
    }
    if (complaint == NULL && digits != 0 && digits + pads < 4) {
        complaint = "Incorrect padding";
    }
    if (complaint != NULL) {
        Py_DECREF(result);
        return fail(module, complaint);
    }
    return bytes_end(result, out);
}

static PyObject *binascii_b2a_base64(PyObject *module, Py_buffer *data, int newline)
{
    const unsigned char *in = data->buf;
    Py_ssize_t left = data->len;
    if (left > PY_SSIZE_T_MAX / 4 * 3 - 8) {
        return fail(module, "Too much data for base64 line");
    }
    PyObject *result;
    unsigned char *out = bytes_new(&result, (left + 2) / 3 * 4 + (newline != 0));
    if (out == NULL) {
        return NULL;
    }
    for (; left >= 3; left -= 3, in += 3, out += 4) {
        uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = (unsigned char)base64_digits[bits >> 18];
        out[1] = (unsigned char)base64_digits[bits >> 12 & 63];
        out[2] = (unsigned char)base64_digits[bits >> 6 & 63];
        out[3] = (unsigned char)base64_digits[bits & 63];
    }
    if (left > 0) {
        uint32_t bits = (uint32_t)in[0] << 16 | (left == 2 ? (uint32_t)in[1] << 8 : 0);
        *out++ = (unsigned char)base64_digits[bits >> 18];
        *out++ = (unsigned char)base64_digits[bits >> 12 & 63];
        *out++ = left == 2 ? (unsigned char)base64_digits[bits >> 6 & 63] : '=';
        *out++ = '=';
    }
    if (newline) {
        *out = '\n';
    }
    return result;
}

/* ---- hexadecimal ---------------------------------------------------------------------------- */

static inline unsigned hex_value(unsigned char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }
    ch |= 0x20;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10u : 16;
}

static PyObject *binascii_a2b_hex(PyObject *module, Py_buffer *hexstr)
{
    if (hexstr->len % 2) {
        return fail(module, "Odd-length string");
    }
    const unsigned char *in = hexstr->buf;
    PyObject *result;
    unsigned char *out = bytes_new(&result, hexstr->len / 2);
    for (Py_ssize_t i = 0; out != NULL && i < hexstr->len / 2; i++) {
        unsigned high = hex_value(in[2 * i]), low = hex_value(in[2 * i + 1]);
        if ((high | low) >= 16) {
            Py_DECREF(result);
            return fail(module, "Non-hexadecimal digit found");
        }
        out[i] = (unsigned char)(high << 4 | low);
    }
    return result;
}

static PyObject *binascii_unhexlify(PyObject *module, Py_buffer *hexstr)
{
    return binascii_a2b_hex(module, hexstr);
}

static PyObject *binascii_b2a_hex(PyObject *Py_UNUSED(module), Py_buffer *data, PyObject *sep,
                                  int bytes_per_sep)
{
    return _Py_strhex_bytes_with_sep(data->buf, data->len, sep, bytes_per_sep);
}

static PyObject *binascii_hexlify(PyObject *module, Py_buffer *data, PyObject *sep,
                                  int bytes_per_sep)
{
    return binascii_b2a_hex(module, data, sep, bytes_per_sep);
}

/* ---- uuencode ------------------------------------------------------------------------------- */

static PyObject *binascii_a2b_uu(PyObject *module, Py_buffer *data)
{
    const unsigned char *in = data->buf, *end = in + data->len;
    Py_ssize_t length = in < end ? (*in++ - ' ') & 63 : 32;
    PyObject *result;
    unsigned char *out = bytes_new(&result, length);
    if (out == NULL) {
        return NULL;
    }
    unsigned bits = 0;
    int held = 0;
    while (length > 0) {
        unsigned char ch = in < end ? *in++ : '\n';
        if (ch == '\n' || ch == '\r') {
            ch = ' '; /* trailing spaces may have been cut off */
            in = end;
        } else if (ch < ' ' || ch > ' ' + 64) {
            Py_DECREF(result);
            return fail(module, "Illegal char");
        }
        bits = bits << 6 | ((ch - ' ') & 63u);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (unsigned char)(bits >> held);
            length--;
        }
    }
    for (; in < end; in++) {
        if (*in != ' ' && *in != '`' && *in != '\n' && *in != '\r') {
            Py_DECREF(result);
            return fail(module, "Trailing garbage");
        }
    }
    return result;
}

static PyObject *binascii_b2a_uu(PyObject *module, Py_buffer *data, int backtick)
{
    if (data->len > 45) {
        return fail(module, "At most 45 bytes at once");
    }
    const unsigned char *in = data->buf;
    PyObject *result;
    unsigned char *out = bytes_new(&result, 2 + (data->len + 2) / 3 * 4);
    if (out == NULL) {
        return NULL;
    }
#define UU(value) ((unsigned char)((value) == 0 && backtick ? '`' : ' ' + (value)))
    *out++ = UU(data->len);
    for (Py_ssize_t i = 0; i < data->len; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= i + 1 < data->len ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= i + 2 < data->len ? in[i + 2] : 0;
        *out++ = UU(bits >> 18);
        *out++ = UU(bits >> 12 & 63);
        *out++ = UU(bits >> 6 & 63);
        *out++ = UU(bits & 63);
    }
#undef UU
    *out = '\n';
    return result;
}

/* ---- quoted-printable ----------------------------------------------------------------------- */

static PyObject *binascii_a2b_qp(PyObject *Py_UNUSED(module), Py_buffer *data, int header)
{
    const unsigned char *in = data->buf;
    Py_ssize_t length = data->len, i = 0;
    PyObject *result;
    unsigned char *out = bytes_new(&result, length);
    if (out == NULL) {
        return NULL;
    }
    while (i < length) {
        unsigned char ch = in[i++];
        if (ch != '=') {
            *out++ = header && ch == '_' ? ' ' : ch;
            continue;
        }
        if (i >= length) {
            break;
        }
        if (in[i] == '\n' || in[i] == '\r') { /* a soft line end: up to and with the newline */
            while (i < length && in[i] != '\n') {
                i++;
            }
            i++;
        } else if (in[i] == '=') { /* broken, but seen */
            *out++ = '=';
            i++;
        } else if (i + 1 < length && (hex_value(in[i]) | hex_value(in[i + 1])) < 16) {
            *out++ = (unsigned char)(hex_value(in[i]) << 4 | hex_value(in[i + 1]));
            i += 2;
        } else {
            *out++ = '=';
        }
    }
    return bytes_end(result, out);
}

enum { QP_LINE = 76 };

/* Writes into `out`, or only counts where that is NULL. */
struct qp_writer {
    unsigned char *out;
    Py_ssize_t written, column;
};

static inline void qp_put(struct qp_writer *w, unsigned char ch)
{
    if (w->out != NULL) {
        w->out[w->written] = ch;
    }
    w->written++;
    w->column++;
}

static void qp_put_quoted(struct qp_writer *w, unsigned char ch)
{
    static const char digits[] = "0123456789ABCDEF";
    qp_put(w, '=');
    qp_put(w, (unsigned char)digits[ch >> 4]);
    qp_put(w, (unsigned char)digits[ch & 15]);
}

/* A soft line end where `more` characters would make the line too long. */
static inline void qp_break(struct qp_writer *w, int more, bool crlf)
{
    if (w->column + more >= QP_LINE) {
        qp_put(w, '=');
        if (crlf) {
            qp_put(w, '\r');
        }
        qp_put(w, '\n');
        w->column = 0;
    }
}

static bool qp_needs_quoting(const unsigned char *in, Py_ssize_t length, Py_ssize_t i,
                             const int how[3], Py_ssize_t column)
{
    bool quotetabs = how[0], istext = how[1], header = how[2];
    unsigned char ch = in[i];
    bool last = i + 1 == length;
    if (ch > 126 || ch == '=' || (header && ch == '_')) {
        return true;
    }
    /* A dot alone on its line would end a mail. */
    if (ch == '.' && column == 0
        && (last || in[i + 1] == '\n' || in[i + 1] == '\r' || in[i + 1] == 0)) {
        return true;
    }
    if (!istext && (ch == '\r' || ch == '\n')) {
        return true;
    }
    if (ch == '\t' || ch == ' ') {
        return last || quotetabs;
    }
    return ch < 33 && ch != '\r' && ch != '\n';
}

static void qp_write(struct qp_writer *w, const unsigned char *in, Py_ssize_t length,
                     const int how[3], bool crlf)
{
    bool istext = how[1], header = how[2];
    for (Py_ssize_t i = 0; i < length;) {
        unsigned char ch = in[i];
        if (qp_needs_quoting(in, length, i, how, w->column)) {
            qp_break(w, 3, crlf);
            qp_put_quoted(w, ch);
            i++;
            continue;
        }
        bool line_end =
            istext && (ch == '\n' || (ch == '\r' && i + 1 < length && in[i + 1] == '\n'));
        if (line_end) {
            /* Whitespace before a line end does not survive mail: quote what was written last. */
            if (i > 0 && (in[i - 1] == ' ' || in[i - 1] == '\t') && w->column > 0 && !how[0]) {
                w->written--;
                qp_put_quoted(w, in[i - 1]);
            }
            if (crlf) {
                qp_put(w, '\r');
            }
            qp_put(w, '\n');
            w->column = 0;
            i += ch == '\r' ? 2 : 1;
            continue;
        }
        if (i + 1 != length && in[i + 1] != '\n') {
            qp_break(w, 1, crlf);
        }
        qp_put(w, header && ch == ' ' ? '_' : ch);
        i++;
    }
}

static PyObject *binascii_b2a_qp(PyObject *Py_UNUSED(module), Py_buffer *data, int quotetabs,
                                 int istext, int header)
{
    const unsigned char *in = data->buf;
    const int how[3] = {quotetabs, istext, header};
    const unsigned char *newline = memchr(in, '\n', (size_t)data->len);
    bool crlf = newline != NULL && newline > in && newline[-1] == '\r';
    struct qp_writer counter = {0}, writer = {0};
    qp_write(&counter, in, data->len, how, crlf);
    PyObject *result;
    writer.out = bytes_new(&result, counter.written);
    if (writer.out != NULL) {
        qp_write(&writer, in, data->len, how, crlf);
    }
    return result;
}

/* ---- checksums ------------------------------------------------------------------------------ */

static unsigned int binascii_crc32(PyObject *Py_UNUSED(module), Py_buffer *data, unsigned int crc)
{
    uLong value = crc;
    if (data->len > 1024 * 5) {
        Py_BEGIN_ALLOW_THREADS value = crc32_z(value, data->buf, (size_t)data->len);
        Py_END_ALLOW_THREADS
    } else {
        value = crc32_z(value, data->buf, (size_t)data->len);
    }
    return (unsigned int)value;
}

static unsigned int binascii_crc_hqx(PyObject *Py_UNUSED(module), Py_buffer *data, unsigned int crc)
{
    const unsigned char *in = data->buf;
    crc &= 0xffff;
    for (Py_ssize_t i = 0; i < data->len; i++) {
        crc ^= (unsigned)in[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
        }
        crc &= 0xffff;
    }
    return crc;
}

/* ---- the module ----------------------------------------------------------------------------- */

static int binascii_exec(PyObject *module)
{
    struct binascii_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("binascii.Error", PyExc_ValueError, NULL);
    state->incomplete = PyErr_NewException("binascii.Incomplete", NULL, NULL);
    return PyModule_AddObjectRef(module, "Error", state->error) < 0
                   || PyModule_AddObjectRef(module, "Incomplete", state->incomplete) < 0
               ? -1
               : 0;
}

STATE_OBJECTS(binascii)

static PyModuleDef_Slot binascii_slots[] = MODULE_SLOTS(binascii_exec);

static PyModuleDef binascii_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "binascii",      .m_doc = binascii_doc,
    .m_methods = binascii_methods, .m_slots = binascii_slots, STATE_FIELDS(binascii),
};

MODULE_INIT(binascii, binascii_module)
