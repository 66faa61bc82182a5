/* Start and end of the type system in an interpreter. */
#include "objects/cfunction.h"
#include "objects/context.h"
#include "objects/descr.h"
#include "objects/module.h"
#include "objects/namespace.h"
#include "objects/object.h"
#include "objects/type.h"
#include "objects/type/internal.h"
#include "objects/typing.h"
#include "objects/weakref.h"

/* clang-format off */
PyTypeObject *const object_types[] = {
    &PyBaseObject_Type, &PyType_Type, &PySuper_Type, &_PyNone_Type, &_PyNotImplemented_Type,
    &PyEllipsis_Type, &PyMethod_Type, &PyInstanceMethod_Type, &PyCell_Type, &_PyNamespace_Type,
    &PyPickleBuffer_Type, &buffer_owner_type, NULL,
};
/* clang-format on */

static PyTypeObject *const *const groups[] = {
    object_types, descr_types,  cfunction_types, weakref_types,
    module_types, typing_types, context_types,
};

/* Instances of typing's types find their __module__ in the type, as those of classes do. */
static int add_typing_module(void)
{
    for (PyTypeObject *const *type = typing_types; *type != NULL; type++) {
        if (strncmp((*type)->tp_name, "typing.", 7) == 0
            && !PyDict_Contains(type_dict(*type), ID(__module__))
            && type_add_attr(*type, ID(__module__), ID(typing)) < 0) {
            return -1;
        }
    }
    return 0;
}

int object_init(struct interp_state *Py_UNUSED(interp))
{
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (type_ready_all(groups[i]) < 0) {
            return -1;
        }
    }
    return add_typing_module();
}

/* Takes every static type's state down, those of other folders included: subclasses first. */
void object_fini(struct interp_state *interp)
{
    struct object_interp *self = (struct object_interp *)interp;
    Py_CLEAR(self->modules_by_index);
    Py_CLEAR(self->typing_generic);
    for (size_t i = STATIC_TYPES_MAX; i-- > 0;) {
        if (self->static_types[i].ready) {
            type_static_fini(interp, self->static_types[i].type);
        }
    }
}
