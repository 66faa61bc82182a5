/* The module posix: what is in a directory: listdir(), scandir() and DirEntry. */
#include "posix.h"

#include <structmember.h>

struct direntry {
    PyObject_HEAD
    PyObject *name, *path;
    PyObject *status, *link_status; /* stat_results once asked for: under the object's lock */
    ino_t inode;
    int dir_fd;         /* where `name` is relative to, or AT_FDCWD and `path` is used */
    unsigned char type; /* DT_... */
};

struct scan {
    PyObject_HEAD
    DIR *directory;   /* NULL: closed; under the object's lock */
    PyObject *object; /* the path that was given */
    PyObject *prefix; /* str or bytes that makes a name a path, or NULL */
    int fd;           /* the one given, or -1 */
    bool as_bytes;
};

#include "direntry.bind.h"

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Opens a path for reading; a given fd stays the caller's.  NULL with an exception. */
static DIR *directory_open(const struct path *path)
{
    if (path->name != NULL) {
        DIR *directory = BLOCKING(opendir(path->name));
        return directory ? directory : (path_fail(path), NULL);
    }
    int fd = fcntl(path->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return posix_fail(), NULL;
    }
    DIR *directory = BLOCKING(fdopendir(fd));
    if (directory == NULL) {
        path_fail(path);
        close(fd);
    }
    return directory;
}

static void directory_close(DIR *directory, bool rewind)
{
    Py_BEGIN_ALLOW_THREADS if (rewind)
    { /* the position is shared with the caller's fd */
        rewinddir(directory);
    }
    closedir(directory);
    Py_END_ALLOW_THREADS
}

PyObject *os_listdir(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PATH(path);
    if (!path_read(&path, arg, "listdir", "path", PATH_FD | PATH_NONE)
        || PySys_Audit("os.listdir", "(O)", path.object) < 0) {
        return NULL;
    }
    DIR *directory = directory_open(&path);
    if (directory == NULL) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    while (list != NULL) {
        struct dirent *entry = BLOCKING(readdir(directory));
        if (entry == NULL) {
            if (errno != 0) {
                path_raise(&path);
                Py_CLEAR(list);
            }
            break;
        }
        if (is_dots(entry->d_name)) {
            continue;
        }
        PyObject *name = path_text(entry->d_name, (Py_ssize_t)strlen(entry->d_name), path.is_bytes);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    directory_close(directory, path.name == NULL);
    return list;
}

/* ---- DirEntry ------------------------------------------------------------------------------- */

static PyObject *direntry_fetch(struct direntry *self, bool follow)
{
    PyObject *module = PyType_GetModule(Py_TYPE(self));
    PyObject *bytes;
    if (module == NULL
        || !fs_bytes_of(self->dir_fd == AT_FDCWD ? self->path : self->name, &bytes)) {
        return NULL;
    }
    struct stat status;
    int rc = BLOCKING(
        fstatat(self->dir_fd, PyBytes_AS_STRING(bytes), &status, follow ? 0 : AT_SYMLINK_NOFOLLOW));
    Py_DECREF(bytes);
    if (rc < 0) {
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, self->path);
    }
    return stat_object(state_of(module), &status);
}

/* The cached result (new reference); without links in play both are the same. */
static PyObject *direntry_status(struct direntry *self, bool follow)
{
    if (self->type != DT_LNK && self->type != DT_UNKNOWN) {
        follow = false;
    }
    PyObject **cache = follow ? &self->status : &self->link_status;
    PyObject *found = LOCKED(self, Py_XNewRef(*cache));
    if (found == NULL) {
        found = direntry_fetch(self, follow);
        if (found != NULL) {
            Py_BEGIN_CRITICAL_SECTION(self);
            if (*cache == NULL) {
                *cache = Py_NewRef(found);
            }
            Py_END_CRITICAL_SECTION();
        }
    }
    return found;
}

static PyObject *direntry_stat(struct direntry *self, int follow_symlinks)
{
    return direntry_status(self, follow_symlinks);
}

/* Whether it is of a kind, 0 or 1; what is not there is of none. */
static int direntry_is(struct direntry *self, bool follow, mode_t kind)
{
    if (self->type != DT_UNKNOWN && !(follow && self->type == DT_LNK)) {
        return (mode_t)DTTOIF(self->type) == kind;
    }
    PyObject *status = direntry_status(self, follow);
    if (status == NULL) {
        if (PyErr_ExceptionMatches(PyExc_FileNotFoundError)) {
            PyErr_Clear();
            return 0;
        }
        return -1;
    }
    long mode = PyLong_AsLong(PyStructSequence_GetItem(status, 0));
    Py_DECREF(status);
    return mode == -1 && PyErr_Occurred() ? -1 : ((mode_t)mode & S_IFMT) == kind;
}

static int direntry_is_dir(struct direntry *self, int follow_symlinks)
{
    return direntry_is(self, follow_symlinks, S_IFDIR);
}

static int direntry_is_file(struct direntry *self, int follow_symlinks)
{
    return direntry_is(self, follow_symlinks, S_IFREG);
}

static int direntry_is_symlink(struct direntry *self)
{
    return direntry_is(self, false, S_IFLNK);
}

static int direntry_is_junction(struct direntry *Py_UNUSED(self))
{
    return 0;
}

static PyObject *direntry_inode(struct direntry *self)
{
    return PyLong_FromUnsignedLongLong(self->inode);
}

static PyObject *direntry_fspath(struct direntry *self)
{
    return Py_NewRef(self->path);
}

static PyObject *direntry_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<DirEntry %R>", ((struct direntry *)op)->name);
}

GC_OBJECT(direntry, name, path, status, link_status)

static PyType_Slot direntry_slots[] = {
    GC_SLOTS(direntry),
    {Py_tp_repr, direntry_repr},
    {Py_tp_methods, direntry_methods},
    {Py_tp_members, direntry_members},
    {0, NULL},
};

static PyType_Spec direntry_spec = {
    "posix.DirEntry",
    sizeof(struct direntry),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    direntry_slots,
};

static PyObject *direntry_make(struct scan *scan, const struct dirent *found)
{
    PyObject *module = PyType_GetModule(Py_TYPE(scan));
    if (module == NULL) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)state_of(module)->direntry_type;
    PyObject *name = path_text(found->d_name, (Py_ssize_t)strlen(found->d_name), scan->as_bytes);
    PyObject *path = NULL;
    if (name != NULL) {
        path = scan->prefix ? PySequence_Concat(scan->prefix, name) : Py_NewRef(name);
    }
    struct direntry *self = path ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(name);
        Py_XDECREF(path);
        return NULL;
    }
    self->name = name;
    self->path = path;
    self->inode = found->d_ino;
    self->dir_fd = scan->fd >= 0 ? scan->fd : AT_FDCWD;
    self->type = found->d_type;
    return (PyObject *)self;
}

/* ---- scandir -------------------------------------------------------------------------------- */

/* Under the lock: the directory, which the caller closes. */
static DIR *scan_take(struct scan *self)
{
    DIR *directory = self->directory;
    self->directory = NULL;
    return directory;
}

static int scan_close(struct scan *self)
{
    DIR *directory = LOCKED(self, scan_take(self));
    if (directory != NULL) {
        directory_close(directory, self->fd >= 0);
    }
    return 0;
}

static PyObject *scan_enter(struct scan *self)
{
    return Py_NewRef(self);
}

static int scan_exit(struct scan *self, PyObject *Py_UNUSED(type), PyObject *Py_UNUSED(value),
                     PyObject *Py_UNUSED(traceback))
{
    return scan_close(self);
}

/* Under the lock, which stays ours while the system reads: the next entry as a copy; 0 at the end,
 * -1 with errno. */
static int scan_read(struct scan *self, struct dirent *out)
{
    while (self->directory != NULL) {
        errno = 0;
        struct dirent *found = readdir(self->directory);
        if (found == NULL) {
            return errno == 0 ? 0 : -1;
        }
        if (!is_dots(found->d_name)) {
            memcpy(out, found, offsetof(struct dirent, d_name));
            memcpy(out->d_name, found->d_name, strlen(found->d_name) + 1);
            return 1;
        }
    }
    return 0;
}

static PyObject *scan_next(PyObject *op)
{
    struct scan *self = (struct scan *)op;
    struct dirent found;
    int rc = LOCKED(self, scan_read(self, &found));
    PyObject *entry = NULL;
    if (rc > 0) {
        entry = direntry_make(self, &found);
    } else if (rc < 0) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, self->object);
    }
    if (entry == NULL) {
        scan_close(self);
    }
    return entry;
}

/* Left open: a warning, and the directory is closed. */
static void scan_finalize(PyObject *op)
{
    struct scan *self = (struct scan *)op;
    if (self->directory == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (PyErr_ResourceWarning(op, 1, "unclosed scandir iterator %R", op) < 0
        && PyErr_ExceptionMatches(PyExc_Warning)) {
        PyErr_WriteUnraisable(op);
    }
    scan_close(self);
    PyErr_SetRaisedException(raised);
}

static void scan_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return;
    }
    struct scan *self = (struct scan *)op;
    Py_CLEAR(self->object);
    Py_CLEAR(self->prefix);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot scan_slots[] = {
    {Py_tp_dealloc, scan_dealloc}, {Py_tp_finalize, scan_finalize}, {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, scan_next},   {Py_tp_methods, scan_methods},   {0, NULL},
};

static PyType_Spec scan_spec = {
    "posix.ScandirIterator",
    sizeof(struct scan),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    scan_slots,
};

/* What stands before a name in a path: the directory with one slash at its end. */
static PyObject *prefix_make(const struct path *path)
{
    if (path->is_none) {
        return PyUnicode_FromString("./");
    }
    Py_ssize_t length = PyBytes_GET_SIZE(path->bytes);
    bool slash = length > 0 && path->name[length - 1] != '/';
    if (path->is_bytes) {
        return PyBytes_FromFormat("%s%s", path->name, slash ? "/" : "");
    }
    return PyUnicode_FromFormat("%U%s", path->object, slash ? "/" : "");
}

PyObject *os_scandir(PyObject *module, PyObject *arg)
{
    PATH(path);
    if (!path_read(&path, arg, "scandir", "path", PATH_FD | PATH_NONE)
        || PySys_Audit("os.scandir", "(O)", path.object) < 0) {
        return NULL;
    }
    PyObject *prefix = NULL;
    if (path.name != NULL && (prefix = prefix_make(&path)) == NULL) {
        return NULL;
    }
    struct scan *self = type_make((PyTypeObject *)state_of(module)->scandir_type);
    if (self == NULL) {
        Py_XDECREF(prefix);
        return NULL;
    }
    self->prefix = prefix;
    self->object = Py_NewRef(path.object);
    self->fd = path.fd;
    self->as_bytes = path.is_bytes;
    self->directory = directory_open(&path);
    if (self->directory == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

int directory_add_types(PyObject *module, struct posix_state *state);

int directory_add_types(PyObject *module, struct posix_state *state)
{
    state->direntry_type = (PyObject *)module_type(module, &direntry_spec, true);
    state->scandir_type = (PyObject *)module_type(module, &scan_spec, false);
    return state->direntry_type && state->scandir_type ? 0 : -1;
}
