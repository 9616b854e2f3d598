/* SPDX-License-Identifier: MIT */
/*
 * Locks of the file system.
 *
 *  - A lock is an open file that flock() has locked; closing it releases it. It is not inherited by
 *    programs that are executed.
 *  - The file is not removed: who waits for it would then lock another than who comes next.
 *  - A thread works on an attempt, which owns the file until the fiber has taken it.
 */
#include <torc/file_lock.h>

#include <fcntl.h>
#include <sys/file.h>

#include "base/alloc.h"
#include "reactor/detour.h"
#include "reactor/fiber.h"
#include "reactor/syscalls.h"

enum {
    RETRY_MS = 1000
};

struct torc_file_lock {
    torc_memory *memory;
    torc_reactor *reactor; /* of one that is waited for */
    uint64_t retry_ms;
    int fd; /* -1: not yet locked */
    char path[];
};

/* Open and lock; on success `*fd` is set. `reactor` may be NULL. */
static torc_err try_lock(const torc_reactor *reactor, const char *path, int *fd) {
    const bool fails = reactor && torc_sys_fails(reactor, TORC_SYS_OPEN, NULL);
    const int opened = fails ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);

    if (opened < 0) return torc_err_from_errno(errno);
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        *fd = opened;
        return TORC_OK;
    }
    const torc_err err = errno == EWOULDBLOCK ? TORC_ERR_BUSY : torc_err_from_errno(errno);
    close(opened);
    return err;
}

static torc_file_lock *new_lock(torc_memory *memory, const char *path) {
    const size_t size = strlen(path) + 1;
    torc_file_lock *self = torc_alloc(memory, TORC_MEMORY_OTHER, sizeof(*self) + size);

    if (!self) return NULL;
    *self = (torc_file_lock){.memory = memory, .fd = -1};
    memcpy(self->path, path, size);
    return self;
}

void torc_file_lock_release(torc_file_lock *lock) {
    if (!lock) return;
    if (lock->fd >= 0) close(lock->fd);
    torc_dealloc(lock->memory, lock);
}

torc_err torc_file_lock_try(torc_memory *memory, const char *path, torc_file_lock **lock) {
    torc_file_lock *self = new_lock(memory, path);
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    err = try_lock(NULL, path, &self->fd);
    if (err)
        torc_file_lock_release(self);
    else
        *lock = self;
    return err;
}

/* ---- waiting ---- */

typedef struct attempt {
    torc_reactor *reactor;
    int fd;
    char path[];
} attempt;

static torc_err run_attempt(void *data) {
    attempt *self = data;
    return try_lock(self->reactor, self->path, &self->fd);
}

static void attempt_dropped(void *data, bool has_run) {
    attempt *self = data;
    if (has_run && self->fd >= 0) close(self->fd);
}

/* On a thread, once. */
static torc_err attempt_to_lock(torc_file_lock *self) {
    const size_t size = strlen(self->path) + 1;
    void *data = torc_detour_new(self->reactor, sizeof(attempt) + size);
    attempt *made = data;
    torc_err err;

    if (!made) return TORC_ERR_NO_MEMORY;
    made->reactor = self->reactor;
    made->fd = -1;
    memcpy(made->path, self->path, size);
    err = torc_detour_run(&data, run_attempt, attempt_dropped);
    if (!err) self->fd = made->fd;
    torc_detour_free(data);
    return err;
}

static torc_err acquire(void *context) {
    torc_file_lock *self = context;
    torc_err err;

    while ((err = attempt_to_lock(self)) == TORC_ERR_BUSY) {
        err = torc_sleep(self->reactor, self->retry_ms);
        if (err) break;
    }
    return err;
}

static torc_file_lock *new_waiting(torc_reactor *reactor, const char *path, uint64_t retry_ms) {
    torc_file_lock *self = new_lock(&reactor->memory, path);

    if (!self) return NULL;
    self->reactor = reactor;
    self->retry_ms = retry_ms ? retry_ms : RETRY_MS;
    return self;
}

torc_err torc_file_lock_acquire_await(torc_reactor *reactor, const char *path, uint64_t retry_ms,
                                      torc_file_lock **lock) {
    torc_file_lock *self = new_waiting(reactor, path, retry_ms);
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    err = acquire(self);
    if (err)
        torc_file_lock_release(self);
    else
        *lock = self;
    return err;
}

static void release_value(void *value) {
    torc_file_lock_release(value);
}

torc_deferred *(torc_file_lock_acquire)(torc_reactor *reactor, const char *path,
                                        uint64_t retry_ms) {
    torc_file_lock *self = new_waiting(reactor, path, retry_ms);

    if (!self) return torc_deferred_failed(reactor, TORC_ERR_NO_MEMORY);
    return torc_defer_to_fiber(reactor, acquire, self, release_value);
}
