/*
 * The interpreter's entrances: running code, calling functions, monitoring.
 */
#ifndef KRAIT_INTERP_INTERP_H
#define KRAIT_INTERP_INTERP_H

#include "Python.h"

#include "interp/frame.h"

/* Runs from `frame`, which is pushed and has on_return == RETURN_C, until it returns or, when it is a
 * generator's, yields. An owned word, or unbound with an exception. `throwing`: an exception is
 * set and is raised at the frame's pc. Runs Python code. */
value_t interp_run(PyThreadState *ts, struct frame *frame, bool throwing);

/* The vectorcall of Python functions. New reference or NULL with an exception. */
PyObject *interp_call(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames);

/* Runs code as a module or class body: globals is a dict, locals a mapping or NULL (fast locals).
 * New reference. */
PyObject *interp_eval(PyObject *func, PyObject *locals);

/* The same for code with free variables: closure is a tuple of cells or NULL. */
PyObject *interp_eval_closure(PyObject *code, PyObject *globals, PyObject *locals,
                              PyObject *closure);

/* Binds the arguments of a call in place: r[0..npos) positional, then the values of the keywords, all words taken
 * over. On success r[0..nlocals) are the callee's; -1 with TypeError and everything released. The
 * names are borrowed. */
int interp_bind_names(PyFunctionObject *func, value_t *r, Py_ssize_t npos, PyObject *const *names,
                      Py_ssize_t nkw);

/* Makes a window's words real before foreign C sees them: numbers boxed, uncounted pointers counted. 0,
 * or -1 with MemoryError. Afterwards the window is an array of owned PyObject *. */
int args_materialise(value_t *words, Py_ssize_t n);

/* The value in marshalled data that the build made: code in it is not verified. New reference. */
PyObject *marshal_read_frozen(const unsigned char *data, Py_ssize_t n);

/* PyTraceBack_Here for a running frame. */
int traceback_add(struct frame *frame);

/* Type parameters are made by the typing module's C part, which lies above: it registers itself. `id` is an
 * intrinsic1, or minus an intrinsic2. New reference. */
extern PyObject *(*interp_typing_hook)(int id, PyObject *a, PyObject *b);

/* What an async generator yields inside (new reference). */
PyObject *async_gen_wrap(PyObject *value);

/* What the built-in anext(it, default) returns (new reference). */
PyObject *anext_awaitable_new(PyObject *awaitable, PyObject *fallback);

/* ---- functions ------------------------------------------------------------------------------- */

extern PyTypeObject *const function_types[];
extern PyTypeObject *const traceback_types[];

/* ---- monitoring, tracing --------------------------------------------------------------------- */

/* The module sys.monitoring (new reference). */
PyObject *monitoring_module(void);
int monitoring_init(struct object_interp *interp);
void monitoring_fini(struct object_interp *interp);

/* A frame wants opcode events: legacy tracing must be told. 0 or -1. */
int monitoring_trace_opcodes(void);

/* The thread ends: its hooks of sys.settrace and sys.setprofile go. May run Python code. */
void hooks_thread_clear(PyThreadState *ts);

/* Brings the instrumentation of a code object up to date with the interpreter's tools; called at
 * RESUME when versions differ. 0 or -1. */
int monitoring_update_code(struct code_body *body);

/* ---- roots ----------------------------------------------------------------------------------- */

/* Calls visit for each object that a register of the thread holds uncounted. World stopped. */
int interp_visit_registers(PyThreadState *ts, visitproc visit, void *arg);

/* Registers hooks with the floors below; once per process. */
int interp_init_hooks(void);

#endif
