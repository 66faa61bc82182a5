/* The module _socket: byte order, packed addresses, descriptors, interfaces, and the module itself.
 *
 *     object.c   the type socket      message.c    recvmsg, sendmsg and what goes along
 *     address.c  addresses            resolve.c    names of hosts and services
 *     constants.c */
#include "socket.h"

#include <fcntl.h>

#include "net.bind.h"

static PyObject *raise_errno(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* ---- byte order ----------------------------------------------------------------------------- */

static PyObject *swap16(int x, const char *function)
{
    if (x < 0 || x > 0xFFFF) {
        PyErr_Format(PyExc_OverflowError,
                     x < 0 ? "%s: can't convert negative Python int to C 16-bit unsigned integer"
                           : "%s: Python int too large to convert to C 16-bit unsigned integer",
                     function);
        return NULL;
    }
    return PyLong_FromLong(htons((uint16_t)x));
}

PyObject *net_htons(PyObject *Py_UNUSED(module), int x)
{
    return swap16(x, "htons");
}

PyObject *net_ntohs(PyObject *Py_UNUSED(module), int x)
{
    return swap16(x, "ntohs");
}

/* The value of an int that must not be negative. */
static bool unsigned_read(PyObject *x, unsigned long *out)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(x, &overflow);
    if (overflow < 0 || (overflow == 0 && value < 0)) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative value to unsigned int");
        return false;
    }
    *out = PyLong_AsUnsignedLong(x);
    return PyErr_Occurred() == NULL;
}

static PyObject *swap32(PyObject *x)
{
    if (!PyLong_Check(x)) {
        PyErr_Format(PyExc_TypeError, "expected int, %s found", Py_TYPE(x)->tp_name);
        return NULL;
    }
    unsigned long value;
    if (!unsigned_read(x, &value)) {
        return NULL;
    }
    if (value > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int larger than 32 bits");
        return NULL;
    }
    return PyLong_FromUnsignedLong(htonl((uint32_t)value));
}

PyObject *net_htonl(PyObject *Py_UNUSED(module), PyObject *x)
{
    return swap32(x);
}

PyObject *net_ntohl(PyObject *Py_UNUSED(module), PyObject *x)
{
    return swap32(x);
}

/* ---- packed addresses ----------------------------------------------------------------------- */

PyObject *net_inet_aton(PyObject *Py_UNUSED(module), const char *text)
{
    struct in_addr address;
    if (inet_aton(text, &address) == 0) {
        PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_aton");
        return NULL;
    }
    return PyBytes_FromStringAndSize((const char *)&address, sizeof address);
}

PyObject *net_inet_ntoa(PyObject *Py_UNUSED(module), Py_buffer *packed)
{
    if (packed->len != sizeof(struct in_addr)) {
        PyErr_SetString(PyExc_OSError, "packed IP wrong length for inet_ntoa");
        return NULL;
    }
    return address_text(AF_INET, packed->buf);
}

PyObject *net_inet_pton(PyObject *Py_UNUSED(module), int family, const char *text)
{
    char packed[sizeof(struct in6_addr)];
    int rc = inet_pton(family, text, packed);
    if (rc < 0) {
        return raise_errno();
    }
    if (rc == 0) {
        PyErr_SetString(PyExc_OSError, "illegal IP address string passed to inet_pton");
        return NULL;
    }
    return PyBytes_FromStringAndSize(packed, family == AF_INET ? sizeof(struct in_addr)
                                                               : sizeof(struct in6_addr));
}

PyObject *net_inet_ntop(PyObject *Py_UNUSED(module), int family, Py_buffer *packed)
{
    Py_ssize_t size = family == AF_INET    ? (Py_ssize_t)sizeof(struct in_addr)
                      : family == AF_INET6 ? (Py_ssize_t)sizeof(struct in6_addr)
                                           : 0;
    if (size == 0) {
        PyErr_Format(PyExc_ValueError, "unknown address family %d", family);
        return NULL;
    }
    if (packed->len != size) {
        PyErr_SetString(PyExc_ValueError, "invalid length of packed IP address string");
        return NULL;
    }
    return address_text(family, packed->buf);
}

/* ---- descriptors and timeouts --------------------------------------------------------------- */

int net_close(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int fd;
    if (!bind_int(arg, &fd)) {
        return -1;
    }
    if (fd_close(fd) < 0 && errno != ECONNRESET) {
        raise_errno();
        return -1;
    }
    return 0;
}

PyObject *net_dup(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int fd;
    if (!bind_int(arg, &fd)) {
        return NULL;
    }
    int copy = BLOCKING(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return copy < 0 ? raise_errno() : PyLong_FromLong(copy);
}

PyObject *net_getdefaulttimeout(PyObject *module)
{
    struct socket_state *state = state_of(module);
    return timeout_make(__atomic_load_n(&state->default_timeout, __ATOMIC_RELAXED));
}

int net_setdefaulttimeout(PyObject *module, PyObject *arg)
{
    PyTime_t timeout;
    if (!timeout_read(arg, &timeout)) {
        return -1;
    }
    __atomic_store_n(&state_of(module)->default_timeout, timeout, __ATOMIC_RELAXED);
    return 0;
}

/* ---- interfaces ----------------------------------------------------------------------------- */

PyObject *net_if_nameindex(PyObject *Py_UNUSED(module))
{
    struct if_nameindex *all = if_nameindex();
    if (all == NULL) {
        return raise_errno();
    }
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && all[i].if_index != 0 && all[i].if_name != NULL; i++) {
        PyObject *entry =
            Py_BuildValue("IO&", all[i].if_index, PyUnicode_DecodeFSDefault, all[i].if_name);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    if_freenameindex(all);
    return list;
}

PyObject *net_if_nametoindex(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PyObject *name;
    if (!PyUnicode_FSConverter(arg, &name)) {
        return NULL;
    }
    unsigned int index = if_nametoindex(PyBytes_AS_STRING(name));
    Py_DECREF(name);
    if (index == 0) {
        PyErr_SetString(PyExc_OSError, "no interface with this name");
        return NULL;
    }
    return PyLong_FromUnsignedLong(index);
}

PyObject *net_if_indextoname(PyObject *Py_UNUSED(module), PyObject *arg)
{
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return NULL;
    }
    unsigned long index;
    if (!unsigned_read(arg, &index)) {
        return NULL;
    }
    if (index > UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C unsigned int");
        return NULL;
    }
    char name[IF_NAMESIZE];
    if (if_indextoname((unsigned int)index, name) == NULL) {
        return raise_errno();
    }
    return PyUnicode_DecodeFSDefault(name);
}

/* ---- the module ----------------------------------------------------------------------------- */

static const char capsule_name[] = "_socket.CAPI";

static void capsule_free(PyObject *capsule)
{
    struct socket_capi *capi = PyCapsule_GetPointer(capsule, capsule_name);
    Py_DECREF(capi->type);
    PyMem_Free(capi);
}

static int add_capsule(PyObject *module, struct socket_state *state)
{
    struct socket_capi *capi = PyMem_Malloc(sizeof *capi);
    if (capi == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    capi->type = (PyTypeObject *)state->socket_type;
    capi->error = PyExc_OSError;
    capi->timeout_error = PyExc_TimeoutError;
    PyObject *capsule = PyCapsule_New(capi, capsule_name, capsule_free);
    if (capsule == NULL) {
        PyMem_Free(capi);
        return -1;
    }
    Py_INCREF(capi->type);
    int rc = PyModule_AddObjectRef(module, "CAPI", capsule);
    Py_DECREF(capsule);
    return rc;
}

static int module_exec(PyObject *module)
{
    struct socket_state *state = state_of(module);
    state->default_timeout = -1;
    state->herror = PyErr_NewException("socket.herror", PyExc_OSError, NULL);
    state->gaierror = PyErr_NewException("socket.gaierror", PyExc_OSError, NULL);
    state->socket_type = (PyObject *)module_type(module, &socket_spec, true);
    return state->herror && state->gaierror && state->socket_type
                   && PyModule_AddObjectRef(module, "herror", state->herror) == 0
                   && PyModule_AddObjectRef(module, "gaierror", state->gaierror) == 0
                   && PyModule_AddObjectRef(module, "error", PyExc_OSError) == 0
                   && PyModule_AddObjectRef(module, "timeout", PyExc_TimeoutError) == 0
                   && PyModule_AddObjectRef(module, "SocketType", state->socket_type) == 0
                   && PyModule_AddObjectRef(module, "has_ipv6", Py_True) == 0
                   && add_capsule(module, state) == 0 && socket_add_constants(module) == 0
               ? 0
               : -1;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct socket_state *state = state_of(module);
    Py_VISIT(state->socket_type);
    Py_VISIT(state->herror);
    Py_VISIT(state->gaierror);
    return 0;
}

static int module_clear(PyObject *module)
{
    struct socket_state *state = state_of(module);
    Py_CLEAR(state->socket_type);
    Py_CLEAR(state->herror);
    Py_CLEAR(state->gaierror);
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot net_slots[] = MODULE_SLOTS(module_exec);

PyModuleDef net_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "_socket",     .m_doc = net_doc,
    .m_methods = net_methods,      .m_slots = net_slots,    .m_size = sizeof(struct socket_state),
    .m_traverse = module_traverse, .m_clear = module_clear, .m_free = module_free,
};

MODULE_INIT(_socket, net_module)
