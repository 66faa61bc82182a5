/* Copying a few bytes. */
#ifndef KRAIT_OBJECTS_STR_COPY_H
#define KRAIT_OBJECTS_STR_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* memcpy for what is usually a few bytes: moves of a fixed size that may overlap. */
static inline void copy_short(void *to, const void *from, size_t size)
{
    char *t = to;
    const char *f = from;
    uint64_t first, last;
    uint32_t head, tail;
    if (size > 16) {
        memcpy(to, from, size);
    } else if (size >= 8) {
        memcpy(&first, f, 8);
        memcpy(&last, f + size - 8, 8);
        memcpy(t, &first, 8);
        memcpy(t + size - 8, &last, 8);
    } else if (size >= 4) {
        memcpy(&head, f, 4);
        memcpy(&tail, f + size - 4, 4);
        memcpy(t, &head, 4);
        memcpy(t + size - 4, &tail, 4);
    } else if (size > 0) {
        t[0] = f[0];
        t[size / 2] = f[size / 2];
        t[size - 1] = f[size - 1];
    }
}

#endif
