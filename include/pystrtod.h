/* Doubles to and from text. */
#ifndef Py_PYSTRTOD_H
#define Py_PYSTRTOD_H

_Py_BEGIN_DECLS

PyAPI_FUNC(char *) PyOS_double_to_string(double value, char format, int precision, int flags,
                                         int *kind);
PyAPI_FUNC(double) PyOS_string_to_double(const char *text, char **end,
                                         PyObject *overflow_exception);

/* Flags of PyOS_double_to_string, and the kind of number it reports. */
#define Py_DTSF_SIGN 0x01
#define Py_DTSF_ADD_DOT_0 0x02
#define Py_DTSF_ALT 0x04
#define Py_DTSF_NO_NEG_0 0x08
#define Py_DTST_FINITE 0
#define Py_DTST_INFINITE 1
#define Py_DTST_NAN 2

_Py_END_DECLS

#endif
