/* What a configuration says of the global lock. */
#ifndef KRAIT_LOCKING_CONFIG_H
#define KRAIT_LOCKING_CONFIG_H

#include "Python.h"

/* Where it says what is wanted: 0, 1, or -1 where nothing was said. NULL in the default build, where there is no
 * choice. */
static inline int *lock_config_gil(PyConfig *config)
{
#ifdef Py_GIL_DISABLED
    return &config->enable_gil;
#else
    (void)config;
    return NULL;
#endif
}

#endif
