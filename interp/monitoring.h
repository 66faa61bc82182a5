/*
 * What monitoring, tracing and the sys.monitoring module share.
 */
#ifndef KRAIT_INTERP_MONITORING_H
#define KRAIT_INTERP_MONITORING_H

#include "interp/vm/vm.h"

#include "cpython/monitoring.h"

enum {
    TOOLS = 8,        /* six for users */
    TOOL_PROFILE = 6, /* sys.setprofile */
    TOOL_TRACE = 7,   /* sys.settrace */
    EVENTS = _PY_MONITORING_EVENTS,
    LOCAL_EVENTS = _PY_MONITORING_LOCAL_EVENTS,
};

#define EVENT_BIT(name) (1u << PY_MONITORING_EVENT_##name)
/* C_RETURN and C_RAISE come with CALL. */
#define C_EVENTS (EVENT_BIT(C_RETURN) | EVENT_BIT(C_RAISE))

struct monitoring {
    PyMutex lock;                       /* of names and callbacks */
    PyObject *names[TOOLS];             /* owned; NULL: free */
    PyObject *callbacks[TOOLS][EVENTS]; /* owned or NULL */
    uint32_t events[TOOLS];             /* global sets; change while the world is stopped */
    uint8_t listening[EVENTS];          /* tools with this event set anywhere, global or local */
    PyObject *disable, *missing;
};
extern struct monitoring monitoring;

extern const char *const monitoring_event_names[EVENTS];

/* Between these two the sets of events may change: the world is stopped. If they did, everything that runs is instrumented
 * anew, the rest when it is entered. 0, or -1 with an exception where memory was missing. */
void monitoring_begin(void);
int monitoring_end(bool changed);
/* In between: did that change the tool's set? */
bool monitoring_put_events(int tool, uint32_t events);
int monitoring_set_events(int tool, uint32_t events);
int monitoring_set_local(PyCodeObject *code, int tool, uint32_t events);
uint32_t monitoring_local(PyCodeObject *code, int tool);
/* The line of a word, or -1, without a search. */
int monitor_line(const struct code_body *body, int index);
/* The word that a jump at word i goes to, or -1. */
int monitor_jump_target(const struct code_body *body, uint32_t i);
/* Puts a callback (stolen, may be NULL) in the place of another, which is given back (new reference, may be NULL). */
PyObject *monitoring_swap_callback(int tool, int event, PyObject *callback);
/* Calls a tool's callback, if it has one for the event; args[-1] may be written to. 0, 1 for DISABLE, -1. */
int monitoring_call_tool(PyThreadState *ts, int tool, int event, PyObject *const *args,
                         size_t nargs);
/* Forgets what DISABLE switched off. */
int monitoring_restart(void);

/* sys.settrace and sys.setprofile: an event for the hooks in C. 0 or -1. */
int legacy_event(PyThreadState *ts, int tool, int event, PyCodeObject *code, int index,
                 PyObject *arg, PyObject *arg2, int target);

/* types.SimpleNamespace(**dict): new reference. */
PyObject *_PyNamespace_New(PyObject *dict);

#endif
