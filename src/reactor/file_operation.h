/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_FILE_OPERATION_H
#define TORC_REACTOR_FILE_OPERATION_H

#include <torc/file.h>

#include "reactor/detour.h"

/*
 * What the operations on files are made of: one struct for all of them, with what they work on and
 * what comes of it, and the two ways of doing one.
 */
struct torc_file {
    torc_reactor *reactor;
    uint32_t refs;
    int fd;
    uint64_t position;
    char *path; /* of a named temporary file; memory of no reactor's */
};

typedef struct torc_file_operation {
    torc_file_result result; /* first: it is what a deferred fires with */
    torc_reactor *reactor;
    torc_file *file;   /* counted: it works on this one */
    torc_file *opened; /* what is to be opened, until it is taken */
    int fd;            /* that was opened, until it is taken; -1 */
    int flags;
    unsigned mode;
    bool moves_position;
    bool is_option; /* with_parents, the link itself */
    uint64_t place;
    size_t len;  /* wanted */
    size_t done; /* of it */
    char *path, *other, *bytes;
    char *made_path; /* of what was opened: to be removed if it is not taken. As `owned` */
    void *owned[2];  /* memory of no reactor's: made on the thread, and freed with this */
    char storage[];
} torc_file_operation;

/* An operation with copies of two texts, the second of which may be NULL, and `size` bytes. */
torc_file_operation *torc_file_operation_new(torc_reactor *reactor, const char *path,
                                             const char *other, size_t size) TORC_MUST_CHECK;
/* Free it, and what was not taken of it. NULL is fine. */
void torc_file_operation_free(torc_file_operation *operation);
/* On a fiber: do it. It is freed, and NULL, if the fiber was cancelled. NULL: no memory. */
torc_err torc_file_operation_run(torc_file_operation **operation,
                                 torc_detour_fn *run) TORC_MUST_CHECK;
/* The same, when nothing comes of it but the error. Takes it. */
torc_err torc_file_operation_do(torc_file_operation *operation,
                                torc_detour_fn *run) TORC_MUST_CHECK;
/* With a deferred, which fires as `give` says. Takes it; NULL: no memory. */
torc_deferred *torc_file_operation_defer(torc_reactor *reactor, torc_file_operation *operation,
                                         torc_detour_fn *run, torc_detour_give_fn *give);
/* Fire with nothing, or with the result. */
torc_err torc_file_give_nothing(void *data, torc_detour_value *value);
torc_err torc_file_give_result(void *data, torc_detour_value *value);

/* On a thread: write all bytes, from `place` on. -1 and errno if it fails; `*done` was written. */
int torc_file_write_all(const torc_reactor *reactor, int fd, uint64_t place, torc_str bytes,
                        size_t *done);
/* What a struct stat says. */
struct stat;
torc_file_stat torc_file_stat_of(const struct stat *status);
/* Random letters for a name that nobody has; false: the kernel gives none. */
enum {
    TORC_FILE_LETTERS = 16
};
bool torc_file_letters(char letters[TORC_FILE_LETTERS + 1]);

/* As torc_file_open_named(), with other rights than its owner's (but for the umask's bits). */
torc_err torc_file_open_named_as(torc_reactor *reactor, const char *folder, unsigned mode,
                                 torc_file **file) TORC_MUST_CHECK;
torc_deferred *torc_file_defer_open_named_as(torc_reactor *reactor, const char *folder,
                                             unsigned mode);

/* File counting. */
torc_file *torc_file_new(torc_reactor *reactor);
void torc_file_unref(torc_file *file);

#endif
