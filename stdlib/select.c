/* The module select. */
#include "module.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <unistd.h>

struct poll {
    PyObject_HEAD
    PyObject *events; /* dict: fd -> event mask */
    bool polling;
};

struct epoll {
    PyObject_HEAD
    int fd; /* -1: closed */
};

struct selecting_state {
    PyObject *poll_type, *epoll_type;
};

#include "select.bind.h"

/* ---- time ----------------------------------------------------------------------------------- */

static const PyTime_t forever = -1;

/* A timeout in units of `unit` nanoseconds, as nanoseconds rounded up; negative numbers stay
 * negative.  False with an exception. */
static bool timeout_of(PyObject *arg, double unit, const char *complaint, PyTime_t *out)
{
    double value;
    if (PyFloat_Check(arg)) {
        value = PyFloat_AS_DOUBLE(arg);
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return false;
        }
    } else {
        if (!PyIndex_Check(arg)) {
            PyErr_SetString(PyExc_TypeError, complaint);
            return false;
        }
        long long whole;
        if (!bind_longlong(arg, &whole)) {
            return false;
        }
        value = (double)whole;
    }
    value = value < 0.0 ? floor(value * unit) : ceil(value * unit);
    if (!(fabs(value) < 9.2e18)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return false;
    }
    *out = (PyTime_t)value;
    return true;
}

static PyTime_t now(void)
{
    PyTime_t time;
    (void)PyTime_MonotonicRaw(&time);
    return time;
}

/* What is left until the deadline, forever if there is none. */
static PyTime_t time_left(PyTime_t timeout, PyTime_t deadline)
{
    return timeout < 0 ? forever : Py_MAX(deadline - now(), 0);
}

/* After an interrupted call: whether to go on; otherwise a signal handler raised. */
static bool go_on(void)
{
    return PyErr_CheckSignals() == 0;
}

/* ---- select --------------------------------------------------------------------------------- */

struct files {
    PyObject *list; /* a sequence as PySequence_Fast made it */
    int fd[FD_SETSIZE];
    PyObject *object[FD_SETSIZE]; /* new references */
    int count;
    fd_set wanted, ready;
};

/* Reads the files of a sequence; the highest fd so far in *most.  False with an exception. */
static bool files_read(struct files *files, PyObject *sequence, int *most)
{
    files->count = 0;
    FD_ZERO(&files->wanted);
    files->list = PySequence_Fast(sequence, "arguments 1-3 must be sequences");
    if (files->list == NULL) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(files->list); i++) {
        PyObject *file = Py_NewRef(PySequence_Fast_GET_ITEM(files->list, i));
        int fd = PyObject_AsFileDescriptor(file);
        if (fd >= FD_SETSIZE) {
            PyErr_SetString(PyExc_ValueError, "filedescriptor out of range in select()");
        } else if (fd >= 0 && files->count >= FD_SETSIZE) {
            PyErr_SetString(PyExc_ValueError, "too many file descriptors in select()");
        }
        if (fd < 0 || PyErr_Occurred()) {
            Py_DECREF(file);
            return false;
        }
        FD_SET(fd, &files->wanted);
        *most = Py_MAX(*most, fd);
        files->fd[files->count] = fd;
        files->object[files->count++] = file;
    }
    return true;
}

static PyObject *files_ready(struct files *files)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < files->count; i++) {
        if (FD_ISSET(files->fd[i], &files->ready) && PyList_Append(list, files->object[i]) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static void files_drop(struct files *files)
{
    for (int i = 0; i < files->count; i++) {
        Py_DECREF(files->object[i]);
    }
    Py_CLEAR(files->list);
}

/* The number of files that are ready, or -1 with an exception. */
static int select_wait(struct files sets[3], int most, PyTime_t timeout)
{
    PyTime_t deadline = timeout < 0 ? 0 : now() + timeout;
    for (;;) {
        PyTime_t left = time_left(timeout, deadline);
        struct timeval tv = {left / 1000000000, (left % 1000000000 + 999) / 1000};
        if (tv.tv_usec == 1000000) {
            tv.tv_sec++;
            tv.tv_usec = 0;
        }
        for (int i = 0; i < 3; i++) {
            sets[i].ready = sets[i].wanted;
        }
        int result, error;
        Py_BEGIN_ALLOW_THREADS result =
            select(most + 1, &sets[0].ready, &sets[1].ready, &sets[2].ready, left < 0 ? NULL : &tv);
        error = errno;
        Py_END_ALLOW_THREADS if (result == 0)
        { /* what select leaves in the sets then is not defined */
            for (int i = 0; i < 3; i++) {
                FD_ZERO(&sets[i].ready);
            }
        }
        if (result >= 0) {
            return result;
        }
        if (error != EINTR) {
            errno = error;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (!go_on()) {
            return -1;
        }
    }
}

static PyObject *selecting_select(PyObject *Py_UNUSED(module), PyObject *rlist, PyObject *wlist,
                                  PyObject *xlist, PyObject *timeout)
{
    PyTime_t wait = forever;
    if (timeout != Py_None) {
        if (!PyFloat_Check(timeout) && !PyIndex_Check(timeout)) {
            PyErr_SetString(PyExc_TypeError, "timeout must be a float or None");
            return NULL;
        }
        if (!timeout_of(timeout, 1e9, "timeout must be a float or None", &wait)) {
            return NULL;
        }
        if (wait < 0) {
            PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
            return NULL;
        }
    }
    struct files *sets = PyMem_Calloc(3, sizeof *sets);
    if (sets == NULL) {
        return PyErr_NoMemory();
    }
    int most = -1;
    PyObject *result = NULL;
    if (files_read(&sets[0], rlist, &most) && files_read(&sets[1], wlist, &most)
        && files_read(&sets[2], xlist, &most) && select_wait(sets, most, wait) >= 0) {
        PyObject *lists[3];
        for (int i = 0; i < 3; i++) {
            lists[i] = files_ready(&sets[i]);
        }
        if (lists[0] != NULL && lists[1] != NULL && lists[2] != NULL) {
            result = PyTuple_Pack(3, lists[0], lists[1], lists[2]);
        }
        for (int i = 0; i < 3; i++) {
            Py_XDECREF(lists[i]);
        }
    }
    for (int i = 0; i < 3; i++) {
        files_drop(&sets[i]);
    }
    PyMem_Free(sets);
    return result;
}

/* ---- poll ----------------------------------------------------------------------------------- */

static PyObject *selecting_poll(PyObject *module)
{
    struct selecting_state *state = PyModule_GetState(module);
    PyObject *events = PyDict_New();
    struct poll *self = events ? type_make((PyTypeObject *)state->poll_type) : NULL;
    if (self == NULL) {
        Py_XDECREF(events);
        return NULL;
    }
    self->events = events;
    return (PyObject *)self;
}

static int poll_set(struct poll *self, int fd, unsigned short mask, bool must_exist)
{
    PyObject *key = PyLong_FromLong(fd), *value = PyLong_FromLong(mask);
    int there = !must_exist ? 1 : key ? PyDict_Contains(self->events, key) : -1;
    int rc = -1;
    if (there == 0) {
        errno = ENOENT;
        PyErr_SetFromErrno(PyExc_OSError);
    } else if (there > 0 && key != NULL && value != NULL) {
        rc = PyDict_SetItem(self->events, key, value);
    }
    Py_XDECREF(key);
    Py_XDECREF(value);
    return rc;
}

static int poll_register(struct poll *self, int fd, unsigned short mask)
{
    return poll_set(self, fd, mask, false);
}

static int poll_modify(struct poll *self, int fd, unsigned short mask)
{
    return poll_set(self, fd, mask, true);
}

static int poll_unregister(struct poll *self, int fd)
{
    PyObject *key = PyLong_FromLong(fd);
    int rc = key ? PyDict_DelItem(self->events, key) : -1;
    Py_XDECREF(key);
    return rc;
}

/* The registered files as the system wants them (allocated); NULL with an exception. */
static struct pollfd *poll_array(struct poll *self, nfds_t *count)
{
    PyObject *items = PyDict_Items(self->events);
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyList_GET_SIZE(items);
    struct pollfd *array = PyMem_New(struct pollfd, n ? n : 1);
    if (array == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; array != NULL && i < n; i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        array[i].fd = (int)PyLong_AsLong(PyTuple_GET_ITEM(pair, 0));
        array[i].events = (short)PyLong_AsLong(PyTuple_GET_ITEM(pair, 1));
    }
    Py_DECREF(items);
    *count = (nfds_t)n;
    return array;
}

static int poll_wait(struct pollfd *array, nfds_t count, PyTime_t timeout)
{
    PyTime_t deadline = timeout < 0 ? 0 : now() + timeout;
    for (;;) {
        PyTime_t left = time_left(timeout, deadline);
        int milliseconds = left < 0 ? -1 : (int)((left + 999999) / 1000000);
        int result, error;
        Py_BEGIN_ALLOW_THREADS result = poll(array, count, milliseconds);
        error = errno;
        Py_END_ALLOW_THREADS if (result >= 0)
        {
            return result;
        }
        if (error != EINTR) {
            errno = error;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (!go_on()) {
            return -1;
        }
    }
}

/* Whether this call is the one that polls now. */
static bool poll_begin(struct poll *self)
{
    if (self->polling) {
        PyErr_SetString(PyExc_RuntimeError, "concurrent poll() invocation");
        return false;
    }
    self->polling = true;
    return true;
}

static PyObject *poll_poll(struct poll *self, PyObject *timeout)
{
    PyTime_t wait = forever;
    if (timeout != Py_None) {
        if (!timeout_of(timeout, 1e6, "timeout must be an integer or None", &wait)) {
            return NULL;
        }
        if (wait / 1000000 > INT_MAX || wait / 1000000 < INT_MIN) {
            PyErr_SetString(PyExc_OverflowError, "timeout is too large");
            return NULL;
        }
    }
    if (!LOCKED(self, poll_begin(self))) {
        return NULL;
    }
    nfds_t count = 0;
    struct pollfd *array = poll_array(self, &count);
    int ready = array ? poll_wait(array, count, wait) : -1;
    PyObject *list = ready >= 0 ? PyList_New(0) : NULL;
    for (nfds_t i = 0; list != NULL && i < count && ready > 0; i++) {
        if (array[i].revents == 0) {
            continue;
        }
        ready--;
        PyObject *pair = Py_BuildValue("ii", array[i].fd, (int)array[i].revents & 0xffff);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    PyMem_Free(array);
    (void)LOCKED(self, (self->polling = false));
    return list;
}

static void poll_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(((struct poll *)op)->events);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot poll_slots[] = {
    {Py_tp_dealloc, poll_dealloc},
    {Py_tp_methods, poll_methods},
    {0, NULL},
};

static PyType_Spec poll_spec = {
    "select.poll", sizeof(struct poll), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    poll_slots,
};

/* ---- epoll ---------------------------------------------------------------------------------- */

static bool epoll_is_open(struct epoll *self)
{
    if (self->fd < 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed epoll object");
        return false;
    }
    return true;
}

static PyObject *epoll_make(PyTypeObject *type, int fd)
{
    struct epoll *self = type_make(type);
    if (self == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    self->fd = fd;
    return (PyObject *)self;
}

static PyObject *epoll_new(PyTypeObject *type, int sizehint, int flags)
{
    if (sizehint != -1 && sizehint <= 0) {
        PyErr_SetString(PyExc_ValueError, "negative sizehint");
        return NULL;
    }
    if (flags != 0 && flags != EPOLL_CLOEXEC) {
        PyErr_SetString(PyExc_OSError, "invalid flags");
        return NULL;
    }
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? PyErr_SetFromErrno(PyExc_OSError) : epoll_make(type, fd);
}

static PyObject *epoll_fromfd(PyTypeObject *type, int fd)
{
    return epoll_make(type, fd);
}

static int epoll_close(struct epoll *self)
{
    int fd = LOCKED(self, __extension__({
                        int was = self->fd;
                        self->fd = -1;
                        was;
                    }));
    int rc = 0;
    if (fd >= 0) {
        Py_BEGIN_ALLOW_THREADS rc = close(fd);
        Py_END_ALLOW_THREADS if (rc < 0)
        {
            PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    return rc;
}

static int epoll_fileno(struct epoll *self)
{
    return epoll_is_open(self) ? self->fd : -1;
}

static int epoll_get_closed(struct epoll *self)
{
    return self->fd < 0;
}

static int epoll_control(struct epoll *self, int operation, int fd, unsigned int mask)
{
    if (!epoll_is_open(self)) {
        return -1;
    }
    struct epoll_event event = {.events = mask, .data.fd = fd};
    int rc;
    Py_BEGIN_ALLOW_THREADS rc = epoll_ctl(self->fd, operation, fd, &event);
    Py_END_ALLOW_THREADS if (rc < 0)
    {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return rc;
}

static int epoll_register(struct epoll *self, int fd, unsigned int mask)
{
    return epoll_control(self, EPOLL_CTL_ADD, fd, mask);
}

static int epoll_modify(struct epoll *self, int fd, unsigned int mask)
{
    return epoll_control(self, EPOLL_CTL_MOD, fd, mask);
}

static int epoll_unregister(struct epoll *self, int fd)
{
    return epoll_control(self, EPOLL_CTL_DEL, fd, 0);
}

/* The number of events, or -1 with an exception. */
static int epoll_wait_for(struct epoll *self, struct epoll_event *events, int most,
                          PyTime_t timeout)
{
    PyTime_t deadline = timeout < 0 ? 0 : now() + timeout;
    for (;;) {
        PyTime_t left = time_left(timeout, deadline);
        int milliseconds = left < 0 ? -1 : (int)((left + 999999) / 1000000);
        int result, error;
        Py_BEGIN_ALLOW_THREADS result = epoll_wait(self->fd, events, most, milliseconds);
        error = errno;
        Py_END_ALLOW_THREADS if (result >= 0)
        {
            return result;
        }
        if (error != EINTR) {
            errno = error;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (!go_on()) {
            return -1;
        }
    }
}

static PyObject *epoll_poll(struct epoll *self, PyObject *timeout, int maxevents)
{
    PyTime_t wait = forever;
    if (!epoll_is_open(self)) {
        return NULL;
    }
    if (timeout != Py_None) {
        if (!timeout_of(timeout, 1e9, "timeout must be an integer or None", &wait)) {
            return NULL;
        }
        if (wait / 1000000 > INT_MAX) {
            PyErr_SetString(PyExc_OverflowError, "timeout is too large");
            return NULL;
        }
    }
    if (maxevents == -1) {
        maxevents = FD_SETSIZE - 1;
    } else if (maxevents < 1) {
        PyErr_Format(PyExc_ValueError, "maxevents must be greater than 0, got %d", maxevents);
        return NULL;
    }
    struct epoll_event *events = PyMem_New(struct epoll_event, maxevents);
    if (events == NULL) {
        return PyErr_NoMemory();
    }
    int count = epoll_wait_for(self, events, maxevents, wait);
    PyObject *list = count >= 0 ? PyList_New(count) : NULL;
    for (int i = 0; list != NULL && i < count; i++) {
        PyObject *pair = Py_BuildValue("iI", events[i].data.fd, events[i].events);
        if (pair == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, pair);
    }
    PyMem_Free(events);
    return list;
}

static PyObject *epoll_enter(struct epoll *self)
{
    return epoll_is_open(self) ? Py_NewRef((PyObject *)self) : NULL;
}

static PyObject *epoll_exit(struct epoll *self, PyObject *Py_UNUSED(type),
                            PyObject *Py_UNUSED(value), PyObject *Py_UNUSED(traceback))
{
    return PyObject_CallMethod((PyObject *)self, "close", NULL);
}

static void epoll_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (epoll_close((struct epoll *)op) < 0) {
        PyErr_Clear();
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot epoll_slots[] = {
    {Py_tp_dealloc, epoll_dealloc},
    {Py_tp_methods, epoll_methods},
    {Py_tp_getset, epoll_getset},
    {Py_tp_doc, epoll_doc},
    {Py_tp_new, bind_epoll_new},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {0, NULL},
};

static PyType_Spec epoll_spec = {
    "select.epoll", sizeof(struct epoll), 0, Py_TPFLAGS_DEFAULT, epoll_slots,
};

/* ---- the module ----------------------------------------------------------------------------- */

static const struct constant select_constants[] = {
    CONSTANT(EPOLLERR),    CONSTANT(EPOLLET),     CONSTANT(EPOLLEXCLUSIVE), CONSTANT(EPOLLHUP),
    CONSTANT(EPOLLIN),     CONSTANT(EPOLLMSG),    CONSTANT(EPOLLONESHOT),   CONSTANT(EPOLLOUT),
    CONSTANT(EPOLLPRI),    CONSTANT(EPOLLRDBAND), CONSTANT(EPOLLRDHUP),     CONSTANT(EPOLLRDNORM),
    CONSTANT(EPOLLWRBAND), CONSTANT(EPOLLWRNORM), CONSTANT(EPOLL_CLOEXEC),
#ifdef PIPE_BUF
    CONSTANT(PIPE_BUF),
#endif
#ifdef POLLERR
    CONSTANT(POLLERR),
#endif
#ifdef POLLHUP
    CONSTANT(POLLHUP),
#endif
#ifdef POLLIN
    CONSTANT(POLLIN),
#endif
#ifdef POLLMSG
    CONSTANT(POLLMSG),
#endif
#ifdef POLLNVAL
    CONSTANT(POLLNVAL),
#endif
#ifdef POLLOUT
    CONSTANT(POLLOUT),
#endif
#ifdef POLLPRI
    CONSTANT(POLLPRI),
#endif
#ifdef POLLRDBAND
    CONSTANT(POLLRDBAND),
#endif
#ifdef POLLRDHUP
    CONSTANT(POLLRDHUP),
#endif
#ifdef POLLRDNORM
    CONSTANT(POLLRDNORM),
#endif
#ifdef POLLWRBAND
    CONSTANT(POLLWRBAND),
#endif
#ifdef POLLWRNORM
    CONSTANT(POLLWRNORM),
#endif
};

static int selecting_exec(PyObject *module)
{
    struct selecting_state *state = PyModule_GetState(module);
    state->poll_type = (PyObject *)module_type(module, &poll_spec, false);
    state->epoll_type = (PyObject *)module_type(module, &epoll_spec, true);
    if (state->poll_type == NULL || state->epoll_type == NULL
        || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0) {
        return -1;
    }
    return module_constants(module, select_constants, Py_ARRAY_LENGTH(select_constants));
}

STATE_OBJECTS(selecting)

static PyModuleDef_Slot selecting_slots[] = MODULE_SLOTS(selecting_exec);

static PyModuleDef selecting_module = {
    PyModuleDef_HEAD_INIT,          .m_name = "select",         .m_doc = selecting_doc,
    .m_methods = selecting_methods, .m_slots = selecting_slots, STATE_FIELDS(selecting),
};

MODULE_INIT(select, selecting_module)
