/* SPDX-License-Identifier: MIT */
/*
 * Files that were found.
 *
 *  - The content is a chunk or an open file, whose one reference is this one's own; what is being
 *    sent has others. The memory goes with the last of them.
 */
#include "web/found_file.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/request.h"
#include "reactor/syscalls.h"

static void free_found(torc_found_file *self) {
    torc_dealloc(self->memory, self->note);
    torc_dealloc(self->memory, self);
}

static void free_with_content(torc_chunk *content) {
    free_found(torc_container_of(content, torc_found_file, content));
}

static void free_with_file(torc_shared_file *file) {
    torc_found_file *self = torc_container_of(file, torc_found_file, file);

    if (file->fd >= 0) close(file->fd);
    free_found(self);
}

static torc_found_file *new_found(torc_memory *memory, const struct stat *about, size_t content) {
    torc_found_file *self = torc_alloc(memory, TORC_MEMORY_CACHE, sizeof(*self) + content);

    if (!self) return NULL;
    self->refs = 1;
    self->kind = S_ISDIR(about->st_mode) ? TORC_FOUND_FOLDER : TORC_FOUND_FILE;
    self->about = *about;
    self->memory = memory;
    self->note = NULL;
    self->alone_count = self->alone_ms = 0;
    self->content = (torc_chunk){.refs = 1, .free = free_with_content};
    self->file = (torc_shared_file){.fd = -1, .refs = 1, .free = free_with_file};
    const int len =
        snprintf(self->etag_text, sizeof(self->etag_text), "\"%llx.%lx-%llx\"",
                 (unsigned long long)about->st_mtim.tv_sec, (unsigned long)about->st_mtim.tv_nsec,
                 (unsigned long long)about->st_size);
    self->etag = torc_str_make(self->etag_text, (size_t)len);
    torc_date_format(about->st_mtim.tv_sec, self->modified_text);
    return self;
}

torc_found_file *torc_found_file_new(torc_memory *memory, const struct stat *about, int fd) {
    torc_found_file *self = new_found(memory, about, 0);

    if (self)
        self->file.fd = fd;
    else if (fd >= 0)
        close(fd);
    return self;
}

/* ---- content ---- */

static bool is_same_time(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool torc_found_file_is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
           a->st_size == b->st_size && is_same_time(&a->st_mtim, &b->st_mtim) &&
           is_same_time(&a->st_ctim, &b->st_ctim);
}

/* Whether all of a file system is in memory, so that reading never waits for a disk. */
static bool is_memory(int fd) {
    struct statfs about;
    return fstatfs(fd, &about) == 0 && (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC);
}

static ssize_t read_once(const torc_reactor *reactor, int fd, char *bytes, size_t len,
                         size_t offset) {
    struct iovec piece = {.iov_base = bytes, .iov_len = len};
    ssize_t got;

    if (torc_sys_fails(reactor, TORC_SYS_READ, &piece.iov_len)) return -1;
    got = preadv2(fd, &piece, 1, (off_t)offset, RWF_NOWAIT);
    if (got < 0 && errno == EOPNOTSUPP && is_memory(fd)) got = pread(fd, bytes, len, (off_t)offset);
    return got;
}

static torc_err error_of(int number) {
    switch (number) {
    case EOPNOTSUPP:
    case ENOSYS:
    case EINVAL:
    case EPERM: /* a filter of calls */
        return TORC_ERR_UNSUPPORTED;
    default:
        return torc_err_from_errno(number);
    }
}

static torc_err read_content(const torc_reactor *reactor, int fd, char *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        const ssize_t got = read_once(reactor, fd, bytes + at, len - at, at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_of(errno);
        if (got == 0) return TORC_ERR_STATE;
        at += (size_t)got;
    }
    return TORC_OK;
}

torc_err torc_found_file_load(torc_reactor *reactor, const struct stat *about, int fd,
                              torc_found_file **found) {
    const size_t len = (size_t)about->st_size;
    torc_found_file *self = new_found(&reactor->memory, about, len);
    char *const bytes = self ? (char *)(self + 1) : NULL;
    struct stat after;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    err = read_content(reactor, fd, bytes, len);
    if (!err && torc_sys_fails(reactor, TORC_SYS_STAT, NULL)) err = torc_err_from_errno(errno);
    if (!err && (fstat(fd, &after) || !torc_found_file_is_same(about, &after)))
        err = TORC_ERR_STATE;
    if (err) {
        torc_found_file_unref(self);
        return err;
    }
    self->content.bytes = bytes;
    self->content.len = len;
    *found = self;
    return TORC_OK;
}

size_t torc_found_file_bytes(const torc_found_file *self) {
    return sizeof(*self) + TORC_FOUND_NOTE_SIZE + self->content.len;
}

/* ---- its life ---- */

torc_found_file *torc_found_file_ref(torc_found_file *self) {
    self->refs++;
    return self;
}

void torc_found_file_unref(torc_found_file *self) {
    if (!self || --self->refs > 0) return;
    if (self->content.bytes)
        torc_chunk_unref(&self->content);
    else
        torc_shared_file_unref(&self->file);
}

void torc_found_file_write(torc_found_file *self, torc_request *request, uint64_t first,
                           uint64_t len) {
    if (self->content.bytes)
        torc_request_write_chunk(request, &self->content, (size_t)first, (size_t)len);
    else
        torc_request_write_shared_file(request, &self->file, first, len);
}
