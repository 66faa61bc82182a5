/* Where threads are, written with nothing but write(): for signal handlers and dying processes. No lock is
 * taken, nothing is allocated, no Python code runs; what another thread changes meanwhile may come out
 * garbled. errno may change. */
#ifndef KRAIT_INTERP_DUMP_H
#define KRAIT_INTERP_DUMP_H

#include "locking/thread.h"

void dump_text(int fd, const char *text);

/* One thread's stack, with a headline that names no thread. */
void dump_stack(int fd, struct thread *thread);

/* All stacks of an interpreter; `current` (NULL: none) is marked. */
void dump_stacks(int fd, struct interp_state *interp, struct thread *current);

/* A line with the names of the extension modules that do not belong to the standard library, if any. */
void dump_extensions(int fd, struct interp_state *interp);

#endif
