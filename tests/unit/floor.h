/* What the tests of locking/ need of the floors above: objects that only count their deaths. */
#ifndef TESTS_FLOOR_H
#define TESTS_FLOOR_H

#include <criterion/criterion.h>
#include <pthread.h>

#include "locking/lock.h"
#include "locking/refs.h"
#include "locking/world.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif

/* An object of the test: 32 bytes behind the header. */
struct box {
    PyObject ob;
    int64_t value[4];
};

extern int boxes_dead; /* deaths so far; atomic */

struct box *box_new(int64_t value);

/* Starts the runtime with the calling thread attached to the main interpreter. */
struct thread *floor_start(void);
void floor_stop(void);

/* Runs fn(arg) in `count` threads, each attached, with number 0.. as its argument's second word. */
struct floor_thread {
    int number;
    void *arg;
};
void floor_run(int count, void (*fn)(struct floor_thread *), void *arg);

#endif
