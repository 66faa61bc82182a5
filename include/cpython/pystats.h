/* Interpreter statistics: see pystats.h. */
#ifndef Py_CPYTHON_PYSTATS_H
#define Py_CPYTHON_PYSTATS_H

#endif
