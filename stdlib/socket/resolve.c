/* Names of hosts, services and protocols, and what the system's resolver knows. */
#include "socket.h"

/* ---- errors --------------------------------------------------------------------------------- */

static PyObject *raise_pair(PyObject *type, int number, const char *text)
{
    PyObject *pair = Py_BuildValue("(is)", number, text);
    if (pair != NULL) {
        PyErr_SetObject(type, pair);
        Py_DECREF(pair);
    }
    return NULL;
}

/* Raises what getaddrinfo() and its kind returned. */
static PyObject *raise_gaierror(struct socket_state *state, int number)
{
    if (number == EAI_SYSTEM) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return raise_pair(state->gaierror, number, gai_strerror(number));
}

static PyObject *raise_herror(struct socket_state *state, int number)
{
    return raise_pair(state->herror, number, hstrerror(number));
}

/* ---- host names as bytes -------------------------------------------------------------------- */

/* Whether text goes to the resolver as it is: ASCII, and the parts between dots as long as the
 * codec for domain names would have them. */
static bool is_plain_name(PyObject *text)
{
    if (!PyUnicode_IS_ASCII(text)) {
        return false;
    }
    const char *name = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), part = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        part = name[i] == '.' ? 0 : part + 1;
        if (part > 63 || (name[i] == '.' && (i == 0 || name[i - 1] == '.'))) {
            return false;
        }
    }
    return true;
}

/* Text as bytes for the resolver (new reference); the codec may run Python code. */
static PyObject *name_encode(PyObject *text)
{
    return is_plain_name(text)
               ? PyBytes_FromStringAndSize(PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text))
               : PyUnicode_AsEncodedString(text, "idna", NULL);
}

bool host_read(PyObject *arg, struct host *host, const char *complaint)
{
    if (PyUnicode_Check(arg)) {
        host->bytes = name_encode(arg);
        if (host->bytes == NULL && complaint != NULL) {
            PyErr_SetString(PyExc_TypeError, complaint);
        }
    } else if (PyBytes_Check(arg)) {
        host->bytes = Py_NewRef(arg);
    } else if (PyByteArray_Check(arg)) {
        host->bytes = PyBytes_FromObject(arg);
    } else {
        PyErr_Format(PyExc_TypeError, "str, bytes or bytearray expected, not %s",
                     Py_TYPE(arg)->tp_name);
    }
    if (host->bytes == NULL) {
        return false;
    }
    host->name = PyBytes_AS_STRING(host->bytes);
    if (strlen(host->name) != (size_t)PyBytes_GET_SIZE(host->bytes)) {
        PyErr_SetString(PyExc_TypeError, "host name must not contain null character");
        return false;
    }
    return true;
}

void host_drop(struct host *host)
{
    Py_CLEAR(host->bytes);
}

/* The same for an argument of a function of the module, whose messages name it. */
static bool host_argument(PyObject *arg, const char *function, struct host *host)
{
    if (!PyUnicode_Check(arg) && !PyBytes_Check(arg) && !PyByteArray_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "%s() argument 1 must be str, bytes or bytearray, not %.200s",
                     function, arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return false;
    }
    if (host_read(arg, host, NULL)) {
        return true;
    }
    if (host->name != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%s() argument 1 must be encoded string without null bytes, not %.200s",
                     function, Py_TYPE(arg)->tp_name);
    }
    return false;
}

/* ---- one address ---------------------------------------------------------------------------- */

static bool address_copy(const struct addrinfo *info, union address *out, socklen_t *length)
{
    memcpy(out, info->ai_addr, Py_MIN(info->ai_addrlen, sizeof *out));
    *length = info->ai_addrlen;
    return true;
}

static bool resolve_any(struct socket_state *state, int family, union address *out,
                        socklen_t *length)
{
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int error = BLOCKING(getaddrinfo(NULL, "0", &hints, &found));
    if (error != 0) {
        raise_gaierror(state, error);
        return false;
    }
    bool unique = found->ai_next == NULL;
    if (unique) {
        address_copy(found, out, length);
    } else {
        PyErr_SetString(PyExc_OSError, "wildcard resolved to multiple address");
    }
    freeaddrinfo(found);
    return unique;
}

static bool set_inet(union address *out, socklen_t *length)
{
    out->in.sin_family = AF_INET;
    *length = sizeof out->in;
    return true;
}

bool host_resolve(struct socket_state *state, const char *name, int family, union address *out,
                  socklen_t *length)
{
    bool inet = family == AF_INET || family == AF_UNSPEC, inet6 = family == AF_INET6;
    memset(out, 0, sizeof *out);
    if (name[0] == '\0') {
        return resolve_any(state, family, out, length);
    }
    if (strcmp(name, "<broadcast>") == 0 || strcmp(name, "255.255.255.255") == 0) {
        if (!inet) {
            PyErr_SetString(PyExc_OSError, "address family mismatched");
            return false;
        }
        out->in.sin_addr.s_addr = INADDR_BROADCAST;
        return set_inet(out, length);
    }
    /* What is a number already needs no resolver. */
    if (inet && inet_pton(AF_INET, name, &out->in.sin_addr) > 0) {
        return set_inet(out, length);
    }
    if ((inet6 || family == AF_UNSPEC) && strchr(name, '%') == NULL
        && inet_pton(AF_INET6, name, &out->in6.sin6_addr) > 0) {
        out->in6.sin6_family = AF_INET6;
        *length = sizeof out->in6;
        return true;
    }
    memset(out, 0, sizeof *out);
    struct addrinfo hints = {.ai_family = family}, *found = NULL;
    int error = BLOCKING(getaddrinfo(name, NULL, &hints, &found));
    if (error != 0) {
        raise_gaierror(state, error);
        return false;
    }
    address_copy(found, out, length);
    freeaddrinfo(found);
    return true;
}

/* ---- hosts ---------------------------------------------------------------------------------- */

PyObject *net_gethostname(PyObject *Py_UNUSED(module))
{
    if (PySys_Audit("socket.gethostname", NULL) < 0) {
        return NULL;
    }
    char name[1024] = "";
    if (BLOCKING(gethostname(name, sizeof name - 1)) < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyUnicode_DecodeFSDefault(name);
}

int net_sethostname(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PyObject *name;
    if (PyBytes_Check(arg)) {
        name = Py_NewRef(arg);
    } else if (!PyUnicode_FSConverter(arg, &name)) {
        return -1;
    }
    int rc = PySys_Audit("socket.sethostname", "(O)", arg);
    if (rc == 0) {
        rc = BLOCKING(sethostname(PyBytes_AS_STRING(name), (size_t)PyBytes_GET_SIZE(name)));
        if (rc < 0) {
            PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    Py_DECREF(name);
    return rc;
}

static PyObject *host_text(struct socket_state *state, const char *name, union address *address)
{
    socklen_t length;
    if (!host_resolve(state, name, AF_INET, address, &length)) {
        return NULL;
    }
    return address_text(AF_INET, &address->in.sin_addr);
}

PyObject *net_gethostbyname(PyObject *module, PyObject *arg)
{
    HOST(host);
    union address address;
    if (!host_argument(arg, "gethostbyname", &host)
        || PySys_Audit("socket.gethostbyname", "O", arg) < 0) {
        return NULL;
    }
    return host_text(state_of(module), host.name, &address);
}

/* A list made of an array that ends in NULL; `family` 0: text. */
static PyObject *entries(char *const *items, int family)
{
    PyObject *list = PyList_New(0);
    for (; list != NULL && items != NULL && *items != NULL; items++) {
        PyObject *entry = family ? address_text(family, *items) : PyUnicode_DecodeFSDefault(*items);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    return list;
}

struct host_query {
    const char *name; /* or else the address */
    const union address *address;
};

static int host_ask(const struct host_query *query, struct hostent *host, char *room, size_t size,
                    struct hostent **found, int *error)
{
    const union address *address = query->address;
    if (query->name != NULL) {
        return gethostbyname_r(query->name, host, room, size, found, error);
    }
    return address->any.sa_family == AF_INET
               ? gethostbyaddr_r(&address->in.sin_addr, sizeof address->in.sin_addr, AF_INET, host,
                                 room, size, found, error)
               : gethostbyaddr_r(&address->in6.sin6_addr, sizeof address->in6.sin6_addr, AF_INET6,
                                 host, room, size, found, error);
}

/* (name, aliases, addresses); asks again with more room as long as there is too little. */
static PyObject *host_entry(struct socket_state *state, const struct host_query *query)
{
    for (size_t size = 4096;; size *= 2) {
        char *room = PyMem_Malloc(size);
        if (room == NULL) {
            return PyErr_NoMemory();
        }
        struct hostent host, *found = NULL;
        int error = 0;
        int rc = BLOCKING(host_ask(query, &host, room, size, &found, &error));
        PyObject *result = NULL;
        bool again = rc == ERANGE && found == NULL && size < (1u << 24);
        if (found != NULL) {
            PyObject *aliases = entries(found->h_aliases, 0);
            PyObject *addresses = aliases ? entries(found->h_addr_list, found->h_addrtype) : NULL;
            PyObject *name = addresses ? PyUnicode_DecodeFSDefault(found->h_name) : NULL;
            result = name ? PyTuple_Pack(3, name, aliases, addresses) : NULL;
            Py_XDECREF(name);
            Py_XDECREF(addresses);
            Py_XDECREF(aliases);
        } else if (!again) {
            raise_herror(state, error);
        }
        PyMem_Free(room);
        if (!again) {
            return result;
        }
    }
}

PyObject *net_gethostbyname_ex(PyObject *module, PyObject *arg)
{
    struct socket_state *state = state_of(module);
    HOST(host);
    union address address;
    socklen_t length;
    if (!host_argument(arg, "gethostbyname_ex", &host)
        || PySys_Audit("socket.gethostbyname", "O", arg) < 0
        || !host_resolve(state, host.name, AF_INET, &address, &length)) {
        return NULL;
    }
    return host_entry(state, &(struct host_query){.name = host.name});
}

PyObject *net_gethostbyaddr(PyObject *module, PyObject *arg)
{
    struct socket_state *state = state_of(module);
    HOST(host);
    union address address;
    socklen_t length;
    if (!host_argument(arg, "gethostbyaddr", &host)
        || PySys_Audit("socket.gethostbyaddr", "O", arg) < 0
        || !host_resolve(state, host.name, AF_UNSPEC, &address, &length)) {
        return NULL;
    }
    if (address.any.sa_family != AF_INET && address.any.sa_family != AF_INET6) {
        PyErr_SetString(PyExc_OSError, "unsupported address family");
        return NULL;
    }
    return host_entry(state, &(struct host_query){.address = &address});
}

/* ---- services and protocols ----------------------------------------------------------------- */

/* Room for an entry; nothing in /etc/services and /etc/protocols comes near. */
enum { ENTRY_ROOM = 8192 };

PyObject *net_getservbyname(PyObject *Py_UNUSED(module), const char *name, const char *protocol)
{
    if (PySys_Audit("socket.getservbyname", "ss", name, protocol ? protocol : "") < 0) {
        return NULL;
    }
    struct servent entry, *found = NULL;
    char room[ENTRY_ROOM];
    (void)BLOCKING(getservbyname_r(name, protocol, &entry, room, sizeof room, &found));
    if (found == NULL) {
        PyErr_SetString(PyExc_OSError, "service/proto not found");
        return NULL;
    }
    return PyLong_FromLong(ntohs((uint16_t)found->s_port));
}

PyObject *net_getservbyport(PyObject *Py_UNUSED(module), int port, const char *protocol)
{
    if (port < 0 || port > 0xFFFF) {
        PyErr_SetString(PyExc_OverflowError, "getservbyport: port must be 0-65535.");
        return NULL;
    }
    if (PySys_Audit("socket.getservbyport", "is", port, protocol ? protocol : "") < 0) {
        return NULL;
    }
    struct servent entry, *found = NULL;
    char room[ENTRY_ROOM];
    (void)BLOCKING(
        getservbyport_r(htons((uint16_t)port), protocol, &entry, room, sizeof room, &found));
    if (found == NULL) {
        PyErr_SetString(PyExc_OSError, "port/proto not found");
        return NULL;
    }
    return PyUnicode_FromString(found->s_name);
}

PyObject *net_getprotobyname(PyObject *Py_UNUSED(module), const char *name)
{
    struct protoent entry, *found = NULL;
    char room[ENTRY_ROOM];
    (void)BLOCKING(getprotobyname_r(name, &entry, room, sizeof room, &found));
    if (found == NULL) {
        PyErr_SetString(PyExc_OSError, "protocol not found");
        return NULL;
    }
    return PyLong_FromLong(found->p_proto);
}

/* ---- getaddrinfo and getnameinfo ------------------------------------------------------------ */

/* The host or port for getaddrinfo as bytes that end in NUL: *keep holds them, *out is NULL for None. */
static bool query_text(PyObject *text, PyObject **keep, const char **out)
{
    *keep = text;
    if (text == NULL) {
        return false;
    }
    *out = PyBytes_AS_STRING(text);
    return true;
}

static bool query_host(PyObject *arg, PyObject **keep, const char **out)
{
    if (arg == Py_None) {
        return true;
    }
    if (PyUnicode_Check(arg)) {
        return query_text(name_encode(arg), keep, out);
    }
    if (PyBytes_Check(arg)) {
        return query_text(Py_NewRef(arg), keep, out);
    }
    PyErr_SetString(PyExc_TypeError, "getaddrinfo() argument 1 must be string or None");
    return false;
}

static bool query_port(PyObject *arg, PyObject **keep, const char **out)
{
    if (arg == Py_None) {
        return true;
    }
    if (PyLong_Check(arg)) {
        PyObject *digits = PyLong_Type.tp_repr(arg);
        PyObject *bytes = digits ? PyUnicode_AsUTF8String(digits) : NULL;
        Py_XDECREF(digits);
        return query_text(bytes, keep, out);
    }
    if (PyUnicode_Check(arg)) {
        return query_text(PyUnicode_AsUTF8String(arg), keep, out);
    }
    if (PyBytes_Check(arg)) {
        return query_text(Py_NewRef(arg), keep, out);
    }
    PyErr_SetString(PyExc_OSError, "Int or String expected");
    return false;
}

static PyObject *found_list(const struct addrinfo *found)
{
    PyObject *list = PyList_New(0);
    for (; list != NULL && found != NULL; found = found->ai_next) {
        union address address = {0};
        socklen_t length;
        address_copy(found, &address, &length);
        PyObject *where = address_make(&address, length, -1);
        PyObject *entry =
            where ? Py_BuildValue("iiisN", found->ai_family, found->ai_socktype, found->ai_protocol,
                                  found->ai_canonname ? found->ai_canonname : "", where)
                  : NULL;
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    return list;
}

PyObject *net_getaddrinfo(PyObject *module, PyObject *host, PyObject *port, int family, int type,
                          int protocol, int flags)
{
    PyObject *host_keep = NULL, *port_keep = NULL, *result = NULL;
    const char *host_name = NULL, *port_name = NULL;
    if (query_host(host, &host_keep, &host_name) && query_port(port, &port_keep, &port_name)
        && PySys_Audit("socket.getaddrinfo", "OOiii", host, port, family, type, protocol) == 0) {
        struct addrinfo hints = {
            .ai_family = family, .ai_socktype = type, .ai_protocol = protocol, .ai_flags = flags};
        struct addrinfo *found = NULL;
        int error = BLOCKING(getaddrinfo(host_name, port_name, &hints, &found));
        if (error != 0) {
            raise_gaierror(state_of(module), error);
        } else {
            result = found_list(found);
            freeaddrinfo(found);
        }
    }
    Py_XDECREF(host_keep);
    Py_XDECREF(port_keep);
    return result;
}

/* The address that (host, port[, flowinfo[, scope]]) is, all of it numbers. */
static bool numeric_address(struct socket_state *state, PyObject *tuple, union address *out,
                            socklen_t *length)
{
    const char *host;
    int port;
    unsigned int flow = 0, scope = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    if (count < 2 || count > 4) {
        PyErr_SetString(PyExc_TypeError, "getnameinfo(): illegal sockaddr argument");
        return false;
    }
    if (!bind_utf8(PyTuple_GET_ITEM(tuple, 0), "getnameinfo", "argument 1", &host)
        || !bind_int(PyTuple_GET_ITEM(tuple, 1), &port)
        || (count > 2 && !bind_uint_mask(PyTuple_GET_ITEM(tuple, 2), &flow))
        || (count > 3 && !bind_uint_mask(PyTuple_GET_ITEM(tuple, 3), &scope))) {
        return false;
    }
    if (flow > 0xFFFFF) {
        PyErr_SetString(PyExc_OverflowError, "getnameinfo(): flowinfo must be 0-1048575.");
        return false;
    }
    if (PySys_Audit("socket.getnameinfo", "(O)", tuple) < 0) {
        return false;
    }
    char digits[16];
    PyOS_snprintf(digits, sizeof digits, "%d", port);
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int error = BLOCKING(getaddrinfo(host, digits, &hints, &found));
    if (error != 0) {
        raise_gaierror(state, error);
        return false;
    }
    const char *complaint = found->ai_next ? "sockaddr resolved to multiple addresses"
                            : found->ai_family == AF_INET && count != 2
                                ? "IPv4 sockaddr must be 2 tuple"
                                : NULL;
    memset(out, 0, sizeof *out);
    address_copy(found, out, length);
    freeaddrinfo(found);
    if (complaint != NULL) {
        PyErr_SetString(PyExc_OSError, complaint);
        return false;
    }
    if (out->any.sa_family == AF_INET6) {
        out->in6.sin6_flowinfo = htonl(flow);
        out->in6.sin6_scope_id = scope;
    }
    return true;
}

PyObject *net_getnameinfo(PyObject *module, PyObject *tuple, int flags)
{
    struct socket_state *state = state_of(module);
    if (!PyTuple_Check(tuple)) {
        PyErr_SetString(PyExc_TypeError, "getnameinfo() argument 1 must be a tuple");
        return NULL;
    }
    union address address;
    socklen_t length;
    if (!numeric_address(state, tuple, &address, &length)) {
        return NULL;
    }
    char host[NI_MAXHOST], port[NI_MAXSERV];
    int error =
        BLOCKING(getnameinfo(&address.any, length, host, sizeof host, port, sizeof port, flags));
    if (error != 0) {
        return raise_gaierror(state, error);
    }
    PyObject *name = PyUnicode_DecodeFSDefault(host);
    return name ? Py_BuildValue("Ns", name, port) : NULL;
}
