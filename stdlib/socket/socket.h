/* What the files of the module _socket share: the socket object, addresses, and calls that wait. */
#ifndef KRAIT_STDLIB_SOCKET_H
#define KRAIT_STDLIB_SOCKET_H

#include "module.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/can.h>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>

#pragma GCC visibility push(hidden)

/* What the capsule _socket.CAPI points to. */
struct socket_capi {
    PyTypeObject *type;
    PyObject *error, *timeout_error;
};

struct socket_state {
    PyObject *socket_type, *herror, *gaierror;
    PyTime_t default_timeout; /* as in struct socket; read and written atomically */
};

/* The first part, down to `timeout`, is known to extensions that take the capsule.  The descriptor
 * and the timeout may change in other threads, so they are accessed atomically. */
struct socket {
    PyObject_HEAD
    int fd; /* -1: closed or detached */
    int family, type, protocol;
    PyObject *(*raise)(void);
    PyTime_t timeout; /* nanoseconds; negative: none; 0: never waits */
    struct socket_state *state;
};

static inline struct socket_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

static inline int socket_fd(struct socket *self)
{
    return __atomic_load_n(&self->fd, __ATOMIC_RELAXED);
}

static inline PyTime_t socket_timeout(struct socket *self)
{
    return __atomic_load_n(&self->timeout, __ATOMIC_RELAXED);
}

/* ---- addresses (address.c) ------------------------------------------------------------------ */

/* Bluetooth's addresses as the kernel has them; its headers are not always installed. */
struct address_l2cap {
    sa_family_t family;
    uint16_t psm;
    uint8_t address[6];
    uint16_t cid;
    uint8_t address_type;
};

struct address_rfcomm {
    sa_family_t family;
    uint8_t address[6];
    uint8_t channel;
};

struct address_hci {
    sa_family_t family;
    uint16_t device, channel;
};

struct address_sco {
    sa_family_t family;
    uint8_t address[6];
};

enum { BTPROTO_L2CAP, BTPROTO_HCI, BTPROTO_SCO, BTPROTO_RFCOMM };

union address {
    struct sockaddr any;
    struct sockaddr_storage storage;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_nl netlink;
    struct sockaddr_ll packet;
    struct sockaddr_can can;
    struct sockaddr_vm vsock;
    struct sockaddr_tipc tipc;
    struct sockaddr_qrtr qrtr;
    struct sockaddr_alg alg;
    struct address_l2cap l2cap;
    struct address_rfcomm rfcomm;
    struct address_hci hci;
    struct address_sco sco;
};

/* Converts what Python code calls an address of this socket; `caller` is named in messages.  May run
 * Python code and ask a name server.  False with an exception. */
bool address_read(struct socket *self, PyObject *arg, const char *caller, union address *out,
                  socklen_t *length);

/* The Python form of an address (new reference); the protocol tells apart what AF_CAN and
 * AF_BLUETOOTH mean by it, -1 if there is none. */
PyObject *address_make(const union address *address, socklen_t length, int protocol);

/* A packed address as text (new reference). */
PyObject *address_text(int family, const void *packed);

/* ---- names (resolve.c) ---------------------------------------------------------------------- */

/* A host name as bytes; host_read may run Python code.  With `complaint`, that TypeError replaces
 * the codec's own error. */
struct host {
    PyObject *bytes;
    const char *name;
};

bool host_read(PyObject *arg, struct host *host, const char *complaint);
void host_drop(struct host *host);

#define HOST(name) __attribute__((cleanup(host_drop))) struct host name = {NULL, NULL}

/* The address of a host, without a port; "" is any, "<broadcast>" is what it says.  May block.
 * False with an exception. */
bool host_resolve(struct socket_state *state, const char *name, int family, union address *out,
                  socklen_t *length);

/* ---- calls that wait (object.c) ------------------------------------------------------------- */

/* A system call while other threads run; errno is the call's. */
#define BLOCKING(expr)                                                                             \
    __extension__({                                                                                \
        __typeof__(expr) blocking_result;                                                          \
        int blocking_errno;                                                                        \
        Py_BEGIN_ALLOW_THREADS blocking_result = (expr);                                           \
        blocking_errno = errno;                                                                    \
        Py_END_ALLOW_THREADS errno = blocking_errno;                                               \
        blocking_result;                                                                           \
    })

/* How long an operation may still take.  The clock is not read before there is a wait. */
struct patience {
    PyTime_t timeout;
    PyTime_t deadline; /* 0: not begun */
};

#define PATIENCE(self)                                                                             \
    {                                                                                              \
        socket_timeout(self), 0                                                                    \
    }

/* Waits until the socket is ready for `events`: 1, or 0 when the time is up, or -1 with an
 * exception.  Signal handlers may run. */
int socket_wait(struct socket *self, short events, struct patience *patience);

/* After a failed call, by errno: whether it is to be tried again, possibly after a wait; otherwise
 * an exception is raised. */
bool socket_again(struct socket *self, short events, struct patience *patience);

/* The result of a system call on the socket, tried again as long as need be: -1 with an exception,
 * or what the call returned. */
#define SOCKET_CALL(self, events, patience, expr)                                                  \
    __extension__({                                                                                \
        __typeof__(expr) call_result;                                                              \
        do {                                                                                       \
            call_result = BLOCKING(expr);                                                          \
        } while (call_result < 0 && socket_again(self, events, patience));                         \
        call_result;                                                                               \
    })

/* The flags of a receive or a send.  With a timeout it must not block whatever mode the file is in,
 * as others may have it open too. */
static inline int socket_flags(const struct patience *patience, int flags)
{
    return patience->timeout > 0 ? flags | MSG_DONTWAIT : flags;
}

/* Closes a descriptor while other threads run; the result of close(). */
static inline int fd_close(int fd)
{
    return BLOCKING(close(fd));
}

/* Seconds or None as nanoseconds, for a timeout.  May run Python code; false with an exception. */
bool timeout_read(PyObject *arg, PyTime_t *out);
PyObject *timeout_make(PyTime_t timeout);

/* Switches O_NONBLOCK; -1 with an exception. */
int fd_set_blocking(int fd, bool blocking);

extern PyModuleDef net_module;
extern PyType_Spec socket_spec;

int socket_add_constants(PyObject *module); /* constants.c */

#pragma GCC visibility pop

#endif
