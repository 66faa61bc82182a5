/* DTrace probes: none. */
#ifndef Py_PYDTRACE_H
#define Py_PYDTRACE_H

#endif
