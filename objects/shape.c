/* Shapes, and the attributes of instances: inline slots or a dict. */
#include "objects/shape.h"

#include "locking/refs.h"
#include "locking/world.h"
#include "objects/dict.h"
#include "objects/gc/gc.h"
#include "objects/type.h"

/*
 * The managed-dict word of an instance whose attributes lie inline, from bit 0:
 *     1 bit    1
 *     6 bits   high water mark: 1 + the largest index ever added
 *     3 bits   late: how many attributes were added below the mark
 *     10 bits  each: index and mark of a late one, in the order of their adding
 * So an instance may add a few attributes out of the shape's order, and still tell in which order
 * its dict must list them. The sixth one makes it a dict.
 */
#define MARK_BITS 6
#define LATE_MAX 5

static unsigned word_mark(uintptr_t word)
{
    return word >> 1 & ((1u << MARK_BITS) - 1);
}

static unsigned word_late(uintptr_t word)
{
    return word >> (1 + MARK_BITS) & 7;
}

static unsigned late_shift(unsigned i)
{
    return 1 + MARK_BITS + 3 + 10 * i;
}

static unsigned late_index(uintptr_t word, unsigned i)
{
    return word >> late_shift(i) & 31;
}

static unsigned late_mark(uintptr_t word, unsigned i)
{
    return word >> (late_shift(i) + 5) & 31;
}

/* The word after adding attribute `index`; 0: cannot be said, make a dict. */
static uintptr_t word_add(uintptr_t word, unsigned index)
{
    unsigned mark = word_mark(word), late = word_late(word);
    if (index >= mark) {
        uintptr_t rest = word & ~((((uintptr_t)1 << MARK_BITS) - 1) << 1);
        return rest | (uintptr_t)(index + 1) << 1;
    }
    if (late == LATE_MAX) {
        return 0;
    }
    word |= (uintptr_t)(index | mark << 5) << late_shift(late);
    return word + ((uintptr_t)1 << (1 + MARK_BITS));
}

/* The word after removing attribute `index`. */
static uintptr_t word_remove(uintptr_t word, unsigned index)
{
    unsigned late = word_late(word);
    for (unsigned i = 0; i < late; i++) {
        if (late_index(word, i) != index) {
            continue;
        }
        /* Close the gap. */
        uintptr_t below = word & (((uintptr_t)1 << late_shift(i)) - 1);
        uintptr_t above = late_shift(i + 1) < 64 ? word >> late_shift(i + 1) : 0;
        word = below | (late_shift(i) < 64 ? above << late_shift(i) : 0);
        return word - ((uintptr_t)1 << (1 + MARK_BITS));
    }
    return word;
}

static bool is_late(uintptr_t word, unsigned index)
{
    for (unsigned i = 0; i < word_late(word); i++) {
        if (late_index(word, i) == index) {
            return true;
        }
    }
    return false;
}

/* The indices below `count` in the order of their adding. */
static unsigned word_order(uintptr_t word, unsigned count, uint8_t order[SHAPE_MAX])
{
    unsigned n = 0, late = word_late(word), next = 0;
    for (unsigned index = 0; index <= count; index++) {
        while (next < late && late_mark(word, next) <= index) {
            order[n++] = (uint8_t)late_index(word, next++);
        }
        if (index < count && !is_late(word, index)) {
            order[n++] = (uint8_t)index;
        }
    }
    return n;
}

/* ---- shapes ---------------------------------------------------------------------------------- */

struct shape *shape_new(unsigned capacity)
{
    struct shape *shape = PyMem_Calloc(1, sizeof(*shape));
    if (shape == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    shape->capacity = (uint8_t)(capacity > SHAPE_MAX ? SHAPE_MAX : capacity);
    return shape;
}

void shape_free(struct shape *shape)
{
    if (shape == NULL) {
        return;
    }
    for (unsigned i = 0; i < shape->count; i++) {
        Py_DECREF(shape->names[i]);
    }
    PyMem_Free(shape);
}

static inline unsigned shape_hash(PyObject *name)
{
    uintptr_t bits = (uintptr_t)name;
    return (unsigned)(bits >> 4 ^ bits >> 10) & (SHAPE_TABLE - 1);
}

int shape_find(const struct shape *shape, PyObject *name)
{
    for (unsigned i = shape_hash(name);; i = (i + 1) & (SHAPE_TABLE - 1)) {
        uint8_t entry = field_load_acquire(&shape->table[i]);
        if (entry == 0) {
            return SHAPE_NONE;
        }
        if (shape->names[entry - 1] == name) {
            return entry - 1;
        }
    }
}

int shape_find_str(const struct shape *shape, PyObject *name)
{
    int found = shape_find(shape, name);
    if (found != SHAPE_NONE || PyUnicode_CHECK_INTERNED(name)) {
        return found;
    }
    unsigned count = field_load_acquire(&shape->count);
    for (unsigned i = 0; i < count; i++) {
        if (PyUnicode_Compare(shape->names[i], name) == 0) {
            return (int)i;
        }
    }
    return SHAPE_NONE;
}

static int shape_add_locked(struct shape *shape, PyObject *name)
{
    int found = shape_find(shape, name);
    if (found != SHAPE_NONE || shape->count == shape->capacity) {
        return found;
    }
    unsigned index = shape->count, slot = shape_hash(name);
    while (shape->table[slot] != 0) {
        slot = (slot + 1) & (SHAPE_TABLE - 1);
    }
    shape->names[index] = Py_NewRef(name);
    field_store_release(&shape->table[slot], (uint8_t)(index + 1));
    field_store_release(&shape->count, (uint8_t)(index + 1));
    return (int)index;
}

int shape_add(struct shape *shape, PyTypeObject *type, PyObject *name)
{
    int found = shape_find(shape, name);
    if (found != SHAPE_NONE || field_load(&shape->count) == shape->capacity) {
        return found;
    }
    if (type->tp_getattro == slot_tp_getattr_hook || type_lookup(type, name, NULL) != NULL) {
        type_modified(type); /* caches of the class attribute, or of its absence, look again */
    }
    mutex_lock(&shape->lock);
    found = shape_add_locked(shape, name);
    mutex_unlock(&shape->lock);
    return found;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static inline PyObject *managed_dict(uintptr_t word)
{
    return word & 1 ? NULL : (PyObject *)word;
}

/* Makes the number in a slot an object there. Borrowed; NULL with MemoryError or when the slot
 * is empty. Others may do the same at the same time. */
static PyObject *slot_box(value_t *slot)
{
    value_t word = field_load_acquire(slot);
    while (value_is_number(word)) {
        PyObject *op = value_make_object(word);
        if (op == NULL) {
            return NULL;
        }
        value_t boxed = value_from_owned(op);
        if (field_cas(slot, &word, boxed)) {
            return op;
        }
        Py_DECREF(op);
    }
    return value_object(word);
}

/* An owned copy of the word in a slot; 0 when empty. */
static value_t slot_load(PyObject *op, value_t *slot)
{
    value_t word = field_load_acquire(slot);
    if (value_is_number(word) || word == 0) {
        return word;
    }
    if (likely(word != SLOT_SEALED && ref_try_hold(value_object(word), (PyObject **)slot))) {
        return word;
    }
    /* Being changed, on the way to a dict, or never shared before: ask under the lock. */
    CRITICAL_SECTION(op);
    word = field_load(slot);
    if (value_is_owned(word)) {
        ref_inc_known(value_object(word));
    }
    CRITICAL_SECTION_END();
    return word;
}

bool instance_get_at(PyObject *op, int index, value_t *result)
{
    if (!managed_is_inline(object_managed_load(op))) {
        return false;
    }
    *result = slot_load(op, &object_inline_slots(op)[index]);
    return *result != 0;
}

/* Under the lock: stores to inline slot `index`; *old gets what is to be released. */
ALWAYS_INLINE bool set_at_locked(PyObject *op, unsigned index, value_t value, value_t *old)
{
    uintptr_t word = *object_managed_word(op);
    if (!managed_is_inline(word)) {
        return false;
    }
    value_t *slot = &object_inline_slots(op)[index];
    if (field_load(slot) == 0) {
        uintptr_t after = word_add(word, index);
        if (after == 0) {
            return false;
        }
        field_store_release(object_managed_word(op), after);
    }
    *old = field_swap(slot, value);
    return true;
}

bool instance_set_at(PyObject *op, int index, value_t value)
{
    value_t old = 0;
    bool done;
    value = value_own(value);
    if (lock_is_alone()) {
        done = set_at_locked(op, (unsigned)index, value, &old);
    } else if (instance_replace_at(op, index, value)) {
        return true;
    } else {
        CRITICAL_SECTION(op);
        done = set_at_locked(op, (unsigned)index, value, &old);
        CRITICAL_SECTION_END();
    }
    if (done) {
        value_release(old);
    }
    return done;
}

/* ---- the dict of an instance ----------------------------------------------------------------- */

/* Under the lock: makes objects of the numbers in the slots. How many slots are not empty, or -1 with MemoryError. */
static int box_slots(PyObject *op, struct shape *shape)
{
    int filled = 0;
    for (unsigned i = 0; i < shape->count; i++) {
        value_t *slot = &object_inline_slots(op)[i];
        if (field_load(slot) != 0) {
            filled++;
            if (slot_box(slot) == NULL) {
                return -1;
            }
        }
    }
    return filled;
}

/* Under the lock: takes the words out of all slots and seals these; they stay as they were, and false comes back, if
 * one has become a number again. Does not block. */
static bool seal_slots(PyObject *op, struct shape *shape, value_t *words)
{
    value_t *slots = object_inline_slots(op);
    for (unsigned i = 0; i < shape->count; i++) {
        words[i] = field_load(&slots[i]) == 0 ? 0 : field_swap(&slots[i], SLOT_SEALED);
        if (value_is_number(words[i])) {
            do {
                if (words[i] != 0) {
                    field_store_release(&slots[i], words[i]);
                }
            } while (i-- != 0);
            return false;
        }
    }
    return true;
}

/* Under the lock: moves the inline attributes into `dict`, which has room for them. False: boxing has to be done
 * again. From the first sealed slot to the last emptied one nothing allocates, and so nothing blocks. */
static bool move_slots(PyObject *op, struct shape *shape, PyObject *dict)
{
    value_t words[SHAPE_MAX], *slots = object_inline_slots(op);
    uint8_t order[SHAPE_MAX];
    if (!seal_slots(op, shape, words)) {
        return false;
    }
    unsigned count = word_order(*object_managed_word(op), shape->count, order);
    for (unsigned i = 0; i < count; i++) {
        if (words[order[i]] != 0) {
            dict_append_inline(dict, shape->names[order[i]], value_object(words[order[i]]));
        }
    }
    gc_track(dict);
    /* The references have moved: readers that still see the word find the values alive, since
     * the dict holds them. */
    field_store_release(object_managed_word(op), (uintptr_t)dict);
    for (unsigned i = 0; i < shape->capacity; i++) {
        field_store_release(&slots[i], 0);
    }
    return true;
}

/* Under the lock: moves the inline attributes into a new dict. NULL with MemoryError. */
static PyObject *make_dict_locked(PyObject *op)
{
    struct shape *shape = type_shape(Py_TYPE(op));
    for (;;) {
        uintptr_t word = *object_managed_word(op);
        if (word != 0 && !managed_is_inline(word)) {
            return (PyObject *)word;
        }
        int filled = word == 0 || shape == NULL ? 0 : box_slots(op, shape);
        PyObject *dict = filled < 0 ? NULL : dict_new_presized(filled, DICT_KEYS_STR);
        if (dict == NULL) {
            return NULL;
        }
        if (filled == 0) {
            field_store_release(object_managed_word(op), (uintptr_t)dict);
            return dict;
        }
        if (move_slots(op, shape, dict)) {
            return dict;
        }
        Py_DECREF(dict);
    }
}

PyObject *instance_dict(PyObject *op)
{
    uintptr_t word = object_managed_load(op);
    if (word != 0 && !managed_is_inline(word)) {
        return (PyObject *)word;
    }
    PyObject *dict;
    CRITICAL_SECTION(op);
    dict = make_dict_locked(op);
    CRITICAL_SECTION_END();
    return dict;
}

/* A new reference to the dict that the word tells of, or NULL. */
static PyObject *dict_ref(PyObject *op)
{
    uintptr_t word = object_managed_load(op);
    if (word == 0 || managed_is_inline(word)) {
        return NULL;
    }
    PyObject *dict;
    bool empty;
    dict = ref_try_load((PyObject **)object_managed_word(op), &empty);
    if (likely(dict != NULL)) {
        return dict;
    }
    CRITICAL_SECTION(op);
    word = *object_managed_word(op);
    dict = managed_dict(word);
    if (dict != NULL) {
        ref_inc_known(dict);
    }
    CRITICAL_SECTION_END();
    return dict;
}

int instance_get(PyObject *op, PyObject *name, value_t *result)
{
    *result = 0;
    uintptr_t word = object_managed_load(op);
    if (managed_is_inline(word)) {
        struct shape *shape = type_shape(Py_TYPE(op));
        int index = shape == NULL ? SHAPE_NONE : shape_find_str(shape, name);
        if (index != SHAPE_NONE) {
            *result = slot_load(op, &object_inline_slots(op)[index]);
            if (*result != 0) {
                return 1;
            }
        }
        if (managed_is_inline(object_managed_load(op))) {
            return 0;
        }
    } else if (word == 0) {
        return 0;
    }
    PyObject *dict = dict_ref(op);
    if (dict == NULL) {
        return 0;
    }
    PyObject *value;
    int found = dict_get_item(dict, name, &value);
    Py_DECREF(dict);
    *result = value_from_owned(value);
    return found;
}

int instance_set(PyObject *op, PyObject *name, value_t value)
{
    struct shape *shape = type_shape(Py_TYPE(op));
    if (shape != NULL && managed_is_inline(object_managed_load(op))) {
        int index = PyUnicode_CHECK_INTERNED(name) ? shape_add(shape, Py_TYPE(op), name)
                                                   : shape_find_str(shape, name);
        if (index != SHAPE_NONE && instance_set_at(op, index, value)) {
            return 0;
        }
    }
    PyObject *object = value_is_number(value) ? value_make_object(value) : value_object(value);
    if (object == NULL) {
        return -1;
    }
    PyObject *dict = NULL;
    CRITICAL_SECTION(op);
    dict = make_dict_locked(op);
    Py_XINCREF(dict);
    CRITICAL_SECTION_END();
    int result = dict == NULL ? -1 : PyDict_SetItem(dict, name, object);
    Py_XDECREF(dict);
    if (value_is_number(value)) {
        Py_DECREF(object);
    } else if (result == 0) {
        value_release(value); /* the dict has a reference of its own */
    }
    return result;
}

int instance_delete(PyObject *op, PyObject *name)
{
    struct shape *shape = type_shape(Py_TYPE(op));
    value_t old = 0;
    bool is_inline = false;
    CRITICAL_SECTION(op);
    uintptr_t word = *object_managed_word(op);
    is_inline = managed_is_inline(word);
    int index = is_inline && shape != NULL ? shape_find_str(shape, name) : SHAPE_NONE;
    if (index != SHAPE_NONE) {
        value_t *slot = &object_inline_slots(op)[index];
        if (field_load(slot) != 0) {
            field_store_release(object_managed_word(op), word_remove(word, (unsigned)index));
            old = field_swap(slot, 0);
        }
    }
    CRITICAL_SECTION_END();
    if (is_inline) {
        value_release(old);
        return old != 0;
    }
    PyObject *dict = dict_ref(op);
    if (dict == NULL) {
        return 0;
    }
    PyObject *value;
    int found = PyDict_Pop(dict, name, &value);
    Py_XDECREF(value);
    Py_DECREF(dict);
    return found;
}

bool instance_is_empty(PyObject *op)
{
    uintptr_t word = object_managed_load(op);
    if (word == 0) {
        return true;
    }
    if (!managed_is_inline(word)) {
        return dict_size((PyObject *)word) == 0;
    }
    struct shape *shape = type_shape(Py_TYPE(op));
    for (unsigned i = 0; shape != NULL && i < shape->count; i++) {
        if (field_load(&object_inline_slots(op)[i]) != 0) {
            return false;
        }
    }
    return true;
}

int instance_visit(PyObject *op, visitproc visit, void *arg)
{
    uintptr_t word = object_managed_load(op);
    if (!managed_is_inline(word)) {
        Py_VISIT((PyObject *)word);
        return 0;
    }
    struct shape *shape = type_shape(Py_TYPE(op));
    for (unsigned i = 0; shape != NULL && i < shape->count; i++) {
        value_t value = object_inline_slots(op)[i];
        if (value_is_owned(value)) {
            Py_VISIT(value_object(value));
        }
    }
    return 0;
}

/* Under the lock, or dead: takes all words out of the slots, to be released after it. How many. */
static unsigned empty_slots(PyObject *op, struct shape *shape, value_t *words)
{
    unsigned count = 0;
    for (unsigned i = 0; i < shape->count; i++) {
        value_t *slot = &object_inline_slots(op)[i];
        if (field_load(slot) != 0) {
            words[count++] = field_swap(slot, 0);
        }
    }
    return count;
}

void instance_clear(PyObject *op)
{
    value_t values[SHAPE_MAX];
    unsigned count = 0;
    PyObject *dict = NULL;
    CRITICAL_SECTION(op);
    uintptr_t word = *object_managed_word(op);
    if (!managed_is_inline(word)) {
        dict = (PyObject *)word;
        field_store_release(object_managed_word(op), type_shape(Py_TYPE(op)) == NULL ? 0 : 1);
    } else {
        struct shape *shape = type_shape(Py_TYPE(op));
        count = shape == NULL ? 0 : empty_slots(op, shape, values);
        field_store_release(object_managed_word(op), 1);
    }
    CRITICAL_SECTION_END();
    Py_XDECREF(dict);
    for (unsigned i = 0; i < count; i++) {
        value_release(values[i]);
    }
}

/* ---- the public functions -------------------------------------------------------------------- */

int PyObject_VisitManagedDict(PyObject *op, visitproc visit, void *arg)
{
    return Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT ? instance_visit(op, visit, arg) : 0;
}

void PyObject_ClearManagedDict(PyObject *op)
{
    if (Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        instance_clear(op);
    }
}

int _PyObject_SetManagedDict(PyObject *op, PyObject *new_dict)
{
    uintptr_t old;
    value_t values[SHAPE_MAX];
    unsigned count = 0;
    CRITICAL_SECTION(op);
    old = *object_managed_word(op);
    struct shape *shape = type_shape(Py_TYPE(op));
    uintptr_t none = shape == NULL ? 0 : 1;
    field_store_release(object_managed_word(op),
                        new_dict == NULL ? none : (uintptr_t)Py_NewRef(new_dict));
    if (managed_is_inline(old) && shape != NULL) {
        count = empty_slots(op, shape, values);
    }
    CRITICAL_SECTION_END();
    if (old != 0 && !managed_is_inline(old)) {
        Py_DECREF((PyObject *)old);
    }
    for (unsigned i = 0; i < count; i++) {
        value_release(values[i]);
    }
    return 0;
}
