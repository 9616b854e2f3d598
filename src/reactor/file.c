/* SPDX-License-Identifier: MIT */
/*
 * Open files: opening, reading, writing, by operations on threads.
 *
 *  - The position is the torc_file's own, not the kernel's; it moves when an operation at it was
 *    done, not when that was left behind.
 *  - Each operation is made in one function, for both of its forms.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reactor/file_operation.h"
#include "reactor/syscalls.h"

/* ---- opening ---- */

static torc_err run_open(void *data) {
    torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    do {
        self->fd = open(self->path, self->flags | O_CLOEXEC, (mode_t)self->mode);
    } while (self->fd < 0 && errno == EINTR);
    return self->fd < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

/* Make a file with a name in the folder. */
static torc_err run_open_named(void *data) {
    torc_file_operation *self = data;
    const size_t size = strlen(self->path) + sizeof("/torc-") + TORC_FILE_LETTERS;
    char letters[TORC_FILE_LETTERS + 1];

    if (!torc_file_letters(letters)) return TORC_ERR_SYSTEM;
    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    self->made_path = torc_alloc(NULL, TORC_MEMORY_OTHER, size);
    if (!self->made_path) return TORC_ERR_NO_MEMORY;
    snprintf(self->made_path, size, "%s/torc-%s", self->path, letters);
    self->fd = open(self->made_path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    (mode_t)self->mode);
    return self->fd < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

/* Where the kernel or the file system has no O_TMPFILE, a name exists for an instant. */
static torc_err run_open_temporary(void *data) {
    torc_file_operation *self = data;
    torc_err err;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    self->fd = open(self->path, O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)self->mode);
    if (self->fd >= 0) return TORC_OK;
    err = run_open_named(data);
    if (err) return err;
    unlink(self->made_path);
    torc_dealloc(NULL, self->made_path);
    self->made_path = NULL;
    return TORC_OK;
}

static torc_file_operation *new_opening(torc_reactor *reactor, const char *path, int flags,
                                        unsigned mode) {
    torc_file_operation *self = torc_file_operation_new(reactor, path, NULL, 0);

    if (!self) return NULL;
    self->flags = flags;
    self->mode = mode;
    self->opened = torc_file_new(reactor);
    if (self->opened) return self;
    torc_file_operation_free(self);
    return NULL;
}

static const char *folder_or_default(const char *folder) {
    if (!folder) folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

static torc_file *take_opened(torc_file_operation *self) {
    torc_file *file = self->opened;

    file->fd = self->fd;
    file->path = self->made_path;
    self->opened = NULL;
    self->fd = -1;
    self->made_path = NULL;
    return file;
}

static torc_err give_file(void *data, torc_detour_value *value) {
    value->value = take_opened(data);
    value->dispose = torc_file_dispose;
    return TORC_OK;
}

static torc_err open_by(torc_file_operation *operation, torc_detour_fn *run, torc_file **opened) {
    const torc_err err = torc_file_operation_run(&operation, run);

    if (!err) *opened = take_opened(operation);
    torc_file_operation_free(operation);
    return err;
}

torc_err torc_file_open(torc_reactor *reactor, const char *path, int flags, unsigned mode,
                        torc_file **file) {
    return open_by(new_opening(reactor, path, flags, mode), run_open, file);
}

torc_deferred *torc_file_defer_open(torc_reactor *reactor, const char *path, int flags,
                                    unsigned mode) {
    return torc_file_operation_defer(reactor, new_opening(reactor, path, flags, mode), run_open,
                                     give_file);
}

static torc_file_operation *new_making(torc_reactor *reactor, const char *folder, unsigned mode) {
    return new_opening(reactor, folder_or_default(folder), 0, mode);
}

torc_err torc_file_open_temporary(torc_reactor *reactor, const char *folder, torc_file **file) {
    return open_by(new_making(reactor, folder, 0600), run_open_temporary, file);
}

torc_deferred *torc_file_defer_open_temporary(torc_reactor *reactor, const char *folder) {
    return torc_file_operation_defer(reactor, new_making(reactor, folder, 0600), run_open_temporary,
                                     give_file);
}

torc_err torc_file_open_named(torc_reactor *reactor, const char *folder, torc_file **file) {
    return torc_file_open_named_as(reactor, folder, 0600, file);
}

torc_err torc_file_open_named_as(torc_reactor *reactor, const char *folder, unsigned mode,
                                 torc_file **file) {
    return open_by(new_making(reactor, folder, mode), run_open_named, file);
}

torc_deferred *torc_file_defer_open_named(torc_reactor *reactor, const char *folder) {
    return torc_file_defer_open_named_as(reactor, folder, 0600);
}

torc_deferred *torc_file_defer_open_named_as(torc_reactor *reactor, const char *folder,
                                             unsigned mode) {
    return torc_file_operation_defer(reactor, new_making(reactor, folder, mode), run_open_named,
                                     give_file);
}

/* ---- operations on an open file ---- */

/* An operation on a file; NULL without memory. */
static torc_file_operation *new_operation(torc_file *file, size_t size) {
    torc_file_operation *self = torc_file_operation_new(file->reactor, "", NULL, size);

    if (!self) return NULL;
    file->refs++;
    self->file = file;
    self->len = size;
    return self;
}

static torc_file_operation *at_place(torc_file_operation *self, uint64_t place) {
    if (self) self->place = place;
    return self;
}

static torc_file_operation *at_position(torc_file_operation *self) {
    if (!self) return NULL;
    self->moves_position = true;
    return at_place(self, self->file->position);
}

static void move_position(torc_file_operation *self) {
    if (self->moves_position) self->file->position = self->place + self->done;
}

static torc_deferred *defer(torc_file *file, torc_file_operation *operation, torc_detour_fn *run,
                            torc_detour_give_fn *give) {
    return torc_file_operation_defer(file->reactor, operation, run, give);
}

/* ---- reading ---- */

static ssize_t read_some(torc_file_operation *self) {
    size_t len = self->len;

    if (torc_sys_fails(self->reactor, TORC_SYS_READ, &len)) return -1;
    return pread(self->file->fd, self->bytes, len, (off_t)self->place);
}

static torc_err run_read(void *data) {
    torc_file_operation *self = data;
    ssize_t count;

    do {
        count = read_some(self);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return torc_err_from_errno(errno);
    self->done = (size_t)count;
    return TORC_OK;
}

static torc_file_operation *new_reading(torc_file *file, size_t max) {
    torc_file_operation *self = max < PTRDIFF_MAX ? new_operation(file, max + 1) : NULL;

    if (self) self->len = max;
    return self;
}

static torc_err give_bytes(void *data, torc_detour_value *value) {
    torc_file_operation *self = data;

    move_position(self);
    self->bytes[self->done] = '\0';
    self->result.bytes = torc_str_make(self->bytes, self->done);
    return torc_file_give_result(data, value);
}

static torc_err read_by(torc_file_operation *operation, void *bytes, size_t *len) {
    const torc_err err = torc_file_operation_run(&operation, run_read);

    if (!err) {
        move_position(operation);
        if (operation->done) memcpy(bytes, operation->bytes, operation->done);
        *len = operation->done;
    }
    torc_file_operation_free(operation);
    return err;
}

torc_err torc_file_read(torc_file *file, void *bytes, size_t max, size_t *len) {
    return read_by(at_position(new_reading(file, max)), bytes, len);
}

torc_deferred *torc_file_defer_read(torc_file *file, size_t max) {
    return defer(file, at_position(new_reading(file, max)), run_read, give_bytes);
}

torc_err torc_file_read_at(torc_file *file, uint64_t place, void *bytes, size_t max, size_t *len) {
    return read_by(at_place(new_reading(file, max), place), bytes, len);
}

torc_deferred *torc_file_defer_read_at(torc_file *file, uint64_t place, size_t max) {
    return defer(file, at_place(new_reading(file, max), place), run_read, give_bytes);
}

/* ---- writing ---- */

static torc_str bytes_of(const torc_file_operation *self) {
    return torc_str_make(self->bytes, self->len);
}

static torc_err run_write(void *data) {
    torc_file_operation *self = data;
    const int result = torc_file_write_all(self->reactor, self->file->fd, self->place,
                                           bytes_of(self), &self->done);
    return result ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err run_append(void *data) {
    torc_file_operation *self = data;

    while (self->done < self->len) {
        struct iovec piece = {self->bytes + self->done, self->len - self->done};
        if (torc_sys_fails(self->reactor, TORC_SYS_WRITE, &piece.iov_len))
            return torc_err_from_errno(errno);
        const ssize_t count = pwritev2(self->file->fd, &piece, 1, 0, RWF_APPEND);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return torc_err_from_errno(errno);
        self->done += (size_t)count;
    }
    return TORC_OK;
}

static torc_file_operation *new_writing(torc_file *file, torc_str bytes) {
    torc_file_operation *self = new_operation(file, bytes.len);

    if (self && bytes.len) memcpy(self->bytes, bytes.bytes, bytes.len);
    return self;
}

static torc_err give_written(void *data, torc_detour_value *value) {
    (void)value;
    move_position(data);
    return TORC_OK;
}

/* What was written before it failed has moved the position, too. */
static torc_err write_by(torc_file_operation *operation, torc_detour_fn *run) {
    const torc_err err = torc_file_operation_run(&operation, run);

    if (operation) move_position(operation);
    torc_file_operation_free(operation);
    return err;
}

torc_err torc_file_write(torc_file *file, torc_str bytes) {
    return write_by(at_position(new_writing(file, bytes)), run_write);
}

torc_deferred *torc_file_defer_write(torc_file *file, torc_str bytes) {
    return defer(file, at_position(new_writing(file, bytes)), run_write, give_written);
}

torc_err torc_file_write_at(torc_file *file, uint64_t place, torc_str bytes) {
    return write_by(at_place(new_writing(file, bytes), place), run_write);
}

torc_deferred *torc_file_defer_write_at(torc_file *file, uint64_t place, torc_str bytes) {
    return defer(file, at_place(new_writing(file, bytes), place), run_write, give_written);
}

torc_err torc_file_append(torc_file *file, torc_str bytes) {
    return write_by(new_writing(file, bytes), run_append);
}

torc_deferred *torc_file_defer_append(torc_file *file, torc_str bytes) {
    return defer(file, new_writing(file, bytes), run_append, give_written);
}

/* ---- the rest ---- */

static torc_err run_sync(void *data) {
    const torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_WRITE, NULL)) return torc_err_from_errno(errno);
    return fsync(self->file->fd) ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err run_sync_data(void *data) {
    const torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_WRITE, NULL)) return torc_err_from_errno(errno);
    return fdatasync(self->file->fd) ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err run_truncate(void *data) {
    const torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_WRITE, NULL)) return torc_err_from_errno(errno);
    return ftruncate(self->file->fd, (off_t)self->place) ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err run_stat(void *data) {
    torc_file_operation *self = data;
    struct stat status;

    if (torc_sys_fails(self->reactor, TORC_SYS_STAT, NULL) || fstat(self->file->fd, &status))
        return torc_err_from_errno(errno);
    self->result.stat = torc_file_stat_of(&status);
    return TORC_OK;
}

torc_err torc_file_sync(torc_file *file) {
    return torc_file_operation_do(new_operation(file, 0), run_sync);
}

torc_deferred *torc_file_defer_sync(torc_file *file) {
    return defer(file, new_operation(file, 0), run_sync, torc_file_give_nothing);
}

torc_err torc_file_sync_data(torc_file *file) {
    return torc_file_operation_do(new_operation(file, 0), run_sync_data);
}

torc_deferred *torc_file_defer_sync_data(torc_file *file) {
    return defer(file, new_operation(file, 0), run_sync_data, torc_file_give_nothing);
}

torc_err torc_file_truncate(torc_file *file, uint64_t size) {
    return torc_file_operation_do(at_place(new_operation(file, 0), size), run_truncate);
}

torc_deferred *torc_file_defer_truncate(torc_file *file, uint64_t size) {
    return defer(file, at_place(new_operation(file, 0), size), run_truncate,
                 torc_file_give_nothing);
}

torc_err torc_file_stat_open(torc_file *file, torc_file_stat *stat) {
    torc_file_operation *operation = new_operation(file, 0);
    const torc_err err = torc_file_operation_run(&operation, run_stat);

    if (!err) *stat = operation->result.stat;
    torc_file_operation_free(operation);
    return err;
}

torc_deferred *torc_file_defer_stat_open(torc_file *file) {
    return defer(file, new_operation(file, 0), run_stat, torc_file_give_result);
}

/* ---- the file ---- */

uint64_t torc_file_position(const torc_file *file) {
    return file->position;
}

void torc_file_set_position(torc_file *file, uint64_t position) {
    file->position = position;
}

int torc_file_fd(const torc_file *file) {
    return file->fd;
}

const char *torc_file_path(const torc_file *file) {
    return file->path;
}

void torc_file_close(torc_file *file) {
    if (file) torc_file_unref(file);
}

void torc_file_dispose(void *file) {
    torc_file *self = file;

    if (self && self->path) unlink(self->path);
    torc_file_close(self);
}
