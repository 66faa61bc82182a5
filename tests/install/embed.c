/* A program with an interpreter in it. */
#include <Python.h>

int main(void)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    int failed = PyRun_SimpleString("import json, sys\n"
                                    "print(json.dumps([sys.version_info[:2], 6 * 7]))\n");
    return Py_FinalizeEx() < 0 || failed;
}
