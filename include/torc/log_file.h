/* SPDX-License-Identifier: MIT */
#ifndef TORC_LOG_FILE_H
#define TORC_LOG_FILE_H

#include <sys/types.h>
#include <torc/err.h>

/**
 * Files that lines are appended to: a log, or an access log.
 *
 * A file is found again by its name in its folder, which is held open: so it can be made anew after
 * it was moved away, even when the process has another root or fewer rights by then. Its descriptor
 * stays the same number: who writes to it (torc_log_new_fd(), a torc_log_writer) never notices.
 *
 * Several processes may append to one file, each with a torc_log_file of its own or one that was
 * made before the fork. Then one of them, and only one, rotates it, and tells the others to reopen.
 */
typedef struct torc_log_file torc_log_file;

typedef struct torc_log_file_options {
    size_t size;             /* sizeof(torc_log_file_options) */
    mode_t mode;             /* of a file that is made; 0: 0640 */
    uint64_t rotate_bytes;   /* due for rotation when it is so large; 0: never */
    uint32_t rotate_seconds; /* due when such a stretch of local time is over: 3600, 86400 … */
    uint32_t keep;           /* files that rotation keeps, FILE.1 to FILE.keep; 0: 7 */
} torc_log_file_options;

TORC_BEGIN_DECLS

/**
 * Open a file to append to, and make it where there is none. "-" is the standard output and "+" the
 * standard error, also as /dev/stdout and /dev/stderr; pipes and devices are fine, and are never
 * waited for. A pipe by name that nobody reads is TORC_ERR_REFUSED. `options` may be NULL. Root
 * follows a symbolic link only if it is root's; another is TORC_ERR_PERMISSION.
 */
TORC_API torc_err torc_log_file_open(const char *path, const torc_log_file_options *options,
                                     torc_log_file **file) TORC_MUST_CHECK;
/** Close it. NULL is fine. */
TORC_API void torc_log_file_close(torc_log_file *file);
/** The descriptor: the same as long as the file is open. */
TORC_API int torc_log_file_fd(const torc_log_file *file);
/** The path that was given. */
TORC_API const char *torc_log_file_path(const torc_log_file *file);
/**
 * Whose the file is to be, now and whenever it is made anew; (uid_t)-1 and (gid_t)-1 leave it as it
 * is. For who will have fewer rights than now.
 */
TORC_API torc_err torc_log_file_set_owner(torc_log_file *file, uid_t owner,
                                          gid_t group) TORC_MUST_CHECK;
/**
 * Open what has the name now, or make it. What is no ordinary file stays as it is. On an error the
 * old file stays open. May wait for the disk. Any thread, but one at a time; lines that others
 * write meanwhile go to the one or to the other, whole.
 */
TORC_API torc_err torc_log_file_reopen(torc_log_file *file) TORC_MUST_CHECK;
/**
 * If the file is so large, or so old, as its options say: name it FILE.1, FILE.1 FILE.2 and so on,
 * and begin a new one. `*rotated` tells whether that was done; then other processes that append to
 * the file are to reopen it. For one process, and as torc_log_file_reopen() for one thread at a
 * time.
 */
TORC_API torc_err torc_log_file_rotate_if_due(torc_log_file *file, bool *rotated) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
