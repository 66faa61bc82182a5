/* The symbol table, second pass: the scope of every name.

   Blocks are visited from the outside in.  A name that its block does not bind is looked for in the
   blocks around it; the first function-like one that binds it makes it a free variable, and the
   binding a cell when the two run in different frames.  A comprehension that is inlined runs in its
   parent's frame, so its names need no cell for that alone. */

#include "symtable_internal.h"

/* The block in whose frame the code of `block` runs. */
static const struct block *frame_owner(const struct block *block)
{
    while (block->inlined) {
        block = block->parent;
    }
    return block;
}

/* Names that a class body offers to the scopes inside it, though they are not its attributes. */
static bool class_provides(PyObject *name, bool *classdict)
{
    *classdict = PyUnicode_EqualToUTF8AndSize(name, "__classdict__", 13);
    return *classdict || PyUnicode_EqualToUTF8AndSize(name, "__class__", 9);
}

/* The block around `block` that binds `name`, or NULL if it is global. */
static struct block *find_binder(const struct block *block, PyObject *name)
{
    for (struct block *outer = block->parent; outer != NULL; outer = outer->parent) {
        if (outer->kind == BLOCK_MODULE) {
            return NULL;
        }
        if (outer->kind == BLOCK_CLASS) {
            bool classdict;
            /* Not for its own comprehensions, which are no scopes inside it. */
            if (PyUnicode_READ_CHAR(name, 0) == '_' && frame_owner(block) != outer
                && class_provides(name, &classdict)) {
                *(classdict ? &outer->needs_classdict : &outer->needs_class_closure) = true;
                return outer;
            }
            continue;
        }
        const struct symbol *symbol = block_symbol(outer, name);
        if (symbol == NULL) {
            continue;
        }
        if (symbol->flags & SYM_GLOBAL) {
            return NULL;
        }
        if ((symbol->flags & SYM_BOUND) && !(symbol->flags & SYM_NONLOCAL)) {
            return outer;
        }
    }
    return NULL;
}

/* Makes `name`, bound by `binder`, reach `block`: free in all blocks between them. */
static int bind_free(struct symtable *table, struct block *block, struct block *binder,
                     PyObject *name)
{
    block->has_free = true;
    if (frame_owner(block) != frame_owner(binder) || binder->kind == BLOCK_CLASS) {
        struct symbol *symbol = block_symbol(binder, name);
        if (symbol != NULL && binder->kind != BLOCK_CLASS) {
            symbol->scope = SCOPE_CELL;
        }
    }
    for (struct block *between = block->parent; between != binder; between = between->parent) {
        between->child_free = true;
        struct symbol *symbol = block_symbol(between, name);
        if (symbol == NULL) {
            symbol = map_add(&between->symbols, table->arena, name);
            if (symbol == NULL) {
                return -1;
            }
            symbol->scope = SCOPE_FREE;
        } else if (between->kind == BLOCK_CLASS && (symbol->flags & (SYM_BOUND | SYM_GLOBAL))) {
            symbol->flags |= SYM_FREE_CLASS;
        } else if (between->can_see_class && symbol->scope != SCOPE_FREE) {
            /* It looks the name up in the class, but what is inside does not. */
            symbol->flags |= SYM_FREE_CLASS;
        }
    }
    return 0;
}

/* In an annotation scope directly inside a class, the class's own names come first. */
static enum symbol_scope scope_in_class(const struct block *block, PyObject *name)
{
    if (!block->can_see_class) {
        return SCOPE_UNKNOWN;
    }
    const struct block *class_block = block->parent;
    while (class_block->kind != BLOCK_CLASS) {
        class_block = class_block->parent;
    }
    const struct symbol *symbol = block_symbol(class_block, name);
    if (symbol == NULL) {
        return SCOPE_UNKNOWN;
    }
    if (symbol->flags & SYM_GLOBAL) {
        return SCOPE_GLOBAL_EXPLICIT;
    }
    bool bound = (symbol->flags & SYM_BOUND) && !(symbol->flags & SYM_NONLOCAL);
    return bound ? SCOPE_GLOBAL_IMPLICIT : SCOPE_UNKNOWN;
}

static int analyze_nonlocal(struct symtable *table, struct block *block, struct symbol *symbol)
{
    if (block->kind == BLOCK_MODULE) {
        return symtable_directive_error(table, block, symbol->name,
                                        "nonlocal declaration not allowed at module level");
    }
    struct block *binder = find_binder(block, symbol->name);
    if (binder == NULL) {
        return symtable_directive_error(table, block, symbol->name,
                                        "no binding for nonlocal '%U' found");
    }
    const struct symbol *bound = block_symbol(binder, symbol->name);
    if (bound != NULL && (bound->flags & SYM_TYPE_PARAM)) {
        return symtable_directive_error(table, block, symbol->name,
                                        "nonlocal binding not allowed for type parameter '%U'");
    }
    symbol->scope = SCOPE_FREE;
    return bind_free(table, block, binder, symbol->name);
}

static int analyze_symbol(struct symtable *table, struct block *block, struct symbol *symbol)
{
    if (symbol->flags & SYM_GLOBAL) {
        if (symbol->flags & SYM_NONLOCAL) {
            return symtable_directive_error(table, block, symbol->name,
                                            "name '%U' is nonlocal and global");
        }
        symbol->scope = SCOPE_GLOBAL_EXPLICIT;
        return 0;
    }
    if (symbol->flags & SYM_NONLOCAL) {
        return analyze_nonlocal(table, block, symbol);
    }
    if (symbol->flags & SYM_BOUND) {
        symbol->scope = SCOPE_LOCAL;
        return 0;
    }
    symbol->scope = scope_in_class(block, symbol->name);
    if (symbol->scope != SCOPE_UNKNOWN) {
        return 0;
    }
    struct block *binder = find_binder(block, symbol->name);
    if (binder == NULL) {
        symbol->scope = SCOPE_GLOBAL_IMPLICIT;
        return 0;
    }
    symbol->scope = SCOPE_FREE;
    return bind_free(table, block, binder, symbol->name);
}

/* Makes the variables of an inlined comprehension variables of its parent's frame. */
static int merge_inlined(struct symtable *table, const struct block *comprehension)
{
    struct block *outer = comprehension->parent;
    for (uint32_t i = 0; i < comprehension->symbols.count; i++) {
        const struct symbol *inner = &comprehension->symbols.items[i];
        if ((inner->flags & SYM_PARAM)
            || (inner->scope != SCOPE_LOCAL && inner->scope != SCOPE_CELL)) {
            continue;
        }
        struct symbol *symbol = block_symbol(outer, inner->name);
        if (symbol == NULL) {
            symbol = map_add(&outer->symbols, table->arena, inner->name);
            if (symbol == NULL) {
                return -1;
            }
            *symbol = *inner;
            symbol->flags |= SYM_COMP_ONLY;
        } else if (inner->scope == SCOPE_CELL && symbol->scope == SCOPE_LOCAL
                   && block_is_function_like(outer)) {
            symbol->scope = SCOPE_CELL;
            symbol->flags |= SYM_COMP_CELL;
        }
    }
    return 0;
}

static int analyze_block(struct symtable *table, struct block *block)
{
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int result = 0;
    if (block->kind == BLOCK_FUNCTION && block->comprehension != COMP_NONE) {
        block->inlined = block->comprehension != COMP_GENERATOR && !block->parent->can_see_class;
    }
    uint32_t own = block->symbols.count;
    for (uint32_t i = 0; i < own && result == 0; i++) {
        result = analyze_symbol(table, block, &block->symbols.items[i]);
    }
    for (uint32_t i = 0; i < block->child_count && result == 0; i++) {
        struct block *child = block->children[i];
        result = analyze_block(table, child);
        block->child_free |= child->has_free || child->child_free;
    }
    for (uint32_t i = 0; i < block->child_count && result == 0; i++) {
        if (block->children[i]->inlined) {
            result = merge_inlined(table, block->children[i]);
        }
    }
    Py_LeaveRecursiveCall();
    return result;
}

int symtable_analyze(struct symtable *table)
{
    return analyze_block(table, table->top);
}
