/*
 * Out of memory anywhere: the n-th allocation of a run of the interpreter fails, for n = 1, 2, ... and then for
 * a seeded sample of later ones. Start-up may end with an error, the program with MemoryError (or catch it); no
 * run may die by a signal or hang.
 *
 *     out_of_memory [-v] PROGRAM [FIRST [LAST [SAMPLES [SEED]]]]
 *
 * Each run is a fork of this process, so it begins before the first allocation.
 */
#include "Python.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc/alloc.h"

enum { RUN_SECONDS = 20 };

struct outcome {
    unsigned runs, clean, failed, died;
};

static const char *program_path;
static bool verbose;

/* In the child: the whole of `python -I -S PROGRAM` with one allocation failing. */
static int child(size_t n)
{
    char *argv[] = {(char *)"python3.13", (char *)"-I", (char *)"-S", (char *)program_path, NULL};
    if (!verbose && freopen("/dev/null", "w", stderr) == NULL) {
        return 99;
    }
    if (freopen("/dev/null", "w", stdout) == NULL) {
        return 99;
    }
    alarm(RUN_SECONDS);
    mem_fail_nth(n, n + 1);
    int status = Py_BytesMain(4, argv);
    return status;
}

static void run(size_t n, struct outcome *seen)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    if (pid == 0) {
        exit(child(n));
    }
    int status;
    if (waitpid(pid, &status, 0) < 0) {
        perror("waitpid");
        exit(2);
    }
    seen->runs++;
    if (WIFSIGNALED(status)) {
        seen->died++;
        printf("allocation %zu: %s\n", n,
               WTERMSIG(status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) == 0) {
        seen->clean++;
    } else {
        seen->failed++;
    }
}

static size_t argument(char **argv, int argc, int i, size_t otherwise)
{
    return i < argc ? (size_t)strtoull(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        verbose = true;
        argv++;
        argc--;
    }
    if (argc < 2) {
        fprintf(stderr, "usage: out_of_memory [-v] PROGRAM [FIRST [LAST [SAMPLES [SEED]]]]\n");
        return 2;
    }
    program_path = argv[1];
    size_t first = argument(argv, argc, 2, 1), last = argument(argv, argc, 3, 2000);
    size_t samples = argument(argv, argc, 4, 500);
    srandom((unsigned)argument(argv, argc, 5, 20130));
    struct outcome seen = {0};
    for (size_t n = first; n <= last; n++) {
        run(n, &seen);
    }
    for (size_t i = 0; i < samples; i++) {
        run(last + 1 + (size_t)random() % 30000, &seen);
    }
    printf("%u runs: %u ended well, %u with an error, %u died\n", seen.runs, seen.clean,
           seen.failed, seen.died);
    return seen.died != 0;
}
