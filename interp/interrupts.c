/* Signals that interrupt Python code.
 *
 * A C handler notes the number here and asks the main thread for a safe point. What happens there is the
 * signal module's; before it is loaded, SIGINT raises KeyboardInterrupt and that is all. */

#include "interp/startup/startup.h"
#include "locking/world.h"
#include "objects/error.h"

#include <signal.h>
#include <string.h>

static uint8_t noted[NSIG];
/* Some of them may be. This is what is asked; BREAK_SIGNAL only brings the main thread here, and stands in a state that other
 * threads must not touch, since it may go. */
static uint8_t any_noted;

int (*interrupts_handler)(void);
bool (*interrupts_python_handler)(int number);
void (*interrupts_end)(void);

static void announce(void)
{
    atomic_store_release(&any_noted, 1);
    struct thread *main_state = atomic_load_acquire(&runtime.main_state);
    if (main_state != NULL) {
        interrupt_request(main_state, BREAK_SIGNAL);
    }
}

void interrupts_note(int number)
{
    atomic_store_release(&noted[number], 1);
    announce();
}

bool interrupts_take(int number)
{
    return atomic_load_relaxed(&noted[number]) && atomic_swap(&noted[number], 0);
}

static int raise_interrupt(struct thread *self)
{
    (void)self;
    if (likely(!atomic_load_relaxed(&any_noted)) || !atomic_swap(&any_noted, 0)) {
        return 0;
    }
    if (interrupts_handler != NULL) {
        int result = interrupts_handler();
        if (result < 0) {
            announce(); /* there may be more */
        }
        return result;
    }
    if (!interrupts_take(SIGINT)) {
        return 0;
    }
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return -1;
}

int PyErr_CheckSignals(void)
{
    if (likely(!atomic_load_relaxed(&any_noted))) {
        return 0;
    }
    struct thread *self = thread_self();
    return thread_is_main() && thread_interp(self)->is_main ? raise_interrupt(self) : 0;
}

/* As if the signal had arrived; one that Python code does not handle is left alone. */
int PyErr_SetInterruptEx(int number)
{
    if (number < 1 || number >= NSIG) {
        return -1;
    }
    if (interrupts_python_handler == NULL || interrupts_python_handler(number)) {
        interrupts_note(number);
    }
    return 0;
}

void PyErr_SetInterrupt(void)
{
    PyErr_SetInterruptEx(SIGINT);
}

int PyOS_InterruptOccurred(void)
{
    return thread_is_main() && interrupts_take(SIGINT);
}

/* What had arrived before fork() is the parent's. */
static void forget_noted(void)
{
    memset(noted, 0, sizeof noted);
    any_noted = 0;
}

int interrupts_init(void)
{
    static struct fork_hooks hooks = {.child = forget_noted};
    struct sigaction old, action = {.sa_handler = interrupts_note, .sa_flags = SA_ONSTACK};
    safe_point_hooks.signals = raise_interrupt;
    fork_register(&hooks);
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler == SIG_DFL) {
        sigaction(SIGINT, &action, NULL);
    }
    PyObject *module = PyImport_ImportModule("_signal");
    Py_XDECREF(module);
    return module == NULL ? -1 : 0;
}
