/* The module _posixshmem: shared memory with a name. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "posixshmem.bind.h"

/* The name for the system (borrowed), or NULL with an exception. */
static const char *name_of(PyObject *path)
{
    Py_ssize_t length;
    const char *name = PyUnicode_AsUTF8AndSize(path, &length);
    if (name != NULL && strlen(name) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return name;
}

/* The system call again after signals; then -1 with an exception or its result. */
#define SHM_CALL(path, expr)                                                                       \
    __extension__({                                                                                \
        int shm_result, shm_error;                                                                 \
        do {                                                                                       \
            Py_BEGIN_ALLOW_THREADS shm_result = (expr);                                            \
            shm_error = errno;                                                                     \
            Py_END_ALLOW_THREADS                                                                   \
        } while (shm_result < 0 && shm_error == EINTR && PyErr_CheckSignals() == 0);               \
        if (shm_result < 0 && !PyErr_Occurred()) {                                                 \
            errno = shm_error;                                                                     \
            PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);                             \
        }                                                                                          \
        shm_result;                                                                                \
    })

static PyObject *shm_open_file(PyObject *Py_UNUSED(module), PyObject *path, int flags, int mode)
{
    const char *name = name_of(path);
    if (name == NULL) {
        return NULL;
    }
    int fd = SHM_CALL(path, shm_open(name, flags | O_CLOEXEC, (mode_t)mode));
    return fd < 0 ? NULL : PyLong_FromLong(fd);
}

static int shm_unlink_file(PyObject *Py_UNUSED(module), PyObject *path)
{
    const char *name = name_of(path);
    return name ? SHM_CALL(path, shm_unlink(name)) : -1;
}

static PyModuleDef_Slot shm_slots[] = MODULE_SLOTS_PLAIN;

static PyModuleDef shm_module = {
    PyModuleDef_HEAD_INIT,    .m_name = "_posixshmem", .m_doc = shm_doc,
    .m_methods = shm_methods, .m_slots = shm_slots,
};

MODULE_INIT(_posixshmem, shm_module)
