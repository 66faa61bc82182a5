/* The frame object's struct, for generated code that sets f_lineno of frames it makes. */
#ifndef Py_INTERNAL_PYCORE_FRAME_H
#define Py_INTERNAL_PYCORE_FRAME_H

_Py_BEGIN_DECLS

struct _PyInterpreterFrame;

/* An activation of Python code, as other implementations of the API lay it out. Frames of
   Krait's interpreter are elsewhere; this is what f_frame may point to for foreign readers. */
typedef struct _PyInterpreterFrame {
    PyObject *f_executable;
    struct _PyInterpreterFrame *previous;
    PyObject *f_funcobj;
    PyObject *f_globals;
    PyObject *f_builtins;
    PyObject *f_locals;
    PyFrameObject *frame_obj;
    void *instr_ptr;
    int stacktop;
    uint16_t return_offset;
    char owner;
    PyObject *localsplus[1];
} _PyInterpreterFrame;

struct _frame {
    PyObject_HEAD
    PyFrameObject *f_back;
    struct _PyInterpreterFrame *f_frame;
    PyObject *f_trace;
    int f_lineno;
    char f_trace_lines;
    char f_trace_opcodes;
    PyObject *f_extra_locals;
    PyObject *f_locals_cache;
    PyObject *_f_frame_data[1];
};

_Py_END_DECLS

#endif
