/* What start-up registers with the floors below. */

#include "interp/startup/startup.h"
#include "alloc/alloc.h"
#include "interp/dump.h"
#include "objects/capi/fatal.h"
#include "objects/error.h"
#include "objects/gc/gc.h"
#include "objects/typing.h"

/* The intrinsics that make type parameters; `id` is an intrinsic1, or minus an intrinsic2. */
static PyObject *typing_intrinsic(int id, PyObject *a, PyObject *b)
{
    switch (id) {
    case INTRINSIC_TYPEVAR:
        return typevar_new_lazy(a, NULL, NULL);
    case INTRINSIC_PARAMSPEC:
        return paramspec_new_lazy(a);
    case INTRINSIC_TYPEVARTUPLE:
        return typevartuple_new_lazy(a);
    case INTRINSIC_SUBSCRIPT_GENERIC:
        return generic_subscript(a);
    case INTRINSIC_TYPEALIAS:
        return typealias_new_lazy(a);
    case -INTRINSIC_TYPEVAR_WITH_BOUND:
        return typevar_new_lazy(a, b, NULL);
    case -INTRINSIC_TYPEVAR_WITH_CONSTRAINTS:
        return typevar_new_lazy(a, NULL, b);
    case -INTRINSIC_SET_TYPEPARAM_DEFAULT:
        return typeparam_set_default(a, b);
    default:
        raise_system("unknown type parameter intrinsic %d", id);
        return NULL;
    }
}

struct root_visit {
    visitproc visit;
    void *arg;
};

static void visit_thread(struct thread *t, void *arg)
{
    struct root_visit *roots = arg;
    interp_visit_registers(&t->ts, roots->visit, roots->arg);
}

/* The collector's roots: what registers hold without counting it. The world stands still. */
static void visit_registers(struct interp_state *interp, visitproc visit, void *arg)
{
    struct root_visit roots = {visit, arg};
    thread_each(interp, visit_thread, &roots);
}

/* The last words of a fatal error. */
static void dump_everything(int fd, struct thread *current)
{
    struct interp_state *interp = current != NULL ? thread_interp(current) : runtime.main;
    if (interp != NULL) {
        dump_stacks(fd, interp, current);
        dump_extensions(fd, interp);
    }
}

/* Is this thread attached? The debug hooks of memory ask. */
static bool is_attached(void)
{
    return thread_self() != NULL;
}

void hooks_init(void)
{
    mem_may_allocate = is_attached;
    fatal_dump_stacks = dump_everything;
    interp_typing_hook = typing_intrinsic;
    gc_register_roots(visit_registers);
}
