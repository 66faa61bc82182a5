/* Properties and normal forms of characters. */
#include "objects/unicode_data/unicode_data.h"

#include "objects/str.h"

#include "unicode_database.h"

#define TWO_STAGE(name, shift, ch)                                                                 \
    name##_index2[((unsigned)name##_index1[(ch) >> (shift)] << (shift))                            \
                  + ((ch) & ((1u << (shift)) - 1))]

static const struct unicode_entry *entry_of(Py_UCS4 ch)
{
    return &unicode_entries[TWO_STAGE(unicode_entry, UNICODE_ENTRY_SHIFT, ch)];
}

static const struct unicode_old_entry *old_entry_of(Py_UCS4 ch)
{
    return &unicode_old_entries[TWO_STAGE(unicode_old, UNICODE_OLD_SHIFT, ch)];
}

static bool was_unassigned(Py_UCS4 ch)
{
    return old_entry_of(ch)->category == 0;
}

void char_properties(Py_UCS4 ch, bool old, struct char_properties *out)
{
    const struct unicode_entry *entry = entry_of(ch);
    *out = (struct char_properties){
        .category = unicode_categories[entry->category],
        .bidirectional = unicode_bidis[entry->bidi],
        .width = unicode_widths[entry->width],
        .combining = entry->combining,
        .mirrored = entry->mirrored != 0,
        .decimal = _PyUnicode_ToDecimalDigit(ch),
        .numeric = _PyUnicode_ToNumeric(ch),
    };
    if (!old) {
        return;
    }
    const struct unicode_old_entry *was = old_entry_of(ch);
    if (was->category != 255) {
        out->category = unicode_categories[was->category];
        if (was->category == 0) {
            out->combining = 0;
        }
    }
    if (was->bidi != 255) {
        out->bidirectional = unicode_bidis[was->bidi];
    }
    if (was->width != 255) {
        out->width = unicode_widths[was->width];
    }
    if (was->mirrored != 255) {
        out->mirrored = was->mirrored != 0;
    }
    if (was->decimal != 255) {
        out->decimal = was->decimal == 254 ? -1 : was->decimal;
    }
    if (was->numeric != -1) {
        out->numeric = was->numeric == -2 ? -1.0 : (double)was->numeric;
    }
}

int char_decomposition(Py_UCS4 ch, bool old, const char **tag, Py_UCS4 *out, int room)
{
    unsigned place = TWO_STAGE(unicode_decomposition, UNICODE_DECOMPOSITION_SHIFT, ch);
    *tag = "";
    if (place == 0 || (old && was_unassigned(ch))) {
        return 0;
    }
    uint32_t head = unicode_decomposition_data[place];
    int count = (int)(head & 255);
    *tag = unicode_tags[head >> 8];
    for (int i = 0; i < count && i < room; i++) {
        out[i] = unicode_decomposition_data[place + 1 + (unsigned)i];
    }
    return count;
}

/* ---- Normalising --------------------------------------------------------------------------- */

enum {
    S_BASE = 0xac00,
    L_BASE = 0x1100,
    V_BASE = 0x1161,
    T_BASE = 0x11a7,
    L_COUNT = 19,
    V_COUNT = 21,
    T_COUNT = 28,
    S_COUNT = L_COUNT * V_COUNT * T_COUNT,
};

/* A growing array of characters, or a failure. */
struct buffer {
    Py_UCS4 *data;
    Py_ssize_t length, room;
};

static int buffer_push(struct buffer *b, Py_UCS4 ch)
{
    if (b->length == b->room) {
        Py_ssize_t room = b->room * 2 + 32;
        Py_UCS4 *data = PyMem_Realloc(b->data, (size_t)room * sizeof *data);
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        b->data = data;
        b->room = room;
    }
    b->data[b->length++] = ch;
    return 0;
}

static const struct unicode_correction *correction_of(Py_UCS4 ch)
{
    for (size_t i = 0; i < sizeof unicode_corrections / sizeof unicode_corrections[0]; i++) {
        if (unicode_corrections[i].code == ch) {
            return &unicode_corrections[i];
        }
    }
    return NULL;
}

/* Appends the full decomposition of `ch`.  Mappings nest a few levels at most. */
static int decompose_char(struct buffer *b, Py_UCS4 ch, bool compatible, bool old)
{
    if (ch >= S_BASE && ch < S_BASE + S_COUNT) {
        Py_UCS4 index = ch - S_BASE;
        Py_UCS4 tail = index % T_COUNT;
        if (buffer_push(b, L_BASE + index / (V_COUNT * T_COUNT)) < 0
            || buffer_push(b, V_BASE + index / T_COUNT % V_COUNT) < 0) {
            return -1;
        }
        return tail == 0 ? 0 : buffer_push(b, T_BASE + tail);
    }
    const struct unicode_correction *fix = old ? correction_of(ch) : NULL;
    if (fix != NULL) {
        return buffer_push(b, fix->old);
    }
    const char *tag;
    Py_UCS4 to[32];
    int count = char_decomposition(ch, old, &tag, to, 32);
    if (count == 0 || (tag[0] != '\0' && !compatible)) {
        return buffer_push(b, ch);
    }
    for (int i = 0; i < count; i++) {
        if (decompose_char(b, to[i], compatible, old) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Sorts each run of combining marks by class, keeping the order of equals.  Runs are short in real
 * text; long ones are merged, so that hostile text costs n log n. */
static int sort_marks(Py_UCS4 *marks, Py_ssize_t count)
{
    if (count <= 32) {
        for (Py_ssize_t i = 1; i < count; i++) {
            Py_UCS4 ch = marks[i];
            unsigned class = entry_of(ch)->combining;
            Py_ssize_t j = i;
            while (j > 0 && entry_of(marks[j - 1])->combining > class) {
                marks[j] = marks[j - 1];
                j--;
            }
            marks[j] = ch;
        }
        return 0;
    }
    /* Classes are bytes: a counting sort does it in two passes. */
    Py_ssize_t starts[257] = {0};
    Py_UCS4 *sorted = PyMem_Malloc((size_t)count * sizeof *sorted);
    if (sorted == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        starts[entry_of(marks[i])->combining + 1]++;
    }
    for (int i = 0; i < 256; i++) {
        starts[i + 1] += starts[i];
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        sorted[starts[entry_of(marks[i])->combining]++] = marks[i];
    }
    memcpy(marks, sorted, (size_t)count * sizeof *sorted);
    PyMem_Free(sorted);
    return 0;
}

static int order_marks(struct buffer *b)
{
    Py_ssize_t i = 0;
    while (i < b->length) {
        Py_ssize_t start = i;
        while (i < b->length && entry_of(b->data[i])->combining != 0) {
            i++;
        }
        if (i - start > 1 && sort_marks(b->data + start, i - start) < 0) {
            return -1;
        }
        i += i == start;
    }
    return 0;
}

/* What `first` and `second` compose to, or 0. */
static Py_UCS4 compose_pair(Py_UCS4 first, Py_UCS4 second)
{
    if (first >= L_BASE && first < L_BASE + L_COUNT && second >= V_BASE
        && second < V_BASE + V_COUNT) {
        return S_BASE + ((first - L_BASE) * V_COUNT + (second - V_BASE)) * T_COUNT;
    }
    if (first >= S_BASE && first < S_BASE + S_COUNT && (first - S_BASE) % T_COUNT == 0
        && second > T_BASE && second < T_BASE + T_COUNT) {
        return first + (second - T_BASE);
    }
    size_t low = 0, high = sizeof unicode_pairs / sizeof unicode_pairs[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct unicode_pair *pair = &unicode_pairs[middle];
        if (pair->first < first || (pair->first == first && pair->second < second)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct unicode_pair *pair = &unicode_pairs[low];
    bool found = low < sizeof unicode_pairs / sizeof unicode_pairs[0] && pair->first == first
                 && pair->second == second;
    return found ? pair->composed : 0;
}

/* Composes in place: each character joins the last starter, unless a mark of the same or a higher
 * class, or another starter, stands between. */
static void compose(struct buffer *b)
{
    Py_ssize_t out = 0, starter = -1;
    unsigned last_class = 0;
    for (Py_ssize_t i = 0; i < b->length; i++) {
        Py_UCS4 ch = b->data[i];
        unsigned class = entry_of(ch)->combining;
        bool blocked =
            starter < 0 || (out - starter > 1 && (last_class >= class || last_class == 0));
        Py_UCS4 composed = blocked ? 0 : compose_pair(b->data[starter], ch);
        if (composed != 0) {
            b->data[starter] = composed;
            continue;
        }
        if (class == 0) {
            starter = out;
        }
        last_class = class;
        b->data[out++] = ch;
    }
    b->length = out;
}

bool str_is_normal(PyObject *s, enum normal_form form)
{
    static const unsigned needs[] = {
        [NORMAL_NFC] = 4 | 16, [NORMAL_NFKC] = 8 | 16, [NORMAL_NFD] = 1, [NORMAL_NFKD] = 2};
    if (str_is_ascii(s)) {
        return true;
    }
    unsigned previous = 0;
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        const struct unicode_entry *entry = entry_of(str_read(s, i));
        if ((entry->quick & needs[form]) != 0) {
            return false;
        }
        if (entry->combining != 0 && entry->combining < previous) {
            return false;
        }
        previous = entry->combining;
    }
    return true;
}

PyObject *str_normalize(PyObject *s, enum normal_form form, bool old)
{
    if (str_is_ascii(s) || (!old && str_is_normal(s, form))) {
        return str_exact(s);
    }
    struct buffer b = {0};
    bool compatible = form == NORMAL_NFKC || form == NORMAL_NFKD;
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        if (decompose_char(&b, str_read(s, i), compatible, old) < 0) {
            goto done;
        }
    }
    if (order_marks(&b) < 0) {
        goto done;
    }
    if (form == NORMAL_NFC || form == NORMAL_NFKC) {
        compose(&b);
    }
    result = str_from_ucs4(b.data, b.length);
done:
    PyMem_Free(b.data);
    return result;
}
