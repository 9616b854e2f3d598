/* SPDX-License-Identifier: MIT */
#ifndef TORC_FILE_H
#define TORC_FILE_H

#include <torc/reactor.h>
#include <torc/str.h>

/**
 * Files, without holding the reactor: each operation is done by a thread of the pool, and the fiber
 * waits for it.
 *
 * A fiber that is cancelled in an operation leaves it behind: what was begun is finished, and the
 * file is closed only then. A torc_file belongs to its reactor's thread; one operation at a time.
 * Errors are those of the system (TORC_ERR_NOT_FOUND, TORC_ERR_PERMISSION, TORC_ERR_NO_SPACE …), of
 * the wait, or TORC_ERR_BUSY.
 */
typedef struct torc_file torc_file;

TORC_BEGIN_DECLS

/** Open a path with the flags of open(2), always close-on-exec; `mode` for O_CREAT. */
TORC_API torc_err torc_file_open(torc_reactor *reactor, const char *path, int flags, unsigned mode,
                                 torc_file **file) TORC_MUST_CHECK;
/** Open a new file without a name, in `folder` (NULL: $TMPDIR or /tmp). It is gone when it is
 * closed. */
TORC_API torc_err torc_file_open_temporary(torc_reactor *reactor, const char *folder,
                                           torc_file **file) TORC_MUST_CHECK;
/** Write all of the bytes (which are copied) at the position, which moves behind them. */
TORC_API torc_err torc_file_write(torc_file *file, torc_str bytes) TORC_MUST_CHECK;
/** Read at most `max` bytes at the position, which moves behind them; `*len` 0: the end of the
 * file. */
TORC_API torc_err torc_file_read(torc_file *file, void *bytes, size_t max,
                                 size_t *len) TORC_MUST_CHECK;
/** Where the next operation reads or writes: 0 at first. */
TORC_API uint64_t torc_file_position(const torc_file *file);
TORC_API void torc_file_set_position(torc_file *file, uint64_t position);
/** The descriptor: the file's, to be looked at. */
TORC_API int torc_file_fd(const torc_file *file);
/** Let go of the file; it is closed when no operation is left behind. Does not wait. NULL is fine.
 */
TORC_API void torc_file_close(torc_file *file);
/** Remove a name. */
TORC_API torc_err torc_file_unlink(torc_reactor *reactor, const char *path) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
