/* The charmap codec and the encoders with error handlers, for the _codecs module. */
#ifndef KRAIT_OBJECTS_STR_CODEC_CHARMAP_H
#define KRAIT_OBJECTS_STR_CODEC_CHARMAP_H

#include "objects/str/internal.h"

extern PyTypeObject encoding_map_type;

PyObject *_PyUnicode_EncodeCharmap(PyObject *s, PyObject *mapping, const char *errors);
PyObject *_PyUnicode_AsLatin1String(PyObject *s, const char *errors);
PyObject *_PyUnicode_AsASCIIString(PyObject *s, const char *errors);
PyObject *_PyUnicode_AsUTF8String(PyObject *s, const char *errors);
PyObject *_PyUnicode_EncodeUTF16(PyObject *s, const char *errors, int byteorder);
PyObject *_PyUnicode_EncodeUTF32(PyObject *s, const char *errors, int byteorder);

#endif
