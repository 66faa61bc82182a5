/* Comparison of ASCII text without regard to case. */
#ifndef Py_PYSTRCMP_H
#define Py_PYSTRCMP_H

_Py_BEGIN_DECLS

PyAPI_FUNC(int) PyOS_mystricmp(const char *a, const char *b);
PyAPI_FUNC(int) PyOS_mystrnicmp(const char *a, const char *b, Py_ssize_t size);
#define PyOS_strnicmp PyOS_mystrnicmp
#define PyOS_stricmp PyOS_mystricmp

_Py_END_DECLS

#endif
