/* Exceptions that add nothing to their base, MemoryError with its reserve, and the list of all. */

#include "objects/exceptions/exceptions.h"

#include "locking/lock.h"

SIMPLE_EXCEPTION(Exception, BaseException, "The base of everything that ordinary code may catch.");
SIMPLE_EXCEPTION(GeneratorExit, BaseException, "Thrown into a generator that is being closed.");
SIMPLE_EXCEPTION(KeyboardInterrupt, BaseException, "The user pressed the interrupt key.");
SIMPLE_EXCEPTION(TypeError, Exception, "An operation met an object of a type that it cannot use.");
SIMPLE_EXCEPTION(StopAsyncIteration, Exception, "An asynchronous iterator has no more items.");
SIMPLE_EXCEPTION(EOFError, Exception, "The input ended before there was anything to return.");
SIMPLE_EXCEPTION(RuntimeError, Exception,
                 "Something went wrong for which there is no class of its own.");
SIMPLE_EXCEPTION(RecursionError, RuntimeError, "Calls are nested too deeply.");
SIMPLE_EXCEPTION(NotImplementedError, RuntimeError,
                 "This is left to a subclass, or still to be written.");
SIMPLE_EXCEPTION(PythonFinalizationError, RuntimeError,
                 "The interpreter is shutting down and cannot do this any more.");
SIMPLE_EXCEPTION(AssertionError, Exception, "The condition of an assert statement is false.");
SIMPLE_EXCEPTION(ArithmeticError, Exception, "The base of what arithmetic can raise.");
SIMPLE_EXCEPTION(FloatingPointError, ArithmeticError,
                 "An operation on floats has no result; never raised by the built-in ones.");
SIMPLE_EXCEPTION(OverflowError, ArithmeticError, "The result does not fit its type.");
SIMPLE_EXCEPTION(ZeroDivisionError, ArithmeticError, "Division by zero, or the remainder of one.");
SIMPLE_EXCEPTION(LookupError, Exception, "The base of IndexError and KeyError.");
SIMPLE_EXCEPTION(IndexError, LookupError, "A sequence has no item at this index.");
SIMPLE_EXCEPTION(ValueError, Exception,
                 "An argument has the right type, but a value that cannot be used.");
SIMPLE_EXCEPTION(UnicodeError, ValueError, "Text could not be encoded, decoded or translated.");
SIMPLE_EXCEPTION(SystemError, Exception,
                 "The interpreter broke a rule of its own.\n\n"
                 "This is a bug in it or in an extension: please report it with the traceback,\n"
                 "the versions and the platform.");
SIMPLE_EXCEPTION(ReferenceError, Exception, "The object of a weak proxy is gone.");
SIMPLE_EXCEPTION(BufferError, Exception,
                 "A buffer cannot be given as asked for, or is still in use.");
SIMPLE_EXCEPTION(Warning, Exception, "The base of all categories of warnings.");
SIMPLE_EXCEPTION(UserWarning, Warning, "The category of warnings that name none.");
SIMPLE_EXCEPTION(DeprecationWarning, Warning,
                 "This feature should no longer be used; meant for programmers.");
SIMPLE_EXCEPTION(PendingDeprecationWarning, Warning, "This feature is going to be deprecated.");
SIMPLE_EXCEPTION(SyntaxWarning, Warning, "This is valid, but probably not what was meant.");
SIMPLE_EXCEPTION(RuntimeWarning, Warning, "What is being done has doubtful results.");
SIMPLE_EXCEPTION(FutureWarning, Warning,
                 "This is going to mean something else; meant for users of a program.");
SIMPLE_EXCEPTION(ImportWarning, Warning, "An import is probably a mistake.");
SIMPLE_EXCEPTION(UnicodeWarning, Warning, "Text is used in a way that is probably wrong.");
SIMPLE_EXCEPTION(BytesWarning, Warning,
                 "bytes are compared with str, or turned into str, which is probably wrong.");
SIMPLE_EXCEPTION(ResourceWarning, Warning, "A file, socket or the like was not closed.");
SIMPLE_EXCEPTION(EncodingWarning, Warning, "A text file was opened without naming its encoding.");

/* ---- MemoryError ----------------------------------------------------------------------------- */

/* When memory has run out there is none for an instance, or for the traceback that it collects: a
 * few wait here. A dead one comes back, up to the limit. */
enum { RESERVE = 16 };

static struct {
    PyMutex lock;
    int count;
    PyBaseExceptionObject *items[RESERVE];
} reserve;

/* For when even the reserve is empty: shared, and so without traceback or context. */
static PyBaseExceptionObject last_memory_error = {PyObject_HEAD_INIT(&exception_MemoryError)};

static PyObject *reserve_take(void)
{
    PyBaseExceptionObject *exception = NULL;
    mutex_lock(&reserve.lock);
    if (reserve.count > 0) {
        exception = reserve.items[--reserve.count];
    }
    mutex_unlock(&reserve.lock);
    return (PyObject *)exception;
}

static bool reserve_put(PyObject *exception)
{
    bool kept = false;
    mutex_lock(&reserve.lock);
    if (reserve.count < RESERVE) {
        reserve.items[reserve.count++] = (PyBaseExceptionObject *)exception;
        kept = true;
    }
    mutex_unlock(&reserve.lock);
    return kept;
}

PyObject *memory_error_new(void)
{
    PyObject *exception = reserve_take();
    if (exception == NULL) {
        exception = object_new(&exception_MemoryError, 0);
    }
    if (exception == NULL) {
        exception = (PyObject *)&last_memory_error;
        last_memory_error.args = PyTuple_New(0);
        return exception;
    }
    ((PyBaseExceptionObject *)exception)->args = PyTuple_New(0);
    return exception;
}

static void memory_error_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    exception_clear(self);
    if (Py_IS_TYPE(self, &exception_MemoryError)) {
        ((PyBaseExceptionObject *)self)->suppress_context = 0;
        _Py_NewReference(self);
        if (reserve_put(self)) {
            return;
        }
    }
    Py_TYPE(self)->tp_free(self);
}

SIMPLE_EXCEPTION(MemoryError, Exception, "There is not enough memory.",
                 .tp_dealloc = memory_error_dealloc);

int error_init(struct interp_state *interp)
{
    (void)interp;
    while (reserve.count < RESERVE) {
        PyObject *exception = object_new(&exception_MemoryError, 0);
        if (exception == NULL) {
            return -1;
        }
        reserve_put(exception);
    }
    return 0;
}

void error_fini(struct interp_state *interp)
{
    if (!interp->is_main) {
        return;
    }
    for (PyObject *exception; (exception = reserve_take()) != NULL;) {
        object_free(exception);
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* clang-format off */
#define ALL_EXCEPTIONS(X)                                                                        \
    X(BaseException) X(Exception) X(BaseExceptionGroup) X(GeneratorExit) X(KeyboardInterrupt)    \
    X(SystemExit) X(ArithmeticError) X(AssertionError) X(AttributeError) X(BufferError)          \
    X(EOFError) X(ImportError) X(LookupError) X(MemoryError) X(NameError) X(OSError)             \
    X(ReferenceError) X(RuntimeError) X(StopAsyncIteration) X(StopIteration) X(SyntaxError)      \
    X(SystemError) X(TypeError) X(ValueError) X(Warning) X(FloatingPointError) X(OverflowError)  \
    X(ZeroDivisionError) X(BytesWarning) X(DeprecationWarning) X(EncodingWarning)                \
    X(FutureWarning) X(ImportWarning) X(PendingDeprecationWarning) X(ResourceWarning)            \
    X(RuntimeWarning) X(SyntaxWarning) X(UnicodeWarning) X(UserWarning) X(BlockingIOError)       \
    X(ChildProcessError) X(ConnectionError) X(FileExistsError) X(FileNotFoundError)              \
    X(InterruptedError) X(IsADirectoryError) X(NotADirectoryError) X(PermissionError)            \
    X(ProcessLookupError) X(TimeoutError) X(IndentationError) X(IncompleteInputError)            \
    X(IndexError) X(KeyError) X(ModuleNotFoundError) X(NotImplementedError)                      \
    X(PythonFinalizationError) X(RecursionError) X(UnboundLocalError) X(UnicodeError)            \
    X(BrokenPipeError) X(ConnectionAbortedError) X(ConnectionRefusedError)                       \
    X(ConnectionResetError) X(TabError) X(UnicodeDecodeError) X(UnicodeEncodeError)              \
    X(UnicodeTranslateError)
/* clang-format on */

#define DECLARE(name) extern PyTypeObject exception_##name;
ALL_EXCEPTIONS(DECLARE)

#define LIST(name) &exception_##name,
PyTypeObject *const exception_types[] = {ALL_EXCEPTIONS(LIST) NULL};

const char *const exception_aliases[] = {
    "EnvironmentError", "OSError", "IOError", "OSError", NULL,
};
PyObject *PyExc_EnvironmentError = (PyObject *)&exception_OSError;
PyObject *PyExc_IOError = (PyObject *)&exception_OSError;
