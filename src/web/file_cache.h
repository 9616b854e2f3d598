/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_FILE_CACHE_H
#define TORC_WEB_FILE_CACHE_H

#include "web/found_file.h"

/*
 * What is known of the paths beneath a folder: the files with their content or open, the folders,
 * and that nothing is there. Of one static folder and one reactor; bounded in all it holds, what
 * was not used for the longest going first. It never waits.
 *
 * A change is noticed by watching the folders (reactor/folder_watch.h), and within a second also
 * where watching does not see it. Where nothing can be watched each answer is checked first.
 */
typedef struct torc_file_cache torc_file_cache;

typedef struct torc_file_cache_limits {
    uint32_t entries_max;  /* of files in memory and folders; of absent ones a quarter */
    uint32_t open_max;     /* of files that are held open */
    size_t bytes_max;      /* of all content in memory, and what is known of it */
    size_t file_bytes_max; /* a file up to this size is held in memory, a larger one open */
} torc_file_cache_limits;

/*
 * The cache in `*slot`, made for this reactor if there is none; NULL when out of memory. It goes,
 * and the slot becomes NULL, with the reactor, by torc_file_cache_free(), or when another reactor
 * asks for one in its place.
 */
torc_file_cache *torc_file_cache_at(torc_file_cache **slot, torc_reactor *reactor,
                                    const torc_file_cache_limits *limits) TORC_MUST_CHECK;
void torc_file_cache_free(torc_file_cache *cache);
/*
 * What is at a path beneath the folder that is open as `folder`: a reference to it,
 * TORC_ERR_NOT_FOUND, another error of looking for it, or TORC_ERR_AGAIN: a thread is to read it
 * first. `text` ends in NUL ("." for the folder itself, with `len` 0), and is as it was when this
 * returns.
 */
torc_err torc_file_cache_find(torc_file_cache *cache, int folder, char *text, size_t len,
                              torc_found_file **found) TORC_MUST_CHECK;

/*
 * Whether it is known of a file, which was found just now, that no sibling of it is there: so that
 * they are not looked for with each request. That is known from looking for them all once, and
 * holds as long as their absences would: till a change is told, for a second at most.
 */
bool torc_file_cache_is_alone(const torc_file_cache *cache, const torc_found_file *found);
typedef struct torc_absences {
    torc_file_cache *cache;
    uint64_t change_count; /* of the cache, when the looking began */
    uint64_t seen_ms;      /* when the first of them was seen */
    bool are_certain;
} torc_absences;
void torc_absences_begin(torc_absences *absences, torc_file_cache *cache);
/* A path at which torc_file_cache_find() was called just now. */
void torc_absences_add(torc_absences *absences, torc_str path);
/* All siblings were looked for: if none is there, this is noted with the file. */
void torc_absences_note(const torc_absences *absences, torc_found_file *found);

#endif
