/* The map of generated code for perf: /tmp/perf-PID.map, a line for each function. */

#include "interp/state.h"
#include "objects/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static struct {
    FILE *file;
    PyMutex lock;
} map;

/* With the lock held: 0, or -1 (no exception). */
static int map_open(void)
{
    char name[64];
    snprintf(name, sizeof name, "/tmp/perf-%jd.map", (intmax_t)getpid());
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    map.file = fd < 0 ? NULL : fdopen(fd, "a");
    if (map.file == NULL && fd >= 0) {
        close(fd);
    }
    return map.file == NULL ? -1 : 0;
}

int PyUnstable_PerfMapState_Init(void)
{
    mutex_lock(&map.lock);
    int result = map.file != NULL ? 0 : map_open();
    mutex_unlock(&map.lock);
    return result;
}

int PyUnstable_WritePerfMapEntry(const void *code, unsigned int size, const char *name)
{
    mutex_lock(&map.lock);
    int result = map.file != NULL ? 0 : map_open();
    if (result == 0) {
        fprintf(map.file, "%" PRIxPTR " %x %s\n", (uintptr_t)code, size, name);
        fflush(map.file);
    }
    mutex_unlock(&map.lock);
    return result;
}

void PyUnstable_PerfMapState_Fini(void)
{
    mutex_lock(&map.lock);
    if (map.file != NULL) {
        fclose(map.file);
        map.file = NULL;
    }
    mutex_unlock(&map.lock);
}

/* A child's map begins with what its parent knew. */
int PyUnstable_CopyPerfMapFile(const char *parent)
{
    if (PyUnstable_PerfMapState_Init() < 0) {
        return -1;
    }
    FILE *from = fopen(parent, "re");
    if (from == NULL) {
        return -1;
    }
    char buffer[4096];
    size_t length;
    int result = 0;
    mutex_lock(&map.lock);
    while ((length = fread(buffer, 1, sizeof buffer, from)) > 0 && result == 0) {
        result = fwrite(buffer, 1, length, map.file) == length && fflush(map.file) == 0 ? 0 : -1;
    }
    mutex_unlock(&map.lock);
    fclose(from);
    return result;
}

/* ---- trampolines ----------------------------------------------------------------------------- */

/* There are none: perf sees the machine's own functions, and code needs none compiled. */
int PyUnstable_PerfTrampoline_CompileCode(PyCodeObject *Py_UNUSED(code))
{
    return 0;
}

int PyUnstable_PerfTrampoline_SetPersistAfterFork(int Py_UNUSED(enable))
{
    return 0;
}
