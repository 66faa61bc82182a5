/* Mutexes, events, conditions, reader-writer locks, critical sections, the global lock. */
#include "tests/unit/floor.h"

#include <signal.h>
#include <time.h>

TestSuite(lock, .timeout = 60);

enum { THREADS = 4, ROUNDS = 10000 };

/* -- Mutex ---------------------------------------------------------------------------------------- */

static PyMutex mutex;
static int64_t plain_counter;

static void count_under_mutex(struct floor_thread *t)
{
    (void)t;
    for (int i = 0; i < ROUNDS; i++) {
        mutex_lock(&mutex);
        plain_counter++;
        mutex_unlock(&mutex);
        stop_poll();
    }
}

Test(lock, mutex_excludes)
{
    floor_start();
    plain_counter = 0;
    floor_run(THREADS, count_under_mutex, NULL);
    cr_assert_eq(plain_counter, THREADS * ROUNDS);
    cr_assert_eq(mutex._bits, 0);
    floor_stop();
}

static void long_hold(struct floor_thread *t)
{
    for (int i = 0; i < 10; i++) {
        mutex_lock(&mutex);
        plain_counter += t->number + 1;
        thread_attach(thread_detach()); /* as a thread that blocks with a mutex held */
        struct timespec moment = {0, 2000000};
        nanosleep(&moment, NULL);
        mutex_unlock(&mutex);
    }
}

Test(lock, waiters_are_handed_the_mutex)
{
    floor_start();
    plain_counter = 0;
    floor_run(3, long_hold, NULL);
    cr_assert_eq(plain_counter, 60);
    floor_stop();
}

static void try_for_a_while(struct floor_thread *t)
{
    (void)t;
    int64_t before = prim_now_ns();
    cr_assert_eq(mutex_lock_timed(&mutex, 20000000, LOCK_DETACH), PARK_TIMEOUT);
    cr_assert(prim_now_ns() - before >= 20000000);
    cr_assert_eq(mutex_lock_timed(&mutex, 0, 0), PARK_TIMEOUT);
}

Test(lock, timed_lock_gives_up)
{
    floor_start();
    mutex_lock(&mutex);
    floor_run(2, try_for_a_while, NULL);
    mutex_unlock(&mutex);
    cr_assert_eq(mutex._bits, 0);
    cr_assert_eq(mutex_lock_timed(&mutex, 1000, 0), PARK_WOKEN);
    mutex_unlock(&mutex);
    floor_stop();
}

Test(lock, unlocking_a_free_mutex_is_fatal, .signal = SIGABRT)
{
    PyMutex free_one = {0};
    mutex_unlock(&free_one);
}

#ifndef NDEBUG
Test(lock, wrong_order_is_fatal, .signal = SIGABRT)
{
    static struct mutex low = MUTEX_INIT(RANK_TYPES), high = MUTEX_INIT(RANK_LEAF);
    floor_start();
    ranked_lock(&high);
    ranked_lock(&low);
}
#endif

static struct recursive_mutex recursive;
static void count_recursively(struct floor_thread *t)
{
    (void)t;
    for (int i = 0; i < ROUNDS / 10; i++) {
        recursive_lock(&recursive);
        recursive_lock(&recursive);
        plain_counter++;
        recursive_unlock(&recursive);
        plain_counter++;
        cr_assert_eq(recursive_unlock(&recursive), 0);
    }
    cr_assert_eq(recursive_unlock(&recursive), -1);
}

Test(lock, recursive_mutex)
{
    floor_start();
    plain_counter = 0;
    floor_run(THREADS, count_recursively, NULL);
    cr_assert_eq(plain_counter, THREADS * (ROUNDS / 10) * 2);
    floor_stop();
}

/* -- Event, once, condition, rwlock ----------------------------------------------------------------- */

static struct event event;
static void wait_or_set(struct floor_thread *t)
{
    if (t->number == 0) {
        struct timespec moment = {0, 5000000};
        nanosleep(&moment, NULL);
        plain_counter = 42;
        event_set(&event);
    } else {
        cr_assert(event_wait(&event, -1));
        cr_assert_eq(plain_counter, 42);
    }
}

Test(lock, event)
{
    floor_start();
    plain_counter = 0;
    event.set = 0;
    cr_assert_not(event_wait(&event, 1000000));
    floor_run(THREADS, wait_or_set, NULL);
    cr_assert(event_wait(&event, 0));
    floor_stop();
}

static struct once once;
static int once_failures, once_successes;
static void do_once(struct floor_thread *t)
{
    (void)t;
    if (once_begin(&once)) {
        bool ok = once_failures == 2;
        thread_attach(thread_detach());
        if (ok) {
            once_successes++;
        } else {
            once_failures++;
        }
        once_end(&once, ok);
    }
}

Test(lock, once_until_it_succeeds)
{
    floor_start();
    once = (struct once){0};
    once_failures = once_successes = 0;
    floor_run(8, do_once, NULL);
    cr_assert_eq(once_failures, 2);
    cr_assert_eq(once_successes, 1);
    cr_assert_not(once_begin(&once));
    floor_stop();
}

/* A bounded queue: producers and consumers wait for each other. */
static struct condition not_empty, not_full;
static int queue_length, produced, consumed;
static void produce_or_consume(struct floor_thread *t)
{
    bool producer = t->number % 2;
    for (int i = 0; i < 2000; i++) {
        mutex_lock(&mutex);
        while (producer ? queue_length == 3 : queue_length == 0) {
            condition_wait(producer ? &not_full : &not_empty, &mutex, -1);
        }
        queue_length += producer ? 1 : -1;
        producer ? produced++ : consumed++;
        condition_signal(producer ? &not_empty : &not_full);
        mutex_unlock(&mutex);
    }
}

Test(lock, conditions)
{
    floor_start();
    queue_length = produced = consumed = 0;
    floor_run(4, produce_or_consume, NULL);
    cr_assert(produced == 4000 && consumed == 4000 && queue_length == 0);
    mutex_lock(&mutex);
    cr_assert_not(condition_wait(&not_empty, &mutex, 1000000));
    mutex_unlock(&mutex);
    floor_stop();
}

static struct rwlock rwlock;
static int64_t pair[2];
static void read_or_write(struct floor_thread *t)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        if (t->number == 0 || i % 64 == 0) {
            rwlock_write(&rwlock);
            pair[0]++;
            pair[1]++;
            rwlock_write_unlock(&rwlock);
        } else {
            rwlock_read(&rwlock);
            cr_assert_eq(pair[0], pair[1]);
            rwlock_read_unlock(&rwlock);
        }
        stop_poll();
    }
}

Test(lock, rwlock)
{
    floor_start();
    floor_run(THREADS, read_or_write, NULL);
    cr_assert_eq(rwlock.bits, 0);
    floor_stop();
}

/* -- Critical sections ------------------------------------------------------------------------------ */

#if LOCK_SHARED
static struct box *shared_box[3];

static void add_in_sections(struct floor_thread *t)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct box *a = shared_box[(i + t->number) % 3], *b = shared_box[(i * 7) % 3];
        CRITICAL_SECTION2(a, b);
        a->value[1]++;
        b->value[2]++;
        CRITICAL_SECTION2_END();
        CRITICAL_SECTION(a);
        a->value[3]++;
        CRITICAL_SECTION(b); /* another lock inside: the outer one may be suspended */
        b->value[3]++;
        CRITICAL_SECTION(b); /* again the same */
        b->value[3]++;
        CRITICAL_SECTION_END();
        CRITICAL_SECTION_END();
        a->value[0]++;
        CRITICAL_SECTION_END();
        if (i % 16 == 0) {
            cr_assert_eq(safe_point(), 0);
        }
    }
}

Test(lock, critical_sections_exclude_and_do_not_deadlock)
{
    floor_start();
    for (int i = 0; i < 3; i++) {
        shared_box[i] = box_new(0);
    }
    floor_run(THREADS, add_in_sections, NULL);
    int64_t sums[4] = {0};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            sums[k] += shared_box[i]->value[k];
        }
        cr_assert_not(object_is_locked(&shared_box[i]->ob));
        ref_dec(&shared_box[i]->ob);
    }
    int64_t n = THREADS * (ROUNDS / 4);
    cr_assert_eq(sums[0], n);
    cr_assert_eq(sums[1], n);
    cr_assert_eq(sums[2], n);
    cr_assert_eq(sums[3], 3 * n);
    cr_assert_eq(thread_self()->ts.critical_section, 0);
    floor_stop();
}

static void hold_and_detach(struct floor_thread *t)
{
    struct box *mine = shared_box[t->number], *other = shared_box[1 - t->number];
    for (int i = 0; i < 2000; i++) {
        CRITICAL_SECTION(mine);
        mine->value[0]++;
        thread_attach(thread_detach());
        CRITICAL_SECTION(other); /* against each other's order */
        other->value[1]++;
        CRITICAL_SECTION_END();
        cr_assert(object_is_locked(&mine->ob));
        mine->value[0]++;
        CRITICAL_SECTION_END();
    }
}

Test(lock, sections_are_suspended_while_their_thread_is_detached)
{
    floor_start();
    shared_box[0] = box_new(0);
    shared_box[1] = box_new(0);
    floor_run(2, hold_and_detach, NULL);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(shared_box[i]->value[0], 4000);
        cr_assert_eq(shared_box[i]->value[1], 2000);
        ref_dec(&shared_box[i]->ob);
    }
    floor_stop();
}
#endif

/* -- The global lock -------------------------------------------------------------------------------- */

#if LOCK_HAS_GIL
static int running, ran[8];
static void spin_alone(struct floor_thread *t)
{
    int64_t end = prim_now_ns() + 150000000;
    do {
        cr_assert_eq(atomic_add(&running, 1), 0);
        ran[t->number]++;
        atomic_sub(&running, 1);
        cr_assert_eq(safe_point(), 0);
    } while (prim_now_ns() < end);
}

Test(lock, attached_threads_run_one_at_a_time_and_take_turns)
{
    const char *reason;
    cr_assert_eq(lock_gil_configure(1, &reason), 0);
    floor_start();
    cr_assert(lock_gil_is_enabled(thread_interp(thread_self())));
    lock_switch_interval_set(1000);
    floor_run(3, spin_alone, NULL);
    for (int i = 0; i < 3; i++) {
        cr_assert(ran[i] > 0);
    }
    floor_stop();
}
#endif

#if LOCK_HAS_GIL && LOCK_SHARED
static int together;
static bool stop_running;
static void switch_or_run(struct floor_thread *t)
{
    struct thread *self = thread_self();
    if (t->number == 0) {
        for (int i = 0; i < 100; i++) {
            lock_gil_import_begin(self);
            cr_assert(lock_gil_is_enabled(thread_interp(self)));
            int before = atomic_load_relaxed(&together);
            for (int k = 0; k < 1000; k++) {
                stop_poll();
            }
            cr_assert_eq(atomic_load_relaxed(&together), before); /* nobody else ran */
            cr_assert_eq(lock_gil_import_end(self, true), GIL_FINE);
            safe_point();
        }
        atomic_store_release(&stop_running, true);
    } else {
        while (!atomic_load_acquire(&stop_running)) {
            atomic_add(&together, 1);
            cr_assert_eq(safe_point(), 0);
        }
    }
}

Test(lock, the_global_lock_goes_on_and_off_under_way)
{
    floor_start();
    stop_running = false;
    cr_assert_not(lock_gil_is_enabled(thread_interp(thread_self())));
    floor_run(3, switch_or_run, NULL);
    cr_assert_not(lock_gil_is_enabled(thread_interp(thread_self())));
    lock_gil_import_begin(thread_self());
    cr_assert_eq(lock_gil_import_end(thread_self(), false), GIL_SWITCHED);
    cr_assert(lock_gil_is_enabled(thread_interp(thread_self())));
    lock_gil_import_begin(thread_self());
    cr_assert_eq(lock_gil_import_end(thread_self(), false), GIL_FINE);
    floor_stop();
}
#endif

#if !LOCK_HAS_GIL
Test(lock, without_a_global_lock_undeclared_extensions_are_refused)
{
    const char *reason = NULL;
    cr_assert_eq(lock_gil_configure(1, &reason), -1);
    cr_assert_not_null(reason);
    struct thread *self = floor_start();
    lock_gil_import_begin(self);
    cr_assert_eq(lock_gil_import_end(self, false), GIL_REFUSED);
    lock_gil_import_begin(self);
    cr_assert_eq(lock_gil_import_end(self, true), GIL_FINE);
    cr_assert_eq(lock_gil_configure(0, &reason), 0);
    lock_gil_import_begin(self);
    cr_assert_eq(lock_gil_import_end(self, false), GIL_FINE);
    floor_stop();
}
#endif
