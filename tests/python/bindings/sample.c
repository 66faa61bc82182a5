/* The implementation behind sample.bind. */
#include <Python.h>
#include <stdbool.h>

struct thing {
    PyObject_HEAD
    int value;
    PyObject *b;
};

static bool sample_even(PyObject *arg, int *out);

#include "sample.bind.h"

#define OR_NONE(x) ((x) ? (x) : Py_None)

static bool sample_even(PyObject *arg, int *out)
{
    if (!bind_int(arg, out)) {
        return false;
    }
    if (*out % 2) {
        PyErr_SetString(PyExc_ValueError, "odd");
        return false;
    }
    return true;
}

static int sample_none(PyObject *Py_UNUSED(m))
{
    return 0;
}
static double sample_one(PyObject *Py_UNUSED(m), double x)
{
    return x;
}
static double sample_two(PyObject *Py_UNUSED(m), double x, double y)
{
    return x + y;
}

static PyObject *sample_maybe(PyObject *Py_UNUSED(m), PyObject *a, PyObject *b, int n)
{
    return Py_BuildValue("OOi", a, OR_NONE(b), n);
}

static PyObject *sample_perm(PyObject *Py_UNUSED(m), PyObject *n, PyObject *k)
{
    return Py_NewRef(k == Py_None ? n : k);
}

static int sample_close(PyObject *Py_UNUSED(m), double a, double b, double rel, double absolute)
{
    double d = a < b ? b - a : a - b;
    return d <= absolute || d <= rel * (a < 0 ? -a : a);
}

static PyObject *sample_prod(PyObject *Py_UNUSED(m), PyObject *iterable, PyObject *start)
{
    return Py_BuildValue("OO", iterable, OR_NONE(start));
}

static PyObject *sample_need(PyObject *Py_UNUSED(m), PyObject *a, PyObject *key, int other)
{
    return Py_BuildValue("OOi", a, key, other);
}

static PyObject *sample_show(PyObject *Py_UNUSED(m), PyObject *const *args, Py_ssize_t n,
                             PyObject *sep, PyObject *end, int flush)
{
    return Py_BuildValue("OnOOi", n ? args[n - 1] : Py_None, n, OR_NONE(sep), OR_NONE(end), flush);
}

static Py_ssize_t sample_gcd(PyObject *Py_UNUSED(m), PyObject *const *Py_UNUSED(args), Py_ssize_t n)
{
    return n;
}

static Py_ssize_t sample_first(PyObject *Py_UNUSED(m), int head, PyObject *const *Py_UNUSED(args),
                               Py_ssize_t n)
{
    return head * 100 + n;
}

static PyObject *sample_text(PyObject *Py_UNUSED(m), PyObject *s)
{
    return Py_NewRef(s);
}

static PyObject *sample_texts(PyObject *Py_UNUSED(m), PyObject *s, PyObject *t)
{
    return Py_BuildValue("OO", s, t);
}

static PyObject *sample_encode(PyObject *Py_UNUSED(m), const char *encoding, const char *errors)
{
    return Py_BuildValue("sz", encoding, errors);
}

static Py_ssize_t sample_data(PyObject *Py_UNUSED(m), Py_buffer *data, PyObject *Py_UNUSED(sep),
                              Py_ssize_t n)
{
    return data->len + n;
}

static Py_ssize_t sample_into(PyObject *Py_UNUSED(m), Py_buffer *data)
{
    memset(data->buf, 'x', (size_t)data->len);
    return data->len;
}

static PyObject *sample_fill(PyObject *Py_UNUSED(m), char c, Py_UCS4 u)
{
    return Py_BuildValue("cC", c, (int)u);
}

static PyObject *sample_heap(PyObject *Py_UNUSED(m), PyObject *heap, PyObject *Py_UNUSED(item))
{
    return Py_NewRef(heap);
}

static PyObject *sample_exact(PyObject *Py_UNUSED(m), PyObject *t)
{
    return Py_NewRef(t);
}

static PyObject *sample_index(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(v), Py_ssize_t start,
                              Py_ssize_t stop)
{
    return Py_BuildValue("nn", start, stop);
}

static Py_ssize_t sample_read(PyObject *Py_UNUSED(m), Py_ssize_t size)
{
    return size + 1000;
}

static PyObject *sample_unsigned(PyObject *Py_UNUSED(m), unsigned a, unsigned long b, size_t c,
                                 unsigned char d, unsigned mask)
{
    return Py_BuildValue("IkkBI", a, b, c, d, mask);
}

static unsigned long sample_mask(PyObject *Py_UNUSED(m), unsigned long v)
{
    return v;
}

static PyObject *sample_number(PyObject *Py_UNUSED(m), int i, long l, short h, long long q, int p)
{
    return Py_BuildValue("ilhLi", i, l, h, q, p);
}

static int sample_fd(PyObject *Py_UNUSED(m), int fd)
{
    return fd;
}
static int sample_custom(PyObject *Py_UNUSED(m), int v)
{
    return v;
}

static int sample_unnamed(PyObject *Py_UNUSED(module), int a, const char *Py_UNUSED(text))
{
    return a;
}
static int sample_counted(PyObject *Py_UNUSED(module), int a, PyObject *text)
{
    return a + (text != NULL);
}

static PyObject *sample_group(PyObject *Py_UNUSED(m), int priority, PyObject *message, int given)
{
    return Py_BuildValue("iOi", priority, message, given);
}

static int sample_opened(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(path),
                         const char *Py_UNUSED(mode), int Py_UNUSED(flags))
{
    return 0;
}

static PyObject *Thing_new(PyTypeObject *type, int a, PyObject *b, int c)
{
    struct thing *thing = (struct thing *)type->tp_alloc(type, 0);
    if (thing != NULL) {
        thing->value = c ? -a : a;
        thing->b = Py_NewRef(b);
    }
    return (PyObject *)thing;
}

static int Thing_call(struct thing *self, int n, int times)
{
    return self->value + n * times;
}

static int Thing_add(struct thing *self, int n)
{
    return self->value += n;
}

static int Thing_merge(struct thing *self, PyObject *other)
{
    self->value += ((struct thing *)other)->value;
    return 0;
}

static PyObject *Thing_make(PyTypeObject *type, int n)
{
    return Thing_new(type, n, Py_None, 0);
}

static int Thing_plain(PyObject *Py_UNUSED(null), int n)
{
    return n;
}

static PyObject *Thing_copy(struct thing *self, PyTypeObject *cls)
{
    return Thing_new(cls, self->value, self->b, 0);
}

static PyObject *Thing_copies(struct thing *self, PyTypeObject *cls, int n)
{
    return Thing_new(cls, self->value * n, self->b, 0);
}

static PyObject *Thing_more(struct thing *self, PyTypeObject *cls, int n)
{
    return Thing_copies(self, cls, n + 1);
}

static int Thing_get_value(struct thing *self)
{
    return self->value;
}

static int Thing_set_value(struct thing *self, int v)
{
    self->value = v;
    return 0;
}

static PyObject *Bare_new(PyTypeObject *type, PyObject *Py_UNUSED(iterable))
{
    return type->tp_alloc(type, 0);
}

static void thing_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_basicsize >= (Py_ssize_t)sizeof(struct thing)) {
        Py_CLEAR(((struct thing *)self)->b);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot thing_slots[] = {
    {Py_tp_doc, Thing_doc},         {Py_tp_new, bind_Thing_new},
    {Py_tp_call, bind_Thing_call},  {Py_tp_methods, Thing_methods},
    {Py_tp_getset, Thing_getset},   {Py_tp_members, Thing_members},
    {Py_tp_dealloc, thing_dealloc}, {0, NULL},
};

static PyType_Spec thing_spec = {
    "sample.Thing", sizeof(struct thing), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, thing_slots,
};

static PyType_Slot bare_slots[] = {
    {Py_tp_doc, Bare_doc},
    {Py_tp_new, bind_Bare_new},
    {0, NULL},
};

static PyType_Spec bare_spec = {
    "sample.Bare", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, bare_slots,
};

static int sample_exec(PyObject *module)
{
    PyObject *thing = PyType_FromModuleAndSpec(module, &thing_spec, NULL);
    if (thing == NULL || PyModule_AddObjectRef(module, "ThingTP", thing) < 0
        || PyModule_AddType(module, (PyTypeObject *)thing) < 0) {
        Py_XDECREF(thing);
        return -1;
    }
    ((PyTypeObject *)thing)->tp_vectorcall = (vectorcallfunc)bind_Thing_new_vectorcall;
    Py_DECREF(thing);
    PyObject *bare = PyType_FromModuleAndSpec(module, &bare_spec, NULL);
    if (bare == NULL) {
        return -1;
    }
    int rc = PyModule_AddType(module, (PyTypeObject *)bare);
    Py_DECREF(bare);
    return rc;
}

static PyModuleDef_Slot sample_slots[] = {
    {Py_mod_exec, sample_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static PyModuleDef sample_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "sample",      .m_doc = sample_doc,
    .m_methods = sample_methods, .m_slots = sample_slots,
};

PyMODINIT_FUNC PyInit_sample(void)
{
    return PyModuleDef_Init(&sample_module);
}
