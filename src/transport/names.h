/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_NAMES_H
#define TORC_TRANSPORT_NAMES_H

#include <torc/names.h>

/*
 * What the sources of names share: the system's resolver, and what needs none.
 */

enum {
    TORC_NAME_MAX = 253
};

/*
 * What is known without asking. TORC_OK: `list` has the answer, or is NULL, and `name` the host as
 * it is to be asked for. TORC_ERR_SYNTAX: it is no name. TORC_ERR_NOT_FOUND: a scope that there is
 * not. TORC_ERR_NO_MEMORY.
 */
torc_err torc_names_known(torc_reactor *reactor, const char *host, char name[TORC_NAME_MAX + 1],
                          torc_addr_list **list) TORC_MUST_CHECK;

/*
 * Asking the system: on a thread, and told by `answered`, which gets the list, or why there is
 * none. `host` is copied.
 */
typedef struct torc_lookup torc_lookup;
typedef void torc_lookup_fn(void *context, torc_err err, torc_addr_list *list);
torc_err torc_lookup_start(torc_reactor *reactor, const char *host, torc_lookup_fn *answered,
                           void *context, torc_lookup **lookup) TORC_MUST_CHECK;
/* Nobody needs it. True: it had not begun, and is no more. False: it will be told all the same. */
bool torc_lookup_abandon(torc_lookup *lookup);

#endif
