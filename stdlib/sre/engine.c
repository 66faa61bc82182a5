/* The backtracking machine.
 *
 * Two stacks of its own stand for what would be recursion: choices, places to go on after a
 * failure, and the trail, what registers held before they were written.  An atomic group or an
 * assertion drops the choices made inside it and keeps the trail, so a later failure still takes
 * back its groups. */
#include "sre.h"

#include <wchar.h>

#define CHAR Py_UCS1
#define NAME(x) narrow_##x
#include "engine_template.h"
#undef CHAR
#undef NAME

#define CHAR Py_UCS2
#define NAME(x) middle_##x
#include "engine_template.h"
#undef CHAR
#undef NAME

#define CHAR Py_UCS4
#define NAME(x) wide_##x
#include "engine_template.h"
#undef CHAR
#undef NAME

/* Doubles a stack that begins inside the run; -1 with MemoryError. */
static int stack_grow(void **stack, const void *inside, uint32_t *size, size_t item)
{
    size_t bytes = (size_t)*size * item;
    void *more =
        *size > UINT32_MAX / 2 ? NULL : PyMem_Realloc(*stack == inside ? NULL : *stack, bytes * 2);
    if (more == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (*stack == inside) {
        memcpy(more, inside, bytes);
    }
    *stack = more;
    *size *= 2;
    return 0;
}

int run_choices_grow(struct run *run)
{
    void *stack = run->choices;
    int rc = stack_grow(&stack, run->choices_inside, &run->choices_size, sizeof *run->choices);
    run->choices = stack;
    return rc;
}

int run_trail_grow(struct run *run)
{
    void *stack = run->trail;
    int rc = stack_grow(&stack, run->trail_inside, &run->trail_size, sizeof *run->trail);
    run->trail = stack;
    return rc;
}

int run_match(struct run *run)
{
    return run->kind == 1   ? narrow_match(run)
           : run->kind == 2 ? middle_match(run)
                            : wide_match(run);
}

int run_search(struct run *run)
{
    return run->kind == 1   ? narrow_search(run)
           : run->kind == 2 ? middle_search(run)
                            : wide_search(run);
}
