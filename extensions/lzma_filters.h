/* Chains of filters as Python writes them: dicts with an id and options. */
#ifndef KRAIT_EXTENSIONS_LZMA_FILTERS_H
#define KRAIT_EXTENSIONS_LZMA_FILTERS_H

#include "module.h"

#include <lzma.h>

#pragma GCC visibility push(hidden)

/* Room for the options of a chain, whose filters point into it. */
struct filter_chain {
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    union {
        lzma_options_lzma lzma;
        lzma_options_delta delta;
        lzma_options_bcj bcj;
    } options[LZMA_FILTERS_MAX];
};

/* All: false with an exception; `error` is LZMAError.  They may run Python code. */
bool filter_chain_read(struct filter_chain *chain, PyObject *specs, PyObject *error);
/* One filter, into the first place. */
bool filter_read(struct filter_chain *chain, int at, PyObject *spec, PyObject *error);
/* A dict (new reference) for a filter with decoded options, which may be NULL. */
PyObject *filter_to_dict(const lzma_filter *filter);
/* Ints of 64 and of 32 bits. */
bool uint64_of(PyObject *arg, unsigned long long *out);
bool uint32_of(PyObject *arg, uint32_t *out);

#pragma GCC visibility pop

#endif
