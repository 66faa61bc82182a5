/* Times in nanoseconds. */
#ifndef Py_CPYTHON_PYTIME_H
#define Py_CPYTHON_PYTIME_H

#ifndef Py_LIMITED_API
_Py_BEGIN_DECLS
typedef int64_t PyTime_t;
#define PyTime_MIN INT64_MIN
#define PyTime_MAX INT64_MAX
/* Clocks: 0, or -1 with an exception set; the Raw forms need no thread state and set none. */
PyAPI_FUNC(double) PyTime_AsSecondsDouble(PyTime_t time);
PyAPI_FUNC(int) PyTime_Monotonic(PyTime_t *result);
PyAPI_FUNC(int) PyTime_MonotonicRaw(PyTime_t *result);
PyAPI_FUNC(int) PyTime_PerfCounter(PyTime_t *result);
PyAPI_FUNC(int) PyTime_PerfCounterRaw(PyTime_t *result);
PyAPI_FUNC(int) PyTime_Time(PyTime_t *result);
PyAPI_FUNC(int) PyTime_TimeRaw(PyTime_t *result);
_Py_END_DECLS
#endif

#endif
