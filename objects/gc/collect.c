/*
 * A collection, from the search to the last tp_clear.
 *
 * 1. Search: candidates, marks, then the garbage as a list of counted references.
 * 2. Garbage that an old-style tp_del reaches from is kept (gc.garbage).
 * 3. Weak references to garbage are cleared; callbacks of those that are no garbage themselves run.
 * 4. Finalizers run, each object's once.
 * 5. If something ran: the search again, among the garbage alone. What came back to life, with all that it
 *    refers to, survives.
 * 6. The rest is cleared, which brings its counts to zero.
 *
 * Without a global lock the world stands still during 1, 2 and 5. Between them another thread may still take
 * an object of the garbage out of a weak reference: for the second search, which is always made then, that is
 * resurrection.
 */
#include "objects/gc/state.h"

#include <stdio.h>

struct collection {
    struct interp_state *interp;
    struct gc_state *gc;
    int generation;
    struct gc_list candidates;
    struct gc_list garbage; /* counted references */
    struct gc_list dead;    /* merging brought them to zero: still to be deallocated */
    struct gc_list refs;    /* weak references whose callbacks are due; counted */
    Py_ssize_t collected, uncollectable;
    bool ran; /* callbacks or finalizers, since the search */
};

/* ---- young and middle lists --------------------------------------------------------------------- */

enum { START_UP_MAX = 20000 }; /* containers */

static void count_one(struct gc_state *gc, struct thread *self, int n)
{
    int count = atomic_add_relaxed(&gc->count[0], n) + n;
    int threshold = atomic_load_relaxed(&gc->threshold[0]);
    if (n > 0 && threshold && count > threshold && atomic_load_relaxed(&gc->enabled)
        && !(atomic_load_relaxed(&gc->starting) && count < START_UP_MAX)
        && !atomic_load_relaxed(&gc->collecting)
        && (!(lock_threads_run_together() || SLAB_DIRECT)
            || count > atomic_load_relaxed(&gc->old_total) / 4)) {
        interrupt_request(self, BREAK_COLLECT);
    }
}

/* With a global lock. An object outside of spans stands in no list: there are few. */
COLD void gc_young_add(PyObject *op, uint8_t *byte)
{
    struct thread *self = thread_self();
    struct gc_state *gc = thread_interp(self)->gc;
    if (unlikely(!gc)) {
        *byte |= GC_OLDER; /* the interpreter is just being made */
        return;
    }
    if (unlikely(gc->starting) && gc->old_total < START_UP_MAX) {
        *byte |= GC_OLDER;
        gc->old_total++;
        return;
    }
    if (slab_of(op)) {
        if (unlikely(!gc_list_add(&gc->young, op))) {
            *byte |= GC_OLDER; /* only full collections will find it */
            return;
        }
        *byte |= GC_YOUNG;
    }
    count_one(gc, self, 1);
}

/* objects=direct: no list, so what dies is counted off. */
COLD void gc_count_down(void)
{
    struct gc_state *gc = thread_interp(thread_self())->gc;
    if (gc && gc->count[0] > 0) {
        gc->count[0]--;
    }
}

/* Without a global lock. */
COLD void gc_count_flush(struct thread *self)
{
    struct gc_state *gc = thread_interp(self)->gc;
    int net = self->gc_net;
    self->gc_net = 0;
    if (gc) {
        count_one(gc, self, net);
    }
}

static bool may_be_in_cycle(PyObject *op)
{
    return !ref_is_immortal(op) && gc_is_container(op)
           && (!PyTuple_CheckExact(op) || PyObject_GC_IsTracked(op));
}

/* A tuple or dict of nothing but atoms can be in no cycle, and need not be looked at again: a dict is tracked
 * anew when something else enters it. */
static void untrack_plain(PyObject *op)
{
    if (PyTuple_CheckExact(op)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(op); i++) {
            PyObject *item = PyTuple_GET_ITEM(op, i);
            if (!item || may_be_in_cycle(item)) {
                return;
            }
        }
    } else if (PyDict_CheckExact(op)) {
        Py_ssize_t at = 0;
        PyObject *key, *value;
        while (PyDict_Next(op, &at, &key, &value)) {
            if (may_be_in_cycle(value) || may_be_in_cycle(key)) {
                return;
            }
        }
    } else {
        return;
    }
    gc_untrack(op);
}

static void list_forget(struct gc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        uint8_t *byte = object_gc_byte(list->item[i]);
        *byte &= (uint8_t)~GC_YOUNG;
        if (*byte & GC_TRACKED) {
            *byte |= GC_OLDER;
        }
    }
    list->count = 0;
}

/* Survivors of the youngest generation get another chance, the others are old. Objects outside of spans are
 * old at once. */
static void survivors_promote(struct collection *c)
{
    struct gc_state *gc = c->gc;
    if (lock_threads_run_together()) {
        return;
    }
    for (size_t i = 0; i < c->candidates.count; i++) {
        PyObject *op = c->candidates.item[i];
        untrack_plain(op);
        if (!gc_has(op, GC_YOUNG) && gc_is_tracked(op)) {
            *object_gc_byte(op) |= GC_OLDER;
        }
    }
    if (c->generation == 0) {
        for (size_t i = 0; i < gc->young.count; i++) {
            PyObject *op = gc->young.item[i];
            if (!gc_list_add(&gc->middle, op)) {
                uint8_t *byte = object_gc_byte(op);
                *byte = (uint8_t)((*byte & ~GC_YOUNG) | GC_OLDER);
            }
        }
        gc->young.count = 0;
    } else {
        gc->old_pending += (Py_ssize_t)c->candidates.count;
        list_forget(&gc->young);
        list_forget(&gc->middle);
    }
}

/* ---- 1. the garbage ------------------------------------------------------------------------------ */

static void dead_add(PyObject *op, void *arg)
{
    if (!gc_list_add(arg, op)) {
        /* no memory to remember it: it lives on with a count that nobody has */
        ref_resurrect(op);
    }
}

static void world_pause(struct collection *c)
{
    world_stop(c->interp);
    for (struct thread *t = thread_newest(c->interp); lock_threads_run_together() && t != NULL;
         t = thread_of(t->ts.next)) {
        type_counts_settle((struct object_thread *)t);
    }
    ref_merge_all(c->interp, dead_add, &c->dead);
}

static void world_resume(struct collection *c)
{
    world_start(c->interp);
    for (size_t i = 0; i < c->dead.count; i++) {
        _Py_Dealloc(c->dead.item[i]);
    }
    c->dead.count = 0;
}

/* What is marked becomes the garbage, held by a reference each; deferred objects are counted again. The
 * candidates that are left are the survivors. */
static bool garbage_take(struct collection *c)
{
    size_t kept = 0, marked = 0;
    for (size_t i = 0; i < c->candidates.count; i++) {
        marked += gc_has(c->candidates.item[i], GC_UNREACHABLE);
    }
    if (marked) {
        c->garbage.item = mem_alloc(MEM_RAW, marked * sizeof(PyObject *));
        if (!c->garbage.item) {
            return false;
        }
        c->garbage.capacity = marked;
    }
    for (size_t i = 0; i < c->candidates.count; i++) {
        PyObject *op = c->candidates.item[i];
        if (gc_has(op, GC_UNREACHABLE)) {
            ref_undefer(op);
            ref_inc(op);
            c->garbage.item[c->garbage.count++] = op;
        } else {
            c->candidates.item[kept++] = op;
        }
    }
    c->candidates.count = kept;
    return true;
}

/* Takes the mark from all of a list; after a failure, or at the end. */
static void marks_clear(const struct gc_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        gc_byte_clear(list->item[i], GC_UNREACHABLE);
    }
}

static bool search(struct collection *c)
{
    world_pause(c);
    bool good = gc_find_candidates(c->gc, c->generation, &c->candidates)
                && gc_mark_unreachable(c->interp, &c->candidates, 0);
    if (good && !garbage_take(c)) {
        marks_clear(&c->candidates);
        good = false;
    }
    if (good) {
        survivors_promote(c);
    }
    return good; /* the world still stands */
}

/* ---- 2. old-style finalizers --------------------------------------------------------------------- */

static void garbage_report(struct collection *c, const char *what, PyObject *op)
{
    (void)c;
    PySys_FormatStderr("gc: %s <%s %p>\n", what, Py_TYPE(op)->tp_name, op);
}

/* Drops from the garbage what has no mark any more. Its references go to `kept`. */
static void garbage_split(struct collection *c, struct gc_list *kept)
{
    size_t left = 0;
    for (size_t i = 0; i < c->garbage.count; i++) {
        PyObject *op = c->garbage.item[i];
        if (gc_has(op, GC_UNREACHABLE)) {
            c->garbage.item[left++] = op;
        } else {
            kept->item[kept->count++] = op;
        }
    }
    c->garbage.count = left;
}

static bool list_like(struct gc_list *list, const struct gc_list *model)
{
    list->item = mem_alloc(MEM_RAW, model->count * sizeof(PyObject *) + 1);
    list->capacity = model->count;
    return list->item != NULL;
}

static bool has_legacy_finalizer(PyObject *op)
{
    return Py_TYPE(op)->tp_del != NULL;
}

/* The world stands. `legacy` gets the counted references of what must not be cleared. */
static bool legacy_split(struct collection *c, struct gc_list *legacy)
{
    struct gc_list stack = {0};
    bool any = false;
    for (size_t i = 0; i < c->garbage.count && !any; i++) {
        any = has_legacy_finalizer(c->garbage.item[i]);
    }
    if (!any) {
        return true;
    }
    if (!list_like(legacy, &c->garbage) || !list_like(&stack, &c->garbage)) {
        gc_list_drop(legacy);
        return false;
    }
    for (size_t i = 0; i < c->garbage.count; i++) {
        if (has_legacy_finalizer(c->garbage.item[i])) {
            gc_mark_reachable_from(c->garbage.item[i], &stack);
        }
    }
    gc_list_drop(&stack);
    garbage_split(c, legacy);
    return true;
}

static void garbage_list_append(struct collection *c, PyObject *op)
{
    if (!c->gc->garbage) {
        c->gc->garbage = PyList_New(0);
    }
    if (!c->gc->garbage || PyList_Append(c->gc->garbage, op) < 0) {
        PyErr_Clear();
    }
}

static void legacy_keep(struct collection *c, struct gc_list *legacy)
{
    c->uncollectable = (Py_ssize_t)legacy->count;
    for (size_t i = 0; i < legacy->count; i++) {
        PyObject *op = legacy->item[i];
        if (c->gc->debug & GC_DEBUG_UNCOLLECTABLE) {
            garbage_report(c, "uncollectable", op);
        }
        if (c->gc->debug & GC_DEBUG_SAVEALL || has_legacy_finalizer(op)) {
            garbage_list_append(c, op);
        }
    }
    for (size_t i = 0; i < legacy->count; i++) {
        ref_dec(legacy->item[i]);
    }
    gc_list_drop(legacy);
}

/* ---- 3. weak references --------------------------------------------------------------------------- */

static void callback_due(PyWeakReference *ref, void *arg)
{
    struct collection *c = arg;
    PyObject *op = (PyObject *)ref;
    /* A reference that is garbage itself goes without calling: its callback may be gone with it. */
    if (gc_has(op, GC_UNREACHABLE) || !gc_list_add(&c->refs, op)) {
        ref_dec(op);
    }
}

static void weakrefs_clear(struct collection *c)
{
    for (size_t i = 0; i < c->garbage.count; i++) {
        PyObject *op = c->garbage.item[i];
        if (Py_TYPE(op)->tp_weaklistoffset) {
            weakref_clear_collect(op, callback_due, c);
        }
    }
    c->ran = c->ran || c->refs.count > 0;
    for (size_t i = 0; i < c->refs.count; i++) {
        weakref_call_callback((PyWeakReference *)c->refs.item[i]);
    }
    gc_list_drop(&c->refs);
}

/* ---- 4. finalizers -------------------------------------------------------------------------------- */

/* Who holds another object goes first: text still in a buffer is written before the file below is
 * closed. */

static bool awaits_finalizer(PyObject *op)
{
    return gc_has(op, GC_UNREACHABLE) && Py_TYPE(op)->tp_finalize && !gc_is_finalized(op);
}

static int finalizer_visit(PyObject *op, void *stack)
{
    return gc_is_container(op) && awaits_finalizer(op) && !gc_list_add(stack, op) ? -1 : 0;
}

#define LEFT ((uintptr_t)1) /* on the stack: what the object holds has its place already */

/* Adds `op` behind whatever it holds, and marks both as finalized. False without memory: then what
 * is marked is in `order`, or on the stack with LEFT. */
static bool finalizers_order(PyObject *op, struct gc_list *order, struct gc_list *stack)
{
    if (!gc_list_add(stack, op)) {
        return false;
    }
    while (stack->count > 0) {
        PyObject *top = stack->item[stack->count - 1];
        if ((uintptr_t)top & LEFT) {
            if (!gc_list_add(order, (PyObject *)((uintptr_t)top & ~LEFT))) {
                return false;
            }
            stack->count--;
        } else if (!awaits_finalizer(top)) {
            stack->count--;
        } else {
            gc_set_finalized(top);
            stack->item[stack->count - 1] = (PyObject *)((uintptr_t)top | LEFT);
            if (Py_TYPE(top)->tp_traverse(top, finalizer_visit, stack) < 0) {
                return false;
            }
        }
    }
    return true;
}

static void finalizers_run(struct collection *c)
{
    struct gc_list order = {0}, stack = {0};
    size_t i = 0;
    while (i < c->garbage.count
           && (!awaits_finalizer(c->garbage.item[i])
               || finalizers_order(c->garbage.item[i], &order, &stack))) {
        i++;
    }
    c->ran = c->ran || order.count + stack.count > 0 || i < c->garbage.count;
    for (size_t n = order.count; n-- > 0;) {
        Py_TYPE(order.item[n])->tp_finalize(order.item[n]);
    }
    for (size_t n = 0; n < stack.count; n++) {
        if ((uintptr_t)stack.item[n] & LEFT) {
            PyObject *op = (PyObject *)((uintptr_t)stack.item[n] & ~LEFT);
            Py_TYPE(op)->tp_finalize(op);
        }
    }
    for (; i < c->garbage.count; i++) {
        PyObject *op = c->garbage.item[i];
        if (awaits_finalizer(op)) {
            gc_set_finalized(op);
            Py_TYPE(op)->tp_finalize(op);
        }
    }
    gc_list_drop(&order);
    gc_list_drop(&stack);
}

/* ---- 5. resurrection ------------------------------------------------------------------------------ */

/* Survivors lose their mark and our reference. Without memory for the search all survive. */
static void resurrected_release(struct collection *c)
{
    struct gc_list alive = {0};
    if (!c->garbage.count || !(c->ran || lock_threads_run_together())) {
        return;
    }
    marks_clear(&c->garbage);
    bool good = list_like(&alive, &c->garbage);
    world_pause(c);
    good = good && gc_mark_unreachable(c->interp, &c->garbage, 1);
    if (good) {
        garbage_split(c, &alive);
    }
    world_resume(c);
    if (!good) {
        gc_list_drop(&alive);
        alive = c->garbage;
        c->garbage = (struct gc_list){0};
    }
    if (!lock_threads_run_together()) {
        for (size_t i = 0; i < alive.count; i++) {
            if (gc_is_tracked(alive.item[i])) {
                *object_gc_byte(alive.item[i]) |= GC_OLDER;
            }
        }
    }
    for (size_t i = 0; i < alive.count; i++) {
        ref_dec(alive.item[i]);
    }
    gc_list_drop(&alive);
}

/* ---- 6. clearing ----------------------------------------------------------------------------------- */

static void garbage_clear(struct collection *c)
{
    c->collected = (Py_ssize_t)c->garbage.count;
    marks_clear(&c->garbage);
    for (size_t i = 0; i < c->garbage.count; i++) {
        PyObject *op = c->garbage.item[i];
        if (c->gc->debug & GC_DEBUG_SAVEALL) {
            garbage_list_append(c, op);
        } else if (Py_TYPE(op)->tp_clear) {
            Py_TYPE(op)->tp_clear(op);
            if (PyErr_Occurred()) {
                PyErr_FormatUnraisable("Exception ignored in tp_clear of %s", Py_TYPE(op)->tp_name);
            }
        }
        ref_dec(op);
    }
    gc_list_drop(&c->garbage);
}

/* ---- the whole -------------------------------------------------------------------------------------- */

static void callbacks_call(struct collection *c, const char *phase)
{
    struct gc_state *gc = c->gc;
    if (!gc->callbacks || PyList_GET_SIZE(gc->callbacks) == 0) {
        return;
    }
    PyObject *name = PyUnicode_FromString(phase);
    PyObject *info = Py_BuildValue("{sisnsn}", "generation", c->generation, "collected",
                                   c->collected, "uncollectable", c->uncollectable);
    PyObject *arguments[3] = {NULL, name, info};
    /* The list may change while they run. */
    PyObject *callbacks = name && info ? PyList_GetSlice(gc->callbacks, 0, PY_SSIZE_T_MAX) : NULL;
    if (!callbacks) {
        PyErr_WriteUnraisable(NULL);
    }
    for (Py_ssize_t i = 0; callbacks && i < PyList_GET_SIZE(callbacks); i++) {
        PyObject *callback = PyList_GET_ITEM(callbacks, i);
        PyObject *result =
            PyObject_Vectorcall(callback, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        if (!result) {
            PyErr_WriteUnraisable(callback);
        }
        Py_XDECREF(result);
    }
    Py_XDECREF(callbacks);
    Py_XDECREF(name);
    Py_XDECREF(info);
}

static void counts_update(struct collection *c)
{
    struct gc_state *gc = c->gc;
    int last = lock_threads_run_together() ? GC_GENERATIONS - 1 : c->generation;
    for (int i = 0; i <= last; i++) {
        atomic_store_relaxed(&gc->count[i], 0);
    }
    if (last + 1 < GC_GENERATIONS) {
        gc->count[last + 1]++;
    }
}

static void debug_begin(struct collection *c)
{
    if (!(c->gc->debug & GC_DEBUG_STATS)) {
        return;
    }
    PySys_WriteStderr("gc: collecting generation %d...\n", c->generation);
    PySys_FormatStderr("gc: objects in each generation: %zd %zd %zd\n",
                       (Py_ssize_t)c->gc->young.count, (Py_ssize_t)c->gc->middle.count,
                       c->gc->old_total + c->gc->old_pending);
    PySys_FormatStderr("gc: objects in permanent generation: %zd\n", gc_frozen_count());
}

static void debug_end(struct collection *c, int64_t began)
{
    if (c->gc->debug & GC_DEBUG_STATS) {
        PySys_WriteStderr("gc: done, %zd unreachable, %zd uncollectable, %.4fs elapsed\n",
                          c->collected + c->uncollectable, c->uncollectable,
                          (double)(prim_now_ns() - began) / 1e9);
    }
}

static void collection_run(struct collection *c)
{
    struct gc_list legacy = {0};
    bool good = search(c);
    size_t survivors = c->candidates.count;
    counts_update(c);
    if (good && !legacy_split(c, &legacy)) {
        good = false;
    }
    if (c->generation == GC_GENERATIONS - 1) {
        slab_work_end();
    }
    world_resume(c);
    gc_list_drop(&c->candidates);
    if (good && c->gc->debug & GC_DEBUG_COLLECTABLE) {
        c->ran = true; /* the report's stream */
        for (size_t i = 0; i < c->garbage.count; i++) {
            garbage_report(c, "collectable", c->garbage.item[i]);
        }
    }
    if (good) {
        weakrefs_clear(c);
        finalizers_run(c);
        resurrected_release(c);
        garbage_clear(c);
        legacy_keep(c, &legacy);
    } else {
        marks_clear(&c->garbage);
        for (size_t i = 0; i < c->garbage.count; i++) {
            ref_dec(c->garbage.item[i]);
        }
        gc_list_drop(&c->garbage);
    }
    if (good && (c->generation == GC_GENERATIONS - 1 || lock_threads_run_together())) {
        atomic_store_relaxed(&c->gc->old_total, (Py_ssize_t)survivors);
        c->gc->old_pending = 0;
    }
    gc_list_drop(&c->dead);
}

static Py_ssize_t collect(struct thread *self, int generation, bool callbacks)
{
    struct interp_state *interp = thread_interp(self);
    struct gc_state *gc = interp->gc;
    bool busy = false;
    if (!gc || !atomic_cas(&gc->collecting, &busy, true)) {
        return 0;
    }
    PyObject *raised = PyErr_GetRaisedException();
    struct collection c = {.interp = interp, .gc = gc, .generation = generation};
    int64_t began = prim_now_ns();
    if (callbacks) {
        callbacks_call(&c, "start");
    }
    debug_begin(&c);
    collection_run(&c);
    debug_end(&c, began);
    struct gc_stats *stats = &gc->stats[generation];
    stats->collections++;
    stats->collected += c.collected;
    stats->uncollectable += c.uncollectable;
    if (callbacks) {
        callbacks_call(&c, "stop");
    }
    PyErr_SetRaisedException(raised);
    atomic_store_release(&gc->collecting, false);
    if (generation == GC_GENERATIONS - 1) {
        slab_reclaim(true);
    }
    return c.collected + c.uncollectable;
}

/* What was taken out of types waits until nobody can be reading it, and then for a safe point. Here is one for this
 * thread, so that functions and classes that it has just removed are garbage of this collection. */
static void release_retired(struct thread *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    qsbr_quiescent(self);
    if (pending_run(self) < 0) {
        PyErr_FormatUnraisable("Exception ignored in a pending call");
    }
    PyErr_SetRaisedException(raised);
}

Py_ssize_t gc_collect(int generation)
{
    if (generation == GC_GENERATIONS - 1 && lock_threads_run_together()) {
        release_retired(thread_self());
    }
    return collect(thread_self(), generation, true);
}

/* At a safe point: the oldest generation whose count is over its threshold. A full collection waits until a
 * quarter as many objects have survived as there are old ones, so that its cost stays linear. */
int gc_collect_due(struct thread *self)
{
    struct gc_state *gc = thread_interp(self)->gc;
    if (!gc || !gc->enabled || atomic_load_relaxed(&gc->collecting) || !gc->threshold[0]
        || atomic_load_relaxed(&gc->count[0]) <= gc->threshold[0]) {
        return 0;
    }
    int generation = 0;
    if (gc->count[1] > gc->threshold[1]) {
        generation = 1;
        if (gc->count[2] > gc->threshold[2] && gc->old_pending >= gc->old_total / 4) {
            generation = 2;
        }
    }
    collect(self, lock_threads_run_together() ? GC_GENERATIONS - 1 : generation, true);
    return 0;
}

/* ---- freezing ---------------------------------------------------------------------------------------- */

static int freeze_one(void *op, void *arg)
{
    (void)arg;
    uint8_t *byte = object_gc_byte(op);
    field_store(byte, (uint8_t)(field_load(byte) | GC_FROZEN));
    return 0;
}

static int unfreeze_one(void *op, void *arg)
{
    (void)arg;
    uint8_t *byte = object_gc_byte(op);
    uint8_t bits = (uint8_t)(field_load(byte) & ~GC_FROZEN);
    field_store(byte, lock_threads_run_together() ? bits : (uint8_t)(bits | GC_OLDER));
    return 0;
}

static int count_frozen(void *op, void *arg)
{
    (void)op;
    ++*(Py_ssize_t *)arg;
    return 0;
}

/* Walks every object with a bit of `mask`, the world stopped. */
static void walk(uint8_t mask, slab_visit_fn fn, void *arg)
{
    struct interp_state *interp = thread_interp(thread_self());
    world_stop(interp);
    slab_each_gc(mask, fn, arg);
    world_start(interp);
}

void gc_freeze(void)
{
    struct gc_state *gc = thread_interp(thread_self())->gc;
    walk(GC_TRACKED, freeze_one, NULL);
    if (!lock_threads_run_together()) {
        list_forget(&gc->young);
        list_forget(&gc->middle);
    }
    atomic_store_relaxed(&gc->count[0], 0);
}

void gc_unfreeze(void)
{
    walk(GC_FROZEN, unfreeze_one, NULL);
}

Py_ssize_t gc_frozen_count(void)
{
    Py_ssize_t count = 0;
    walk(GC_FROZEN, count_frozen, &count);
    return count;
}

/* ---- walking -------------------------------------------------------------------------------------------- */

struct each {
    struct gc_list list;
    int generation;
    bool (*wanted)(PyObject *op, void *arg); /* NULL: all */
    void *arg;
};

static bool is_in_generation(PyObject *op, int generation)
{
    if (generation < 0 || lock_threads_run_together()) {
        return generation < 0 || generation == GC_GENERATIONS - 1;
    }
    return gc_has(op, GC_OLDER) == (generation == GC_GENERATIONS - 1);
}

static int each_take(void *object, void *arg)
{
    struct each *each = arg;
    PyObject *op = object;
    if (ref_is_dead(op) || gc_has(op, GC_UNREACHABLE) || gc_has(op, GC_FROZEN)
        || !is_in_generation(op, each->generation)
        || (each->wanted && !each->wanted(op, each->arg))) {
        return 0;
    }
    if (!gc_list_add(&each->list, op)) {
        return -1;
    }
    ref_inc(op);
    return 0;
}

/* Calls fn for what was taken while the world stood still, and gives the references back. `result`: that of the taking. */
static int each_call(struct each *each, int result, int (*fn)(PyObject *op, void *arg))
{
    if (result < 0) {
        PyErr_NoMemory();
    }
    for (size_t i = 0; i < each->list.count; i++) {
        if (result == 0) {
            result = fn(each->list.item[i], each->arg);
        }
        ref_dec(each->list.item[i]);
    }
    gc_list_drop(&each->list);
    return result;
}

/* The two young generations differ only in the list they stand in. */
static int each_take_listed(struct gc_list *list, struct each *each)
{
    for (size_t i = 0; i < list->count; i++) {
        PyObject *op = list->item[i];
        if (gc_is_tracked(op) && !gc_has(op, GC_OLDER) && each_take(op, each) < 0) {
            return -1;
        }
    }
    return 0;
}

int gc_each(int generation, int (*fn)(PyObject *op, void *arg), void *arg)
{
    return gc_each_of(generation, NULL, fn, arg);
}

int gc_each_of(int generation, bool (*wanted)(PyObject *op, void *arg),
               int (*fn)(PyObject *op, void *arg), void *arg)
{
    struct interp_state *interp = thread_interp(thread_self());
    struct each each = {.generation = generation, .wanted = wanted, .arg = arg};
    world_stop(interp);
    int result;
    if (!lock_threads_run_together() && !SLAB_DIRECT && (generation == 0 || generation == 1)) {
        struct gc_state *gc = interp->gc;
        result = each_take_listed(generation ? &gc->middle : &gc->young, &each);
    } else {
        result = slab_each_gc(GC_TRACKED, each_take, &each);
    }
    world_start(interp);
    return each_call(&each, result, fn);
}

static int referent_take(PyObject *op, void *arg)
{
    struct each *each = arg;
    if (!gc_list_add(&each->list, op)) {
        return -1;
    }
    ref_inc(op);
    return 0;
}

int gc_each_referent(PyObject *op, int (*fn)(PyObject *op, void *arg), void *arg)
{
    traverseproc traverse = Py_TYPE(op)->tp_traverse;
    if (!PyObject_IS_GC(op) || !traverse) {
        return 0;
    }
    struct interp_state *interp = thread_interp(thread_self());
    struct each each = {.arg = arg};
    world_stop(interp);
    int result = traverse(op, referent_take, &each);
    world_start(interp);
    return each_call(&each, result, fn);
}

/* ---- an interpreter's state ------------------------------------------------------------------------------ */

/* Files, sockets, generators and frames are never promoted: what they do when they die must happen at once. */
static bool may_promote(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC) || type->tp_finalize || type->tp_del) {
        return false;
    }
    PyObject **weaklist = type->tp_weaklistoffset ? object_weaklist(op) : NULL;
    return !weaklist || !field_load(weaklist);
}

int gc_interp_init(struct interp_state *interp)
{
    struct gc_state *gc = mem_calloc(MEM_RAW, 1, sizeof(*gc));
    if (!gc) {
        return -1;
    }
    gc->enabled = true;
    gc->threshold[0] = 2000;
    gc->threshold[1] = gc->threshold[2] = 10;
    interp->gc = gc;
    safe_point_hooks.collect = gc_collect_due;
    ref_promotion_set(may_promote);
    return 0;
}

void gc_start_up(struct interp_state *interp, bool starting)
{
    struct gc_state *gc = interp->gc;
    if (lock_threads_run_together() && !starting) {
        atomic_store_relaxed(&gc->old_total, atomic_load_relaxed(&gc->count[0]));
        atomic_store_relaxed(&gc->count[0], 0);
    }
    atomic_store_relaxed(&gc->starting, starting);
}

int gc_interp_ready(struct interp_state *interp)
{
    struct gc_state *gc = interp->gc;
    gc->garbage = PyList_New(0);
    gc->callbacks = PyList_New(0);
    return gc->garbage && gc->callbacks ? 0 : -1;
}

void gc_interp_clear(struct interp_state *interp)
{
    if (interp->gc) {
        Py_CLEAR(interp->gc->garbage);
        Py_CLEAR(interp->gc->callbacks);
    }
}

void gc_interp_fini(struct interp_state *interp)
{
    struct gc_state *gc = interp->gc;
    if (gc) {
        list_forget(&gc->young);
        list_forget(&gc->middle);
        gc_list_drop(&gc->young);
        gc_list_drop(&gc->middle);
        mem_free(MEM_RAW, gc);
        interp->gc = NULL;
    }
}

struct gc_state *gc_state_of(struct interp_state *interp)
{
    return interp->gc;
}
