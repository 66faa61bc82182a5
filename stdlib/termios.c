/* The module termios. */
#include "module.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct terminal_state {
    PyObject *error;
};

#include "termios.bind.h"

static int raise_error(PyObject *module)
{
    PyErr_SetFromErrno(((struct terminal_state *)PyModule_GetState(module))->error);
    return -1;
}

/* Makes a call without the lock; the function returns on failure. */
#define TERMINAL_CALL(module, call)                                                                \
    do {                                                                                           \
        int call_result;                                                                           \
        Py_BEGIN_ALLOW_THREADS call_result = call;                                                 \
        Py_END_ALLOW_THREADS if (call_result == -1)                                                \
        {                                                                                          \
            return raise_error(module);                                                            \
        }                                                                                          \
    } while (0)

static int get_attributes(PyObject *module, int fd, struct termios *mode)
{
    TERMINAL_CALL(module, tcgetattr(fd, mode));
    return 0;
}

static PyObject *terminal_tcgetattr(PyObject *module, int fd)
{
    struct termios mode;
    if (get_attributes(module, fd, &mode) < 0) {
        return NULL;
    }
    PyObject *cc = PyList_New(NCCS);
    bool canonical = mode.c_lflag & ICANON;
    for (int i = 0; cc != NULL && i < NCCS; i++) {
        char ch = (char)mode.c_cc[i];
        PyObject *item = !canonical && (i == VMIN || i == VTIME)
                             ? PyLong_FromLong(mode.c_cc[i])
                             : PyBytes_FromStringAndSize(&ch, 1);
        if (item == NULL) {
            Py_CLEAR(cc);
            break;
        }
        PyList_SET_ITEM(cc, i, item);
    }
    return cc ? Py_BuildValue("[kkkkIIN]", (unsigned long)mode.c_iflag, (unsigned long)mode.c_oflag,
                              (unsigned long)mode.c_cflag, (unsigned long)mode.c_lflag,
                              cfgetispeed(&mode), cfgetospeed(&mode), cc)
              : NULL;
}

/* Reads one control character: bytes of length 1 or an int. */
static bool control_character(PyObject *item, cc_t *out)
{
    if (PyBytes_Check(item) && PyBytes_GET_SIZE(item) == 1) {
        *out = (cc_t)PyBytes_AS_STRING(item)[0];
        return true;
    }
    if (PyLong_Check(item)) {
        long value;
        if (!bind_long(item, &value)) {
            return false;
        }
        if ((cc_t)value != value) {
            PyErr_SetString(PyExc_OverflowError, "integer out of range");
            return false;
        }
        *out = (cc_t)value;
        return true;
    }
    PyErr_SetString(PyExc_TypeError,
                    "tcsetattr: elements of attributes must be characters or integers");
    return false;
}

static bool flags_of(PyObject *attributes, Py_ssize_t i, tcflag_t *out)
{
    PyObject *item = PyList_GetItemRef(attributes, i);
    unsigned long value = item ? PyLong_AsUnsignedLong(item) : (unsigned long)-1;
    Py_XDECREF(item);
    *out = (tcflag_t)value;
    return value != (unsigned long)-1 || !PyErr_Occurred();
}

static bool control_characters(PyObject *attributes, struct termios *mode)
{
    PyObject *cc = PyList_GetItemRef(attributes, 6);
    bool fine = cc != NULL && PyList_Check(cc) && PyList_GET_SIZE(cc) == NCCS;
    if (!fine && cc != NULL) {
        PyErr_Format(PyExc_TypeError, "tcsetattr: attributes[6] must be %d element list", NCCS);
    }
    for (int i = 0; fine && i < NCCS; i++) {
        PyObject *item = PyList_GetItemRef(cc, i);
        fine = item != NULL && control_character(item, &mode->c_cc[i]);
        Py_XDECREF(item);
    }
    Py_XDECREF(cc);
    return fine;
}

static int terminal_tcsetattr(PyObject *module, int fd, int when, PyObject *attributes)
{
    if (!PyList_Check(attributes) || PyList_GET_SIZE(attributes) != 7) {
        PyErr_SetString(PyExc_TypeError, "tcsetattr, arg 3: must be 7 element list");
        return -1;
    }
    struct termios mode;
    if (get_attributes(module, fd, &mode) < 0) {
        return -1;
    }
    tcflag_t input_speed, output_speed;
    if (!flags_of(attributes, 0, &mode.c_iflag) || !flags_of(attributes, 1, &mode.c_oflag)
        || !flags_of(attributes, 2, &mode.c_cflag) || !flags_of(attributes, 3, &mode.c_lflag)
        || !flags_of(attributes, 4, &input_speed) || !flags_of(attributes, 5, &output_speed)
        || !control_characters(attributes, &mode)) {
        return -1;
    }
    if (cfsetispeed(&mode, input_speed) == -1 || cfsetospeed(&mode, output_speed) == -1) {
        return raise_error(module);
    }
    TERMINAL_CALL(module, tcsetattr(fd, when, &mode));
    return 0;
}

static int terminal_tcsendbreak(PyObject *module, int fd, int duration)
{
    TERMINAL_CALL(module, tcsendbreak(fd, duration));
    return 0;
}

static int terminal_tcdrain(PyObject *module, int fd)
{
    TERMINAL_CALL(module, tcdrain(fd));
    return 0;
}

static int terminal_tcflush(PyObject *module, int fd, int queue)
{
    TERMINAL_CALL(module, tcflush(fd, queue));
    return 0;
}

static int terminal_tcflow(PyObject *module, int fd, int action)
{
    TERMINAL_CALL(module, tcflow(fd, action));
    return 0;
}

static int get_window(PyObject *module, int fd, struct winsize *window)
{
    TERMINAL_CALL(module, ioctl(fd, TIOCGWINSZ, window));
    return 0;
}

static PyObject *terminal_tcgetwinsize(PyObject *module, int fd)
{
    struct winsize window;
    return get_window(module, fd, &window) < 0
               ? NULL
               : Py_BuildValue("ii", (int)window.ws_row, (int)window.ws_col);
}

/* An item of the size as an unsigned short. */
static bool window_length(PyObject *pair, Py_ssize_t i, unsigned short *out)
{
    PyObject *item = PySequence_GetItem(pair, i);
    long value = item ? PyLong_AsLong(item) : -1;
    Py_XDECREF(item);
    if (value == -1 && PyErr_Occurred()) {
        return false;
    }
    if ((unsigned short)value != value) {
        PyErr_SetString(PyExc_OverflowError, "winsize value(s) out of range.");
        return false;
    }
    *out = (unsigned short)value;
    return true;
}

static int terminal_tcsetwinsize(PyObject *module, int fd, PyObject *size)
{
    if (!PySequence_Check(size) || PySequence_Size(size) != 2) {
        PyErr_SetString(PyExc_TypeError, "tcsetwinsize, arg 2: must be a two-item sequence");
        return -1;
    }
    unsigned short rows, columns;
    struct winsize window;
    if (!window_length(size, 0, &rows) || !window_length(size, 1, &columns)
        || get_window(module, fd, &window) < 0) {
        return -1;
    }
    window.ws_row = rows;
    window.ws_col = columns;
    TERMINAL_CALL(module, ioctl(fd, TIOCSWINSZ, &window));
    return 0;
}

static const struct constant termios_constants[] = {
#ifdef B0
    CONSTANT(B0),
#endif
#ifdef B1000000
    CONSTANT(B1000000),
#endif
#ifdef B110
    CONSTANT(B110),
#endif
#ifdef B115200
    CONSTANT(B115200),
#endif
#ifdef B1152000
    CONSTANT(B1152000),
#endif
#ifdef B1200
    CONSTANT(B1200),
#endif
#ifdef B134
    CONSTANT(B134),
#endif
#ifdef B150
    CONSTANT(B150),
#endif
#ifdef B1500000
    CONSTANT(B1500000),
#endif
#ifdef B1800
    CONSTANT(B1800),
#endif
#ifdef B19200
    CONSTANT(B19200),
#endif
#ifdef B200
    CONSTANT(B200),
#endif
#ifdef B2000000
    CONSTANT(B2000000),
#endif
#ifdef B230400
    CONSTANT(B230400),
#endif
#ifdef B2400
    CONSTANT(B2400),
#endif
#ifdef B2500000
    CONSTANT(B2500000),
#endif
#ifdef B300
    CONSTANT(B300),
#endif
#ifdef B3000000
    CONSTANT(B3000000),
#endif
#ifdef B3500000
    CONSTANT(B3500000),
#endif
#ifdef B38400
    CONSTANT(B38400),
#endif
#ifdef B4000000
    CONSTANT(B4000000),
#endif
#ifdef B460800
    CONSTANT(B460800),
#endif
#ifdef B4800
    CONSTANT(B4800),
#endif
#ifdef B50
    CONSTANT(B50),
#endif
#ifdef B500000
    CONSTANT(B500000),
#endif
#ifdef B57600
    CONSTANT(B57600),
#endif
#ifdef B576000
    CONSTANT(B576000),
#endif
#ifdef B600
    CONSTANT(B600),
#endif
#ifdef B75
    CONSTANT(B75),
#endif
#ifdef B921600
    CONSTANT(B921600),
#endif
#ifdef B9600
    CONSTANT(B9600),
#endif
#ifdef BRKINT
    CONSTANT(BRKINT),
#endif
#ifdef BS0
    CONSTANT(BS0),
#endif
#ifdef BS1
    CONSTANT(BS1),
#endif
#ifdef BSDLY
    CONSTANT(BSDLY),
#endif
#ifdef CBAUD
    CONSTANT(CBAUD),
#endif
#ifdef CBAUDEX
    CONSTANT(CBAUDEX),
#endif
#ifdef CDSUSP
    CONSTANT(CDSUSP),
#endif
#ifdef CEOF
    CONSTANT(CEOF),
#endif
#ifdef CEOL
    CONSTANT(CEOL),
#endif
#ifdef CEOT
    CONSTANT(CEOT),
#endif
#ifdef CERASE
    CONSTANT(CERASE),
#endif
#ifdef CFLUSH
    CONSTANT(CFLUSH),
#endif
#ifdef CIBAUD
    CONSTANT(CIBAUD),
#endif
#ifdef CINTR
    CONSTANT(CINTR),
#endif
#ifdef CKILL
    CONSTANT(CKILL),
#endif
#ifdef CLNEXT
    CONSTANT(CLNEXT),
#endif
#ifdef CLOCAL
    CONSTANT(CLOCAL),
#endif
#ifdef CQUIT
    CONSTANT(CQUIT),
#endif
#ifdef CR0
    CONSTANT(CR0),
#endif
#ifdef CR1
    CONSTANT(CR1),
#endif
#ifdef CR2
    CONSTANT(CR2),
#endif
#ifdef CR3
    CONSTANT(CR3),
#endif
#ifdef CRDLY
    CONSTANT(CRDLY),
#endif
#ifdef CREAD
    CONSTANT(CREAD),
#endif
#ifdef CRPRNT
    CONSTANT(CRPRNT),
#endif
#ifdef CRTSCTS
    CONSTANT(CRTSCTS),
#endif
#ifdef CS5
    CONSTANT(CS5),
#endif
#ifdef CS6
    CONSTANT(CS6),
#endif
#ifdef CS7
    CONSTANT(CS7),
#endif
#ifdef CS8
    CONSTANT(CS8),
#endif
#ifdef CSIZE
    CONSTANT(CSIZE),
#endif
#ifdef CSTART
    CONSTANT(CSTART),
#endif
#ifdef CSTOP
    CONSTANT(CSTOP),
#endif
#ifdef CSTOPB
    CONSTANT(CSTOPB),
#endif
#ifdef CSUSP
    CONSTANT(CSUSP),
#endif
#ifdef CWERASE
    CONSTANT(CWERASE),
#endif
#ifdef ECHO
    CONSTANT(ECHO),
#endif
#ifdef ECHOCTL
    CONSTANT(ECHOCTL),
#endif
#ifdef ECHOE
    CONSTANT(ECHOE),
#endif
#ifdef ECHOK
    CONSTANT(ECHOK),
#endif
#ifdef ECHOKE
    CONSTANT(ECHOKE),
#endif
#ifdef ECHONL
    CONSTANT(ECHONL),
#endif
#ifdef ECHOPRT
    CONSTANT(ECHOPRT),
#endif
#ifdef EXTA
    CONSTANT(EXTA),
#endif
#ifdef EXTB
    CONSTANT(EXTB),
#endif
#ifdef EXTPROC
    CONSTANT(EXTPROC),
#endif
#ifdef FF0
    CONSTANT(FF0),
#endif
#ifdef FF1
    CONSTANT(FF1),
#endif
#ifdef FFDLY
    CONSTANT(FFDLY),
#endif
#ifdef FIOASYNC
    CONSTANT(FIOASYNC),
#endif
#ifdef FIOCLEX
    CONSTANT(FIOCLEX),
#endif
#ifdef FIONBIO
    CONSTANT(FIONBIO),
#endif
#ifdef FIONCLEX
    CONSTANT(FIONCLEX),
#endif
#ifdef FIONREAD
    CONSTANT(FIONREAD),
#endif
#ifdef FLUSHO
    CONSTANT(FLUSHO),
#endif
#ifdef HUPCL
    CONSTANT(HUPCL),
#endif
#ifdef ICANON
    CONSTANT(ICANON),
#endif
#ifdef ICRNL
    CONSTANT(ICRNL),
#endif
#ifdef IEXTEN
    CONSTANT(IEXTEN),
#endif
#ifdef IGNBRK
    CONSTANT(IGNBRK),
#endif
#ifdef IGNCR
    CONSTANT(IGNCR),
#endif
#ifdef IGNPAR
    CONSTANT(IGNPAR),
#endif
#ifdef IMAXBEL
    CONSTANT(IMAXBEL),
#endif
#ifdef INLCR
    CONSTANT(INLCR),
#endif
#ifdef INPCK
    CONSTANT(INPCK),
#endif
#ifdef IOCSIZE_MASK
    CONSTANT(IOCSIZE_MASK),
#endif
#ifdef IOCSIZE_SHIFT
    CONSTANT(IOCSIZE_SHIFT),
#endif
#ifdef ISIG
    CONSTANT(ISIG),
#endif
#ifdef ISTRIP
    CONSTANT(ISTRIP),
#endif
#ifdef IUCLC
    CONSTANT(IUCLC),
#endif
#ifdef IUTF8
    CONSTANT(IUTF8),
#endif
#ifdef IXANY
    CONSTANT(IXANY),
#endif
#ifdef IXOFF
    CONSTANT(IXOFF),
#endif
#ifdef IXON
    CONSTANT(IXON),
#endif
#ifdef NCC
    CONSTANT(NCC),
#endif
#ifdef NCCS
    CONSTANT(NCCS),
#endif
#ifdef NL0
    CONSTANT(NL0),
#endif
#ifdef NL1
    CONSTANT(NL1),
#endif
#ifdef NLDLY
    CONSTANT(NLDLY),
#endif
#ifdef NOFLSH
    CONSTANT(NOFLSH),
#endif
#ifdef N_MOUSE
    CONSTANT(N_MOUSE),
#endif
#ifdef N_PPP
    CONSTANT(N_PPP),
#endif
#ifdef N_SLIP
    CONSTANT(N_SLIP),
#endif
#ifdef N_STRIP
    CONSTANT(N_STRIP),
#endif
#ifdef N_TTY
    CONSTANT(N_TTY),
#endif
#ifdef OCRNL
    CONSTANT(OCRNL),
#endif
#ifdef OFDEL
    CONSTANT(OFDEL),
#endif
#ifdef OFILL
    CONSTANT(OFILL),
#endif
#ifdef OLCUC
    CONSTANT(OLCUC),
#endif
#ifdef ONLCR
    CONSTANT(ONLCR),
#endif
#ifdef ONLRET
    CONSTANT(ONLRET),
#endif
#ifdef ONOCR
    CONSTANT(ONOCR),
#endif
#ifdef OPOST
    CONSTANT(OPOST),
#endif
#ifdef PARENB
    CONSTANT(PARENB),
#endif
#ifdef PARMRK
    CONSTANT(PARMRK),
#endif
#ifdef PARODD
    CONSTANT(PARODD),
#endif
#ifdef PENDIN
    CONSTANT(PENDIN),
#endif
#ifdef TAB0
    CONSTANT(TAB0),
#endif
#ifdef TAB1
    CONSTANT(TAB1),
#endif
#ifdef TAB2
    CONSTANT(TAB2),
#endif
#ifdef TAB3
    CONSTANT(TAB3),
#endif
#ifdef TABDLY
    CONSTANT(TABDLY),
#endif
#ifdef TCFLSH
    CONSTANT(TCFLSH),
#endif
#ifdef TCGETA
    CONSTANT(TCGETA),
#endif
#ifdef TCGETS
    CONSTANT(TCGETS),
#endif
#ifdef TCIFLUSH
    CONSTANT(TCIFLUSH),
#endif
#ifdef TCIOFF
    CONSTANT(TCIOFF),
#endif
#ifdef TCIOFLUSH
    CONSTANT(TCIOFLUSH),
#endif
#ifdef TCION
    CONSTANT(TCION),
#endif
#ifdef TCOFLUSH
    CONSTANT(TCOFLUSH),
#endif
#ifdef TCOOFF
    CONSTANT(TCOOFF),
#endif
#ifdef TCOON
    CONSTANT(TCOON),
#endif
#ifdef TCSADRAIN
    CONSTANT(TCSADRAIN),
#endif
#ifdef TCSAFLUSH
    CONSTANT(TCSAFLUSH),
#endif
#ifdef TCSANOW
    CONSTANT(TCSANOW),
#endif
#ifdef TCSBRK
    CONSTANT(TCSBRK),
#endif
#ifdef TCSBRKP
    CONSTANT(TCSBRKP),
#endif
#ifdef TCSETA
    CONSTANT(TCSETA),
#endif
#ifdef TCSETAF
    CONSTANT(TCSETAF),
#endif
#ifdef TCSETAW
    CONSTANT(TCSETAW),
#endif
#ifdef TCSETS
    CONSTANT(TCSETS),
#endif
#ifdef TCSETSF
    CONSTANT(TCSETSF),
#endif
#ifdef TCSETSW
    CONSTANT(TCSETSW),
#endif
#ifdef TCXONC
    CONSTANT(TCXONC),
#endif
#ifdef TIOCCONS
    CONSTANT(TIOCCONS),
#endif
#ifdef TIOCEXCL
    CONSTANT(TIOCEXCL),
#endif
#ifdef TIOCGETD
    CONSTANT(TIOCGETD),
#endif
#ifdef TIOCGICOUNT
    CONSTANT(TIOCGICOUNT),
#endif
#ifdef TIOCGLCKTRMIOS
    CONSTANT(TIOCGLCKTRMIOS),
#endif
#ifdef TIOCGPGRP
    CONSTANT(TIOCGPGRP),
#endif
#ifdef TIOCGSERIAL
    CONSTANT(TIOCGSERIAL),
#endif
#ifdef TIOCGSOFTCAR
    CONSTANT(TIOCGSOFTCAR),
#endif
#ifdef TIOCGWINSZ
    CONSTANT(TIOCGWINSZ),
#endif
#ifdef TIOCINQ
    CONSTANT(TIOCINQ),
#endif
#ifdef TIOCLINUX
    CONSTANT(TIOCLINUX),
#endif
#ifdef TIOCMBIC
    CONSTANT(TIOCMBIC),
#endif
#ifdef TIOCMBIS
    CONSTANT(TIOCMBIS),
#endif
#ifdef TIOCMGET
    CONSTANT(TIOCMGET),
#endif
#ifdef TIOCMIWAIT
    CONSTANT(TIOCMIWAIT),
#endif
#ifdef TIOCMSET
    CONSTANT(TIOCMSET),
#endif
#ifdef TIOCM_CAR
    CONSTANT(TIOCM_CAR),
#endif
#ifdef TIOCM_CD
    CONSTANT(TIOCM_CD),
#endif
#ifdef TIOCM_CTS
    CONSTANT(TIOCM_CTS),
#endif
#ifdef TIOCM_DSR
    CONSTANT(TIOCM_DSR),
#endif
#ifdef TIOCM_DTR
    CONSTANT(TIOCM_DTR),
#endif
#ifdef TIOCM_LE
    CONSTANT(TIOCM_LE),
#endif
#ifdef TIOCM_RI
    CONSTANT(TIOCM_RI),
#endif
#ifdef TIOCM_RNG
    CONSTANT(TIOCM_RNG),
#endif
#ifdef TIOCM_RTS
    CONSTANT(TIOCM_RTS),
#endif
#ifdef TIOCM_SR
    CONSTANT(TIOCM_SR),
#endif
#ifdef TIOCM_ST
    CONSTANT(TIOCM_ST),
#endif
#ifdef TIOCNOTTY
    CONSTANT(TIOCNOTTY),
#endif
#ifdef TIOCNXCL
    CONSTANT(TIOCNXCL),
#endif
#ifdef TIOCOUTQ
    CONSTANT(TIOCOUTQ),
#endif
#ifdef TIOCPKT
    CONSTANT(TIOCPKT),
#endif
#ifdef TIOCPKT_DATA
    CONSTANT(TIOCPKT_DATA),
#endif
#ifdef TIOCPKT_DOSTOP
    CONSTANT(TIOCPKT_DOSTOP),
#endif
#ifdef TIOCPKT_FLUSHREAD
    CONSTANT(TIOCPKT_FLUSHREAD),
#endif
#ifdef TIOCPKT_FLUSHWRITE
    CONSTANT(TIOCPKT_FLUSHWRITE),
#endif
#ifdef TIOCPKT_NOSTOP
    CONSTANT(TIOCPKT_NOSTOP),
#endif
#ifdef TIOCPKT_START
    CONSTANT(TIOCPKT_START),
#endif
#ifdef TIOCPKT_STOP
    CONSTANT(TIOCPKT_STOP),
#endif
#ifdef TIOCSCTTY
    CONSTANT(TIOCSCTTY),
#endif
#ifdef TIOCSERCONFIG
    CONSTANT(TIOCSERCONFIG),
#endif
#ifdef TIOCSERGETLSR
    CONSTANT(TIOCSERGETLSR),
#endif
#ifdef TIOCSERGETMULTI
    CONSTANT(TIOCSERGETMULTI),
#endif
#ifdef TIOCSERGSTRUCT
    CONSTANT(TIOCSERGSTRUCT),
#endif
#ifdef TIOCSERGWILD
    CONSTANT(TIOCSERGWILD),
#endif
#ifdef TIOCSERSETMULTI
    CONSTANT(TIOCSERSETMULTI),
#endif
#ifdef TIOCSERSWILD
    CONSTANT(TIOCSERSWILD),
#endif
#ifdef TIOCSER_TEMT
    CONSTANT(TIOCSER_TEMT),
#endif
#ifdef TIOCSETD
    CONSTANT(TIOCSETD),
#endif
#ifdef TIOCSLCKTRMIOS
    CONSTANT(TIOCSLCKTRMIOS),
#endif
#ifdef TIOCSPGRP
    CONSTANT(TIOCSPGRP),
#endif
#ifdef TIOCSSERIAL
    CONSTANT(TIOCSSERIAL),
#endif
#ifdef TIOCSSOFTCAR
    CONSTANT(TIOCSSOFTCAR),
#endif
#ifdef TIOCSTI
    CONSTANT(TIOCSTI),
#endif
#ifdef TIOCSWINSZ
    CONSTANT(TIOCSWINSZ),
#endif
#ifdef TOSTOP
    CONSTANT(TOSTOP),
#endif
#ifdef VDISCARD
    CONSTANT(VDISCARD),
#endif
#ifdef VEOF
    CONSTANT(VEOF),
#endif
#ifdef VEOL
    CONSTANT(VEOL),
#endif
#ifdef VEOL2
    CONSTANT(VEOL2),
#endif
#ifdef VERASE
    CONSTANT(VERASE),
#endif
#ifdef VINTR
    CONSTANT(VINTR),
#endif
#ifdef VKILL
    CONSTANT(VKILL),
#endif
#ifdef VLNEXT
    CONSTANT(VLNEXT),
#endif
#ifdef VMIN
    CONSTANT(VMIN),
#endif
#ifdef VQUIT
    CONSTANT(VQUIT),
#endif
#ifdef VREPRINT
    CONSTANT(VREPRINT),
#endif
#ifdef VSTART
    CONSTANT(VSTART),
#endif
#ifdef VSTOP
    CONSTANT(VSTOP),
#endif
#ifdef VSUSP
    CONSTANT(VSUSP),
#endif
#ifdef VSWTC
    CONSTANT(VSWTC),
#endif
#ifdef VSWTCH
    CONSTANT(VSWTCH),
#endif
#ifdef VT0
    CONSTANT(VT0),
#endif
#ifdef VT1
    CONSTANT(VT1),
#endif
#ifdef VTDLY
    CONSTANT(VTDLY),
#endif
#ifdef VTIME
    CONSTANT(VTIME),
#endif
#ifdef VWERASE
    CONSTANT(VWERASE),
#endif
#ifdef XCASE
    CONSTANT(XCASE),
#endif
#ifdef XTABS
    CONSTANT(XTABS),
#endif
#ifdef _POSIX_VDISABLE
    CONSTANT(_POSIX_VDISABLE),
#endif
};

static int terminal_exec(PyObject *module)
{
    struct terminal_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("termios.error", NULL, NULL);
    if (PyModule_AddObjectRef(module, "error", state->error) < 0) {
        return -1;
    }
    return module_constants(module, termios_constants, Py_ARRAY_LENGTH(termios_constants));
}

STATE_OBJECTS(terminal)

static PyModuleDef_Slot terminal_slots[] = MODULE_SLOTS(terminal_exec);

static PyModuleDef terminal_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "termios",       .m_doc = terminal_doc,
    .m_methods = terminal_methods, .m_slots = terminal_slots, STATE_FIELDS(terminal),
};

MODULE_INIT(termios, terminal_module)
