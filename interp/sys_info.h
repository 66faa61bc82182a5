/* What sys tells of the build, for other files. */
#ifndef KRAIT_INTERP_SYS_INFO_H
#define KRAIT_INTERP_SYS_INFO_H

#include "Python.h"

/* sys.thread_info (new reference). */
PyObject *thread_info(void);

#endif
