/* _symtable: the compiler's symbol table as objects, made in one go from the blocks of a text. */

#include "interp/compile/compile.h"
#include "interp/compile/symtable.h"
#include "interp/parse/arena.h"
#include "interp/parse/parse.h"
#include "interp/state.h"
#include "module.h"

struct entry {
    PyObject_HEAD
    PyObject *id, *name, *symbols, *varnames, *children;
    int nested, type, lineno;
};

struct symtable_state {
    PyObject *entry_type;
};

/* What PyUnicode_FSDecoder made. */
static void bind_drop(PyObject **object)
{
    Py_CLEAR(*object);
}

#include "symtable_module.bind.h"

/* A symbol is its flags, and its scope from this bit on. */
enum { SCOPE_SHIFT = 12, FLAGS_SHOWN = (1 << SCOPE_SHIFT) - 1 };

/* ---- entries ------------------------------------------------------------------------------------- */

GC_OBJECT(entry, id, name, symbols, varnames, children)

static PyObject *entry_repr(struct entry *self)
{
    return PyUnicode_FromFormat("<symtable entry %U(%S), line %d>", self->name, self->id,
                                self->lineno);
}

static PyType_Slot entry_slots[] = {
    GC_SLOTS(entry),
    {Py_tp_repr, entry_repr},
    {Py_tp_members, entry_members},
    {Py_tp_doc, (void *)entry_doc},
    {0, NULL},
};

static PyType_Spec entry_spec = {
    .name = "_symtable.symtable entry",
    .basicsize = sizeof(struct entry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
             | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = entry_slots,
};

/* ---- from blocks to entries ------------------------------------------------------------------------ */

/* What a block knows about its names, as dict name -> int. New reference. */
static PyObject *symbols_of(const struct block *block)
{
    PyObject *dict = PyDict_New();
    for (uint32_t i = 0; i < block->symbols.count && dict != NULL; i++) {
        const struct symbol *symbol = &block->symbols.items[i];
        long flags = (long)(symbol->flags & FLAGS_SHOWN) | (long)symbol->scope << SCOPE_SHIFT;
        PyObject *value = PyLong_FromLong(flags);
        if (value == NULL || PyDict_SetItem(dict, symbol->name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *params_of(const struct block *block)
{
    PyObject *list = PyList_New(block->param_count);
    for (uint32_t i = 0; i < block->param_count && list != NULL; i++) {
        PyList_SET_ITEM(list, i, Py_NewRef(block->params[i]));
    }
    return list;
}

static PyObject *entry_of(PyTypeObject *type, const struct block *block);

/* Appends an entry for each child; those of an inlined comprehension stand in its place. */
static int add_children(PyTypeObject *type, PyObject *list, const struct block *block)
{
    for (uint32_t i = 0; i < block->child_count; i++) {
        const struct block *child = block->children[i];
        if (child->inlined) {
            if (add_children(type, list, child) < 0) {
                return -1;
            }
            continue;
        }
        PyObject *entry = entry_of(type, child);
        int result = entry == NULL ? -1 : PyList_Append(list, entry);
        Py_XDECREF(entry);
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

static int entry_fill(struct entry *self, PyTypeObject *type, const struct block *block)
{
    self->nested = block->nested;
    self->type = block->kind;
    self->lineno = block->pos.line;
    self->name = Py_NewRef(block->name);
    self->id = PyLong_FromVoidPtr((void *)block);
    self->symbols = symbols_of(block);
    self->varnames = params_of(block);
    self->children = PyList_New(0);
    if (self->id == NULL || self->symbols == NULL || self->varnames == NULL
        || self->children == NULL || Py_EnterRecursiveCall(" while building a symbol table")) {
        return -1;
    }
    int result = add_children(type, self->children, block);
    Py_LeaveRecursiveCall();
    return result;
}

/* The entry of a block with all that is inside: new reference. */
static PyObject *entry_of(PyTypeObject *type, const struct block *block)
{
    struct entry *self = type_make(type);
    if (self != NULL && entry_fill(self, type, block) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* ---- the function --------------------------------------------------------------------------------------- */

static int mode_of(const char *start)
{
    static const char *const names[] = {"exec", "eval", "single"};
    static const int modes[] = {PARSE_FILE, PARSE_EVAL, PARSE_SINGLE};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(start, names[i]) == 0) {
            return modes[i];
        }
    }
    PyErr_SetString(PyExc_ValueError, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
    return -1;
}

static PyObject *table_of_text(PyTypeObject *type, const char *text, size_t length,
                               PyObject *filename, int mode, int flags)
{
    struct arena arena;
    arena_init(&arena);
    struct parse_options options = PARSE_OPTIONS_DEFAULT;
    options.flags = flags;
    PyObject *result = NULL;
    struct ast_module *tree =
        parse_string(text, length, filename, (enum parse_mode)mode, &options, &arena);
    int future = tree == NULL ? -1 : future_flags(tree, filename);
    if (future >= 0) {
        struct symtable *table = symtable_build(tree, filename, future, &arena);
        result = table == NULL ? NULL : entry_of(type, table->top);
    }
    arena_clear(&arena);
    return result;
}

static PyObject *symtable_module_symtable(PyObject *module, PyObject *source, PyObject *filename,
                                          const char *startstr)
{
    struct symtable_state *state = PyModule_GetState(module);
    int mode = mode_of(startstr);
    if (mode < 0) {
        return NULL;
    }
    PyCompilerFlags flags = {.cf_flags = 0, .cf_feature_version = -1};
    PyObject *owner;
    Py_ssize_t length;
    const char *text = source_text(source, "symtable", "string or bytes", &flags, &owner, &length);
    if (text == NULL) {
        return NULL;
    }
    PyObject *result = table_of_text((PyTypeObject *)state->entry_type, text, (size_t)length,
                                     filename, mode, flags.cf_flags);
    Py_DECREF(owner);
    return result;
}

/* ---- the module ------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct constant constants[] = {
    {"USE", SYM_USE}, {"DEF_GLOBAL", SYM_GLOBAL}, {"DEF_NONLOCAL", SYM_NONLOCAL},
    {"DEF_LOCAL", SYM_LOCAL}, {"DEF_PARAM", SYM_PARAM},
    {"DEF_FREE", 32}, {"DEF_FREE_CLASS", SYM_FREE_CLASS}, {"DEF_IMPORT", SYM_IMPORT},
    {"DEF_BOUND", SYM_LOCAL | SYM_PARAM | SYM_IMPORT}, {"DEF_ANNOT", SYM_ANNOT},
    {"TYPE_FUNCTION", BLOCK_FUNCTION}, {"TYPE_CLASS", BLOCK_CLASS}, {"TYPE_MODULE", BLOCK_MODULE},
    {"TYPE_ANNOTATION", BLOCK_ANNOTATION}, {"TYPE_TYPE_ALIAS", BLOCK_TYPE_ALIAS},
    {"TYPE_TYPE_PARAMETERS", BLOCK_TYPE_PARAMETERS},
    {"TYPE_TYPE_VARIABLE", BLOCK_TYPE_VARIABLE}, {"LOCAL", SCOPE_LOCAL},
    {"GLOBAL_EXPLICIT", SCOPE_GLOBAL_EXPLICIT}, {"GLOBAL_IMPLICIT", SCOPE_GLOBAL_IMPLICIT},
    {"FREE", SCOPE_FREE}, {"CELL", SCOPE_CELL}, {"SCOPE_OFF", SCOPE_SHIFT}, {"SCOPE_MASK", 15},
};
/* clang-format on */

static int symtable_exec(PyObject *module)
{
    struct symtable_state *state = PyModule_GetState(module);
    state->entry_type = (PyObject *)module_type(module, &entry_spec, false);
    return state->entry_type == NULL
               ? -1
               : module_constants(module, constants, sizeof constants / sizeof constants[0]);
}

STATE_OBJECTS(symtable)

static PyModuleDef_Slot slots[] = MODULE_SLOTS(symtable_exec);

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_symtable",
    .m_doc = symtable_module_doc,
    .m_methods = symtable_module_methods,
    .m_slots = slots,
    STATE_FIELDS(symtable),
};

MODULE_INIT(_symtable, definition)
