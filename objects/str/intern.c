/* Interned strings: one string per value, so that names compare by address.
 *
 * The table is split by hash into shards, each an open-addressing set with its own lock.  The table
 * owns no reference: a mortal interned string leaves it when it dies.  So a look-up may meet
 * a string that another thread is just about to free; it takes it only if its count has not
 * reached zero, and else puts its own string in that place.
 */
#include "objects/str/internal.h"

#include "objects/hash.h"
#include "objects/shared.h"
#include "objects/str/intern_refs.h"

enum { SHARD_BITS = 4, SHARDS = 1 << SHARD_BITS, FIRST_CAPACITY = 256 };

struct shard {
    PyMutex lock;
    PyObject **slots;    /* borrowed; NULL free, TOMBSTONE left */
    Py_ssize_t capacity; /* a power of two, or 0 */
    Py_ssize_t used;     /* strings and tombstones */
    Py_ssize_t live;
};

static struct shard shards[SHARDS];

static char tombstone_place;
#define TOMBSTONE ((PyObject *)&tombstone_place)

enum { NOT_INTERNED, MORTAL, IMMORTAL, IMMORTAL_STATIC };

static unsigned interned_state(PyObject *s)
{
    return __atomic_load_n((uint32_t *)&((PyASCIIObject *)s)->state, __ATOMIC_ACQUIRE) & 3;
}

static void set_interned_state(PyObject *s, unsigned state)
{
    uint32_t *word = (uint32_t *)&((PyASCIIObject *)s)->state;
    uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
    __atomic_store_n(word, (old & ~(uint32_t)3) | state, __ATOMIC_RELEASE);
}

static struct shard *shard_of(Py_hash_t hash)
{
    return &shards[(Py_uhash_t)hash >> (64 - SHARD_BITS)];
}

/* ---- One shard, its lock held -------------------------------------------------------------- */

static PyObject **slot_find(struct shard *shard, PyObject *s, Py_hash_t hash)
{
    size_t mask = (size_t)shard->capacity - 1;
    PyObject **vacant = NULL;
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        PyObject *entry = shard->slots[i];
        if (entry == NULL) {
            return vacant != NULL ? vacant : &shard->slots[i];
        }
        if (entry == TOMBSTONE) {
            vacant = vacant != NULL ? vacant : &shard->slots[i];
        } else if (str_hash(entry) == hash && str_equal(entry, s)) {
            return &shard->slots[i];
        }
    }
}

/* The interned string of these ASCII bytes: new reference, or NULL if there is none. */
static PyObject *shard_find_ascii(struct shard *shard, const char *text, Py_ssize_t length,
                                  Py_hash_t hash)
{
    size_t mask = (size_t)shard->capacity - 1;
    for (size_t i = (size_t)hash & mask; shard->capacity != 0; i = (i + 1) & mask) {
        PyObject *entry = shard->slots[i];
        if (entry == NULL) {
            return NULL;
        }
        if (entry != TOMBSTONE && str_hash(entry) == hash && PyUnicode_IS_COMPACT_ASCII(entry)
            && str_len(entry) == length && memcmp(str_data(entry), text, (size_t)length) == 0) {
            return intern_try_incref(entry) ? entry : NULL;
        }
    }
    return NULL;
}

/* Makes sure that a free slot remains; 0, or -1 when memory is short (no exception). */
static int shard_reserve(struct shard *shard)
{
    if (shard->capacity != 0 && (shard->used + 1) * 3 <= shard->capacity * 2) {
        return 0;
    }
    Py_ssize_t capacity = shard->capacity == 0                ? FIRST_CAPACITY
                          : shard->live * 2 > shard->capacity ? shard->capacity * 2
                                                              : shard->capacity;
    PyObject **slots = PyMem_RawCalloc((size_t)capacity, sizeof *slots);
    if (slots == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < shard->capacity; i++) {
        PyObject *entry = shard->slots[i];
        if (entry != NULL && entry != TOMBSTONE) {
            size_t place = (size_t)str_hash(entry) & ((size_t)capacity - 1);
            while (slots[place] != NULL) {
                place = (place + 1) & ((size_t)capacity - 1);
            }
            slots[place] = entry;
        }
    }
    PyMem_RawFree(shard->slots);
    shard->slots = slots;
    shard->capacity = capacity;
    shard->used = shard->live;
    return 0;
}

/* The interned string equal to `s` (new reference), after entering `s` itself if there was none. */
static PyObject *shard_intern(struct shard *shard, PyObject *s, Py_hash_t hash, unsigned state)
{
    if (shard_reserve(shard) < 0) {
        return NULL;
    }
    PyObject **slot = slot_find(shard, s, hash);
    PyObject *entry = *slot;
    if (entry != NULL && entry != TOMBSTONE) {
        if (intern_try_incref(entry)) {
            if (state >= IMMORTAL && interned_state(entry) == MORTAL) {
                intern_make_immortal(entry);
                set_interned_state(entry, IMMORTAL);
            }
            return entry;
        }
    } else {
        shard->used += entry == NULL;
        shard->live++;
    }
    if (state == IMMORTAL) {
        intern_make_immortal(s);
    } else if (state == MORTAL) {
        intern_make_findable(s);
    }
    *slot = s;
    set_interned_state(s, state);
    return Py_NewRef(s);
}

/* ---- What others call ---------------------------------------------------------------------- */

static PyObject *intern(PyObject *s, unsigned state)
{
    Py_hash_t hash = str_hash(s);
    struct shard *shard = shard_of(hash);
    PyMutex_Lock(&shard->lock);
    PyObject *interned = shard_intern(shard, s, hash, state);
    PyMutex_Unlock(&shard->lock);
    return interned;
}

static void intern_in_place(PyObject **p, unsigned state)
{
    PyObject *s = *p;
    if (s == NULL || !PyUnicode_CheckExact(s)) {
        return;
    }
    unsigned now = interned_state(s);
    if (now >= state) {
        return;
    }
    PyObject *interned = intern(s, state);
    if (interned != NULL) {
        *p = interned;
        Py_DECREF(s);
    }
}

void str_intern(PyObject **p)
{
    intern_in_place(p, MORTAL);
}

void str_intern_immortal(PyObject **p)
{
    intern_in_place(p, IMMORTAL);
}

int str_intern_static(PyObject *s)
{
    PyObject *interned = intern(s, IMMORTAL_STATIC);
    if (interned == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_DECREF(interned);
    return 0;
}

PyObject *str_intern_ascii(const char *text, Py_ssize_t length)
{
    Py_hash_t hash = hash_bytes(text, length);
    struct shard *shard = shard_of(hash);
    PyMutex_Lock(&shard->lock);
    PyObject *s = shard_find_ascii(shard, text, length, hash);
    PyMutex_Unlock(&shard->lock);
    if (s == NULL && (s = str_from_ascii(text, length)) != NULL) {
        field_store(&((PyASCIIObject *)s)->hash, hash);
        str_intern(&s);
    }
    return s;
}

PyObject *str_intern_utf8(const char *text, Py_ssize_t length)
{
    if (ascii_bytes(text, length)) {
        return str_intern_ascii(text, length);
    }
    PyObject *s = PyUnicode_DecodeUTF8Stateful(text, length, NULL, NULL);
    if (s != NULL) {
        str_intern(&s);
    }
    return s;
}

/* Called when an interned string dies. */
void str_intern_forget(PyObject *s)
{
    Py_hash_t hash = str_hash(s);
    struct shard *shard = shard_of(hash);
    PyMutex_Lock(&shard->lock);
    size_t mask = (size_t)shard->capacity - 1;
    for (size_t i = (size_t)hash & mask; shard->slots[i] != NULL; i = (i + 1) & mask) {
        if (shard->slots[i] == s) {
            shard->slots[i] = TOMBSTONE;
            shard->live--;
            break;
        }
    }
    PyMutex_Unlock(&shard->lock);
}

Py_ssize_t str_intern_count(Py_ssize_t *immortal)
{
    Py_ssize_t live = 0;
    *immortal = 0;
    for (int k = 0; k < SHARDS; k++) {
        struct shard *shard = &shards[k];
        PyMutex_Lock(&shard->lock);
        live += shard->live;
        for (Py_ssize_t i = 0; i < shard->capacity; i++) {
            PyObject *s = shard->slots[i];
            *immortal += s != NULL && s != TOMBSTONE && interned_state(s) >= IMMORTAL;
        }
        PyMutex_Unlock(&shard->lock);
    }
    return live;
}

/* ---- The C API ----------------------------------------------------------------------------- */

void PyUnicode_InternInPlace(PyObject **p)
{
    str_intern(p);
}

PyAPI_FUNC(void) PyUnicode_InternImmortal(PyObject **p);

void PyUnicode_InternImmortal(PyObject **p)
{
    str_intern_immortal(p);
}

PyObject *PyUnicode_InternFromString(const char *text)
{
    return str_intern_utf8(text, (Py_ssize_t)strlen(text));
}

/* The string of a _Py_Identifier: borrowed, immortal.  The table is the cache. */
PyObject *_PyUnicode_FromId(_Py_Identifier *id)
{
    PyObject *s = PyUnicode_InternFromString(id->string);
    if (s != NULL) {
        str_intern_immortal(&s);
        Py_DECREF(s);
    }
    return s;
}
