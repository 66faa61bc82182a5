/*
 * Sorting: a stable merge sort that finds the order already there.
 *
 * What is sorted is an array of small records, each a word and the place its item had. The word is
 * all that most comparisons need: an int, a double, the first eight characters of a string, or
 * else the key object. Runs that are already in order are found first, short ones are made longer
 * by insertion, and the merges follow the "powersort" rule, which keeps them nearly as balanced as
 * they can be. Merging gallops while one side keeps winning. The items move once, at the end, so a
 * comparison that raises leaves the list as it was.
 */
#include "objects/list/array.h"
#include "objects/int.h"
#include "objects/str.h"
#include "objects/tuple.h"

struct record {
    union {
        int64_t i;
        uint64_t u;
        double d;
        PyObject *o;
    } word;
    Py_ssize_t place;
};

struct sort;
typedef int (*less_fn)(struct sort *s, const struct record *a, const struct record *b);

#define RUNS_MAX 90 /* powers strictly grow on the stack and are below 64 */

struct run {
    Py_ssize_t start, length;
    int power; /* of the boundary to the run before it */
};

struct sort {
    PyObject **keys;
    struct record *records;
    struct record *spare; /* room for half of the records */
    Py_ssize_t n;
    richcmpfunc compare; /* of objects that are all of one type */
    less_fn first_less;  /* of the first items of tuples */
    int nruns;
    struct run runs[RUNS_MAX];
};

/* ---- comparisons: 1 less, 0 not, -1 with an exception ---------------------------------------- */

static inline int less_int(struct sort *Py_UNUSED(s), const struct record *a,
                           const struct record *b)
{
    return a->word.i < b->word.i;
}

static inline int less_double(struct sort *Py_UNUSED(s), const struct record *a,
                              const struct record *b)
{
    return a->word.d < b->word.d;
}

static int less_latin1_text(PyObject *x, PyObject *y)
{
    Py_ssize_t nx = str_len(x), ny = str_len(y);
    int order = memcmp(str_data(x), str_data(y), (size_t)(nx < ny ? nx : ny));
    return order != 0 ? order < 0 : nx < ny;
}

static inline int less_latin1(struct sort *s, const struct record *a, const struct record *b)
{
    if (a->word.u != b->word.u) {
        return a->word.u < b->word.u;
    }
    return less_latin1_text(s->keys[a->place], s->keys[b->place]);
}

static int is_less(PyObject *result)
{
    if (result == NULL) {
        return -1;
    }
    int less = result == Py_True ? 1 : result == Py_False ? 0 : PyObject_IsTrue(result);
    Py_DECREF(result);
    return less;
}

static inline int less_same_type(struct sort *s, const struct record *a, const struct record *b)
{
    PyObject *x = a->word.o, *y = b->word.o;
    PyTypeObject *type = Py_TYPE(x);
    /* A comparison may have given an instance another class, or the class another slot. */
    if (type->tp_richcompare != s->compare || Py_TYPE(y) != type) {
        return PyObject_RichCompareBool(x, y, Py_LT);
    }
    PyObject *result = s->compare(x, y, Py_LT);
    if (result == Py_NotImplemented) {
        Py_DECREF(result);
        result = PyObject_RichCompare(x, y, Py_LT);
    }
    return is_less(result);
}

static inline int less_any(struct sort *Py_UNUSED(s), const struct record *a,
                           const struct record *b)
{
    return is_less(PyObject_RichCompare(a->word.o, b->word.o, Py_LT));
}

/* Tuples: the word belongs to their first items; only when these are equal the rest is seen. */
static inline int less_tuple(struct sort *s, const struct record *a, const struct record *b)
{
    PyObject *x = s->keys[a->place], *y = s->keys[b->place];
    if (s->first_less == less_int || s->first_less == less_double) {
        if (s->first_less(s, a, b)) {
            return 1;
        }
        if (s->first_less(s, b, a)) {
            return 0;
        }
        if (s->first_less == less_double
            && !(a->word.d == b->word.d || PyTuple_GET_ITEM(x, 0) == PyTuple_GET_ITEM(y, 0))) {
            return 0; /* a NaN: different, and not less */
        }
    } else if (s->first_less == less_latin1) {
        if (a->word.u != b->word.u) {
            return a->word.u < b->word.u;
        }
        PyObject *first_x = PyTuple_GET_ITEM(x, 0), *first_y = PyTuple_GET_ITEM(y, 0);
        if (!str_equal(first_x, first_y)) {
            return less_latin1_text(first_x, first_y);
        }
    } else {
        return is_less(PyObject_RichCompare(x, y, Py_LT));
    }
    Py_ssize_t nx = PyTuple_GET_SIZE(x), ny = PyTuple_GET_SIZE(y), n = nx < ny ? nx : ny;
    for (Py_ssize_t i = 1; i < n; i++) {
        PyObject *p = PyTuple_GET_ITEM(x, i), *q = PyTuple_GET_ITEM(y, i);
        int equal = PyObject_RichCompareBool(p, q, Py_EQ);
        if (equal < 0) {
            return -1;
        }
        if (!equal) {
            return is_less(PyObject_RichCompare(p, q, Py_LT));
        }
    }
    return nx < ny;
}

/* ---- the sort, written once and compiled for each comparison --------------------------------- */

#define INLINE static inline __attribute__((always_inline))

#define GALLOP_AFTER 7
#define INSERTION_RUN_MAX 64

/* Length of the run that begins at `low`; a strictly falling one is turned round. -1 on failure. */
INLINE Py_ssize_t run_count(struct sort *s, less_fn less, Py_ssize_t low)
{
    struct record *r = s->records;
    Py_ssize_t end = low + 1;
    if (end == s->n) {
        return 1;
    }
    int falling = less(s, &r[end], &r[low]);
    if (falling < 0) {
        return -1;
    }
    for (end++; end < s->n; end++) {
        int smaller = less(s, &r[end], &r[end - 1]);
        if (smaller < 0) {
            return -1;
        }
        if (smaller != falling) {
            break;
        }
    }
    if (falling) {
        for (Py_ssize_t i = low, j = end - 1; i < j; i++, j--) {
            struct record swap = r[i];
            r[i] = r[j];
            r[j] = swap;
        }
    }
    return end - low;
}

/* Sorts [low, high), of which [low, sorted) is in order. */
INLINE int insert_sort(struct sort *s, less_fn less, Py_ssize_t low, Py_ssize_t sorted,
                       Py_ssize_t high)
{
    struct record *r = s->records;
    for (; sorted < high; sorted++) {
        struct record pivot = r[sorted];
        Py_ssize_t left = low, right = sorted;
        while (left < right) {
            Py_ssize_t middle = left + ((right - left) >> 1);
            int smaller = less(s, &pivot, &r[middle]);
            if (smaller < 0) {
                return -1;
            }
            if (smaller) {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        memmove(&r[left + 1], &r[left], (size_t)(sorted - left) * sizeof *r);
        r[left] = pivot;
    }
    return 0;
}

/* How many of the n records at `r` come before `pivot`: those less than it, and with `equal_too`
 * those equal to it as well. The search starts at one end and doubles its step. */
INLINE Py_ssize_t gallop(struct sort *s, less_fn less, const struct record *pivot,
                         const struct record *r, Py_ssize_t n, bool equal_too, bool from_end)
{
    Py_ssize_t low = 0, high = n; /* r[low - 1] is before, r[high] is not */
    for (Py_ssize_t step = 1; low < high; step = step * 2 + 1) {
        Py_ssize_t at = from_end ? high - step : low + step - 1;
        if (at < low || at >= high) {
            break;
        }
        int smaller = equal_too ? less(s, pivot, &r[at]) : less(s, &r[at], pivot);
        if (smaller < 0) {
            return -1;
        }
        bool before = equal_too ? !smaller : smaller;
        if (before) {
            low = at + 1;
            if (from_end) {
                break;
            }
        } else {
            high = at;
            if (!from_end) {
                break;
            }
        }
    }
    while (low < high) {
        Py_ssize_t middle = low + ((high - low) >> 1);
        int smaller = equal_too ? less(s, pivot, &r[middle]) : less(s, &r[middle], pivot);
        if (smaller < 0) {
            return -1;
        }
        if (equal_too ? !smaller : smaller) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Merges a (copied aside) with b (in place behind a), from the front. */
INLINE int merge_forward(struct sort *s, less_fn less, struct record *a, Py_ssize_t na,
                         struct record *b, Py_ssize_t nb)
{
    struct record *to = a, *x = s->spare, *x_end = x + na, *y_end = b + nb;
    memcpy(x, a, (size_t)na * sizeof *a);
    int failed = 0;
    while (x < x_end && b < y_end) {
        int x_wins = 0, y_wins = 0;
        while (x < x_end && b < y_end && x_wins < GALLOP_AFTER && y_wins < GALLOP_AFTER) {
            int smaller = less(s, b, x);
            if (smaller < 0) {
                failed = -1;
                goto done;
            }
            if (smaller) {
                *to++ = *b++;
                y_wins++;
                x_wins = 0;
            } else {
                *to++ = *x++;
                x_wins++;
                y_wins = 0;
            }
        }
        Py_ssize_t won;
        do {
            if (x >= x_end || b >= y_end) {
                break;
            }
            won = gallop(s, less, b, x, x_end - x, true, false);
            if (won < 0) {
                failed = -1;
                goto done;
            }
            memcpy(to, x, (size_t)won * sizeof *to);
            to += won;
            x += won;
            if (x >= x_end) {
                break;
            }
            Py_ssize_t y_won = gallop(s, less, x, b, y_end - b, false, false);
            if (y_won < 0) {
                failed = -1;
                goto done;
            }
            memmove(to, b, (size_t)y_won * sizeof *to);
            to += y_won;
            b += y_won;
            won = won > y_won ? won : y_won;
        } while (won >= GALLOP_AFTER);
    }
done:
    memcpy(to, x, (size_t)(x_end - x) * sizeof *to);
    return failed;
}

/* Merges a (in place) with b (copied aside), from the end. */
INLINE int merge_backward(struct sort *s, less_fn less, struct record *a, Py_ssize_t na,
                          struct record *b, Py_ssize_t nb)
{
    struct record *to = b + nb, *y = s->spare, *y_end = y + nb, *x_end = a + na;
    memcpy(y, b, (size_t)nb * sizeof *b);
    int failed = 0;
    while (x_end > a && y_end > y) {
        int x_wins = 0, y_wins = 0;
        while (x_end > a && y_end > y && x_wins < GALLOP_AFTER && y_wins < GALLOP_AFTER) {
            int smaller = less(s, y_end - 1, x_end - 1);
            if (smaller < 0) {
                failed = -1;
                goto done;
            }
            if (smaller) {
                *--to = *--x_end;
                x_wins++;
                y_wins = 0;
            } else {
                *--to = *--y_end;
                y_wins++;
                x_wins = 0;
            }
        }
        Py_ssize_t won;
        do {
            if (x_end <= a || y_end <= y) {
                break;
            }
            Py_ssize_t keep = gallop(s, less, y_end - 1, a, x_end - a, true, true);
            if (keep < 0) {
                failed = -1;
                goto done;
            }
            won = x_end - a - keep;
            to -= won;
            x_end -= won;
            memmove(to, x_end, (size_t)won * sizeof *to);
            if (x_end <= a) {
                break;
            }
            keep = gallop(s, less, x_end - 1, y, y_end - y, false, true);
            if (keep < 0) {
                failed = -1;
                goto done;
            }
            Py_ssize_t y_won = y_end - y - keep;
            to -= y_won;
            y_end -= y_won;
            memcpy(to, y_end, (size_t)y_won * sizeof *to);
            won = won > y_won ? won : y_won;
        } while (won >= GALLOP_AFTER);
    }
done:
    memcpy(to - (y_end - y), y, (size_t)(y_end - y) * sizeof *to);
    return failed;
}

/* Merges the two runs on top of the stack. */
INLINE int merge_top(struct sort *s, less_fn less)
{
    struct run *top = &s->runs[s->nruns - 1], *under = top - 1;
    struct record *a = s->records + under->start, *b = s->records + top->start;
    Py_ssize_t na = under->length, nb = top->length;
    if (na + nb > 100000 && PyErr_CheckSignals() < 0) {
        return -1;
    }
    under->length = na + nb;
    s->nruns--;
    Py_ssize_t skip = gallop(s, less, b, a, na, true, false);
    if (skip < 0) {
        return -1;
    }
    a += skip;
    na -= skip;
    if (na == 0) {
        return 0;
    }
    nb = gallop(s, less, a + na - 1, b, nb, false, true);
    if (nb <= 0) {
        return (int)nb;
    }
    return na <= nb ? merge_forward(s, less, a, na, b, nb) : merge_backward(s, less, a, na, b, nb);
}

/* The level, in a perfectly balanced tree over all n records, at which the two runs that meet
 * here would be merged: the first binary digit in which their middles differ. */
static int boundary_power(Py_ssize_t start, Py_ssize_t length, Py_ssize_t next, Py_ssize_t n)
{
    size_t a = 2 * (size_t)start + (size_t)length;
    size_t b = a + (size_t)length + (size_t)next;
    size_t whole = 2 * (size_t)n;
    int power = 0;
    for (;;) {
        power++;
        a <<= 1;
        b <<= 1;
        if (b >= whole) {
            if (a < whole) {
                return power;
            }
            a -= whole;
            b -= whole;
        }
    }
}

/* Runs are made this long: n divided by a power of two, so that the merges come out even. */
static Py_ssize_t insertion_run(Py_ssize_t n)
{
    Py_ssize_t rest = 0;
    while (n >= INSERTION_RUN_MAX) {
        rest |= n & 1;
        n >>= 1;
    }
    return n + rest;
}

INLINE int sort_records(struct sort *s, less_fn less)
{
    Py_ssize_t low = 0, run = insertion_run(s->n);
    while (low < s->n) {
        Py_ssize_t length = run_count(s, less, low);
        if (length < 0) {
            return -1;
        }
        Py_ssize_t wanted = s->n - low < run ? s->n - low : run;
        if (length < wanted) {
            if (insert_sort(s, less, low, low + length, low + wanted) < 0) {
                return -1;
            }
            length = wanted;
        }
        int power = 0;
        if (s->nruns > 0) {
            struct run *top = &s->runs[s->nruns - 1];
            power = boundary_power(top->start, top->length, length, s->n);
            while (s->nruns > 1 && s->runs[s->nruns - 1].power > power) {
                if (merge_top(s, less) < 0) {
                    return -1;
                }
            }
        }
        s->runs[s->nruns++] = (struct run){low, length, power};
        low += length;
    }
    while (s->nruns > 1) {
        if (merge_top(s, less) < 0) {
            return -1;
        }
    }
    return 0;
}

static int sort_ints(struct sort *s)
{
    return sort_records(s, less_int);
}
static int sort_doubles(struct sort *s)
{
    return sort_records(s, less_double);
}
static int sort_latin1(struct sort *s)
{
    return sort_records(s, less_latin1);
}
static int sort_same_type(struct sort *s)
{
    return sort_records(s, less_same_type);
}
static int sort_tuples(struct sort *s)
{
    return sort_records(s, less_tuple);
}
static int sort_any(struct sort *s)
{
    return sort_records(s, less_any);
}

/* ---- which comparison will do ---------------------------------------------------------------- */

static uint64_t latin1_prefix(PyObject *text)
{
    uint64_t prefix = 0;
    Py_ssize_t n = str_len(text);
    if (n >= 8) {
        memcpy(&prefix, str_data(text), 8);
        return __builtin_bswap64(prefix);
    }
    memcpy(&prefix, str_data(text), (size_t)n);
    return __builtin_bswap64(prefix);
}

/* Puts the words of key objects (or first items of tuples) into the records, if all of them are of
 * one kind that has words; returns its comparison, or NULL. */
static less_fn fill_words(struct sort *s, bool of_tuples)
{
    PyObject *first = of_tuples ? PyTuple_GET_ITEM(s->keys[0], 0) : s->keys[0];
    PyTypeObject *type = Py_TYPE(first);
    less_fn less = type == &PyLong_Type      ? less_int
                   : type == &PyFloat_Type   ? less_double
                   : type == &PyUnicode_Type ? less_latin1
                                             : NULL;
    for (Py_ssize_t i = 0; less != NULL && i < s->n; i++) {
        struct record *r = &s->records[i];
        PyObject *key = of_tuples ? PyTuple_GET_ITEM(s->keys[r->place], 0) : s->keys[r->place];
        if (!Py_IS_TYPE(key, type)) {
            return NULL;
        }
        if (less == less_int) {
            if (!int_fits_i64((PyLongObject *)key, &r->word.i)) {
                return NULL;
            }
        } else if (less == less_double) {
            r->word.d = PyFloat_AS_DOUBLE(key);
        } else if (str_kind(key) != 1) {
            return NULL;
        } else {
            r->word.u = latin1_prefix(key);
        }
    }
    return less;
}

static bool all_of_type(struct sort *s, PyTypeObject *type)
{
    for (Py_ssize_t i = 1; i < s->n; i++) {
        if (!Py_IS_TYPE(s->keys[i], type)) {
            return false;
        }
    }
    return true;
}

static bool all_nonempty_tuples(struct sort *s)
{
    for (Py_ssize_t i = 0; i < s->n; i++) {
        if (!PyTuple_CheckExact(s->keys[i]) || PyTuple_GET_SIZE(s->keys[i]) == 0) {
            return false;
        }
    }
    return true;
}

static int sort_by_best(struct sort *s)
{
    less_fn less = fill_words(s, false);
    if (less != NULL) {
        return less == less_int      ? sort_ints(s)
               : less == less_double ? sort_doubles(s)
                                     : sort_latin1(s);
    }
    if (all_nonempty_tuples(s) && (s->first_less = fill_words(s, true)) != NULL) {
        return sort_tuples(s);
    }
    for (Py_ssize_t i = 0; i < s->n; i++) {
        s->records[i].word.o = s->keys[s->records[i].place];
    }
    PyTypeObject *type = Py_TYPE(s->keys[0]);
    s->compare = type->tp_richcompare;
    return s->compare != NULL && all_of_type(s, type) ? sort_same_type(s) : sort_any(s);
}

#define FEW 64

static int sort_items(PyObject **keys, PyObject **items, Py_ssize_t n, bool reverse)
{
    if (n < 2) {
        return 0;
    }
    struct record few[FEW + FEW / 2];
    struct sort s = {.keys = keys == NULL ? items : keys, .records = few, .n = n};
    if (n > FEW) {
        if ((size_t)n > PY_SSIZE_T_MAX / (2 * sizeof(struct record))) {
            PyErr_NoMemory();
            return -1;
        }
        s.records = PyMem_Malloc((size_t)(n + n / 2 + 1) * sizeof(struct record));
        if (s.records == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    s.spare = s.records + n;
    /* Equal items keep their order in a reversed sort as well: it is the reverse of a sort of the
     * reversed items. */
    for (Py_ssize_t i = 0; i < n; i++) {
        s.records[i].place = reverse ? n - 1 - i : i;
    }
    int result = sort_by_best(&s);
    if (result == 0) {
        /* The words are of no more use: they take the items in their new order. */
        for (Py_ssize_t i = 0; i < n; i++) {
            s.records[i].word.o = items[s.records[i].place];
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            items[reverse ? n - 1 - i : i] = s.records[i].word.o;
        }
    }
    if (s.records != few) {
        PyMem_Free(s.records);
    }
    return result;
}

int sort_array(PyObject **keys, PyObject **items, Py_ssize_t n)
{
    return sort_items(keys, items, n, false);
}

/* ---- list.sort ------------------------------------------------------------------------------- */

/* The keys of n items as an array of new references, or NULL with an exception. */
static PyObject **make_keys(PyObject *key, PyObject **items, Py_ssize_t n)
{
    PyObject **keys = PyMem_Malloc((size_t)(n + 1) * sizeof(PyObject *));
    if (keys == NULL) {
        return (PyObject **)PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        keys[i] = PyObject_CallOneArg(key, items[i]);
        if (keys[i] == NULL) {
            while (--i >= 0) {
                Py_DECREF(keys[i]);
            }
            PyMem_Free(keys);
            return NULL;
        }
    }
    return keys;
}

int list_sort_locked(PyListObject *list, PyObject *key, bool reverse)
{
    /* While it is sorted the list is empty for others, and -1 as its capacity tells whether they
     * have touched it. */
    PyObject **items = list->ob_item;
    Py_ssize_t n = Py_SIZE(list), allocated = list->allocated;
    if (n > 1 && shared_is_read((PyObject *)list)) {
        /* Readers may be looking at the old array: sort a copy of it. */
        PyObject **copy = array_new(n);
        if (copy == NULL) {
            return -1;
        }
        memcpy(copy, items, (size_t)n * sizeof(PyObject *));
        list_set_size(list, 0);
        field_store_release(&list->ob_item, NULL);
        array_free(list, items, allocated);
        items = copy;
        allocated = n;
    }
    list_set_size(list, 0);
    field_store_release(&list->ob_item, NULL);
    field_store(&list->allocated, -1);

    int result = 0;
    PyObject **keys = NULL;
    if (key != NULL && n > 0) {
        keys = make_keys(key, items, n);
        result = keys == NULL ? -1 : 0;
    }
    if (result == 0) {
        result = sort_items(keys, items, n, reverse);
    }
    if (keys != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(keys[i]);
        }
        PyMem_Free(keys);
    }
    if (list->allocated != -1 && result == 0) {
        PyErr_SetString(PyExc_ValueError, "list modified during sort");
        result = -1;
    }

    PyObject **others = list->ob_item;
    Py_ssize_t nothers = Py_SIZE(list), others_capacity = list->allocated;
    field_store_release(&list->ob_item, items);
    field_store(&list->allocated, allocated);
    list_set_size(list, n);
    for (Py_ssize_t i = 0; others != NULL && i < nothers; i++) {
        Py_XDECREF(others[i]);
    }
    array_free(list, others, others_capacity);
    return result;
}
