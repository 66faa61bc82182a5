/* The hash object: its methods are the same for every algorithm. */
#include "hash/hash.h"

#include "hash.bind.h"

enum { LARGE_DATA = 2048 }; /* from here on other threads may run meanwhile */

/* ---- feeding -------------------------------------------------------------------------------- */

int hash_data(PyObject *data, PyObject *string, PyObject **out)
{
    bool has_string = string != NULL && string != Py_None;
    if (data != NULL && has_string) {
        PyErr_SetString(PyExc_TypeError,
                        "'data' and 'string' are mutually exclusive and support for 'string' "
                        "keyword parameter is slated for removal in a future version.");
        return -1;
    }
    *out = data != NULL ? data : has_string ? string : NULL;
    return 0;
}

int hash_feed(struct hash *self, PyObject *data)
{
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
        return -1;
    }
    if (!PyObject_CheckBuffer(data)) {
        PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    if (view.ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        PyBuffer_Release(&view);
        return -1;
    }
    if (view.len >= LARGE_DATA) {
        Py_BEGIN_ALLOW_THREADS PyMutex_Lock(&self->mutex);
        self->algorithm->update(self->context, view.buf, (size_t)view.len);
        PyMutex_Unlock(&self->mutex);
        Py_END_ALLOW_THREADS
    } else {
        PyMutex_Lock(&self->mutex);
        self->algorithm->update(self->context, view.buf, (size_t)view.len);
        PyMutex_Unlock(&self->mutex);
    }
    PyBuffer_Release(&view);
    return 0;
}

PyObject *hash_new(PyTypeObject *type, const struct hash_algorithm *algorithm, PyObject *data,
                   PyObject *string)
{
    PyObject *first;
    if (hash_data(data, string, &first) < 0) {
        return NULL;
    }
    struct hash *self = (struct hash *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->algorithm = algorithm;
    algorithm->start(self->context, algorithm);
    if (first != NULL && hash_feed(self, first) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

void hash_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    /* What was hashed may be secret. */
    memset(((struct hash *)op)->context, 0, HASH_CONTEXT);
    __asm__ volatile("" : : "r"(((struct hash *)op)->context) : "memory");
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- results -------------------------------------------------------------------------------- */

static void hash_result(struct hash *self, uint8_t *out, size_t length)
{
    _Alignas(16) uint8_t context[HASH_CONTEXT];
    PyMutex_Lock(&self->mutex);
    memcpy(context, self->context, HASH_CONTEXT);
    PyMutex_Unlock(&self->mutex);
    self->algorithm->finish(context, out, length);
}

static PyObject *digest_of_length(struct hash *self, size_t length)
{
    PyObject *digest = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
    if (digest != NULL) {
        hash_result(self, (uint8_t *)PyBytes_AS_STRING(digest), length);
    }
    return digest;
}

static PyObject *hexdigest_of_length(struct hash *self, size_t length)
{
    PyObject *digest = digest_of_length(self, length);
    PyObject *text = digest ? _Py_strhex(PyBytes_AS_STRING(digest), (Py_ssize_t)length) : NULL;
    Py_XDECREF(digest);
    return text;
}

static PyObject *hash_copy(struct hash *self)
{
    struct hash *copy = (struct hash *)Py_TYPE(self)->tp_alloc(Py_TYPE(self), 0);
    if (copy != NULL) {
        copy->algorithm = self->algorithm;
        PyMutex_Lock(&self->mutex);
        memcpy(copy->context, self->context, HASH_CONTEXT);
        PyMutex_Unlock(&self->mutex);
    }
    return (PyObject *)copy;
}

static PyObject *hash_digest(struct hash *self)
{
    return digest_of_length(self, (size_t)self->algorithm->digest_size);
}

static PyObject *hash_hexdigest(struct hash *self)
{
    return hexdigest_of_length(self, (size_t)self->algorithm->digest_size);
}

static int hash_update(struct hash *self, PyObject *data)
{
    return hash_feed(self, data);
}

static int hash_get_block_size(struct hash *self)
{
    return self->algorithm->block_size;
}

static int hash_get_digest_size(struct hash *self)
{
    return self->algorithm->digest_size;
}

static PyObject *hash_get_name(struct hash *self)
{
    return PyUnicode_FromString(self->algorithm->name);
}

PyMethodDef *const hash_methods_fixed = hash_methods;
PyGetSetDef *const hash_getset_fixed = hash_getset;

/* ---- SHA-3 ---------------------------------------------------------------------------------- */

#define AS_HASH(name)                                                                              \
    static PyObject *name##_copy(struct hash *self)                                                \
    {                                                                                              \
        return hash_copy(self);                                                                    \
    }                                                                                              \
    static int name##_update(struct hash *self, PyObject *data)                                    \
    {                                                                                              \
        return hash_feed(self, data);                                                              \
    }                                                                                              \
    static int name##_get_block_size(struct hash *self)                                            \
    {                                                                                              \
        return hash_get_block_size(self);                                                          \
    }                                                                                              \
    static int name##_get_digest_size(struct hash *self)                                           \
    {                                                                                              \
        return hash_get_digest_size(self);                                                         \
    }                                                                                              \
    static PyObject *name##_get_name(struct hash *self)                                            \
    {                                                                                              \
        return hash_get_name(self);                                                                \
    }                                                                                              \
    static int name##_get_rate_bits(struct hash *self)                                             \
    {                                                                                              \
        return self->algorithm->block_size * 8;                                                    \
    }                                                                                              \
    static int name##_get_capacity_bits(struct hash *self)                                         \
    {                                                                                              \
        return 1600 - self->algorithm->block_size * 8;                                             \
    }                                                                                              \
    static PyObject *name##_get_suffix(struct hash *self)                                          \
    {                                                                                              \
        return PyBytes_FromStringAndSize(self->algorithm->digest_size ? "\x06" : "\x1f", 1);       \
    }

AS_HASH(sha3)
AS_HASH(shake)

static PyObject *sha3_digest(struct hash *self)
{
    return hash_digest(self);
}

static PyObject *sha3_hexdigest(struct hash *self)
{
    return hash_hexdigest(self);
}

static bool shake_length(unsigned long length)
{
    if (length >= 1ul << 29) {
        PyErr_SetString(PyExc_ValueError, "length is too large");
        return false;
    }
    return true;
}

static PyObject *shake_digest(struct hash *self, unsigned long length)
{
    return shake_length(length) ? digest_of_length(self, length) : NULL;
}

static PyObject *shake_hexdigest(struct hash *self, unsigned long length)
{
    return shake_length(length) ? hexdigest_of_length(self, length) : NULL;
}

/* ---- the module _sha3, whose types are their own constructors ------------------------------- */

#define SHA3_TYPE(id, kind)                                                                        \
    static PyObject *id##_new(PyTypeObject *type, PyObject *data, int Py_UNUSED(security),         \
                              PyObject *string)                                                    \
    {                                                                                              \
        return hash_new(type, &hash_##id, data, string);                                           \
    }                                                                                              \
    static PyType_Slot id##_slots[] = {                                                            \
        {Py_tp_new, bind_##id##_new},    {Py_tp_dealloc, hash_dealloc},                            \
        {Py_tp_methods, kind##_methods}, {Py_tp_getset, kind##_getset},                            \
        {Py_tp_doc, id##_doc},           {0, NULL},                                                \
    };                                                                                             \
    static PyType_Spec id##_type = {                                                               \
        "_sha3." #id, sizeof(struct hash), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,       \
        id##_slots,                                                                                \
    };

SHA3_TYPE(sha3_224, sha3)
SHA3_TYPE(sha3_256, sha3)
SHA3_TYPE(sha3_384, sha3)
SHA3_TYPE(sha3_512, sha3)
SHA3_TYPE(shake_128, shake)
SHA3_TYPE(shake_256, shake)

static int sha3_exec(PyObject *module)
{
    static PyType_Spec *const specs[] = {&sha3_224_type, &sha3_256_type,  &sha3_384_type,
                                         &sha3_512_type, &shake_128_type, &shake_256_type};
    for (size_t i = 0; i < Py_ARRAY_LENGTH(specs); i++) {
        PyTypeObject *type = module_type(module, specs[i], true);
        if (type == NULL) {
            return -1;
        }
        Py_DECREF(type);
    }
    return PyModule_AddStringConstant(module, "implementation", "krait");
}

static PyModuleDef_Slot sha3_module_slots[] = MODULE_SLOTS(sha3_exec);

static PyModuleDef sha3_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sha3",
    .m_doc = "SHA-3 and SHAKE.",
    .m_slots = sha3_module_slots,
};

MODULE_INIT(_sha3, sha3_module)
