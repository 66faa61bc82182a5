/* The cycle collector, over containers that are nothing but two references. */
#include "tests/unit/floor.h"

#include "objects/gc/gc.h"
#include "objects/object.h"
#include "objects/weakref.h"

TestSuite(gc, .timeout = 60);

struct node {
    PyObject ob;
    PyObject *ref[2];
    int number;
    bool finalizer_saves;
};

static int nodes_dead, finalized;
static struct node *saved;

static int node_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct node *node = (struct node *)op;
    Py_VISIT(node->ref[0]);
    Py_VISIT(node->ref[1]);
    return 0;
}

static int node_clear(PyObject *op)
{
    struct node *node = (struct node *)op;
    ref_clear(&node->ref[0]);
    ref_clear(&node->ref[1]);
    return 0;
}

static void node_dealloc(PyObject *op)
{
    gc_untrack(op);
    node_clear(op);
    atomic_add(&nodes_dead, 1);
    slab_free(op);
}

static void node_finalize(PyObject *op)
{
    struct node *node = (struct node *)op;
    atomic_add(&finalized, 1);
    if (node->finalizer_saves) {
        saved = (struct node *)ref_new(op);
    }
}

#define NODE_TYPE(...)                                                                             \
    {                                                                                              \
        .tp_name = "node", .tp_flags = Py_TPFLAGS_HAVE_GC, .tp_traverse = node_traverse,           \
        .tp_clear = node_clear, .tp_dealloc = node_dealloc, __VA_ARGS__                            \
    }
static PyTypeObject plain_type = NODE_TYPE(.tp_finalize = NULL);
static PyTypeObject finalizer_type = NODE_TYPE(.tp_finalize = node_finalize);
static PyTypeObject legacy_type = NODE_TYPE(.tp_del = node_finalize);

static struct node *node_new(PyTypeObject *type, size_t size)
{
    struct node *node = slab_alloc(size, SLAB_GC);
    cr_assert_not_null(node);
    ref_init(&node->ob);
    node->ob.ob_type = type;
    node->ref[0] = node->ref[1] = NULL;
    node->number = 0;
    node->finalizer_saves = false;
    gc_track(&node->ob);
    return node;
}

/* A ring of n nodes; the caller's reference is to the one returned. */
static struct node *ring_new(PyTypeObject *type, int n, size_t size)
{
    struct node *first = node_new(type, size), *last = first;
    for (int i = 1; i < n; i++) {
        struct node *node = node_new(type, size);
        last->ref[0] = &node->ob; /* the new reference goes into the ring */
        last = node;
    }
    last->ref[0] = ref_new(&first->ob);
    return first;
}

static void start(void)
{
    struct thread *self = floor_start();
    nodes_dead = finalized = 0;
    saved = NULL;
    cr_assert_eq(gc_interp_init(thread_interp(self)), 0);
}

static void stop(void)
{
    gc_interp_fini(thread_interp(thread_self()));
    floor_stop();
}

/* -- In place of the floors above ---------------------------------------------------------------- */

PyTypeObject PyTuple_Type;
void type_counts_settle(struct object_thread *Py_UNUSED(thread))
{
}
PyTypeObject PyDict_Type;
int PyDict_Next(PyObject *Py_UNUSED(op), Py_ssize_t *Py_UNUSED(at), PyObject **Py_UNUSED(key),
                PyObject **Py_UNUSED(value))
{
    return 0;
}
int PyObject_GC_IsTracked(PyObject *op)
{
    return gc_is_tracked(op);
}
int PyObject_IS_GC(PyObject *op)
{
    return PyType_IS_GC(Py_TYPE(op));
}
static int garbage_kept;
PyObject *PyList_New(Py_ssize_t n)
{
    (void)n;
    return (PyObject *)&garbage_kept;
}
int PyList_Append(PyObject *list, PyObject *op)
{
    (void)list, ref_inc(op);
    garbage_kept++;
    return 0;
}
PyObject *PyList_GetSlice(PyObject *l, Py_ssize_t a, Py_ssize_t b)
{
    (void)l, (void)a, (void)b;
    return NULL;
}
PyObject *PyErr_Occurred(void)
{
    return NULL;
}
PyObject *PyErr_NoMemory(void)
{
    return NULL;
}
PyObject *PyErr_GetRaisedException(void)
{
    return NULL;
}
void PyErr_SetRaisedException(PyObject *op)
{
    (void)op;
}
void PyErr_WriteUnraisable(PyObject *op)
{
    (void)op;
}
void PyErr_FormatUnraisable(const char *format, ...)
{
    (void)format;
}
void PySys_FormatStderr(const char *format, ...)
{
    (void)format;
}
void PySys_WriteStderr(const char *format, ...)
{
    (void)format;
}
PyObject *PyUnicode_FromString(const char *s)
{
    (void)s;
    return NULL;
}
PyObject *Py_BuildValue(const char *format, ...)
{
    (void)format;
    return NULL;
}
PyObject *PyObject_Vectorcall(PyObject *f, PyObject *const *a, size_t n, PyObject *k)
{
    (void)f, (void)a, (void)n, (void)k;
    return NULL;
}
void weakref_clear_collect(PyObject *op, void (*each)(PyWeakReference *, void *), void *arg)
{
    (void)op, (void)each, (void)arg;
}
void weakref_call_callback(PyWeakReference *ref)
{
    (void)ref;
}

/* -- Tests ------------------------------------------------------------------------------------------- */

Test(gc, rings_are_collected_and_what_is_reachable_is_not)
{
    start();
    struct node *kept = ring_new(&plain_type, 5, sizeof(struct node));
    struct node *dropped = ring_new(&plain_type, 7, sizeof(struct node));
    struct node *hanging = node_new(&plain_type, sizeof(struct node));
    dropped->ref[1] = &hanging->ob;
    kept->ref[1] = ref_new(&hanging->ob); /* reachable from both */
    cr_assert_eq(gc_collect(2), 0);
    ref_dec(&dropped->ob);
    cr_assert_eq(gc_collect(2), 7);
    cr_assert_eq(nodes_dead, 7);
    cr_assert_eq(gc_collect(2), 0);
    ref_dec(&kept->ob);
    cr_assert_eq(gc_collect(2), 6);
    cr_assert_eq(nodes_dead, 13);
    stop();
}

Test(gc, large_containers_take_part)
{
    start();
    struct node *ring = ring_new(&plain_type, 3, 20000);
    ring->ref[1] = &ring_new(&plain_type, 2, sizeof(struct node))->ob;
    cr_assert_eq(gc_collect(2), 0);
    ref_dec(&ring->ob);
    cr_assert_eq(gc_collect(0), lock_threads_run_together() ? 5 : 0); /* old by now */
    cr_assert_eq(gc_collect(2), lock_threads_run_together() ? 0 : 5);
    cr_assert_eq(nodes_dead, 5);
    stop();
}

Test(gc, generations)
{
    start();
    struct node *ring = ring_new(&plain_type, 4, sizeof(struct node));
    cr_assert_eq(gc_collect(0), 0); /* to the middle one */
    ref_dec(&ring->ob);
    if (!lock_threads_run_together()) {
        cr_assert_eq(gc_collect(0), 0);
        cr_assert_eq(gc_collect(SLAB_DIRECT ? 2 : 1), 4); /* there, one collection makes old */
        ring = ring_new(&plain_type, 4, sizeof(struct node));
        gc_collect(0);
        gc_collect(1);
        ref_dec(&ring->ob);
        cr_assert_eq(gc_collect(1), 0);
    }
    cr_assert_eq(gc_collect(2), 4);
    stop();
}

Test(gc, young_ones_that_die_leave_no_trace)
{
    start();
    struct gc_state *gc = gc_state_of(thread_interp(thread_self()));
    for (int i = 0; i < 100000; i++) {
        struct node *node = node_new(&plain_type, sizeof(struct node));
        ref_dec(&node->ob);
    }
    cr_assert_eq(nodes_dead, 100000);
    cr_assert(gc->young.count < 10);
    cr_assert_eq(thread_self()->ts.eval_breaker & BREAK_COLLECT, 0);
    /* Slots that come and go between collections: */
    struct node *node[1000];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 1000; i++) {
            node[i] = ring_new(&plain_type, 1 + i % 2, sizeof(struct node) + (size_t)(round * 40));
        }
        gc_collect(round % 3);
        for (int i = 0; i < 1000; i++) {
            node_clear(&node[i]->ob);
            ref_dec(&node[i]->ob);
        }
        slab_reclaim(round % 2);
    }
    gc_collect(2);
    cr_assert_eq(gc_frozen_count(), 0);
    stop();
}

Test(gc, collections_start_at_safe_points)
{
    start();
    for (int i = 0; i < 3000; i++) {
        ref_dec(&ring_new(&plain_type, 2, sizeof(struct node))->ob);
        cr_assert_eq(safe_point(), 0);
    }
    cr_assert(nodes_dead > 1000);
    gc_collect(2);
    cr_assert_eq(nodes_dead, 6000);
    stop();
}

Test(gc, finalizers_run_once_and_may_save)
{
    start();
    struct node *ring = ring_new(&finalizer_type, 3, sizeof(struct node));
    ring->finalizer_saves = true;
    ref_dec(&ring->ob);
    cr_assert_eq(gc_collect(2), 0);
    cr_assert_eq(finalized, 3);
    cr_assert_eq(nodes_dead, 0);
    cr_assert_eq(saved, ring);
    cr_assert(gc_is_tracked(&ring->ob) && gc_is_finalized(&ring->ob));
    ref_dec(&ring->ob);
    cr_assert_eq(gc_collect(2), 3);
    cr_assert_eq(finalized, 3);
    cr_assert_eq(nodes_dead, 3);
    stop();
}

Test(gc, old_style_finalizers_keep_their_cycle)
{
    start();
    garbage_kept = 0;
    struct node *ring = ring_new(&legacy_type, 2, sizeof(struct node));
    ref_dec(&ring->ob);
    cr_assert_eq(gc_collect(2), 2);
    cr_assert_eq(garbage_kept, 2);
    cr_assert_eq(nodes_dead, 0);
    stop();
}

Test(gc, frozen_objects_are_left_alone)
{
    start();
    struct node *ring = ring_new(&plain_type, 3, sizeof(struct node));
    gc_freeze();
    cr_assert_eq(gc_frozen_count(), 3);
    ref_dec(&ring->ob);
    cr_assert_eq(gc_collect(2), 0);
    gc_unfreeze();
    cr_assert_eq(gc_frozen_count(), 0);
    cr_assert_eq(gc_collect(2), 3);
    stop();
}

Test(gc, no_memory_is_no_catastrophe)
{
    start();
    for (int i = 0; i < 500; i++) {
        ref_dec(&ring_new(&plain_type, 2, sizeof(struct node))->ob);
    }
    for (size_t n = 1; n < 30; n++) {
        mem_fail_nth(n, 0);
        Py_ssize_t found = gc_collect(2);
        mem_fail_nth(0, 0);
        if (found) {
            break;
        }
    }
    gc_collect(2);
    cr_assert_eq(nodes_dead, 1000);
    stop();
}

static struct node *root;
static void scan(struct interp_state *interp, visitproc visit, void *arg)
{
    (void)interp;
    if (root) {
        visit(&root->ob, arg);
    }
}

Test(gc, registers_keep_what_they_hold_without_a_count)
{
    start();
    gc_register_roots(scan);
    root = ring_new(&plain_type, 3, sizeof(struct node));
    ref_defer(&root->ob);
    ref_dec(&root->ob);
    cr_assert_eq(gc_collect(2), 0);
    root = NULL;
    cr_assert_eq(gc_collect(2), 3);
    cr_assert_eq(nodes_dead, 3);
    stop();
}

/* -- Threads ---------------------------------------------------------------------------------------------- */

enum { RINGS = 3000 };
static struct node *exchange[64];

static void make_rings(struct floor_thread *t)
{
    unsigned random = (unsigned)t->number * 77 + 5;
    for (int i = 0; i < RINGS; i++) {
        random = random * 1103515245 + 12345;
        struct node *ring = ring_new(i % 3 ? &plain_type : &finalizer_type, 2, sizeof(struct node));
        struct node *other = atomic_swap(&exchange[(random >> 16) % 64], ring);
        if (other) {
            ref_dec(&other->ob);
        }
        cr_assert_eq(safe_point(), 0);
        if (i % 500 == 0) {
            gc_collect(i % 3);
        }
    }
}

Test(gc, threads_make_garbage_while_others_collect)
{
    start();
    memset(exchange, 0, sizeof(exchange));
    floor_run(4, make_rings, NULL);
    for (int i = 0; i < 64; i++) {
        if (exchange[i]) {
            ref_dec(&exchange[i]->ob);
        }
    }
    ref_merge_queue_run(thread_self());
    gc_collect(2);
    cr_assert_eq(nodes_dead, 4 * RINGS * 2);
    cr_assert_eq(finalized, 4 * (RINGS / 3) * 2);
    stop();
}
