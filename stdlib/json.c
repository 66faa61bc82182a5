/* The module _json: reading and writing JSON. */
#include "module.h"

#include "objects/int/text.h"
#include "objects/str/copy.h"

#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct scanner {
    PyObject_HEAD
    signed char strict;
    PyObject *object_hook, *object_pairs_hook, *parse_float, *parse_int, *parse_constant;
};

struct encoder {
    PyObject_HEAD
    PyObject *markers, *fallback, *encode, *indent, *key_separator, *item_separator;
    char sort_keys, skipkeys;
    int allow_nan;
    enum { CALL_ENCODE, PLAIN_ASCII, PLAIN } how; /* how strings are encoded */
};

struct json_state {
    PyObject *scanner_type, *encoder_type;
};

#include "json.bind.h"

/* ---- errors --------------------------------------------------------------------------------- */

/* Raises json.JSONDecodeError(message, text, at). */
static void raise_decode_error(const char *message, PyObject *text, Py_ssize_t at)
{
    PyObject *module = PyImport_ImportModule("json.decoder");
    PyObject *type = module ? PyObject_GetAttrString(module, "JSONDecodeError") : NULL;
    PyObject *error = type ? PyObject_CallFunction(type, "zOn", message, text, at) : NULL;
    if (error != NULL) {
        PyErr_SetObject(type, error);
    }
    Py_XDECREF(module);
    Py_XDECREF(type);
    Py_XDECREF(error);
}

/* Nothing that could be a value stands there. */
static PyObject *raise_stop(Py_ssize_t at)
{
    PyObject *value = PyLong_FromSsize_t(at);
    if (value != NULL) {
        PyErr_SetObject(PyExc_StopIteration, value);
        Py_DECREF(value);
    }
    return NULL;
}

/* ---- growing text --------------------------------------------------------------------------- */

/* Text as UTF-8, where lone surrogates pass.  Most text is ASCII and then need not be decoded. */
struct text {
    char *at;
    size_t length, capacity;
    bool ascii;
    char space[256];
};

static void text_init(struct text *t)
{
    t->at = t->space;
    t->length = 0;
    t->capacity = sizeof t->space;
    t->ascii = true;
}

static void text_drop(struct text *t)
{
    if (t->at != t->space) {
        PyMem_Free(t->at);
    }
}

static bool text_grow(struct text *t, size_t more)
{
    size_t capacity = t->capacity * 2;
    while (capacity < t->length + more) {
        capacity *= 2;
    }
    char *larger = t->at == t->space ? PyMem_Malloc(capacity) : PyMem_Realloc(t->at, capacity);
    if (larger == NULL) {
        PyErr_NoMemory();
        return false;
    }
    if (t->at == t->space) {
        memcpy(larger, t->space, t->length);
    }
    t->at = larger;
    t->capacity = capacity;
    return true;
}

/* Room for `more` bytes behind the end, or NULL with MemoryError. */
static inline char *text_room(struct text *t, size_t more)
{
    if (UNLIKELY(t->capacity - t->length < more) && !text_grow(t, more)) {
        return NULL;
    }
    return t->at + t->length;
}

static inline bool text_add(struct text *t, const char *bytes, size_t count)
{
    char *to = text_room(t, count);
    if (to == NULL) {
        return false;
    }
    copy_short(to, bytes, count);
    t->length += count;
    return true;
}

#define TEXT_ADD(t, literal) text_add(t, literal, sizeof(literal) - 1)

/* One character as UTF-8 at `to`; returns the end. */
static inline char *utf8_put(char *to, Py_UCS4 ch)
{
    if (ch < 0x80) {
        *to++ = (char)ch;
        return to;
    }
    if (ch < 0x800) {
        *to++ = (char)(0xc0 | ch >> 6);
    } else {
        if (ch < 0x10000) {
            *to++ = (char)(0xe0 | ch >> 12);
        } else {
            *to++ = (char)(0xf0 | ch >> 18);
            *to++ = (char)(0x80 | (ch >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (ch >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (ch & 0x3f));
    return to;
}

static bool text_add_char(struct text *t, Py_UCS4 ch)
{
    char *to = text_room(t, 4);
    if (to == NULL) {
        return false;
    }
    t->ascii &= ch < 0x80;
    t->length = (size_t)(utf8_put(to, ch) - t->at);
    return true;
}

/* Characters [from, to) of a str. */
static bool text_add_part(struct text *t, PyObject *str, Py_ssize_t from, Py_ssize_t to)
{
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    if (PyUnicode_IS_ASCII(str)) {
        return text_add(t, (const char *)data + from, (size_t)(to - from));
    }
    char *out = text_room(t, (size_t)(to - from) * 4);
    if (out == NULL) {
        return false;
    }
    for (Py_ssize_t i = from; i < to; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        t->ascii &= ch < 0x80;
        out = utf8_put(out, ch);
    }
    t->length = (size_t)(out - t->at);
    return true;
}

static PyObject *text_finish(struct text *t)
{
    PyObject *str;
    if (t->ascii) {
        str = PyUnicode_New((Py_ssize_t)t->length, 127);
        if (str != NULL) {
            memcpy(PyUnicode_1BYTE_DATA(str), t->at, t->length);
        }
    } else {
        str = PyUnicode_DecodeUTF8(t->at, (Py_ssize_t)t->length, "surrogatepass");
    }
    text_drop(t);
    return str;
}

/* Where the run of bytes from i on ends that are no quote, no backslash and, with `strict`, no control
 * characters. */
static inline Py_ssize_t plain_bytes(const uint8_t *data, Py_ssize_t i, Py_ssize_t length,
                                     bool strict)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(strict ? 0x1f : 0);
    for (; i + 16 <= length; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(data + i));
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, control), block);
        __m128i special =
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash));
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, special));
        if (hits != 0) {
            i += __builtin_ctz(hits);
            if (strict || data[i] != 0) {
                return i;
            }
            break; /* a zero that may stand there: slowly */
        }
    }
#endif
    while (i < length && data[i] != '"' && data[i] != '\\' && (data[i] > 0x1f || !strict)) {
        i++;
    }
    return i;
}

/* ---- reading strings ------------------------------------------------------------------------ */

/* The str that is read, and shortcuts into it. */
struct source {
    PyObject *str;
    const void *data;
    int kind;
    Py_ssize_t length;
};

static inline Py_UCS4 source_at(const struct source *s, Py_ssize_t i)
{
    return PyUnicode_READ(s->kind, s->data, i);
}

static struct source source_of(PyObject *str)
{
    return (struct source){str, PyUnicode_DATA(str), PyUnicode_KIND(str),
                           PyUnicode_GET_LENGTH(str)};
}

/* Where the run of plain characters from i on ends. */
static inline Py_ssize_t plain_run(const struct source *s, Py_ssize_t i, bool strict)
{
    if (s->kind == PyUnicode_1BYTE_KIND) {
        return plain_bytes(s->data, i, s->length, strict);
    }
    for (; i < s->length; i++) {
        Py_UCS4 ch = source_at(s, i);
        if (ch == '"' || ch == '\\' || (ch <= 0x1f && strict)) {
            break;
        }
    }
    return i;
}

/* Four hexadecimal digits at i, or -1. */
static long four_digits(const struct source *s, Py_ssize_t i)
{
    long value = 0;
    if (i + 4 > s->length) {
        return -1;
    }
    for (int k = 0; k < 4; k++) {
        Py_UCS4 ch = source_at(s, i + k);
        Py_UCS4 low = ch | 0x20;
        if (ch >= '0' && ch <= '9') {
            value = value << 4 | (long)(ch - '0');
        } else if (low >= 'a' && low <= 'f' && ch < 0x80) {
            value = value << 4 | (long)(low - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

/* The character that the escape at *i (behind the backslash) means; moves *i behind it.  False with
 * an exception. */
static bool read_escape(const struct source *s, Py_ssize_t *i, Py_ssize_t begin, Py_UCS4 *out)
{
    if (*i >= s->length) {
        raise_decode_error("Unterminated string starting at", s->str, begin);
        return false;
    }
    Py_UCS4 ch = source_at(s, (*i)++);
    switch (ch) {
    case '"':
    case '\\':
    case '/':
        *out = ch;
        return true;
    case 'b':
        *out = '\b';
        return true;
    case 'f':
        *out = '\f';
        return true;
    case 'n':
        *out = '\n';
        return true;
    case 'r':
        *out = '\r';
        return true;
    case 't':
        *out = '\t';
        return true;
    case 'u':
        break;
    default:
        raise_decode_error("Invalid \\escape", s->str, *i - 2);
        return false;
    }
    long value = four_digits(s, *i);
    if (value < 0) {
        raise_decode_error("Invalid \\uXXXX escape", s->str, *i - 1);
        return false;
    }
    *i += 4;
    if (value >= 0xd800 && value < 0xdc00 && *i + 6 <= s->length && source_at(s, *i) == '\\'
        && source_at(s, *i + 1) == 'u') {
        long low = four_digits(s, *i + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
            *i += 6;
        }
    }
    *out = (Py_UCS4)value;
    return true;
}

/* Reads a string that begins behind the quote at i - 1; *end is behind its last quote. */
static PyObject *read_string(const struct source *s, Py_ssize_t i, bool strict, Py_ssize_t *end)
{
    Py_ssize_t begin = i - 1;
    if (i < 0 || i > s->length) {
        PyErr_SetString(PyExc_ValueError, "end is out of bounds");
        return NULL;
    }
    Py_ssize_t run = plain_run(s, i, strict);
    if (run < s->length && source_at(s, run) == '"') {
        *end = run + 1;
        return PyUnicode_Substring(s->str, i, run);
    }
    struct text text;
    text_init(&text);
    for (;;) {
        if (!text_add_part(&text, s->str, i, run)) {
            break;
        }
        if (run >= s->length) {
            raise_decode_error("Unterminated string starting at", s->str, begin);
            break;
        }
        Py_UCS4 ch = source_at(s, run);
        i = run + 1;
        if (ch == '"') {
            *end = i;
            return text_finish(&text);
        }
        if (ch != '\\') {
            raise_decode_error("Invalid control character at", s->str, run);
            break;
        }
        if (!read_escape(s, &i, begin, &ch) || !text_add_char(&text, ch)) {
            break;
        }
        run = plain_run(s, i, strict);
    }
    text_drop(&text);
    return NULL;
}

static PyObject *json_scanstring(PyObject *Py_UNUSED(module), PyObject *string, Py_ssize_t end,
                                 int strict)
{
    if (!PyUnicode_Check(string)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s",
                     Py_TYPE(string)->tp_name);
        return NULL;
    }
    struct source source = source_of(string);
    Py_ssize_t next;
    PyObject *value = read_string(&source, end, strict, &next);
    return value ? Py_BuildValue("Nn", value, next) : NULL;
}

/* ---- reading values ------------------------------------------------------------------------- */

enum { RECENT_KEYS = 64 };

struct reading {
    struct source source;
    struct scanner *scanner;
    PyObject *memo;                /* one str for each different key */
    PyObject *recent[RECENT_KEYS]; /* keys of the memo (borrowed), where their bytes say */
};

static PyObject *read_value(struct reading *r, Py_ssize_t i, Py_ssize_t *end);

static inline Py_ssize_t skip_space(const struct source *s, Py_ssize_t i)
{
    while (i < s->length) {
        Py_UCS4 ch = source_at(s, i);
        if (ch != ' ' && ch != '\n' && ch != '\t' && ch != '\r') {
            break;
        }
        i++;
    }
    return i;
}

static inline bool is_at(const struct source *s, Py_ssize_t i, Py_UCS4 ch)
{
    return i < s->length && source_at(s, i) == ch;
}

/* Where a key of these bytes is kept, if it is. */
static inline PyObject **key_slot(struct reading *r, const uint8_t *bytes, Py_ssize_t length)
{
    unsigned sum =
        (unsigned)length * 11 + bytes[0] * 3u + bytes[length / 2] * 5u + bytes[length - 1];
    return &r->recent[sum % RECENT_KEYS];
}

/* The str of the key whose characters begin at i, behind the quote; *end is behind the closing one.
 * A key that was seen before needs no new str, and no hash. */
static PyObject *read_key_str(struct reading *r, Py_ssize_t i, Py_ssize_t *end)
{
    const struct source *s = &r->source;
    const uint8_t *bytes = (const uint8_t *)s->data + i;
    PyObject **slot = NULL, *same = NULL;
    Py_ssize_t stop = s->kind == 1 ? plain_bytes(s->data, i, s->length, r->scanner->strict) : i;
    if (stop > i && is_at(s, stop, '"')) {
        slot = key_slot(r, bytes, stop - i);
        PyObject *known = *slot;
        if (known != NULL && PyUnicode_GET_LENGTH(known) == stop - i
            && PyUnicode_KIND(known) == PyUnicode_1BYTE_KIND
            && memcmp(PyUnicode_DATA(known), bytes, (size_t)(stop - i)) == 0) {
            *end = stop + 1;
            return Py_NewRef(known);
        }
    }
    PyObject *key = read_string(s, i, r->scanner->strict, end);
    if (key == NULL || PyDict_SetDefaultRef(r->memo, key, key, &same) < 0) {
        Py_XDECREF(key);
        return NULL;
    }
    Py_DECREF(key);
    if (slot != NULL) {
        *slot = same;
    }
    return same;
}

/* Reads `"key":` at i; *end is where the value begins. */
static PyObject *read_key(struct reading *r, Py_ssize_t i, Py_ssize_t *end)
{
    const struct source *s = &r->source;
    if (!is_at(s, i, '"')) {
        raise_decode_error("Expecting property name enclosed in double quotes", s->str, i);
        return NULL;
    }
    PyObject *key = read_key_str(r, i + 1, end);
    if (key == NULL) {
        return NULL;
    }
    *end = skip_space(s, *end);
    if (!is_at(s, *end, ':')) {
        raise_decode_error("Expecting ':' delimiter", s->str, *end);
        Py_DECREF(key);
        return NULL;
    }
    *end = skip_space(s, *end + 1);
    return key;
}

/* Adds a pair to the dict, or to the list where there is a hook for pairs. */
static bool add_pair(PyObject *object, bool pairs, PyObject *key, PyObject *value)
{
    if (!pairs) {
        return PyDict_SetItem(object, key, value) == 0;
    }
    PyObject *pair = PyTuple_Pack(2, key, value);
    int rc = pair ? PyList_Append(object, pair) : -1;
    Py_XDECREF(pair);
    return rc == 0;
}

/* Reads members into `object` from behind the brace to behind the closing one. */
static bool read_members(struct reading *r, Py_ssize_t i, Py_ssize_t *end, PyObject *object,
                         bool pairs)
{
    const struct source *s = &r->source;
    i = skip_space(s, i);
    if (is_at(s, i, '}')) {
        *end = i + 1;
        return true;
    }
    for (;;) {
        PyObject *key = read_key(r, i, &i);
        PyObject *value = key ? read_value(r, i, &i) : NULL;
        bool added = value != NULL && add_pair(object, pairs, key, value);
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (!added) {
            return false;
        }
        i = skip_space(s, i);
        if (is_at(s, i, '}')) {
            *end = i + 1;
            return true;
        }
        if (!is_at(s, i, ',')) {
            raise_decode_error("Expecting ',' delimiter", s->str, i);
            return false;
        }
        Py_ssize_t comma = i;
        i = skip_space(s, i + 1);
        if (is_at(s, i, '}')) {
            raise_decode_error("Illegal trailing comma before end of object", s->str, comma);
            return false;
        }
    }
}

static PyObject *read_object(struct reading *r, Py_ssize_t i, Py_ssize_t *end)
{
    struct scanner *scanner = r->scanner;
    bool pairs = scanner->object_pairs_hook != Py_None;
    PyObject *object = pairs ? PyList_New(0) : PyDict_New();
    if (object == NULL || !read_members(r, i, end, object, pairs)) {
        Py_XDECREF(object);
        return NULL;
    }
    PyObject *hook = pairs ? scanner->object_pairs_hook : scanner->object_hook;
    if (hook != Py_None) {
        Py_SETREF(object, PyObject_CallOneArg(hook, object));
    }
    return object;
}

static bool read_items(struct reading *r, Py_ssize_t i, Py_ssize_t *end, PyObject *list)
{
    const struct source *s = &r->source;
    i = skip_space(s, i);
    if (is_at(s, i, ']')) {
        *end = i + 1;
        return true;
    }
    for (;;) {
        PyObject *value = read_value(r, i, &i);
        int rc = value ? PyList_Append(list, value) : -1;
        Py_XDECREF(value);
        if (rc < 0) {
            return false;
        }
        i = skip_space(s, i);
        if (is_at(s, i, ']')) {
            *end = i + 1;
            return true;
        }
        if (!is_at(s, i, ',')) {
            raise_decode_error("Expecting ',' delimiter", s->str, i);
            return false;
        }
        Py_ssize_t comma = i;
        i = skip_space(s, i + 1);
        if (is_at(s, i, ']')) {
            raise_decode_error("Illegal trailing comma before end of array", s->str, comma);
            return false;
        }
    }
}

static PyObject *read_array(struct reading *r, Py_ssize_t i, Py_ssize_t *end)
{
    PyObject *list = PyList_New(0);
    if (list != NULL && !read_items(r, i, end, list)) {
        Py_CLEAR(list);
    }
    return list;
}

/* Where the digits from i on end. */
static inline Py_ssize_t skip_digits(const struct source *s, Py_ssize_t i)
{
    while (i < s->length && source_at(s, i) - '0' <= 9) {
        i++;
    }
    return i;
}

/* The number in [from, to) by the scanner's own functions, or plainly. */
static PyObject *make_number(struct reading *r, Py_ssize_t from, Py_ssize_t to, bool is_float)
{
    const struct source *s = &r->source;
    PyObject *parse = is_float ? r->scanner->parse_float : r->scanner->parse_int;
    PyObject *plain = is_float ? (PyObject *)&PyFloat_Type : (PyObject *)&PyLong_Type;
    Py_ssize_t length = to - from;
    if (parse != plain) {
        PyObject *text = PyUnicode_Substring(s->str, from, to);
        PyObject *number = text ? PyObject_CallOneArg(parse, text) : NULL;
        Py_XDECREF(text);
        return number;
    }
    if (!is_float && length <= 18) {
        bool negative = source_at(s, from) == '-';
        long long value = 0;
        for (Py_ssize_t i = from + negative; i < to; i++) {
            value = value * 10 + (long long)(source_at(s, i) - '0');
        }
        return PyLong_FromLongLong(negative ? -value : value);
    }
    char space[64], *text = length < 64 ? space : PyMem_Malloc((size_t)length + 1);
    if (text == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        text[i] = (char)source_at(s, from + i);
    }
    text[length] = '\0';
    PyObject *number;
    if (is_float) {
        double value = PyOS_string_to_double(text, NULL, NULL);
        number = value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    } else {
        number = PyLong_FromString(text, NULL, 10);
    }
    if (text != space) {
        PyMem_Free(text);
    }
    return number;
}

static PyObject *read_number(struct reading *r, Py_ssize_t start, Py_ssize_t *end)
{
    const struct source *s = &r->source;
    Py_ssize_t i = start + is_at(s, start, '-');
    Py_ssize_t digits = skip_digits(s, i);
    if (digits == i) {
        return raise_stop(start);
    }
    i = source_at(s, i) == '0' ? i + 1 : digits; /* no digits behind a leading zero */
    bool is_float = false;
    if (is_at(s, i, '.') && skip_digits(s, i + 1) > i + 1) {
        is_float = true;
        i = skip_digits(s, i + 1);
    }
    if (is_at(s, i, 'e') || is_at(s, i, 'E')) {
        Py_ssize_t exponent = i + 1 + (is_at(s, i + 1, '+') || is_at(s, i + 1, '-'));
        Py_ssize_t after = skip_digits(s, exponent);
        if (after > exponent) {
            is_float = true;
            i = after;
        }
    }
    *end = i;
    return make_number(r, start, i, is_float);
}

/* Whether a word stands at i; then *end is behind it. */
static bool read_word(const struct source *s, Py_ssize_t i, const char *word, Py_ssize_t *end)
{
    for (; *word != '\0'; word++, i++) {
        if (!is_at(s, i, (Py_UCS4)*word)) {
            return false;
        }
    }
    *end = i;
    return true;
}

static PyObject *read_constant(struct reading *r, const char *word)
{
    return PyObject_CallFunction(r->scanner->parse_constant, "s", word);
}

static PyObject *read_nested(struct reading *r, Py_ssize_t i, Py_ssize_t *end, bool object)
{
    if (Py_EnterRecursiveCall(object ? " while decoding a JSON object from a unicode string"
                                     : " while decoding a JSON array from a unicode string")) {
        return NULL;
    }
    PyObject *value = object ? read_object(r, i, end) : read_array(r, i, end);
    Py_LeaveRecursiveCall();
    return value;
}

static PyObject *read_value(struct reading *r, Py_ssize_t i, Py_ssize_t *end)
{
    const struct source *s = &r->source;
    if (i < 0) {
        PyErr_SetString(PyExc_ValueError, "idx cannot be negative");
        return NULL;
    }
    if (i >= s->length) {
        return raise_stop(i);
    }
    switch (source_at(s, i)) {
    case '"':
        return read_string(s, i + 1, r->scanner->strict, end);
    case '{':
        return read_nested(r, i + 1, end, true);
    case '[':
        return read_nested(r, i + 1, end, false);
    case 'n':
        if (read_word(s, i, "null", end)) {
            return Py_NewRef(Py_None);
        }
        break;
    case 't':
        if (read_word(s, i, "true", end)) {
            return Py_NewRef(Py_True);
        }
        break;
    case 'f':
        if (read_word(s, i, "false", end)) {
            return Py_NewRef(Py_False);
        }
        break;
    case 'N':
        if (read_word(s, i, "NaN", end)) {
            return read_constant(r, "NaN");
        }
        break;
    case 'I':
        if (read_word(s, i, "Infinity", end)) {
            return read_constant(r, "Infinity");
        }
        break;
    case '-':
        if (read_word(s, i, "-Infinity", end)) {
            return read_constant(r, "-Infinity");
        }
        break;
    default:
        break;
    }
    return read_number(r, i, end);
}

/* ---- make_scanner --------------------------------------------------------------------------- */

static PyObject *scanner_call(struct scanner *self, PyObject *string, Py_ssize_t index)
{
    Py_ssize_t end = -1;
    if (!PyUnicode_Check(string)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s",
                     Py_TYPE(string)->tp_name);
        return NULL;
    }
    struct reading reading = {.source = source_of(string), .scanner = self, .memo = PyDict_New()};
    PyObject *value = reading.memo ? read_value(&reading, index, &end) : NULL;
    Py_XDECREF(reading.memo);
    return value ? Py_BuildValue("Nn", value, end) : NULL;
}

static PyObject *scanner_new(PyTypeObject *type, PyObject *context)
{
    struct scanner *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    PyObject *strict = PyObject_GetAttrString(context, "strict");
    int truth = strict ? PyObject_IsTrue(strict) : -1;
    Py_XDECREF(strict);
    self->strict = (signed char)(truth > 0);
    if (truth < 0 || (self->object_hook = PyObject_GetAttrString(context, "object_hook")) == NULL
        || (self->object_pairs_hook = PyObject_GetAttrString(context, "object_pairs_hook")) == NULL
        || (self->parse_float = PyObject_GetAttrString(context, "parse_float")) == NULL
        || (self->parse_int = PyObject_GetAttrString(context, "parse_int")) == NULL
        || (self->parse_constant = PyObject_GetAttrString(context, "parse_constant")) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

GC_OBJECT(scanner, object_hook, object_pairs_hook, parse_float, parse_int, parse_constant)

static PyType_Slot scanner_slots[] = {
    GC_SLOTS(scanner),
    {Py_tp_doc, scanner_doc},
    {Py_tp_call, bind_scanner_call},
    {Py_tp_members, scanner_members},
    {Py_tp_new, bind_scanner_new},
    {0, NULL},
};

static PyType_Spec scanner_spec = {
    "_json.Scanner",
    sizeof(struct scanner),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    scanner_slots,
};

/* ---- writing strings ------------------------------------------------------------------------ */

static char *put_u_escape(char *to, Py_UCS4 unit)
{
    static const char digits[] = "0123456789abcdef";
    *to++ = '\\';
    *to++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) {
        *to++ = digits[unit >> shift & 15];
    }
    return to;
}

/* A character that has to be escaped, or is not ASCII. */
static char *put_special(char *to, Py_UCS4 ch, bool ascii)
{
    char letter;
    switch (ch) {
    case '"':
        letter = '"';
        break;
    case '\\':
        letter = '\\';
        break;
    case '\b':
        letter = 'b';
        break;
    case '\f':
        letter = 'f';
        break;
    case '\n':
        letter = 'n';
        break;
    case '\r':
        letter = 'r';
        break;
    case '\t':
        letter = 't';
        break;
    default:
        if (ch >= 0x20 && !ascii) {
            return utf8_put(to, ch);
        }
        if (ch >= 0x10000) {
            to = put_u_escape(to, 0xd800 + ((ch - 0x10000) >> 10));
            ch = 0xdc00 + ((ch - 0x10000) & 0x3ff);
        }
        return put_u_escape(to, ch);
    }
    *to++ = '\\';
    *to++ = letter;
    return to;
}

enum { PER_CHARACTER = 12, CHUNK = 128 };

static bool write_ascii_string(struct text *t, const uint8_t *data, Py_ssize_t length)
{
    bool fine = TEXT_ADD(t, "\"");
    for (Py_ssize_t i = 0; fine;) {
        Py_ssize_t stop = plain_bytes(data, i, length, true);
        char *to = text_room(t, (size_t)(stop - i) + PER_CHARACTER);
        if (to == NULL) {
            return false;
        }
        copy_short(to, data + i, (size_t)(stop - i));
        to += stop - i;
        bool ended = stop == length;
        to = ended ? utf8_put(to, '"') : put_special(to, data[stop], true);
        t->length = (size_t)(to - t->at);
        if (ended) {
            break;
        }
        i = stop + 1;
    }
    return fine;
}

static bool write_string(struct text *t, PyObject *str, bool ascii)
{
    if (PyUnicode_IS_ASCII(str)) {
        return write_ascii_string(t, PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str));
    }
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    if (!TEXT_ADD(t, "\"")) {
        return false;
    }
    t->ascii &= ascii;
    for (Py_ssize_t i = 0; i < length;) {
        Py_ssize_t stop = Py_MIN(length, i + CHUNK);
        char *to = text_room(t, CHUNK * PER_CHARACTER);
        if (to == NULL) {
            return false;
        }
        for (; i < stop; i++) {
            Py_UCS4 ch = PyUnicode_READ(kind, data, i);
            if (LIKELY(ch >= 0x20 && ch < 0x80 && ch != '"' && ch != '\\')) {
                *to++ = (char)ch;
            } else if (ch == 0x7f) {
                *to++ = (char)ch;
            } else {
                to = put_special(to, ch, ascii);
            }
        }
        t->length = (size_t)(to - t->at);
    }
    return TEXT_ADD(t, "\"");
}

static PyObject *encode_alone(PyObject *string, bool ascii)
{
    if (!PyUnicode_Check(string)) {
        PyErr_Format(PyExc_TypeError, "first argument must be a string, not %.80s",
                     Py_TYPE(string)->tp_name);
        return NULL;
    }
    struct text text;
    text_init(&text);
    if (!write_string(&text, string, ascii)) {
        text_drop(&text);
        return NULL;
    }
    return text_finish(&text);
}

static PyObject *json_encode_basestring(PyObject *Py_UNUSED(module), PyObject *string)
{
    return encode_alone(string, false);
}

static PyObject *json_encode_basestring_ascii(PyObject *Py_UNUSED(module), PyObject *string)
{
    return encode_alone(string, true);
}

/* ---- writing values ------------------------------------------------------------------------- */

/* A value that is being written, for the check that none contains itself. */
struct mark {
    PyObject *value;
    const struct mark *outer;
};

/* One call of an encoder. */
struct writing {
    struct encoder *encoder;
    struct text text;
    Py_ssize_t level;         /* of indentation */
    const struct mark *marks; /* what is being written, from the inside out */
};

static bool write_value(struct writing *w, PyObject *value);

/* A str as it is; released. */
static bool write_text(struct text *t, PyObject *str)
{
    bool written = str != NULL && text_add_part(t, str, 0, PyUnicode_GET_LENGTH(str));
    Py_XDECREF(str);
    return written;
}

static bool write_encoded(struct writing *w, PyObject *str)
{
    if (w->encoder->how != CALL_ENCODE) {
        return write_string(&w->text, str, w->encoder->how == PLAIN_ASCII);
    }
    PyObject *encoded = PyObject_CallOneArg(w->encoder->encode, str);
    if (encoded != NULL && !PyUnicode_Check(encoded)) {
        PyErr_Format(PyExc_TypeError, "encoder() must return a string, not %.80s",
                     Py_TYPE(encoded)->tp_name);
        Py_CLEAR(encoded);
    }
    return write_text(&w->text, encoded);
}

static bool write_float(struct writing *w, PyObject *value)
{
    double number = PyFloat_AS_DOUBLE(value);
    if (isfinite(number)) {
        return write_text(&w->text, PyFloat_Type.tp_repr(value));
    }
    if (!w->encoder->allow_nan) {
        PyErr_Format(PyExc_ValueError, "Out of range float values are not JSON compliant: %R",
                     value);
        return false;
    }
    return isnan(number) ? TEXT_ADD(&w->text, "NaN")
           : number > 0  ? TEXT_ADD(&w->text, "Infinity")
                         : TEXT_ADD(&w->text, "-Infinity");
}

static bool write_int(struct text *t, PyObject *value)
{
    if (PyUnstable_Long_IsCompact((PyLongObject *)value)) {
        char space[INT64_TEXT_MAX], *end = space + sizeof space;
        char *digits = int64_write(PyUnstable_Long_CompactValue((PyLongObject *)value), end);
        return text_add(t, digits, (size_t)(end - digits));
    }
    return write_text(t, PyLong_Type.tp_repr(value));
}

/* Notes that `value` is being written; false with an exception. */
static bool mark_begin(struct writing *w, struct mark *mark, PyObject *value)
{
    if (w->encoder->markers == Py_None) {
        return true; /* the caller knows that there are no cycles */
    }
    for (const struct mark *m = w->marks; m != NULL; m = m->outer) {
        if (m->value == value) {
            PyErr_SetString(PyExc_ValueError, "Circular reference detected");
            return false;
        }
    }
    *mark = (struct mark){value, w->marks};
    w->marks = mark;
    return true;
}

static void mark_end(struct writing *w, const struct mark *mark)
{
    if (w->marks == mark) {
        w->marks = mark->outer;
    }
}

/* A new line at the present level, if there is any indentation. */
static bool write_line(struct writing *w)
{
    if (w->encoder->indent == Py_None) {
        return true;
    }
    bool fine = TEXT_ADD(&w->text, "\n");
    for (Py_ssize_t i = 0; fine && i < w->level; i++) {
        fine = write_text(&w->text, Py_NewRef(w->encoder->indent));
    }
    return fine;
}

static bool write_separator(struct writing *w, bool first)
{
    return (first || write_text(&w->text, Py_NewRef(w->encoder->item_separator))) && write_line(w);
}

/* The end of a list or dict; its own line only if there was something in it. */
static bool write_end(struct writing *w, bool empty, const char *bracket)
{
    w->level--;
    return (empty || write_line(w)) && text_add(&w->text, bracket, 1);
}

static bool write_item(struct writing *w, PyObject *item, bool first)
{
    return write_separator(w, first) && write_value(w, item);
}

static bool write_items(struct writing *w, PyObject *sequence)
{
    PyObject *items = PySequence_Fast(sequence, "_iterencode_list needs a sequence");
    if (items == NULL) {
        return false;
    }
    bool fine = TEXT_ADD(&w->text, "[");
    Py_ssize_t i = 0;
    w->level++;
    for (; fine && i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = PyList_CheckExact(items) ? PyList_GetItemRef(items, i)
                                                  : Py_NewRef(PySequence_Fast_GET_ITEM(items, i));
        if (item == NULL) { /* the list has become shorter meanwhile */
            PyErr_Clear();
            break;
        }
        fine = write_item(w, item, i == 0);
        Py_DECREF(item);
    }
    Py_DECREF(items);
    return fine && write_end(w, i == 0, "]");
}

/* The key of a member.  1: written; 0: to be skipped; -1: error. */
static int write_key(struct writing *w, PyObject *key)
{
    bool fine;
    if (PyUnicode_Check(key)) {
        fine = write_encoded(w, key);
    } else if (key == Py_True || key == Py_False || key == Py_None) {
        fine = key == Py_True    ? TEXT_ADD(&w->text, "\"true\"")
               : key == Py_False ? TEXT_ADD(&w->text, "\"false\"")
                                 : TEXT_ADD(&w->text, "\"null\"");
    } else if (PyFloat_Check(key)) {
        fine = TEXT_ADD(&w->text, "\"") && write_float(w, key) && TEXT_ADD(&w->text, "\"");
    } else if (PyLong_Check(key)) {
        fine = TEXT_ADD(&w->text, "\"") && write_int(&w->text, key) && TEXT_ADD(&w->text, "\"");
    } else if (w->encoder->skipkeys) {
        return 0;
    } else {
        PyErr_Format(PyExc_TypeError, "keys must be str, int, float, bool or None, not %.100s",
                     Py_TYPE(key)->tp_name);
        return -1;
    }
    return fine ? 1 : -1;
}

static bool write_member(struct writing *w, PyObject *key, PyObject *value, bool *first)
{
    size_t before = w->text.length;
    if (!write_separator(w, *first)) {
        return false;
    }
    int written = write_key(w, key);
    if (written <= 0) {
        w->text.length = before; /* without the separator */
        return written == 0;
    }
    *first = false;
    return write_text(&w->text, Py_NewRef(w->encoder->key_separator)) && write_value(w, value);
}

static bool write_members(struct writing *w, PyObject *dict)
{
    PyObject *items = PyMapping_Items(dict);
    if (items == NULL || (w->encoder->sort_keys && PyList_Sort(items) < 0)) {
        Py_XDECREF(items);
        return false;
    }
    bool fine = TEXT_ADD(&w->text, "{"), first = true;
    w->level++;
    for (Py_ssize_t i = 0; fine && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_ValueError, "items must return 2-tuples");
            fine = false;
        } else {
            fine = write_member(w, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), &first);
        }
    }
    Py_DECREF(items);
    return fine && write_end(w, first, "}");
}

static bool write_plain_members(struct writing *w, PyObject *dict)
{
    bool fine = TEXT_ADD(&w->text, "{"), first = true;
    w->level++;
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (fine && PyDict_Next(dict, &pos, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        fine = write_member(w, key, value, &first);
        Py_DECREF(key);
        Py_DECREF(value);
    }
    return fine && write_end(w, first, "}");
}

static bool write_dict(struct writing *w, PyObject *dict)
{
    if (PyDict_GET_SIZE(dict) == 0) {
        return TEXT_ADD(&w->text, "{}");
    }
    bool plain = PyDict_CheckExact(dict) && !w->encoder->sort_keys;
    return plain ? LOCKED(dict, write_plain_members(w, dict)) : write_members(w, dict);
}

/* What the caller's function makes of a value that JSON does not know. */
static bool write_other(struct writing *w, PyObject *value)
{
    PyObject *instead = PyObject_CallOneArg(w->encoder->fallback, value);
    bool fine = instead != NULL && write_value(w, instead);
    Py_XDECREF(instead);
    return fine;
}

static bool write_container(struct writing *w, PyObject *value)
{
    struct mark mark;
    if (PyErr_CheckSignals() < 0 || Py_EnterRecursiveCall(" while encoding a JSON object")) {
        return false;
    }
    bool fine = mark_begin(w, &mark, value);
    if (fine) {
        fine = PyList_Check(value) || PyTuple_Check(value) ? write_items(w, value)
               : PyDict_Check(value)                       ? write_dict(w, value)
                                                           : write_other(w, value);
        mark_end(w, &mark);
    }
    Py_LeaveRecursiveCall();
    return fine;
}

static bool write_value(struct writing *w, PyObject *value)
{
    if (PyUnicode_Check(value)) {
        return write_encoded(w, value);
    }
    if (value == Py_None) {
        return TEXT_ADD(&w->text, "null");
    }
    if (value == Py_True) {
        return TEXT_ADD(&w->text, "true");
    }
    if (value == Py_False) {
        return TEXT_ADD(&w->text, "false");
    }
    if (PyLong_Check(value)) {
        return write_int(&w->text, value);
    }
    if (PyFloat_Check(value)) {
        return write_float(w, value);
    }
    return write_container(w, value);
}

/* ---- make_encoder --------------------------------------------------------------------------- */

static PyObject *encoder_call(struct encoder *self, PyObject *object, Py_ssize_t level)
{
    struct writing w = {.encoder = self, .level = level};
    text_init(&w.text);
    if (!write_value(&w, object)) {
        text_drop(&w.text);
        return NULL;
    }
    PyObject *whole = text_finish(&w.text);
    return whole ? Py_BuildValue("(N)", whole) : NULL;
}

/* Whether `function` is the module's own function `own`. */
static bool is_own(PyObject *function, PyCFunction own)
{
    return PyCFunction_Check(function) && PyCFunction_GetFunction(function) == own;
}

static PyObject *encoder_new(PyTypeObject *type, PyObject *markers, PyObject *fallback,
                             PyObject *encode, PyObject *indent, PyObject *key_separator,
                             PyObject *item_separator, int sort_keys, int skipkeys, int allow_nan)
{
    if (markers != Py_None && !PyDict_Check(markers)) {
        PyErr_Format(PyExc_TypeError, "make_encoder() argument 1 must be dict or None, not %.200s",
                     Py_TYPE(markers)->tp_name);
        return NULL;
    }
    struct encoder *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->markers = Py_NewRef(markers);
    self->fallback = Py_NewRef(fallback);
    self->encode = Py_NewRef(encode);
    self->indent = Py_NewRef(indent);
    self->key_separator = Py_NewRef(key_separator);
    self->item_separator = Py_NewRef(item_separator);
    self->sort_keys = (char)sort_keys;
    self->skipkeys = (char)skipkeys;
    self->allow_nan = allow_nan;
    self->how = is_own(encode, bind_json_encode_basestring_ascii) ? PLAIN_ASCII
                : is_own(encode, bind_json_encode_basestring)     ? PLAIN
                                                                  : CALL_ENCODE;
    return (PyObject *)self;
}

GC_OBJECT(encoder, markers, fallback, encode, indent, key_separator, item_separator)

static PyType_Slot encoder_slots[] = {
    GC_SLOTS(encoder),
    {Py_tp_doc, encoder_doc},
    {Py_tp_call, bind_encoder_call},
    {Py_tp_members, encoder_members},
    {Py_tp_new, bind_encoder_new},
    {0, NULL},
};

static PyType_Spec encoder_spec = {
    "_json.Encoder",
    sizeof(struct encoder),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    encoder_slots,
};

/* ---- the module ----------------------------------------------------------------------------- */

static int json_exec(PyObject *module)
{
    struct json_state *state = PyModule_GetState(module);
    state->scanner_type = (PyObject *)module_type(module, &scanner_spec, false);
    state->encoder_type = (PyObject *)module_type(module, &encoder_spec, false);
    return state->scanner_type == NULL || state->encoder_type == NULL
                   || PyModule_AddObjectRef(module, "make_scanner", state->scanner_type) < 0
                   || PyModule_AddObjectRef(module, "make_encoder", state->encoder_type) < 0
               ? -1
               : 0;
}

STATE_OBJECTS(json)

static PyModuleDef_Slot json_slots[] = MODULE_SLOTS(json_exec);

static PyModuleDef json_module = {
    PyModuleDef_HEAD_INIT,     .m_name = "_json",     .m_doc = json_doc,
    .m_methods = json_methods, .m_slots = json_slots, STATE_FIELDS(json),
};

MODULE_INIT(_json, json_module)
