/* The type system from C: classes, attributes, slots and the death of deep structures, with nothing of
 * the interpreter above but its state. */
#include <criterion/criterion.h>

#include "interp/state.h"
#include "locking/thread.h"
#include "objects/bytes.h"
#include "objects/error.h"
#include "objects/gc/gc.h"
#include "objects/hash.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/str.h"
#include "objects/type.h"

static const struct thread_layout layout = {
    .thread_size = sizeof(struct interp_thread),
    .interp_size = sizeof(struct main_interp),
    .interp_init = gc_interp_init,
};

static void start(void)
{
    thread_layout_set(&layout);
    struct interp_state *interp = interp_new(true);
    struct thread *thread = thread_new(interp);
    thread_bind(thread);
    thread_attach(thread);
    hash_secret_init(0, 0);
    cr_assert_eq(str_init(interp), 0);
    cr_assert_eq(object_init(interp), 0);
    cr_assert_eq(bytes_init(interp), 0);
    cr_assert_eq(type_ready_all(exception_types), 0);
    cr_assert_eq(error_init(interp), 0);
}

TestSuite(type, .init = start);

static PyObject *make_class(const char *name, PyObject *bases, PyObject *dict)
{
    PyObject *cls = PyObject_CallFunction((PyObject *)&PyType_Type, "sOO", name, bases, dict);
    cr_assert_not_null(cls);
    return cls;
}

static PyObject *plain_class(const char *name, PyObject *base)
{
    return make_class(name, base == NULL ? PyTuple_New(0) : PyTuple_Pack(1, base), PyDict_New());
}

/* The text of the raised exception, which is cleared. */
static const char *raised(void)
{
    PyObject *error = PyErr_GetRaisedException();
    cr_assert_not_null(error);
    PyObject *text = PyObject_Str(error);
    cr_assert_not_null(text);
    return PyUnicode_AsUTF8(text);
}

static long attribute(PyObject *op, const char *name)
{
    PyObject *value = PyObject_GetAttrString(op, name);
    cr_assert_not_null(value, "%s", name);
    return PyLong_AsLong(value);
}

Test(type, attributes_lie_inline_until_the_dict_is_asked_for)
{
    PyObject *cls = plain_class("C", NULL), *op = PyObject_CallNoArgs(cls);
    PyObject_SetAttrString(op, "x", PyLong_FromLong(1000001));
    PyObject_SetAttrString(op, "y", PyLong_FromLong(1000002));
    cr_assert(managed_is_inline(object_managed_load(op)));
    cr_assert_eq(attribute(op, "x"), 1000001);
    PyObject *dict = PyObject_GetAttrString(op, "__dict__");
    cr_assert_not(managed_is_inline(object_managed_load(op)));
    cr_assert_eq(PyDict_GET_SIZE(dict), 2);
    PyObject_SetAttrString(op, "x", PyLong_FromLong(3));
    cr_assert_eq(PyLong_AsLong(PyDict_GetItemString(dict, "x")), 3);
}

Test(type, the_dict_lists_attributes_in_the_order_of_their_adding)
{
    PyObject *cls = plain_class("C", NULL);
    PyObject *first = PyObject_CallNoArgs(cls), *second = PyObject_CallNoArgs(cls);
    PyObject *one = PyLong_FromLong(1);
    PyObject_SetAttrString(first, "ab", one);
    PyObject_SetAttrString(first, "cd", one);
    PyObject_SetAttrString(first, "ef", one);
    PyObject_SetAttrString(second, "cd", one);
    PyObject_SetAttrString(second, "ab", one); /* late */
    PyObject_SetAttrString(second, "ef", one);
    PyObject_DelAttrString(second, "cd");
    PyObject_SetAttrString(second, "cd", one); /* late again */
    cr_assert(managed_is_inline(object_managed_load(second)));
    PyObject *keys = PyDict_Keys(PyObject_GetAttrString(second, "__dict__"));
    cr_assert_str_eq(PyUnicode_AsUTF8(PyObject_Repr(keys)), "['ab', 'ef', 'cd']");
}

Test(type, a_change_of_the_base_reaches_cached_lookups)
{
    PyObject *base = plain_class("A", NULL), *sub = plain_class("B", base);
    PyObject *op = PyObject_CallNoArgs(sub);
    PyObject_SetAttrString(base, "value", PyLong_FromLong(1));
    cr_assert_eq(attribute(op, "value"), 1);
    uint32_t version = type_version((PyTypeObject *)sub);
    cr_assert_neq(version, 0);
    PyObject_SetAttrString(base, "value", PyLong_FromLong(2));
    cr_assert_neq(type_version_now((PyTypeObject *)sub), version);
    cr_assert_eq(attribute(op, "value"), 2);
}

Test(type, messages_of_impossible_classes)
{
    PyObject *a = plain_class("A", NULL), *b = plain_class("B", a);
    cr_assert_null(PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){}", "C", a, b));
    cr_assert_str_eq(raised(), "Cannot create a consistent method resolution order (MRO) for bases "
                               "A, B");
    cr_assert_null(PyObject_CallFunction((PyObject *)&PyType_Type, "s(OO){}", "C", &PyLong_Type,
                                         &PyUnicode_Type));
    cr_assert_str_eq(raised(), "multiple bases have instance lay-out conflict");
    cr_assert_null(PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){}", "C", &PyBool_Type));
    cr_assert_str_eq(raised(), "type 'bool' is not an acceptable base type");
    cr_assert_null(PyObject_CallFunction(a, "i", 3));
    cr_assert_str_eq(raised(), "A() takes no arguments");
}

Test(type, slots_are_mangled_and_private_fields)
{
    PyObject *dict = Py_BuildValue("{s:(ss),s:s}", "__slots__", "p", "__q", "__module__", "m");
    PyObject *cls = make_class("S", PyTuple_New(0), dict), *op = PyObject_CallNoArgs(cls);
    cr_assert_null(PyObject_GetAttrString(op, "p"));
    cr_assert_str_eq(raised(), "'m.S' object has no attribute 'p'");
    PyObject_SetAttrString(op, "_S__q", PyLong_FromLong(7));
    cr_assert_eq(attribute(op, "_S__q"), 7);
    cr_assert_eq(PyObject_SetAttrString(op, "r", Py_None), -1);
    cr_assert_str_eq(raised(), "'S' object has no attribute 'r' and no __dict__ for setting new "
                               "attributes");
}

Test(type, classes_die_and_leave_their_base)
{
    PyObject *base = plain_class("A", NULL);
    for (int i = 0; i < 100; i++) {
        Py_DECREF(plain_class("K", base));
    }
    cr_assert_gt(gc_collect(2), 0);
    PyObject *below = PyObject_CallMethod(base, "__subclasses__", NULL);
    cr_assert_eq(PyList_GET_SIZE(below), 0);
}

Test(type, a_chain_of_a_million_lists_is_freed)
{
    PyObject *deep = PyList_New(0);
    for (int i = 0; i < 1000000; i++) {
        PyObject *outer = PyList_New(1);
        PyList_SET_ITEM(outer, 0, deep);
        deep = outer;
    }
    Py_DECREF(deep);
}
