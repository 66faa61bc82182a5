/* What the files of the module _pickle share.
 *
 * output.c and memo.c are what a pickler writes to and remembers; save.c and reduce.c turn objects
 * into opcodes; pickler.c is the type around them.  input.c is where an unpickler reads from, load.c
 * executes opcodes, classes.c finds and instantiates classes, unpickler.c is the type.
 *
 * dumps() and loads() use a pickler or unpickler on the C stack: all inner functions take the
 * struct and never its object header.  While a dump or load runs, its thread is the `owner`; the
 * same thread may look at and replace the memo in between, others get an exception. */
#ifndef KRAIT_STDLIB_PICKLE_H
#define KRAIT_STDLIB_PICKLE_H

#include "../module.h"

enum { HIGHEST_PROTOCOL = 5, DEFAULT_PROTOCOL = 4 };

/* clang-format off */
enum opcode {
    OP_MARK = '(', OP_STOP = '.', OP_POP = '0', OP_POP_MARK = '1', OP_DUP = '2', OP_FLOAT = 'F',
    OP_INT = 'I', OP_BININT = 'J', OP_BININT1 = 'K', OP_LONG = 'L', OP_BININT2 = 'M',
    OP_NONE = 'N', OP_PERSID = 'P', OP_BINPERSID = 'Q', OP_REDUCE = 'R', OP_STRING = 'S',
    OP_BINSTRING = 'T', OP_SHORT_BINSTRING = 'U', OP_UNICODE = 'V', OP_BINUNICODE = 'X',
    OP_APPEND = 'a', OP_BUILD = 'b', OP_GLOBAL = 'c', OP_DICT = 'd', OP_EMPTY_DICT = '}',
    OP_APPENDS = 'e', OP_GET = 'g', OP_BINGET = 'h', OP_INST = 'i', OP_LONG_BINGET = 'j',
    OP_LIST = 'l', OP_EMPTY_LIST = ']', OP_OBJ = 'o', OP_PUT = 'p', OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r', OP_SETITEM = 's', OP_TUPLE = 't', OP_EMPTY_TUPLE = ')',
    OP_SETITEMS = 'u', OP_BINFLOAT = 'G',
    /* protocol 2 */
    OP_PROTO = 0x80, OP_NEWOBJ, OP_EXT1, OP_EXT2, OP_EXT4, OP_TUPLE1, OP_TUPLE2, OP_TUPLE3,
    OP_NEWTRUE, OP_NEWFALSE, OP_LONG1, OP_LONG4,
    /* protocol 3 */
    OP_BINBYTES = 'B', OP_SHORT_BINBYTES = 'C',
    /* protocol 4 */
    OP_SHORT_BINUNICODE = 0x8c, OP_BINUNICODE8, OP_BINBYTES8, OP_EMPTY_SET, OP_ADDITEMS,
    OP_FROZENSET, OP_NEWOBJ_EX, OP_STACK_GLOBAL, OP_MEMOIZE, OP_FRAME,
    /* protocol 5 */
    OP_BYTEARRAY8, OP_NEXT_BUFFER, OP_READONLY_BUFFER,
};
/* clang-format on */

/* ---- the module's state: nothing but references --------------------------------------------- */

/* clang-format off */
#define PICKLE_STRINGS(X)                                                                         \
    X(write) X(read) X(readline) X(peek) X(persistent_id) X(persistent_load) X(find_class)        \
    X(dispatch_table) X(reducer_override) X(append) X(extend) X(add) X(__reduce_ex__)             \
    X(__reduce__) X(__qualname__) X(__name__) X(__module__) X(__main__) X(__mp_main__)            \
    X(__class__) X(__new__) X(__newobj__) X(__newobj_ex__) X(__setstate__) X(__dict__)            \
    X(__getinitargs__) X(latin1)
/* clang-format on */

/* clang-format off */
#define PICKLE_TABLES(X)                                                                          \
    X(copyreg, dispatch_table) X(copyreg, _extension_registry) X(copyreg, _inverted_registry)     \
    X(copyreg, _extension_cache) X(_compat_pickle, NAME_MAPPING)                                  \
    X(_compat_pickle, IMPORT_MAPPING) X(_compat_pickle, REVERSE_NAME_MAPPING)                     \
    X(_compat_pickle, REVERSE_IMPORT_MAPPING)
/* clang-format on */

struct pickle_state {
    PyObject *pickle_error, *pickling_error, *unpickling_error;
    PyObject *pickler_type, *unpickler_type, *pickler_memo_type, *unpickler_memo_type;
    PyObject *codecs_encode, *getattr, *partial;
#define X(module, name) PyObject *table_##name;
    PICKLE_TABLES(X)
#undef X
#define X(name) PyObject *str_##name;
    PICKLE_STRINGS(X)
#undef X
};

extern PyModuleDef pickle_module;
extern PyType_Spec pickler_spec, unpickler_spec, pickler_memo_spec, unpickler_memo_spec;

/* The state for an instance of one of the module's types; NULL with an exception. */
static inline struct pickle_state *pickle_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &pickle_module);
    return module ? PyModule_GetState(module) : NULL;
}

/* ---- output --------------------------------------------------------------------------------- */

enum { FRAME_HEADER = 9, FRAME_TARGET = 64 * 1024 };

struct output {
    char *data; /* in `bytes`, or the scratch space of who made us */
    Py_ssize_t len, cap;
    Py_ssize_t limit;    /* writable up to here; 0 while a frame has to be opened first */
    Py_ssize_t boundary; /* from this length on the frame is full */
    Py_ssize_t frame;    /* where the open frame begins, or -1 */
    PyObject *bytes;     /* owned */
    PyObject *write;     /* owned; the file's method, or NULL: keep everything */
    bool framing;
};

void output_begin(struct output *out, char *scratch, Py_ssize_t size, bool framing);
/* Makes room for n bytes behind the end.  NULL with an exception. */
char *output_grow(struct output *out, Py_ssize_t n);
/* Ends a full frame and hands it to the file.  May run Python code; 0 or -1. */
int output_boundary(struct output *out);
/* `head` and then much data, outside of any frame.  `owner` is the bytes object whose data it is,
 * or NULL.  May run Python code; 0 or -1. */
int output_large(struct output *out, const char *head, Py_ssize_t head_len, const char *data,
                 Py_ssize_t len, PyObject *owner);
/* Ends the last frame.  Then, with a file, writes what is left. */
int output_finish(struct output *out);
/* Everything written, as a bytes object (new reference); the output is empty afterwards. */
PyObject *output_take(struct output *out);
void output_clear(struct output *out);

/* A place for n bytes, which the caller fills; NULL with an exception. */
static inline char *output_room(struct output *out, Py_ssize_t n)
{
    char *room = out->data + out->len;
    if (UNLIKELY(n > out->limit - out->len)) {
        room = output_grow(out, n);
        if (room == NULL) {
            return NULL;
        }
    }
    out->len += n;
    return room;
}

static inline int output_op(struct output *out, int op)
{
    char *room = output_room(out, 1);
    if (room == NULL) {
        return -1;
    }
    *room = (char)op;
    return 0;
}

static inline int output_put(struct output *out, const void *data, Py_ssize_t len)
{
    char *room = output_room(out, len);
    if (room == NULL) {
        return -1;
    }
    memcpy(room, data, (size_t)len);
    return 0;
}

/* The low `size` bytes of a number, little-endian. */
static inline void store_le(char *to, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) {
        to[i] = (char)(value >> 8 * i);
    }
}

/* An opcode and a number of `size` bytes. */
static inline int output_op_number(struct output *out, int op, uint64_t value, int size)
{
    char *room = output_room(out, 1 + size);
    if (room == NULL) {
        return -1;
    }
    *room = (char)op;
    store_le(room + 1, value, size);
    return 0;
}

/* ---- memo: object -> number, keeps the objects alive ---------------------------------------- */

struct memo_entry {
    PyObject *object; /* owned; NULL: free */
    Py_ssize_t index;
};

enum { MEMO_SMALL = 16 };

struct memo {
    struct memo_entry *table; /* NULL before the first use */
    size_t mask, used;
    struct memo_entry small[MEMO_SMALL];
};

/* The number of an object, or -1 without an exception. */
Py_ssize_t pickle_memo_find(const struct memo *memo, PyObject *object);
/* Adds an object, or changes its number; 0 or -1. */
int pickle_memo_set(struct memo *memo, PyObject *object, Py_ssize_t index);
/* May run Python code, which sees an empty memo. */
void pickle_memo_clear(struct memo *memo);
int pickle_memo_copy(struct memo *to, const struct memo *from);

/* ---- pickler -------------------------------------------------------------------------------- */

struct pickler {
    PyObject_HEAD
    struct pickle_state *state; /* NULL before __init__ */
    unsigned long owner;        /* the thread that dumps, or 0 */
    struct output out;
    struct memo memo;
    PyObject *fast_seen;                        /* set of addresses, or NULL */
    PyObject *persistent_id, *reducer_override; /* while dumping: what to call, or NULL */
    PyObject *own_persistent_id;                /* set on the instance */
    PyObject *dispatch_table, *used_table;      /* the attribute, and what a dump goes by */
    PyObject *buffer_callback;
    int protocol, bin, fast, fast_nesting;
    unsigned ticks;
    bool fix_imports;
};

/* Begins and ends what nobody may disturb; with `again` the owner may enter once more.
 * pickle_enter() returns 1, 2 when entered again, or -1 with an exception. */
int pickle_enter(unsigned long *owner, const char *what, bool again);
void pickle_leave(unsigned long *owner, int entered);

/* Settles protocol and options; 0 or -1. */
int pickler_set_options(struct pickler *self, PyObject *protocol, bool fix_imports,
                        PyObject *buffer_callback);
int pickler_set_file(struct pickler *self, PyObject *file);
/* Writes a whole pickle, without finishing the output.  All of these may run Python code. */
int pickler_write(struct pickler *self, PyObject *object);
void pickler_release(struct pickler *self);

/* Writes an object, with or without asking for a persistent id first. */
int pickle_save(struct pickler *self, PyObject *object, bool ask_id);
/* Numbers the object that the reader has on top of its stack. */
int pickle_memoize(struct pickler *self, PyObject *object);
/* Fetches a numbered object. */
int pickle_fetch(struct pickler *self, Py_ssize_t index);
int pickle_str(struct pickler *self, PyObject *text);
int pickle_bytes_data(struct pickler *self, PyObject *object, const char *data, Py_ssize_t len,
                      PyObject *owner);

int pickle_global(struct pickler *self, PyObject *object, PyObject *name);
/* Writes what a __reduce__ returned; `object` may be NULL. */
int pickle_reduced(struct pickler *self, PyObject *reduced, PyObject *object);
/* Writes func(*args); takes over `args`, which may be NULL with an exception. */
int pickle_call(struct pickler *self, PyObject *func, PyObject *args, PyObject *object);
int pickle_append_all(struct pickler *self, PyObject *iterator);
int pickle_set_all(struct pickler *self, PyObject *iterator);

/* ---- input ---------------------------------------------------------------------------------- */

struct input {
    const char *data;
    Py_ssize_t pos, len;
    PyObject *bytes;                  /* owned; whose data it is, when it came from a file */
    PyObject *read, *readline, *peek; /* owned; NULL: there is no more */
    bool peeked;                      /* the file still has these bytes in front of it */
    struct pickle_state *state;
};

/* The next n bytes; -1 with UnpicklingError if there are fewer.  May run Python code. */
int input_read_more(struct input *in, Py_ssize_t n, const char **data);
/* The next line with its newline. */
int input_line(struct input *in, const char **line, Py_ssize_t *len);
/* The next n bytes as a new bytes object. */
PyObject *input_bytes(struct input *in, Py_ssize_t n);
/* Moves the file behind what was consumed. */
int input_sync(struct input *in);
void input_clear(struct input *in);
int input_truncated(struct input *in); /* raises, -1 */

static inline int input_read(struct input *in, Py_ssize_t n, const char **data)
{
    if (LIKELY(n <= in->len - in->pos)) {
        *data = in->data + in->pos;
        in->pos += n;
        return 0;
    }
    return input_read_more(in, n, data);
}

/* ---- unpickler ------------------------------------------------------------------------------ */

struct unpickler {
    PyObject_HEAD
    struct pickle_state *state; /* NULL before __init__ */
    unsigned long owner;
    struct input in;
    PyObject **stack; /* owned references */
    Py_ssize_t top, room;
    Py_ssize_t fence; /* nothing below may be popped: the last mark */
    Py_ssize_t *marks, mark_top, mark_room;
    PyObject **memo; /* owned references or NULL */
    Py_ssize_t memo_room, memo_used;
    PyObject *memo_far;                     /* dict of numbers too large for the array, or NULL */
    PyObject *persistent_load, *find_class; /* while loading: what to call, NULL: our own */
    PyObject *own_persistent_load;          /* set on the instance */
    PyObject *buffers;                      /* iterator, or NULL */
    char *encoding, *errors;                /* NULL: ASCII, strict */
    int protocol;
    bool fix_imports;
};

/* Executes one pickle: a new reference, or NULL. */
PyObject *unpickler_run(struct unpickler *self);
/* Empties the stack; or releases everything. */
void unpickler_reset(struct unpickler *self);
void unpickler_release(struct unpickler *self);
int unpickler_set_options(struct unpickler *self, bool fix_imports, const char *encoding,
                          const char *errors, PyObject *buffers);
int unpickler_set_file(struct unpickler *self, PyObject *file);

/* Borrowed, or NULL without an exception. */
PyObject *unpickler_memo_get(struct unpickler *self, Py_ssize_t index);
int unpickler_memo_put(struct unpickler *self, Py_ssize_t index, PyObject *object);
void unpickler_memo_clear(struct unpickler *self);

/* Imports a module and gets the attribute (new reference).  Runs Python code. */
PyObject *unpickle_own_find_class(struct pickle_state *state, int protocol, bool fix_imports,
                                  PyObject *module_name, PyObject *name);
/* The same by the unpickler's find_class. */
PyObject *unpickle_find_class(struct unpickler *self, PyObject *module_name, PyObject *name);
PyObject *unpickle_extension(struct unpickler *self, long code);
PyObject *unpickle_instance(struct pickle_state *state, PyObject *cls, PyObject *args);
/* What __setstate__ does, or would do. */
int unpickle_state(struct pickle_state *state, PyObject *object, PyObject *state_value);

/* Follows a dotted path from `object`; *parent gets the owner of the last part (new references).
 * NULL, with or without an exception, if there is no such thing. */
PyObject *pickle_follow(PyObject *object, PyObject *path, PyObject **parent);
/* The dotted path as a list of its parts.  AttributeError for local names: "of" is the module,
 * or NULL. */
PyObject *pickle_path(PyObject *name, PyObject *of);

#endif
