/* Doubles to decimal digits and back, against the C library, which rounds correctly as well. */
#include <criterion/criterion.h>

#include "../../objects/float/decimal.c"
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252ull;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Finite doubles of all sizes, and some whose digits are few. */
static double random_double(void)
{
    switch (next_random() % 4) {
    case 0:
        return (double)(next_random() % 100000) / 1000;
    case 1:
        return ldexp(1.0 + (double)(next_random() % 3) * 0x1p-52,
                     (int)(next_random() % 2000) - 1020);
    case 2:
        return bits_double(next_random() >> (12 + next_random() % 52));
    default:
        for (;;) {
            double value = fabs(bits_double(next_random()));
            if (isfinite(value) && value != 0) {
                return value;
            }
        }
    }
}

static double from_digits(const char *digits, Py_ssize_t n, Py_ssize_t point)
{
    char text[FLOAT_DIGITS_MAX + 32];
    snprintf(text, sizeof text, "0.%.*se%zd", (int)n, digits, point);
    return strtod(text, NULL);
}

Test(decimal, shortest_reads_back_and_nothing_shorter_does)
{
    for (int i = 0; i < 100000; i++) {
        double value = random_double();
        char digits[FLOAT_DIGITS_MAX], fewer[64];
        Py_ssize_t point, n = float_digits(value, FLOAT_SHORTEST, 0, digits, &point);
        if (value == 0) {
            cr_assert_eq(n, 0);
            continue;
        }
        cr_assert_eq(from_digits(digits, n, point), value, "%a", value);
        cr_assert(n == 1 || digits[n - 1] != '0');
        if (n > 1) {
            snprintf(fewer, sizeof fewer, "%.*e", (int)n - 2, value);
            cr_assert_neq(strtod(fewer, NULL), value, "%a", value);
        }
    }
}

Test(decimal, digits_of_a_given_precision_are_those_of_printf)
{
    for (int i = 0; i < 50000; i++) {
        double value = random_double();
        int precision = 1 + (int)(next_random() % (i % 10 == 0 ? 400 : 20));
        char digits[FLOAT_DIGITS_MAX + 400], expected[1200];
        Py_ssize_t point, n = float_digits(value, FLOAT_PRECISION, precision, digits, &point);
        if (value == 0) {
            continue;
        }
        snprintf(expected, sizeof expected, "%.*e", precision - 1, value);
        char *e = strchr(expected, 'e');
        cr_assert_eq(atoi(e + 1) + 1, point, "%a to %d", value, precision);
        char shown[1200];
        int length = 0;
        for (char *c = expected; c < e; c++) {
            if (*c != '.') {
                shown[length++] = *c;
            }
        }
        while (length > 1 && shown[length - 1] == '0') {
            length--;
        }
        cr_assert_eq(n, length, "%a to %d", value, precision);
        cr_assert_eq(memcmp(digits, shown, (size_t)n), 0, "%a to %d", value, precision);
    }
}

Test(decimal, fixed_places_round_half_even)
{
    char digits[FLOAT_DIGITS_MAX];
    Py_ssize_t point;
    cr_assert_eq(float_digits(0.5, FLOAT_FIXED, 0, digits, &point), 0);
    cr_assert_eq(float_digits(1.5, FLOAT_FIXED, 0, digits, &point), 1);
    cr_assert(digits[0] == '2' && point == 1);
    cr_assert_eq(float_digits(2.5, FLOAT_FIXED, 0, digits, &point), 1);
    cr_assert(digits[0] == '2' && point == 1);
    cr_assert_eq(float_digits(0.75, FLOAT_FIXED, 0, digits, &point), 1);
    cr_assert(digits[0] == '1' && point == 1);
    cr_assert_eq(float_digits(99.96, FLOAT_FIXED, 1, digits, &point), 1);
    cr_assert(digits[0] == '1' && point == 3);
    cr_assert_eq(float_digits(25.0, FLOAT_FIXED, -1, digits, &point), 1);
    cr_assert(digits[0] == '2' && point == 2);
    cr_assert_eq(float_digits(4.0, FLOAT_FIXED, -1, digits, &point), 0);
}

Test(decimal, reading_is_what_strtod_does)
{
    for (int i = 0; i < 200000; i++) {
        char text[64];
        const char *end;
        snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)next_random(),
                 (unsigned long long)(next_random() >> (next_random() % 64)),
                 (int)(next_random() % 700) - 360);
        double value = float_parse(text, strlen(text), &end);
        cr_assert_eq(*end, '\0');
        cr_assert_eq(double_bits(value), double_bits(strtod(text, NULL)), "%s", text);
    }
}

/* The exact middle between two doubles goes to the even one, and a digit far behind decides. */
Test(decimal, ties)
{
    struct {
        const char *text;
        double value;
    } cases[] = {
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.0000000000000000000000000000000001", 9007199254740994.0},
        {"9007199254740995", 9007199254740996.0},
        {"1720463812940908875e-3", 1720463812940909.0},
        {"1.00000000000000011102230246251565404236316680908203125", 1.0},
        {"1.00000000000000011102230246251565404236316680908203126", 0x1.0000000000001p0},
        {"2.4703282292062327208e-324", 0.0},
        {"2.4703282292062327209e-324", 0x1p-1074},
        {"1.7976931348623158e308", 0x1.fffffffffffffp1023},
        {"1.7976931348623159e308", INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *end;
        double value = float_parse(cases[i].text, strlen(cases[i].text), &end);
        cr_assert_eq(value, cases[i].value, "%s gives %a", cases[i].text, value);
    }
}

Test(decimal, what_is_no_number)
{
    const char *cases[] = {"", ".", "e5", "-", "+.e1", "x"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *end;
        float_parse(cases[i], strlen(cases[i]), &end);
        cr_assert_eq(end, cases[i]);
    }
    const char *end, *partial = "1.5e+x";
    cr_assert_eq(float_parse(partial, 6, &end), 1.5);
    cr_assert_eq(end, partial + 3);
}
