/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_FOUND_FILE_H
#define TORC_WEB_FOUND_FILE_H

#include <sys/stat.h>
#include <torc/date.h>
#include <torc/request.h>

#include "reactor/chain.h"

/*
 * A file or folder that was found: what it was like then, and its content.
 *
 * Counted, and it never changes, but for what is noted with it; several requests, and what they
 * have still to send, may refer to it while a newer one is found by others. Everything belongs to
 * the reactor's thread.
 */
typedef enum torc_found_kind {
    TORC_FOUND_FILE = 1, /* a regular one */
    TORC_FOUND_FOLDER = 2
} torc_found_kind;

enum {
    TORC_FOUND_ETAG_SIZE = 56,
    TORC_FOUND_NOTE_SIZE = 384 /* what notes are taken to have, about */
};

typedef struct torc_found_file {
    uint32_t refs;
    uint8_t kind;      /* a torc_found_kind */
    struct stat about; /* size, times and what it is told apart by */
    torc_str etag;     /* strong, quoted; lives as long as this does */
    void *note;        /* of whoever answers with it, in `memory`: goes with it. NULL: none */
    uint64_t alone_count, alone_ms; /* the cache's: see torc_file_cache_is_alone() */
    torc_memory *memory;            /* that this is allocated in */
    torc_chunk content;             /* of a file whose content is in memory (`bytes` not NULL) */
    torc_shared_file file;          /* of any other file; fd -1: none */
    char etag_text[TORC_FOUND_ETAG_SIZE];
    char modified_text[TORC_DATE_LEN]; /* for Last-Modified */
} torc_found_file;

/*
 * Make one of a regular file that is open, which is taken also on failure, or of a folder (fd -1).
 * NULL when out of memory.
 */
torc_found_file *torc_found_file_new(torc_memory *memory, const struct stat *about,
                                     int fd) TORC_MUST_CHECK;
/*
 * The same of a small regular file with its content in memory; the descriptor stays the caller's.
 * Without waiting: TORC_ERR_AGAIN if it has to be read from a disk first. TORC_ERR_STATE: it is
 * being changed. TORC_ERR_UNSUPPORTED: here nobody can tell whether reading would wait.
 */
torc_err torc_found_file_load(torc_reactor *reactor, const struct stat *about, int fd,
                              torc_found_file **found) TORC_MUST_CHECK;
/* Bytes of memory that it takes, with a note. */
size_t torc_found_file_bytes(const torc_found_file *found);
/* Whether two looks saw the same file, unchanged. */
bool torc_found_file_is_same(const struct stat *a, const struct stat *b);
torc_found_file *torc_found_file_ref(torc_found_file *found);
/* Let go of it; NULL is fine. */
void torc_found_file_unref(torc_found_file *found);
/*
 * Write a range of a file to the response, as torc_request_write() does. A file that turns out to
 * be shorter ends the connection. The caller has a reference meanwhile: on a fiber this may wait.
 */
void torc_found_file_write(torc_found_file *found, torc_request *request, uint64_t first,
                           uint64_t len);

#endif
