/* What -h, --help-env, --help-xoptions and --help-all print. */

#include "interp/startup/startup.h"

#include <stdio.h>

static const char options_text[] =
    "What to run:\n"
    "  -c CODE     the statements in CODE\n"
    "  -m MODULE   a module that import finds\n"
    "  FILE        a script; a folder or archive with a __main__.py\n"
    "  -           standard input, which is also read when nothing is named\n"
    "  ARG ...     what follows is for the program, in sys.argv\n"
    "Options:\n"
    "  -b          warn when bytes are compared with or turned into str; -bb: an error\n"
    "  -B          write no .pyc files\n"
    "  -d          debug output of the parser\n"
    "  -E          pay no heed to variables of the environment that begin with PYTHON\n"
    "  -h, -?      show this text (also --help)\n"
    "  -i          go on interactively when the program has ended\n"
    "  -I          isolated: -E, -P and -s together\n"
    "  -O          leave out assertions and 'if __debug__'; -OO: docstrings too\n"
    "  -P          no folder of the script or working folder on sys.path\n"
    "  -q          no greeting in interactive mode\n"
    "  -s          no user's folder of packages on sys.path\n"
    "  -S          do not import site\n"
    "  -u          write stdout and stderr without buffers\n"
    "  -v          tell about imports; -vv: everything that is tried\n"
    "  -V          show the version (also --version); -VV: more about this build\n"
    "  -W FILTER   which warnings to show: action:message:category:module:line\n"
    "  -x          skip the first line of the script\n"
    "  -X OPTION   an option of this implementation; see --help-xoptions\n"
    "  --check-hash-based-pycs always|default|never\n"
    "              whether .pyc files with a hash are compared with their source\n"
    "  --help-env, --help-xoptions, --help-all\n"
    "              more help: variables, -X options, everything\n";

static const char environment_text[] =
    "Variables of the environment. An option of the command line wins over its variable.\n"
    "  PYTHONASYNCIODEBUG        asyncio checks itself\n"
    "  PYTHONBREAKPOINT          what breakpoint() calls, as module.function; 0: nothing\n"
    "  PYTHON_COLORS             1: colours in tracebacks, 0: none\n"
    "  PYTHON_CPU_COUNT          as -X cpu_count\n"
    "  PYTHONDEBUG               as -d\n"
    "  PYTHONDEVMODE             as -X dev\n"
    "  PYTHONDONTWRITEBYTECODE   as -B\n"
    "  PYTHONFAULTHANDLER        as -X faulthandler\n"
    "  PYTHON_FROZEN_MODULES     as -X frozen_modules\n"
    "  PYTHON_GIL                as -X gil\n"
    "  PYTHONHASHSEED            seed of hashes of str and bytes: a number, or 'random'\n"
    "  PYTHON_HISTORY            file with the history of the interactive interpreter\n"
    "  PYTHONHOME                the folder that has lib/python3.13\n"
    "  PYTHONINSPECT             as -i\n"
    "  PYTHONINTMAXSTRDIGITS     as -X int_max_str_digits\n"
    "  PYTHONIOENCODING          ENCODING[:ERRORS] of stdin, stdout and stderr\n"
    "  PYTHONMALLOC              which allocator to use, and with debug checks or not\n"
    "  PYTHONMALLOCSTATS         print figures of memory at times\n"
    "  PYTHONNODEBUGRANGES       as -X no_debug_ranges\n"
    "  PYTHONNOUSERSITE          as -s\n"
    "  PYTHONOPTIMIZE            as -O; a number: as often\n"
    "  PYTHONPATH                folders for sys.path, before those of the library\n"
    "  PYTHONPLATLIBDIR          the name of the folder for lib\n"
    "  PYTHONPROFILEIMPORTTIME   as -X importtime\n"
    "  PYTHONPYCACHEPREFIX       as -X pycache_prefix\n"
    "  PYTHONSAFEPATH            as -P\n"
    "  PYTHONSTARTUP             a file that is run when interactive mode begins\n"
    "  PYTHONTRACEMALLOC         as -X tracemalloc\n"
    "  PYTHONUNBUFFERED          as -u\n"
    "  PYTHONUTF8                as -X utf8\n"
    "  PYTHONVERBOSE             as -v; a number: as often\n"
    "  PYTHONWARNDEFAULTENCODING as -X warn_default_encoding\n"
    "  PYTHONWARNINGS            as -W, several with commas\n";

static const char xoptions_text[] =
    "Options of this implementation.\n"
    "  -X cpu_count=N|default     what os.cpu_count() says\n"
    "  -X dev                     checks and warnings for developers\n"
    "  -X faulthandler            tracebacks when the process crashes\n"
    "  -X frozen_modules=on|off   whether modules inside the program are used\n"
    "  -X gil=0|1                 run without or with a global lock, where the build has both\n"
    "  -X importtime              tell how long each import takes\n"
    "  -X int_max_str_digits=N    how many digits int and str convert; 0: any number\n"
    "  -X no_debug_ranges         code without columns: smaller, and tracebacks without marks\n"
    "  -X pycache_prefix=FOLDER   where .pyc files go\n"
    "  -X tracemalloc[=N]         record allocations, with N frames each\n"
    "  -X utf8[=0|1]              UTF-8 whatever the locale says\n"
    "  -X warn_default_encoding   warn when a text file is opened without an encoding\n";

void help_usage(FILE *out, const wchar_t *program)
{
    fprintf(out, "usage: %ls [option] ... [-c cmd | -m mod | file | -] [arg] ...\n", program);
}

void help_show(const wchar_t *program, unsigned parts)
{
    if (parts & HELP_OPTIONS) {
        help_usage(stdout, program);
        fputs(options_text, stdout);
    }
    if (parts & HELP_ENVIRONMENT) {
        fputs(environment_text, stdout);
    }
    if (parts & HELP_XOPTIONS) {
        fputs(xoptions_text, stdout);
    }
}
