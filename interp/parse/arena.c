/* The arena: blocks of memory chained newest first, and the list of owned objects. */

#include "arena.h"

#include <stdbool.h>
#include <string.h>

enum { BLOCK_SIZE = 32 * 1024 - 64 };

struct arena_block {
    struct arena_block *next;
    _Alignas(8) char memory[];
};

void arena_init(struct arena *arena)
{
    memset(arena, 0, sizeof(*arena));
}

void arena_clear(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    PyObject **objects = arena->objects;
    size_t count = arena->object_count;

    arena_init(arena);
    while (count > 0) {
        Py_DECREF(objects[--count]);
    }
    PyMem_Free(objects);
    while (block != NULL) {
        struct arena_block *next = block->next;
        PyMem_Free(block);
        block = next;
    }
}

void *arena_alloc_slow(struct arena *arena, size_t size)
{
    /* A large request gets a block of its own and leaves the current one in use. */
    bool large = size > BLOCK_SIZE / 4;
    size_t capacity = large ? size : BLOCK_SIZE;
    if (capacity > PY_SSIZE_T_MAX - sizeof(struct arena_block)) {
        PyErr_NoMemory();
        return NULL;
    }
    struct arena_block *block = PyMem_Malloc(sizeof(*block) + capacity);
    if (block == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    if (!large) {
        arena->cursor = block->memory + size;
        arena->limit = block->memory + capacity;
    }
    return block->memory;
}

PyObject *arena_own(struct arena *arena, PyObject *object)
{
    if (object == NULL) {
        return NULL;
    }
    if (arena->object_count == arena->object_capacity) {
        size_t capacity = arena->object_capacity ? arena->object_capacity * 2 : 64;
        PyObject **objects = PyMem_Realloc(arena->objects, capacity * sizeof(*objects));
        if (objects == NULL) {
            Py_DECREF(object);
            PyErr_NoMemory();
            return NULL;
        }
        arena->objects = objects;
        arena->object_capacity = capacity;
    }
    arena->objects[arena->object_count++] = object;
    return object;
}
