/* What start-up registers with the floors below. */

#include "interp/startup/startup.h"
#include "objects/error.h"
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

void hooks_init(void)
{
    interp_typing_hook = typing_intrinsic;
}
