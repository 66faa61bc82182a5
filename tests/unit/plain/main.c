#include <criterion/criterion.h>

struct plain_test *plain_first;

static bool is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, strlen(argv[i])) == 0) {
            return true;
        }
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (struct plain_test *test = plain_first; test; test = test->next) {
        if (test->how.signal || test->how.disabled || !is_wanted(test->name, argc, argv)) {
            continue;
        }
        if (test->how.init) {
            test->how.init();
        }
        test->fn();
        if (test->how.fini) {
            test->how.fini();
        }
        printf("ok %d %s\n", ++count, test->name);
        fflush(stdout);
    }
    return count ? 0 : 1;
}
