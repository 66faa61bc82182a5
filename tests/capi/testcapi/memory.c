/* Allocators that fail or misbehave on purpose, and tests of the allocator's API. */
#include "parts.h"

#include "cpython/tracemalloc.h"

#include <pthread.h>
#include <string.h>

/* ---- failing allocations -------------------------------------------------------------------------------- */

/* Hooks that count, and fail from allocation `start` on until `stop` (0: for ever). */
static struct {
    PyMemAllocatorEx before[3];
    int count, start, stop, installed;
} fail;

static const PyMemAllocatorDomain domains[3] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM,
                                                PYMEM_DOMAIN_OBJ};

static int fails(void)
{
    int count = ++fail.count;
    return count > fail.start && (fail.stop <= 0 || count <= fail.stop);
}

static void *hook_malloc(void *context, size_t size)
{
    PyMemAllocatorEx *before = context;
    return fails() ? NULL : before->malloc(before->ctx, size);
}

static void *hook_calloc(void *context, size_t count, size_t size)
{
    PyMemAllocatorEx *before = context;
    return fails() ? NULL : before->calloc(before->ctx, count, size);
}

static void *hook_realloc(void *context, void *block, size_t size)
{
    PyMemAllocatorEx *before = context;
    return fails() ? NULL : before->realloc(before->ctx, block, size);
}

static void hook_free(void *context, void *block)
{
    PyMemAllocatorEx *before = context;
    before->free(before->ctx, block);
}

static void remove_hooks(void)
{
    if (fail.installed) {
        for (int i = 0; i < 3; i++) {
            PyMem_SetAllocator(domains[i], &fail.before[i]);
        }
        fail.installed = 0;
    }
}

FUNCTIONN(set_nomemory)
{
    fail.stop = 0;
    if (!PyArg_ParseTuple(args, "i|i", &fail.start, &fail.stop)) {
        return NULL;
    }
    fail.count = 0;
    if (!fail.installed) {
        for (int i = 0; i < 3; i++) {
            PyMem_GetAllocator(domains[i], &fail.before[i]);
            PyMemAllocatorEx hook = {
                &fail.before[i], hook_malloc, hook_calloc, hook_realloc, hook_free,
            };
            PyMem_SetAllocator(domains[i], &hook);
        }
        fail.installed = 1;
    }
    Py_RETURN_NONE;
}

FUNCTION0(remove_mem_hooks)
{
    remove_hooks();
    Py_RETURN_NONE;
}

/* ---- setting allocators ------------------------------------------------------------------------------------ */

struct noted {
    PyMemAllocatorEx before;
    size_t malloc_size, calloc_count, calloc_size, realloc_size;
    void *realloc_block, *freed, *context;
};

static void *note_malloc(void *context, size_t size)
{
    struct noted *noted = context;
    noted->context = context;
    noted->malloc_size = size;
    return noted->before.malloc(noted->before.ctx, size);
}

static void *note_calloc(void *context, size_t count, size_t size)
{
    struct noted *noted = context;
    noted->context = context;
    noted->calloc_count = count;
    noted->calloc_size = size;
    return noted->before.calloc(noted->before.ctx, count, size);
}

static void *note_realloc(void *context, void *block, size_t size)
{
    struct noted *noted = context;
    noted->context = context;
    noted->realloc_block = block;
    noted->realloc_size = size;
    return noted->before.realloc(noted->before.ctx, block, size);
}

static void note_free(void *context, void *block)
{
    struct noted *noted = context;
    noted->context = context;
    noted->freed = block;
    noted->before.free(noted->before.ctx, block);
}

struct functions {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
};

static PyObject *check_allocators(PyMemAllocatorDomain domain, struct functions f)
{
    static struct noted noted;
    memset(&noted, 0, sizeof noted);
    PyMem_GetAllocator(domain, &noted.before);
    PyMemAllocatorEx hook = {&noted, note_malloc, note_calloc, note_realloc, note_free};
    PyMem_SetAllocator(domain, &hook);
    const char *wrong = NULL;
    /* Only what is called right here may be looked at: nothing else runs in between. */
    void *block = f.malloc(42);
    wrong = block == NULL || noted.malloc_size != 42 ? "malloc" : wrong;
    void *moved = f.realloc(block, 1000);
    wrong = moved == NULL || noted.realloc_block != block || noted.realloc_size != 1000 ? "realloc"
                                                                                        : wrong;
    f.free(moved);
    wrong = noted.freed != moved ? "free" : wrong;
    block = f.calloc(2, 21);
    wrong = block == NULL || noted.calloc_count != 2 || noted.calloc_size != 21 ? "calloc" : wrong;
    noted.freed = NULL;
    f.free(block);
    wrong = noted.freed != block || noted.context != &noted ? "free after calloc" : wrong;
    PyMem_SetAllocator(domain, &noted.before);
    return wrong == NULL ? Py_NewRef(Py_None) : failed("%s", wrong);
}

FUNCTION0(test_pymem_setrawallocators)
{
    return check_allocators(PYMEM_DOMAIN_RAW, (struct functions){PyMem_RawMalloc, PyMem_RawCalloc,
                                                                 PyMem_RawRealloc, PyMem_RawFree});
}

FUNCTION0(test_pymem_setallocators)
{
    return check_allocators(PYMEM_DOMAIN_MEM, (struct functions){PyMem_Malloc, PyMem_Calloc,
                                                                 PyMem_Realloc, PyMem_Free});
}

FUNCTION0(test_pyobject_setallocators)
{
    return check_allocators(PYMEM_DOMAIN_OBJ, (struct functions){PyObject_Malloc, PyObject_Calloc,
                                                                 PyObject_Realloc, PyObject_Free});
}

/* Nothing is something: each block of no bytes has an address. */
FUNCTION0(test_pymem_alloc0)
{
    const struct functions all[] = {
        {PyMem_RawMalloc, PyMem_RawCalloc, PyMem_RawRealloc, PyMem_RawFree},
        {PyMem_Malloc, PyMem_Calloc, PyMem_Realloc, PyMem_Free},
        {PyObject_Malloc, PyObject_Calloc, PyObject_Realloc, PyObject_Free},
    };
    for (int i = 0; i < 3; i++) {
        void *blocks[] = {all[i].malloc(0), all[i].calloc(0, 1), all[i].calloc(1, 0),
                          all[i].realloc(NULL, 0)};
        for (int j = 0; j < 4; j++) {
            if (blocks[j] == NULL) {
                return failed("domain %d, function %d", i, j);
            }
            all[i].free(blocks[j]);
        }
    }
    Py_RETURN_NONE;
}

FUNCTION0(test_pyobject_new)
{
    PyTypeObject *type = &PyBaseObject_Type;
    PyObject *objects[] = {PyObject_New(PyObject, type), PyObject_NEW(PyObject, type)};
    for (int i = 0; i < 2; i++) {
        if (objects[i] == NULL || Py_TYPE(objects[i]) != type) {
            return failed("object %d", i);
        }
        Py_DECREF(objects[i]);
    }
    Py_RETURN_NONE;
}

/* ---- misuse, for the debug hooks to find --------------------------------------------------------------------- */

FUNCTION0(pymem_buffer_overflow)
{
    char *block = PyMem_Malloc(16);
    block[16] = 'x';
    PyMem_Free(block);
    Py_RETURN_NONE;
}

FUNCTION0(pymem_api_misuse)
{
    char *block = PyMem_Malloc(16);
    PyMem_RawFree(block);
    Py_RETURN_NONE;
}

FUNCTION0(pymem_malloc_without_gil)
{
    char *block;
    Py_BEGIN_ALLOW_THREADS block = PyMem_Malloc(10);
    Py_END_ALLOW_THREADS PyMem_Free(block);
    Py_RETURN_NONE;
}

FUNCTION0(pyobject_malloc_without_gil)
{
    char *block;
    Py_BEGIN_ALLOW_THREADS block = PyObject_Malloc(10);
    Py_END_ALLOW_THREADS PyObject_Free(block);
    Py_RETURN_NONE;
}

/* ---- tracemalloc ------------------------------------------------------------------------------------------------ */

FUNCTIONN(tracemalloc_track)
{
    unsigned domain;
    PyObject *number;
    Py_ssize_t size;
    int release = 0;
    if (!PyArg_ParseTuple(args, "IOn|i", &domain, &number, &size, &release)) {
        return NULL;
    }
    void *address = PyLong_AsVoidPtr(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    int result;
    if (release) {
        Py_BEGIN_ALLOW_THREADS result =
            PyTraceMalloc_Track(domain, (uintptr_t)address, (size_t)size);
        Py_END_ALLOW_THREADS
    } else {
        result = PyTraceMalloc_Track(domain, (uintptr_t)address, (size_t)size);
    }
    if (result < 0) {
        PyErr_SetString(PyExc_RuntimeError, "PyTraceMalloc_Track error");
        return NULL;
    }
    Py_RETURN_NONE;
}

FUNCTIONN(tracemalloc_untrack)
{
    unsigned domain;
    PyObject *number;
    int release = 0;
    if (!PyArg_ParseTuple(args, "IO|i", &domain, &number, &release)) {
        return NULL;
    }
    void *address = PyLong_AsVoidPtr(number);
    if (PyErr_Occurred()) {
        return NULL;
    }
    int result;
    if (release) {
        Py_BEGIN_ALLOW_THREADS result = PyTraceMalloc_Untrack(domain, (uintptr_t)address);
        Py_END_ALLOW_THREADS
    } else {
        result = PyTraceMalloc_Untrack(domain, (uintptr_t)address);
    }
    if (result < 0) {
        PyErr_SetString(PyExc_RuntimeError, "PyTraceMalloc_Untrack error");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Tracks and untracks one block until it is told to stop. */
static void *track_until_stopped(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE)) {
        PyTraceMalloc_Track(123, 10, 1);
        PyTraceMalloc_Untrack(123, 10);
    }
    return NULL;
}

/* Tracking stops while threads without a state are about to track. */
FUNCTION0(tracemalloc_track_race)
{
    enum { THREADS = 8, ROUNDS = 5 };
    pthread_t threads[THREADS];
    int stop = 0, started = 0;
    PyObject *module = PyImport_ImportModule("tracemalloc"), *result = NULL;
    if (module == NULL) {
        return NULL;
    }
    while (started < THREADS
           && pthread_create(&threads[started], NULL, track_until_stopped, &stop) == 0) {
        started++;
    }
    if (started < THREADS) {
        PyErr_SetString(PyExc_RuntimeError, "a thread could not be started");
    }
    for (int i = 0; i < 2 * ROUNDS && started == THREADS; i++) {
        Py_XSETREF(result, PyObject_CallMethod(module, i % 2 == 0 ? "start" : "stop", NULL));
        if (result == NULL) {
            break;
        }
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    Py_BEGIN_ALLOW_THREADS for (int i = 0; i < started; i++)
    {
        pthread_join(threads[i], NULL);
    }
    Py_END_ALLOW_THREADS Py_DECREF(module);
    return result;
}

static PyMethodDef methods[] = {
    VARARGS(set_nomemory),
    NOARGS(remove_mem_hooks),
    NOARGS(test_pymem_setrawallocators),
    NOARGS(test_pymem_setallocators),
    NOARGS(test_pyobject_setallocators),
    NOARGS(test_pymem_alloc0),
    NOARGS(test_pyobject_new),
    NOARGS(pymem_buffer_overflow),
    NOARGS(pymem_api_misuse),
    NOARGS(pymem_malloc_without_gil),
    NOARGS(pyobject_malloc_without_gil),
    VARARGS(tracemalloc_track),
    VARARGS(tracemalloc_untrack),
    NOARGS(tracemalloc_track_race),
    {NULL},
};

int add_memory(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
