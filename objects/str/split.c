/* Taking strings apart: split, splitlines, partition, strip. */
#include "objects/list.h"
#include "objects/str/internal.h"
#include "objects/str/search.h"
#include "objects/tuple.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Pieces on their way into a list, which is made when their number is known. */
struct pieces {
    PyObject **items; /* owned */
    Py_ssize_t count, room;
    PyObject *few[24];
};

static inline void pieces_init(struct pieces *pieces)
{
    pieces->items = pieces->few;
    pieces->count = 0;
    pieces->room = (Py_ssize_t)Py_ARRAY_LENGTH(pieces->few);
}

/* Releases what pieces_list() has not taken. */
static void pieces_drop(struct pieces *pieces)
{
    for (Py_ssize_t i = 0; i < pieces->count; i++) {
        Py_DECREF(pieces->items[i]);
    }
    if (pieces->items != pieces->few) {
        PyMem_Free(pieces->items);
    }
}

static NOINLINE int pieces_grow(struct pieces *pieces)
{
    Py_ssize_t room = 2 * pieces->room; /* there is no text of so many pieces that this overflows */
    bool first = pieces->items == pieces->few;
    PyObject **items =
        PyMem_Realloc(first ? NULL : pieces->items, (size_t)room * sizeof pieces->items[0]);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (first) {
        memcpy(items, pieces->few, sizeof pieces->few);
    }
    pieces->items = items;
    pieces->room = room;
    return 0;
}

/* Adds s[start:end]. */
static inline int push(struct pieces *pieces, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    if (pieces->count == pieces->room && pieces_grow(pieces) < 0) {
        return -1;
    }
    PyObject *piece = str_is_ascii(s) && end - start < str_len(s)
                          ? str_from_ascii((const char *)str_data(s) + start, end - start)
                          : str_substring(s, start, end);
    if (piece == NULL) {
        return -1;
    }
    pieces->items[pieces->count++] = piece;
    return 0;
}

/* The list of all: new reference; NULL if something failed. */
static PyObject *pieces_list(struct pieces *pieces, int failed)
{
    PyObject *list = NULL;
    if (!failed) {
        list = list_from_array_steal(pieces->items, pieces->count);
        pieces->count = 0;
    }
    pieces_drop(pieces);
    return list;
}

/* The same from the last to the first. */
static PyObject *pieces_list_reversed(struct pieces *pieces, int failed)
{
    for (Py_ssize_t i = 0, k = pieces->count - 1; i < k; i++, k--) {
        PyObject *item = pieces->items[i];
        pieces->items[i] = pieces->items[k];
        pieces->items[k] = item;
    }
    return pieces_list(pieces, failed);
}

static inline bool space_at(int kind, const void *data, Py_ssize_t i)
{
    return char_is(str_data_read(kind, data, i), CHAR_SPACE);
}

/* The common case of split(): ASCII, with a table for white space. */
static int split_ascii_space(struct pieces *pieces, PyObject *s, Py_ssize_t limit)
{
    const uint8_t *start = str_data(s), *end = start + str_len(s), *p = start;
    for (;;) {
        while (p < end && _Py_ascii_whitespace[*p]) {
            p++;
        }
        if (p == end) {
            return 0;
        }
        const uint8_t *word = p;
        if (limit-- <= 0) {
            return push(pieces, s, word - start, end - start);
        }
        while (p < end && !_Py_ascii_whitespace[*p]) {
            p++;
        }
        if (push(pieces, s, word - start, p - start) < 0) {
            return -1;
        }
    }
}

static int split_space(struct pieces *pieces, PyObject *s, Py_ssize_t limit)
{
    if (str_is_ascii(s)) {
        return split_ascii_space(pieces, s, limit);
    }
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s), i = 0;
    while (limit-- > 0) {
        while (i < n && space_at(kind, data, i)) {
            i++;
        }
        if (i == n) {
            return 0;
        }
        Py_ssize_t start = i++;
        while (i < n && !space_at(kind, data, i)) {
            i++;
        }
        if (push(pieces, s, start, i) < 0) {
            return -1;
        }
    }
    while (i < n && space_at(kind, data, i)) {
        i++;
    }
    return i < n ? push(pieces, s, i, n) : 0;
}

static int rsplit_space(struct pieces *pieces, PyObject *s, Py_ssize_t limit)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t i = str_len(s);
    while (limit-- > 0) {
        while (i > 0 && space_at(kind, data, i - 1)) {
            i--;
        }
        if (i == 0) {
            return 0;
        }
        Py_ssize_t end = i--;
        while (i > 0 && !space_at(kind, data, i - 1)) {
            i--;
        }
        if (push(pieces, s, i, end) < 0) {
            return -1;
        }
    }
    while (i > 0 && space_at(kind, data, i - 1)) {
        i--;
    }
    return i > 0 ? push(pieces, s, 0, i) : 0;
}

static int split_by(struct pieces *pieces, PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    int kind = str_kind(s);
    const char *data = str_data(s);
    Py_ssize_t n = str_len(s), m = str_len(separator), at = 0, found, places[32];
    do {
        Py_ssize_t start = at; /* which the places count from */
        found = text_find_each(kind, data + at * kind, n - at, str_kind(separator),
                               str_data(separator), m, places, Py_MIN(limit, 32));
        for (Py_ssize_t i = 0; i < found; i++) {
            if (push(pieces, s, at, start + places[i]) < 0) {
                return -1;
            }
            at = start + places[i] + m;
        }
        limit -= found;
    } while (found == 32);
    return push(pieces, s, at, n);
}

static int rsplit_by(struct pieces *pieces, PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    Py_ssize_t m = str_len(separator), end = str_len(s);
    while (limit-- > 0) {
        Py_ssize_t found =
            text_rfind(str_kind(s), str_data(s), end, str_kind(separator), str_data(separator), m);
        if (found < 0) {
            break;
        }
        if (push(pieces, s, found + m, end) < 0) {
            return -1;
        }
        end = found;
    }
    return push(pieces, s, 0, end);
}

static PyObject *split(PyObject *s, PyObject *separator, Py_ssize_t limit, bool from_right)
{
    if (limit < 0) {
        limit = PY_SSIZE_T_MAX;
    }
    if (separator != NULL && str_len(separator) == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    struct pieces pieces;
    pieces_init(&pieces);
    if (from_right) {
        int failed = separator == NULL ? rsplit_space(&pieces, s, limit)
                                       : rsplit_by(&pieces, s, separator, limit);
        return pieces_list_reversed(&pieces, failed);
    }
    int failed =
        separator == NULL ? split_space(&pieces, s, limit) : split_by(&pieces, s, separator, limit);
    return pieces_list(&pieces, failed);
}

PyObject *str_split(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    return split(s, separator, limit, false);
}

PyObject *str_rsplit(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    return split(s, separator, limit, true);
}

/* Where the line of ASCII characters from `i` on ends. All breaks are below the space. */
static Py_ssize_t ascii_line_end(const uint8_t *p, Py_ssize_t i, Py_ssize_t n)
{
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' ');
    for (; i + 16 <= n; i += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(p + i));
        unsigned low = (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(block, space));
        for (; low != 0; low &= low - 1) {
            Py_ssize_t at = i + __builtin_ctz(low);
            if (char_is(p[at], CHAR_LINEBREAK)) {
                return at;
            }
        }
    }
#endif
    while (i < n && (likely(p[i] >= ' ') || !char_is(p[i], CHAR_LINEBREAK))) {
        i++;
    }
    return i;
}

/* Where the line from `i` on ends. */
static Py_ssize_t line_end(PyObject *s, Py_ssize_t i)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s);
    if (str_is_ascii(s)) {
        return ascii_line_end(data, i, n);
    }
    while (i < n && !char_is(str_data_read(kind, data, i), CHAR_LINEBREAK)) {
        i++;
    }
    return i;
}

PyObject *str_splitlines(PyObject *s, bool keep_ends)
{
    struct pieces pieces;
    pieces_init(&pieces);
    int kind = str_kind(s), failed = 0;
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s), i = 0;
    while (i < n && !failed) {
        Py_ssize_t start = i;
        i = line_end(s, i);
        Py_ssize_t end = i;
        if (i < n) {
            bool pair = str_data_read(kind, data, i) == '\r' && i + 1 < n
                        && str_data_read(kind, data, i + 1) == '\n';
            i += pair ? 2 : 1;
        }
        failed = push(&pieces, s, start, keep_ends ? i : end);
    }
    return pieces_list(&pieces, failed);
}

/* (s[:left], separator, s[right:]) */
static PyObject *three(PyObject *s, PyObject *separator, Py_ssize_t left, Py_ssize_t right)
{
    PyObject *head = str_substring(s, 0, left);
    PyObject *tail = head == NULL ? NULL : str_substring(s, right, str_len(s));
    PyObject *items[] = {head, separator, tail};
    if (tail == NULL) {
        Py_XDECREF(head);
        return NULL;
    }
    Py_INCREF(separator);
    return tuple_from_array_steal(items, 3);
}

static PyObject *partition(PyObject *s, PyObject *separator, bool from_right)
{
    if (str_len(separator) == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    Py_ssize_t n = str_len(s);
    Py_ssize_t found = from_right ? str_rfind(s, separator, 0, n) : str_find(s, separator, 0, n);
    if (found >= 0) {
        return three(s, separator, found, found + str_len(separator));
    }
    return from_right ? three(s, str_empty(), 0, 0) : three(s, str_empty(), n, n);
}

PyObject *str_partition(PyObject *s, PyObject *separator)
{
    return partition(s, separator, false);
}

PyObject *str_rpartition(PyObject *s, PyObject *separator)
{
    return partition(s, separator, true);
}

/* ---- Stripping ----------------------------------------------------------------------------- */

/* A quick 'perhaps' for set membership: one bit per low six bits of a character. */
static uint64_t bloom_of(PyObject *chars)
{
    uint64_t bloom = 0;
    for (Py_ssize_t i = 0; i < str_len(chars); i++) {
        bloom |= 1ull << (str_read(chars, i) & 63);
    }
    return bloom;
}

/* strip() of white space around characters of one byte. */
static PyObject *strip_narrow(PyObject *s, enum strip_side side)
{
    const uint8_t *data = str_data(s);
    Py_ssize_t start = 0, end = str_len(s);
    if (side & STRIP_LEFT) {
        while (start < end && char_is(data[start], CHAR_SPACE)) {
            start++;
        }
    }
    if (side & STRIP_RIGHT) {
        while (end > start && char_is(data[end - 1], CHAR_SPACE)) {
            end--;
        }
    }
    return str_substring(s, start, end);
}

PyObject *str_strip(PyObject *s, PyObject *chars, enum strip_side side)
{
    if (chars == NULL && str_kind(s) == 1) {
        return strip_narrow(s, side);
    }
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t start = 0, end = str_len(s);
    uint64_t bloom = chars == NULL ? 0 : bloom_of(chars);
#define GOES(i)                                                                                    \
    (chars == NULL ? space_at(kind, data, i)                                                       \
                   : (bloom >> (str_data_read(kind, data, i) & 63) & 1)                            \
                         && text_find_char(str_kind(chars), str_data(chars), str_len(chars),       \
                                           str_data_read(kind, data, i))                           \
                                >= 0)
    if (side & STRIP_LEFT) {
        while (start < end && GOES(start)) {
            start++;
        }
    }
    if (side & STRIP_RIGHT) {
        while (end > start && GOES(end - 1)) {
            end--;
        }
    }
#undef GOES
    return str_substring(s, start, end);
}

/* ---- The C API ----------------------------------------------------------------------------- */

PyObject *PyUnicode_Split(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    if (str_require(s) < 0 || (separator != NULL && str_require(separator) < 0)) {
        return NULL;
    }
    return split(s, separator, limit, false);
}

PyObject *PyUnicode_RSplit(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    if (str_require(s) < 0 || (separator != NULL && str_require(separator) < 0)) {
        return NULL;
    }
    return split(s, separator, limit, true);
}

PyObject *PyUnicode_Splitlines(PyObject *s, int keep_ends)
{
    return str_require(s) < 0 ? NULL : str_splitlines(s, keep_ends != 0);
}

PyObject *PyUnicode_Partition(PyObject *s, PyObject *separator)
{
    if (str_require(s) < 0 || str_require(separator) < 0) {
        return NULL;
    }
    return partition(s, separator, false);
}

PyObject *PyUnicode_RPartition(PyObject *s, PyObject *separator)
{
    if (str_require(s) < 0 || str_require(separator) < 0) {
        return NULL;
    }
    return partition(s, separator, true);
}
