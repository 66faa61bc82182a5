/* Socket addresses: from Python's form, which differs with the family, and back. */
#include "socket.h"

/* ---- reading: parts ------------------------------------------------------------------------- */

/* A tuple of min to max items, or TypeError with what it should be. */
static bool is_tuple(PyObject *arg, const char *caller, const char *family, Py_ssize_t min,
                     Py_ssize_t max, const char *form)
{
    if (!PyTuple_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "%s(): %s address must be tuple, not %.500s", caller, family,
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    if (PyTuple_GET_SIZE(arg) < min || PyTuple_GET_SIZE(arg) > max) {
        PyErr_Format(PyExc_TypeError, "%s address must be a %s", family, form);
        return false;
    }
    return true;
}

static PyObject *item(PyObject *tuple, Py_ssize_t i)
{
    return i < PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, i) : NULL;
}

/* A number of at most `max`, in OverflowError called `what`. */
static bool number_read(PyObject *arg, const char *caller, const char *what, long max,
                        unsigned int *out)
{
    int value;
    bool fine = bind_int(arg, &value);
    if (!fine && !PyErr_ExceptionMatches(PyExc_OverflowError)) {
        return false;
    }
    if (!fine || value < 0 || value > max) {
        PyErr_Format(PyExc_OverflowError, "%s(): %s must be 0-%ld.", caller, what, max);
        return false;
    }
    *out = (unsigned int)value;
    return true;
}

static bool port_read(PyObject *arg, const char *caller, in_port_t *out)
{
    unsigned int port;
    if (!number_read(arg, caller, "port", 0xFFFF, &port)) {
        return false;
    }
    *out = htons((uint16_t)port);
    return true;
}

static const char *const bad_host = "encoding of hostname failed";

/* The index of the interface that `arg` names (str or bytes); "" is 0. */
static bool interface_read(PyObject *arg, int *index)
{
    PyObject *name;
    if (!PyUnicode_FSConverter(arg, &name)) {
        return false;
    }
    bool fine = true;
    *index = 0;
    if (PyBytes_GET_SIZE(name) >= IFNAMSIZ) {
        PyErr_SetString(PyExc_OSError, "AF_CAN interface name too long");
        fine = false;
    } else if (PyBytes_GET_SIZE(name) > 0) {
        *index = (int)if_nametoindex(PyBytes_AS_STRING(name));
        if (*index == 0) {
            PyErr_SetFromErrno(PyExc_OSError);
            fine = false;
        }
    }
    Py_DECREF(name);
    return fine;
}

/* ---- reading: families ---------------------------------------------------------------------- */

struct reading {
    struct socket *self;
    PyObject *arg;
    const char *caller;
    union address *out;
    socklen_t *length;
};

static bool read_inet(struct reading *r)
{
    in_port_t port;
    HOST(host);
    if (!is_tuple(r->arg, r->caller, "AF_INET", 2, 2, "pair (host, port)")
        || !host_read(item(r->arg, 0), &host, bad_host)
        || !port_read(item(r->arg, 1), r->caller, &port)
        || !host_resolve(r->self->state, host.name, AF_INET, r->out, r->length)) {
        return false;
    }
    r->out->in.sin_port = port;
    return true;
}

static bool read_inet6(struct reading *r)
{
    in_port_t port;
    unsigned int flow = 0, scope = 0;
    HOST(host);
    if (!is_tuple(r->arg, r->caller, "AF_INET6", 2, 4, "tuple (host, port[, flowinfo[, scopeid]])")
        || !host_read(item(r->arg, 0), &host, bad_host)
        || !port_read(item(r->arg, 1), r->caller, &port)
        || (item(r->arg, 2) && !number_read(item(r->arg, 2), r->caller, "flowinfo", 0xFFFFF, &flow))
        || (item(r->arg, 3) && !bind_uint_mask(item(r->arg, 3), &scope))
        || !host_resolve(r->self->state, host.name, AF_INET6, r->out, r->length)) {
        return false;
    }
    r->out->in6.sin6_port = port;
    r->out->in6.sin6_flowinfo = htonl(flow);
    r->out->in6.sin6_scope_id = scope;
    return true;
}

/* A path, or a name that begins with NUL: then its length counts, not a NUL at the end. */
static bool read_unix(struct reading *r)
{
    PyObject *encoded =
        PyUnicode_Check(r->arg) ? PyUnicode_EncodeFSDefault(r->arg) : Py_NewRef(r->arg);
    Py_buffer path;
    if (encoded == NULL || !bind_buffer(encoded, &path)) {
        Py_XDECREF(encoded);
        return false;
    }
    struct sockaddr_un *out = &r->out->un;
    const char *bytes = path.buf;
    bool abstract = path.len == 0 || bytes[0] == '\0';
    bool fits = path.len + !abstract <= (Py_ssize_t)sizeof out->sun_path;
    if (fits) {
        memcpy(out->sun_path, bytes, (size_t)path.len);
        *r->length =
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)path.len + !abstract);
    } else {
        PyErr_SetString(PyExc_OSError, "AF_UNIX path too long");
    }
    PyBuffer_Release(&path);
    Py_DECREF(encoded);
    return fits;
}

static bool read_netlink(struct reading *r)
{
    unsigned int pid, groups;
    if (!is_tuple(r->arg, r->caller, "AF_NETLINK", 2, 2, "pair (pid, groups)")
        || !bind_uint_mask(item(r->arg, 0), &pid) || !bind_uint_mask(item(r->arg, 1), &groups)) {
        return false;
    }
    r->out->netlink.nl_pid = pid;
    r->out->netlink.nl_groups = groups;
    *r->length = sizeof r->out->netlink;
    return true;
}

static bool read_qrtr(struct reading *r)
{
    unsigned int node, port;
    if (!is_tuple(r->arg, r->caller, "AF_QIPCRTR", 2, 2, "pair (node, port)")
        || !bind_uint_mask(item(r->arg, 0), &node) || !bind_uint_mask(item(r->arg, 1), &port)) {
        return false;
    }
    r->out->qrtr.sq_node = node;
    r->out->qrtr.sq_port = port;
    *r->length = sizeof r->out->qrtr;
    return true;
}

static bool read_vsock(struct reading *r)
{
    if (!PyTuple_Check(r->arg)) {
        PyErr_Format(PyExc_TypeError, "getsockaddrarg: AF_VSOCK address must be tuple, not %.500s",
                     Py_TYPE(r->arg)->tp_name);
        return false;
    }
    if (PyTuple_GET_SIZE(r->arg) != 2) {
        PyErr_Format(PyExc_TypeError, "getsockaddrarg() takes exactly 2 arguments (%zd given)",
                     PyTuple_GET_SIZE(r->arg));
        return false;
    }
    unsigned int cid, port;
    if (!bind_uint_mask(item(r->arg, 0), &cid) || !bind_uint_mask(item(r->arg, 1), &port)) {
        return false;
    }
    r->out->vsock.svm_cid = cid;
    r->out->vsock.svm_port = port;
    *r->length = sizeof r->out->vsock;
    return true;
}

static bool read_packet(struct reading *r)
{
    struct sockaddr_ll *out = &r->out->packet;
    int protocol, packet = 0, hardware = 0;
    const char *name;
    if (!is_tuple(r->arg, r->caller, "AF_PACKET", 2, 5, "tuple of two to five elements")
        || !bind_utf8(item(r->arg, 0), r->caller, "argument 1", &name)
        || !bind_int(item(r->arg, 1), &protocol)
        || (item(r->arg, 2) && !bind_int(item(r->arg, 2), &packet))
        || (item(r->arg, 3) && !bind_int(item(r->arg, 3), &hardware))) {
        return false;
    }
    if (item(r->arg, 4)) {
        Py_buffer address;
        if (!bind_buffer(item(r->arg, 4), &address)) {
            return false;
        }
        bool fits = address.len <= (Py_ssize_t)sizeof out->sll_addr;
        if (fits) {
            memcpy(out->sll_addr, address.buf, (size_t)address.len);
            out->sll_halen = (unsigned char)address.len;
        } else {
            PyErr_SetString(PyExc_ValueError, "hardware address must be 8 bytes or less");
        }
        PyBuffer_Release(&address);
        if (!fits) {
            return false;
        }
    }
    if (protocol < 0 || protocol > 0xFFFF) {
        PyErr_Format(PyExc_OverflowError, "%s(): proto must be 0-65535.", r->caller);
        return false;
    }
    out->sll_ifindex = (int)if_nametoindex(name);
    if (out->sll_ifindex == 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return false;
    }
    out->sll_protocol = htons((uint16_t)protocol);
    out->sll_pkttype = (unsigned char)packet;
    out->sll_hatype = (unsigned short)hardware;
    *r->length = sizeof *out;
    return true;
}

static bool read_tipc(struct reading *r)
{
    struct sockaddr_tipc *out = &r->out->tipc;
    unsigned int part[5] = {0, 0, 0, 0, TIPC_CLUSTER_SCOPE};
    if (!PyTuple_Check(r->arg)) {
        PyErr_Format(PyExc_TypeError, "%s(): AF_TIPC address must be tuple", r->caller);
        return false;
    }
    if (!is_tuple(r->arg, r->caller, "AF_TIPC", 4, 5, "tuple (addr_type, v1, v2, v3[, scope])")) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(r->arg); i++) {
        if (!bind_uint_mask(item(r->arg, i), &part[i])) {
            return false;
        }
    }
    out->scope = (signed char)part[4];
    switch (part[0]) {
    case TIPC_ADDR_NAMESEQ:
        out->addr.nameseq.type = part[1];
        out->addr.nameseq.lower = part[2];
        out->addr.nameseq.upper = part[3];
        break;
    case TIPC_ADDR_NAME:
        out->addr.name.name.type = part[1];
        out->addr.name.name.instance = part[2];
        break;
    case TIPC_ADDR_ID:
        out->addr.id.node = part[1];
        out->addr.id.ref = part[2];
        break;
    default:
        PyErr_SetString(PyExc_TypeError, "Invalid address type");
        return false;
    }
    out->addrtype = (unsigned char)part[0];
    *r->length = sizeof *out;
    return true;
}

static bool read_can(struct reading *r)
{
    struct sockaddr_can *out = &r->out->can;
    int index;
    *r->length = sizeof *out;
    switch (r->self->protocol) {
    case CAN_RAW:
    case CAN_BCM:
        if (!is_tuple(r->arg, r->caller, "AF_CAN", 1, 1, "tuple (interface, )")
            || !interface_read(item(r->arg, 0), &index)) {
            return false;
        }
        out->can_ifindex = index;
        return true;
    case CAN_ISOTP: {
        unsigned long receive, send;
        if (!is_tuple(r->arg, r->caller, "AF_CAN", 3, 3, "tuple (interface, rx_addr, tx_addr)")
            || !interface_read(item(r->arg, 0), &index)
            || !bind_ulong_mask(item(r->arg, 1), r->caller, "argument 2", &receive)
            || !bind_ulong_mask(item(r->arg, 2), r->caller, "argument 3", &send)) {
            return false;
        }
        out->can_ifindex = index;
        out->can_addr.tp.rx_id = (canid_t)receive;
        out->can_addr.tp.tx_id = (canid_t)send;
        return true;
    }
    case CAN_J1939: {
        unsigned int group;
        unsigned char address;
        if (!is_tuple(r->arg, r->caller, "AF_CAN", 4, 4, "tuple (interface, name, pgn, addr)")
            || !interface_read(item(r->arg, 0), &index)) {
            return false;
        }
        PyObject *name = PyNumber_Index(item(r->arg, 1));
        if (name == NULL) {
            return false;
        }
        unsigned long long wide = PyLong_AsUnsignedLongLongMask(name);
        Py_DECREF(name);
        if (PyErr_Occurred() || !bind_uint_mask(item(r->arg, 2), &group)
            || !bind_byte(item(r->arg, 3), &address)) {
            return false;
        }
        out->can_ifindex = index;
        out->can_addr.j1939.name = wide;
        out->can_addr.j1939.pgn = group;
        out->can_addr.j1939.addr = address;
        return true;
    }
    default:
        PyErr_Format(PyExc_OSError, "%s(): unsupported CAN protocol", r->caller);
        return false;
    }
}

/* Text as bytes without NUL that must fit. */
static bool word_read(PyObject *arg, const char *caller, const char *argument, unsigned char *out,
                      size_t size, const char *complaint)
{
    const char *text;
    if (!bind_utf8(arg, caller, argument, &text)) {
        return false;
    }
    size_t length = strlen(text);
    if (length >= size) {
        PyErr_SetString(PyExc_ValueError, complaint);
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

static bool read_alg(struct reading *r)
{
    struct sockaddr_alg *out = &r->out->alg;
    unsigned int features = 0, mask = 0;
    if (!is_tuple(r->arg, r->caller, "AF_ALG", 2, 4, "tuple (type, name[, feat[, mask]])")
        || !word_read(item(r->arg, 0), r->caller, "argument 1", out->salg_type,
                      sizeof out->salg_type, "AF_ALG type too long.")
        || !word_read(item(r->arg, 1), r->caller, "argument 2", out->salg_name,
                      sizeof out->salg_name, "AF_ALG name too long.")
        || (item(r->arg, 2) && !bind_uint_mask(item(r->arg, 2), &features))
        || (item(r->arg, 3) && !bind_uint_mask(item(r->arg, 3), &mask))) {
        return false;
    }
    out->salg_feat = features;
    out->salg_mask = mask;
    *r->length = sizeof *out;
    return true;
}

/* ---- reading: Bluetooth --------------------------------------------------------------------- */

/* "01:23:45:67:89:AB", stored from right to left. */
static bool device_parse(const char *text, uint8_t out[6])
{
    for (int i = 5; i >= 0; i--) {
        unsigned int value = 0;
        int digits = 0;
        for (; Py_ISXDIGIT(*text) && digits < 3; text++, digits++) {
            value =
                value * 16 + (unsigned int)(*text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10);
        }
        if (digits == 0 || value > 255 || *text != (i ? ':' : '\0')) {
            PyErr_SetString(PyExc_OSError, "bad bluetooth address");
            return false;
        }
        text++;
        out[i] = (uint8_t)value;
    }
    return true;
}

static bool wrong_format(struct reading *r)
{
    if (PyErr_Occurred() == NULL || PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_OSError, "%s(): wrong format", r->caller);
    }
    return false;
}

/* (device, number) */
static bool read_device_and_number(struct reading *r, uint8_t device[6], int *number)
{
    const char *text;
    if (!PyTuple_Check(r->arg) || PyTuple_GET_SIZE(r->arg) != 2
        || !bind_utf8(item(r->arg, 0), r->caller, "argument 1", &text)
        || !bind_int(item(r->arg, 1), number)) {
        return wrong_format(r);
    }
    return device_parse(text, device);
}

static bool read_bluetooth(struct reading *r)
{
    union address *out = r->out;
    int number;
    switch (r->self->protocol) {
    case BTPROTO_L2CAP:
        *r->length = sizeof out->l2cap;
        if (!read_device_and_number(r, out->l2cap.address, &number)) {
            return false;
        }
        out->l2cap.psm = (uint16_t)number;
        return true;
    case BTPROTO_RFCOMM:
        *r->length = sizeof out->rfcomm;
        if (!read_device_and_number(r, out->rfcomm.address, &number)) {
            return false;
        }
        out->rfcomm.channel = (uint8_t)number;
        return true;
    case BTPROTO_HCI:
        *r->length = sizeof out->hci;
        if (!PyTuple_Check(r->arg) || PyTuple_GET_SIZE(r->arg) != 1
            || !bind_int(item(r->arg, 0), &number)) {
            return wrong_format(r);
        }
        out->hci.device = (uint16_t)number;
        return true;
    case BTPROTO_SCO:
        *r->length = sizeof out->sco;
        return PyBytes_Check(r->arg) ? device_parse(PyBytes_AS_STRING(r->arg), out->sco.address)
                                     : wrong_format(r);
    default:
        PyErr_Format(PyExc_OSError, "%s(): unknown Bluetooth protocol", r->caller);
        return false;
    }
}

bool address_read(struct socket *self, PyObject *arg, const char *caller, union address *out,
                  socklen_t *length)
{
    static const struct {
        int family;
        bool (*read)(struct reading *);
    } readers[] = {
        {AF_INET, read_inet},       {AF_INET6, read_inet6},         {AF_UNIX, read_unix},
        {AF_NETLINK, read_netlink}, {AF_PACKET, read_packet},       {AF_CAN, read_can},
        {AF_VSOCK, read_vsock},     {AF_QIPCRTR, read_qrtr},        {AF_TIPC, read_tipc},
        {AF_ALG, read_alg},         {AF_BLUETOOTH, read_bluetooth}, {AF_RDS, read_inet},
    };
    memset(out, 0, sizeof *out);
    struct reading reading = {self, arg, caller, out, length};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(readers); i++) {
        if (readers[i].family == self->family) {
            if (!readers[i].read(&reading)) {
                return false;
            }
            /* RDS sockets take internet addresses as they are. */
            out->any.sa_family = (sa_family_t)(self->family == AF_RDS ? AF_INET : self->family);
            return true;
        }
    }
    PyErr_Format(PyExc_OSError, "%s(): bad family", caller);
    return false;
}

/* ---- making --------------------------------------------------------------------------------- */

PyObject *address_text(int family, const void *packed)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, packed, text, sizeof text) == NULL) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyUnicode_FromString(text);
}

static PyObject *make_unix(const struct sockaddr_un *address, socklen_t length)
{
    size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t size = length > start ? length - start : 0;
    size = Py_MIN(size, sizeof address->sun_path);
    if (size > 0 && address->sun_path[0] == '\0') {
        return PyBytes_FromStringAndSize(address->sun_path, (Py_ssize_t)size);
    }
    return PyUnicode_DecodeFSDefaultAndSize(address->sun_path,
                                            (Py_ssize_t)strnlen(address->sun_path, size));
}

static PyObject *make_inet6(const struct sockaddr_in6 *address)
{
    PyObject *host = address_text(AF_INET6, &address->sin6_addr);
    return host ? Py_BuildValue("NiII", host, ntohs(address->sin6_port),
                                ntohl(address->sin6_flowinfo), address->sin6_scope_id)
                : NULL;
}

/* The name of an interface, "" if it has none (new reference). */
static PyObject *interface_name(int index)
{
    char name[IF_NAMESIZE] = "";
    if (index != 0 && if_indextoname((unsigned int)index, name) == NULL) {
        name[0] = '\0';
    }
    return PyUnicode_DecodeFSDefault(name);
}

static PyObject *make_packet(const struct sockaddr_ll *address)
{
    Py_ssize_t length = Py_MIN(address->sll_halen, sizeof address->sll_addr);
    PyObject *name = interface_name(address->sll_ifindex);
    return name ? Py_BuildValue("NiiHy#", name, ntohs(address->sll_protocol), address->sll_pkttype,
                                address->sll_hatype, (const char *)address->sll_addr, length)
                : NULL;
}

static PyObject *make_can(const struct sockaddr_can *address, int protocol)
{
    PyObject *name = interface_name(address->can_ifindex);
    if (name == NULL) {
        return NULL;
    }
    switch (protocol) {
    case CAN_ISOTP:
        return Py_BuildValue("Nkk", name, (unsigned long)address->can_addr.tp.rx_id,
                             (unsigned long)address->can_addr.tp.tx_id);
    case CAN_J1939:
        return Py_BuildValue("NKIB", name, (unsigned long long)address->can_addr.j1939.name,
                             address->can_addr.j1939.pgn, address->can_addr.j1939.addr);
    default:
        return Py_BuildValue("(N)", name);
    }
}

static PyObject *make_tipc(const struct sockaddr_tipc *address)
{
    switch (address->addrtype) {
    case TIPC_ADDR_NAMESEQ:
        return Py_BuildValue("IIIII", address->addrtype, address->addr.nameseq.type,
                             address->addr.nameseq.lower, address->addr.nameseq.upper,
                             address->scope);
    case TIPC_ADDR_NAME:
        return Py_BuildValue("IIIII", address->addrtype, address->addr.name.name.type,
                             address->addr.name.name.instance, address->addr.name.name.instance,
                             address->scope);
    case TIPC_ADDR_ID:
        return Py_BuildValue("IIIII", address->addrtype, address->addr.id.node,
                             address->addr.id.ref, 0, address->scope);
    default:
        PyErr_SetString(PyExc_ValueError, "Invalid address type");
        return NULL;
    }
}

static PyObject *device_text(const uint8_t device[6])
{
    char text[18];
    PyOS_snprintf(text, sizeof text, "%02X:%02X:%02X:%02X:%02X:%02X", device[5], device[4],
                  device[3], device[2], device[1], device[0]);
    return PyUnicode_FromString(text);
}

static PyObject *make_bluetooth(const union address *address, int protocol)
{
    switch (protocol) {
    case BTPROTO_L2CAP:
        return Py_BuildValue("Ni", device_text(address->l2cap.address), address->l2cap.psm);
    case BTPROTO_RFCOMM:
        return Py_BuildValue("Ni", device_text(address->rfcomm.address), address->rfcomm.channel);
    case BTPROTO_HCI:
        return PyLong_FromLong(address->hci.device);
    case BTPROTO_SCO:
        return device_text(address->sco.address);
    default:
        PyErr_SetString(PyExc_ValueError, "Unknown Bluetooth protocol");
        return NULL;
    }
}

PyObject *address_make(const union address *address, socklen_t length, int protocol)
{
    if (length == 0) {
        return Py_NewRef(Py_None); /* the system had nothing to say */
    }
    switch (address->any.sa_family) {
    case AF_INET: {
        PyObject *host = address_text(AF_INET, &address->in.sin_addr);
        return host ? Py_BuildValue("Ni", host, ntohs(address->in.sin_port)) : NULL;
    }
    case AF_INET6:
        return make_inet6(&address->in6);
    case AF_UNIX:
        return make_unix(&address->un, length);
    case AF_NETLINK:
        return Py_BuildValue("II", address->netlink.nl_pid, address->netlink.nl_groups);
    case AF_QIPCRTR:
        return Py_BuildValue("II", address->qrtr.sq_node, address->qrtr.sq_port);
    case AF_VSOCK:
        return Py_BuildValue("II", address->vsock.svm_cid, address->vsock.svm_port);
    case AF_PACKET:
        return make_packet(&address->packet);
    case AF_CAN:
        return make_can(&address->can, protocol);
    case AF_TIPC:
        return make_tipc(&address->tipc);
    case AF_BLUETOOTH:
        return make_bluetooth(address, protocol);
    default:
        return Py_BuildValue("iy#", address->any.sa_family, address->any.sa_data,
                             (Py_ssize_t)sizeof address->any.sa_data);
    }
}
