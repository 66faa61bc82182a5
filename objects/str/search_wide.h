/* A search in HAY characters for NEEDLE characters; NAME(x) makes the functions' names.  Included
 * by search.c for each pair of widths.
 *
 * First a plain scan: find the first character, compare the rest.  It counts the work it does in
 * vain; when that is too much for the distance covered, the two-way algorithm of Crochemore and
 * Perrin takes over, which is slower to start but linear whatever the text. */

/* Start of the maximal suffix of `x` under the order of characters, or the inverse order. */
static Py_ssize_t NAME(maximal_suffix)(const NEEDLE *x, Py_ssize_t m, bool inverse,
                                       Py_ssize_t *period)
{
    Py_ssize_t start = 0, candidate = 1, offset = 0, p = 1;
    while (candidate + offset < m) {
        NEEDLE a = x[candidate + offset], b = x[start + offset];
        if (inverse ? a > b : a < b) {
            candidate += offset + 1;
            offset = 0;
            p = candidate - start;
        } else if (a == b) {
            if (offset + 1 == p) {
                candidate += p;
                offset = 0;
            } else {
                offset++;
            }
        } else {
            start = candidate++;
            offset = 0;
            p = 1;
        }
    }
    *period = p;
    return start;
}

static Py_ssize_t NAME(two_way)(const HAY *text, Py_ssize_t n, const NEEDLE *x, Py_ssize_t m)
{
    Py_ssize_t period, other_period;
    Py_ssize_t cut = NAME(maximal_suffix)(x, m, false, &period);
    Py_ssize_t other = NAME(maximal_suffix)(x, m, true, &other_period);
    if (other > cut) {
        cut = other;
        period = other_period;
    }
    bool periodic = memcmp(x, x + period, (size_t)cut * sizeof *x) == 0;
    if (!periodic) {
        period = Py_MAX(cut, m - cut) + 1;
    }
    Py_ssize_t known = 0; /* characters at the start of the needle known to match here */
    for (Py_ssize_t at = 0; at + m <= n;) {
        Py_ssize_t i = Py_MAX(cut, known);
        while (i < m && x[i] == text[at + i]) {
            i++;
        }
        if (i < m) {
            at += i - cut + 1;
            known = 0;
            continue;
        }
        i = cut;
        while (i > known && x[i - 1] == text[at + i - 1]) {
            i--;
        }
        if (i <= known) {
            return at;
        }
        at += period;
        known = periodic ? m - period : 0;
    }
    return -1;
}

static Py_ssize_t NAME(find)(const HAY *text, Py_ssize_t n, const NEEDLE *x, Py_ssize_t m)
{
    Py_ssize_t last = n - m, wasted = 0;
    for (Py_ssize_t at = 0; at <= last; at++) {
        Py_ssize_t skip = text_find_char(sizeof(HAY), text + at, last - at + 1, x[0]);
        if (skip < 0) {
            return -1;
        }
        at += skip;
        Py_ssize_t i = 0;
        if (text[at + m - 1] == x[m - 1]) {
            for (i = 1; i < m && text[at + i] == x[i]; i++) {
            }
            if (i == m) {
                return at;
            }
        }
        wasted += i + 4;
        if (wasted > 4 * at + 2000 && last - at > 2 * m) {
            Py_ssize_t found = NAME(two_way)(text + at, n - at, x, m);
            return found < 0 ? -1 : at + found;
        }
    }
    return -1;
}

static Py_ssize_t NAME(rfind)(const HAY *text, Py_ssize_t n, const NEEDLE *x, Py_ssize_t m)
{
    for (Py_ssize_t room = n - m + 1; room > 0;) {
        Py_ssize_t at = text_rfind_char(sizeof(HAY), text, room, x[0]);
        if (at < 0) {
            return -1;
        }
        Py_ssize_t i = m - 1;
        while (i > 0 && text[at + i] == x[i]) {
            i--;
        }
        if (i == 0) {
            return at;
        }
        room = at;
    }
    return -1;
}

#undef HAY
#undef NEEDLE
#undef NAME
