/* _tracemalloc: a record of each block and of the frames that allocated it.
 *
 * Records lie in two tables of the C library's memory: stacks, each kept once, and traces, from a block's
 * address to its size and stack. Hooks may come from any thread, attached or not: a short lock guards the
 * tables, and nothing that happens under it allocates from what is traced. A thread that is making
 * objects out of the records records nothing itself. */

#include "alloc/alloc.h"
#include "interp/state.h"
#include "module.h"

#include <stdlib.h>

#include "tracemalloc_module.bind.h"

struct place {
    PyObject *filename; /* owned by the stack's book; NULL: unknown */
    unsigned line;
};

/* The frames of an allocation, the innermost first. */
struct stack {
    struct stack *next; /* in its bucket */
    uint64_t hash;
    uint16_t count, total;
    struct place places[];
};

/* All stacks. It outlives a reset as long as somebody reads them. */
struct book {
    long readers; /* and 1 while it is the current one */
    struct stack **buckets;
    size_t mask, count, bytes;
};

struct trace {
    uintptr_t address; /* 0: free */
    struct stack *stack;
    size_t size;
    unsigned domain;
};

enum { MOST_FRAMES = UINT16_MAX };

static struct {
    struct prim_lock lock;
    bool tracing;
    unsigned frames; /* to keep of each stack */
    struct book *book;
    struct trace *traces;
    size_t mask, count; /* mask + 1 slots; 0 slots while traces is NULL */
    size_t size, peak;  /* bytes of the traced blocks */
} records;

static THREAD_LOCAL bool busy;

/* ---- traces: under the lock ----------------------------------------------------------------------------- */

static size_t slot_of(unsigned domain, uintptr_t address)
{
    uint64_t hash = ((uint64_t)address >> 4 ^ domain) * 0x9E3779B97F4A7C15u;
    return (size_t)(hash >> 20) & records.mask;
}

static struct trace *trace_find(unsigned domain, uintptr_t address)
{
    if (records.traces == NULL) {
        return NULL;
    }
    size_t i = slot_of(domain, address);
    for (; records.traces[i].address != 0; i = (i + 1) & records.mask) {
        if (records.traces[i].address == address && records.traces[i].domain == domain) {
            return &records.traces[i];
        }
    }
    return NULL;
}

static struct trace *trace_free_slot(unsigned domain, uintptr_t address)
{
    size_t i = slot_of(domain, address);
    while (records.traces[i].address != 0) {
        i = (i + 1) & records.mask;
    }
    return &records.traces[i];
}

static bool traces_grow(void)
{
    size_t old_slots = records.traces == NULL ? 0 : records.mask + 1;
    size_t slots = old_slots == 0 ? 1024 : old_slots * 2;
    struct trace *old = records.traces, *fresh = calloc(slots, sizeof *fresh);
    if (fresh == NULL) {
        return false;
    }
    records.traces = fresh;
    records.mask = slots - 1;
    for (size_t i = 0; i < old_slots; i++) {
        if (old[i].address != 0) {
            *trace_free_slot(old[i].domain, old[i].address) = old[i];
        }
    }
    free(old);
    return true;
}

/* Takes a trace out; those behind it move up, so that no search stops early. */
static void trace_remove(struct trace *trace)
{
    size_t hole = (size_t)(trace - records.traces);
    records.size -= trace->size;
    records.count--;
    for (size_t i = (hole + 1) & records.mask; records.traces[i].address != 0;
         i = (i + 1) & records.mask) {
        size_t home = slot_of(records.traces[i].domain, records.traces[i].address);
        if (((i - home) & records.mask) >= ((i - hole) & records.mask)) {
            records.traces[hole] = records.traces[i];
            hole = i;
        }
    }
    records.traces[hole].address = 0;
}

static bool trace_put(unsigned domain, uintptr_t address, size_t size, struct stack *stack)
{
    struct trace *old = trace_find(domain, address);
    if (old != NULL) {
        trace_remove(old);
    }
    if ((records.traces == NULL || records.count * 2 > records.mask) && !traces_grow()) {
        return false;
    }
    *trace_free_slot(domain, address) = (struct trace){address, stack, size, domain};
    records.count++;
    records.size += size;
    records.peak = Py_MAX(records.peak, records.size);
    return true;
}

/* ---- stacks ------------------------------------------------------------------------------------------------ */

static size_t stack_bytes(unsigned count)
{
    return sizeof(struct stack) + count * sizeof(struct place);
}

static uint64_t hash_add(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0xFF51AFD7ED558CCDu;
    return hash ^ hash >> 32;
}

/* The frames of this thread into `stack`, which has room for records.frames. */
static void stack_fill(struct stack *stack)
{
    struct thread *self = thread_self();
    uint64_t hash = 0;
    unsigned count = 0, total = 0;
    struct frame *frame = self == NULL ? NULL : frame_visible(thread_frame(&self->ts));
    for (; frame != NULL; frame = frame_visible(frame->prev)) {
        if (count < records.frames) {
            PyCodeObject *code = frame_code(frame);
            int line = code_line(code, frame_lasti(frame));
            stack->places[count] = (struct place){code->co_filename, line < 0 ? 0 : (unsigned)line};
            hash = hash_add(hash, (uintptr_t)code->co_filename);
            hash = hash_add(hash, stack->places[count++].line);
        }
        total += total < MOST_FRAMES;
    }
    if (count == 0) {
        stack->places[0] = (struct place){NULL, 0};
        count = total = 1;
    }
    stack->count = (uint16_t)count;
    stack->total = (uint16_t)total;
    stack->hash = hash_add(hash, total);
}

static bool stack_equal(const struct stack *a, const struct stack *b)
{
    if (a->hash != b->hash || a->count != b->count || a->total != b->total) {
        return false;
    }
    for (unsigned i = 0; i < a->count; i++) {
        if (a->places[i].filename != b->places[i].filename
            || a->places[i].line != b->places[i].line) {
            return false;
        }
    }
    return true;
}

static bool book_grow(struct book *book)
{
    size_t slots = book->buckets == NULL ? 256 : (book->mask + 1) * 2;
    struct stack **buckets = calloc(slots, sizeof *buckets);
    if (buckets == NULL) {
        return false;
    }
    for (size_t i = 0; book->buckets != NULL && i <= book->mask; i++) {
        for (struct stack *s = book->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            s->next = buckets[s->hash & (slots - 1)];
            buckets[s->hash & (slots - 1)] = s;
        }
    }
    free(book->buckets);
    book->buckets = buckets;
    book->mask = slots - 1;
    return true;
}

/* The book's own copy of a stack, under the lock; NULL without memory. */
static struct stack *book_find(struct book *book, const struct stack *wanted)
{
    if ((book->buckets == NULL || book->count > book->mask) && !book_grow(book)) {
        return NULL;
    }
    struct stack **bucket = &book->buckets[wanted->hash & book->mask];
    for (struct stack *s = *bucket; s != NULL; s = s->next) {
        if (stack_equal(s, wanted)) {
            return s;
        }
    }
    struct stack *copy = malloc(stack_bytes(wanted->count));
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, wanted, stack_bytes(wanted->count));
    for (unsigned i = 0; i < copy->count; i++) {
        Py_XINCREF(copy->places[i].filename);
    }
    copy->next = *bucket;
    *bucket = copy;
    book->count++;
    book->bytes += stack_bytes(copy->count);
    return copy;
}

/* Attached, without the lock. */
static void book_free(struct book *book)
{
    for (size_t i = 0; book->buckets != NULL && i <= book->mask; i++) {
        for (struct stack *s = book->buckets[i], *next; s != NULL; s = next) {
            next = s->next;
            for (unsigned k = 0; k < s->count; k++) {
                Py_XDECREF(s->places[k].filename);
            }
            free(s);
        }
    }
    free(book->buckets);
    free(book);
}

static void book_release(struct book *book)
{
    prim_lock_acquire(&records.lock);
    bool last = --book->readers == 0;
    prim_lock_release(&records.lock);
    if (last) {
        book_free(book);
    }
}

/* ---- the hooks ------------------------------------------------------------------------------------------------ */

/* Most stacks are this small; others get memory for the time being. */
enum { SMALL_STACK = 32 };

static int on_alloc(unsigned domain, uintptr_t address, size_t size)
{
    if (busy) {
        return 0;
    }
    union {
        struct stack stack;
        char bytes[sizeof(struct stack) + SMALL_STACK * sizeof(struct place)];
    } small;
    bool large = records.frames > SMALL_STACK;
    struct stack *stack = large ? malloc(stack_bytes(records.frames)) : &small.stack;
    if (stack == NULL) {
        return -1;
    }
    stack_fill(stack);
    prim_lock_acquire(&records.lock);
    int result = 0;
    if (records.tracing) {
        struct stack *kept = book_find(records.book, stack);
        result = kept != NULL && trace_put(domain, address, size, kept) ? 0 : -1;
    }
    prim_lock_release(&records.lock);
    if (large) {
        free(stack);
    }
    return result;
}

static void on_free(unsigned domain, uintptr_t address)
{
    prim_lock_acquire(&records.lock);
    struct trace *trace = trace_find(domain, address);
    if (trace != NULL) {
        trace_remove(trace);
    }
    prim_lock_release(&records.lock);
}

/* ---- starting, stopping ------------------------------------------------------------------------------------------ */

/* Empties the tables and puts `book` (may be NULL) in the place of the current one. */
static void records_reset(struct book *book)
{
    prim_lock_acquire(&records.lock);
    struct book *old = records.book;
    struct trace *traces = records.traces;
    records.book = book;
    records.traces = NULL;
    records.mask = records.count = records.size = records.peak = 0;
    prim_lock_release(&records.lock);
    free(traces);
    if (old != NULL) {
        book_release(old);
    }
}

static struct book *book_new(void)
{
    struct book *book = calloc(1, sizeof *book);
    if (book == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    book->readers = 1;
    return book;
}

static void lock_for_fork(void)
{
    prim_lock_acquire(&records.lock);
}

static void unlock_after_fork(void)
{
    prim_lock_release(&records.lock);
}

static void stop_at_end(void)
{
    mem_set_trace(NULL, NULL);
}

static int tracemalloc_module_is_tracing(PyObject *module)
{
    return records.tracing;
}

static int tracemalloc_module_start(PyObject *module, int nframe)
{
    static struct fork_hooks hooks = {
        .before = lock_for_fork, .parent = unlock_after_fork, .child = unlock_after_fork};
    static bool registered;
    if (nframe < 1 || nframe > MOST_FRAMES) {
        PyErr_Format(PyExc_ValueError, "the number of frames must be in range [1; %d]",
                     MOST_FRAMES);
        return -1;
    }
    if (records.tracing) {
        return 0;
    }
    struct book *book = book_new();
    if (book == NULL) {
        return -1;
    }
    records_reset(book);
    records.frames = (unsigned)nframe;
    records.tracing = true;
    mem_set_trace(on_alloc, on_free);
    fork_register(&hooks);
    if (!registered) {
        registered = true;
        Py_AtExit(stop_at_end);
    }
    return 0;
}

static int tracemalloc_module_stop(PyObject *module)
{
    mem_set_trace(NULL, NULL);
    records.tracing = false;
    records_reset(NULL);
    return 0;
}

static int tracemalloc_module_clear_traces(PyObject *module)
{
    struct book *book = records.tracing ? book_new() : NULL;
    if (!records.tracing || book == NULL) {
        return book == NULL && records.tracing ? -1 : 0;
    }
    records_reset(book);
    return 0;
}

static int tracemalloc_module_reset_peak(PyObject *module)
{
    prim_lock_acquire(&records.lock);
    records.peak = records.size;
    prim_lock_release(&records.lock);
    return 0;
}

/* ---- figures -------------------------------------------------------------------------------------------------------- */

static int tracemalloc_module_get_traceback_limit(PyObject *module)
{
    return records.frames == 0 ? 1 : (int)records.frames;
}

static PyObject *tracemalloc_module_get_traced_memory(PyObject *module)
{
    prim_lock_acquire(&records.lock);
    size_t size = records.size, peak = records.peak;
    prim_lock_release(&records.lock);
    return Py_BuildValue("nn", (Py_ssize_t)size, (Py_ssize_t)peak);
}

static size_t tracemalloc_module_get_tracemalloc_memory(PyObject *module)
{
    prim_lock_acquire(&records.lock);
    size_t bytes = records.traces == NULL ? 0 : (records.mask + 1) * sizeof(struct trace);
    if (records.book != NULL) {
        bytes += records.book->bytes + sizeof *records.book;
        bytes +=
            records.book->buckets == NULL ? 0 : (records.book->mask + 1) * sizeof(struct stack *);
    }
    prim_lock_release(&records.lock);
    return bytes;
}

/* ---- records as objects ------------------------------------------------------------------------------------------------ */

static PyObject *place_object(const struct place *place)
{
    return place->filename == NULL ? Py_BuildValue("(sI)", "<unknown>", place->line)
                                   : Py_BuildValue("(OI)", place->filename, place->line);
}

static PyObject *stack_object(const struct stack *stack)
{
    PyObject *tuple = PyTuple_New(stack->count);
    for (unsigned i = 0; i < stack->count && tuple != NULL; i++) {
        PyObject *item = place_object(&stack->places[i]);
        if (item == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, item);
        }
    }
    return tuple;
}

/* What is recorded now, and its book, which the caller releases. False with MemoryError. */
static bool traces_copy(struct trace **copy, size_t *count, struct book **book)
{
    size_t n = 0;
    prim_lock_acquire(&records.lock);
    struct trace *items = malloc((records.count + 1) * sizeof *items);
    for (size_t i = 0; items != NULL && records.traces != NULL && i <= records.mask; i++) {
        if (records.traces[i].address != 0) {
            items[n++] = records.traces[i];
        }
    }
    *book = records.book;
    if (items != NULL && *book != NULL) {
        (*book)->readers++;
    }
    prim_lock_release(&records.lock);
    *copy = items;
    *count = n;
    if (items == NULL) {
        PyErr_NoMemory();
    }
    return items != NULL;
}

/* `known` maps the address of a stack to its tuple, so that equal ones are one object. New reference. */
static PyObject *trace_object(const struct trace *trace, PyObject *known)
{
    PyObject *key = PyLong_FromVoidPtr(trace->stack);
    PyObject *frames = key == NULL ? NULL : PyDict_GetItemWithError(known, key);
    Py_XINCREF(frames);
    if (frames == NULL && key != NULL && !PyErr_Occurred()) {
        frames = stack_object(trace->stack);
        if (frames != NULL && PyDict_SetItem(known, key, frames) < 0) {
            Py_CLEAR(frames);
        }
    }
    Py_XDECREF(key);
    return frames == NULL ? NULL
                          : Py_BuildValue("(InNi)", trace->domain, (Py_ssize_t)trace->size, frames,
                                          (int)trace->stack->total);
}

static PyObject *traces_list(const struct trace *traces, size_t count)
{
    PyObject *known = PyDict_New();
    PyObject *list = known == NULL ? NULL : PyList_New(0);
    for (size_t i = 0; i < count && list != NULL; i++) {
        PyObject *item = trace_object(&traces[i], known);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    Py_XDECREF(known);
    return list;
}

static PyObject *tracemalloc_module_get_traces(PyObject *module)
{
    struct trace *traces;
    struct book *book;
    size_t count;
    if (!records.tracing) {
        return PyList_New(0);
    }
    if (!traces_copy(&traces, &count, &book)) {
        return NULL;
    }
    bool before = busy;
    busy = true;
    PyObject *list = traces_list(traces, count);
    busy = before;
    free(traces);
    if (book != NULL) {
        book_release(book);
    }
    return list;
}

/* The stack of a block as a tuple; None when it has no record. */
static PyObject *address_stack(unsigned domain, uintptr_t address)
{
    prim_lock_acquire(&records.lock);
    struct trace *trace = records.tracing ? trace_find(domain, address) : NULL;
    struct stack *stack = trace == NULL ? NULL : trace->stack;
    struct book *book = stack == NULL ? NULL : records.book;
    if (book != NULL) {
        book->readers++;
    }
    prim_lock_release(&records.lock);
    if (stack == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *result = stack_object(stack);
    book_release(book);
    return result;
}

static PyObject *tracemalloc_module_get_object_traceback(PyObject *module, PyObject *obj)
{
    return address_stack(0, (uintptr_t)obj);
}

PyAPI_FUNC(PyObject *) _PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t address);

PyObject *_PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t address)
{
    return address_stack(domain, address);
}

static PyModuleDef_Slot slots[] = MODULE_SLOTS_PLAIN;

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tracemalloc",
    .m_doc = tracemalloc_module_doc,
    .m_methods = tracemalloc_module_methods,
    .m_slots = slots,
};

MODULE_INIT(_tracemalloc, definition)
