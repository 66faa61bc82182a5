/* The table of slots, and keeping C slots in step with the names in type dicts. */
#include "objects/type/internal.h"

/* ---- the table ------------------------------------------------------------------------------- */

#define OFFSET(member) ((int)offsetof(PyHeapTypeObject, member))
#define DOC(name, signature, text) name signature "\n--\n\n" text

/* clang-format off */
#define SLOT(dunder, member, dispatch, wrap, signature, text)                                   \
    { #dunder, OFFSET(member), (void *)(dispatch), (wrapperfunc)(wrap),                         \
      DOC(#dunder, signature, text), 0, ID(dunder) },
#define SLOT_KW(dunder, member, dispatch, wrap, signature, text)                                \
    { #dunder, OFFSET(member), (void *)(dispatch), (wrapperfunc)(void (*)(void))(wrap),         \
      DOC(#dunder, signature, text), PyWrapperFlag_KEYWORDS, ID(dunder) },
/* Entries that only take part in updating. */
#define SLOT_NO_WRAPPER(dunder, member, dispatch)                                               \
    { #dunder, OFFSET(member), (void *)(dispatch), NULL, NULL, 0, ID(dunder) },

#define TP(n, m, dispatch, wrap, sig, text) SLOT(n, ht_type.m, dispatch, wrap, sig, text)
#define COMPARE(n, symbol)                                                                      \
    TP(__##n##__, tp_richcompare, slot_tp_richcompare, wrap_##n, "($self, value, /)",           \
       "Return self" symbol "value.")
#define BINARY(n, member, symbol)                                                               \
    SLOT(__##n##__, as_number.nb_##member, slot_nb_##member, wrap_binaryfunc_l,                 \
         "($self, value, /)", "Return self" symbol "value.")                                    \
    SLOT(__r##n##__, as_number.nb_##member, slot_nb_##member, wrap_binaryfunc_r,                \
         "($self, value, /)", "Return value" symbol "self.")
#define INPLACE(n, member, symbol)                                                              \
    SLOT(__i##n##__, as_number.nb_inplace_##member, slot_nb_inplace_##member, wrap_binaryfunc,  \
         "($self, value, /)", "Implement self" symbol "=value.")
#define UNARY(n, member, text)                                                                  \
    SLOT(__##n##__, as_number.nb_##member, slot_nb_##member, wrap_unaryfunc, "($self, /)", text)

/* The generator of identifiers does not see what macros paste together:
 * ID(__repr__) ID(__hash__) ID(__call__) ID(__str__) ID(__getattribute__) ID(__getattr__)
 * ID(__setattr__) ID(__delattr__) ID(__iter__) ID(__next__) ID(__get__) ID(__set__)
 * ID(__delete__) ID(__init__) ID(__new__) ID(__del__) ID(__buffer__) ID(__release_buffer__)
 * ID(__await__) ID(__aiter__) ID(__anext__) ID(__divmod__) ID(__rdivmod__) ID(__pow__)
 * ID(__rpow__) ID(__bool__) ID(__ipow__) ID(__len__) ID(__getitem__) ID(__setitem__)
 * ID(__delitem__) ID(__add__) ID(__mul__) ID(__rmul__) ID(__contains__) ID(__iadd__) ID(__imul__)
 * ID(__lt__) ID(__le__) ID(__eq__) ID(__ne__) ID(__gt__) ID(__ge__) ID(__radd__) ID(__sub__)
 * ID(__rsub__) ID(__mod__) ID(__rmod__) ID(__neg__) ID(__pos__) ID(__abs__) ID(__invert__)
 * ID(__lshift__) ID(__rlshift__) ID(__rshift__) ID(__rrshift__) ID(__and__) ID(__rand__)
 * ID(__xor__) ID(__rxor__) ID(__or__) ID(__ror__) ID(__int__) ID(__float__) ID(__isub__)
 * ID(__imod__) ID(__ilshift__) ID(__irshift__) ID(__iand__) ID(__ixor__) ID(__ior__)
 * ID(__floordiv__) ID(__rfloordiv__) ID(__truediv__) ID(__rtruediv__) ID(__ifloordiv__)
 * ID(__itruediv__) ID(__index__) ID(__matmul__) ID(__rmatmul__) ID(__imatmul__) */

/* Entries for one slot need not stand together; entries for one name do not either. The order
 * is that in which dir-less listings of a type's dict show the methods. */
static struct wrapperbase slot_table[] = {
    TP(__repr__, tp_repr, slot_tp_repr, wrap_unaryfunc, "($self, /)", "Return repr(self).")
    TP(__hash__, tp_hash, slot_tp_hash, wrap_hashfunc, "($self, /)", "Return hash(self).")
    SLOT_KW(__call__, ht_type.tp_call, slot_tp_call, wrap_call, "($self, /, *args, **kwargs)",
            "Call self as a function.")
    TP(__str__, tp_str, slot_tp_str, wrap_unaryfunc, "($self, /)", "Return str(self).")
    TP(__getattribute__, tp_getattro, slot_tp_getattr_hook, wrap_binaryfunc, "($self, name, /)",
       "The attribute of that name.")
    SLOT_NO_WRAPPER(__getattr__, ht_type.tp_getattro, slot_tp_getattr_hook)
    TP(__setattr__, tp_setattro, slot_tp_setattro, wrap_setattr, "($self, name, value, /)",
       "Bind an attribute: what setattr() does.")
    TP(__delattr__, tp_setattro, slot_tp_setattro, wrap_delattr, "($self, name, /)",
       "Remove an attribute: what delattr() does.")
    COMPARE(lt, "<") COMPARE(le, "<=") COMPARE(eq, "==")
    COMPARE(ne, "!=") COMPARE(gt, ">") COMPARE(ge, ">=")
    TP(__iter__, tp_iter, slot_tp_iter, wrap_unaryfunc, "($self, /)", "Implement iter(self).")
    TP(__next__, tp_iternext, slot_tp_iternext, wrap_next, "($self, /)", "Implement next(self).")
    TP(__get__, tp_descr_get, slot_tp_descr_get, wrap_descr_get,
       "($self, instance, owner=None, /)",
       "What the attribute is when read through instance, or through the class owner.")
    TP(__set__, tp_descr_set, slot_tp_descr_set, wrap_descr_set, "($self, instance, value, /)",
       "Write value to the attribute in instance.")
    TP(__delete__, tp_descr_set, slot_tp_descr_set, wrap_descr_delete, "($self, instance, /)",
       "Remove the attribute from instance.")
    SLOT_KW(__init__, ht_type.tp_init, slot_tp_init, wrap_init, "($self, /, *args, **kwargs)",
            "Give a new instance its first state; help() of the class tells the arguments.")
    SLOT_NO_WRAPPER(__new__, ht_type.tp_new, slot_tp_new)
    TP(__del__, tp_finalize, slot_tp_finalize, wrap_del, "($self, /)",
       "Runs before the instance goes away.")
    SLOT(__buffer__, as_buffer.bf_getbuffer, slot_bf_getbuffer, wrap_buffer,
         "($self, flags, /)",
         "A memoryview of the object's bytes.")
    SLOT(__release_buffer__, as_buffer.bf_releasebuffer, slot_bf_releasebuffer,
         wrap_releasebuffer, "($self, buffer, /)",
         "Give back a memoryview that __buffer__ made.")
    SLOT(__await__, as_async.am_await, slot_am_await, wrap_unaryfunc, "($self, /)",
         "The iterator that await drives.")
    SLOT(__aiter__, as_async.am_aiter, slot_am_aiter, wrap_unaryfunc, "($self, /)",
         "The iterator that async for drives.")
    SLOT(__anext__, as_async.am_anext, slot_am_anext, wrap_unaryfunc, "($self, /)",
         "An awaitable of the next value.")

    BINARY(add, add, "+") BINARY(sub, subtract, "-") BINARY(mul, multiply, "*")
    BINARY(mod, remainder, "%")
    SLOT(__divmod__, as_number.nb_divmod, slot_nb_divmod, wrap_binaryfunc_l, "($self, value, /)",
         "Quotient and remainder of self and value.")
    SLOT(__rdivmod__, as_number.nb_divmod, slot_nb_divmod, wrap_binaryfunc_r, "($self, value, /)",
         "Quotient and remainder of value and self.")
    SLOT(__pow__, as_number.nb_power, slot_nb_power, wrap_ternaryfunc,
         "($self, value, mod=None, /)", "self to the power of value, modulo mod if given.")
    SLOT(__rpow__, as_number.nb_power, slot_nb_power, wrap_ternaryfunc_r,
         "($self, value, mod=None, /)", "value to the power of self, modulo mod if given.")
    UNARY(neg, negative, "-self") UNARY(pos, positive, "+self") UNARY(abs, absolute, "abs(self)")
    SLOT(__bool__, as_number.nb_bool, slot_nb_bool, wrap_inquirypred, "($self, /)",
         "True if self else False")
    UNARY(invert, invert, "~self")
    BINARY(lshift, lshift, "<<") BINARY(rshift, rshift, ">>")
    BINARY(and, and, "&") BINARY(xor, xor, "^") BINARY(or, or, "|")
    UNARY(int, int, "int(self)") UNARY(float, float, "float(self)")
    INPLACE(add, add, "+") INPLACE(sub, subtract, "-") INPLACE(mul, multiply, "*")
    INPLACE(mod, remainder, "%")
    SLOT(__ipow__, as_number.nb_inplace_power, slot_nb_inplace_power, wrap_ternaryfunc,
         "($self, value, /)", "Return self**=value.")
    INPLACE(lshift, lshift, "<<") INPLACE(rshift, rshift, ">>")
    INPLACE(and, and, "&") INPLACE(xor, xor, "^") INPLACE(or, or, "|")
    BINARY(floordiv, floor_divide, "//") BINARY(truediv, true_divide, "/")
    INPLACE(floordiv, floor_divide, "//") INPLACE(truediv, true_divide, "/")
    UNARY(index, index, "The int that stands for self where an index is asked.")
    BINARY(matmul, matrix_multiply, "@") INPLACE(matmul, matrix_multiply, "@")

    SLOT(__len__, as_mapping.mp_length, slot_mp_length, wrap_lenfunc, "($self, /)",
         "Return len(self).")
    SLOT(__getitem__, as_mapping.mp_subscript, slot_mp_subscript, wrap_binaryfunc,
         "($self, key, /)", "Return self[key].")
    SLOT(__setitem__, as_mapping.mp_ass_subscript, slot_mp_ass_subscript, wrap_objobjargproc,
         "($self, key, value, /)", "Set self[key] to value.")
    SLOT(__delitem__, as_mapping.mp_ass_subscript, slot_mp_ass_subscript, wrap_delitem,
         "($self, key, /)", "Delete self[key].")

    /* A class that defines __add__ or __mul__ sets the number slots alone: the sequence slots
     * below have no dispatcher. */
    SLOT(__len__, as_sequence.sq_length, slot_mp_length, wrap_lenfunc, "($self, /)",
         "Return len(self).")
    SLOT(__add__, as_sequence.sq_concat, NULL, wrap_binaryfunc, "($self, value, /)",
         "Return self+value.")
    SLOT(__mul__, as_sequence.sq_repeat, NULL, wrap_indexargfunc, "($self, value, /)",
         "Return self*value.")
    SLOT(__rmul__, as_sequence.sq_repeat, NULL, wrap_indexargfunc, "($self, value, /)",
         "Return value*self.")
    SLOT(__getitem__, as_sequence.sq_item, slot_sq_item, wrap_sq_item, "($self, key, /)",
         "Return self[key].")
    SLOT(__setitem__, as_sequence.sq_ass_item, slot_sq_ass_item, wrap_sq_setitem,
         "($self, key, value, /)", "Set self[key] to value.")
    SLOT(__delitem__, as_sequence.sq_ass_item, slot_sq_ass_item, wrap_sq_delitem,
         "($self, key, /)", "Delete self[key].")
    SLOT(__contains__, as_sequence.sq_contains, slot_sq_contains, wrap_objobjproc,
         "($self, key, /)", "Whether key is in it.")
    SLOT(__iadd__, as_sequence.sq_inplace_concat, NULL, wrap_binaryfunc, "($self, value, /)",
         "Implement self+=value.")
    SLOT(__imul__, as_sequence.sq_inplace_repeat, NULL, wrap_indexargfunc, "($self, value, /)",
         "Implement self*=value.")
};
/* clang-format on */

#define SLOT_COUNT ARRAY_SIZE(slot_table)
#define SLOTS_END (slot_table + SLOT_COUNT)

/* ---- addresses ------------------------------------------------------------------------------- */

void **slot_address(PyTypeObject *type, int offset)
{
    static const struct {
        int start, size, pointer;
    } tables[] = {
        {OFFSET(as_async), sizeof(PyAsyncMethods), OFFSET(ht_type.tp_as_async)},
        {OFFSET(as_number), sizeof(PyNumberMethods), OFFSET(ht_type.tp_as_number)},
        {OFFSET(as_mapping), sizeof(PyMappingMethods), OFFSET(ht_type.tp_as_mapping)},
        {OFFSET(as_sequence), sizeof(PySequenceMethods), OFFSET(ht_type.tp_as_sequence)},
        {OFFSET(as_buffer), sizeof(PyBufferProcs), OFFSET(ht_type.tp_as_buffer)},
    };
    if ((size_t)offset < sizeof(PyTypeObject)) {
        return (void **)((char *)type + offset);
    }
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        if (offset >= tables[i].start && offset < tables[i].start + tables[i].size) {
            char *table = *(char **)((char *)type + tables[i].pointer);
            return table == NULL ? NULL : (void **)(table + offset - tables[i].start);
        }
    }
    Py_UNREACHABLE();
}

int slots_add_wrappers(PyTypeObject *type, PyObject *dict)
{
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        void **slot = def->wrapper == NULL ? NULL : slot_address(type, def->offset);
        if (slot == NULL || *slot == NULL) {
            continue;
        }
        int present = PyDict_Contains(dict, def->name_strobj);
        if (present < 0) {
            return -1;
        }
        if (present) {
            continue;
        }
        PyObject *wrapper = *slot == (void *)PyObject_HashNotImplemented
                                ? Py_NewRef(Py_None)
                                : wrapper_descr_new(type, def, *slot);
        if (wrapper == NULL) {
            return -1;
        }
        int failed = PyDict_SetItem(dict, def->name_strobj, wrapper);
        Py_DECREF(wrapper);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

/* ---- working a slot out ---------------------------------------------------------------------- */

/* Several slots may stand for one name (__len__, __getitem__, __add__, ...). A wrapper found
 * under it belongs to the one slot among them that the type fills; NULL if it fills several. */
static void **only_filled_slot(PyTypeObject *type, PyObject *name)
{
    void **found = NULL;
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        if (def->name_strobj != name) {
            continue;
        }
        void **slot = slot_address(type, def->offset);
        if (slot == NULL || *slot == NULL || slot == found) {
            continue;
        }
        if (found != NULL) {
            return NULL;
        }
        found = slot;
    }
    return found;
}

/* What the slot at `offset` must hold, from what stands under its names. A slot whose names all
 * lead to wrappers of one and the same C function gets that function; otherwise its dispatcher. */
static void *slot_work_out(PyTypeObject *type, int offset, void **slot)
{
    void *specific = NULL, *generic = NULL;
    bool use_generic = false;
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        if (def->offset != offset) {
            continue;
        }
        PyObject *found = type_lookup(type, def->name_strobj, NULL);
        if (found == NULL) {
            if (offset == OFFSET(ht_type.tp_iternext)) {
                specific = (void *)_PyObject_NextNotImplemented;
            }
            continue;
        }
        if (Py_IS_TYPE(found, &PyWrapperDescr_Type)
            && ((PyWrapperDescrObject *)found)->d_base->name_strobj == def->name_strobj) {
            PyWrapperDescrObject *wrapper = (PyWrapperDescrObject *)found;
            void **filled = only_filled_slot(type, def->name_strobj);
            if (filled == NULL || filled == slot) {
                generic = def->function;
            }
            if ((specific == NULL || specific == wrapper->d_wrapped)
                && wrapper->d_base->wrapper == def->wrapper
                && type_is_subtype(type, PyDescr_TYPE(wrapper))) {
                specific = wrapper->d_wrapped;
            } else {
                /* The C function of another slot or of an unrelated type cannot be called
                 * directly. */
                use_generic = true;
            }
        } else if (offset == OFFSET(ht_type.tp_new) && Py_IS_TYPE(found, &PyCFunction_Type)
                   && PyCFunction_GET_FUNCTION(found)
                          == (PyCFunction)(void (*)(void))tp_new_wrapper) {
            specific = (void *)type->tp_new;
        } else if (found == Py_None && offset == OFFSET(ht_type.tp_hash)) {
            specific = (void *)PyObject_HashNotImplemented;
        } else {
            use_generic = true;
            generic = def->function;
            if (generic == (void *)slot_tp_call && type_is_heap(type)) {
                /* The inherited vectorcall function does not know about this __call__. */
                type->tp_flags &= ~Py_TPFLAGS_HAVE_VECTORCALL;
            }
        }
    }
    return specific != NULL && !use_generic ? specific : generic;
}

/* Collects changes: the world is stopped at the first one that others could see. */
struct slot_writer {
    bool private_type; /* nobody else knows the type */
    bool world_stopped;
};

static void slot_write(struct slot_writer *writer, void **slot, void *value)
{
    if (*slot == value) {
        return;
    }
    if (!writer->private_type && !writer->world_stopped) {
        world_stop(thread_interp(thread_self()));
        writer->world_stopped = true;
    }
    field_store(slot, value);
}

static void slot_writer_end(struct slot_writer *writer)
{
    if (writer->world_stopped) {
        world_start(thread_interp(thread_self()));
    }
}

static void slot_fix(struct slot_writer *writer, PyTypeObject *type, int offset)
{
    void **slot = slot_address(type, offset);
    if (slot != NULL) {
        slot_write(writer, slot, slot_work_out(type, offset, slot));
    }
}

static void slots_fix(struct slot_writer *writer, PyTypeObject *type)
{
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        bool seen = false;
        for (struct wrapperbase *before = slot_table; before < def && !seen; before++) {
            seen = before->offset == def->offset;
        }
        if (!seen) {
            slot_fix(writer, type, def->offset);
        }
    }
}

static void slot_fix_named(struct slot_writer *writer, PyTypeObject *type, PyObject *name)
{
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        if (def->name_strobj == name) {
            slot_fix(writer, type, def->offset);
        }
    }
}

void slots_fix_all(PyTypeObject *type)
{
    struct slot_writer writer = {.private_type = true};
    if (PyTuple_GET_SIZE(type->tp_bases) != 1) {
        slots_fix(&writer, type);
        return;
    }
    /* What a single base has is inherited as it is: only the class's own names can differ. */
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        void **slot = slot_address(type, def->offset);
        void **inherited = slot_address(type->tp_base, def->offset);
        *slot = inherited == NULL ? NULL : *inherited;
    }
    Py_ssize_t pos = 0;
    PyObject *name, *value;
    while (PyDict_Next(type_dict(type), &pos, &name, &value)) {
        slot_fix_named(&writer, type, name);
    }
}

/* ---- after a change -------------------------------------------------------------------------- */

static void update_below(struct slot_writer *writer, PyTypeObject *type, PyObject *name)
{
    slot_fix_named(writer, type, name);
    struct type_list *below = *type_subclasses(type);
    for (Py_ssize_t i = 0; below != NULL && i < below->count; i++) {
        PyTypeObject *sub = below->items[i];
        PyObject *dict = type_dict(sub);
        /* A subclass with an attribute of its own under this name does not change. */
        if (dict == NULL || !PyDict_Check(dict) || PyDict_Contains(dict, name) != 1) {
            update_below(writer, sub, name);
        }
    }
}

static bool names_a_slot(PyObject *name)
{
    for (struct wrapperbase *def = slot_table; def < SLOTS_END; def++) {
        if (def->name_strobj == name) {
            return true;
        }
    }
    return false;
}

void slots_update_locked(PyTypeObject *type, PyObject *name)
{
    if (names_a_slot(name)) {
        struct slot_writer writer = {0};
        update_below(&writer, type, name);
        slot_writer_end(&writer);
    }
}

static void update_all_below(struct slot_writer *writer, PyTypeObject *type)
{
    slots_fix(writer, type);
    struct type_list *below = *type_subclasses(type);
    for (Py_ssize_t i = 0; below != NULL && i < below->count; i++) {
        update_all_below(writer, below->items[i]);
    }
}

void slots_update_all_locked(PyTypeObject *type)
{
    struct slot_writer writer = {0};
    update_all_below(&writer, type);
    slot_writer_end(&writer);
}

int slot_update(PyTypeObject *type, PyObject *name)
{
    type_lock();
    slots_update_locked(type, name);
    type_unlock();
    return 0;
}

int slot_update_all(PyTypeObject *type)
{
    type_lock();
    slots_update_all_locked(type);
    type_unlock();
    return 0;
}
