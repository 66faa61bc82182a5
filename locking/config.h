/* What a configuration says of the global lock: 0, 1, or -1 where nothing was said. In the default build, where there is no
 * choice, it has no place for it. */
#ifndef KRAIT_LOCKING_CONFIG_H
#define KRAIT_LOCKING_CONFIG_H

#include "Python.h"

static inline int *lock_config_place(PyConfig *config)
{
#ifdef Py_GIL_DISABLED
    return &config->enable_gil;
#else
    (void)config;
    return NULL;
#endif
}

static inline int lock_config_get(const PyConfig *config)
{
    const int *place = lock_config_place((PyConfig *)config);
    return place ? *place : -1;
}

static inline void lock_config_set(PyConfig *config, int wanted)
{
    int *place = lock_config_place(config);
    if (place) {
        *place = wanted;
    }
}

#endif
