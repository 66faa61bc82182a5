/* The module syslog. */
#include "module.h"

#include <syslog.h>

#include "syslog.bind.h"

/* The log is the process's: the C library keeps a pointer to the identity, so does this. */
static PyMutex logger_mutex;
static char *logger_ident;
static bool logger_open;

/* Takes over `ident` (allocated, or NULL); with the mutex held. */
static void logger_start(char *ident, long option, long facility)
{
    char *old = logger_ident;
    logger_ident = ident;
    openlog(ident, (int)option, (int)facility);
    logger_open = true;
    PyMem_RawFree(old);
}

static char *text_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = PyMem_RawMalloc(size);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return memcpy(copy, text, size);
}

/* The name of the program: the last part of sys.argv[0] (allocated), NULL if there is none. */
static char *program_name(void)
{
    PyObject *argv = PySys_GetObject("argv");
    PyObject *first =
        argv && PyList_Check(argv) && PyList_GET_SIZE(argv) > 0 ? PyList_GetItemRef(argv, 0) : NULL;
    char *name = NULL;
    if (first != NULL && PyUnicode_Check(first) && PyUnicode_GET_LENGTH(first) > 0) {
        const char *path = PyUnicode_AsUTF8(first);
        if (path != NULL) {
            const char *slash = strrchr(path, '/');
            name = text_copy(slash ? slash + 1 : path);
        }
    }
    Py_XDECREF(first);
    PyErr_Clear();
    return name;
}

/* The log belongs to the main interpreter; -1 with RuntimeError in others. */
static int main_interpreter_only(const char *complaint)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, complaint);
        return -1;
    }
    return 0;
}

static int logger_openlog(PyObject *Py_UNUSED(module), PyObject *ident, long logoption,
                          long facility)
{
    char *name = NULL;
    if (main_interpreter_only("subinterpreter can't use syslog.openlog()") < 0) {
        return -1;
    }
    if (ident != NULL) {
        const char *text = PyUnicode_AsUTF8(ident);
        name = text ? text_copy(text) : NULL;
        if (name == NULL) {
            return -1;
        }
    } else {
        name = program_name();
    }
    if (PySys_Audit("syslog.openlog", "zll", name, logoption, facility) < 0) {
        PyMem_RawFree(name);
        return -1;
    }
    PyMutex_Lock(&logger_mutex);
    logger_start(name, logoption, facility);
    PyMutex_Unlock(&logger_mutex);
    return 0;
}

static int logger_syslog(PyObject *module, int priority, PyObject *message, int priority_given)
{
    priority = priority_given ? priority : LOG_INFO;
    const char *text = PyUnicode_AsUTF8(message);
    if (text == NULL || PySys_Audit("syslog.syslog", "is", priority, text) < 0) {
        return -1;
    }
    if (!logger_open
        && main_interpreter_only("subinterpreter can't use syslog.syslog() until the syslog is "
                                 "opened by the main interpreter")
               < 0) {
        return -1;
    }
    if (!logger_open && logger_openlog(module, NULL, 0, LOG_USER) < 0) {
        return -1;
    }
    Py_BEGIN_ALLOW_THREADS PyMutex_Lock(&logger_mutex);
    syslog(priority, "%s", text);
    PyMutex_Unlock(&logger_mutex);
    Py_END_ALLOW_THREADS return 0;
}

static int logger_closelog(PyObject *Py_UNUSED(module))
{
    if (main_interpreter_only("sunbinterpreter can't use syslog.closelog()") < 0
        || PySys_Audit("syslog.closelog", NULL) < 0) {
        return -1;
    }
    PyMutex_Lock(&logger_mutex);
    if (logger_open) {
        closelog();
        PyMem_RawFree(logger_ident);
        logger_ident = NULL;
        logger_open = false;
    }
    PyMutex_Unlock(&logger_mutex);
    return 0;
}

static long logger_setlogmask(PyObject *Py_UNUSED(module), long mask)
{
    if (PySys_Audit("syslog.setlogmask", "l", mask) < 0) {
        return -1;
    }
    return setlogmask((int)mask);
}

static long logger_mask_of(PyObject *Py_UNUSED(module), long priority)
{
    return LOG_MASK((int)priority);
}

static long logger_mask_upto(PyObject *Py_UNUSED(module), long priority)
{
    return LOG_UPTO((int)priority);
}

static const struct constant syslog_constants[] = {
#ifdef LOG_ALERT
    CONSTANT(LOG_ALERT),
#endif
#ifdef LOG_AUTH
    CONSTANT(LOG_AUTH),
#endif
#ifdef LOG_AUTHPRIV
    CONSTANT(LOG_AUTHPRIV),
#endif
#ifdef LOG_CONS
    CONSTANT(LOG_CONS),
#endif
#ifdef LOG_CRIT
    CONSTANT(LOG_CRIT),
#endif
#ifdef LOG_CRON
    CONSTANT(LOG_CRON),
#endif
#ifdef LOG_DAEMON
    CONSTANT(LOG_DAEMON),
#endif
#ifdef LOG_DEBUG
    CONSTANT(LOG_DEBUG),
#endif
#ifdef LOG_EMERG
    CONSTANT(LOG_EMERG),
#endif
#ifdef LOG_ERR
    CONSTANT(LOG_ERR),
#endif
#ifdef LOG_FTP
    CONSTANT(LOG_FTP),
#endif
#ifdef LOG_INFO
    CONSTANT(LOG_INFO),
#endif
#ifdef LOG_KERN
    CONSTANT(LOG_KERN),
#endif
#ifdef LOG_LOCAL0
    CONSTANT(LOG_LOCAL0),
#endif
#ifdef LOG_LOCAL1
    CONSTANT(LOG_LOCAL1),
#endif
#ifdef LOG_LOCAL2
    CONSTANT(LOG_LOCAL2),
#endif
#ifdef LOG_LOCAL3
    CONSTANT(LOG_LOCAL3),
#endif
#ifdef LOG_LOCAL4
    CONSTANT(LOG_LOCAL4),
#endif
#ifdef LOG_LOCAL5
    CONSTANT(LOG_LOCAL5),
#endif
#ifdef LOG_LOCAL6
    CONSTANT(LOG_LOCAL6),
#endif
#ifdef LOG_LOCAL7
    CONSTANT(LOG_LOCAL7),
#endif
#ifdef LOG_LPR
    CONSTANT(LOG_LPR),
#endif
#ifdef LOG_MAIL
    CONSTANT(LOG_MAIL),
#endif
#ifdef LOG_NDELAY
    CONSTANT(LOG_NDELAY),
#endif
#ifdef LOG_NEWS
    CONSTANT(LOG_NEWS),
#endif
#ifdef LOG_NOTICE
    CONSTANT(LOG_NOTICE),
#endif
#ifdef LOG_NOWAIT
    CONSTANT(LOG_NOWAIT),
#endif
#ifdef LOG_ODELAY
    CONSTANT(LOG_ODELAY),
#endif
#ifdef LOG_PERROR
    CONSTANT(LOG_PERROR),
#endif
#ifdef LOG_PID
    CONSTANT(LOG_PID),
#endif
#ifdef LOG_SYSLOG
    CONSTANT(LOG_SYSLOG),
#endif
#ifdef LOG_USER
    CONSTANT(LOG_USER),
#endif
#ifdef LOG_UUCP
    CONSTANT(LOG_UUCP),
#endif
#ifdef LOG_WARNING
    CONSTANT(LOG_WARNING),
#endif
};

static int logger_exec(PyObject *module)
{
    return module_constants(module, syslog_constants, Py_ARRAY_LENGTH(syslog_constants));
}

static PyModuleDef_Slot logger_slots[] = MODULE_SLOTS(logger_exec);

static PyModuleDef logger_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "syslog",      .m_doc = logger_doc,
    .m_methods = logger_methods, .m_slots = logger_slots,
};

MODULE_INIT(syslog, logger_module)
