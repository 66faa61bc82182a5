/* The module _multiprocessing: semaphores of the system that processes share. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <time.h>

enum kind { RECURSIVE_MUTEX, SEMAPHORE };

struct semlock {
    PyObject_HEAD
    sem_t *handle;
    int kind, maxvalue;
    int count;           /* how often this process holds it; atomic */
    unsigned long owner; /* the thread that took it last; atomic */
    char *name;          /* NULL: has none any more */
};

#include "multiprocessing.bind.h"

static PyObject *raise_errno(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

static int count_of(struct semlock *self)
{
    return __atomic_load_n(&self->count, __ATOMIC_RELAXED);
}

static int semlock_is_mine(struct semlock *self)
{
    return count_of(self) > 0
           && __atomic_load_n(&self->owner, __ATOMIC_RELAXED) == PyThread_get_thread_ident();
}

/* ---- making --------------------------------------------------------------------------------- */

/* Makes the object; the semaphore is closed if that fails.  The name may be NULL. */
static PyObject *semlock_make(PyTypeObject *type, sem_t *handle, int kind, int maxvalue,
                              const char *name)
{
    struct semlock *self = type_make(type);
    char *copy = NULL;
    if (self != NULL && name != NULL) {
        copy = PyMem_Malloc(strlen(name) + 1);
        if (copy == NULL) {
            PyErr_NoMemory();
            Py_CLEAR(self);
        } else {
            strcpy(copy, name);
        }
    }
    if (self == NULL) {
        sem_close(handle);
        return NULL;
    }
    self->handle = handle;
    self->kind = kind;
    self->maxvalue = maxvalue;
    self->name = copy;
    return (PyObject *)self;
}

static PyObject *semlock_new(PyTypeObject *type, int kind, int value, int maxvalue,
                             const char *name, int unlink)
{
    if (kind != RECURSIVE_MUTEX && kind != SEMAPHORE) {
        PyErr_SetString(PyExc_ValueError, "unrecognized kind");
        return NULL;
    }
    sem_t *handle = sem_open(name, O_CREAT | O_EXCL, 0600, value);
    if (handle == SEM_FAILED) {
        return raise_errno();
    }
    if (unlink && sem_unlink(name) < 0) {
        raise_errno();
        sem_close(handle);
        return NULL;
    }
    return semlock_make(type, handle, kind, maxvalue, unlink ? NULL : name);
}

static PyObject *semlock_rebuild(PyTypeObject *type, PyObject *number, int kind, int maxvalue,
                                 const char *name)
{
    sem_t *handle;
    if (name != NULL) {
        handle = sem_open(name, 0);
        if (handle == SEM_FAILED) {
            return raise_errno();
        }
    } else {
        handle = PyLong_AsVoidPtr(number); /* of this process, or of the one it was forked from */
        if (handle == NULL && PyErr_Occurred()) {
            return NULL;
        }
    }
    return semlock_make(type, handle, kind, maxvalue, name);
}

static void semlock_dealloc(PyObject *op)
{
    struct semlock *self = (struct semlock *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->handle != NULL) {
        sem_close(self->handle);
    }
    PyMem_Free(self->name);
    type->tp_free(op);
    Py_DECREF(type);
}

static int semlock_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

/* ---- taking and giving back ----------------------------------------------------------------- */

/* When the time will be up, by the clock that semaphores go by.  False with an exception. */
static bool deadline_read(PyObject *timeout, struct timespec *out)
{
    double seconds = PyFloat_AsDouble(timeout);
    if (PyErr_Occurred()) {
        return false;
    }
    seconds = seconds > 0.0 ? Py_MIN(seconds, 1e9) : 0.0;
    clock_gettime(CLOCK_REALTIME, out);
    out->tv_sec += (time_t)seconds;
    out->tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
    if (out->tv_nsec >= 1000000000) {
        out->tv_nsec -= 1000000000;
        out->tv_sec++;
    }
    return true;
}

/* Waits: 1 when taken, 0 when the time is up, -1 with an exception. */
static int semlock_wait(struct semlock *self, const struct timespec *deadline)
{
    for (;;) {
        int rc, error;
        Py_BEGIN_ALLOW_THREADS rc =
            deadline ? sem_timedwait(self->handle, deadline) : sem_wait(self->handle);
        error = errno;
        Py_END_ALLOW_THREADS if (rc == 0)
        {
            return 1;
        }
        if (error == ETIMEDOUT || error == EAGAIN) {
            return 0;
        }
        if (error != EINTR) {
            errno = error;
            raise_errno();
            return -1;
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

static int semlock_take(struct semlock *self, int block, PyObject *timeout)
{
    struct timespec deadline;
    if (block && timeout != Py_None && !deadline_read(timeout, &deadline)) {
        return -1;
    }
    int rc;
    do {
        rc = sem_trywait(self->handle);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno != EAGAIN) {
        raise_errno();
        return -1;
    }
    if (rc < 0) {
        return block ? semlock_wait(self, timeout != Py_None ? &deadline : NULL) : 0;
    }
    return 1;
}

static PyObject *semlock_acquire(struct semlock *self, int block, PyObject *timeout)
{
    if (self->kind == RECURSIVE_MUTEX && semlock_is_mine(self)) {
        __atomic_add_fetch(&self->count, 1, __ATOMIC_RELAXED);
        return Py_NewRef(Py_True);
    }
    int taken = semlock_take(self, block, timeout);
    if (taken > 0) {
        __atomic_store_n(&self->owner, PyThread_get_thread_ident(), __ATOMIC_RELAXED);
        __atomic_add_fetch(&self->count, 1, __ATOMIC_RELAXED);
    }
    return taken < 0 ? NULL : PyBool_FromLong(taken);
}

static int value_of(struct semlock *self, int *value)
{
    if (sem_getvalue(self->handle, value) < 0) {
        raise_errno();
        return -1;
    }
    *value = Py_MAX(*value, 0); /* some systems count who waits */
    return 0;
}

static int semlock_release(struct semlock *self)
{
    if (self->kind == RECURSIVE_MUTEX) {
        if (!semlock_is_mine(self)) {
            PyErr_SetString(PyExc_AssertionError,
                            "attempt to release recursive lock not owned by thread");
            return -1;
        }
        if (count_of(self) > 1) {
            __atomic_sub_fetch(&self->count, 1, __ATOMIC_RELAXED);
            return 0;
        }
    } else {
        int value;
        if (value_of(self, &value) < 0) {
            return -1;
        }
        if (value >= self->maxvalue) {
            PyErr_SetString(PyExc_ValueError, "semaphore or lock released too many times");
            return -1;
        }
    }
    /* Who takes it next shall find the count as it will be. */
    __atomic_sub_fetch(&self->count, 1, __ATOMIC_RELAXED);
    if (sem_post(self->handle) < 0) {
        __atomic_add_fetch(&self->count, 1, __ATOMIC_RELAXED);
        raise_errno();
        return -1;
    }
    return 0;
}

static PyObject *semlock_enter(struct semlock *self)
{
    return semlock_acquire(self, true, Py_None);
}

static int semlock_exit(struct semlock *self, PyObject *Py_UNUSED(type), PyObject *Py_UNUSED(value),
                        PyObject *Py_UNUSED(traceback))
{
    return semlock_release(self);
}

/* ---- asking --------------------------------------------------------------------------------- */

static PyObject *semlock_count(struct semlock *self)
{
    return PyLong_FromLong(count_of(self));
}

static PyObject *semlock_get_value(struct semlock *self)
{
    int value;
    return value_of(self, &value) < 0 ? NULL : PyLong_FromLong(value);
}

static int semlock_is_zero(struct semlock *self)
{
    int value;
    return value_of(self, &value) < 0 ? -1 : value == 0;
}

static int semlock_after_fork(struct semlock *self)
{
    __atomic_store_n(&self->count, 0, __ATOMIC_RELAXED);
    return 0;
}

static PyObject *semlock_get_handle(struct semlock *self)
{
    return PyLong_FromVoidPtr(self->handle);
}

static int semaphores_unlink(PyObject *Py_UNUSED(module), const char *name)
{
    if (sem_unlink(name) < 0) {
        raise_errno();
        return -1;
    }
    return 0;
}

/* ---- the module ----------------------------------------------------------------------------- */

static PyType_Slot semlock_slots[] = {
    {Py_tp_dealloc, semlock_dealloc}, {Py_tp_traverse, semlock_traverse},
    {Py_tp_doc, (void *)semlock_doc}, {Py_tp_methods, semlock_methods},
    {Py_tp_members, semlock_members}, {Py_tp_getset, semlock_getset},
    {Py_tp_new, bind_semlock_new},    {0, NULL},
};

static PyType_Spec semlock_spec = {
    "_multiprocessing.SemLock",
    sizeof(struct semlock),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    semlock_slots,
};

static int semaphores_exec(PyObject *module)
{
    PyTypeObject *type = module_type(module, &semlock_spec, true);
    PyObject *most = PyLong_FromLong(SEM_VALUE_MAX);
    /* The type refuses assignments from Python; its making is not over yet. */
    int rc = type && most ? PyDict_SetItemString(type->tp_dict, "SEM_VALUE_MAX", most) : -1;
    if (rc == 0) {
        PyType_Modified(type);
    }
    Py_XDECREF(most);
    Py_XDECREF(type);
    PyObject *flags =
        rc == 0 ? Py_BuildValue("{sisi}", "HAVE_SEM_OPEN", 1, "HAVE_SEM_TIMEDWAIT", 1) : NULL;
    rc = flags ? PyModule_AddObjectRef(module, "flags", flags) : -1;
    Py_XDECREF(flags);
    return rc;
}

static PyModuleDef_Slot semaphores_slots[] = MODULE_SLOTS(semaphores_exec);

static PyModuleDef semaphores_module = {
    PyModuleDef_HEAD_INIT,           .m_name = "_multiprocessing", .m_doc = semaphores_doc,
    .m_methods = semaphores_methods, .m_slots = semaphores_slots,
};

MODULE_INIT(_multiprocessing, semaphores_module)
