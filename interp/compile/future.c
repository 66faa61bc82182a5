/* `from __future__ import ...`: where it may stand and what it may name. */

#include "compile.h"
#include <stdbool.h>

static const struct {
    const char *name;
    int flag;
} features[] = {
    {"nested_scopes", 0},    {"generators", 0},
    {"division", 0},         {"absolute_import", 0},
    {"with_statement", 0},   {"print_function", 0},
    {"unicode_literals", 0}, {"barry_as_FLUFL", CO_FUTURE_BARRY_AS_BDFL},
    {"generator_stop", 0},   {"annotations", CO_FUTURE_ANNOTATIONS},
};

static int fail_at(PyObject *filename, const struct ast_pos *pos)
{
    PyErr_RangedSyntaxLocationObject(filename, pos->line, pos->col + 1, pos->end_line,
                                     pos->end_col + 1);
    return -1;
}

static int feature_flag(PyObject *name, PyObject *filename, const struct ast_pos *pos)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL) {
        return -1;
    }
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        if (strcmp(text, features[i].name) == 0) {
            return features[i].flag;
        }
    }
    if (strcmp(text, "braces") == 0) {
        PyErr_SetString(PyExc_SyntaxError, "not a chance");
    } else {
        PyErr_Format(PyExc_SyntaxError, "future feature %.100s is not defined", text);
    }
    return fail_at(filename, pos);
}

static bool is_future_import(const struct stmt *s)
{
    return s->kind == STMT_IMPORTFROM && s->importfrom.module != NULL && s->importfrom.level == 0
           && PyUnicode_EqualToUTF8(s->importfrom.module, "__future__");
}

int future_flags(const struct ast_module *tree, PyObject *filename)
{
    const struct stmt_seq *body;
    if (tree->kind == MODULE_MODULE) {
        body = tree->module.body;
    } else if (tree->kind == MODULE_INTERACTIVE) {
        body = tree->interactive.body;
    } else {
        return 0;
    }
    int flags = 0;
    bool open = true;
    for (size_t i = 0; i < body->len; i++) {
        const struct stmt *s = body->items[i];
        if (is_future_import(s)) {
            if (!open) {
                PyErr_SetString(PyExc_SyntaxError, "from __future__ imports must occur at the "
                                                   "beginning of the file");
                return fail_at(filename, &s->pos);
            }
            for (size_t k = 0; k < s->importfrom.names->len; k++) {
                const struct alias *alias = s->importfrom.names->items[k];
                int flag = feature_flag(alias->name, filename, &alias->pos);
                if (flag < 0) {
                    return -1;
                }
                flags |= flag;
            }
        } else if (i != 0 || ast_docstring(body) == NULL) {
            open = false;
        }
    }
    return flags;
}
