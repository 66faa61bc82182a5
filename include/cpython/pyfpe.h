/* Brackets for floating-point traps, kept for old sources; they do nothing. */
#ifndef Py_CPYTHON_PYFPE_H
#define Py_CPYTHON_PYFPE_H

#define PyFPE_START_PROTECT(err_string, leave_stmt)
#define PyFPE_END_PROTECT(v)

#endif
