/* Text: what the rest of the interpreter may know about `str`.
 *
 * A string is immutable once it has been seen by anyone but its maker, so every reader here works
 * without a lock and none of them runs Python code, unless its comment says so.  Functions that
 * make a string return a new reference, or NULL with an exception set.  Arguments are borrowed.
 * The layout is PEP 393's (include/cpython/unicodeobject.h), which extensions read directly.
 */
#ifndef KRAIT_OBJECTS_STR_H
#define KRAIT_OBJECTS_STR_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct interp_state;

/* ---- Reading ------------------------------------------------------------------------------- */

#define STR_MAX_CODE_POINT 0x10ffffu

/* Width of one character in bytes: 1, 2 or 4. */
static inline int str_kind(PyObject *s)
{
    return (int)((PyASCIIObject *)s)->state.kind;
}

static inline bool str_is_ascii(PyObject *s)
{
    return ((PyASCIIObject *)s)->state.ascii;
}

static inline Py_ssize_t str_len(PyObject *s)
{
    return ((PyASCIIObject *)s)->length;
}

/* The characters, zero-terminated; valid as long as `s` lives. */
static inline void *str_data(PyObject *s)
{
    if (!((PyASCIIObject *)s)->state.compact) {
        return ((PyUnicodeObject *)s)->data.any;
    }
    return str_is_ascii(s) ? (void *)((PyASCIIObject *)s + 1)
                           : (void *)((PyCompactUnicodeObject *)s + 1);
}

static inline Py_UCS4 str_data_read(int kind, const void *data, Py_ssize_t i)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        return ((const Py_UCS1 *)data)[i];
    }
    if (kind == PyUnicode_2BYTE_KIND) {
        return ((const Py_UCS2 *)data)[i];
    }
    return ((const Py_UCS4 *)data)[i];
}

static inline void str_data_write(int kind, void *data, Py_ssize_t i, Py_UCS4 ch)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        ((Py_UCS1 *)data)[i] = (Py_UCS1)ch;
    } else if (kind == PyUnicode_2BYTE_KIND) {
        ((Py_UCS2 *)data)[i] = (Py_UCS2)ch;
    } else {
        ((Py_UCS4 *)data)[i] = ch;
    }
}

static inline Py_UCS4 str_read(PyObject *s, Py_ssize_t i)
{
    return str_data_read(str_kind(s), str_data(s), i);
}

/* The kind that holds characters up to `maxchar`. */
static inline int str_kind_for(Py_UCS4 maxchar)
{
    return maxchar < 0x100 ? 1 : maxchar < 0x10000 ? 2 : 4;
}

/* An upper bound of the characters of `s`: 0x7f, 0xff, 0xffff or 0x10ffff. */
static inline Py_UCS4 str_maxchar(PyObject *s)
{
    if (str_is_ascii(s)) {
        return 0x7f;
    }
    int kind = str_kind(s);
    return kind == 1 ? 0xff : kind == 2 ? 0xffff : STR_MAX_CODE_POINT;
}

/* The largest character of `kind`-wide data, rounded up to 0x7f, 0xff, 0xffff or 0x10ffff. */
Py_UCS4 str_data_maxchar(int kind, const void *data, Py_ssize_t len);

/* UTF-8 form, kept with the string (thread-safe); borrowed.  NULL and an exception when memory
 * is short or the string holds a lone surrogate.  `size` may be NULL. */
const char *str_utf8(PyObject *s, Py_ssize_t *size);

/* ---- Making -------------------------------------------------------------------------------- */

/* The empty string, and the strings of one latin-1 character: static and immortal. */
struct str_static_ascii1 {
    PyASCIIObject head;
    uint8_t data[8];
};
struct str_static_latin1 {
    PyCompactUnicodeObject head;
    uint8_t data[8];
};
extern struct str_static_ascii1 str_static_empty;
extern struct str_static_ascii1 str_static_ascii[128];
extern struct str_static_latin1 str_static_latin1[128];

/* Borrowed, immortal. */
static inline PyObject *str_empty(void)
{
    return (PyObject *)&str_static_empty;
}

/* Borrowed, immortal; ch < 256. */
static inline PyObject *str_latin1_char(Py_UCS4 ch)
{
    return ch < 128 ? (PyObject *)&str_static_ascii[ch] : (PyObject *)&str_static_latin1[ch - 128];
}

/* Static initialiser of the header of an ASCII string of LEN characters whose bytes follow
 * (tools/gen_ids.py writes its table with it).  Such strings must be given to
 * str_intern_static() at start-up. */
#define STR_STATIC_ASCII_HEAD(LEN)                                                                 \
    {                                                                                              \
        .ob_base = PyObject_HEAD_INIT(&PyUnicode_Type).length = (LEN), .hash = -1,                 \
        .state = {.interned = 3, .kind = 1, .compact = 1, .ascii = 1, .statically_allocated = 1},  \
    }

/* Whether all bytes are below 0x80. */
static inline bool ascii_bytes(const char *text, Py_ssize_t length)
{
    const uint64_t high = 0x8080808080808080u;
    uint64_t first, last, all = 0;
    if (length >= 8) { /* words from the front, and the last word */
        for (Py_ssize_t i = 0; i + 8 < length; i += 8) {
            memcpy(&first, text + i, 8);
            all |= first;
        }
        memcpy(&last, text + length - 8, 8);
        return ((all | last) & high) == 0;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        all |= (uint8_t)text[i];
    }
    return all < 0x80;
}

/* Room for `length` characters up to `maxchar`, contents undefined but for the terminating zero.
 * Length 0 gives the shared empty string. */
PyObject *str_new(Py_ssize_t length, Py_UCS4 maxchar);

PyObject *str_from_ascii(const char *text, Py_ssize_t length); /* all bytes below 0x80: trusted */
PyObject *str_from_latin1(const uint8_t *text, Py_ssize_t length);
PyObject *str_from_ucs2(const Py_UCS2 *text, Py_ssize_t length);
PyObject *str_from_ucs4(const Py_UCS4 *text, Py_ssize_t length);
PyObject *str_from_data(int kind, const void *text, Py_ssize_t length); /* narrows as needed */
PyObject *str_from_char(Py_UCS4 ch);
/* Strict UTF-8.  For other error handlers see PyUnicode_DecodeUTF8. */
PyObject *str_from_utf8(const char *text, Py_ssize_t length);
/* `s` itself if it is exactly a str, else an exact copy. */
PyObject *str_exact(PyObject *s);
/* Characters [start, end) with 0 <= start <= end <= len; `s` itself if that is all of it. */
PyObject *str_substring(PyObject *s, Py_ssize_t start, Py_ssize_t end);
/* The string of the one character at `i`, 0 <= i < len. */
PyObject *str_char_at(PyObject *s, Py_ssize_t i);

/* Copies characters between data of any two kinds; the target must be wide enough. */
void str_data_copy(int to_kind, void *to, Py_ssize_t to_index, int from_kind, const void *from,
                   Py_ssize_t from_index, Py_ssize_t count);

/* ---- Comparing ----------------------------------------------------------------------------- */

bool str_equal_slow(PyObject *a, PyObject *b);

static inline bool str_equal(PyObject *a, PyObject *b)
{
    return a == b
           || (str_len(a) == str_len(b) && str_kind(a) == str_kind(b) && str_equal_slow(a, b));
}

int str_compare(PyObject *a, PyObject *b);           /* -1, 0, 1 by code points */
bool str_equal_ascii(PyObject *s, const char *text); /* zero-terminated ASCII */
bool str_equal_utf8(PyObject *s, const char *text, Py_ssize_t length);

Py_hash_t str_hash_compute(PyObject *s);

/* Never fails, never -1. */
static inline Py_hash_t str_hash(PyObject *s)
{
    Py_hash_t hash = __atomic_load_n(&((PyASCIIObject *)s)->hash, __ATOMIC_RELAXED);
    return hash != -1 ? hash : str_hash_compute(s);
}

/* ---- Interning ----------------------------------------------------------------------------- */

static inline bool str_is_interned(PyObject *s)
{
    uint32_t state = __atomic_load_n((uint32_t *)&((PyASCIIObject *)s)->state, __ATOMIC_ACQUIRE);
    return (state & 3) != 0;
}

/* Replaces *p (an owned reference) by an owned reference to the one string of its value.
 * Subclass instances are left alone, and so is *p when memory is short.  Takes the table's own
 * lock; runs no Python code. */
void str_intern(PyObject **p);
/* The same, and the interned string becomes immortal: for names the program never forgets. */
void str_intern_immortal(PyObject **p);
/* New reference to the interned string of ASCII (trusted) or UTF-8 text. */
PyObject *str_intern_ascii(const char *text, Py_ssize_t length);
PyObject *str_intern_utf8(const char *text, Py_ssize_t length);
/* Enters a static immortal string (see STR_STATIC_ASCII_HEAD); -1 and MemoryError when it fails. */
int str_intern_static(PyObject *s);
/* How many strings are interned, and of these how many are immortal. */
Py_ssize_t str_intern_count(Py_ssize_t *immortal);

/* ---- Putting together ---------------------------------------------------------------------- */

PyObject *str_concat(PyObject *left, PyObject *right);
/* *left += right, growing *left where it lies if no one else can see it.  Steals *left; when it
 * fails *left is NULL and an exception is set (-1). */
int str_concat_inplace(PyObject **left, PyObject *right);
/* items[0] + separator + items[1] ...; all must be str (TypeError otherwise).  `separator` may be
 * NULL for nothing between the items. */
PyObject *str_join(PyObject *separator, PyObject *const *items, Py_ssize_t count);
PyObject *str_repeat(PyObject *s, Py_ssize_t count);

/* ---- Searching: indices are clipped like a slice's, results are -1 when there is none -------- */

void str_clip(Py_ssize_t *start, Py_ssize_t *end, Py_ssize_t len);
Py_ssize_t str_find(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
Py_ssize_t str_rfind(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
Py_ssize_t str_find_char(PyObject *s, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end);
Py_ssize_t str_rfind_char(PyObject *s, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end);
Py_ssize_t str_count(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
bool str_contains(PyObject *s, PyObject *sub);
bool str_starts_with(PyObject *s, PyObject *prefix, Py_ssize_t start, Py_ssize_t end);
bool str_ends_with(PyObject *s, PyObject *suffix, Py_ssize_t start, Py_ssize_t end);
/* At most `limit` replacements; -1 means all.  `s` itself if nothing changes. */
PyObject *str_replace(PyObject *s, PyObject *from, PyObject *to, Py_ssize_t limit);
bool str_is_identifier(PyObject *s);
/* Text of digits for int(), float(), complex(): Unicode decimal digits become ASCII ones,
 * white space becomes ' ', any other non-ASCII character '?'.  `s` itself if it is ASCII. */
PyObject *str_digits_to_ascii(PyObject *s);

/* ---- Building piece by piece --------------------------------------------------------------- */

/* A growing string that widens by itself.  The layout is the C API's _PyUnicodeWriter:
 * `data`, `kind`, `size` describe the buffer, `pos` is the length so far.  A writer belongs to one
 * thread.  Functions return 0, or -1 with an exception; then, or to give up, call
 * str_writer_drop(). */
typedef _PyUnicodeWriter str_writer;

static inline void str_writer_init(str_writer *w)
{
    memset(w, 0, sizeof *w);
    w->overallocate = 1;
}

int str_writer_grow(str_writer *w, Py_ssize_t length, Py_UCS4 maxchar);

/* Makes room for `length` more characters up to `maxchar`. */
static inline int str_writer_reserve(str_writer *w, Py_ssize_t length, Py_UCS4 maxchar)
{
    if (maxchar <= w->maxchar && length <= w->size - w->pos && !w->readonly) {
        return 0;
    }
    return length == 0 ? 0 : str_writer_grow(w, length, maxchar);
}

static inline int str_writer_char(str_writer *w, Py_UCS4 ch)
{
    if (str_writer_reserve(w, 1, ch) < 0) {
        return -1;
    }
    str_data_write(w->kind, w->data, w->pos++, ch);
    return 0;
}

int str_writer_str(str_writer *w, PyObject *s);
int str_writer_substring(str_writer *w, PyObject *s, Py_ssize_t start, Py_ssize_t end);
int str_writer_ascii(str_writer *w, const char *text, Py_ssize_t length); /* -1: strlen(text) */
int str_writer_latin1(str_writer *w, const uint8_t *text, Py_ssize_t length);
int str_writer_data(str_writer *w, int kind, const void *text, Py_ssize_t length);
int str_writer_fill(str_writer *w, Py_UCS4 ch, Py_ssize_t count);
int str_writer_int64(str_writer *w, int64_t value); /* in base 10 */
/* PyObject_Str() or PyObject_Repr() of `value`; may run Python code. */
int str_writer_object(str_writer *w, PyObject *value);
int str_writer_repr(str_writer *w, PyObject *value);
int str_writer_format(str_writer *w, const char *format, ...);
/* New reference; the writer is empty afterwards, also when it fails. */
PyObject *str_writer_finish(str_writer *w);
void str_writer_drop(str_writer *w);

/* ---- Formatting (objects/format/) ---------------------------------------------------------- */

/* format(value, spec[start:end]) of the exact built-in types, written to `w`. */
int format_str_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                    Py_ssize_t end);
int format_int_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                    Py_ssize_t end);
int format_float_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                      Py_ssize_t end);
int format_complex_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                        Py_ssize_t end);
/* What __format__ of these types returns: new reference.  `spec` must be a str. */
PyObject *format_str(PyObject *value, PyObject *spec);
PyObject *format_int(PyObject *value, PyObject *spec);
PyObject *format_float(PyObject *value, PyObject *spec);
PyObject *format_complex(PyObject *value, PyObject *spec);
/* A replacement field of an f-string: `conversion` is 0, 's', 'r' or 'a'; `spec` may be NULL.
 * May run Python code. */
PyObject *str_format_field(PyObject *value, int conversion, PyObject *spec);

/* ---- Start and end ------------------------------------------------------------------------- */

extern PyTypeObject *const str_types[]; /* NULL-terminated */
int str_init(struct interp_state *interp);
void str_fini(struct interp_state *interp);

#endif
