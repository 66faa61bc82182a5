/* SyntaxError and its subclasses: message and place in the source. */

#include "objects/exceptions/exceptions.h"

#include "syntax_error.bind.h"

/* The details, a tuple (filename, lineno, offset, text[, end_lineno, end_offset]), into the fields. */
static int set_details(PySyntaxErrorObject *self, PyObject *details)
{
    PyObject *tuple = PySequence_Tuple(details);
    if (tuple == NULL) {
        return -1;
    }
    PyObject *filename, *lineno, *offset, *text, *end_lineno = NULL, *end_offset = NULL;
    if (!PyArg_ParseTuple(tuple, "OOOO|OO", &filename, &lineno, &offset, &text, &end_lineno,
                          &end_offset)) {
        Py_DECREF(tuple);
        return -1;
    }
    Py_XSETREF(self->filename, Py_NewRef(filename));
    Py_XSETREF(self->lineno, Py_NewRef(lineno));
    Py_XSETREF(self->offset, Py_NewRef(offset));
    Py_XSETREF(self->text, Py_NewRef(text));
    Py_XSETREF(self->end_lineno, Py_XNewRef(end_lineno));
    Py_XSETREF(self->end_offset, Py_XNewRef(end_offset));
    Py_DECREF(tuple);
    if (end_lineno != NULL && end_offset == NULL) {
        return raise_type("end_offset must be provided when end_lineno is provided");
    }
    return 0;
}

static int syntax_error_init(PySyntaxErrorObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (exception_set_args((PyObject *)self, args, nargs) < 0) {
        return -1;
    }
    if (nargs >= 1) {
        Py_XSETREF(self->msg, Py_NewRef(args[0]));
    }
    return nargs == 2 ? set_details(self, args[1]) : 0;
}

static int syntax_error_clear(PyObject *op)
{
    PySyntaxErrorObject *self = (PySyntaxErrorObject *)op;
    Py_CLEAR(self->msg);
    Py_CLEAR(self->filename);
    Py_CLEAR(self->lineno);
    Py_CLEAR(self->offset);
    Py_CLEAR(self->end_lineno);
    Py_CLEAR(self->end_offset);
    Py_CLEAR(self->text);
    Py_CLEAR(self->print_file_and_line);
    return exception_clear(op);
}

static int syntax_error_traverse(PyObject *op, visitproc visit, void *arg)
{
    PySyntaxErrorObject *self = (PySyntaxErrorObject *)op;
    Py_VISIT(self->msg);
    Py_VISIT(self->filename);
    Py_VISIT(self->lineno);
    Py_VISIT(self->offset);
    Py_VISIT(self->end_lineno);
    Py_VISIT(self->end_offset);
    Py_VISIT(self->text);
    Py_VISIT(self->print_file_and_line);
    return exception_traverse(op, visit, arg);
}

/* The last part of a path (new reference). */
static PyObject *base_name(PyObject *path)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(path);
    Py_ssize_t slash = PyUnicode_FindChar(path, '/', 0, length, -1);
    return slash < 0 ? Py_NewRef(path) : PyUnicode_Substring(path, slash + 1, length);
}

static PyObject *syntax_error_str(PyObject *op)
{
    PySyntaxErrorObject *self = (PySyntaxErrorObject *)op;
    PyObject *message = self->msg == NULL ? Py_None : self->msg;
    bool has_file = self->filename != NULL && PyUnicode_Check(self->filename);
    bool has_line = self->lineno != NULL && PyLong_CheckExact(self->lineno);
    if (!has_file) {
        return has_line ? PyUnicode_FromFormat("%S (line %S)", message, self->lineno)
                        : PyObject_Str(message);
    }
    PyObject *file = base_name(self->filename);
    if (file == NULL) {
        return NULL;
    }
    PyObject *text = has_line
                         ? PyUnicode_FromFormat("%S (%U, line %S)", message, file, self->lineno)
                         : PyUnicode_FromFormat("%S (%U)", message, file);
    Py_DECREF(file);
    return text;
}

static PyMemberDef syntax_error_members[] = {
    EXCEPTION_MEMBER(PySyntaxErrorObject, msg, "what is wrong"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, filename, "the file it is in"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, lineno, "the line where it starts"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, offset, "the column where it starts, from 1"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, text, "the line of source"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, end_lineno, "the line where it ends"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, end_offset, "the column where it ends, from 1"),
    EXCEPTION_MEMBER(PySyntaxErrorObject, print_file_and_line,
                     "whether messages show file and line"),
    {NULL},
};

#define SYNTAX_SLOTS                                                                               \
    .tp_init = bind_syntax_error_init, .tp_clear = syntax_error_clear,                             \
    .tp_traverse = syntax_error_traverse, .tp_str = syntax_error_str

EXCEPTION_TYPE(SyntaxError, Exception, PySyntaxErrorObject, syntax_error_doc, SYNTAX_SLOTS,
               .tp_members = syntax_error_members);
EXCEPTION_TYPE(IndentationError, SyntaxError, PySyntaxErrorObject,
               "A line is indented in a way that fits no block.", SYNTAX_SLOTS);
EXCEPTION_TYPE(TabError, IndentationError, PySyntaxErrorObject,
               "Tabs and spaces are mixed so that the indentation is not clear.", SYNTAX_SLOTS);
EXCEPTION_TYPE_AS(IncompleteInputError, "_IncompleteInputError", SyntaxError, PySyntaxErrorObject,
                  Py_TPFLAGS_HAVE_GC, "The source ends before the statement does.", SYNTAX_SLOTS);
PyObject *_PyExc_IncompleteInputError = (PyObject *)&exception_IncompleteInputError;
