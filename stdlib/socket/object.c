/* The type socket: making, waiting, connecting, moving bytes.  What goes along with bytes is in
 * message.c. */
#include "socket.h"

#include <math.h>
#include <sys/ioctl.h>

#include "socket.bind.h"

static const int closed = -1;

/* ---- waiting -------------------------------------------------------------------------------- */

/* What is left of the time; negative if there is no end to it. */
static PyTime_t patience_left(struct patience *patience)
{
    if (patience->timeout < 0) {
        return -1;
    }
    PyTime_t now;
    (void)PyTime_MonotonicRaw(&now);
    if (patience->deadline == 0) {
        bool never = __builtin_add_overflow(now, patience->timeout, &patience->deadline);
        if (never) {
            patience->deadline = INT64_MAX;
        }
    }
    return Py_MAX(patience->deadline - now, 0);
}

int socket_wait(struct socket *self, short events, struct patience *patience)
{
    for (;;) {
        struct pollfd file = {socket_fd(self), events, 0};
        if (file.fd < 0) {
            return 1; /* closed meanwhile: the call itself will say so */
        }
        PyTime_t left = patience_left(patience);
        struct timespec time = {left / 1000000000, left % 1000000000};
        int rc = BLOCKING(ppoll(&file, 1, left < 0 ? NULL : &time, NULL));
        if (rc >= 0) {
            return rc > 0;
        }
        if (errno != EINTR) {
            self->raise();
            return -1;
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

static void raise_timeout(void)
{
    PyErr_SetString(PyExc_TimeoutError, "timed out");
}

bool socket_again(struct socket *self, short events, struct patience *patience)
{
    if (errno == EINTR) {
        return PyErr_CheckSignals() == 0;
    }
    if (patience->timeout <= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        self->raise();
        return false;
    }
    int ready = socket_wait(self, events, patience);
    if (ready == 0) {
        raise_timeout();
    }
    return ready > 0;
}

/* ---- timeouts ------------------------------------------------------------------------------- */

bool timeout_read(PyObject *arg, PyTime_t *out)
{
    *out = -1;
    if (arg == Py_None) {
        return true;
    }
    if (PyFloat_Check(arg)) {
        double value = PyFloat_AS_DOUBLE(arg);
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return false;
        }
        value = value < 0.0 ? floor(value * 1e9) : ceil(value * 1e9);
        if (!(fabs(value) < 9.2e18)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return false;
        }
        *out = (PyTime_t)value;
    } else {
        long long seconds;
        bool fine = bind_longlong(arg, &seconds);
        if (!fine && !PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return false;
        }
        if (!fine || __builtin_mul_overflow(seconds, 1000000000LL, out)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
            return false;
        }
    }
    if (*out < 0) {
        PyErr_SetString(PyExc_ValueError, "Timeout value out of range");
        return false;
    }
    return true;
}

PyObject *timeout_make(PyTime_t timeout)
{
    return timeout < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)timeout / 1e9);
}

int fd_set_blocking(int fd, bool blocking)
{
    int nonblocking = !blocking;
    if (ioctl(fd, FIONBIO, &nonblocking) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

static int socket_wait_for(struct socket *self, PyTime_t timeout)
{
    __atomic_store_n(&self->timeout, timeout, __ATOMIC_RELAXED);
    return fd_set_blocking(socket_fd(self), timeout < 0);
}

int socket_setblocking(struct socket *self, int flag)
{
    return socket_wait_for(self, flag ? -1 : 0);
}

int socket_getblocking(struct socket *self)
{
    return socket_timeout(self) != 0;
}

int socket_settimeout(struct socket *self, PyObject *arg)
{
    PyTime_t timeout;
    return timeout_read(arg, &timeout) ? socket_wait_for(self, timeout) : -1;
}

PyObject *socket_gettimeout(struct socket *self)
{
    return timeout_make(socket_timeout(self));
}

PyObject *socket_get_timeout(struct socket *self)
{
    return timeout_make(socket_timeout(self));
}

/* ---- making --------------------------------------------------------------------------------- */

static PyObject *raise_errno(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

static int fail(void)
{
    raise_errno();
    return -1;
}

static PyObject *socket_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    struct socket *self = type_make(type);
    if (self != NULL) {
        self->fd = closed;
        self->timeout = -1;
        self->raise = raise_errno;
    }
    return (PyObject *)self;
}

/* Gives the object its descriptor (owned by the caller until this succeeds). */
static int socket_adopt(struct socket *self, int fd, int family, int type, int protocol)
{
    struct socket_state *state = self->state;
    PyTime_t timeout = __atomic_load_n(&state->default_timeout, __ATOMIC_RELAXED);
    if (type & SOCK_NONBLOCK) {
        timeout = 0;
    } else if (timeout >= 0 && fd_set_blocking(fd, false) < 0) {
        return -1;
    }
    self->family = family;
    self->type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    self->protocol = protocol;
    __atomic_store_n(&self->timeout, timeout, __ATOMIC_RELAXED);
    __atomic_store_n(&self->fd, fd, __ATOMIC_RELAXED);
    return 0;
}

static bool option_read(int fd, int option, int *value)
{
    socklen_t size = sizeof *value;
    if (getsockopt(fd, SOL_SOCKET, option, value, &size) < 0) {
        raise_errno();
        return false;
    }
    return true;
}

/* Takes over a descriptor; what was not given (-1) is asked of the system. */
static int socket_init_from(struct socket *self, PyObject *fileno, int family, int type,
                            int protocol)
{
    int fd;
    if (!bind_int(fileno, &fd)) {
        return -1;
    }
    if (fd < 0) {
        PyErr_SetString(PyExc_ValueError, "negative file descriptor");
        return -1;
    }
    union address address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, &address.any, &length) < 0) {
        if (family == -1 || errno == EBADF || errno == ENOTSOCK) {
            return fail();
        }
    } else if (family == -1) {
        family = address.any.sa_family;
    }
    if ((type == -1 && !option_read(fd, SO_TYPE, &type))
        || (protocol == -1 && !option_read(fd, SO_PROTOCOL, &protocol))) {
        return -1;
    }
    return socket_adopt(self, fd, family, type, protocol);
}

int socket_init(struct socket *self, int family, int type, int protocol, PyObject *fileno)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &net_module);
    if (module == NULL) {
        return -1;
    }
    self->state = state_of(module);
    if (PySys_Audit("socket.__new__", "Oiii", self, family, type, protocol) < 0) {
        return -1;
    }
    if (fileno != NULL && fileno != Py_None) {
        return socket_init_from(self, fileno, family, type, protocol);
    }
    family = family == -1 ? AF_INET : family;
    type = type == -1 ? SOCK_STREAM : type;
    protocol = protocol == -1 ? 0 : protocol;
    int fd = BLOCKING(socket(family, type | SOCK_CLOEXEC, protocol));
    if (fd < 0) {
        return fail();
    }
    if (socket_adopt(self, fd, family, type, protocol) < 0) {
        close(fd);
        return -1;
    }
    return 0;
}

PyObject *net_socketpair(PyObject *module, int family, int type, int protocol)
{
    struct socket_state *state = state_of(module);
    int fds[2];
    if (BLOCKING(socketpair(family, type | SOCK_CLOEXEC, protocol, fds)) < 0) {
        return raise_errno();
    }
    PyObject *ends[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++) {
        struct socket *end =
            (struct socket *)socket_new((PyTypeObject *)state->socket_type, NULL, NULL);
        if (end == NULL) {
            break;
        }
        ends[i] = (PyObject *)end;
        end->state = state;
        if (socket_adopt(end, fds[i], family, type, protocol) < 0) {
            break;
        }
        fds[i] = closed;
    }
    PyObject *pair = fds[1] == closed ? PyTuple_Pack(2, ends[0], ends[1]) : NULL;
    for (int i = 0; i < 2; i++) {
        if (fds[i] != closed) {
            close(fds[i]);
        }
        Py_XDECREF(ends[i]);
    }
    return pair;
}

/* ---- the end -------------------------------------------------------------------------------- */

int socket_detach(struct socket *self)
{
    return __atomic_exchange_n(&self->fd, closed, __ATOMIC_RELAXED);
}

int socket_close(struct socket *self)
{
    int fd = socket_detach(self);
    /* A peer that has reset the connection leaves nothing to be done by us. */
    return fd != closed && fd_close(fd) < 0 && errno != ECONNRESET ? fail() : 0;
}

int socket_fileno(struct socket *self)
{
    return socket_fd(self);
}

static void socket_finalize(PyObject *op)
{
    struct socket *self = (struct socket *)op;
    if (socket_fd(self) == closed) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (PyErr_ResourceWarning(op, 1, "unclosed %R", self) < 0) {
        if (PyErr_ExceptionMatches(PyExc_Warning)) {
            PyErr_WriteUnraisable(op);
        } else {
            PyErr_Clear();
        }
    }
    int fd = socket_detach(self);
    if (fd != closed) {
        fd_close(fd);
    }
    PyErr_SetRaisedException(raised);
}

static int socket_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void socket_dealloc(PyObject *op)
{
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *socket_repr(PyObject *op)
{
    struct socket *self = (struct socket *)op;
    return PyUnicode_FromFormat("<socket object, fd=%d, family=%d, type=%d, proto=%d>",
                                socket_fd(self), self->family, self->type, self->protocol);
}

/* ---- addresses and connecting --------------------------------------------------------------- */

/* Reads an address and raises the audit event for what is to be done with it. */
static bool address_for(struct socket *self, PyObject *arg, const char *caller, const char *event,
                        union address *out, socklen_t *length)
{
    return address_read(self, arg, caller, out, length) && PySys_Audit(event, "OO", self, arg) >= 0;
}

int socket_bind(struct socket *self, PyObject *arg)
{
    union address address;
    socklen_t length;
    if (!address_for(self, arg, "bind", "socket.bind", &address, &length)) {
        return -1;
    }
    return BLOCKING(bind(socket_fd(self), &address.any, length)) < 0 ? fail() : 0;
}

/* Connects: 0 or an error number, or -1 with an exception. */
static int connect_to(struct socket *self, const union address *address, socklen_t length)
{
    struct patience patience = PATIENCE(self);
    int fd = socket_fd(self);
    if (BLOCKING(connect(fd, &address->any, length)) == 0) {
        return 0;
    }
    int error = errno;
    if (error == EINTR) {
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
        if (patience.timeout == 0) {
            return error;
        }
    } else if (error != EINPROGRESS || patience.timeout <= 0) {
        return error;
    }
    /* The system goes on connecting; its outcome is an option of the socket. */
    int ready = socket_wait(self, POLLOUT, &patience);
    if (ready <= 0) {
        return ready < 0 ? -1 : EWOULDBLOCK;
    }
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
        return errno;
    }
    return error == EISCONN ? 0 : error;
}

int socket_connect(struct socket *self, PyObject *arg)
{
    union address address;
    socklen_t length;
    if (!address_for(self, arg, "connect", "socket.connect", &address, &length)) {
        return -1;
    }
    int error = connect_to(self, &address, length);
    if (error == EWOULDBLOCK && socket_timeout(self) > 0) {
        raise_timeout();
        return -1;
    }
    errno = error;
    return error > 0 ? fail() : error;
}

PyObject *socket_connect_ex(struct socket *self, PyObject *arg)
{
    union address address;
    socklen_t length;
    if (!address_for(self, arg, "connect_ex", "socket.connect", &address, &length)) {
        return NULL;
    }
    int error = connect_to(self, &address, length);
    return error < 0 ? NULL : PyLong_FromLong(error);
}

PyObject *socket_accept(struct socket *self)
{
    struct patience patience = PATIENCE(self);
    if (patience.timeout > 0) {
        int ready = socket_wait(self, POLLIN, &patience);
        if (ready <= 0) {
            if (ready == 0) {
                raise_timeout();
            }
            return NULL;
        }
    }
    union address address = {0};
    socklen_t length = sizeof address;
    int fd = SOCKET_CALL(
        self, POLLIN, &patience,
        (length = sizeof address, accept4(socket_fd(self), &address.any, &length, SOCK_CLOEXEC)));
    if (fd < 0) {
        return NULL;
    }
    PyObject *from = address_make(&address, length, self->protocol);
    PyObject *pair = from ? Py_BuildValue("iN", fd, from) : NULL;
    if (pair == NULL) {
        fd_close(fd);
    }
    return pair;
}

static PyObject *name_of(struct socket *self, int (*call)(int, struct sockaddr *, socklen_t *))
{
    union address address = {0};
    socklen_t length = sizeof address;
    if (BLOCKING(call(socket_fd(self), &address.any, &length)) < 0) {
        return raise_errno();
    }
    return address_make(&address, length, self->protocol);
}

static int own_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getsockname(fd, address, length);
}

static int other_name(int fd, struct sockaddr *address, socklen_t *length)
{
    return getpeername(fd, address, length);
}

PyObject *socket_getsockname(struct socket *self)
{
    return name_of(self, own_name);
}

PyObject *socket_getpeername(struct socket *self)
{
    return name_of(self, other_name);
}

int socket_listen(struct socket *self, int backlog)
{
    return BLOCKING(listen(socket_fd(self), Py_MAX(backlog, 0))) < 0 ? fail() : 0;
}

int socket_shutdown(struct socket *self, int how)
{
    return BLOCKING(shutdown(socket_fd(self), how)) < 0 ? fail() : 0;
}

/* ---- options -------------------------------------------------------------------------------- */

enum { OPTION_MAX = 1024 };

PyObject *socket_getsockopt(struct socket *self, int level, int option, int length)
{
    int fd = socket_fd(self);
    if (length == 0 && self->family == AF_VSOCK) {
        uint64_t value = 0;
        socklen_t size = sizeof value;
        return getsockopt(fd, level, option, &value, &size) < 0
                   ? raise_errno()
                   : PyLong_FromUnsignedLongLong(value);
    }
    if (length == 0) {
        int value = 0;
        socklen_t size = sizeof value;
        return getsockopt(fd, level, option, &value, &size) < 0 ? raise_errno()
                                                                : PyLong_FromLong(value);
    }
    if (length < 0 || length > OPTION_MAX) {
        PyErr_SetString(PyExc_OSError, "getsockopt buflen out of range");
        return NULL;
    }
    char value[OPTION_MAX];
    socklen_t size = (socklen_t)length;
    return getsockopt(fd, level, option, value, &size) < 0 ? raise_errno()
                                                           : PyBytes_FromStringAndSize(value, size);
}

/* Sets an option to an int, if it is one that fits: 1, or 0 if `value` is something else. */
static int option_from_int(struct socket *self, int level, int option, PyObject *value, int *rc)
{
    if (!PyLong_Check(value) && !PyIndex_Check(value)) {
        return 0;
    }
    if (self->family == AF_VSOCK) {
        uint64_t wide = PyLong_AsUnsignedLongLongMask(value);
        if (!PyErr_Occurred()) {
            *rc = setsockopt(socket_fd(self), level, option, &wide, sizeof wide);
            return 1;
        }
    }
    PyErr_Clear();
    int number;
    if (bind_int(value, &number)) {
        *rc = setsockopt(socket_fd(self), level, option, &number, sizeof number);
        return 1;
    }
    PyErr_Clear();
    return 0;
}

PyObject *socket_setsockopt(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    struct socket *self = (struct socket *)op;
    bool empty = count == 4 && args[2] == Py_None;
    if (count != 3 && !empty) {
        PyErr_Format(PyExc_TypeError, "setsockopt() takes exactly 3 arguments (%zd given)", count);
        return NULL;
    }
    int level, option, rc;
    unsigned int length;
    if (!bind_int(args[0], &level) || !bind_int(args[1], &option)
        || (empty && !bind_uint_mask(args[3], &length))) {
        return NULL;
    }
    if (empty) {
        rc = setsockopt(socket_fd(self), level, option, NULL, (socklen_t)length);
    } else if (!option_from_int(self, level, option, args[2], &rc)) {
        Py_buffer value;
        if (!bind_buffer(args[2], &value)) {
            return NULL;
        }
        if (value.len > INT_MAX) {
            PyErr_Format(PyExc_OverflowError, "socket option is larger than %i bytes", INT_MAX);
            PyBuffer_Release(&value);
            return NULL;
        }
        rc = setsockopt(socket_fd(self), level, option, value.buf, (socklen_t)value.len);
        int error = errno;
        PyBuffer_Release(&value);
        errno = error;
    }
    return rc < 0 ? raise_errno() : Py_NewRef(Py_None);
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* Receives into memory, with the sender's address if `address` is not NULL.  -1 with an exception. */
static Py_ssize_t receive(struct socket *self, void *to, Py_ssize_t size, int flags,
                          union address *address, socklen_t *length)
{
    if (size == 0 && address == NULL) {
        return 0;
    }
    struct patience patience = PATIENCE(self);
    flags = socket_flags(&patience, flags);
    if (address == NULL) {
        return SOCKET_CALL(self, POLLIN, &patience, recv(socket_fd(self), to, (size_t)size, flags));
    }
    memset(address, 0, sizeof *address);
    return SOCKET_CALL(self, POLLIN, &patience,
                       (*length = sizeof *address,
                        recvfrom(socket_fd(self), to, (size_t)size, flags, &address->any, length)));
}

/* New bytes with what is received; bytes longer than this get a temporary place only as they come. */
static PyObject *receive_bytes(struct socket *self, Py_ssize_t size, int flags,
                               union address *address, socklen_t *length)
{
    char small[2048];
    if (size <= (Py_ssize_t)sizeof small) {
        Py_ssize_t got = receive(self, small, size, flags, address, length);
        return got < 0 ? NULL : PyBytes_FromStringAndSize(small, got);
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t got = receive(self, PyBytes_AS_STRING(bytes), size, flags, address, length);
    if (got < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    if (got < size) {
        (void)_PyBytes_Resize(&bytes, got);
    }
    return bytes;
}

PyObject *socket_recv(struct socket *self, Py_ssize_t size, int flags)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recv");
        return NULL;
    }
    return receive_bytes(self, size, flags, NULL, NULL);
}

PyObject *socket_recvfrom(struct socket *self, Py_ssize_t size, int flags)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffersize in recvfrom");
        return NULL;
    }
    union address address;
    socklen_t length;
    PyObject *bytes = receive_bytes(self, size, flags, &address, &length);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *from = address_make(&address, length, self->protocol);
    if (from == NULL) {
        Py_DECREF(bytes);
        return NULL;
    }
    return Py_BuildValue("NN", bytes, from);
}

/* How many bytes to receive into a buffer, -1 with an exception. */
static Py_ssize_t room_in(const Py_buffer *buffer, Py_ssize_t size, const char *negative,
                          const char *too_small)
{
    if (size < 0 || size > buffer->len) {
        PyErr_SetString(PyExc_ValueError, size < 0 ? negative : too_small);
        return -1;
    }
    return size ? size : buffer->len;
}

PyObject *socket_recv_into(struct socket *self, Py_buffer *buffer, Py_ssize_t size, int flags)
{
    size = room_in(buffer, size, "negative buffersize in recv_into",
                   "buffer too small for requested bytes");
    Py_ssize_t got = size < 0 ? -1 : receive(self, buffer->buf, size, flags, NULL, NULL);
    return got < 0 ? NULL : PyLong_FromSsize_t(got);
}

PyObject *socket_recvfrom_into(struct socket *self, Py_buffer *buffer, Py_ssize_t size, int flags)
{
    size = room_in(buffer, size, "negative buffersize in recvfrom_into",
                   "nbytes is greater than the length of the buffer");
    union address address;
    socklen_t length;
    Py_ssize_t got = size < 0 ? -1 : receive(self, buffer->buf, size, flags, &address, &length);
    PyObject *from = got < 0 ? NULL : address_make(&address, length, self->protocol);
    return from ? Py_BuildValue("nN", got, from) : NULL;
}

/* ---- sending -------------------------------------------------------------------------------- */

PyObject *socket_send(struct socket *self, Py_buffer *data, int flags)
{
    struct patience patience = PATIENCE(self);
    flags = socket_flags(&patience, flags);
    Py_ssize_t sent = SOCKET_CALL(self, POLLOUT, &patience,
                                  send(socket_fd(self), data->buf, (size_t)data->len, flags));
    return sent < 0 ? NULL : PyLong_FromSsize_t(sent);
}

int socket_sendall(struct socket *self, Py_buffer *data, int flags)
{
    struct patience patience = PATIENCE(self); /* for all of it together */
    flags = socket_flags(&patience, flags);
    const char *from = data->buf;
    size_t left = (size_t)data->len;
    do {
        Py_ssize_t sent =
            SOCKET_CALL(self, POLLOUT, &patience, send(socket_fd(self), from, left, flags));
        if (sent < 0) {
            return -1;
        }
        from += sent;
        left -= (size_t)sent;
        if (left > 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
        if (left > 0 && patience.timeout > 0 && patience_left(&patience) == 0) {
            raise_timeout();
            return -1;
        }
    } while (left > 0);
    return 0;
}

PyObject *socket_sendto(PyObject *op, PyObject *const *args, Py_ssize_t count)
{
    struct socket *self = (struct socket *)op;
    if (count != 2 && count != 3) {
        PyErr_Format(PyExc_TypeError, "sendto() takes 2 or 3 arguments (%zd given)", count);
        return NULL;
    }
    Py_buffer data;
    int flags = 0;
    union address address;
    socklen_t length;
    if (!bind_buffer(args[0], &data)) {
        return NULL;
    }
    Py_ssize_t sent = -1;
    if ((count == 2 || bind_int(args[1], &flags))
        && address_for(self, args[count - 1], "sendto", "socket.sendto", &address, &length)) {
        struct patience patience = PATIENCE(self);
        flags = socket_flags(&patience, flags);
        sent = SOCKET_CALL(
            self, POLLOUT, &patience,
            sendto(socket_fd(self), data.buf, (size_t)data.len, flags, &address.any, length));
    }
    PyBuffer_Release(&data);
    return sent < 0 ? NULL : PyLong_FromSsize_t(sent);
}

/* ---- the type ------------------------------------------------------------------------------- */

static PyType_Slot socket_slots[] = {
    {Py_tp_dealloc, socket_dealloc},
    {Py_tp_traverse, socket_traverse},
    {Py_tp_finalize, socket_finalize},
    {Py_tp_repr, socket_repr},
    {Py_tp_doc, (void *)socket_doc},
    {Py_tp_methods, socket_methods},
    {Py_tp_members, socket_members},
    {Py_tp_getset, socket_getset},
    {Py_tp_init, bind_socket_init},
    {Py_tp_new, socket_new},
    {0, NULL},
};

PyType_Spec socket_spec = {
    "_socket.socket",
    sizeof(struct socket),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    socket_slots,
};
