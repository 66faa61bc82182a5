/* Docstrings of C code may start with a signature: "name(args)\n--\n\n". */
#include "objects/descr.h"

#include <string.h>

#define SIGNATURE_END ")\n--\n\n"

/* Where the "(" of a signature for `name` starts, or NULL. */
static const char *signature_start(const char *name, const char *doc)
{
    const char *dot = strrchr(name, '.');
    name = dot == NULL ? name : dot + 1;
    size_t length = strlen(name);
    return strncmp(doc, name, length) == 0 && doc[length] == '(' ? doc + length : NULL;
}

/* What follows the signature that starts here, or NULL. */
static const char *signature_skip(const char *start)
{
    for (; *start != '\0'; start++) {
        if (strncmp(start, SIGNATURE_END, sizeof(SIGNATURE_END) - 1) == 0) {
            return start + sizeof(SIGNATURE_END) - 1;
        }
        if (start[0] == '\n' && start[1] == '\n') {
            return NULL;
        }
    }
    return NULL;
}

const char *doc_body(const char *name, const char *doc)
{
    const char *start = doc == NULL ? NULL : signature_start(name, doc);
    const char *body = start == NULL ? NULL : signature_skip(start);
    return body == NULL ? doc : body;
}

PyObject *doc_without_signature(const char *name, const char *doc)
{
    const char *body = doc_body(name, doc);
    return body == NULL || *body == '\0' ? Py_NewRef(Py_None) : PyUnicode_FromString(body);
}

PyObject *doc_signature(const char *name, const char *doc)
{
    const char *start = doc == NULL ? NULL : signature_start(name, doc);
    const char *body = start == NULL ? NULL : signature_skip(start);
    if (body == NULL) {
        return Py_NewRef(Py_None);
    }
    /* Up to and with the closing parenthesis. */
    return PyUnicode_FromStringAndSize(start, body - (sizeof(SIGNATURE_END) - 2) - start);
}
