/* The end of the process when the interpreter cannot go on. */
#ifndef KRAIT_OBJECTS_CAPI_FATAL_H
#define KRAIT_OBJECTS_CAPI_FATAL_H

#include "locking/thread.h"

/* What the interpreter registers at start-up: writes the stacks of all threads to a file descriptor
 * with nothing but write(), and never fails. NULL until then. */
extern void (*fatal_dump_stacks)(int fd, struct thread *current);

/* What is called last before abort(), by then everything has been told; NULL: nothing. */
extern void (*fatal_before_abort)(void);

#endif
