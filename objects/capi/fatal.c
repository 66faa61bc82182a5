/* Py_FatalError: says what is wrong and where the program was, and aborts.
 *
 * The process is in an unknown state, perhaps out of memory: nothing is allocated here, no lock is
 * taken, and a second error while the first is reported only aborts. */
#include "objects/capi/fatal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void (*fatal_dump_stacks)(int fd, struct thread *current);
void (*fatal_before_abort)(void);

static void say(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, text, left);
        if (written <= 0) {
            return;
        }
        text += written;
        left -= (size_t)written;
    }
}

static _Noreturn void die(const char *function, const char *message)
{
    static int dying;
    if (__atomic_exchange_n(&dying, 1, __ATOMIC_RELAXED)) {
        abort();
    }
    say("Fatal Python error: ");
    if (function) {
        say(function);
        say(": ");
    }
    say(message ? message : "<message not set>");
    say(runtime.finalizing    ? "\nPython runtime state: finalizing (tstate=current)\n"
        : runtime.initialized ? "\nPython runtime state: initialized\n"
                              : "\nPython runtime state: unknown\n");
    if (fatal_dump_stacks) {
        say("\n");
        struct thread *current = thread_self();
        fatal_dump_stacks(STDERR_FILENO, current ? current : thread_bound());
    }
    if (fatal_before_abort) {
        fatal_before_abort();
    }
    abort();
}

void _Py_FatalErrorFunc(const char *function, const char *message)
{
    die(function, message);
}

#undef Py_FatalError
void Py_FatalError(const char *message)
{
    die(NULL, message);
}
