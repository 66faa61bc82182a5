/* Memory that dies all at once: the nodes of one syntax tree and the objects they mention.

   Blocks are only ever appended to, so that an allocation is an addition and a comparison; nothing
   in an arena is freed before the arena itself.  An arena belongs to one thread at a time. */

#ifndef KRAIT_PARSE_ARENA_H
#define KRAIT_PARSE_ARENA_H

#include <Python.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    char *cursor;               /* next free byte of the newest block */
    char *limit;                /* one past its last byte */
    struct arena_block *blocks; /* newest first */
    PyObject **objects;         /* the references that the arena owns */
    size_t object_count, object_capacity;
};

/* An empty arena; cannot fail, allocates nothing yet. */
void arena_init(struct arena *arena);

/* Frees all memory and releases all owned objects.  May run Python code (finalizers). */
void arena_clear(struct arena *arena);

/* The slow path of arena_alloc: a new block.  NULL with MemoryError. */
void *arena_alloc_slow(struct arena *arena, size_t size);

/* Uninitialised memory, aligned to 8 bytes, alive until arena_clear.  NULL with MemoryError. */
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    if (size <= (size_t)(arena->limit - arena->cursor)) {
        void *memory = arena->cursor;
        arena->cursor += size;
        return memory;
    }
    return arena_alloc_slow(arena, size);
}

/* Hands `object` (STOLEN, also on failure) to the arena and returns it (borrowed from the arena).
   NULL in gives NULL out, so that a fallible constructor can be the argument.  NULL with an
   exception set on failure. */
PyObject *arena_own(struct arena *arena, PyObject *object);

#endif
