/* The module _stat: file modes taken apart. */
#include "module.h"

#include <sys/stat.h>

static bool mode_of(PyObject *arg, mode_t *out)
{
    unsigned long value = PyLong_AsUnsignedLong(arg);
    if (value == (unsigned long)-1 && PyErr_Occurred()) {
        return false;
    }
    *out = (mode_t)value;
    if (*out != value) {
        PyErr_SetString(PyExc_OverflowError, "mode out of range");
        return false;
    }
    return true;
}

#include "stat.bind.h"

#define IS_FUNCTION(kind, test)                                                                    \
    static int filemode_S_IS##kind(PyObject *Py_UNUSED(module), mode_t mode)                       \
    {                                                                                              \
        return test;                                                                               \
    }

IS_FUNCTION(DIR, S_ISDIR(mode))
IS_FUNCTION(CHR, S_ISCHR(mode))
IS_FUNCTION(BLK, S_ISBLK(mode))
IS_FUNCTION(REG, S_ISREG(mode))
IS_FUNCTION(FIFO, S_ISFIFO(mode))
IS_FUNCTION(LNK, S_ISLNK(mode))
IS_FUNCTION(SOCK, S_ISSOCK(mode))

/* Kinds of other systems. */
IS_FUNCTION(DOOR, ((void)mode, 0))
IS_FUNCTION(PORT, ((void)mode, 0))
IS_FUNCTION(WHT, ((void)mode, 0))

static unsigned long filemode_S_IMODE(PyObject *Py_UNUSED(module), mode_t mode)
{
    return mode & 07777;
}

static unsigned long filemode_S_IFMT(PyObject *Py_UNUSED(module), mode_t mode)
{
    return mode & S_IFMT;
}

static PyObject *filemode_filemode(PyObject *Py_UNUSED(module), mode_t mode)
{
    static const char kinds[16] = "?pc?d?b?-?l?s???"; /* by the upper four bits */
    char text[10];
    text[0] = kinds[(mode & S_IFMT) >> 12];
    for (int i = 0; i < 9; i++) {
        text[1 + i] = mode & (0400u >> i) ? "rwx"[i % 3] : '-';
    }
    /* set-uid, set-gid and sticky stand in the place of x: small with it, large without */
    static const struct {
        mode_t bit;
        int at;
        char with, without;
    } special[] = {
        {S_ISUID, 3, 's', 'S'},
        {S_ISGID, 6, 's', 'S'},
        {S_ISVTX, 9, 't', 'T'},
    };
    for (int i = 0; i < 3; i++) {
        if (mode & special[i].bit) {
            text[special[i].at] = text[special[i].at] == 'x' ? special[i].with : special[i].without;
        }
    }
    return PyUnicode_FromStringAndSize(text, sizeof text);
}

/* clang-format off */
static const struct constant stat_constants[] = {
    {"SF_APPEND", 0x40000}, {"SF_ARCHIVED", 0x10000}, {"SF_DATALESS", 0x40000000},
    {"SF_FIRMLINK", 0x800000}, {"SF_IMMUTABLE", 0x20000}, {"SF_NOUNLINK", 0x100000},
    {"SF_SETTABLE", 0xffff0000}, {"SF_SNAPSHOT", 0x200000}, {"ST_ATIME", 7}, {"ST_CTIME", 9},
    {"ST_DEV", 2}, {"ST_GID", 5}, {"ST_INO", 1}, {"ST_MODE", 0}, {"ST_MTIME", 8}, {"ST_NLINK", 3},
    {"ST_SIZE", 6}, {"ST_UID", 4}, {"S_ENFMT", 02000}, {"S_IEXEC", 0100}, {"S_IFBLK", 060000},
    {"S_IFCHR", 020000}, {"S_IFDIR", 040000}, {"S_IFDOOR", 0}, {"S_IFIFO", 010000},
    {"S_IFLNK", 0120000}, {"S_IFPORT", 0}, {"S_IFREG", 0100000}, {"S_IFSOCK", 0140000},
    {"S_IFWHT", 0}, {"S_IREAD", 0400}, {"S_IRGRP", 040}, {"S_IROTH", 04}, {"S_IRUSR", 0400},
    {"S_IRWXG", 070}, {"S_IRWXO", 07}, {"S_IRWXU", 0700}, {"S_ISGID", 02000}, {"S_ISUID", 04000},
    {"S_ISVTX", 01000}, {"S_IWGRP", 020}, {"S_IWOTH", 02}, {"S_IWRITE", 0200}, {"S_IWUSR", 0200},
    {"S_IXGRP", 010}, {"S_IXOTH", 01}, {"S_IXUSR", 0100}, {"UF_APPEND", 4},
    {"UF_COMPRESSED", 0x20}, {"UF_DATAVAULT", 0x80}, {"UF_HIDDEN", 0x8000}, {"UF_IMMUTABLE", 2},
    {"UF_NODUMP", 1}, {"UF_NOUNLINK", 0x10}, {"UF_OPAQUE", 8}, {"UF_SETTABLE", 0xffff},
    {"UF_TRACKED", 0x40},
};
/* clang-format on */

static int stat_exec(PyObject *module)
{
    return module_constants(module, stat_constants, Py_ARRAY_LENGTH(stat_constants));
}

static PyModuleDef_Slot stat_slots[] = MODULE_SLOTS(stat_exec);

static PyModuleDef stat_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "_stat",     .m_doc = filemode_doc,
    .m_methods = filemode_methods, .m_slots = stat_slots,
};

MODULE_INIT(_stat, stat_module)
