/* Older names for members of types; descrobject.h has the current ones. */
#ifndef Py_STRUCTMEMBER_H
#define Py_STRUCTMEMBER_H

#include "Python.h"

_Py_BEGIN_DECLS

#define T_SHORT          0
#define T_INT            1
#define T_LONG           2
#define T_FLOAT          3
#define T_DOUBLE         4
#define T_STRING         5
#define T_OBJECT         6
#define T_CHAR           7
#define T_BYTE           8
#define T_UBYTE          9
#define T_USHORT         10
#define T_UINT           11
#define T_ULONG          12
#define T_STRING_INPLACE 13
#define T_BOOL           14
#define T_OBJECT_EX      16
#define T_LONGLONG       17
#define T_ULONGLONG      18
#define T_PYSSIZET       19
#define T_NONE           20
#define READONLY Py_READONLY
#define PY_AUDIT_READ Py_AUDIT_READ
#define READ_RESTRICTED Py_AUDIT_READ
#define PY_WRITE_RESTRICTED _Py_WRITE_RESTRICTED
#define RESTRICTED (READ_RESTRICTED | PY_WRITE_RESTRICTED)

_Py_END_DECLS

#endif
