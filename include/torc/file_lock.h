/* SPDX-License-Identifier: MIT */
#ifndef TORC_FILE_LOCK_H
#define TORC_FILE_LOCK_H

#include <torc/deferred.h>

/**
 * Locks of the file system: at most one process of a machine does something.
 *
 * The lock is flock() on a file, which is made if need be and stays; the kernel releases it with
 * its process, however that ends, so there are no stale locks. It is asked for on a thread, again
 * and again until it is had. flock() on network file systems is as good as their server.
 */
typedef struct torc_file_lock torc_file_lock;

TORC_BEGIN_DECLS

/**
 * Fires with the lock of the file at `path`, as soon as nobody else has it; looked at every
 * `retry_ms` (0: 1,000). Fails with what opening the file fails with. It has no deadline: see
 * torc_deferred_timeout().
 */
TORC_API torc_deferred *torc_file_lock_acquire(torc_reactor *reactor, const char *path,
                                               uint64_t retry_ms);
#define torc_file_lock_acquire(reactor, path, retry_ms)                                            \
    torc_deferred_placed(torc_file_lock_acquire((reactor), (path), (retry_ms)), TORC_PLACE)
/** On a fiber: wait for the lock. */
TORC_API torc_err torc_file_lock_acquire_await(torc_reactor *reactor, const char *path,
                                               uint64_t retry_ms,
                                               torc_file_lock **lock) TORC_MUST_CHECK;
/** The lock, if it can be had now: TORC_ERR_BUSY when another has it. May wait for the disk. */
TORC_API torc_err torc_file_lock_try(torc_memory *memory, const char *path,
                                     torc_file_lock **lock) TORC_MUST_CHECK;
/** Release it, and free it. NULL is fine. */
TORC_API void torc_file_lock_release(torc_file_lock *lock);

TORC_END_DECLS

#endif
