/* The module mmap.  Functions without a note run with the object locked. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum access { ACCESS_DEFAULT, ACCESS_READ, ACCESS_WRITE, ACCESS_COPY };

struct mapping {
    PyObject_HEAD
    char *data; /* NULL once closed */
    Py_ssize_t size, position, exports;
    long long offset;
    int fd, flags;
    bool track_fd;
    enum access access;
    PyObject *weaklist;
};

struct mapping_module_state {
    PyObject *type;
};

#include "mmap.bind.h"

/* ---- checks --------------------------------------------------------------------------------- */

static bool is_open(struct mapping *self)
{
    if (self->data == NULL) {
        PyErr_SetString(PyExc_ValueError, "mmap closed or invalid");
    }
    return self->data != NULL;
}

static bool is_writable(struct mapping *self)
{
    if (self->access == ACCESS_READ) {
        PyErr_SetString(PyExc_TypeError, "mmap can't modify a readonly memory map.");
        return false;
    }
    return true;
}

static PyObject *raise_os(void)
{
    return PyErr_SetFromErrno(PyExc_OSError);
}

/* ---- the position --------------------------------------------------------------------------- */

static PyObject *mapping_read(struct mapping *self, Py_ssize_t count)
{
    if (!is_open(self)) {
        return NULL;
    }
    Py_ssize_t left = Py_MAX(self->size - self->position, 0);
    count = count < 0 || count > left ? left : count;
    PyObject *bytes = PyBytes_FromStringAndSize(self->data + self->position, count);
    if (bytes != NULL) {
        self->position += count;
    }
    return bytes;
}

static PyObject *mapping_read_byte(struct mapping *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (self->position >= self->size) {
        PyErr_SetString(PyExc_ValueError, "read byte out of range");
        return NULL;
    }
    return PyLong_FromLong((unsigned char)self->data[self->position++]);
}

static PyObject *mapping_readline(struct mapping *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    Py_ssize_t left = Py_MAX(self->size - self->position, 0);
    const char *start = self->data + self->position;
    const char *newline = left ? memchr(start, '\n', (size_t)left) : NULL;
    return mapping_read(self, newline ? newline - start + 1 : left);
}

static PyObject *mapping_write(struct mapping *self, Py_buffer *bytes)
{
    if (!is_open(self) || !is_writable(self)) {
        return NULL;
    }
    if (self->position > self->size || self->size - self->position < bytes->len) {
        PyErr_SetString(PyExc_ValueError, "data out of range");
        return NULL;
    }
    memmove(self->data + self->position, bytes->buf, (size_t)bytes->len);
    self->position += bytes->len;
    return PyLong_FromSsize_t(bytes->len);
}

static int mapping_write_byte(struct mapping *self, unsigned char byte)
{
    if (!is_open(self) || !is_writable(self)) {
        return -1;
    }
    if (self->position >= self->size) {
        PyErr_SetString(PyExc_ValueError, "write byte out of range");
        return -1;
    }
    self->data[self->position++] = (char)byte;
    return 0;
}

static PyObject *mapping_seek(struct mapping *self, Py_ssize_t pos, int whence)
{
    if (!is_open(self)) {
        return NULL;
    }
    Py_ssize_t base = whence == 1 ? self->position : whence == 2 ? self->size : 0, target;
    if (whence < 0 || whence > 2) {
        PyErr_SetString(PyExc_ValueError, "unknown seek type");
        return NULL;
    }
    if (__builtin_add_overflow(base, pos, &target) || target < 0 || target > self->size) {
        PyErr_SetString(PyExc_ValueError, "seek out of range");
        return NULL;
    }
    self->position = target;
    return PyLong_FromSsize_t(target);
}

static int mapping_seekable(struct mapping *Py_UNUSED(self))
{
    return 1;
}

static PyObject *mapping_tell(struct mapping *self)
{
    return is_open(self) ? PyLong_FromSsize_t(self->position) : NULL;
}

/* ---- searching and moving ------------------------------------------------------------------- */

static Py_ssize_t clip_index(Py_ssize_t index, Py_ssize_t size)
{
    index = index < 0 ? index + size : index;
    return index < 0 ? 0 : Py_MIN(index, size);
}

static Py_ssize_t find_bytes(struct mapping *self, Py_buffer *sub, Py_ssize_t start, Py_ssize_t end,
                             bool last)
{
    if (!is_open(self)) {
        return -1;
    }
    start = clip_index(start == PY_SSIZE_T_MIN ? self->position : start, self->size);
    end = clip_index(end == PY_SSIZE_T_MIN ? self->size : end, self->size);
    if (end - start < sub->len) {
        return -1;
    }
    if (!last) {
        const char *found =
            sub->len ? memmem(self->data + start, (size_t)(end - start), sub->buf, (size_t)sub->len)
                     : self->data + start;
        return found ? found - self->data : -1;
    }
    for (Py_ssize_t i = end - sub->len; i >= start; i--) {
        if (memcmp(self->data + i, sub->buf, (size_t)sub->len) == 0) {
            return i;
        }
    }
    return -1;
}

static Py_ssize_t mapping_find(struct mapping *self, Py_buffer *sub, Py_ssize_t start,
                               Py_ssize_t end)
{
    return find_bytes(self, sub, start, end, false);
}

static Py_ssize_t mapping_rfind(struct mapping *self, Py_buffer *sub, Py_ssize_t start,
                                Py_ssize_t end)
{
    return find_bytes(self, sub, start, end, true);
}

static int mapping_move(struct mapping *self, Py_ssize_t to, Py_ssize_t from, Py_ssize_t count)
{
    if (!is_open(self) || !is_writable(self)) {
        return -1;
    }
    if (to < 0 || from < 0 || count < 0 || self->size - to < count || self->size - from < count) {
        PyErr_SetString(PyExc_ValueError, "source, destination, or count out of range");
        return -1;
    }
    memmove(self->data + to, self->data + from, (size_t)count);
    return 0;
}

/* ---- the memory itself ---------------------------------------------------------------------- */

static int mapping_flush(struct mapping *self, Py_ssize_t offset, Py_ssize_t size)
{
    if (!is_open(self)) {
        return -1;
    }
    size = size == PY_SSIZE_T_MIN ? self->size - offset : size;
    if (offset < 0 || size < 0 || self->size - offset < size) {
        PyErr_SetString(PyExc_ValueError, "flush values out of range");
        return -1;
    }
    if (self->access == ACCESS_READ || self->access == ACCESS_COPY) {
        return 0;
    }
    int rc;
    char *data = self->data;
    self->exports++; /* so that nobody gives it up meanwhile */
    Py_BEGIN_ALLOW_THREADS rc = msync(data + offset, (size_t)size, MS_SYNC);
    Py_END_ALLOW_THREADS self->exports--;
    if (rc < 0) {
        raise_os();
    }
    return rc;
}

static int mapping_madvise(struct mapping *self, int option, Py_ssize_t start, Py_ssize_t length)
{
    if (!is_open(self)) {
        return -1;
    }
    length = length == PY_SSIZE_T_MIN ? self->size : length;
    if (start < 0 || start >= self->size) {
        PyErr_SetString(PyExc_ValueError, "madvise start out of bounds");
        return -1;
    }
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "madvise length invalid");
        return -1;
    }
    if (PY_SSIZE_T_MAX - start < length) {
        PyErr_SetString(PyExc_OverflowError, "madvise length too large");
        return -1;
    }
    length = Py_MIN(length, self->size - start);
    if (madvise(self->data + start, (size_t)length, option) != 0) {
        raise_os();
        return -1;
    }
    return 0;
}

static int mapping_resize(struct mapping *self, Py_ssize_t size)
{
    if (!is_open(self)) {
        return -1;
    }
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "mmap can't resize with extant buffers exported.");
        return -1;
    }
    if (self->access == ACCESS_READ || self->access == ACCESS_COPY) {
        PyErr_SetString(PyExc_TypeError,
                        "mmap can't resize a readonly or copy-on-write memory map.");
        return -1;
    }
    if (!self->track_fd) {
        PyErr_SetString(PyExc_ValueError, "mmap can't resize with trackfd=False.");
        return -1;
    }
    if (size < 0 || PY_SSIZE_T_MAX - size < self->offset) {
        PyErr_SetString(PyExc_ValueError, "new size out of range");
        return -1;
    }
    if (self->fd != -1 && ftruncate(self->fd, self->offset + size) == -1) {
        raise_os();
        return -1;
    }
    void *data = mremap(self->data, (size_t)self->size, (size_t)size, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) {
        raise_os();
        return -1;
    }
    self->data = data;
    self->size = size;
    return 0;
}

static PyObject *mapping_size(struct mapping *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    struct stat status;
    if (fstat(self->fd, &status) != 0) {
        return raise_os();
    }
    return PyLong_FromLongLong(status.st_size);
}

static int mapping_close(struct mapping *self)
{
    if (self->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "cannot close exported pointers exist");
        return -1;
    }
    int fd = self->fd;
    char *data = self->data;
    self->fd = -1;
    self->data = NULL;
    Py_BEGIN_ALLOW_THREADS if (fd >= 0)
    {
        close(fd);
    }
    if (data != NULL) {
        munmap(data, (size_t)self->size);
    }
    Py_END_ALLOW_THREADS return 0;
}

static int mapping_get_closed(struct mapping *self)
{
    return self->data == NULL;
}

static PyObject *mapping_enter(struct mapping *self)
{
    return is_open(self) ? Py_NewRef((PyObject *)self) : NULL;
}

static PyObject *mapping_exit(struct mapping *self, PyObject *Py_UNUSED(type),
                              PyObject *Py_UNUSED(value), PyObject *Py_UNUSED(traceback))
{
    return PyObject_CallMethod((PyObject *)self, "close", NULL);
}

static PyObject *mapping_repr(PyObject *op)
{
    struct mapping *self = (struct mapping *)op;
    static const char *const names[] = {"ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE",
                                        "ACCESS_COPY"};
    if (self->data == NULL) {
        return PyUnicode_FromFormat("<%s closed=True>", Py_TYPE(op)->tp_name);
    }
    return PyUnicode_FromFormat("<%s closed=False, access=%s, length=%zd, pos=%zd, offset=%lld>",
                                Py_TYPE(op)->tp_name, names[self->access], self->size,
                                self->position, self->offset);
}

/* ---- as a sequence of bytes ----------------------------------------------------------------- */

static Py_ssize_t mapping_length(PyObject *op)
{
    struct mapping *self = (struct mapping *)op;
    return is_open(self) ? self->size : -1;
}

/* An index in range; -1 with an exception. */
static Py_ssize_t index_of(struct mapping *self, PyObject *key)
{
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (i == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (!is_open(self)) { /* __index__ may have closed it */
        return -1;
    }
    i = i < 0 ? i + self->size : i;
    if (i < 0 || i >= self->size) {
        PyErr_SetString(PyExc_IndexError, "mmap index out of range");
        return -1;
    }
    return i;
}

static PyObject *mapping_slice(struct mapping *self, PyObject *key)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0 || !is_open(self)) {
        return NULL;
    }
    Py_ssize_t count = PySlice_AdjustIndices(self->size, &start, &stop, step);
    PyObject *bytes = PyBytes_FromStringAndSize(step == 1 ? self->data + start : NULL, count);
    for (Py_ssize_t i = 0; bytes != NULL && step != 1 && i < count; i++) {
        PyBytes_AS_STRING(bytes)[i] = self->data[start + i * step];
    }
    return bytes;
}

static PyObject *subscript_locked(struct mapping *self, PyObject *key)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t i = index_of(self, key);
        return i < 0 ? NULL : PyLong_FromLong((unsigned char)self->data[i]);
    }
    if (PySlice_Check(key)) {
        return mapping_slice(self, key);
    }
    PyErr_SetString(PyExc_TypeError, "mmap indices must be integers");
    return NULL;
}

static PyObject *mapping_subscript(PyObject *op, PyObject *key)
{
    return LOCKED(op, subscript_locked((struct mapping *)op, key));
}

static int assign_item(struct mapping *self, PyObject *key, PyObject *value)
{
    Py_ssize_t i = index_of(self, key);
    if (i < 0) {
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "mmap doesn't support item deletion");
        return -1;
    }
    if (!PyIndex_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "mmap item value must be an int");
        return -1;
    }
    Py_ssize_t byte = PyNumber_AsSsize_t(value, PyExc_TypeError);
    if (byte == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (byte < 0 || byte > 255) {
        PyErr_SetString(PyExc_ValueError, "mmap item value must be in range(0, 256)");
        return -1;
    }
    if (!is_open(self) || i >= self->size) {
        return -1;
    }
    self->data[i] = (char)byte;
    return 0;
}

static int assign_slice(struct mapping *self, PyObject *key, PyObject *value)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0 || !is_open(self)) {
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "mmap object doesn't support slice deletion");
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int rc = -1;
    Py_ssize_t count = self->data ? PySlice_AdjustIndices(self->size, &start, &stop, step) : 0;
    if (!is_open(self)) {
        rc = -1;
    } else if (view.len != count) {
        PyErr_SetString(PyExc_IndexError, "mmap slice assignment is wrong size");
    } else {
        if (step == 1) {
            memmove(self->data + start, view.buf, (size_t)count);
        }
        for (Py_ssize_t i = 0; step != 1 && i < count; i++) {
            self->data[start + i * step] = ((const char *)view.buf)[i];
        }
        rc = 0;
    }
    PyBuffer_Release(&view);
    return rc;
}

static int assign_locked(struct mapping *self, PyObject *key, PyObject *value)
{
    if (!is_open(self) || !is_writable(self)) {
        return -1;
    }
    if (PyIndex_Check(key)) {
        return assign_item(self, key, value);
    }
    if (PySlice_Check(key)) {
        return assign_slice(self, key, value);
    }
    PyErr_SetString(PyExc_TypeError, "mmap indices must be integers");
    return -1;
}

static int mapping_assign(PyObject *op, PyObject *key, PyObject *value)
{
    return LOCKED(op, assign_locked((struct mapping *)op, key, value));
}

static PyObject *item_locked(struct mapping *self, Py_ssize_t i)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (i < 0 || i >= self->size) {
        PyErr_SetString(PyExc_IndexError, "mmap index out of range");
        return NULL;
    }
    return PyBytes_FromStringAndSize(self->data + i, 1);
}

static PyObject *mapping_item(PyObject *op, Py_ssize_t i)
{
    return LOCKED(op, item_locked((struct mapping *)op, i));
}

static int getbuffer_locked(struct mapping *self, Py_buffer *view, int flags)
{
    if (!is_open(self)
        || PyBuffer_FillInfo(view, (PyObject *)self, self->data, self->size,
                             self->access == ACCESS_READ, flags)
               < 0) {
        return -1;
    }
    self->exports++;
    return 0;
}

static int mapping_getbuffer(PyObject *op, Py_buffer *view, int flags)
{
    return LOCKED(op, getbuffer_locked((struct mapping *)op, view, flags));
}

static void mapping_releasebuffer(PyObject *op, Py_buffer *Py_UNUSED(view))
{
    (void)LOCKED(op, ((struct mapping *)op)->exports--);
}

/* ---- making --------------------------------------------------------------------------------- */

/* What flags and protection an access means; false with ValueError. */
static bool access_modes(int access, int *flags, int *prot)
{
    if (access != ACCESS_DEFAULT && (*flags != MAP_SHARED || *prot != (PROT_WRITE | PROT_READ))) {
        PyErr_SetString(PyExc_ValueError, "mmap can't specify both access and flags, prot.");
        return false;
    }
    switch (access) {
    case ACCESS_READ:
        *flags = MAP_SHARED;
        *prot = PROT_READ;
        return true;
    case ACCESS_WRITE:
        *flags = MAP_SHARED;
        *prot = PROT_READ | PROT_WRITE;
        return true;
    case ACCESS_COPY:
        *flags = MAP_PRIVATE;
        *prot = PROT_READ | PROT_WRITE;
        return true;
    case ACCESS_DEFAULT:
        return true;
    default:
        PyErr_SetString(PyExc_ValueError, "mmap invalid access parameter.");
        return false;
    }
}

/* The length for a file, out of its size where none was given; false with an exception. */
static bool length_for_file(int fd, long long offset, Py_ssize_t *length)
{
    struct stat status;
    int rc;
    Py_BEGIN_ALLOW_THREADS rc = fstat(fd, &status);
    Py_END_ALLOW_THREADS if (rc != 0 || !S_ISREG(status.st_mode))
    {
        return true; /* mmap will say */
    }
    if (*length == 0) {
        if (status.st_size == 0) {
            PyErr_SetString(PyExc_ValueError, "cannot mmap an empty file");
            return false;
        }
        if (offset >= status.st_size) {
            PyErr_SetString(PyExc_ValueError, "mmap offset is greater than file size");
            return false;
        }
        if (status.st_size - offset > PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_ValueError, "mmap length is too large");
            return false;
        }
        *length = (Py_ssize_t)(status.st_size - offset);
    } else if (offset > status.st_size || status.st_size - offset < *length) {
        PyErr_SetString(PyExc_ValueError, "mmap length is greater than file size");
        return false;
    }
    return true;
}

static PyObject *mapping_new(PyTypeObject *type, int fd, Py_ssize_t length, int flags, int prot,
                             int access, long long offset, int track_fd)
{
    if (PySys_Audit("mmap.__new__", "iniL", fd, length, access, offset) < 0) {
        return NULL;
    }
    if (length < 0) {
        PyErr_SetString(PyExc_OverflowError, "memory mapped length must be positive");
        return NULL;
    }
    if (offset < 0) {
        PyErr_SetString(PyExc_OverflowError, "memory mapped offset must be positive");
        return NULL;
    }
    if (!access_modes(access, &flags, &prot)
        || (fd != -1 && !length_for_file(fd, offset, &length))) {
        return NULL;
    }
    if (access == ACCESS_DEFAULT) {
        bool reads = prot & PROT_READ, writes = prot & PROT_WRITE;
        access = reads && writes ? ACCESS_DEFAULT : writes ? ACCESS_WRITE : ACCESS_READ;
    }
    struct mapping *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->fd = -1;
    self->size = length;
    self->offset = offset;
    self->track_fd = track_fd;
    self->access = (enum access)access;
    if (fd == -1) {
        flags |= MAP_ANONYMOUS;
    } else if (track_fd) {
        self->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (self->fd == -1) {
            Py_DECREF(self);
            return raise_os();
        }
    }
    self->flags = flags;
    void *data;
    Py_BEGIN_ALLOW_THREADS data = mmap(NULL, (size_t)length, prot, flags, fd, offset);
    Py_END_ALLOW_THREADS if (data == MAP_FAILED)
    {
        raise_os();
        Py_DECREF(self);
        return NULL;
    }
    self->data = data;
    return (PyObject *)self;
}

static int mapping_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void mapping_dealloc(PyObject *op)
{
    struct mapping *self = (struct mapping *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->fd >= 0) {
        close(self->fd);
    }
    if (self->data != NULL) {
        munmap(self->data, (size_t)self->size);
    }
    PyObject_ClearWeakRefs(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef mapping_hidden_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct mapping, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot mapping_slots[] = {
    {Py_tp_new, bind_mapping_new},
    {Py_tp_dealloc, mapping_dealloc},
    {Py_tp_traverse, mapping_traverse},
    {Py_tp_repr, mapping_repr},
    {Py_tp_doc, mapping_doc},
    {Py_tp_methods, mapping_methods},
    {Py_tp_members, mapping_hidden_members},
    {Py_tp_getset, mapping_getset},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_sq_length, mapping_length},
    {Py_sq_item, mapping_item},
    {Py_mp_length, mapping_length},
    {Py_mp_subscript, mapping_subscript},
    {Py_mp_ass_subscript, mapping_assign},
    {Py_bf_getbuffer, mapping_getbuffer},
    {Py_bf_releasebuffer, mapping_releasebuffer},
    {0, NULL},
};

static PyType_Spec mapping_spec = {
    "mmap.mmap",
    sizeof(struct mapping),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    mapping_slots,
};

/* ---- the module ----------------------------------------------------------------------------- */

static const struct constant mmap_constants[] = {
    CONSTANT(ACCESS_COPY),      CONSTANT(ACCESS_DEFAULT),
    CONSTANT(ACCESS_READ),      CONSTANT(ACCESS_WRITE),
#ifdef MADV_DODUMP
    CONSTANT(MADV_DODUMP),
#endif
#ifdef MADV_DOFORK
    CONSTANT(MADV_DOFORK),
#endif
#ifdef MADV_DONTDUMP
    CONSTANT(MADV_DONTDUMP),
#endif
#ifdef MADV_DONTFORK
    CONSTANT(MADV_DONTFORK),
#endif
#ifdef MADV_DONTNEED
    CONSTANT(MADV_DONTNEED),
#endif
#ifdef MADV_FREE
    CONSTANT(MADV_FREE),
#endif
#ifdef MADV_HUGEPAGE
    CONSTANT(MADV_HUGEPAGE),
#endif
#ifdef MADV_HWPOISON
    CONSTANT(MADV_HWPOISON),
#endif
#ifdef MADV_MERGEABLE
    CONSTANT(MADV_MERGEABLE),
#endif
#ifdef MADV_NOHUGEPAGE
    CONSTANT(MADV_NOHUGEPAGE),
#endif
#ifdef MADV_NORMAL
    CONSTANT(MADV_NORMAL),
#endif
#ifdef MADV_RANDOM
    CONSTANT(MADV_RANDOM),
#endif
#ifdef MADV_REMOVE
    CONSTANT(MADV_REMOVE),
#endif
#ifdef MADV_SEQUENTIAL
    CONSTANT(MADV_SEQUENTIAL),
#endif
#ifdef MADV_UNMERGEABLE
    CONSTANT(MADV_UNMERGEABLE),
#endif
#ifdef MADV_WILLNEED
    CONSTANT(MADV_WILLNEED),
#endif
#ifdef MAP_32BIT
    CONSTANT(MAP_32BIT),
#endif
#ifdef MAP_ANON
    CONSTANT(MAP_ANON),
#endif
#ifdef MAP_ANONYMOUS
    CONSTANT(MAP_ANONYMOUS),
#endif
#ifdef MAP_DENYWRITE
    CONSTANT(MAP_DENYWRITE),
#endif
#ifdef MAP_EXECUTABLE
    CONSTANT(MAP_EXECUTABLE),
#endif
#ifdef MAP_NORESERVE
    CONSTANT(MAP_NORESERVE),
#endif
#ifdef MAP_POPULATE
    CONSTANT(MAP_POPULATE),
#endif
#ifdef MAP_PRIVATE
    CONSTANT(MAP_PRIVATE),
#endif
#ifdef MAP_SHARED
    CONSTANT(MAP_SHARED),
#endif
#ifdef MAP_STACK
    CONSTANT(MAP_STACK),
#endif
#ifdef PROT_EXEC
    CONSTANT(PROT_EXEC),
#endif
#ifdef PROT_READ
    CONSTANT(PROT_READ),
#endif
#ifdef PROT_WRITE
    CONSTANT(PROT_WRITE),
#endif
};

static int mapping_module_exec(PyObject *module)
{
    struct mapping_module_state *state = PyModule_GetState(module);
    long page = sysconf(_SC_PAGESIZE);
    state->type = (PyObject *)module_type(module, &mapping_spec, true);
    if (state->type == NULL || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0
        || PyModule_AddIntConstant(module, "PAGESIZE", page) < 0
        || PyModule_AddIntConstant(module, "ALLOCATIONGRANULARITY", page) < 0) {
        return -1;
    }
    return module_constants(module, mmap_constants, Py_ARRAY_LENGTH(mmap_constants));
}

STATE_OBJECTS(mapping_module)

static PyModuleDef_Slot mapping_module_slots[] = MODULE_SLOTS(mapping_module_exec);

static PyModuleDef mapping_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mmap",
    .m_slots = mapping_module_slots,
    STATE_FIELDS(mapping_module),
};

MODULE_INIT(mmap, mapping_module)
