/* Conversion between bytes and wide characters in the locale encoding. */
#ifndef Py_FILEUTILS_H
#define Py_FILEUTILS_H

_Py_BEGIN_DECLS

#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(wchar_t *) Py_DecodeLocale(const char *text, size_t *size);
PyAPI_FUNC(char *) Py_EncodeLocale(const wchar_t *text, size_t *error_position);
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/fileutils.h"
#endif

#endif
