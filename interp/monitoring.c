/*
 * sys.monitoring (PEP 669): tools, events, and the instrumented words that report them.
 */
#include "interp/vm/vm.h"

uint32_t monitoring_version;

unsigned monitor_original_op(const struct code_body *body, uint32_t index)
{
    (void)body, (void)index;
    return NOP;
}

void monitor_free(struct code_monitor *monitor)
{
    PyMem_RawFree(monitor);
}

int vm_resume_instrument(struct frame *fp)
{
    (void)fp;
    return 0;
}

int vm_instrumented(PyThreadState *ts, struct frame *fp)
{
    (void)ts, (void)fp;
    return NOP;
}

void monitor_raise(PyThreadState *ts, struct frame *fp)
{
    (void)ts, (void)fp;
}

void monitor_reraise(PyThreadState *ts, struct frame *fp)
{
    (void)ts, (void)fp;
}

void monitor_handled(PyThreadState *ts, struct frame *fp)
{
    (void)ts, (void)fp;
}

void monitor_unwind(PyThreadState *ts, struct frame *fp)
{
    (void)ts, (void)fp;
}

void monitor_stop_iteration(PyThreadState *ts, struct frame *fp)
{
    (void)ts, (void)fp;
}

int monitoring_trace_opcodes(void)
{
    return 0;
}

int frame_set_lineno(PyFrameObject *op, int line)
{
    (void)op, (void)line;
    PyErr_SetString(PyExc_NotImplementedError, "jumps are not available");
    return -1;
}
