/* Threads, stopping the world, interrupts, grace periods, counts between threads. */
#include "tests/unit/floor.h"

#include <sys/wait.h>
#include <unistd.h>

TestSuite(world, .timeout = 60);

/* -- Attach and detach ------------------------------------------------------------------------------ */

Test(world, gilstate_nests)
{
    struct thread *self = floor_start();
    cr_assert_eq(PyGILState_GetThisThreadState(), &self->ts);
    cr_assert(PyGILState_Check());
    PyGILState_STATE outer = PyGILState_Ensure();
    cr_assert_eq(outer, PyGILState_LOCKED);
    PyThreadState *saved = PyEval_SaveThread();
    cr_assert_eq(saved, &self->ts);
    cr_assert_null(thread_self());
    cr_assert_not(PyGILState_Check());
    PyGILState_STATE inner = PyGILState_Ensure();
    cr_assert_eq(inner, PyGILState_UNLOCKED);
    cr_assert_eq(thread_self(), self);
    PyGILState_Release(inner);
    cr_assert_null(thread_self());
    PyEval_RestoreThread(saved);
    PyGILState_Release(outer);
    cr_assert_eq(thread_self(), self);
    floor_stop();
}

static void *foreign_thread(void *arg)
{
    for (int i = 0; i < 100; i++) {
        PyGILState_STATE state = PyGILState_Ensure();
        cr_assert_not_null(thread_self());
        ++*(int *)arg;
        PyGILState_Release(state);
        cr_assert_null(PyGILState_GetThisThreadState());
    }
    return NULL;
}

Test(world, foreign_threads_come_and_go)
{
    struct thread *self = floor_start();
    pthread_t thread;
    int count = 0;
    thread_detach();
    pthread_create(&thread, NULL, foreign_thread, &count);
    pthread_join(thread, NULL);
    thread_attach(self);
    cr_assert_eq(count, 100);
    cr_assert_null(PyThreadState_Next(PyInterpreterState_ThreadHead(self->ts.interp)));
    floor_stop();
}

/* -- Stopping the world ------------------------------------------------------------------------------ */

static int64_t counters[8];
static int stops_left;

static void stop_or_count(struct floor_thread *t)
{
    struct interp_state *interp = thread_interp(thread_self());
    if (t->number < 2) {
        for (int i = 0; i < 150; i++) {
            world_stop(interp);
            cr_assert(world_is_stopped(interp));
            int64_t before[8], after[8];
            for (int k = 2; k < 6; k++) {
                before[k] = counters[k]; /* no atomics: nobody runs */
            }
            for (volatile int k = 0; k < 2000; k++) {
            }
            for (int k = 2; k < 6; k++) {
                after[k] = counters[k];
                cr_assert_eq(before[k], after[k]);
            }
            world_start(interp);
            safe_point();
        }
        atomic_sub(&stops_left, 1);
    } else {
        while (atomic_load_relaxed(&stops_left)) {
            counters[t->number]++;
            if (t->number == 2) {
                thread_attach(thread_detach());
            } else if (t->number == 3 && LOCK_SHARED) {
                stop_poll(); /* which would never hand over a global lock */
            } else {
                safe_point();
            }
        }
    }
}

Test(world, nobody_runs_while_it_is_stopped)
{
    floor_start();
    stops_left = 2;
    floor_run(6, stop_or_count, NULL);
    floor_stop();
}

static void come_and_go(struct floor_thread *t)
{
    struct interp_state *interp = thread_interp(thread_self());
    if (t->number) {
        for (int i = 0; i < 300; i++) {
            struct thread *mine = thread_self();
            struct thread *other = thread_new(interp);
            PyThreadState_Swap(&other->ts);
            thread_exit();
            thread_attach(mine);
            safe_point();
        }
        atomic_sub(&stops_left, 1);
        return;
    }
    while (atomic_load_relaxed(&stops_left)) {
        world_stop_all();
        world_start_all();
        safe_point();
    }
}

Test(world, threads_are_born_and_die_around_stops)
{
    floor_start();
    stops_left = 3;
    floor_run(4, come_and_go, NULL);
    floor_stop();
}

/* -- Fork ---------------------------------------------------------------------------------------------- */

#ifndef __SANITIZE_THREAD__
static void child_works(struct floor_thread *t)
{
    (void)t;
    for (int i = 0; i < 100; i++) {
        struct box *box = box_new(i);
        ref_dec(&box->ob);
        safe_point();
    }
}

static int child_main(void)
{
    struct thread *self = thread_self();
    struct interp_state *interp = thread_interp(self);
    PyOS_AfterFork_Child();
    if (interp->threads != self || self->ts.next || !thread_is_main()) {
        return 2;
    }
    world_stop_all();
    world_start_all();
    stops_left = 1;
    boxes_dead = 0;
    floor_run(3, child_works, NULL);
    slab_reclaim(true);
    return boxes_dead == 300 ? 0 : 3;
}

static void fork_or_work(struct floor_thread *t)
{
    if (t->number) {
        while (atomic_load_relaxed(&stops_left)) {
            child_works(t);
            thread_attach(thread_detach());
        }
        return;
    }
    for (int i = 0; i < 10; i++) {
        int status = -1;
        PyOS_BeforeFork();
        pid_t pid = fork();
        if (pid == 0) {
            _exit(child_main());
        }
        PyOS_AfterFork_Parent();
        struct thread *self = thread_detach();
        waitpid(pid, &status, 0);
        thread_attach(self);
        cr_assert_eq(status, 0);
    }
    atomic_store_release(&stops_left, 0);
}

Test(world, fork_among_threads)
{
    floor_start();
    stops_left = 1;
    floor_run(4, fork_or_work, NULL);
    floor_stop();
}
#endif

static void *use_state(void *state)
{
    struct thread *t = state;
    thread_attach(t);
    cr_assert_eq(t->ts.thread_id, (unsigned long)pthread_self());
    struct box *box = box_new(1);
    cr_assert(ref_is_mine(&box->ob));
    ref_dec(&box->ob);
    thread_exit();
    return NULL;
}

Test(world, a_state_belongs_to_the_thread_that_attaches)
{
    struct thread *self = floor_start();
    pthread_t thread;
    PyThreadState *other = PyThreadState_New(self->ts.interp);
    thread_detach();
    pthread_create(&thread, NULL, use_state, other);
    pthread_join(thread, NULL);
    thread_attach(self);
    floor_stop();
}

/* -- Interrupts ---------------------------------------------------------------------------------------- */

static int calls;
static int call(void *arg)
{
    calls++;
    return (int)(intptr_t)arg;
}

Test(world, pending_calls)
{
    struct thread *self = floor_start();
    struct interp_state *interp = thread_interp(self);
    calls = 0;
    cr_assert_eq(pending_add(interp, call, NULL, false), 0);
    cr_assert_eq(Py_AddPendingCall(call, NULL), 0);
    cr_assert_eq(safe_point(), 0);
    cr_assert_eq(calls, 2);
    cr_assert_eq(self->ts.eval_breaker, 0);
    cr_assert_eq(Py_AddPendingCall(call, (void *)-1), 0);
    cr_assert_eq(Py_AddPendingCall(call, NULL), 0);
    cr_assert_eq(safe_point(), -1);
    cr_assert_eq(calls, 3);
    cr_assert_eq(safe_point(), 0);
    cr_assert_eq(calls, 4);
    int room = 0;
    while (Py_AddPendingCall(call, NULL) == 0) {
        room++;
    }
    cr_assert_eq(room, PENDING_MAIN);
    cr_assert_eq(Py_MakePendingCalls(), 0);
    cr_assert_eq(calls, 4 + room);
    floor_stop();
}

#if LOCK_SHARED
/* -- Counts ---------------------------------------------------------------------------------------------- */

static struct box *volatile handed;

static void drop_handed(struct floor_thread *t)
{
    (void)t;
    ref_dec(&handed->ob);
}

Test(world, owner_asleep_does_not_keep_an_object_alive)
{
    floor_start();
    boxes_dead = 0;
    handed = box_new(1);
    floor_run(1, drop_handed, NULL); /* this thread, the owner, is detached meanwhile */
    cr_assert_eq(boxes_dead, 1);
    floor_stop();
}

static void make_one(struct floor_thread *t)
{
    (void)t;
    handed = box_new(1);
    ref_inc(&handed->ob);
}

Test(world, objects_outlive_their_owner)
{
    floor_start();
    boxes_dead = 0;
    floor_run(1, make_one, NULL);
    cr_assert_eq(ref_count(&handed->ob), 2);
    ref_dec(&handed->ob);
    cr_assert_eq(boxes_dead, 0);
    ref_dec(&handed->ob);
    cr_assert_eq(boxes_dead, 1);
    floor_stop();
}

Test(world, deferred_objects_do_not_die_by_counting)
{
    floor_start();
    boxes_dead = 0;
    struct box *box = box_new(1);
    ref_defer(&box->ob);
    cr_assert_eq(ref_count(&box->ob), 1);
    cr_assert(ref_needs_no_count(&box->ob));
    ref_dec(&box->ob);
    cr_assert_eq(boxes_dead, 0);
    cr_assert_eq(ref_count(&box->ob), 0);
    ref_undefer(&box->ob);
    cr_assert_eq(ref_merge(&box->ob, 1), 1);
    ref_dec(&box->ob);
    cr_assert_eq(boxes_dead, 1);
    floor_stop();
}

/* The list of the design: readers without lock, writers with. */
struct array {
    int count;
    PyObject *item[16];
};
static struct array *array;
static struct box *holder;
static PyMutex array_lock;
static int made, writers_left;

static struct box *item_load(int i)
{
    bool empty;
    struct array *a = atomic_load_acquire(&array);
    PyObject *op = ref_try_load(&a->item[i], &empty);
    if (!op) {
        CRITICAL_SECTION(holder);
        op = array->item[i];
        ref_inc_known(op);
        CRITICAL_SECTION_END();
    }
    return (struct box *)op;
}

static void array_free(void *a)
{
    mem_free(MEM_RAW, a);
}

static void item_store(int i, struct box *box, bool replace_array)
{
    PyObject *old;
    CRITICAL_SECTION(holder);
    old = array->item[i];
    atomic_store_release(&array->item[i], &box->ob);
    if (replace_array) {
        struct array *copy = mem_alloc(MEM_RAW, sizeof(*copy)), *retired = array;
        for (int k = 0; k < 16; k++) {
            atomic_store_relaxed(&copy->item[k], retired->item[k]);
        }
        atomic_store_release(&array, copy);
        qsbr_retire(retired, array_free);
    }
    CRITICAL_SECTION_END();
    ref_dec(old);
}

static void read_or_replace(struct floor_thread *t)
{
    unsigned random = (unsigned)t->number * 31 + 7;
    if (t->number < 2) {
        for (int i = 0; i < 10000; i++) {
            random = random * 1103515245 + 12345;
            atomic_add(&made, 1);
            item_store((random >> 16) % 16, box_new(42), i % 32 == 0);
            safe_point();
        }
        atomic_sub(&writers_left, 1);
        return;
    }
    while (atomic_load_relaxed(&writers_left)) {
        random = random * 1103515245 + 12345;
        struct box *box = item_load((random >> 16) % 16);
        cr_assert_eq(box->value[0], 42);
        cr_assert_eq(box->value[3], 42);
        ref_dec(&box->ob);
        safe_point();
    }
}

Test(world, readers_without_lock_see_whole_objects)
{
    floor_start();
    boxes_dead = 0;
    made = 16;
    writers_left = 2;
    holder = box_new(0);
    array = mem_alloc(MEM_RAW, sizeof(*array));
    for (int i = 0; i < 16; i++) {
        array->item[i] = &box_new(42)->ob;
    }
    floor_run(4, read_or_replace, NULL);
    for (int i = 0; i < 16; i++) {
        ref_dec(array->item[i]);
    }
    ref_merge_queue_run(thread_self());
    cr_assert_eq(boxes_dead, made);
    mem_free(MEM_RAW, array);
    ref_dec(&holder->ob);
    (void)array_lock;
    floor_stop();
}

/* -- Grace periods ------------------------------------------------------------------------------------------ */

static int freed;
static void count_freed(void *p)
{
    (void)p;
    atomic_add(&freed, 1);
}

static void *sleeper(void *arg)
{
    struct thread *self = thread_new(arg);
    thread_attach(self);
    atomic_store_release(&calls, 1);
    while (atomic_load_acquire(&calls) == 1) {
        prim_yield(); /* attached, and never quiet */
    }
    safe_point();
    atomic_store_release(&calls, 3);
    while (atomic_load_acquire(&calls) == 3) {
        safe_point();
    }
    thread_exit();
    return NULL;
}

Test(world, retired_memory_waits_for_every_attached_thread)
{
    struct thread *self = floor_start();
    pthread_t thread;
    freed = calls = 0;
    pthread_create(&thread, NULL, sleeper, thread_interp(self));
    while (atomic_load_acquire(&calls) != 1) {
        stop_poll(); /* a second thread comes in at a pause of the first */
        prim_yield();
    }
    int token;
    qsbr_retire(&token, count_freed);
    qsbr_quiescent(self);
    cr_assert_eq(freed, 0);
    interrupt_request_all(thread_interp(self), BREAK_QUIET);
    atomic_store_release(&calls, 2);
    while (atomic_load_acquire(&calls) != 3) {
        prim_yield();
    }
    qsbr_quiescent(self);
    cr_assert_eq(freed, 1);
    atomic_store_release(&calls, 4);
    thread_detach();
    pthread_join(thread, NULL);
    thread_attach(self);
    floor_stop();
}

static bool always(PyObject *op)
{
    (void)op;
    return true;
}

static void count_often(struct floor_thread *t)
{
    (void)t;
    for (int i = 0; i < 1000; i++) {
        ref_inc(&handed->ob);
        ref_dec(&handed->ob);
    }
}

Test(world, objects_that_others_count_often_become_deferred)
{
    floor_start();
    ref_may_promote = always;
    handed = box_new(1);
    *object_gc_byte(&handed->ob) |= GC_TRACKED;
    floor_run(2, count_often, NULL);
    cr_assert(ref_is_deferred(&handed->ob));
    cr_assert_eq(ref_count(&handed->ob), 1);
    ref_undefer(&handed->ob);
    ref_dec(&handed->ob);
    floor_stop();
}
#endif
