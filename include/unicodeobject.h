/* str: making, reading, comparing, encoding and decoding. */
#ifndef Py_UNICODEOBJECT_H
#define Py_UNICODEOBJECT_H

_Py_BEGIN_DECLS

#define PY_UNICODE_TYPE wchar_t
#ifndef Py_LIMITED_API
typedef wchar_t Py_UNICODE;
#  define Py_UNICODE_SIZE SIZEOF_WCHAR_T
#endif
#define Py_USING_UNICODE
#if SIZEOF_WCHAR_T == 4
#  define Py_UNICODE_WIDE
#endif

/* Code units of 1, 2 and 4 bytes; a UCS4 holds any code point. */
typedef uint32_t Py_UCS4;
typedef uint16_t Py_UCS2;
typedef uint8_t Py_UCS1;

PyAPI_DATA(PyTypeObject) PyUnicodeIter_Type;
PyAPI_DATA(PyTypeObject) PyUnicode_Type;
#define PyUnicode_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_UNICODE_SUBCLASS)
#define PyUnicode_CheckExact(op) Py_IS_TYPE((op), &PyUnicode_Type)

/* Stands for bytes that could not be decoded. */
#define Py_UNICODE_REPLACEMENT_CHARACTER ((Py_UCS4)0xFFFD)

/* New str (new reference), or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyUnicode_FromEncodedObject(PyObject *op, const char *encoding,
                                                   const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_FromFormat(const char *format, ...);
PyAPI_FUNC(PyObject *) PyUnicode_FromFormatV(const char *format, va_list va);
PyAPI_FUNC(PyObject *) PyUnicode_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyUnicode_FromOrdinal(int ordinal);
PyAPI_FUNC(PyObject *) PyUnicode_FromString(const char *text);
PyAPI_FUNC(PyObject *) PyUnicode_FromStringAndSize(const char *text, Py_ssize_t size);
PyAPI_FUNC(PyObject *) PyUnicode_FromWideChar(const wchar_t *text, Py_ssize_t size);

/* Interning replaces *its argument by the one str of that text. */
PyAPI_FUNC(PyObject *) PyUnicode_InternFromString(const char *text);
PyAPI_FUNC(void) PyUnicode_InternInPlace(PyObject **str);

/* Decoding: new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyUnicode_Decode(const char *text, Py_ssize_t size, const char *encoding,
                                        const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeASCII(const char *text, Py_ssize_t size, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeCharmap(const char *text, Py_ssize_t size, PyObject *mapping,
                                               const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeFSDefault(const char *text);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeFSDefaultAndSize(const char *text, Py_ssize_t size);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeLatin1(const char *text, Py_ssize_t size,
                                              const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeRawUnicodeEscape(const char *text, Py_ssize_t size,
                                                        const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF16(const char *text, Py_ssize_t size, const char *errors,
                                             int *byteorder);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF16Stateful(const char *text, Py_ssize_t size,
                                                     const char *errors, int *byteorder,
                                                     Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF32(const char *text, Py_ssize_t size, const char *errors,
                                             int *byteorder);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF32Stateful(const char *text, Py_ssize_t size,
                                                     const char *errors, int *byteorder,
                                                     Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF7(const char *text, Py_ssize_t size, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF7Stateful(const char *text, Py_ssize_t size,
                                                    const char *errors, Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF8(const char *text, Py_ssize_t size, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUTF8Stateful(const char *text, Py_ssize_t size,
                                                    const char *errors, Py_ssize_t *consumed);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeUnicodeEscape(const char *text, Py_ssize_t size,
                                                     const char *errors);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(PyObject *) PyUnicode_DecodeLocale(const char *text, const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_DecodeLocaleAndSize(const char *text, Py_ssize_t size,
                                                     const char *errors);
#endif

/* Encoding: new bytes, or a borrowed C string for AsUTF8, NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyUnicode_AsASCIIString(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_AsCharmapString(PyObject *str, PyObject *mapping);
Py_DEPRECATED(3.6) PyAPI_FUNC(PyObject *) PyUnicode_AsDecodedObject(PyObject *str,
                                                                const char *encoding,
                                                                const char *errors);
Py_DEPRECATED(3.6) PyAPI_FUNC(PyObject *) PyUnicode_AsDecodedUnicode(PyObject *str,
                                                                const char *encoding,
                                                                const char *errors);
Py_DEPRECATED(3.6) PyAPI_FUNC(PyObject *) PyUnicode_AsEncodedObject(PyObject *str,
                                                                const char *encoding,
                                                                const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsEncodedString(PyObject *str, const char *encoding,
                                                 const char *errors);
Py_DEPRECATED(3.6) PyAPI_FUNC(PyObject *) PyUnicode_AsEncodedUnicode(PyObject *str,
                                                                const char *encoding,
                                                                const char *errors);
PyAPI_FUNC(PyObject *) PyUnicode_AsLatin1String(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_AsRawUnicodeEscapeString(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_AsUTF16String(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_AsUTF32String(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_AsUTF8String(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_AsUnicodeEscapeString(PyObject *str);
PyAPI_FUNC(Py_ssize_t) PyUnicode_AsWideChar(PyObject *str, wchar_t *buffer, Py_ssize_t size);
PyAPI_FUNC(wchar_t *) PyUnicode_AsWideCharString(PyObject *str, Py_ssize_t *size);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(Py_UCS4 *) PyUnicode_AsUCS4(PyObject *str, Py_UCS4 *buffer, Py_ssize_t size,
                                       int copy_null);
PyAPI_FUNC(Py_UCS4 *) PyUnicode_AsUCS4Copy(PyObject *str);
#endif

#if _Py_API_VERSION >= 0x030a0000
PyAPI_FUNC(const char *) PyUnicode_AsUTF8AndSize(PyObject *str, Py_ssize_t *size);
#endif

PyAPI_FUNC(void) PyUnicode_Append(PyObject **left, PyObject *right);
PyAPI_FUNC(void) PyUnicode_AppendAndDel(PyObject **left, PyObject *right);
PyAPI_FUNC(PyObject *) PyUnicode_BuildEncodingMap(PyObject *text);
PyAPI_FUNC(int) PyUnicode_Compare(PyObject *x, PyObject *y);
PyAPI_FUNC(int) PyUnicode_CompareWithASCIIString(PyObject *str, const char *text);
PyAPI_FUNC(PyObject *) PyUnicode_Concat(PyObject *x, PyObject *y);
PyAPI_FUNC(int) PyUnicode_Contains(PyObject *str, PyObject *part);
PyAPI_FUNC(Py_ssize_t) PyUnicode_Count(PyObject *str, PyObject *part, Py_ssize_t start,
                                       Py_ssize_t end);
PyAPI_FUNC(PyObject *) PyUnicode_EncodeFSDefault(PyObject *str);
PyAPI_FUNC(int) PyUnicode_FSConverter(PyObject *arg, void *result);
PyAPI_FUNC(int) PyUnicode_FSDecoder(PyObject *arg, void *result);
PyAPI_FUNC(Py_ssize_t) PyUnicode_Find(PyObject *str, PyObject *part, Py_ssize_t start,
                                      Py_ssize_t end, int direction);
PyAPI_FUNC(PyObject *) PyUnicode_Format(PyObject *format, PyObject *args);
PyAPI_FUNC(const char *) PyUnicode_GetDefaultEncoding(void);
PyAPI_FUNC(int) PyUnicode_IsIdentifier(PyObject *str);
PyAPI_FUNC(PyObject *) PyUnicode_Join(PyObject *separator, PyObject *items);
PyAPI_FUNC(PyObject *) PyUnicode_Partition(PyObject *str, PyObject *separator);
PyAPI_FUNC(PyObject *) PyUnicode_RPartition(PyObject *str, PyObject *separator);
PyAPI_FUNC(PyObject *) PyUnicode_RSplit(PyObject *str, PyObject *separator, Py_ssize_t limit);
PyAPI_FUNC(PyObject *) PyUnicode_Replace(PyObject *str, PyObject *part, PyObject *replacement,
                                         Py_ssize_t limit);
PyAPI_FUNC(int) PyUnicode_Resize(PyObject **str, Py_ssize_t length);
PyAPI_FUNC(PyObject *) PyUnicode_RichCompare(PyObject *x, PyObject *y, int op);
PyAPI_FUNC(PyObject *) PyUnicode_Split(PyObject *str, PyObject *separator, Py_ssize_t limit);
PyAPI_FUNC(PyObject *) PyUnicode_Splitlines(PyObject *str, int keep_ends);
PyAPI_FUNC(Py_ssize_t) PyUnicode_Tailmatch(PyObject *str, PyObject *part, Py_ssize_t start,
                                           Py_ssize_t end, int direction);
PyAPI_FUNC(PyObject *) PyUnicode_Translate(PyObject *str, PyObject *table, const char *errors);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(PyObject *) PyUnicode_EncodeLocale(PyObject *str, const char *errors);
PyAPI_FUNC(Py_ssize_t) PyUnicode_FindChar(PyObject *str, Py_UCS4 ch, Py_ssize_t start,
                                          Py_ssize_t end, int direction);
PyAPI_FUNC(Py_ssize_t) PyUnicode_GetLength(PyObject *str);
PyAPI_FUNC(Py_UCS4) PyUnicode_ReadChar(PyObject *str, Py_ssize_t index);
PyAPI_FUNC(PyObject *) PyUnicode_Substring(PyObject *str, Py_ssize_t start, Py_ssize_t end);
PyAPI_FUNC(int) PyUnicode_WriteChar(PyObject *str, Py_ssize_t index, Py_UCS4 ch);
#endif

#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyUnicode_EqualToUTF8(PyObject *str, const char *text);
PyAPI_FUNC(int) PyUnicode_EqualToUTF8AndSize(PyObject *str, const char *text, Py_ssize_t size);
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/unicodeobject.h"
#endif

#endif
