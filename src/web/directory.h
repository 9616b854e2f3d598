/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_DIRECTORY_H
#define TORC_WEB_DIRECTORY_H

#include <torc/buf.h>

#include "web/static_config.h"
#include "web/static_lookup.h"

/*
 * What is in a folder of static files: the names that would be served, read by a thread.
 */
enum {
    TORC_DIRECTORY_ENTRIES_MAX = 10000
};

typedef struct torc_directory_entry {
    torc_str name;
    uint64_t size;
    int64_t modified; /* seconds since 1970 */
    bool is_folder;
} torc_directory_entry;

typedef struct torc_directory {
    torc_directory_entry *entries;
    size_t count;
    bool is_cut;           /* there are more */
    torc_buf items, names; /* private */
} torc_directory;

/* What is to be read, and in which order: folders first, then by this, then by name. */
typedef enum torc_directory_order {
    TORC_DIRECTORY_BY_NAME,
    TORC_DIRECTORY_BY_SIZE,
    TORC_DIRECTORY_BY_TIME
} torc_directory_order;

typedef struct torc_directory_query {
    torc_str path;
    torc_str prefix; /* only names that begin with it are taken */
    torc_directory_order order;
    bool is_descending;
} torc_directory_query;

/*
 * On a fiber: read a folder. Left out is what a request for it would not find: names that are not
 * served, what is neither a file nor a folder, links that lead out. Only on TORC_OK is there
 * something to dispose of.
 */
torc_err torc_directory_read(torc_static_folder *folder, torc_reactor *reactor,
                             const torc_static_config *config, const torc_directory_query *query,
                             torc_directory *directory) TORC_MUST_CHECK;
void torc_directory_dispose(torc_directory *directory);

#endif
