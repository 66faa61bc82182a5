/*
 * The search for garbage: which candidates does nothing outside of them refer to?
 *
 * Every candidate gets a working count, its reference count at first. References from candidates to
 * candidates are subtracted. What is left over comes from outside: those objects, what registers
 * hold, and all that they refer to, are reachable.
 */
#include "objects/gc/state.h"

/* ---- lists ------------------------------------------------------------------------------------ */

bool gc_list_add(struct gc_list *list, PyObject *op)
{
    if (unlikely(list->count == list->capacity)) {
        size_t capacity = list->capacity ? list->capacity * 2 : 256;
        PyObject **item = mem_realloc(MEM_RAW, list->item, capacity * sizeof(*item));
        if (!item) {
            return false;
        }
        list->item = item;
        list->capacity = capacity;
    }
    list->item[list->count++] = op;
    return true;
}

void gc_list_drop(struct gc_list *list)
{
    mem_free(MEM_RAW, list->item);
    *list = (struct gc_list){0};
}

static bool list_reserve(struct gc_list *list, size_t capacity)
{
    list->item = mem_alloc(MEM_RAW, capacity * sizeof(PyObject *) + 1);
    list->capacity = capacity;
    return list->item != NULL;
}

/* ---- candidates -------------------------------------------------------------------------------- */

struct finding {
    struct gc_list *found;
    uint8_t unless; /* a bit that keeps an object out */
};

static int find_one(void *object, void *arg)
{
    struct finding *finding = arg;
    PyObject *op = object;
    /* What became immortal is never garbage, and keeps what it refers to by plain counts. */
    if (gc_has(op, finding->unless) || ref_is_dead(op) || ref_is_immortal(op)) {
        return 0; /* left alone, or about to be deallocated */
    }
    return gc_list_add(finding->found, op) ? 0 : -1;
}

/* Of the young and middle lists: the slots whose objects still are alive and tracked. The others leave
 * the list. */
static bool find_listed(struct gc_list *list, struct gc_list *found)
{
    size_t kept = 0;
    bool good = true;
    for (size_t i = 0; i < list->count; i++) {
        PyObject *op = list->item[i];
        uint8_t *byte = object_gc_byte(op);
        if (!(*byte & GC_TRACKED)) {
            *byte &= (uint8_t)~GC_YOUNG;
            continue;
        }
        list->item[kept++] = op;
        good = good && (*byte & GC_FROZEN || ref_is_immortal(op) || gc_list_add(found, op));
    }
    list->count = kept;
    return good;
}

bool gc_find_candidates(struct gc_state *gc, int generation, struct gc_list *found)
{
    struct finding finding = {found, GC_FROZEN};
    if (lock_threads_run_together() || generation >= GC_GENERATIONS - 1) {
        return slab_each_gc(GC_TRACKED, find_one, &finding) == 0;
    }
    finding.unless = GC_FROZEN | GC_OLDER;
    return find_listed(&gc->young, found) && (generation == 0 || find_listed(&gc->middle, found))
           && slab_each_gc_large(GC_TRACKED, find_one, &finding) == 0;
}

/* ---- marking ------------------------------------------------------------------------------------ */

static bool is_marked(PyObject *op)
{
    return !ref_is_immortal(op) && gc_is_container(op) && gc_has(op, GC_UNREACHABLE);
}

static void mark(PyObject *op)
{
    uint8_t *byte = object_gc_byte(op);
    field_store(byte, (uint8_t)(field_load(byte) | GC_UNREACHABLE));
}

static void unmark(PyObject *op)
{
    uint8_t *byte = object_gc_byte(op);
    field_store(byte, (uint8_t)(field_load(byte) & ~GC_UNREACHABLE));
}

static int visit_subtract(PyObject *op, void *arg)
{
    (void)arg;
    if (is_marked(op)) {
        uint32_t *count = slab_work(op);
        if (*count) { /* a traverse function that visits too much must not make garbage of it */
            --*count;
        }
    }
    return 0;
}

static int visit_reachable(PyObject *op, void *stack)
{
    if (is_marked(op)) {
        unmark(op);
        gc_list_add(stack, op); /* has room */
    }
    return 0;
}

static void traverse(PyObject *op, visitproc visit, void *arg)
{
    traverseproc fn = Py_TYPE(op)->tp_traverse;
    if (fn) {
        fn(op, visit, arg);
    }
}

static void stack_empty(struct gc_list *stack)
{
    while (stack->count) {
        traverse(stack->item[--stack->count], visit_reachable, stack);
    }
}

void gc_mark_reachable_from(PyObject *op, struct gc_list *stack)
{
    visit_reachable(op, stack);
    stack_empty(stack);
}

static gc_roots_fn roots[4];

void gc_register_roots(gc_roots_fn fn)
{
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (!roots[i] || roots[i] == fn) {
            roots[i] = fn;
            return;
        }
    }
    Py_FatalError("too many root scanners");
}

/* Immortal ones count as referred to from outside; so does what is just being made and has no count. */
static uint32_t outside_count(PyObject *op, Py_ssize_t held)
{
    Py_ssize_t count = ref_count(op) - held;
    return count <= 0 ? 0 : count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

bool gc_mark_unreachable(struct interp_state *interp, const struct gc_list *list, Py_ssize_t held)
{
    struct gc_list stack = {0};
    if (!list_reserve(&stack, list->count)) {
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        uint32_t *count = slab_work_make(list->item[i]);
        if (!count) {
            while (i > 0) {
                unmark(list->item[--i]);
            }
            gc_list_drop(&stack);
            return false;
        }
        *count = outside_count(list->item[i], held);
        mark(list->item[i]);
    }
    for (size_t i = 0; i < list->count; i++) {
        traverse(list->item[i], visit_subtract, NULL);
    }
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && roots[i]; i++) {
        roots[i](interp, visit_reachable, &stack);
        stack_empty(&stack);
    }
    for (size_t i = 0; i < list->count; i++) {
        PyObject *op = list->item[i];
        if (gc_has(op, GC_UNREACHABLE) && *slab_work(op) != 0) {
            gc_mark_reachable_from(op, &stack);
        }
    }
    gc_list_drop(&stack);
    return true;
}
