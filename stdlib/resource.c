/* The module resource. */
#include "module.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

struct resources_state {
    PyObject *rusage_type;
};

#include "resource.bind.h"

static PyStructSequence_Field rusage_fields[] = {
    {"ru_utime", "user time used"},
    {"ru_stime", "system time used"},
    {"ru_maxrss", "max. resident set size"},
    {"ru_ixrss", "shared memory size"},
    {"ru_idrss", "unshared data size"},
    {"ru_isrss", "unshared stack size"},
    {"ru_minflt", "page faults not requiring I/O"},
    {"ru_majflt", "page faults requiring I/O"},
    {"ru_nswap", "number of swap outs"},
    {"ru_inblock", "block input operations"},
    {"ru_oublock", "block output operations"},
    {"ru_msgsnd", "IPC messages sent"},
    {"ru_msgrcv", "IPC messages received"},
    {"ru_nsignals", "signals received"},
    {"ru_nvcsw", "voluntary context switches"},
    {"ru_nivcsw", "involuntary context switches"},
    {NULL, NULL},
};

static PyStructSequence_Desc rusage_desc = {
    "resource.struct_rusage",
    "What getrusage() returns.",
    rusage_fields,
    16,
};

static PyObject *resources_getrusage(PyObject *module, int who)
{
    struct rusage used;
    if (getrusage(who, &used) < 0) {
        if (errno == EINVAL) {
            PyErr_SetString(PyExc_ValueError, "invalid who parameter");
        } else {
            PyErr_SetFromErrno(PyExc_OSError);
        }
        return NULL;
    }
    struct resources_state *state = PyModule_GetState(module);
    PyObject *result = PyStructSequence_New((PyTypeObject *)state->rusage_type);
    if (result == NULL) {
        return NULL;
    }
    const long numbers[] = {used.ru_maxrss,  used.ru_ixrss,  used.ru_idrss,  used.ru_isrss,
                            used.ru_minflt,  used.ru_majflt, used.ru_nswap,  used.ru_inblock,
                            used.ru_oublock, used.ru_msgsnd, used.ru_msgrcv, used.ru_nsignals,
                            used.ru_nvcsw,   used.ru_nivcsw};
    const struct timeval times[] = {used.ru_utime, used.ru_stime};
    for (int i = 0; i < 16; i++) {
        PyObject *item =
            i < 2 ? PyFloat_FromDouble((double)times[i].tv_sec + (double)times[i].tv_usec * 1e-6)
                  : PyLong_FromLong(numbers[i - 2]);
        if (item == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyStructSequence_SetItem(result, i, item);
    }
    return result;
}

static bool resource_valid(int resource)
{
    if (resource < 0 || resource >= RLIM_NLIMITS) {
        PyErr_SetString(PyExc_ValueError, "invalid resource specified");
        return false;
    }
    return true;
}

static PyObject *limits_tuple(const struct rlimit *limits)
{
    return Py_BuildValue("LL", (long long)limits->rlim_cur, (long long)limits->rlim_max);
}

/* Reads (soft, hard); false with an exception. */
static bool limits_of(PyObject *arg, struct rlimit *out)
{
    PyObject *pair = PySequence_Tuple(arg);
    if (pair == NULL) {
        return false;
    }
    long long soft = -1, hard = -1;
    bool fine = PyTuple_GET_SIZE(pair) == 2;
    if (!fine) {
        PyErr_SetString(PyExc_ValueError, "expected a tuple of 2 integers");
    } else {
        long low, high;
        fine = bind_long(PyTuple_GET_ITEM(pair, 0), &low)
               && bind_long(PyTuple_GET_ITEM(pair, 1), &high);
        soft = fine ? low : -1;
        hard = fine ? high : -1;
    }
    Py_DECREF(pair);
    out->rlim_cur = (rlim_t)soft;
    out->rlim_max = (rlim_t)hard;
    return fine;
}

static void raise_limit_error(void)
{
    if (errno == EINVAL) {
        PyErr_SetString(PyExc_ValueError, "current limit exceeds maximum limit");
    } else if (errno == EPERM) {
        PyErr_SetString(PyExc_ValueError, "not allowed to raise maximum limit");
    } else {
        PyErr_SetFromErrno(PyExc_OSError);
    }
}

static PyObject *resources_getrlimit(PyObject *Py_UNUSED(module), int resource)
{
    struct rlimit limits;
    if (!resource_valid(resource)) {
        return NULL;
    }
    if (getrlimit((__rlimit_resource_t)resource, &limits) < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return limits_tuple(&limits);
}

static int resources_setrlimit(PyObject *Py_UNUSED(module), int resource, PyObject *arg)
{
    struct rlimit limits;
    if (!resource_valid(resource) || !limits_of(arg, &limits)) {
        return -1;
    }
    if (setrlimit((__rlimit_resource_t)resource, &limits) < 0) {
        raise_limit_error();
        return -1;
    }
    return 0;
}

static PyObject *resources_prlimit(PyObject *Py_UNUSED(module), int pid, int resource,
                                   PyObject *arg)
{
    struct rlimit old, new;
    if (!resource_valid(resource) || (arg != Py_None && !limits_of(arg, &new))) {
        return NULL;
    }
    if (prlimit(pid, (__rlimit_resource_t)resource, arg == Py_None ? NULL : &new, &old) < 0) {
        if (errno == EINVAL) {
            PyErr_SetString(PyExc_ValueError, "current limit exceeds maximum limit");
        } else {
            PyErr_SetFromErrno(PyExc_OSError);
        }
        return NULL;
    }
    return limits_tuple(&old);
}

static int resources_getpagesize(PyObject *Py_UNUSED(module))
{
    return (int)sysconf(_SC_PAGESIZE);
}

static const struct constant resource_constants[] = {
    CONSTANT(RLIMIT_AS),       CONSTANT(RLIMIT_CORE),           CONSTANT(RLIMIT_CPU),
    CONSTANT(RLIMIT_DATA),     CONSTANT(RLIMIT_FSIZE),          CONSTANT(RLIMIT_MEMLOCK),
    CONSTANT(RLIMIT_MSGQUEUE), CONSTANT(RLIMIT_NICE),           CONSTANT(RLIMIT_NOFILE),
    CONSTANT(RLIMIT_NPROC),    {"RLIMIT_OFILE", RLIMIT_NOFILE}, CONSTANT(RLIMIT_RSS),
    CONSTANT(RLIMIT_RTPRIO),   CONSTANT(RLIMIT_RTTIME),         CONSTANT(RLIMIT_SIGPENDING),
    CONSTANT(RLIMIT_STACK),    CONSTANT(RUSAGE_CHILDREN),       CONSTANT(RUSAGE_SELF),
    CONSTANT(RUSAGE_THREAD),
};

static int resources_exec(PyObject *module)
{
    struct resources_state *state = PyModule_GetState(module);
    state->rusage_type = (PyObject *)PyStructSequence_NewType(&rusage_desc);
    if (state->rusage_type == NULL
        || PyModule_AddType(module, (PyTypeObject *)state->rusage_type) < 0
        || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0
        || PyModule_AddIntConstant(module, "RLIM_INFINITY", (long)RLIM_INFINITY) < 0) {
        return -1;
    }
    return module_constants(module, resource_constants, Py_ARRAY_LENGTH(resource_constants));
}

STATE_OBJECTS(resources)

static PyModuleDef_Slot resources_slots[] = MODULE_SLOTS(resources_exec);

static PyModuleDef resources_module = {
    PyModuleDef_HEAD_INIT,          .m_name = "resource",       .m_doc = resources_doc,
    .m_methods = resources_methods, .m_slots = resources_slots, STATE_FIELDS(resources),
};

MODULE_INIT(resource, resources_module)
