/* Signals that interrupt Python code: SIGINT becomes KeyboardInterrupt at the next safe point. */

#include "interp/startup/startup.h"
#include "locking/world.h"
#include "objects/error.h"

#include <signal.h>

static volatile sig_atomic_t interrupted;

int (*interrupts_handler)(void);

void interrupts_notify(void)
{
    struct thread *main_thread = runtime.main == NULL ? NULL : runtime.main->threads;
    if (main_thread != NULL) {
        interrupt_request(main_thread, BREAK_SIGNAL);
    }
}

static void note_interrupt(int number)
{
    (void)number;
    interrupted = 1;
    interrupts_notify();
}

static int raise_interrupt(struct thread *self)
{
    (void)self;
    if (!interrupted) {
        return interrupts_handler == NULL ? 0 : interrupts_handler();
    }
    interrupted = 0;
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return -1;
}

int PyErr_CheckSignals(void)
{
    if (!thread_is_main()) {
        return 0;
    }
    return raise_interrupt(thread_self());
}

int PyErr_SetInterruptEx(int number)
{
    if (number < 1 || number >= NSIG) {
        return -1;
    }
    note_interrupt(number);
    return 0;
}

void PyErr_SetInterrupt(void)
{
    PyErr_SetInterruptEx(SIGINT);
}

int PyOS_InterruptOccurred(void)
{
    int result = thread_is_main() && interrupted;
    if (result) {
        interrupted = 0;
    }
    return result;
}

int interrupts_init(void)
{
    safe_point_hooks.signals = raise_interrupt;
    struct sigaction old, action = {.sa_handler = note_interrupt};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
        sigaction(SIGINT, &action, NULL);
    }
    return 0;
}
