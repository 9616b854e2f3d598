/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_STATIC_LOOKUP_H
#define TORC_WEB_STATIC_LOOKUP_H

#include "web/file_cache.h"

/*
 * Finding files beneath a folder, and nowhere else.
 *
 * A static folder is what a path named when it was made. Beneath it, a query names paths that are
 * tried in order; the first that is there, and of a kind that is accepted, is found, and with it
 * its siblings: files beside it whose names have a suffix more (`page.html.gz`). All of that takes
 * at most one detour through a thread, and none when the kernel has everything in its caches.
 *
 * Paths come from outside: who asks has seen to it that no segment is `..` or begins with a dot.
 * Symbolic links are followed as far as they stay beneath the folder.
 */
typedef struct torc_static_folder torc_static_folder;

enum {
    TORC_STATIC_PATH_SIZE = 4096, /* of a path with its tail; what is longer is not found */
    TORC_STATIC_PATHS_MAX = 16,
    TORC_STATIC_SIBLINGS_MAX = 4
};

/* One path to try: `path` and `tail` one after the other, relative to the folder, without a slash
 * at the beginning or the end ("" is the folder itself, and "" with "/x" is "x"). */
typedef struct torc_static_path {
    torc_str path, tail;
    uint8_t accepts; /* of torc_found_kind, by or; of another kind it is passed over */
} torc_static_path;

typedef struct torc_static_query torc_static_query;
struct torc_static_query {
    const torc_static_path *paths;
    uint32_t path_count;   /* at most TORC_STATIC_PATHS_MAX */
    uint32_t suffix_count; /* at most TORC_STATIC_SIBLINGS_MAX */
    const torc_str *suffixes;
    /* Whether siblings are to be looked for at all; asked once, on the reactor's thread, and only
     * when it is not known already that there are none. NULL: they are. */
    bool (*may_have_siblings)(const torc_static_query *query);
    const void *context; /* for that */
};

typedef struct torc_static_answer {
    torc_found_file *found;
    uint32_t path;                                       /* which of the query's */
    torc_found_file *siblings[TORC_STATIC_SIBLINGS_MAX]; /* by suffix; files, or NULL */
} torc_static_answer;

/* Open a path: a folder; or what is looked at anew for each query: a file, or nothing yet. What
 * is found is kept within limits; `entries_max` 0: not at all. NULL when out of memory. Counted on
 * the reactor's thread. */
torc_static_folder *torc_static_folder_new(const char *path,
                                           const torc_file_cache_limits *limits) TORC_MUST_CHECK;
torc_static_folder *torc_static_folder_ref(torc_static_folder *folder);
void torc_static_folder_unref(torc_static_folder *folder);
/* The last name of the path that was given. */
torc_str torc_static_folder_name(const torc_static_folder *folder);
/*
 * Any thread, blocks: open what is at `path` beneath the folder for reading: a folder to list it.
 * The caller has a reference to the folder.
 */
torc_err torc_static_folder_open(const torc_static_folder *folder, const torc_reactor *reactor,
                                 torc_str path, int *fd) TORC_MUST_CHECK;

/*
 * On a fiber: look for the paths. TORC_OK: `found` is there, and to be let go of by
 * torc_static_answer_dispose(). TORC_ERR_NOT_FOUND: none of them is there and accepted. Another
 * error ends the search at the path that it befell: TORC_ERR_PERMISSION, TORC_ERR_FILE_TABLE_FULL,
 * TORC_ERR_BUSY (no thread came free in time), TORC_ERR_NO_MEMORY, that of a wait that was
 * cancelled. A sibling that cannot be had is not there. Only on TORC_OK is `answer` written. Of the
 * query, suffixes that are looked for in vain are taken.
 */
torc_err torc_static_find(torc_static_folder *folder, torc_reactor *reactor,
                          torc_static_query *query, torc_static_answer *answer) TORC_MUST_CHECK;
void torc_static_answer_dispose(torc_static_answer *answer);

#endif
