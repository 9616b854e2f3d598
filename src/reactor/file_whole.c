/* SPDX-License-Identifier: MIT */
/*
 * Whole files: read at once, and replaced at once.
 *
 *  - What may hold a thread for ever (a pipe, a device) is not read.
 *  - A file is replaced by a new one beside it that is complete and on the disk before it gets the
 *    name; the name is on the disk when the operation has ended. Up to the renaming the old file is
 *    untouched, and a failure leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reactor/file_operation.h"
#include "reactor/syscalls.h"

/* ---- reading ---- */

static torc_err check_readable(const torc_file_operation *self, struct stat *status) {
    if (torc_sys_fails(self->reactor, TORC_SYS_STAT, NULL) || fstat(self->fd, status))
        return torc_err_from_errno(errno);
    if (S_ISDIR(status->st_mode)) return TORC_ERR_IS_DIRECTORY;
    if (!S_ISREG(status->st_mode)) return TORC_ERR_UNSUPPORTED;
    return status->st_size > 0 && (uint64_t)status->st_size > self->len ? TORC_ERR_TOO_LARGE
                                                                        : TORC_OK;
}

/* Room for so many bytes and a NUL. */
static torc_err make_room(torc_file_operation *self, size_t room) {
    void *more = self->owned[0] ? torc_realloc(NULL, self->owned[0], room + 1)
                                : torc_alloc(NULL, TORC_MEMORY_OTHER, room + 1);

    if (!more) return TORC_ERR_NO_MEMORY;
    self->owned[0] = more;
    return TORC_OK;
}

/* Read some more into what is free; 0 is the end. */
static torc_err read_more(torc_file_operation *self, size_t room, size_t *count) {
    ssize_t got;

    do {
        size_t len = room - self->done;
        got = torc_sys_fails(self->reactor, TORC_SYS_READ, &len)
                  ? -1
                  : read(self->fd, (char *)self->owned[0] + self->done, len);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return torc_err_from_errno(errno);
    *count = (size_t)got;
    return TORC_OK;
}

/* Files of /proc say that they are empty, and others grow: it is read until its end. */
static torc_err read_all(torc_file_operation *self, size_t room) {
    const size_t max = self->len + 1; /* one more, to see that there is more */
    size_t count = 1;
    torc_err err = make_room(self, room);

    while (!err && count > 0) {
        if (self->done == max) return TORC_ERR_TOO_LARGE;
        if (self->done == room) {
            room = room > max / 2 ? max : room * 2;
            err = make_room(self, room);
        }
        if (!err) err = read_more(self, room, &count);
        self->done += err ? 0 : count;
    }
    return !err && self->done > self->len ? TORC_ERR_TOO_LARGE : err;
}

static torc_err run_read(void *data) {
    torc_file_operation *self = data;
    struct stat status;
    torc_err err;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    self->fd = open(self->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (self->fd < 0) return torc_err_from_errno(errno);
    err = check_readable(self, &status);
    const size_t wanted = err ? 0 : (size_t)status.st_size + 1;
    if (!err) err = read_all(self, wanted < 512 && self->len > 512 ? 512 : wanted);
    close(self->fd);
    self->fd = -1;
    if (err) return err;
    ((char *)self->owned[0])[self->done] = '\0';
    self->result.bytes = torc_str_make(self->owned[0], self->done);
    self->result.stat = torc_file_stat_of(&status);
    return TORC_OK;
}

static torc_file_operation *new_reading(torc_reactor *reactor, const char *path, size_t max) {
    torc_file_operation *self = torc_file_operation_new(reactor, path, NULL, 0);

    if (self) self->len = max < PTRDIFF_MAX / 2 ? max : PTRDIFF_MAX / 2;
    return self;
}

torc_err torc_file_read_whole(torc_reactor *reactor, const char *path, size_t max,
                              torc_file_result **result) {
    torc_file_operation *operation = new_reading(reactor, path, max);
    const torc_err err = torc_file_operation_run(&operation, run_read);

    if (err)
        torc_file_operation_free(operation);
    else
        *result = &operation->result;
    return err;
}

torc_deferred *torc_file_defer_read_whole(torc_reactor *reactor, const char *path, size_t max) {
    return torc_file_operation_defer(reactor, new_reading(reactor, path, max), run_read,
                                     torc_file_give_result);
}

/* ---- replacing ---- */

/* What is done: a new file `made` beside `path`. */
typedef struct replacing {
    const torc_file_operation *operation;
    const char *path; /* with no link at its end */
    char *made;
    size_t folder_len; /* of `path`, up to its last slash */
    struct stat old;
    bool has_old;
    int fd;
} replacing;

static torc_err of_errno(void) {
    return torc_err_from_errno(errno);
}

/* Look at what is to be replaced. */
static torc_err look(replacing *self) {
    if (torc_sys_fails(self->operation->reactor, TORC_SYS_STAT, NULL)) return of_errno();
    self->has_old = fstatat(AT_FDCWD, self->path, &self->old, 0) == 0;
    if (!self->has_old) return errno == ENOENT ? TORC_OK : of_errno();
    if (S_ISDIR(self->old.st_mode)) return TORC_ERR_IS_DIRECTORY;
    return S_ISREG(self->old.st_mode) ? TORC_OK : TORC_ERR_UNSUPPORTED;
}

static torc_err make(replacing *self) {
    const char *slash = strrchr(self->path, '/');
    char letters[TORC_FILE_LETTERS + 1];
    const size_t size = strlen(self->path) + sizeof(".torc-") + TORC_FILE_LETTERS;

    self->folder_len = slash ? (size_t)(slash + 1 - self->path) : 0;
    if (!torc_file_letters(letters)) return TORC_ERR_SYSTEM;
    if (torc_sys_fails(self->operation->reactor, TORC_SYS_OPEN, NULL)) return of_errno();
    self->made = torc_alloc(NULL, TORC_MEMORY_OTHER, size);
    if (!self->made) return TORC_ERR_NO_MEMORY;
    snprintf(self->made, size, "%.*s.torc-%s", (int)self->folder_len, self->path, letters);
    self->fd = open(self->made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    self->has_old ? 0600 : (mode_t)self->operation->mode);
    return self->fd < 0 ? of_errno() : TORC_OK;
}

/*
 * The rights of the old file. The owner first, since a new one takes the set-user-ID bit away. Who
 * may not give files away keeps the new one: without that bit, and with no rights for a group of
 * its own that others have not.
 */
static torc_err take_rights(const replacing *self) {
    const struct stat *old = &self->old;
    mode_t mode = old->st_mode & 07777;

    if (!self->has_old) return TORC_OK;
    if (fchown(self->fd, old->st_uid, old->st_gid)) {
        mode &= 0777;
        if (fchown(self->fd, (uid_t)-1, old->st_gid)) mode = (mode & 0707) | (mode & 07) << 3;
    }
    return fchmod(self->fd, mode) ? of_errno() : TORC_OK;
}

static torc_err fill(const replacing *self) {
    const torc_file_operation *operation = self->operation;
    size_t done = 0;

    if (torc_file_write_all(operation->reactor, self->fd, 0,
                            torc_str_make(operation->bytes, operation->len), &done) ||
        torc_sys_fails(operation->reactor, TORC_SYS_WRITE, NULL) || fsync(self->fd))
        return of_errno();
    return TORC_OK;
}

static torc_err give_name(const replacing *self) {
    if (torc_sys_fails(self->operation->reactor, TORC_SYS_RENAME, NULL)) return of_errno();
    return rename(self->made, self->path) ? of_errno() : TORC_OK;
}

/* Bring the name to the disk. File systems that cannot say so by EINVAL, and need it not. */
static torc_err sync_folder(const replacing *self) {
    char *const folder = self->made;
    torc_err err = TORC_OK;

    if (self->folder_len)
        folder[self->folder_len] = '\0';
    else
        memcpy(folder, ".", sizeof("."));
    if (torc_sys_fails(self->operation->reactor, TORC_SYS_OPEN, NULL)) return of_errno();
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return of_errno();
    if (torc_sys_fails(self->operation->reactor, TORC_SYS_WRITE, NULL) ||
        (fsync(fd) && errno != EINVAL))
        err = of_errno();
    close(fd);
    return err;
}

static torc_err replace(replacing *self) {
    torc_err err = make(self);

    if (!err) err = take_rights(self);
    if (!err) err = fill(self);
    if (self->fd >= 0 && close(self->fd) && !err) err = of_errno();
    if (!err) err = give_name(self);
    if (err) {
        if (self->fd >= 0) unlink(self->made);
        return err;
    }
    return sync_folder(self);
}

static torc_err run_replace(void *data) {
    const torc_file_operation *operation = data;
    char followed[PATH_MAX];
    const char *path = realpath(operation->path, followed);
    replacing self = {.operation = operation, .path = path ? path : operation->path, .fd = -1};
    torc_err err = path || errno == ENOENT ? look(&self) : of_errno();

    if (!err) err = replace(&self);
    torc_dealloc(NULL, self.made);
    return err;
}

static torc_file_operation *new_replacing(torc_reactor *reactor, const char *path, torc_str content,
                                          unsigned mode) {
    torc_file_operation *self = torc_file_operation_new(reactor, path, NULL, content.len);

    if (!self) return NULL;
    self->mode = mode;
    self->len = content.len;
    if (content.len) memcpy(self->bytes, content.bytes, content.len);
    return self;
}

torc_err torc_file_replace(torc_reactor *reactor, const char *path, torc_str content,
                           unsigned mode) {
    return torc_file_operation_do(new_replacing(reactor, path, content, mode), run_replace);
}

torc_deferred *torc_file_defer_replace(torc_reactor *reactor, const char *path, torc_str content,
                                       unsigned mode) {
    return torc_file_operation_defer(reactor, new_replacing(reactor, path, content, mode),
                                     run_replace, torc_file_give_nothing);
}
