/* Stacks and extension modules of a process that is about to die, or was asked by a signal. */

#include "interp/dump.h"

#include "interp/state.h"
#include "objects/gc/gc.h"
#include "objects/module.h"
#include "objects/set.h"

#include <string.h>
#include <unistd.h>

enum { MOST_FRAMES = 100, MOST_THREADS = 100, LONGEST_NAME = 500 };

/* ---- text ---------------------------------------------------------------------------------------- */

static void dump_bytes(int fd, const char *bytes, size_t left)
{
    while (left > 0) {
        ssize_t written = write(fd, bytes, left);
        if (written <= 0) {
            return;
        }
        bytes += written;
        left -= (size_t)written;
    }
}

void dump_text(int fd, const char *text)
{
    dump_bytes(fd, text, strlen(text));
}

static void dump_number(int fd, unsigned long number, unsigned base, int width)
{
    char digits[32];
    int at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
        width--;
    } while (number != 0 || width > 0);
    dump_bytes(fd, digits + at, sizeof digits - (size_t)at);
}

/* A str in ASCII with escapes, or "???". */
static void dump_str(int fd, PyObject *text)
{
    if (text == NULL || !PyUnicode_Check(text)) {
        dump_text(fd, "???");
        return;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    for (Py_ssize_t i = 0; i < Py_MIN(length, LONGEST_NAME); i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        if (c >= ' ' && c < 0x7F) {
            dump_bytes(fd, &(char){(char)c}, 1);
        } else {
            dump_text(fd, c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U");
            dump_number(fd, c, 16, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
        }
    }
    if (length > LONGEST_NAME) {
        dump_text(fd, "...");
    }
}

/* ---- stacks ----------------------------------------------------------------------------------------- */

static void dump_frame(int fd, const struct frame *frame)
{
    PyCodeObject *code = frame->body == NULL ? NULL : frame->body->code;
    if (code == NULL || !PyCode_Check(code)) {
        dump_text(fd, "  File ???, line ??? in ???\n");
        return;
    }
    dump_text(fd, "  File \"");
    dump_str(fd, code->co_filename);
    dump_text(fd, "\", line ");
    int line = code_line(code, frame_lasti(frame));
    if (line >= 0) {
        dump_number(fd, (unsigned long)line, 10, 1);
    } else {
        dump_text(fd, "???");
    }
    dump_text(fd, " in ");
    dump_str(fd, code->co_name);
    dump_text(fd, "\n");
}

static void dump_frames(int fd, struct thread *thread)
{
    struct frame *frame = frame_visible(thread_frame(&thread->ts));
    if (frame == NULL) {
        dump_text(fd, "  <no Python frame>\n");
    }
    for (int depth = 0; frame != NULL; frame = frame_visible(frame->prev)) {
        if (depth++ == MOST_FRAMES) {
            dump_text(fd, "  ...\n");
            return;
        }
        dump_frame(fd, frame);
    }
}

void dump_stack(int fd, struct thread *thread)
{
    dump_text(fd, "Stack (most recent call first):\n");
    dump_frames(fd, thread);
}

void dump_stacks(int fd, struct interp_state *interp, struct thread *current)
{
    struct thread *thread = thread_newest(interp);
    for (int count = 0; thread != NULL; thread = thread_of(thread->ts.next)) {
        if (count > 0) {
            dump_text(fd, "\n");
        }
        if (count++ == MOST_THREADS) {
            dump_text(fd, "...\n");
            return;
        }
        dump_text(fd, thread == current ? "Current thread 0x" : "Thread 0x");
        dump_number(fd, thread->ts.thread_id, 16, 2 * sizeof(long));
        dump_text(fd, " (most recent call first):\n");
        if (thread == current && interp->gc != NULL && interp->gc->collecting) {
            dump_text(fd, "  Garbage-collecting\n");
        }
        dump_frames(fd, thread);
    }
}

/* ---- extension modules --------------------------------------------------------------------------------- */

/* Is `name`, up to its first dot, in the set? By text, as hashing may need memory. */
static bool set_has_package(PyObject *set, PyObject *name)
{
    Py_ssize_t pos = 0, length = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    length = length < 0 ? PyUnicode_GET_LENGTH(name) : length;
    PyObject *item;
    Py_hash_t hash;
    while (set_next(set, &pos, &item, &hash)) {
        if (PyUnicode_Check(item) && PyUnicode_GET_LENGTH(item) == length
            && PyUnicode_IS_ASCII(item) && PyUnicode_IS_ASCII(name)
            && memcmp(PyUnicode_DATA(item), PyUnicode_DATA(name), (size_t)length) == 0) {
            return true;
        }
    }
    return false;
}

void dump_extensions(int fd, struct interp_state *state)
{
    struct main_interp *interp = (struct main_interp *)state;
    if (interp->modules == NULL || interp->sys_dict == NULL || !PyDict_Check(interp->modules)) {
        return;
    }
    PyObject *known = PyDict_GetItemWithError(interp->sys_dict, ID(stdlib_module_names));
    PyObject *name, *module;
    Py_ssize_t pos = 0;
    unsigned long count = 0;
    while (PyDict_Next(interp->modules, &pos, &name, &module)) {
        if (!PyUnicode_Check(name) || !PyModule_Check(module)
            || ((struct module_object *)module)->def == NULL
            || (known != NULL && PyAnySet_Check(known) && set_has_package(known, name))) {
            continue;
        }
        dump_text(fd, count++ == 0 ? "\nExtension modules: " : ", ");
        dump_str(fd, name);
    }
    if (count > 0) {
        dump_text(fd, " (total: ");
        dump_number(fd, count, 10, 1);
        dump_text(fd, ")\n");
    }
}
