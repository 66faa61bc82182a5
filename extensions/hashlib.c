/* The module _hashlib, with OpenSSL.
 *
 * Each object has a mutex: long inputs are hashed while other threads run, and one of them may want
 * the same object. */
#include "stdlib/module.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>

/* Inputs from this size on are worth letting others run. */
enum { LONG_INPUT = 2048 };

/* The algorithms with a function of their own. */
/* clang-format off */
#define ALGORITHMS(X)                                                                             \
    X(md5) X(sha1) X(sha224) X(sha256) X(sha384) X(sha512) X(sha3_224) X(sha3_256) X(sha3_384)    \
    X(sha3_512) X(shake_128) X(shake_256)
/* clang-format on */

enum algorithm {
#define MEMBER(name) ALG_##name,
    ALGORITHMS(MEMBER) ALGORITHM_COUNT
};

struct ossl_state {
    PyObject *hash_type, *xof_type, *hmac_type, *unsupported, *constructors;
    EVP_MD *cache[ALGORITHM_COUNT][2]; /* [used for security]; filled by compare-exchange */
};

struct hash {
    PyObject_HEAD
    EVP_MD_CTX *context;
    PyMutex mutex;
};

struct hmac {
    PyObject_HEAD
    EVP_MAC_CTX *context;
    EVP_MD *digest;
    PyMutex mutex;
};

#include "hashlib.bind.h"

static struct ossl_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* ---- errors --------------------------------------------------------------------------------- */

/* Raises what OpenSSL has to say; returns NULL. */
static PyObject *raise_openssl(PyObject *type)
{
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char *library = code ? ERR_lib_error_string(code) : NULL;
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (library != NULL && reason != NULL) {
        return PyErr_Format(type, "[%s] %s", library, reason);
    }
    PyErr_SetString(type, reason ? reason : "no reason supplied");
    return NULL;
}

/* ---- algorithms ----------------------------------------------------------------------------- */

/* Where Python's name of an algorithm is not OpenSSL's. */
static const struct {
    const char *python, *openssl;
} renamed[] = {
    {"sha512_224", "sha512-224"}, {"sha512_256", "sha512-256"}, {"sha3_224", "sha3-224"},
    {"sha3_256", "sha3-256"},     {"sha3_384", "sha3-384"},     {"sha3_512", "sha3-512"},
    {"shake_128", "shake128"},    {"shake_256", "shake256"},    {"blake2b", "blake2b512"},
    {"blake2s", "blake2s256"},
};

static const char *python_name(const EVP_MD *digest)
{
    int id = EVP_MD_get_type(digest);
    const char *name = id != NID_undef ? OBJ_nid2ln(id) : NULL;
    if (name == NULL) {
        return EVP_MD_get0_name(digest);
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(renamed); i++) {
        if (strcmp(name, renamed[i].openssl) == 0) {
            return renamed[i].python;
        }
    }
    return name;
}

/* The algorithm with a name (owned), or NULL with an exception. */
static EVP_MD *digest_named(struct ossl_state *state, const char *name, bool for_security)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(renamed); i++) {
        if (strcmp(name, renamed[i].python) == 0) {
            name = renamed[i].openssl;
            break;
        }
    }
    EVP_MD *digest = EVP_MD_fetch(NULL, name, for_security ? NULL : "-fips");
    if (digest == NULL) {
        raise_openssl(state->unsupported);
    }
    return digest;
}

/* The same for one with a function of its own; looking it up by name would take longer than hashing
 * something short. */
static EVP_MD *digest_known(struct ossl_state *state, enum algorithm algorithm, const char *name,
                            bool for_security)
{
    EVP_MD **slot = &state->cache[algorithm][for_security];
    EVP_MD *digest = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (digest == NULL) {
        digest = digest_named(state, name, for_security);
        if (digest == NULL) {
            return NULL;
        }
        EVP_MD *none = NULL;
        if (!__atomic_compare_exchange_n(slot, &none, digest, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            EVP_MD_free(digest);
            digest = none;
        }
    }
    EVP_MD_up_ref(digest);
    return digest;
}

/* The algorithm that an argument `digestmod` means: its name, or its function here. */
static EVP_MD *digest_meant(struct ossl_state *state, PyObject *arg)
{
    PyObject *name = PyUnicode_Check(arg) ? arg : NULL;
    if (name == NULL && PyCFunction_Check(arg)) {
        name = PyDict_GetItemWithError(state->constructors, arg);
        if (name == NULL && PyErr_Occurred()) {
            return NULL;
        }
    }
    const char *text = name ? PyUnicode_AsUTF8(name) : NULL;
    if (text == NULL) {
        return name ? NULL
                    : (PyErr_Format(state->unsupported, "Unsupported digestmod %R", arg), NULL);
    }
    return digest_named(state, text, true);
}

/* ---- inputs --------------------------------------------------------------------------------- */

/* The bytes of an object; false with an exception. */
static bool input_read(PyObject *arg, Py_buffer *out)
{
    if (PyUnicode_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "Strings must be encoded before hashing");
        return false;
    }
    if (!PyObject_CheckBuffer(arg)) {
        PyErr_SetString(PyExc_TypeError, "object supporting the buffer API required");
        return false;
    }
    return PyObject_GetBuffer(arg, out, PyBUF_SIMPLE) == 0;
}

/* `expr` for an input of so many bytes, while other threads run if it is long. */
#define HASHING(size, expr)                                                                        \
    __extension__({                                                                                \
        __typeof__(expr) hashing_result;                                                           \
        if ((size) >= LONG_INPUT) {                                                                \
            Py_BEGIN_ALLOW_THREADS hashing_result = (expr);                                        \
            Py_END_ALLOW_THREADS                                                                   \
        } else {                                                                                   \
            hashing_result = (expr);                                                               \
        }                                                                                          \
        hashing_result;                                                                            \
    })

/* Bytes (stolen; NULL passes) as hexadecimal digits. */
static PyObject *hex_of(PyObject *bytes)
{
    PyObject *text = bytes ? _Py_strhex(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)) : NULL;
    Py_XDECREF(bytes);
    return text;
}

/* ---- hash objects --------------------------------------------------------------------------- */

static struct hash *hash_make(PyTypeObject *type)
{
    struct hash *self = PyObject_New(struct hash, type);
    if (self != NULL) {
        self->mutex = (PyMutex){0};
        self->context = EVP_MD_CTX_new();
        if (self->context == NULL) {
            PyErr_NoMemory();
            Py_CLEAR(self);
        }
    }
    return self;
}

static void hash_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    EVP_MD_CTX_free(((struct hash *)op)->context);
    PyObject_Free(op);
    Py_DECREF(type);
}

/* What takes bytes into a context of OpenSSL; 0 is a failure. */
typedef int (*update_fn)(void *context, const void *bytes, size_t size);

static int digest_take(void *context, const void *bytes, size_t size)
{
    return EVP_DigestUpdate(context, bytes, size);
}

static int mac_take(void *context, const void *bytes, size_t size)
{
    return EVP_MAC_update(context, bytes, size);
}

/* Feeds data to a context that the mutex guards: 0, or -1 with an exception. */
static int feed(PyMutex *mutex, void *context, update_fn update, PyObject *data)
{
    Py_buffer input;
    if (!input_read(data, &input)) {
        return -1;
    }
    PyMutex_Lock(mutex);
    int fine = HASHING(input.len, update(context, input.buf, (size_t)input.len));
    PyMutex_Unlock(mutex);
    PyBuffer_Release(&input);
    if (!fine) {
        raise_openssl(PyExc_ValueError);
        return -1;
    }
    return 0;
}

static int hash_update(struct hash *self, PyObject *data)
{
    return feed(&self->mutex, self->context, digest_take, data);
}

/* A hash object of an algorithm (consumed; NULL with an exception passes), fed with the data. */
static PyObject *hash_start(struct ossl_state *state, EVP_MD *digest, PyObject *data,
                            PyObject *string, bool for_security)
{
    if (digest == NULL) {
        return NULL;
    }
    bool any_length = EVP_MD_get_flags(digest) & EVP_MD_FLAG_XOF;
    struct hash *self = NULL;
    if (data != NULL && string != NULL) {
        PyErr_SetString(PyExc_TypeError,
                        "'data' and 'string' are mutually exclusive and support for 'string' "
                        "keyword parameter is slated for removal in a future version.");
    } else {
        self = hash_make((PyTypeObject *)(any_length ? state->xof_type : state->hash_type));
    }
    if (self != NULL) {
        if (!for_security) {
            EVP_MD_CTX_set_flags(self->context, EVP_MD_CTX_FLAG_NON_FIPS_ALLOW);
        }
        if (!EVP_DigestInit_ex(self->context, digest, NULL)) {
            raise_openssl(PyExc_ValueError);
            Py_CLEAR(self);
        }
    }
    EVP_MD_free(digest);
    data = data ? data : string;
    if (self != NULL && data != NULL && hash_update(self, data) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *ossl_new(PyObject *module, PyObject *name, PyObject *data, int for_security,
                          PyObject *string)
{
    struct ossl_state *state = state_of(module);
    const char *text = PyUnicode_AsUTF8(name);
    EVP_MD *digest = text ? digest_named(state, text, for_security) : NULL;
    return hash_start(state, digest, data, string, for_security);
}

#define FUNCTION(name)                                                                             \
    static PyObject *ossl_##name(PyObject *module, PyObject *data, int for_security,               \
                                 PyObject *string)                                                 \
    {                                                                                              \
        struct ossl_state *state = state_of(module);                                               \
        return hash_start(state, digest_known(state, ALG_##name, #name, for_security), data,       \
                          string, for_security);                                                   \
    }

ALGORITHMS(FUNCTION)

static bool context_copy(struct hash *self, EVP_MD_CTX *to)
{
    PyMutex_Lock(&self->mutex);
    int fine = EVP_MD_CTX_copy_ex(to, self->context);
    PyMutex_Unlock(&self->mutex);
    if (!fine) {
        raise_openssl(PyExc_ValueError);
    }
    return fine;
}

static PyObject *hash_copy(struct hash *self)
{
    struct hash *copy = hash_make(Py_TYPE(self));
    if (copy != NULL && !context_copy(self, copy->context)) {
        Py_CLEAR(copy);
    }
    return (PyObject *)copy;
}

static PyObject *hash_value(struct hash *self)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned int size;
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *bytes = NULL;
    if (context_copy(self, copy)) {
        bytes = EVP_DigestFinal_ex(copy, value, &size)
                    ? PyBytes_FromStringAndSize((const char *)value, size)
                    : raise_openssl(PyExc_ValueError);
    }
    EVP_MD_CTX_free(copy);
    return bytes;
}

static PyObject *hash_hex(struct hash *self)
{
    return hex_of(hash_value(self));
}

static PyObject *xof_value(struct hash *self, Py_ssize_t length)
{
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "length must be non-negative");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    EVP_MD_CTX *copy = bytes ? EVP_MD_CTX_new() : NULL;
    bool fine = copy != NULL && context_copy(self, copy);
    if (fine && length > 0
        && !HASHING(length, EVP_DigestFinalXOF(copy, (unsigned char *)PyBytes_AS_STRING(bytes),
                                               (size_t)length))) {
        raise_openssl(PyExc_ValueError);
        fine = false;
    }
    if (copy == NULL && bytes != NULL) {
        PyErr_NoMemory();
    }
    EVP_MD_CTX_free(copy);
    if (!fine) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *xof_hex(struct hash *self, Py_ssize_t length)
{
    return hex_of(xof_value(self, length));
}

static int hash_get_digest_size(struct hash *self)
{
    return EVP_MD_CTX_get_size(self->context);
}

static int xof_get_digest_size(struct hash *Py_UNUSED(self))
{
    return 0;
}

static int hash_get_block_size(struct hash *self)
{
    return EVP_MD_CTX_get_block_size(self->context);
}

static PyObject *hash_get_name(struct hash *self)
{
    return PyUnicode_FromString(python_name(EVP_MD_CTX_get0_md(self->context)));
}

static PyObject *hash_repr(PyObject *op)
{
    const EVP_MD *digest = EVP_MD_CTX_get0_md(((struct hash *)op)->context);
    return PyUnicode_FromFormat("<%s %s object @ %p>", python_name(digest), Py_TYPE(op)->tp_name,
                                op);
}

/* ---- keyed hash objects --------------------------------------------------------------------- */

static void hmac_dealloc(PyObject *op)
{
    struct hmac *self = (struct hmac *)op;
    PyTypeObject *type = Py_TYPE(op);
    EVP_MAC_CTX_free(self->context);
    EVP_MD_free(self->digest);
    PyObject_Free(op);
    Py_DECREF(type);
}

/* Both are taken over, also on failure. */
static struct hmac *hmac_make(PyTypeObject *type, EVP_MAC_CTX *context, EVP_MD *digest)
{
    struct hmac *self = PyObject_New(struct hmac, type);
    if (self == NULL) {
        EVP_MAC_CTX_free(context);
        EVP_MD_free(digest);
        return NULL;
    }
    self->context = context;
    self->digest = digest;
    self->mutex = (PyMutex){0};
    return self;
}

static int hmac_update(struct hmac *self, PyObject *data)
{
    return feed(&self->mutex, self->context, mac_take, data);
}

/* A context with the key in it, or NULL with an exception. */
static EVP_MAC_CTX *hmac_context(const EVP_MD *digest, const Py_buffer *key)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)EVP_MD_get0_name(digest),
                                         0),
        OSSL_PARAM_construct_end(),
    };
    const unsigned char *bytes = key->len ? key->buf : (const unsigned char *)"";
    if (context == NULL || !EVP_MAC_init(context, bytes, (size_t)key->len, params)) {
        raise_openssl(PyExc_ValueError);
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

static PyObject *ossl_hmac_new(PyObject *module, Py_buffer *key, PyObject *message,
                               PyObject *digestmod)
{
    struct ossl_state *state = state_of(module);
    if (digestmod == NULL) {
        PyErr_SetString(PyExc_TypeError, "Missing required parameter 'digestmod'.");
        return NULL;
    }
    EVP_MD *digest = digest_meant(state, digestmod);
    EVP_MAC_CTX *context = digest ? hmac_context(digest, key) : NULL;
    if (context == NULL) {
        EVP_MD_free(digest);
        return NULL;
    }
    struct hmac *self = hmac_make((PyTypeObject *)state->hmac_type, context, digest);
    if (self != NULL && message != NULL && message != Py_None && hmac_update(self, message) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* A copy of the context, or NULL with an exception. */
static EVP_MAC_CTX *hmac_context_copy(struct hmac *self)
{
    PyMutex_Lock(&self->mutex);
    EVP_MAC_CTX *copy = EVP_MAC_CTX_dup(self->context);
    PyMutex_Unlock(&self->mutex);
    if (copy == NULL) {
        raise_openssl(PyExc_ValueError);
    }
    return copy;
}

static PyObject *hmac_copy(struct hmac *self)
{
    EVP_MAC_CTX *context = hmac_context_copy(self);
    if (context == NULL) {
        return NULL;
    }
    EVP_MD_up_ref(self->digest);
    return (PyObject *)hmac_make(Py_TYPE(self), context, self->digest);
}

static PyObject *hmac_value(struct hmac *self)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    size_t size;
    EVP_MAC_CTX *copy = hmac_context_copy(self);
    if (copy == NULL) {
        return NULL;
    }
    PyObject *bytes = EVP_MAC_final(copy, value, &size, sizeof value)
                          ? PyBytes_FromStringAndSize((const char *)value, (Py_ssize_t)size)
                          : raise_openssl(PyExc_ValueError);
    EVP_MAC_CTX_free(copy);
    return bytes;
}

static PyObject *hmac_hex(struct hmac *self)
{
    return hex_of(hmac_value(self));
}

static int hmac_get_digest_size(struct hmac *self)
{
    return EVP_MD_get_size(self->digest);
}

static int hmac_get_block_size(struct hmac *self)
{
    return EVP_MD_get_block_size(self->digest);
}

static PyObject *hmac_get_name(struct hmac *self)
{
    return PyUnicode_FromFormat("hmac-%s", python_name(self->digest));
}

static PyObject *hmac_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<%s HMAC object @ %p>", python_name(((struct hmac *)op)->digest),
                                op);
}

static PyObject *ossl_hmac_digest(PyObject *module, Py_buffer *key, Py_buffer *message,
                                  PyObject *digestmod)
{
    if (key->len > INT_MAX || message->len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        key->len > INT_MAX ? "key is too long." : "msg is too long.");
        return NULL;
    }
    EVP_MD *digest = digest_meant(state_of(module), digestmod);
    if (digest == NULL) {
        return NULL;
    }
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned int size;
    const void *bytes = key->len ? key->buf : "";
    unsigned char *made = HASHING(message->len, HMAC(digest, bytes, (int)key->len, message->buf,
                                                     (size_t)message->len, value, &size));
    EVP_MD_free(digest);
    return made ? PyBytes_FromStringAndSize((const char *)value, size)
                : raise_openssl(PyExc_ValueError);
}

/* ---- keys from passwords -------------------------------------------------------------------- */

/* A number from 1 on that fits an int; otherwise an error that names it. */
static bool positive_read(PyObject *arg, const char *too_great, const char *too_small, int *out)
{
    long value;
    if (!bind_long(arg, &value)) {
        return false;
    }
    if (value > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, too_great);
    } else if (value < 1) {
        PyErr_SetString(PyExc_ValueError, too_small);
    } else {
        *out = (int)value;
        return true;
    }
    return false;
}

static PyObject *ossl_pbkdf2_hmac(PyObject *module, const char *name, Py_buffer *password,
                                  Py_buffer *salt, PyObject *iterations, PyObject *dklen)
{
    EVP_MD *digest = digest_named(state_of(module), name, true);
    if (digest == NULL) {
        return NULL;
    }
    int rounds, length = EVP_MD_get_size(digest);
    PyObject *key = NULL;
    if (password->len > INT_MAX || salt->len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError,
                        password->len > INT_MAX ? "password is too long." : "salt is too long.");
    } else if (positive_read(iterations, "iteration value is too great.",
                             "iteration value must be greater than 0.", &rounds)
               && (dklen == Py_None
                   || positive_read(dklen, "key length is too great.",
                                    "key length must be greater than 0.", &length))) {
        key = PyBytes_FromStringAndSize(NULL, length);
    }
    if (key != NULL) {
        int fine;
        Py_BEGIN_ALLOW_THREADS fine =
            PKCS5_PBKDF2_HMAC(password->buf, (int)password->len, salt->buf, (int)salt->len, rounds,
                              digest, length, (unsigned char *)PyBytes_AS_STRING(key));
        Py_END_ALLOW_THREADS if (!fine)
        {
            Py_CLEAR(key);
            raise_openssl(PyExc_ValueError);
        }
    }
    EVP_MD_free(digest);
    return key;
}

/* One of the three numbers that scrypt needs. */
static bool cost_read(PyObject *arg, char name, unsigned long *out)
{
    if (arg != Py_None && !PyLong_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "scrypt() argument '%c' must be int, not %.50s", name,
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    *out = arg != Py_None ? PyLong_AsUnsignedLong(arg) : 0;
    if (arg == Py_None || PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "%c is required and must be an unsigned int", name);
        return false;
    }
    return true;
}

static bool scrypt_check(unsigned long n, unsigned long r, unsigned long p, long maxmem, long dklen)
{
    if (n < 2 || (n & (n - 1)) != 0) {
        PyErr_SetString(PyExc_ValueError, "n must be a power of 2.");
    } else if (maxmem < 0 || maxmem > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "maxmem must be positive and smaller than %d", INT_MAX);
    } else if (dklen < 1 || dklen > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "dklen must be greater than 0 and smaller than %d", INT_MAX);
    } else if (!EVP_PBE_scrypt(NULL, 0, NULL, 0, n, r, p, (uint64_t)maxmem, NULL, 0)) {
        /* OpenSSL looks at the numbers first when there is no room for a key. */
        unsigned long code = ERR_peek_last_error();
        if (ERR_reason_error_string(code) != NULL) {
            raise_openssl(PyExc_ValueError);
        } else {
            ERR_clear_error();
            PyErr_SetString(PyExc_ValueError, "Invalid parameter combination for n, r, p, maxmem.");
        }
    } else {
        return true;
    }
    return false;
}

static PyObject *scrypt_run(const Py_buffer *password, const Py_buffer *salt, unsigned long n,
                            unsigned long r, unsigned long p, long maxmem, long dklen)
{
    PyObject *key = PyBytes_FromStringAndSize(NULL, dklen);
    if (key == NULL) {
        return NULL;
    }
    int fine;
    Py_BEGIN_ALLOW_THREADS fine =
        EVP_PBE_scrypt(password->buf, (size_t)password->len, salt->buf, (size_t)salt->len, n, r, p,
                       (uint64_t)maxmem, (unsigned char *)PyBytes_AS_STRING(key), (size_t)dklen);
    Py_END_ALLOW_THREADS if (!fine)
    {
        Py_DECREF(key);
        return raise_openssl(PyExc_ValueError);
    }
    return key;
}

static PyObject *ossl_scrypt(PyObject *Py_UNUSED(module), Py_buffer *password,
                             PyObject *salt_object, PyObject *n, PyObject *r, PyObject *p,
                             long maxmem, long dklen)
{
    if (password->len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "password is too long.");
        return NULL;
    }
    if (salt_object == Py_None) {
        PyErr_SetString(PyExc_TypeError, "salt is required");
        return NULL;
    }
    Py_buffer salt;
    if (!bind_buffer(salt_object, &salt)) {
        return NULL;
    }
    unsigned long cost, block, parallel;
    PyObject *key = NULL;
    if (salt.len > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "salt is too long.");
    } else if (cost_read(n, 'n', &cost) && cost_read(r, 'r', &block) && cost_read(p, 'p', &parallel)
               && scrypt_check(cost, block, parallel, maxmem, dklen)) {
        key = scrypt_run(password, &salt, cost, block, parallel, maxmem, dklen);
    }
    PyBuffer_Release(&salt);
    return key;
}

static int ossl_get_fips_mode(PyObject *Py_UNUSED(module))
{
    return EVP_default_properties_is_fips_enabled(NULL);
}

/* ---- types ---------------------------------------------------------------------------------- */

static PyType_Slot hash_slots[] = {
    {Py_tp_dealloc, hash_dealloc}, {Py_tp_repr, hash_repr},     {Py_tp_doc, (void *)hash_doc},
    {Py_tp_methods, hash_methods}, {Py_tp_getset, hash_getset}, {0, NULL},
};

static PyType_Spec hash_spec = {
    "_hashlib.HASH",
    sizeof(struct hash),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    hash_slots,
};

static PyType_Slot xof_slots[] = {
    {Py_tp_doc, (void *)xof_doc},
    {Py_tp_methods, xof_methods},
    {Py_tp_getset, xof_getset},
    {0, NULL},
};

static PyType_Spec xof_spec = {
    "_hashlib.HASHXOF",
    sizeof(struct hash),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    xof_slots,
};

static PyType_Slot hmac_slots[] = {
    {Py_tp_dealloc, hmac_dealloc}, {Py_tp_repr, hmac_repr},     {Py_tp_doc, (void *)hmac_doc},
    {Py_tp_methods, hmac_methods}, {Py_tp_getset, hmac_getset}, {0, NULL},
};

static PyType_Spec hmac_spec = {
    "_hashlib.HMAC",
    sizeof(struct hmac),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    hmac_slots,
};

static int types_make(PyObject *module, struct ossl_state *state)
{
    state->hash_type = (PyObject *)module_type(module, &hash_spec, true);
    state->hmac_type = (PyObject *)module_type(module, &hmac_spec, true);
    if (state->hash_type == NULL || state->hmac_type == NULL) {
        return -1;
    }
    state->xof_type = PyType_FromModuleAndSpec(module, &xof_spec, state->hash_type);
    return state->xof_type ? PyModule_AddType(module, (PyTypeObject *)state->xof_type) : -1;
}

/* ---- the module ----------------------------------------------------------------------------- */

/* Adds the name of an algorithm, unless it cannot be used. */
static void name_add(EVP_MD *digest, void *set)
{
    int id = EVP_MD_get_type(digest);
    if (id == NID_undef || PyErr_Occurred()) {
        return;
    }
    PyObject *name = PyUnicode_FromString(python_name(digest));
    if (name != NULL) {
        (void)PySet_Add(set, name);
        Py_DECREF(name);
    }
}

static int names_add(PyObject *module)
{
    PyObject *names = PyFrozenSet_New(NULL);
    if (names == NULL) {
        return -1;
    }
    EVP_MD_do_all_provided(NULL, name_add, names);
    ERR_clear_error();
    int rc = PyErr_Occurred() ? -1 : PyModule_AddObjectRef(module, "openssl_md_meth_names", names);
    Py_DECREF(names);
    return rc;
}

/* The dict from functions to the names of their algorithms, as a view in the module. */
static int constructors_add(PyObject *module, struct ossl_state *state)
{
    static const char prefix[] = "openssl_";
    state->constructors = PyDict_New();
    if (state->constructors == NULL) {
        return -1;
    }
#define TEXT(name) #name,
    static const char *const names[] = {ALGORITHMS(TEXT)};
    for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
        char attribute[32];
        PyOS_snprintf(attribute, sizeof attribute, "%s%s", prefix, names[i]);
        PyObject *function = PyObject_GetAttrString(module, attribute);
        PyObject *name = PyUnicode_InternFromString(names[i]);
        int rc = function && name ? PyDict_SetItem(state->constructors, function, name) : -1;
        Py_XDECREF(function);
        Py_XDECREF(name);
        if (rc < 0) {
            return -1;
        }
    }
    PyObject *view = PyDictProxy_New(state->constructors);
    int rc = view ? PyModule_AddObjectRef(module, "_constructors", view) : -1;
    Py_XDECREF(view);
    return rc;
}

/* The comparison that takes the same time wherever the difference is; there is one already. */
static int comparison_add(PyObject *module)
{
    PyObject *compare = _PyImport_GetModuleAttrString("_operator", "_compare_digest");
    int rc = compare ? PyModule_AddObjectRef(module, "compare_digest", compare) : -1;
    Py_XDECREF(compare);
    return rc;
}

static int ossl_exec(PyObject *module)
{
    struct ossl_state *state = state_of(module);
    state->unsupported =
        PyErr_NewException("_hashlib.UnsupportedDigestmodError", PyExc_ValueError, NULL);
    return state->unsupported == NULL
                   || PyModule_AddObjectRef(module, "UnsupportedDigestmodError", state->unsupported)
                          < 0
                   || types_make(module, state) < 0 || names_add(module) < 0
                   || constructors_add(module, state) < 0 || comparison_add(module) < 0
               ? -1
               : 0;
}

static int ossl_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct ossl_state *state = state_of(module);
    Py_VISIT(state->hash_type);
    Py_VISIT(state->xof_type);
    Py_VISIT(state->hmac_type);
    Py_VISIT(state->unsupported);
    Py_VISIT(state->constructors);
    return 0;
}

static int ossl_clear(PyObject *module)
{
    struct ossl_state *state = state_of(module);
    Py_CLEAR(state->hash_type);
    Py_CLEAR(state->xof_type);
    Py_CLEAR(state->hmac_type);
    Py_CLEAR(state->unsupported);
    Py_CLEAR(state->constructors);
    return 0;
}

static void ossl_free(void *module)
{
    struct ossl_state *state = state_of(module);
    ossl_clear(module);
    for (int i = 0; i < ALGORITHM_COUNT; i++) {
        EVP_MD_free(state->cache[i][0]);
        EVP_MD_free(state->cache[i][1]);
    }
}

static PyModuleDef_Slot ossl_slots[] = MODULE_SLOTS(ossl_exec);

static PyModuleDef ossl_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "_hashlib",  .m_doc = ossl_doc,
    .m_methods = ossl_methods,   .m_slots = ossl_slots, .m_size = sizeof(struct ossl_state),
    .m_traverse = ossl_traverse, .m_clear = ossl_clear, .m_free = ossl_free,
};

MODULE_INIT(_hashlib, ossl_module)
