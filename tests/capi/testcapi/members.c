/* Members of C structs, by both spellings of their kinds. */
#include "parts.h"

#include "structmember.h"

#include <string.h>

struct all_members {
    char t_bool;
    char t_byte;
    unsigned char t_ubyte;
    short t_short;
    unsigned short t_ushort;
    int t_int;
    unsigned t_uint;
    long t_long;
    unsigned long t_ulong;
    Py_ssize_t t_pyssizet;
    float t_float;
    double t_double;
    char t_string_inplace[6];
    long long t_longlong;
    unsigned long long t_ulonglong;
};

struct member_object {
    PyObject_HEAD
    struct all_members m;
};

#define AT(field) offsetof(struct member_object, m.field)

static PyMemberDef old_members[] = {
    {"T_BOOL", T_BOOL, AT(t_bool), 0, NULL},
    {"T_BYTE", T_BYTE, AT(t_byte), 0, NULL},
    {"T_UBYTE", T_UBYTE, AT(t_ubyte), 0, NULL},
    {"T_SHORT", T_SHORT, AT(t_short), 0, NULL},
    {"T_USHORT", T_USHORT, AT(t_ushort), 0, NULL},
    {"T_INT", T_INT, AT(t_int), 0, NULL},
    {"T_UINT", T_UINT, AT(t_uint), 0, NULL},
    {"T_LONG", T_LONG, AT(t_long), 0, NULL},
    {"T_ULONG", T_ULONG, AT(t_ulong), 0, NULL},
    {"T_PYSSIZET", T_PYSSIZET, AT(t_pyssizet), 0, NULL},
    {"T_FLOAT", T_FLOAT, AT(t_float), 0, NULL},
    {"T_DOUBLE", T_DOUBLE, AT(t_double), 0, NULL},
    {"T_STRING_INPLACE", T_STRING_INPLACE, AT(t_string_inplace), 0, NULL},
    {"T_LONGLONG", T_LONGLONG, AT(t_longlong), 0, NULL},
    {"T_ULONGLONG", T_ULONGLONG, AT(t_ulonglong), 0, NULL},
    {NULL},
};

static PyMemberDef new_members[] = {
    {"T_BOOL", Py_T_BOOL, AT(t_bool), 0, NULL},
    {"T_BYTE", Py_T_BYTE, AT(t_byte), 0, NULL},
    {"T_UBYTE", Py_T_UBYTE, AT(t_ubyte), 0, NULL},
    {"T_SHORT", Py_T_SHORT, AT(t_short), 0, NULL},
    {"T_USHORT", Py_T_USHORT, AT(t_ushort), 0, NULL},
    {"T_INT", Py_T_INT, AT(t_int), 0, NULL},
    {"T_UINT", Py_T_UINT, AT(t_uint), 0, NULL},
    {"T_LONG", Py_T_LONG, AT(t_long), 0, NULL},
    {"T_ULONG", Py_T_ULONG, AT(t_ulong), 0, NULL},
    {"T_PYSSIZET", Py_T_PYSSIZET, AT(t_pyssizet), 0, NULL},
    {"T_FLOAT", Py_T_FLOAT, AT(t_float), 0, NULL},
    {"T_DOUBLE", Py_T_DOUBLE, AT(t_double), 0, NULL},
    {"T_STRING_INPLACE", Py_T_STRING_INPLACE, AT(t_string_inplace), 0, NULL},
    {"T_LONGLONG", Py_T_LONGLONG, AT(t_longlong), 0, NULL},
    {"T_ULONGLONG", Py_T_ULONGLONG, AT(t_ulonglong), 0, NULL},
    {NULL},
};

static PyObject *member_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"T_BOOL",           "T_BYTE",     "T_UBYTE",     "T_SHORT",
                            "T_USHORT",         "T_INT",      "T_UINT",      "T_LONG",
                            "T_ULONG",          "T_PYSSIZET", "T_FLOAT",     "T_DOUBLE",
                            "T_STRING_INPLACE", "T_LONGLONG", "T_ULONGLONG", NULL};
    const char *text = NULL;
    Py_ssize_t length = 0;
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    struct all_members *m = &((struct member_object *)self)->m;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|bbBhHiIlknfds#LK", names, &m->t_bool,
                                     &m->t_byte, &m->t_ubyte, &m->t_short, &m->t_ushort, &m->t_int,
                                     &m->t_uint, &m->t_long, &m->t_ulong, &m->t_pyssizet,
                                     &m->t_float, &m->t_double, &text, &length, &m->t_longlong,
                                     &m->t_ulonglong)) {
        Py_DECREF(self);
        return NULL;
    }
    if (length > 5) {
        PyErr_SetString(PyExc_ValueError, "string too long");
        Py_DECREF(self);
        return NULL;
    }
    memcpy(m->t_string_inplace, text == NULL ? "" : text, (size_t)length);
    return self;
}

#define MEMBER_TYPE(variable, type_name, its_members)                                              \
    static PyTypeObject variable = {                                                               \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = type_name,                                        \
        .tp_basicsize = sizeof(struct member_object),                                              \
        .tp_members = its_members,                                                                 \
        .tp_new = member_new,                                                                      \
        .tp_doc = "Type containing all structmember types",                                        \
    };

MEMBER_TYPE(old_type, "test_structmembersType_OldAPI", old_members)

/* The newer spelling on a heap type. */
static PyType_Slot new_slots[] = {
    {Py_tp_members, new_members},
    {Py_tp_new, member_new},
    {Py_tp_doc, "Type containing all structmember types"},
    {0, NULL},
};

static PyType_Spec new_spec = {
    .name = "_testcapi._test_structmembersType_NewAPI",
    .basicsize = sizeof(struct member_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = new_slots,
};

int add_members(PyObject *module)
{
    PyObject *new_type = PyType_FromSpec(&new_spec);
    int result = new_type == NULL
                     ? -1
                     : PyModule_AddObjectRef(module, "_test_structmembersType_NewAPI", new_type);
    Py_XDECREF(new_type);
    if (result < 0 || PyType_Ready(&old_type) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "_test_structmembersType_OldAPI", (PyObject *)&old_type);
}
