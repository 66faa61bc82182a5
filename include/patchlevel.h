/* The version of Python that this interpreter implements. */
#ifndef Py_PATCHLEVEL_H
#define Py_PATCHLEVEL_H

#define PY_RELEASE_LEVEL_ALPHA 10
#define PY_RELEASE_LEVEL_BETA  11
#define PY_RELEASE_LEVEL_GAMMA 12
#define PY_RELEASE_LEVEL_FINAL 15

/* PY_VERSION_HEX is 0xMMmmppLs: major, minor, micro, release level, serial. */
#define PY_MAJOR_VERSION 3
#define PY_MINOR_VERSION 13
#define PY_MICRO_VERSION 5
#define PY_RELEASE_LEVEL PY_RELEASE_LEVEL_FINAL
#define PY_RELEASE_SERIAL 0
#define PY_VERSION "3.13.5"
#define PY_VERSION_HEX                                                                             \
    ((PY_MAJOR_VERSION << 24) | (PY_MINOR_VERSION << 16) | (PY_MICRO_VERSION << 8) |               \
     (PY_RELEASE_LEVEL << 4) | PY_RELEASE_SERIAL)

#endif
