/* SPDX-License-Identifier: MIT */
/*
 * Operations on paths: what is there, other names, folders.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reactor/file_operation.h"
#include "reactor/syscalls.h"

static torc_err result_of(int result) {
    return result ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_file_operation *new_operation(torc_reactor *reactor, const char *path, bool is_option) {
    torc_file_operation *self = torc_file_operation_new(reactor, path, NULL, 0);

    if (self) self->is_option = is_option;
    return self;
}

static torc_deferred *defer(torc_reactor *reactor, torc_file_operation *operation,
                            torc_detour_fn *run) {
    return torc_file_operation_defer(reactor, operation, run, torc_file_give_nothing);
}

/* ---- what is there ---- */

static torc_err run_stat(void *data) {
    torc_file_operation *self = data;
    struct stat status;

    if (torc_sys_fails(self->reactor, TORC_SYS_STAT, NULL) ||
        fstatat(AT_FDCWD, self->path, &status, self->is_option ? AT_SYMLINK_NOFOLLOW : 0))
        return torc_err_from_errno(errno);
    self->result.stat = torc_file_stat_of(&status);
    return TORC_OK;
}

static torc_err stat_by(torc_file_operation *operation, torc_file_stat *stat) {
    const torc_err err = torc_file_operation_run(&operation, run_stat);

    if (!err) *stat = operation->result.stat;
    torc_file_operation_free(operation);
    return err;
}

torc_err torc_file_stat_path(torc_reactor *reactor, const char *path, torc_file_stat *stat) {
    return stat_by(new_operation(reactor, path, false), stat);
}

torc_deferred *torc_file_defer_stat_path(torc_reactor *reactor, const char *path) {
    return torc_file_operation_defer(reactor, new_operation(reactor, path, false), run_stat,
                                     torc_file_give_result);
}

torc_err torc_file_stat_link(torc_reactor *reactor, const char *path, torc_file_stat *stat) {
    return stat_by(new_operation(reactor, path, true), stat);
}

torc_deferred *torc_file_defer_stat_link(torc_reactor *reactor, const char *path) {
    return torc_file_operation_defer(reactor, new_operation(reactor, path, true), run_stat,
                                     torc_file_give_result);
}

/* ---- names ---- */

static torc_err run_rename(void *data) {
    const torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_RENAME, NULL)) return torc_err_from_errno(errno);
    return result_of(rename(self->path, self->other));
}

torc_err torc_file_rename(torc_reactor *reactor, const char *from, const char *to) {
    return torc_file_operation_do(torc_file_operation_new(reactor, from, to, 0), run_rename);
}

torc_deferred *torc_file_defer_rename(torc_reactor *reactor, const char *from, const char *to) {
    return defer(reactor, torc_file_operation_new(reactor, from, to, 0), run_rename);
}

static torc_err run_unlink(void *data) {
    const torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_UNLINK, NULL)) return torc_err_from_errno(errno);
    return result_of(unlink(self->path));
}

torc_err torc_file_unlink(torc_reactor *reactor, const char *path) {
    return torc_file_operation_do(new_operation(reactor, path, false), run_unlink);
}

torc_deferred *torc_file_defer_unlink(torc_reactor *reactor, const char *path) {
    return defer(reactor, new_operation(reactor, path, false), run_unlink);
}

/* ---- folders ---- */

static bool is_folder(const char *path) {
    struct stat status;
    return fstatat(AT_FDCWD, path, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static torc_err make_one(const torc_file_operation *self, mode_t mode) {
    if (torc_sys_fails(self->reactor, TORC_SYS_RENAME, NULL)) return torc_err_from_errno(errno);
    if (mkdirat(AT_FDCWD, self->path, mode) == 0) return TORC_OK;
    const int number = errno;
    if (number == EEXIST && self->is_option && is_folder(self->path)) return TORC_OK;
    return torc_err_from_errno(number);
}

/* Those above, from the top; one that cannot be made, but is there, is no trouble. */
static torc_err make_parents(const torc_file_operation *self) {
    torc_err err = TORC_OK;

    for (char *slash = strchr(self->path + 1, '/'); slash && !err; slash = strchr(slash + 1, '/')) {
        if (slash[1] == '/' || slash[1] == '\0') continue;
        *slash = '\0';
        err = make_one(self, 0777);
        if (err && is_folder(self->path)) err = TORC_OK; /* of a file system that is read only */
        *slash = '/';
    }
    return err;
}

static torc_err run_make_folder(void *data) {
    const torc_file_operation *self = data;
    const torc_err err = self->is_option && *self->path ? make_parents(self) : TORC_OK;

    return err ? err : make_one(self, (mode_t)self->mode);
}

static torc_file_operation *new_making(torc_reactor *reactor, const char *path, unsigned mode,
                                       bool with_parents) {
    torc_file_operation *self = new_operation(reactor, path, with_parents);

    if (self) self->mode = mode;
    return self;
}

torc_err torc_file_make_folder(torc_reactor *reactor, const char *path, unsigned mode,
                               bool with_parents) {
    return torc_file_operation_do(new_making(reactor, path, mode, with_parents), run_make_folder);
}

torc_deferred *torc_file_defer_make_folder(torc_reactor *reactor, const char *path, unsigned mode,
                                           bool with_parents) {
    return defer(reactor, new_making(reactor, path, mode, with_parents), run_make_folder);
}

static torc_err run_remove_folder(void *data) {
    const torc_file_operation *self = data;

    if (torc_sys_fails(self->reactor, TORC_SYS_UNLINK, NULL)) return torc_err_from_errno(errno);
    return result_of(unlinkat(AT_FDCWD, self->path, AT_REMOVEDIR));
}

torc_err torc_file_remove_folder(torc_reactor *reactor, const char *path) {
    return torc_file_operation_do(new_operation(reactor, path, false), run_remove_folder);
}

torc_deferred *torc_file_defer_remove_folder(torc_reactor *reactor, const char *path) {
    return defer(reactor, new_operation(reactor, path, false), run_remove_folder);
}

/* ---- listing ---- */

/* What is read of a folder: entries, whose names are places in `names` until all is there. */
typedef struct listing {
    torc_file_entry *entries;
    size_t count, room;
    char *names;
    size_t len, names_room;
} listing;

static torc_err make_room(void **memory, size_t *room, size_t wanted, size_t size) {
    void *more;
    size_t next = *room ? *room : 64;

    while (next < wanted) next *= 2;
    if (*memory && next == *room) return TORC_OK;
    more = *memory ? torc_realloc(NULL, *memory, next * size)
                   : torc_alloc(NULL, TORC_MEMORY_OTHER, next * size);
    if (!more) return TORC_ERR_NO_MEMORY;
    *memory = more;
    *room = next;
    return TORC_OK;
}

static torc_file_kind kind_of(DIR *folder, const struct dirent *entry) {
    struct stat status;

    if (entry->d_type == DT_REG) return TORC_FILE_REGULAR;
    if (entry->d_type == DT_DIR) return TORC_FILE_FOLDER;
    if (entry->d_type == DT_LNK) return TORC_FILE_LINK;
    if (entry->d_type != DT_UNKNOWN ||
        fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW))
        return TORC_FILE_OTHER;
    return torc_file_stat_of(&status).kind;
}

static torc_err add_entry(listing *self, DIR *folder, const struct dirent *entry) {
    const size_t size = strlen(entry->d_name) + 1;
    void *entries = self->entries, *names = self->names;
    torc_err err = make_room(&entries, &self->room, self->count + 1, sizeof(*self->entries));

    self->entries = entries;
    if (!err) err = make_room(&names, &self->names_room, self->len + size, 1);
    self->names = names;
    if (err) return err;
    memcpy(self->names + self->len, entry->d_name, size);
    self->entries[self->count++] = (torc_file_entry){
        .name = (const char *)(uintptr_t)self->len, /* a place, since the names may move */
        .kind = kind_of(folder, entry)};
    self->len += size;
    return TORC_OK;
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static torc_err read_entries(const torc_file_operation *self, DIR *folder, listing *list) {
    for (;;) {
        torc_err err;
        errno = 0;
        if (torc_sys_fails(self->reactor, TORC_SYS_READ, NULL)) return torc_err_from_errno(errno);
        const struct dirent *entry = readdir(folder);
        if (!entry) return torc_err_from_errno(errno);
        if (is_dots(entry->d_name)) continue;
        if (list->count == self->len) return TORC_ERR_TOO_LARGE;
        err = add_entry(list, folder, entry);
        if (err) return err;
    }
}

static int compare(const void *a, const void *b) {
    return strcmp(((const torc_file_entry *)a)->name, ((const torc_file_entry *)b)->name);
}

static torc_err run_list(void *data) {
    torc_file_operation *self = data;
    listing list = {.count = 0};
    torc_err err;
    DIR *folder;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    folder = opendir(self->path);
    if (!folder) return torc_err_from_errno(errno);
    err = read_entries(self, folder, &list);
    closedir(folder);
    self->owned[0] = list.entries;
    self->owned[1] = list.names;
    if (err) return err;
    for (size_t i = 0; i < list.count; i++)
        list.entries[i].name = list.names + (uintptr_t)list.entries[i].name;
    if (list.count) qsort(list.entries, list.count, sizeof(*list.entries), compare);
    self->result.entries = list.entries;
    self->result.entry_count = list.count;
    return TORC_OK;
}

static torc_file_operation *new_listing(torc_reactor *reactor, const char *path, size_t max) {
    torc_file_operation *self = new_operation(reactor, path, false);

    if (self) self->len = max;
    return self;
}

torc_err torc_file_list(torc_reactor *reactor, const char *path, size_t entries_max,
                        torc_file_result **result) {
    torc_file_operation *operation = new_listing(reactor, path, entries_max);
    const torc_err err = torc_file_operation_run(&operation, run_list);

    if (err)
        torc_file_operation_free(operation);
    else
        *result = &operation->result;
    return err;
}

torc_deferred *torc_file_defer_list(torc_reactor *reactor, const char *path, size_t entries_max) {
    return torc_file_operation_defer(reactor, new_listing(reactor, path, entries_max), run_list,
                                     torc_file_give_result);
}
