/* Messages of sockets: bytes from and to several buffers, with ancillary data. */
#include "socket.h"

PyObject *socket_recvmsg(struct socket *, Py_ssize_t, Py_ssize_t, int);
PyObject *socket_recvmsg_into(struct socket *, PyObject *, Py_ssize_t, int);
PyObject *socket_sendmsg(struct socket *, PyObject *, PyObject *, int, PyObject *);
PyObject *socket_sendmsg_afalg(struct socket *, PyObject *, PyObject *, PyObject *, PyObject *,
                               int);

/* ---- the sizes of items --------------------------------------------------------------------- */

/* An item of ancillary data is a header, its data, and a gap so that the next one is aligned.
 * The system's type for lengths bounds it, and `more` is what else has to fit. */
static bool item_fits(Py_ssize_t length, size_t more)
{
    return length >= 0 && (size_t)length <= INT_MAX - more;
}

PyObject *net_CMSG_LEN(PyObject *Py_UNUSED(module), Py_ssize_t length)
{
    if (!item_fits(length, CMSG_LEN(0))) {
        PyErr_SetString(PyExc_OverflowError, "CMSG_LEN() argument out of range");
        return NULL;
    }
    return PyLong_FromSize_t(CMSG_LEN((size_t)length));
}

PyObject *net_CMSG_SPACE(PyObject *Py_UNUSED(module), Py_ssize_t length)
{
    if (!item_fits(length, CMSG_SPACE(1))) {
        PyErr_SetString(PyExc_OverflowError, "CMSG_SPACE() argument out of range");
        return NULL;
    }
    return PyLong_FromSize_t(CMSG_SPACE((size_t)length));
}

/* ---- buffers -------------------------------------------------------------------------------- */

struct buffers {
    Py_buffer *view;
    struct iovec *vec;
    Py_ssize_t count;
};

static void buffers_drop(struct buffers *buffers)
{
    for (Py_ssize_t i = 0; i < buffers->count; i++) {
        PyBuffer_Release(&buffers->view[i]);
    }
    PyMem_Free(buffers->view);
    PyMem_Free(buffers->vec);
}

#define BUFFERS(name) __attribute__((cleanup(buffers_drop))) struct buffers name = {NULL, NULL, 0}

static bool writable_view(PyObject *op, Py_buffer *view)
{
    if (PyObject_GetBuffer(op, view, PyBUF_WRITABLE) == 0) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError, "recvmsg_into() argument 1 must be an iterable of "
                                     "single-segment read-write buffers");
    return false;
}

/* The buffers of an iterable.  False with an exception, and what was taken is in the struct. */
static bool buffers_read(PyObject *iterable, const char *not_iterable, const char *too_long,
                         bool (*get)(PyObject *, Py_buffer *), struct buffers *out)
{
    PyObject *list = PySequence_Fast(iterable, not_iterable);
    if (list == NULL) {
        return false;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(list);
    bool fine = false;
    if (count > INT_MAX) {
        PyErr_SetString(PyExc_OSError, too_long);
    } else {
        out->view = PyMem_New(Py_buffer, (size_t)Py_MAX(count, 1));
        out->vec = PyMem_New(struct iovec, (size_t)Py_MAX(count, 1));
        fine = out->view != NULL && out->vec != NULL;
        if (!fine) {
            PyErr_NoMemory();
        }
    }
    for (Py_ssize_t i = 0; fine && i < PySequence_Fast_GET_SIZE(list) && i < count; i++) {
        PyObject *op = Py_NewRef(PySequence_Fast_GET_ITEM(list, i));
        fine = get(op, &out->view[i]);
        Py_DECREF(op);
        if (fine) {
            out->vec[i] = (struct iovec){out->view[i].buf, (size_t)out->view[i].len};
            out->count = i + 1;
        }
    }
    Py_DECREF(list);
    return fine;
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* How many bytes of an item's data have arrived; may be fewer than its header says. */
static size_t item_size(const struct msghdr *message, const struct cmsghdr *item, bool *cut)
{
    size_t start = (size_t)((char *)CMSG_DATA(item) - (char *)message->msg_control);
    size_t there = message->msg_controllen > start ? message->msg_controllen - start : 0;
    size_t said = item->cmsg_len > CMSG_LEN(0) ? item->cmsg_len - CMSG_LEN(0) : 0;
    *cut = item->cmsg_len < CMSG_LEN(0) || said > there;
    return Py_MIN(said, there);
}

/* Whether there is at least the header of an item. */
static bool item_begins(const struct msghdr *message, const struct cmsghdr *item)
{
    size_t start = (size_t)((char *)item - (char *)message->msg_control);
    return start + offsetof(struct cmsghdr, cmsg_len) + sizeof item->cmsg_len
           <= message->msg_controllen;
}

/* Closes the descriptors that came along, as nobody will learn of them. */
static void items_close_files(struct msghdr *message)
{
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item; item = CMSG_NXTHDR(message, item)) {
        bool cut;
        size_t size = item_size(message, item, &cut);
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i + sizeof(int) <= size; i += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(item) + i, sizeof fd);
            close(fd);
        }
    }
}

/* [(level, type, bytes), ...] (new reference) */
static PyObject *items_make(struct msghdr *message)
{
    PyObject *list = PyList_New(0);
    struct cmsghdr *item = message->msg_controllen > 0 ? CMSG_FIRSTHDR(message) : NULL;
    for (; list != NULL && item != NULL; item = CMSG_NXTHDR(message, item)) {
        bool cut = !item_begins(message, item);
        size_t size = cut ? 0 : item_size(message, item, &cut);
        if (cut
            && PyErr_WarnEx(PyExc_RuntimeWarning,
                            "received malformed or improperly-truncated "
                            "ancillary data",
                            1)
                   < 0) {
            Py_CLEAR(list);
            break;
        }
        if (item->cmsg_len < CMSG_LEN(0)) {
            break;
        }
        PyObject *entry = Py_BuildValue("iiy#", item->cmsg_level, item->cmsg_type,
                                        (const char *)CMSG_DATA(item), (Py_ssize_t)size);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
        if (cut) {
            break;
        }
    }
    return list;
}

/* What both methods have in common.  `data_of` makes the first item of the result from the number
 * of bytes that arrived (new reference). */
static PyObject *receive_message(struct socket *self, struct iovec *vec, size_t count,
                                 Py_ssize_t room, int flags,
                                 PyObject *(*data_of)(Py_ssize_t got, void *arg), void *arg)
{
    if (room < 0 || room > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "invalid ancillary data buffer length");
        return NULL;
    }
    void *control = room ? PyMem_Malloc((size_t)room) : NULL;
    if (room && control == NULL) {
        return PyErr_NoMemory();
    }
    union address address = {0};
    struct msghdr message;
    struct patience patience = PATIENCE(self);
    flags = socket_flags(&patience, flags);
    Py_ssize_t got = SOCKET_CALL(self, POLLIN, &patience,
                                 (message = (struct msghdr){&address.any, sizeof address, vec,
                                                            count, control, (size_t)room, 0},
                                  recvmsg(socket_fd(self), &message, flags)));
    PyObject *result = NULL;
    if (got >= 0) {
        PyObject *items = items_make(&message);
        PyObject *from = items ? address_make(&address, message.msg_namelen, self->protocol) : NULL;
        PyObject *data = from ? data_of(got, arg) : NULL;
        result = data ? Py_BuildValue("OOiO", data, items, message.msg_flags, from) : NULL;
        Py_XDECREF(data);
        Py_XDECREF(from);
        Py_XDECREF(items);
        if (result == NULL && room) {
            items_close_files(&message);
        }
    }
    PyMem_Free(control);
    return result;
}

static PyObject *shortened_bytes(Py_ssize_t got, void *arg)
{
    PyObject **bytes = arg;
    if (got != PyBytes_GET_SIZE(*bytes) && _PyBytes_Resize(bytes, got) < 0) {
        return NULL;
    }
    return Py_NewRef(*bytes);
}

PyObject *socket_recvmsg(struct socket *self, Py_ssize_t size, Py_ssize_t room, int flags)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative buffer size in recvmsg()");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return NULL;
    }
    struct iovec vec = {PyBytes_AS_STRING(bytes), (size_t)size};
    PyObject *result = receive_message(self, &vec, 1, room, flags, shortened_bytes, &bytes);
    Py_XDECREF(bytes);
    return result;
}

static PyObject *count_of_bytes(Py_ssize_t got, void *Py_UNUSED(arg))
{
    return PyLong_FromSsize_t(got);
}

PyObject *socket_recvmsg_into(struct socket *self, PyObject *iterable, Py_ssize_t room, int flags)
{
    BUFFERS(buffers);
    if (!buffers_read(iterable, "recvmsg_into() argument 1 must be an iterable",
                      "recvmsg_into() argument 1 is too long", writable_view, &buffers)) {
        return NULL;
    }
    return receive_message(self, buffers.vec, (size_t)buffers.count, room, flags, count_of_bytes,
                           NULL);
}

/* ---- sending -------------------------------------------------------------------------------- */

struct item {
    int level, type;
    Py_buffer data;
};

struct items {
    struct item *item;
    Py_ssize_t count;
    void *control; /* all of them as the system wants them */
    size_t size;
};

static void items_drop(struct items *items)
{
    for (Py_ssize_t i = 0; i < items->count; i++) {
        PyBuffer_Release(&items->item[i].data);
    }
    PyMem_Free(items->item);
    PyMem_Free(items->control);
}

#define ITEMS(name) __attribute__((cleanup(items_drop))) struct items name = {NULL, 0, NULL, 0}

/* Reads one (level, type, data). */
static bool item_read(PyObject *arg, struct item *out)
{
    if (!PySequence_Check(arg) || PyUnicode_Check(arg)) {
        PyErr_Format(PyExc_TypeError,
                     "[sendmsg() ancillary data items]() argument must be 3-item "
                     "sequence, not %.50s",
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    PyObject *parts = PySequence_Tuple(arg);
    if (parts == NULL) {
        return false;
    }
    bool fine = PyTuple_GET_SIZE(parts) == 3;
    if (!fine) {
        PyErr_Format(PyExc_TypeError,
                     "[sendmsg() ancillary data items]() argument must be sequence "
                     "of length 3, not %zd",
                     PyTuple_GET_SIZE(parts));
    }
    fine = fine && bind_int(PyTuple_GET_ITEM(parts, 0), &out->level)
           && bind_int(PyTuple_GET_ITEM(parts, 1), &out->type)
           && bind_buffer(PyTuple_GET_ITEM(parts, 2), &out->data);
    Py_DECREF(parts);
    return fine;
}

/* Makes one block of all items. */
static bool items_lay_out(struct items *items)
{
    for (Py_ssize_t i = 0; i < items->count; i++) {
        if (!item_fits(items->item[i].data.len, CMSG_SPACE(1))) {
            PyErr_SetString(PyExc_OSError, "ancillary data item too large");
            return false;
        }
        items->size += CMSG_SPACE((size_t)items->item[i].data.len);
        if (items->size > INT_MAX) {
            PyErr_SetString(PyExc_OSError, "too much ancillary data");
            return false;
        }
    }
    if (items->size == 0) {
        return true;
    }
    items->control = PyMem_Calloc(1, items->size);
    if (items->control == NULL) {
        PyErr_NoMemory();
        return false;
    }
    char *to = items->control;
    for (Py_ssize_t i = 0; i < items->count; i++) {
        const struct item *item = &items->item[i];
        struct cmsghdr *header = (struct cmsghdr *)to;
        *header = (struct cmsghdr){.cmsg_level = item->level,
                                   .cmsg_type = item->type,
                                   .cmsg_len = CMSG_LEN((size_t)item->data.len)};
        memcpy(CMSG_DATA(header), item->data.buf, (size_t)item->data.len);
        to += CMSG_SPACE((size_t)item->data.len);
    }
    return true;
}

static bool items_read(PyObject *iterable, struct items *out)
{
    PyObject *list = PySequence_Fast(iterable, "sendmsg() argument 2 must be an iterable");
    if (list == NULL) {
        return false;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(list);
    out->item = PyMem_New(struct item, (size_t)Py_MAX(count, 1));
    bool fine = out->item != NULL;
    if (!fine) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; fine && i < PySequence_Fast_GET_SIZE(list) && i < count; i++) {
        PyObject *op = Py_NewRef(PySequence_Fast_GET_ITEM(list, i));
        fine = item_read(op, &out->item[i]);
        Py_DECREF(op);
        out->count += fine;
    }
    Py_DECREF(list);
    return fine && items_lay_out(out);
}

static PyObject *send_message(struct socket *self, const struct msghdr *message, int flags)
{
    struct patience patience = PATIENCE(self);
    flags = socket_flags(&patience, flags);
    Py_ssize_t sent =
        SOCKET_CALL(self, POLLOUT, &patience, sendmsg(socket_fd(self), message, flags));
    return sent < 0 ? NULL : PyLong_FromSsize_t(sent);
}

static bool read_view(PyObject *op, Py_buffer *view)
{
    return bind_buffer(op, view);
}

static bool data_read(PyObject *iterable, struct buffers *out)
{
    return buffers_read(iterable, "sendmsg() argument 1 must be an iterable",
                        "sendmsg() argument 1 is too long", read_view, out);
}

PyObject *socket_sendmsg(struct socket *self, PyObject *iterable, PyObject *ancillary, int flags,
                         PyObject *to)
{
    union address address;
    socklen_t length = 0;
    if (to != Py_None && !address_read(self, to, "sendmsg", &address, &length)) {
        return NULL;
    }
    if (PySys_Audit("socket.sendmsg", "OO", self, to) < 0) {
        return NULL;
    }
    BUFFERS(buffers);
    ITEMS(items);
    if (!data_read(iterable, &buffers) || (ancillary != NULL && !items_read(ancillary, &items))) {
        return NULL;
    }
    struct msghdr message = {
        .msg_name = to != Py_None ? &address : NULL,
        .msg_namelen = length,
        .msg_iov = buffers.vec,
        .msg_iovlen = (size_t)buffers.count,
        .msg_control = items.control,
        .msg_controllen = items.size,
    };
    return send_message(self, &message, flags);
}

/* ---- AF_ALG --------------------------------------------------------------------------------- */

static char *put_item(char *to, int type, const void *data, size_t size)
{
    struct cmsghdr *header = (struct cmsghdr *)to;
    *header =
        (struct cmsghdr){.cmsg_level = SOL_ALG, .cmsg_type = type, .cmsg_len = CMSG_LEN(size)};
    memcpy(CMSG_DATA(header), data, size);
    return to + CMSG_SPACE(size);
}

/* The initial vector, with its length in front as the kernel has it. */
static char *put_vector(char *to, const Py_buffer *vector)
{
    struct cmsghdr *header = (struct cmsghdr *)to;
    struct af_alg_iv *body = (struct af_alg_iv *)CMSG_DATA(header);
    size_t size = sizeof *body + (size_t)vector->len;
    *header = (struct cmsghdr){
        .cmsg_level = SOL_ALG, .cmsg_type = ALG_SET_IV, .cmsg_len = CMSG_LEN(size)};
    body->ivlen = (uint32_t)vector->len;
    memcpy(body->iv, vector->buf, (size_t)vector->len);
    return to + CMSG_SPACE(size);
}

/* An argument that must not be negative, -1 if it is not given. */
static bool count_read(PyObject *arg, const char *complaint, int *out)
{
    *out = -1;
    if (arg == NULL || arg == Py_None) {
        return true;
    }
    if (!bind_int(arg, out)) {
        return false;
    }
    if (*out < 0) {
        PyErr_SetString(PyExc_TypeError, complaint);
        return false;
    }
    return true;
}

static PyObject *send_to_algorithm(struct socket *self, PyObject *data, int op,
                                   const Py_buffer *vector, int length, int flags)
{
    BUFFERS(buffers);
    if (data != NULL && !data_read(data, &buffers)) {
        return NULL;
    }
    uint32_t operation = (uint32_t)op, associated = (uint32_t)length;
    size_t size = CMSG_SPACE(sizeof operation);
    if (vector != NULL) {
        if (!item_fits(vector->len, CMSG_SPACE(1 + sizeof(struct af_alg_iv)))) {
            PyErr_SetString(PyExc_OSError, "ancillary data item too large");
            return NULL;
        }
        size += CMSG_SPACE(sizeof(struct af_alg_iv) + (size_t)vector->len);
    }
    if (length >= 0) {
        size += CMSG_SPACE(sizeof associated);
    }
    char *control = PyMem_Calloc(1, size);
    if (control == NULL) {
        return PyErr_NoMemory();
    }
    char *end = put_item(control, ALG_SET_OP, &operation, sizeof operation);
    if (vector != NULL) {
        end = put_vector(end, vector);
    }
    if (length >= 0) {
        put_item(end, ALG_SET_AEAD_ASSOCLEN, &associated, sizeof associated);
    }
    struct msghdr message = {
        .msg_iov = buffers.vec,
        .msg_iovlen = (size_t)buffers.count,
        .msg_control = control,
        .msg_controllen = size,
    };
    PyObject *sent = send_message(self, &message, flags);
    PyMem_Free(control);
    return sent;
}

PyObject *socket_sendmsg_afalg(struct socket *self, PyObject *data, PyObject *op, PyObject *iv,
                               PyObject *assoclen, int flags)
{
    if (self->family != AF_ALG) {
        PyErr_SetString(PyExc_OSError, "algset is only supported for AF_ALG");
        return NULL;
    }
    int operation, length;
    const char *complaint = "Invalid or missing argument 'op'";
    if (!count_read(op, complaint, &operation)) {
        return NULL;
    }
    if (operation < 0) {
        PyErr_SetString(PyExc_TypeError, complaint);
        return NULL;
    }
    if (!count_read(assoclen, "assoclen must be positive", &length)) {
        return NULL;
    }
    if (iv == NULL || iv == Py_None) {
        return send_to_algorithm(self, data, operation, NULL, length, flags);
    }
    Py_buffer vector;
    if (!bind_buffer(iv, &vector)) {
        return NULL;
    }
    PyObject *sent = send_to_algorithm(self, data, operation, &vector, length, flags);
    PyBuffer_Release(&vector);
    return sent;
}
