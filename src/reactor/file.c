/* SPDX-License-Identifier: MIT */
/*
 * Files, by detours through threads.
 *
 *  - An operation holds a reference to its file, so that the descriptor stays open while a thread
 * uses it, even if the fiber has gone on and closed the file.
 *  - Threads touch the descriptor and what the operation owns; references are counted on the
 * reactor's thread.
 *  - The position is the torc_file's own, not the kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/detour.h"
#include "reactor/syscalls.h"

struct torc_file {
    torc_reactor *reactor;
    uint32_t refs;
    int fd;
    uint64_t position;
};

static void unref(torc_file *file) {
    if (--file->refs > 0) return;
    if (file->fd >= 0) close(file->fd);
    torc_dealloc(&file->reactor->memory, file);
}

static torc_file *new_file(torc_reactor *reactor) {
    torc_file *file = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*file));

    if (file) *file = (torc_file){.reactor = reactor, .refs = 1, .fd = -1};
    return file;
}

/* ---- opening ---- */

typedef struct opening {
    torc_reactor *reactor;
    int fd; /* -1 until it is open */
    int flags;
    unsigned mode;
    char path[];
} opening;

static torc_err run_open(void *data) {
    opening *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    do {
        self->fd = open(self->path, self->flags | O_CLOEXEC, (mode_t)self->mode);
    } while (self->fd < 0 && errno == EINTR);
    return self->fd < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

/* Where the kernel or the file system has no O_TMPFILE, a name exists for an instant. */
static int open_and_unlink(const char *folder) {
    char name[4096];
    int fd;

    if ((size_t)snprintf(name, sizeof(name), "%s/torc-XXXXXX", folder) >= sizeof(name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0) unlink(name);
    return fd;
}

static torc_err run_open_temporary(void *data) {
    opening *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    self->fd = open(self->path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (self->fd < 0) self->fd = open_and_unlink(self->path);
    return self->fd < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

static void drop_opening(void *data, bool has_run) {
    const opening *self = data;
    if (has_run && self->fd >= 0) close(self->fd);
}

static torc_err open_by(torc_reactor *reactor, torc_detour_fn *run, const char *path, int flags,
                        unsigned mode, torc_file **opened) {
    const size_t size = strlen(path) + 1;
    void *memory = torc_detour_new(reactor, sizeof(opening) + size);
    torc_file *file = new_file(reactor);
    torc_err err = TORC_ERR_NO_MEMORY;

    if (memory && file) {
        opening *self = memory;
        self->reactor = reactor;
        self->fd = -1;
        self->flags = flags;
        self->mode = mode;
        memcpy(self->path, path, size);
        err = torc_detour_run(&memory, run, drop_opening);
        if (memory) file->fd = self->fd;
    }
    torc_detour_free(memory);
    if (!err)
        *opened = file;
    else if (file)
        unref(file);
    return err;
}

torc_err torc_file_open(torc_reactor *reactor, const char *path, int flags, unsigned mode,
                        torc_file **file) {
    return open_by(reactor, run_open, path, flags, mode, file);
}

torc_err torc_file_open_temporary(torc_reactor *reactor, const char *folder, torc_file **file) {
    if (!folder) folder = getenv("TMPDIR");
    if (!folder || !*folder) folder = "/tmp";
    return open_by(reactor, run_open_temporary, folder, 0, 0, file);
}

typedef struct unlinking {
    torc_reactor *reactor;
    char path[];
} unlinking;

static torc_err run_unlink(void *data) {
    const unlinking *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_UNLINK, NULL) || unlink(self->path))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

torc_err torc_file_unlink(torc_reactor *reactor, const char *path) {
    const size_t size = strlen(path) + 1;
    unlinking *self = torc_detour_new(reactor, sizeof(*self) + size);
    void *memory = self;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    memcpy(self->path, path, size);
    err = torc_detour_run(&memory, run_unlink, NULL);
    torc_detour_free(memory);
    return err;
}

/* ---- reading and writing ---- */

typedef struct transfer {
    torc_file *file;
    uint64_t offset;
    size_t len;  /* wanted */
    size_t done; /* of it */
    char bytes[];
} transfer;

static ssize_t write_some(transfer *self) {
    size_t len = self->len - self->done;

    if (torc_sys_fails(self->file->reactor, TORC_SYS_WRITE, &len)) return -1;
    return pwrite(self->file->fd, self->bytes + self->done, len,
                  (off_t)(self->offset + self->done));
}

static torc_err run_write(void *data) {
    transfer *self = data;

    while (self->done < self->len) {
        const ssize_t count = write_some(self);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return torc_err_from_errno(errno);
        self->done += (size_t)count;
    }
    return TORC_OK;
}

static ssize_t read_some(transfer *self) {
    size_t len = self->len;

    if (torc_sys_fails(self->file->reactor, TORC_SYS_READ, &len)) return -1;
    return pread(self->file->fd, self->bytes, len, (off_t)self->offset);
}

static torc_err run_read(void *data) {
    transfer *self = data;
    ssize_t count;

    do {
        count = read_some(self);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return torc_err_from_errno(errno);
    self->done = (size_t)count;
    return TORC_OK;
}

static void drop_transfer(void *data, bool has_run) {
    (void)has_run;
    unref(((transfer *)data)->file);
}

/* A transfer at the file's position; NULL without memory. */
static transfer *new_transfer(torc_file *file, size_t len) {
    transfer *self = torc_detour_new(file->reactor, sizeof(*self) + len);

    if (!self) return NULL;
    file->refs++;
    self->file = file;
    self->offset = file->position;
    self->len = len;
    return self;
}

static void free_transfer(transfer *self) {
    unref(self->file);
    torc_detour_free(self);
}

torc_err torc_file_write(torc_file *file, torc_str bytes) {
    transfer *self = new_transfer(file, bytes.len);
    void *memory = self;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    if (bytes.len) memcpy(self->bytes, bytes.bytes, bytes.len);
    err = torc_detour_run(&memory, run_write, drop_transfer);
    if (!memory) return err;
    file->position += self->done;
    free_transfer(self);
    return err;
}

torc_err torc_file_read(torc_file *file, void *bytes, size_t max, size_t *len) {
    transfer *self = new_transfer(file, max);
    void *memory = self;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    err = torc_detour_run(&memory, run_read, drop_transfer);
    if (!memory) return err;
    if (!err) {
        if (self->done) memcpy(bytes, self->bytes, self->done);
        file->position += self->done;
        *len = self->done;
    }
    free_transfer(self);
    return err;
}

uint64_t torc_file_position(const torc_file *file) {
    return file->position;
}

void torc_file_set_position(torc_file *file, uint64_t position) {
    file->position = position;
}

int torc_file_fd(const torc_file *file) {
    return file->fd;
}

void torc_file_close(torc_file *file) {
    if (file) unref(file);
}
