/*
 * int: to text and from text.
 *
 * Decimal conversions split the number in the middle by powers of 10**18 squared again and again,
 * so they cost little more than a multiplication. Binary bases are shifts.
 */
#include "objects/int/limbs.h"
#include "objects/int/text.h"
#include "objects/object.h"
#include "objects/str.h"

/* ---- the limit ------------------------------------------------------------------------------- */

/* One setting for each interpreter; kept where the interpreter's configuration puts it. */
static int max_str_digits = INT_DEFAULT_MAX_STR_DIGITS;

int int_max_str_digits(void)
{
    return __atomic_load_n(&max_str_digits, __ATOMIC_RELAXED);
}

void int_set_max_str_digits(int digits)
{
    __atomic_store_n(&max_str_digits, digits, __ATOMIC_RELAXED);
}

static int raise_too_long(void)
{
    PyErr_Format(PyExc_ValueError,
                 "Exceeds the limit (%d digits) for integer string conversion; "
                 "use sys.set_int_max_str_digits() to increase the limit",
                 int_max_str_digits());
    return -1;
}

/* ---- decimal, to text ------------------------------------------------------------------------ */

/* Powers 10**(18 * 2**k) as limbs. */
struct power10 {
    limb_t *limbs;
    Py_ssize_t n;
};

#define POWERS_MAX 48

struct powers {
    struct power10 p[POWERS_MAX];
    int count;
};

static void powers_free(struct powers *powers)
{
    for (int i = 0; i < powers->count; i++) {
        PyMem_Free(powers->p[i].limbs);
    }
}

/* Adds the next power: the square of the last one. */
static int powers_grow(struct powers *powers)
{
    struct power10 *next = &powers->p[powers->count];
    if (powers->count == 0) {
        next->limbs = limbs_new(1);
        if (next->limbs == NULL) {
            return -1;
        }
        next->limbs[0] = LIMB_DECIMAL;
        next->n = 1;
    } else {
        struct power10 *last = next - 1;
        next->limbs = limbs_new(2 * last->n);
        if (next->limbs == NULL) {
            return -1;
        }
        if (limbs_multiply(next->limbs, last->limbs, last->n, last->limbs, last->n) < 0) {
            PyMem_Free(next->limbs);
            return -1;
        }
        next->n = limbs_strip(next->limbs, 2 * last->n);
    }
    powers->count++;
    return 0;
}

static void write_digits(char *end, limb_t value, int count)
{
    while (--count >= 0) {
        *--end = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Writes exactly `width` digits, with leading zeros, ending before `end`. a is destroyed. */
static void write_school(limb_t *a, Py_ssize_t n, char *end, Py_ssize_t width)
{
    for (; width > 0; width -= LIMB_DECIMAL_DIGITS, end -= LIMB_DECIMAL_DIGITS) {
        n = limbs_strip(a, n);
        limb_t low = n > 0 ? limbs_divide_1(a, n, LIMB_DECIMAL) : 0;
        write_digits(end, low, width < LIMB_DECIMAL_DIGITS ? (int)width : LIMB_DECIMAL_DIGITS);
    }
}

#define SCHOOL_POWER 5 /* below 18 * 2**5 digits divisions by one limb are faster */

/* Writes 18 * 2**k digits of a number below that power. */
static int write_halves(const struct powers *powers, int k, limb_t *a, Py_ssize_t n, char *end)
{
    Py_ssize_t width = (Py_ssize_t)LIMB_DECIMAL_DIGITS << k;
    n = limbs_strip(a, n);
    if (k <= SCHOOL_POWER) {
        write_school(a, n, end, width);
        return 0;
    }
    const struct power10 *middle = &powers->p[k - 1];
    if (n < middle->n) {
        memset(end - width, '0', (size_t)(width / 2));
        return write_halves(powers, k - 1, a, n, end);
    }
    limb_t *q = limbs_new(n - middle->n + 1 + middle->n), *r = q + (n - middle->n + 1);
    if (q == NULL) {
        return -1;
    }
    int result = limbs_divide(q, r, a, n, middle->limbs, middle->n);
    if (result == 0) {
        result = write_halves(powers, k - 1, q, n - middle->n + 1, end - width / 2);
    }
    if (result == 0) {
        result = write_halves(powers, k - 1, r, middle->n, end);
    }
    PyMem_Free(q);
    return result;
}

/* The decimal digits of |v|, with leading zeros: a new block of *length, or NULL. */
static char *decimal_digits(PyLongObject *v, Py_ssize_t *length)
{
    Py_ssize_t n = limbs_for_digits(int_ndigits(v));
    limb_t *a = limbs_new(n);
    if (a == NULL) {
        return NULL;
    }
    limbs_from_digits(a, int_digits(v), int_ndigits(v));
    struct powers powers = {.count = 0};
    char *text = NULL;
    /* The smallest k with 10**(18 * 2**k) above v: a limb is 18.06 digits. */
    int k = 0;
    while (((Py_ssize_t)1 << k) < n + n / 256 + 1) {
        k++;
    }
    if (k > SCHOOL_POWER) {
        for (int i = 0; i < k; i++) {
            if (powers_grow(&powers) < 0) {
                goto done;
            }
        }
        *length = (Py_ssize_t)LIMB_DECIMAL_DIGITS << k;
    } else {
        *length = LIMB_DECIMAL_DIGITS * (n + n / 256 + 1);
    }
    text = PyMem_Malloc((size_t)*length);
    if (text == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (k <= SCHOOL_POWER) {
        write_school(a, n, text + *length, *length);
    } else if (write_halves(&powers, k, a, n, text + *length) < 0) {
        PyMem_Free(text);
        text = NULL;
    }
done:
    powers_free(&powers);
    PyMem_Free(a);
    return text;
}

char *int64_write(int64_t value, char *end)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    while (magnitude >= 100) {
        end -= 2;
        memcpy(end, pairs + magnitude % 100 * 2, 2);
        magnitude /= 100;
    }
    if (magnitude >= 10) {
        end -= 2;
        memcpy(end, pairs + magnitude * 2, 2);
    } else {
        *--end = (char)('0' + magnitude);
    }
    if (value < 0) {
        *--end = '-';
    }
    return end;
}

static PyObject *compact_to_decimal(int64_t value)
{
    char text[INT64_TEXT_MAX], *end = text + sizeof text, *at = int64_write(value, end);
    return str_from_ascii(at, end - at);
}

static PyObject *big_to_decimal(PyLongObject *v)
{
    int limit = int_max_str_digits();
    Py_ssize_t ndigits = int_ndigits(v);
    /* What is certainly too long is refused before the work; a digit is 9.03 decimal ones. */
    if (limit > 0 && ndigits >= 10 * INT_MAX_STR_DIGITS_THRESHOLD / (3 * INT_SHIFT) + 2
        && limit / (3 * INT_SHIFT) <= (ndigits - 11) / 10) {
        raise_too_long();
        return NULL;
    }
    Py_ssize_t length;
    char *text = decimal_digits(v, &length);
    if (text == NULL) {
        return NULL;
    }
    char *at = text;
    while (*at == '0') {
        at++;
        length--;
    }
    PyObject *result = NULL;
    if (limit > 0 && length > INT_MAX_STR_DIGITS_THRESHOLD && length > limit) {
        raise_too_long();
    } else if (int_is_negative(v)) {
        result = str_new(length + 1, 127);
        if (result != NULL) {
            char *to = str_data(result);
            to[0] = '-';
            memcpy(to + 1, at, (size_t)length);
        }
    } else {
        result = str_from_ascii(at, length);
    }
    PyMem_Free(text);
    return result;
}

/* ---- other bases, to text -------------------------------------------------------------------- */

static const char digit_chars[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static PyObject *to_binary_base(PyLongObject *v, int bits, const char *prefix)
{
    Py_ssize_t length =
        int_bit_length(v) == 0 ? 1 : ((Py_ssize_t)int_bit_length(v) + bits - 1) / bits;
    Py_ssize_t nprefix = (Py_ssize_t)strlen(prefix), sign = int_is_negative(v);
    PyObject *result = str_new(sign + nprefix + length, 127);
    if (result == NULL) {
        return NULL;
    }
    char *start = str_data(result), *at = start + sign + nprefix + length;
    uint64_t pending = 0;
    int have = 0;
    Py_ssize_t i = 0, n = int_ndigits(v);
    for (Py_ssize_t k = 0; k < length; k++) {
        if (have < bits && i < n) {
            pending |= (uint64_t)int_digits(v)[i++] << have;
            have += INT_SHIFT;
        }
        *--at = digit_chars[pending & ((1u << bits) - 1)];
        pending >>= bits;
        have -= bits;
    }
    memcpy(at - nprefix, prefix, (size_t)nprefix);
    if (sign) {
        *start = '-';
    }
    return result;
}

/* Any base: by the largest power of it below a limb, a few digits at a time. */
static PyObject *to_any_base(PyLongObject *v, int base)
{
    Py_ssize_t n = limbs_for_digits(int_ndigits(v));
    Py_ssize_t room = (Py_ssize_t)int_bit_length(v) + 2;
    char *text = PyMem_Malloc((size_t)room);
    limb_t *a = text == NULL ? NULL : limbs_new(n);
    if (a == NULL) {
        PyMem_Free(text);
        return PyErr_NoMemory();
    }
    limbs_from_digits(a, int_digits(v), int_ndigits(v));
    limb_t chunk = (limb_t)base;
    int per_chunk = 1;
    while (chunk <= LIMB_MASK / (limb_t)base) {
        chunk *= (limb_t)base;
        per_chunk++;
    }
    char *at = text + room;
    while ((n = limbs_strip(a, n)) > 0) {
        limb_t low = limbs_divide_1(a, n, chunk);
        bool last = limbs_strip(a, n) == 0;
        for (int i = 0; i < per_chunk && !(last && low == 0); i++, low /= (limb_t)base) {
            *--at = digit_chars[low % (limb_t)base];
        }
    }
    if (at == text + room) {
        *--at = '0';
    }
    if (int_is_negative(v)) {
        *--at = '-';
    }
    PyObject *result = str_from_ascii(at, text + room - at);
    PyMem_Free(a);
    PyMem_Free(text);
    return result;
}

PyObject *int_to_str(PyLongObject *v, int base, bool alternate)
{
    switch (base) {
    case 2:
        return to_binary_base(v, 1, alternate ? "0b" : "");
    case 8:
        return to_binary_base(v, 3, alternate ? "0o" : "");
    case 16:
        return to_binary_base(v, 4, alternate ? "0x" : "");
    case 10:
        break;
    default:
        return to_any_base(v, base);
    }
    if (int_is_compact(v)) {
        return compact_to_decimal(int_compact_value(v));
    }
    int64_t value;
    if (int_fits_i64(v, &value)) {
        return compact_to_decimal(value);
    }
    return big_to_decimal(v);
}

/* ---- from text ------------------------------------------------------------------------------- */

static int digit_value(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 37;
}

static int raise_too_many(Py_ssize_t ndigits)
{
    PyErr_Format(PyExc_ValueError,
                 "Exceeds the limit (%d digits) for integer string conversion: value has %zd "
                 "digits; use sys.set_int_max_str_digits() to increase the limit",
                 int_max_str_digits(), ndigits);
    return -1;
}

/* The digits of a literal without its underscores. *end is after them. `ndigits` is 0 when the
 * text is no number: nothing there, an underscore at an end or two in a row. */
static Py_ssize_t scan_digits(const char *text, int base, const char **end)
{
    Py_ssize_t ndigits = 0;
    const char *at = text;
    char last = '_';
    for (; digit_value((unsigned char)*at) < base || *at == '_'; at++) {
        if (*at == '_' && last == '_') {
            break;
        }
        ndigits += *at != '_';
        last = *at;
    }
    *end = at;
    return last == '_' ? 0 : ndigits;
}

static PyObject *from_binary_base(const char *text, const char *end, Py_ssize_t ndigits, int bits,
                                  bool negative)
{
    if (ndigits > (PY_SSIZE_T_MAX - INT_SHIFT) / bits) {
        PyErr_SetString(PyExc_ValueError, "int string too large to convert");
        return NULL;
    }
    Py_ssize_t n = (ndigits * bits + INT_SHIFT - 1) / INT_SHIFT;
    PyLongObject *v = int_alloc(n);
    if (v == NULL) {
        return NULL;
    }
    digit *to = v->long_value.ob_digit, *to_end = to + n;
    uint64_t pending = 0;
    int have = 0;
    while (end > text) {
        char c = *--end;
        if (c == '_') {
            continue;
        }
        pending |= (uint64_t)digit_value((unsigned char)c) << have;
        have += bits;
        if (have >= INT_SHIFT) {
            *to++ = (digit)(pending & INT_MASK);
            pending >>= INT_SHIFT;
            have -= INT_SHIFT;
        }
    }
    while (to < to_end) {
        *to++ = (digit)(pending & INT_MASK);
        pending >>= INT_SHIFT;
    }
    return int_normalized(v, n, negative);
}

/* A number in `base` from pure digits into limbs, in chunks of per_chunk digits: *n is its length.
 * a has room for one limb per chunk, which is enough. */
static void read_school(const char *digits, Py_ssize_t count, int base, int per_chunk, limb_t *a,
                        Py_ssize_t *n)
{
    Py_ssize_t length = 0, first = count % per_chunk;
    first = first == 0 ? per_chunk : first;
    for (Py_ssize_t at = 0, take = first; at < count; at += take, take = per_chunk) {
        if (at > 0) {
            take = per_chunk;
        }
        limb_t carry = 0, scale = 1;
        for (Py_ssize_t i = 0; i < take; i++) {
            carry = carry * (limb_t)base + (limb_t)digit_value((unsigned char)digits[at + i]);
            scale *= (limb_t)base;
        }
        for (Py_ssize_t i = 0; i < length; i++) {
            limb2_t t = (limb2_t)a[i] * scale + carry;
            a[i] = (limb_t)t & LIMB_MASK;
            carry = (limb_t)(t >> LIMB_BITS);
        }
        if (carry != 0) {
            a[length++] = carry;
        }
    }
    *n = length;
}

#define READ_SCHOOL_CHUNKS 64

/* Decimal digits by halves: the lower part is 18 * 2**k digits. a has room for a limb per chunk and
 * one more. */
static int read_decimal(struct powers *powers, const char *digits, Py_ssize_t count, limb_t *a,
                        Py_ssize_t *n)
{
    if (count <= READ_SCHOOL_CHUNKS * LIMB_DECIMAL_DIGITS) {
        read_school(digits, count, 10, LIMB_DECIMAL_DIGITS, a, n);
        return 0;
    }
    int k = 0;
    while (((Py_ssize_t)LIMB_DECIMAL_DIGITS << (k + 1)) < count) {
        k++;
    }
    while (powers->count <= k) {
        if (powers_grow(powers) < 0) {
            return -1;
        }
    }
    Py_ssize_t low_count = (Py_ssize_t)LIMB_DECIMAL_DIGITS << k, high_count = count - low_count;
    Py_ssize_t high_room = high_count / LIMB_DECIMAL_DIGITS + 2;
    Py_ssize_t low_room = low_count / LIMB_DECIMAL_DIGITS + 2;
    const struct power10 *power = &powers->p[k];
    limb_t *high = limbs_new(high_room + low_room + high_room + power->n);
    if (high == NULL) {
        return -1;
    }
    limb_t *low = high + high_room, *product = low + low_room;
    Py_ssize_t nhigh, nlow;
    int result = read_decimal(powers, digits, high_count, high, &nhigh);
    if (result == 0) {
        result = read_decimal(powers, digits + high_count, low_count, low, &nlow);
    }
    if (result == 0 && nhigh == 0) {
        memcpy(a, low, (size_t)nlow * sizeof *a);
        *n = nlow;
    } else if (result == 0) {
        result = limbs_multiply(product, high, nhigh, power->limbs, power->n);
        if (result == 0) {
            Py_ssize_t length = nhigh + power->n;
            limbs_add(product, product, length, low, nlow);
            length = limbs_strip(product, length);
            memcpy(a, product, (size_t)length * sizeof *a);
            *n = length;
        }
    }
    PyMem_Free(high);
    return result;
}

static PyObject *from_any_base(const char *text, const char *end, Py_ssize_t ndigits, int base,
                               bool negative)
{
    char *digits = PyMem_Malloc((size_t)ndigits);
    if (digits == NULL) {
        return PyErr_NoMemory();
    }
    Py_ssize_t count = 0;
    for (; text < end; text++) {
        if (*text != '_') {
            digits[count++] = *text;
        }
    }
    int per_chunk = 1;
    for (limb_t chunk = (limb_t)base; chunk <= LIMB_MASK / (limb_t)base; chunk *= (limb_t)base) {
        per_chunk++;
    }
    PyObject *result = NULL;
    limb_t *a = limbs_new(count / per_chunk + 3);
    Py_ssize_t n;
    if (a != NULL) {
        int failed = 0;
        if (base == 10) {
            struct powers powers = {.count = 0};
            failed = read_decimal(&powers, digits, count, a, &n);
            powers_free(&powers);
        } else {
            read_school(digits, count, base, per_chunk, a, &n);
        }
        result = failed ? NULL : limbs_to_int(a, n, negative);
    }
    PyMem_Free(a);
    PyMem_Free(digits);
    return result;
}

static PyObject *from_digits(const char *text, const char *end, Py_ssize_t ndigits, int base,
                             bool negative)
{
    if ((base & (base - 1)) == 0) {
        return from_binary_base(text, end, ndigits, __builtin_ctz((unsigned)base), negative);
    }
    if (ndigits <= 18 && base <= 10) {
        int64_t value = 0;
        for (; text < end; text++) {
            if (*text != '_') {
                value = value * base + (*text - '0');
            }
        }
        return int_from_i64(negative ? -value : value);
    }
    int limit = int_max_str_digits();
    if (ndigits > INT_MAX_STR_DIGITS_THRESHOLD && limit > 0 && ndigits > limit) {
        raise_too_many(ndigits);
        return NULL;
    }
    return from_any_base(text, end, ndigits, base, negative);
}

/* Base 0 by the prefix; then skips a prefix that goes with the base. False if a number with base 0
 * begins with a zero (such must be zeros only). */
static const char *skip_prefix(const char *at, int *base, bool *old_octal)
{
    *old_octal = false;
    if (*base == 0) {
        if (at[0] != '0') {
            *base = 10;
        } else {
            char c = (char)(at[1] | 0x20);
            *base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
            *old_octal = *base == 10;
        }
    }
    char c = (char)(at[1] | 0x20);
    if (at[0] == '0'
        && ((*base == 16 && c == 'x') || (*base == 8 && c == 'o') || (*base == 2 && c == 'b'))) {
        at += 2;
        if (*at == '_') {
            at++;
        }
    }
    return at;
}

static PyObject *raise_invalid_literal(const char *text, int base)
{
    size_t length = strlen(text);
    length = length < 200 ? length : 200;
    PyObject *shown = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
    if (shown != NULL) {
        PyErr_Format(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base,
                     shown);
        Py_DECREF(shown);
    }
    return NULL;
}

/* `end` as in PyLong_FromString; NULL without an exception when the text is no number. */
static PyObject *parse(const char *text, const char **end, int base)
{
    const char *at = text;
    while (Py_ISSPACE(Py_CHARMASK(*at))) {
        at++;
    }
    bool negative = *at == '-', old_octal;
    at += *at == '-' || *at == '+';
    const char *start = skip_prefix(at, &base, &old_octal);
    *end = start;
    Py_ssize_t ndigits = *start == '_' ? 0 : scan_digits(start, base, end);
    if (ndigits == 0) {
        return NULL;
    }
    PyObject *value = from_digits(start, *end, ndigits, base, negative);
    if (value != NULL && old_octal && !int_is_zero((PyLongObject *)value)) {
        Py_DECREF(value);
        *end = start;
        return NULL;
    }
    while (value != NULL && Py_ISSPACE(Py_CHARMASK(**end))) {
        ++*end;
    }
    return value;
}

static PyObject *check_base(int base)
{
    if ((base != 0 && base < 2) || base > 36) {
        PyErr_SetString(PyExc_ValueError, "int() arg 2 must be >= 2 and <= 36");
        return NULL;
    }
    return Py_None;
}

PyObject *PyLong_FromString(const char *text, char **pend, int base)
{
    if (check_base(base) == NULL) {
        return NULL;
    }
    const char *end;
    PyObject *value = parse(text, &end, base);
    if (pend != NULL) {
        *pend = (char *)end;
    }
    if (value != NULL && (pend != NULL || *end == '\0')) {
        return value;
    }
    if (value != NULL || !PyErr_Occurred()) {
        raise_invalid_literal(text, base);
    }
    Py_XDECREF(value);
    return NULL;
}

/* int(text) where errors quote `original`. */
static PyObject *parse_all(const char *text, Py_ssize_t length, PyObject *original, int base)
{
    if (check_base(base) == NULL) {
        return NULL;
    }
    const char *end;
    PyObject *value = parse(text, &end, base);
    if (value != NULL && end == text + length) {
        return value;
    }
    if (value != NULL || !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "invalid literal for int() with base %d: %.200R", base,
                     original);
    }
    Py_XDECREF(value);
    return NULL;
}

PyObject *PyLong_FromUnicodeObject(PyObject *text, int base)
{
    PyObject *ascii = str_digits_to_ascii(text);
    if (ascii == NULL) {
        return NULL;
    }
    PyObject *value = parse_all(str_data(ascii), str_len(ascii), text, base);
    Py_DECREF(ascii);
    return value;
}

PyObject *int_from_bytes_text(PyObject *original, const char *text, Py_ssize_t length, int base)
{
    return parse_all(text, length, original, base);
}
