/* A stand-in for Criterion where Criterion cannot run (ThreadSanitizer): tests run one after the other
 * in one process, those named "suite::test" on the command line, or all. Tests that expect a signal are
 * left out. */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct plain_test {
    const char *name;
    void (*fn)(void);
    struct {
        int signal, exit_code;
        double timeout;
        bool disabled;
        void (*init)(void), (*fini)(void);
    } how;
    struct plain_test *next;
};
extern struct plain_test *plain_first;

#define TestSuite(suite, ...) struct plain_suite_##suite
#define Test(suite, test, ...)                                                                     \
    static void suite##_##test(void);                                                              \
    static struct plain_test plain_##suite##_##test = {                                            \
        #suite "::" #test, suite##_##test, {__VA_ARGS__}, NULL};                                   \
    __attribute__((constructor)) static void plain_add_##suite##_##test(void)                      \
    {                                                                                              \
        plain_##suite##_##test.next = plain_first;                                                 \
        plain_first = &plain_##suite##_##test;                                                     \
    }                                                                                              \
    static void suite##_##test(void)

#define PLAIN_CHECK(condition, text)                                                               \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, text);                      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
#define cr_assert(condition, ...) PLAIN_CHECK(condition, #condition)
#define cr_assert_not(condition, ...) PLAIN_CHECK(!(condition), "not " #condition)
#define cr_assert_eq(a, b, ...) PLAIN_CHECK((a) == (b), #a " == " #b)
#define cr_assert_neq(a, b, ...) PLAIN_CHECK((a) != (b), #a " != " #b)
#define cr_assert_null(a, ...) PLAIN_CHECK((a) == NULL, #a " is NULL")
#define cr_assert_not_null(a, ...) PLAIN_CHECK((a) != NULL, #a " is not NULL")
#define cr_assert_str_eq(a, b, ...) PLAIN_CHECK(strcmp(a, b) == 0, #a " is " #b)

#endif
