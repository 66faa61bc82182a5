/*
 * Threads that are not Python's: many of them enter and leave the interpreter (PyGILState_Ensure), again and again and
 * one inside the other; others queue calls for the main thread (Py_AddPendingCall) while it and they are busy; some are
 * still at it when the interpreter ends, and must neither hold it up nor come back into it.
 */
#include "Python.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VISITORS = 6, ADDERS = 3, STRAGGLERS = 4, ROUNDS = 300 };

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: not %s\n", __LINE__, #condition);                            \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static pthread_t main_thread;
static PyObject *visit_function;
static atomic_long visits, added, called;
static atomic_bool over;

static const char program[] = "made = []\n"
                              "def visit(n):\n"
                              "    made.append([n])\n"
                              "    if len(made) > 100:\n"
                              "        made.clear()\n"
                              "    return sum(range(n))\n";

static void visit(int n)
{
    PyGILState_STATE outer = PyGILState_Ensure();
    CHECK(PyGILState_Check());
    PyObject *result = PyObject_CallFunction(visit_function, "i", n);
    CHECK(result != NULL && PyLong_AsLong(result) == (long)n * (n - 1) / 2);
    Py_DECREF(result);
    PyThreadState *own = PyThreadState_Get();
    Py_BEGIN_ALLOW_THREADS PyGILState_STATE inner = PyGILState_Ensure();
    CHECK(PyThreadState_Get() == own);
    CHECK(inner == PyGILState_UNLOCKED);
    PyGILState_Release(inner);
    CHECK(PyGILState_GetThisThreadState() == own);
    Py_END_ALLOW_THREADS PyGILState_STATE again = PyGILState_Ensure();
    CHECK(again == PyGILState_LOCKED);
    PyGILState_Release(again);
    PyGILState_Release(outer);
    CHECK(PyGILState_GetThisThreadState() == NULL);
}

static void *visitor(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        visit(i % 20);
        atomic_fetch_add(&visits, 1);
    }
    return unused;
}

static int pending(void *arg)
{
    CHECK(pthread_equal(pthread_self(), main_thread));
    CHECK(arg == &called);
    CHECK(PyGILState_Check());
    atomic_fetch_add(&called, 1);
    return 0;
}

static void *adder(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (Py_AddPendingCall(pending, &called) == 0) {
            atomic_fetch_add(&added, 1);
        } else {
            usleep(100);
        }
    }
    return unused;
}

static void *straggler(void *unused)
{
    while (!atomic_load(&over)) {
        visit(5);
    }
    fprintf(stderr, "a thread came back from the dead\n");
    exit(1);
    return unused;
}

int main(void)
{
    alarm(100);
    main_thread = pthread_self();
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    CHECK(!PyStatus_Exception(status));
    CHECK(PyRun_SimpleString(program) == 0);
    PyObject *module = PyImport_AddModule("__main__");
    visit_function = PyObject_GetAttrString(module, "visit");
    CHECK(visit_function != NULL);

    pthread_t thread[VISITORS + ADDERS];
    for (int i = 0; i < VISITORS + ADDERS; i++) {
        CHECK(pthread_create(&thread[i], NULL, i < VISITORS ? visitor : adder, NULL) == 0);
    }
    while (atomic_load(&visits) < (long)VISITORS * ROUNDS) {
        CHECK(PyRun_SimpleString("visit(10)") == 0);
    }
    Py_BEGIN_ALLOW_THREADS for (int i = 0; i < VISITORS + ADDERS; i++)
    {
        pthread_join(thread[i], NULL);
    }
    Py_END_ALLOW_THREADS while (atomic_load(&called) < atomic_load(&added))
    {
        CHECK(Py_MakePendingCalls() == 0);
    }
    CHECK(atomic_load(&called) == atomic_load(&added) && atomic_load(&added) > 0);

    for (int i = 0; i < STRAGGLERS; i++) {
        pthread_t lost;
        CHECK(pthread_create(&lost, NULL, straggler, NULL) == 0);
        pthread_detach(lost);
    }
    Py_BEGIN_ALLOW_THREADS usleep(20000);
    Py_END_ALLOW_THREADS CHECK(Py_FinalizeEx() == 0);
    usleep(20000);
    printf("%ld visits, %ld pending calls\n", atomic_load(&visits), atomic_load(&called));
    return 0;
}
