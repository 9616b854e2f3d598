/* SPDX-License-Identifier: MIT */
#ifndef TORC_FILTER_H
#define TORC_FILTER_H

#include <torc/err.h>

/**
 * Filters: stages of a connection's bytes between the socket and the protocol. TLS, the PROXY
 * header, limits, throttling and traffic logging are filters, and stack in any order.
 *
 * A factory makes one for each connection of the listeners and connectors that it was given to. It
 * is counted: whoever makes one holds it, and so does whatever it was given to. Unless its maker
 * says otherwise it belongs to one reactor's thread.
 */
typedef struct torc_filter_factory torc_filter_factory;

enum {
    TORC_FILTERS_MAX = 8
};

/** The factories of what is to stand on a connection, the lowest stage first. A value that holds
 * them; zero: none. */
typedef struct torc_filters {
    torc_filter_factory *factories[TORC_FILTERS_MAX];
    size_t count;
} torc_filters;

TORC_BEGIN_DECLS

/** Hold a factory once more; answers it. Any thread. */
TORC_API torc_filter_factory *torc_filter_factory_ref(torc_filter_factory *factory);
/** Let go of it: the last one frees it. NULL is fine. Any thread. */
TORC_API void torc_filter_factory_unref(torc_filter_factory *factory);
/** Put another stage on top, which takes `factory` whatever happens. TORC_ERR_LIMIT beyond
 * TORC_FILTERS_MAX. */
TORC_API torc_err torc_filters_add(torc_filters *filters,
                                   torc_filter_factory *factory) TORC_MUST_CHECK;
/** Let go of all, and leave it empty. */
TORC_API void torc_filters_dispose(torc_filters *filters);

TORC_END_DECLS

#endif
