/* SPDX-License-Identifier: MIT */
#ifndef TORC_FILE_H
#define TORC_FILE_H

#include <torc/deferred.h>
#include <torc/str.h>

/**
 * Files, without holding the reactor: each operation is done by a thread of TORC_THREAD_FILE.
 *
 * Each is there in two forms. torc_file_read() and its like are for fibers, which wait; the
 * torc_file_defer_read() of it answers a deferred. A deferred fires with a torc_file when one is
 * opened, with a torc_file_result where something is learnt, and with NULL otherwise; its dispose
 * functions are torc_file_dispose() and torc_file_result_free(). Paths and bytes to be written are
 * copied.
 *
 * An operation that was cancelled before a thread began it is not done at all; one that was begun
 * is finished, and the file is closed only then. A torc_file belongs to its reactor's thread.
 * Operations at its position are made one after another; those at a place of their own may overlap.
 *
 * Errors are those of the system (TORC_ERR_NOT_FOUND, TORC_ERR_PERMISSION, TORC_ERR_NO_SPACE …), of
 * the wait, TORC_ERR_BUSY when too much waits for threads already, or TORC_ERR_INVALID for a path
 * that is too long, or leads through too many links.
 */
typedef struct torc_file torc_file;

typedef enum torc_file_kind {
    TORC_FILE_REGULAR,
    TORC_FILE_FOLDER,
    TORC_FILE_LINK, /* a symbolic one */
    TORC_FILE_OTHER /* a pipe, a socket, a device */
} torc_file_kind;

/** What a file is. A value. */
typedef struct torc_file_stat {
    torc_file_kind kind;
    uint32_t mode; /* the twelve bits of its rights */
    uint64_t size;
    int64_t modified_s; /* since 1970 UTC */
    uint32_t modified_ns;
    uint32_t owner, group;
    uint64_t device, inode, links;
} torc_file_stat;

/** What is in a folder. */
typedef struct torc_file_entry {
    const char *name;
    torc_file_kind kind; /* of the entry itself: links are not followed */
} torc_file_entry;

/** What an operation has learnt: the members that belong to it. */
typedef struct torc_file_result {
    torc_str bytes;           /* that were read; a NUL stands behind them */
    torc_file_stat stat;      /* of stat */
    torc_file_entry *entries; /* of list, in the order of their names' bytes */
    size_t entry_count;
} torc_file_result;

TORC_BEGIN_DECLS

/* ---- a file ---- */

/** Open a path with the flags of open(2), always close-on-exec; `mode` for O_CREAT. */
TORC_API torc_err torc_file_open(torc_reactor *reactor, const char *path, int flags, unsigned mode,
                                 torc_file **file) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_open(torc_reactor *reactor, const char *path, int flags,
                                             unsigned mode);
/** Open a new file without a name, in `folder` (NULL: $TMPDIR or /tmp). It is gone when it is
 * closed. */
TORC_API torc_err torc_file_open_temporary(torc_reactor *reactor, const char *folder,
                                           torc_file **file) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_open_temporary(torc_reactor *reactor, const char *folder);
/**
 * Open a new file with a name that nobody has, in `folder` (as above), for its owner alone:
 * torc_file_path(). Who opens it renames or removes it. One that nobody takes is removed.
 */
TORC_API torc_err torc_file_open_named(torc_reactor *reactor, const char *folder,
                                       torc_file **file) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_open_named(torc_reactor *reactor, const char *folder);

/** Read at most `max` bytes at the position, which moves behind them; `*len` 0: the end of the
 * file. */
TORC_API torc_err torc_file_read(torc_file *file, void *bytes, size_t max,
                                 size_t *len) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_read(torc_file *file, size_t max);
/** The same at a place, without moving the position. */
TORC_API torc_err torc_file_read_at(torc_file *file, uint64_t place, void *bytes, size_t max,
                                    size_t *len) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_read_at(torc_file *file, uint64_t place, size_t max);
/** Write all of the bytes at the position, which moves behind them. */
TORC_API torc_err torc_file_write(torc_file *file, torc_str bytes) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_write(torc_file *file, torc_str bytes);
/** The same at a place, without moving the position. */
TORC_API torc_err torc_file_write_at(torc_file *file, uint64_t place,
                                     torc_str bytes) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_write_at(torc_file *file, uint64_t place, torc_str bytes);
/**
 * Write all of the bytes at the end, wherever that is by then, without moving the position. Others
 * that append come before or behind them, unless the disk is full or a signal comes between.
 */
TORC_API torc_err torc_file_append(torc_file *file, torc_str bytes) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_append(torc_file *file, torc_str bytes);
/** Wait until what was written is on the disk (fsync). */
TORC_API torc_err torc_file_sync(torc_file *file) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_sync(torc_file *file);
/** The same of the content, not of its times and the like (fdatasync). */
TORC_API torc_err torc_file_sync_data(torc_file *file) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_sync_data(torc_file *file);
/** Make it so long: cut off, or filled with zeros. */
TORC_API torc_err torc_file_truncate(torc_file *file, uint64_t size) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_truncate(torc_file *file, uint64_t size);
/** What the open file is. */
TORC_API torc_err torc_file_stat_open(torc_file *file, torc_file_stat *stat) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_stat_open(torc_file *file);

/** Where the next operation reads or writes: 0 at first. */
TORC_API uint64_t torc_file_position(const torc_file *file);
TORC_API void torc_file_set_position(torc_file *file, uint64_t position);
/** The descriptor: the file's, to be looked at. */
TORC_API int torc_file_fd(const torc_file *file);
/** The path that torc_file_open_named() has found; NULL of other files. */
TORC_API const char *torc_file_path(const torc_file *file);
/** Let go of the file; it is closed when no operation is left behind. Does not wait. NULL is fine.
 */
TORC_API void torc_file_close(torc_file *file);
/** The same: how a deferred disposes of a file that nobody takes. One of torc_file_open_named() is
 * removed. */
TORC_API void torc_file_dispose(void *file);
/** Free what an operation has learnt. NULL is fine. */
TORC_API void torc_file_result_free(void *result);

/* ---- paths ---- */

/** What a path leads to. */
TORC_API torc_err torc_file_stat_path(torc_reactor *reactor, const char *path,
                                      torc_file_stat *stat) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_stat_path(torc_reactor *reactor, const char *path);
/** The same; of a symbolic link, the link itself. */
TORC_API torc_err torc_file_stat_link(torc_reactor *reactor, const char *path,
                                      torc_file_stat *stat) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_stat_link(torc_reactor *reactor, const char *path);
/** Give a file another name; what is called `to` is replaced. TORC_ERR_INVALID between file
 * systems. */
TORC_API torc_err torc_file_rename(torc_reactor *reactor, const char *from,
                                   const char *to) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_rename(torc_reactor *reactor, const char *from,
                                               const char *to);
/** Remove a name, which is no folder's. */
TORC_API torc_err torc_file_unlink(torc_reactor *reactor, const char *path) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_unlink(torc_reactor *reactor, const char *path);
/**
 * Make a folder. `with_parents`: those above it, too, where they are not there (with all rights
 * that the umask leaves), and it is no error if it is there itself.
 */
TORC_API torc_err torc_file_make_folder(torc_reactor *reactor, const char *path, unsigned mode,
                                        bool with_parents) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_make_folder(torc_reactor *reactor, const char *path,
                                                    unsigned mode, bool with_parents);
/** Remove a folder; TORC_ERR_BUSY if something is in it. */
TORC_API torc_err torc_file_remove_folder(torc_reactor *reactor, const char *path) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_remove_folder(torc_reactor *reactor, const char *path);
/** What is in a folder, but "." and ".."; TORC_ERR_TOO_LARGE if it is more than `entries_max`. */
TORC_API torc_err torc_file_list(torc_reactor *reactor, const char *path, size_t entries_max,
                                 torc_file_result **result) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_list(torc_reactor *reactor, const char *path,
                                             size_t entries_max);

/* ---- whole files ---- */

/**
 * Read all of a file: TORC_ERR_TOO_LARGE if it has more than `max` bytes, TORC_ERR_UNSUPPORTED if
 * it is a pipe or a device, which might hold the thread.
 */
TORC_API torc_err torc_file_read_whole(torc_reactor *reactor, const char *path, size_t max,
                                       torc_file_result **result) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_read_whole(torc_reactor *reactor, const char *path,
                                                   size_t max);
/**
 * Let a file have this content at once: who opens it finds all of the old or all of the new, even
 * after a crash, and never a part. The content is written to a new file beside it, brought to the
 * disk, and renamed; rights, and the owner as far as that is allowed, are those of the old file, or
 * `mode` but for the umask's bits. A symbolic link stays, and what it leads to is replaced; other
 * hard links keep the old content. What fails leaves the old file and nothing beside it; but if
 * the folder cannot be brought to the disk in the end, the new one stands.
 */
TORC_API torc_err torc_file_replace(torc_reactor *reactor, const char *path, torc_str content,
                                    unsigned mode) TORC_MUST_CHECK;
TORC_API torc_deferred *torc_file_defer_replace(torc_reactor *reactor, const char *path,
                                                torc_str content, unsigned mode);

TORC_END_DECLS

#endif
