/* UTF-7 encoding, for the _codecs module. */
#ifndef KRAIT_OBJECTS_STR_CODEC_UTF7_H
#define KRAIT_OBJECTS_STR_CODEC_UTF7_H

#include "objects/str/internal.h"

/* New reference to bytes; lone surrogates are encoded like other characters. */
PyObject *utf7_encode(PyObject *s);

#endif
