/* The module _random: MT19937 (M. Matsumoto and T. Nishimura, 1998), 53 bits for each float. */
#include "module.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { STATE_WORDS = 624, SHIFT_WORDS = 397 };

struct random {
    PyObject_HEAD
    int index; /* the next word to give out */
    uint32_t word[STATE_WORDS];
};

struct random_state {
    PyObject *random_type;
};

static PyModuleDef random_module;

#include "random.bind.h"

/* ---- the twister ---------------------------------------------------------------------------- */

static inline uint32_t twist(uint32_t high, uint32_t low)
{
    uint32_t joined = (high & 0x80000000u) | (low & 0x7fffffffu);
    return (joined >> 1) ^ (-(low & 1u) & 0x9908b0dfu);
}

static void generator_refill(struct random *self)
{
    uint32_t *w = self->word;
    int i = 0;
    for (; i < STATE_WORDS - SHIFT_WORDS; i++) {
        w[i] = w[i + SHIFT_WORDS] ^ twist(w[i], w[i + 1]);
    }
    for (; i < STATE_WORDS - 1; i++) {
        w[i] = w[i + SHIFT_WORDS - STATE_WORDS] ^ twist(w[i], w[i + 1]);
    }
    w[i] = w[SHIFT_WORDS - 1] ^ twist(w[i], w[0]);
    self->index = 0;
}

static inline uint32_t generator_next(struct random *self)
{
    if (UNLIKELY(self->index >= STATE_WORDS)) {
        generator_refill(self);
    }
    uint32_t y = self->word[self->index++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static void generator_start(struct random *self, uint32_t seed)
{
    self->word[0] = seed;
    for (uint32_t i = 1; i < STATE_WORDS; i++) {
        uint32_t last = self->word[i - 1];
        self->word[i] = 1812433253u * (last ^ (last >> 30)) + i;
    }
    self->index = STATE_WORDS;
}

/* Mixes every word of the key into the state. */
static void generator_start_from(struct random *self, const uint32_t *key, size_t count)
{
    generator_start(self, 19650218u);
    uint32_t *w = self->word;
    size_t i = 1, j = 0;
    for (size_t k = Py_MAX(count, STATE_WORDS); k > 0; k--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * 1664525u)) + key[j] + (uint32_t)j;
        if (++i == STATE_WORDS) {
            w[0] = w[STATE_WORDS - 1];
            i = 1;
        }
        j = j + 1 == count ? 0 : j + 1;
    }
    for (int k = STATE_WORDS - 1; k > 0; k--) {
        w[i] = (w[i] ^ ((w[i - 1] ^ (w[i - 1] >> 30)) * 1566083941u)) - (uint32_t)i;
        if (++i == STATE_WORDS) {
            w[0] = w[STATE_WORDS - 1];
            i = 1;
        }
    }
    w[0] = 0x80000000u;
}

/* ---- seeding -------------------------------------------------------------------------------- */

/* From the system; where that has nothing yet, from the time and the process. */
static void seed_from_system(struct random *self)
{
    uint32_t key[STATE_WORDS];
    if (getrandom(key, sizeof key / 4, GRND_NONBLOCK) == (ssize_t)(sizeof key / 4)) {
        generator_start_from(self, key, STATE_WORDS / 4);
        return;
    }
    struct timespec now, running;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_MONOTONIC, &running);
    uint32_t weak[5] = {(uint32_t)now.tv_nsec, (uint32_t)now.tv_sec, (uint32_t)getpid(),
                        (uint32_t)running.tv_nsec, (uint32_t)running.tv_sec};
    generator_start_from(self, weak, 5);
}

/* From an int >= 0: its words, the lowest first, no fewer than one. */
static int seed_from_int(struct random *self, PyObject *number)
{
    Py_ssize_t bytes = PyLong_AsNativeBytes(
        number, NULL, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER);
    if (bytes < 0) {
        return -1;
    }
    size_t count = ((size_t)bytes + 3) / 4;
    uint32_t *key = PyMem_Calloc(count ? count : 1, sizeof *key);
    if (key == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyLong_AsNativeBytes(number, key, (Py_ssize_t)(count * 4),
                             Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER)
        < 0) {
        PyMem_Free(key);
        return -1;
    }
    while (count > 1 && key[count - 1] == 0) { /* a byte for the sign may have made a word of 0 */
        count--;
    }
    generator_start_from(self, key, count ? count : 1);
    PyMem_Free(key);
    return 0;
}

static int random_seed(struct random *self, PyObject *arg)
{
    if (arg == NULL || arg == Py_None) {
        seed_from_system(self);
        return 0;
    }
    PyObject *number;
    if (PyLong_CheckExact(arg)) {
        number = PyNumber_Absolute(arg);
    } else if (PyLong_Check(arg)) {
        number = PyLong_Type.tp_as_number->nb_absolute(arg);
    } else {
        Py_hash_t hash = PyObject_Hash(arg);
        number = hash == -1 ? NULL : PyLong_FromSize_t((size_t)hash);
    }
    int rc = number ? seed_from_int(self, number) : -1;
    Py_XDECREF(number);
    return rc;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static double random_random(struct random *self)
{
    uint32_t high = generator_next(self) >> 5, low = generator_next(self) >> 6;
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
}

static PyObject *random_getrandbits(struct random *self, PyObject *arg)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return NULL;
    }
    int overflow;
    long long bits = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow < 0 || (overflow == 0 && bits < 0)) {
        PyErr_SetString(PyExc_ValueError, "number of bits must be non-negative");
        return NULL;
    }
    if (overflow > 0 || bits > PY_SSIZE_T_MAX - 32) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return NULL;
    }
    if (bits <= 32) {
        return PyLong_FromUnsignedLong(bits ? generator_next(self) >> (32 - bits) : 0);
    }
    size_t count = ((size_t)bits + 31) / 32;
    uint32_t *words = PyMem_New(uint32_t, count);
    if (words == NULL) {
        return PyErr_NoMemory();
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = generator_next(self);
    }
    words[count - 1] >>= (32 - bits % 32) % 32;
    PyObject *result =
        PyLong_FromUnsignedNativeBytes(words, count * 4, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    PyMem_Free(words);
    return result;
}

/* ---- state ---------------------------------------------------------------------------------- */

static PyObject *random_getstate(struct random *self)
{
    PyObject *state = PyTuple_New(STATE_WORDS + 1);
    for (int i = 0; state != NULL && i <= STATE_WORDS; i++) {
        PyObject *item =
            PyLong_FromUnsignedLong(i < STATE_WORDS ? self->word[i] : (unsigned long)self->index);
        if (item == NULL) {
            Py_CLEAR(state);
            break;
        }
        PyTuple_SET_ITEM(state, i, item);
    }
    return state;
}

static int random_setstate(struct random *self, PyObject *state)
{
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state vector must be a tuple");
        return -1;
    }
    if (PyTuple_GET_SIZE(state) != STATE_WORDS + 1) {
        PyErr_SetString(PyExc_ValueError, "state vector is the wrong size");
        return -1;
    }
    uint32_t words[STATE_WORDS];
    for (int i = 0; i < STATE_WORDS; i++) {
        unsigned long word = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(state, i));
        if (word == (unsigned long)-1 && PyErr_Occurred()) {
            return -1;
        }
        words[i] = (uint32_t)word;
    }
    long index = PyLong_AsLong(PyTuple_GET_ITEM(state, STATE_WORDS));
    if (index == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (index < 0 || index > STATE_WORDS) {
        PyErr_SetString(PyExc_ValueError, "invalid state");
        return -1;
    }
    memcpy(self->word, words, sizeof words);
    self->index = (int)index;
    return 0;
}

/* ---- the type and the module ---------------------------------------------------------------- */

static int random_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &random_module);
    if (module == NULL) {
        return -1;
    }
    struct random_state *state = PyModule_GetState(module);
    if (((PyObject *)Py_TYPE(self) == state->random_type
         || Py_TYPE(self)->tp_init == ((PyTypeObject *)state->random_type)->tp_init)
        && !bind_no_keywords("Random", kwargs)) {
        return -1;
    }
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_SetString(PyExc_TypeError, "Random() requires 0 or 1 argument");
        return -1;
    }
    PyObject *arg = PyTuple_GET_SIZE(args) == 1 ? PyTuple_GET_ITEM(args, 0) : NULL;
    return LOCKED(self, random_seed((struct random *)self, arg));
}

static void random_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot random_type_slots[] = {
    {Py_tp_doc, random_doc},   {Py_tp_methods, random_methods}, {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, random_init}, {Py_tp_dealloc, random_dealloc}, {0, NULL},
};

static PyType_Spec random_spec = {
    "_random.Random",  sizeof(struct random), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    random_type_slots,
};

static int random_exec(PyObject *module)
{
    struct random_state *state = PyModule_GetState(module);
    state->random_type = (PyObject *)module_type(module, &random_spec, true);
    return state->random_type ? 0 : -1;
}

STATE_OBJECTS(random)

static PyModuleDef_Slot random_slots[] = MODULE_SLOTS(random_exec);

static PyModuleDef random_module = {
    PyModuleDef_HEAD_INIT,   .m_name = "_random",  .m_doc = random_module_doc,
    .m_slots = random_slots, STATE_FIELDS(random),
};

MODULE_INIT(_random, random_module)
