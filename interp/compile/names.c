/* Reading, writing and deleting names in the scope that is being compiled. */

#include "objects/ids.h"
#include "unit.h"

static int slot_of(struct compiler *c, PyObject *name)
{
    PyObject *reg = PyDict_GetItemWithError(c->unit->slot_index, name);
    if (reg == NULL) {
        return ANY;
    }
    return (int)PyLong_AsLong(reg);
}

static struct place place_in_frame(struct compiler *c, const struct symbol *symbol, PyObject *name)
{
    const struct block *block = c->unit->block;
    bool deletable = symbol != NULL && (symbol->flags & SYM_DELETED) != 0;
    switch (symbol == NULL ? SCOPE_GLOBAL_IMPLICIT : symbol->scope) {
    case SCOPE_FREE:
        return (struct place){block->can_see_class ? PLACE_CLASS_CELL : PLACE_CELL,
                              slot_of(c, name), deletable};
    case SCOPE_CELL:
        if (block_is_function_like(block)) {
            return (struct place){PLACE_CELL, slot_of(c, name), deletable};
        }
        return (struct place){PLACE_NAME, ANY, deletable};
    case SCOPE_LOCAL:
        if (block_is_function_like(block)) {
            return (struct place){PLACE_LOCAL, slot_of(c, name), deletable};
        }
        return (struct place){PLACE_NAME, ANY, deletable};
    case SCOPE_GLOBAL_IMPLICIT:
        if (block->can_see_class) {
            return (struct place){PLACE_CLASS_GLOBAL, ANY, deletable};
        }
        if (block_is_function_like(block)) {
            return (struct place){PLACE_GLOBAL, ANY, deletable};
        }
        return (struct place){PLACE_NAME, ANY, deletable};
    default:
        return (struct place){PLACE_GLOBAL, ANY, deletable};
    }
}

struct place place_of(struct compiler *c, PyObject *name)
{
    const struct block *block = c->unit->block;
    bool through_class = false;
    for (const struct comp_scope *comp = c->unit->comp; comp != NULL; comp = comp->outer) {
        const struct symbol *symbol = block_symbol(comp->block, name);
        if (symbol == NULL) {
            continue;
        }
        bool deletable = (symbol->flags & SYM_DELETED) != 0;
        if (symbol->scope == SCOPE_LOCAL) {
            return (struct place){PLACE_LOCAL, slot_of(c, name), deletable};
        }
        if (symbol->scope == SCOPE_CELL) {
            return (struct place){PLACE_CELL, slot_of(c, name), deletable};
        }
        if (symbol->scope != SCOPE_FREE) {
            return (struct place){PLACE_GLOBAL, ANY, deletable};
        }
        /* Free here: bound by an outer comprehension of the same frame, or by the frame itself. */
        through_class = block->kind == BLOCK_CLASS;
    }
    if (through_class) {
        /* A comprehension does not see the class's own names. */
        return (struct place){PLACE_CELL, slot_of(c, name), false};
    }
    return place_in_frame(c, block_symbol(block, name), name);
}

int cell_register(struct compiler *c, PyObject *name)
{
    const struct unit *u = c->unit;
    if (u->block->kind == BLOCK_CLASS && (name == ID(__class__) || name == ID(__classdict__))) {
        int own = name == ID(__class__) ? u->class_cell : u->classdict_cell;
        if (own != ANY) {
            return own;
        }
    }
    return slot_of(c, name);
}

static void check_bound(struct compiler *c, const struct place *place)
{
    if (place->deletable) {
        emit(c, CHECK_BOUND, place->reg, 0, 0);
    } else if (!bound_known(c, place->reg)) {
        emit(c, CHECK_BOUND, place->reg, 0, 0);
        bound_set(c, place->reg);
    }
}

int name_register(struct compiler *c, PyObject *name)
{
    PyObject *spelled = mangled(c, name);
    if (c->failed) {
        return ANY;
    }
    struct place place = place_of(c, spelled);
    if (place.kind != PLACE_LOCAL) {
        return ANY;
    }
    check_bound(c, &place);
    return place.reg;
}

int name_store_register(struct compiler *c, PyObject *name)
{
    PyObject *spelled = mangled(c, name);
    if (c->failed) {
        return ANY;
    }
    struct place place = place_of(c, spelled);
    return place.kind == PLACE_LOCAL ? place.reg : ANY;
}

/* The class's namespace into the next temporary (not made live). */
static int load_classdict(struct compiler *c)
{
    int temp = temp_push(c);
    emit(c, GET_DEREF, temp, cell_register(c, ID(__classdict__)), 0);
    return temp;
}

void name_load(struct compiler *c, PyObject *name, int dst)
{
    PyObject *spelled = mangled(c, name);
    if (c->failed) {
        return;
    }
    struct place place = place_of(c, spelled);
    int base = c->unit->depth;
    switch (place.kind) {
    case PLACE_LOCAL:
        check_bound(c, &place);
        emit(c, MOVE, dst, place.reg, 0);
        break;
    case PLACE_CELL:
        if (c->unit->block->kind == BLOCK_CLASS && c->unit->comp == NULL) {
            int temp = temp_push(c);
            emit(c, LOAD_LOCALS, temp, 0, 0);
            emit(c, GET_FROM_DICT_OR_DEREF, dst, temp, place.reg);
        } else {
            emit(c, GET_DEREF, dst, place.reg, 0);
        }
        break;
    case PLACE_CLASS_CELL: {
        int temp = load_classdict(c);
        emit(c, GET_FROM_DICT_OR_DEREF, dst, temp, place.reg);
        break;
    }
    case PLACE_CLASS_GLOBAL: {
        int temp = load_classdict(c);
        emit(c, GET_FROM_DICT_OR_GLOBALS, dst, temp, (int)name_site(c, spelled));
        break;
    }
    case PLACE_GLOBAL:
        emit_wide(c, GET_GLOBAL, dst, name_site(c, spelled));
        break;
    case PLACE_NAME:
        emit_wide(c, GET_NAME, dst, name_site(c, spelled));
        break;
    }
    temp_pop_to(c, base);
}

void name_store(struct compiler *c, PyObject *name, int src)
{
    PyObject *spelled = mangled(c, name);
    if (c->failed) {
        return;
    }
    struct place place = place_of(c, spelled);
    switch (place.kind) {
    case PLACE_LOCAL:
        emit(c, MOVE, place.reg, src, 0);
        if (!place.deletable) {
            bound_set(c, place.reg);
        }
        break;
    case PLACE_CELL:
    case PLACE_CLASS_CELL:
        emit(c, SET_DEREF, place.reg, src, 0);
        break;
    case PLACE_GLOBAL:
    case PLACE_CLASS_GLOBAL:
        emit_wide(c, SET_GLOBAL, src, name_site(c, spelled));
        break;
    case PLACE_NAME:
        emit_wide(c, SET_NAME, src, name_site(c, spelled));
        break;
    }
}

void name_delete(struct compiler *c, PyObject *name)
{
    PyObject *spelled = mangled(c, name);
    if (c->failed) {
        return;
    }
    struct place place = place_of(c, spelled);
    switch (place.kind) {
    case PLACE_LOCAL:
        emit(c, DEL_LOCAL, place.reg, 0, 0);
        break;
    case PLACE_CELL:
    case PLACE_CLASS_CELL:
        emit(c, DEL_DEREF, place.reg, 0, 0);
        break;
    case PLACE_GLOBAL:
    case PLACE_CLASS_GLOBAL:
        emit_wide(c, DEL_GLOBAL, 0, name_site(c, spelled));
        break;
    case PLACE_NAME:
        emit_wide(c, DEL_NAME, 0, name_site(c, spelled));
        break;
    }
}
