/* SPDX-License-Identifier: MIT */
/*
 * Operations on files: how they are made, done and freed.
 *
 *  - An operation holds a reference to its file, so that the descriptor stays open while a thread
 *    uses it, even if the fiber has gone on and closed the file.
 *  - Threads touch the descriptor and what the operation owns, and allocate from no reactor;
 *    references are counted on the reactor's thread.
 *  - Whatever an operation has opened or allocated is its own until it is taken, so it ends in one
 *    way, whether it was done, refused, cancelled or left behind.
 */
#include "reactor/file_operation.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/random.h>
#include <unistd.h>

#include "reactor/syscalls.h"

torc_file *torc_file_new(torc_reactor *reactor) {
    torc_file *file = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, sizeof(*file));

    if (file) *file = (torc_file){.reactor = reactor, .refs = 1, .fd = -1};
    return file;
}

void torc_file_unref(torc_file *file) {
    if (--file->refs > 0) return;
    if (file->fd >= 0) close(file->fd);
    torc_dealloc(NULL, file->path);
    torc_dealloc(&file->reactor->memory, file);
}

/* ---- life ---- */

torc_file_operation *torc_file_operation_new(torc_reactor *reactor, const char *path,
                                             const char *other, size_t size) {
    const size_t path_size = strlen(path) + 1, other_size = other ? strlen(other) + 1 : 0;
    torc_file_operation *self;

    if (size > PTRDIFF_MAX / 2) return NULL;
    self = torc_detour_new(reactor, sizeof(*self) + path_size + other_size + size);
    if (!self) return NULL;
    self->reactor = reactor;
    self->fd = -1;
    self->path = self->storage;
    memcpy(self->path, path, path_size);
    if (other) {
        self->other = self->path + path_size;
        memcpy(self->other, other, other_size);
    }
    self->bytes = self->storage + path_size + other_size;
    return self;
}

/* Let go of what was not taken. */
static void let_go(torc_file_operation *self) {
    if (self->fd >= 0) {
        if (self->made_path) unlink(self->made_path);
        close(self->fd);
    }
    if (self->file) torc_file_unref(self->file);
    if (self->opened) torc_file_unref(self->opened);
    torc_dealloc(NULL, self->made_path);
    for (size_t i = 0; i < TORC_COUNT_OF(self->owned); i++) torc_dealloc(NULL, self->owned[i]);
}

void torc_file_operation_free(torc_file_operation *operation) {
    if (!operation) return;
    let_go(operation);
    torc_detour_free(operation);
}

void torc_file_result_free(void *result) {
    torc_file_operation_free(result); /* its first member */
}

static void dropped(void *data, bool has_run) {
    (void)has_run;
    let_go(data);
}

/* ---- doing ---- */

torc_err torc_file_operation_run(torc_file_operation **operation, torc_detour_fn *run) {
    void *memory = *operation;
    torc_err err;

    if (!memory) return TORC_ERR_NO_MEMORY;
    err = torc_detour_run(&memory, run, dropped);
    *operation = memory;
    return err;
}

torc_err torc_file_operation_do(torc_file_operation *operation, torc_detour_fn *run) {
    const torc_err err = torc_file_operation_run(&operation, run);

    torc_file_operation_free(operation);
    return err;
}

torc_deferred *torc_file_operation_defer(torc_reactor *reactor, torc_file_operation *operation,
                                         torc_detour_fn *run, torc_detour_give_fn *give) {
    if (!operation) return torc_deferred_permanent(reactor);
    return torc_detour_defer(operation, run, dropped, give);
}

torc_err torc_file_give_nothing(void *data, torc_detour_value *value) {
    (void)data;
    (void)value;
    return TORC_OK;
}

torc_err torc_file_give_result(void *data, torc_detour_value *value) {
    value->value = data;
    value->dispose = torc_file_result_free;
    return TORC_OK;
}

/* ---- what several of them do ---- */

int torc_file_write_all(const torc_reactor *reactor, int fd, uint64_t place, torc_str bytes,
                        size_t *done) {
    while (*done < bytes.len) {
        size_t len = bytes.len - *done;
        if (torc_sys_fails(reactor, TORC_SYS_WRITE, &len)) return -1;
        const ssize_t count = pwrite(fd, bytes.bytes + *done, len, (off_t)(place + *done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -1;
        *done += (size_t)count;
    }
    return 0;
}

torc_file_stat torc_file_stat_of(const struct stat *status) {
    const mode_t mode = status->st_mode;

    return (torc_file_stat){
        .kind = S_ISREG(mode)   ? TORC_FILE_REGULAR
                : S_ISDIR(mode) ? TORC_FILE_FOLDER
                : S_ISLNK(mode) ? TORC_FILE_LINK
                                : TORC_FILE_OTHER,
        .mode = mode & 07777,
        .size = (uint64_t)status->st_size,
        .modified_s = status->st_mtim.tv_sec,
        .modified_ns = (uint32_t)status->st_mtim.tv_nsec,
        .owner = status->st_uid,
        .group = status->st_gid,
        .device = status->st_dev,
        .inode = status->st_ino,
        .links = status->st_nlink,
    };
}

bool torc_file_letters(char letters[TORC_FILE_LETTERS + 1]) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned char bytes[TORC_FILE_LETTERS];

    if (torc_random_bytes(bytes, sizeof(bytes))) return false;
    for (size_t i = 0; i < sizeof(bytes); i++) letters[i] = digits[bytes[i] % 32];
    letters[TORC_FILE_LETTERS] = '\0';
    return true;
}
