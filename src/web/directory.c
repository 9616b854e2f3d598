/* SPDX-License-Identifier: MIT */
/*
 * Reading folders.
 *
 *  - All of it is done by one thread, which holds a reference to the folder and works on memory of
 *    its own; what it read changes hands when it has returned.
 *  - No more than so many entries are kept, and no more than so many looked at.
 *  - Names lie one behind the other in a buffer; entries refer to it once it does not move any
 *    more.
 */
#include "web/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "reactor/detour.h"

enum {
    LOOKS_MAX = 200000,
    NAMES_BYTES_MAX = TORC_DIRECTORY_ENTRIES_MAX * 256
};

/* A reading on its thread, with copies of the texts. */
typedef struct reading {
    const torc_reactor *reactor;
    torc_static_folder *folder; /* a reference */
    torc_static_config rules;   /* what decides about names: values only */
    torc_directory directory;
    torc_directory_query query;
    char text[];
} reading;

/* ---- order ---- */

/* As people expect it, whatever the case; names that differ in case alone have an order, too. */
static int compare_names(torc_str a, torc_str b) {
    const size_t len = a.len < b.len ? a.len : b.len;

    for (size_t i = 0; i < len; i++) {
        const unsigned char x = (unsigned char)torc_small(a.bytes[i]);
        const unsigned char y = (unsigned char)torc_small(b.bytes[i]);
        if (x != y) return x < y ? -1 : 1;
    }
    if (a.len != b.len) return a.len < b.len ? -1 : 1;
    return torc_str_compare(a, b);
}

static int by_name(const void *first, const void *second) {
    const torc_directory_entry *a = first, *b = second;

    if (a->is_folder != b->is_folder) return a->is_folder ? -1 : 1;
    return compare_names(a->name, b->name);
}

static int by_size(const void *first, const void *second) {
    const torc_directory_entry *a = first, *b = second;

    if (a->is_folder == b->is_folder && a->size != b->size) return a->size < b->size ? -1 : 1;
    return by_name(first, second);
}

static int by_time(const void *first, const void *second) {
    const torc_directory_entry *a = first, *b = second;

    if (a->is_folder == b->is_folder && a->modified != b->modified)
        return a->modified < b->modified ? -1 : 1;
    return by_name(first, second);
}

static void reverse(torc_directory_entry *entries, size_t count) {
    for (size_t i = 0; i < count / 2; i++) {
        const torc_directory_entry entry = entries[i];
        entries[i] = entries[count - 1 - i];
        entries[count - 1 - i] = entry;
    }
}

static void sort(torc_directory *self, const torc_directory_query *query) {
    static int (*const compare[])(const void *, const void *) = {
        [TORC_DIRECTORY_BY_NAME] = by_name,
        [TORC_DIRECTORY_BY_SIZE] = by_size,
        [TORC_DIRECTORY_BY_TIME] = by_time,
    };
    size_t folders = 0;

    if (self->count == 0) return;
    qsort(self->entries, self->count, sizeof(*self->entries), compare[query->order]);
    if (!query->is_descending) return;
    while (folders < self->count && self->entries[folders].is_folder) folders++;
    reverse(self->entries, folders);
    reverse(self->entries + folders, self->count - folders);
}

/* ---- reading: any thread ---- */

/* Where a link leads, if it stays beneath the folder. */
static bool look_behind_link(const reading *self, const char *name, struct stat *about) {
    char path[TORC_STATIC_PATH_SIZE];
    const size_t name_len = strlen(name), len = self->query.path.len;
    bool is_there;
    int fd;

    if (len + 1 + name_len >= sizeof(path)) return false;
    if (len) memcpy(path, self->query.path.bytes, len);
    path[len] = '/';
    memcpy(path + len + 1, name, name_len);
    const torc_str whole =
        torc_str_make(len ? path : path + 1, len ? len + 1 + name_len : name_len);
    if (torc_static_folder_open(self->folder, self->reactor, whole, &fd)) return false;
    is_there = fstat(fd, about) == 0;
    close(fd);
    return is_there;
}

static bool look_at(const reading *self, int fd, const char *name, struct stat *about) {
    if (fstatat(fd, name, about, AT_SYMLINK_NOFOLLOW)) return false;
    if (S_ISLNK(about->st_mode) && !look_behind_link(self, name, about)) return false;
    return S_ISREG(about->st_mode) || S_ISDIR(about->st_mode);
}

/* Add an entry; its name is where the buffer ends for now, see refer_to_names(). */
static torc_err add(torc_directory *directory, torc_str name, const struct stat *about) {
    const torc_directory_entry entry = {
        .name = torc_str_make(NULL, name.len),
        .size = S_ISDIR(about->st_mode) ? 0 : (uint64_t)about->st_size,
        .modified = about->st_mtim.tv_sec,
        .is_folder = S_ISDIR(about->st_mode),
    };

    torc_buf_add(&directory->names, name);
    torc_buf_add(&directory->items, torc_str_make((const char *)&entry, sizeof(entry)));
    directory->count++;
    return torc_buf_err(&directory->names) ? torc_buf_err(&directory->names)
                                           : torc_buf_err(&directory->items);
}

static void refer_to_names(torc_directory *self) {
    const char *at = self->names.bytes;

    self->entries = (torc_directory_entry *)(void *)self->items.bytes;
    for (size_t i = 0; i < self->count; i++) {
        self->entries[i].name.bytes = at;
        at += self->entries[i].name.len;
    }
}

static torc_err take_entries(reading *self, DIR *stream, int fd) {
    torc_directory *directory = &self->directory;
    torc_err err = TORC_OK;

    for (uint32_t looks = 0; !err; looks++) {
        errno = 0;
        const struct dirent *each = readdir(stream);
        struct stat about;
        if (!each) return torc_err_from_errno(errno);
        const torc_str name = torc_str_of(each->d_name);
        const bool is_enough = looks >= LOOKS_MAX;
        if (!is_enough && (!torc_str_starts_with(name, self->query.prefix) ||
                           !torc_static_name_is_served(&self->rules, name) ||
                           !look_at(self, fd, each->d_name, &about)))
            continue;
        if (is_enough || directory->count == TORC_DIRECTORY_ENTRIES_MAX) {
            directory->is_cut = true;
            return TORC_OK;
        }
        err = add(directory, name, &about);
    }
    return err;
}

static torc_err read_folder(void *data) {
    reading *self = data;
    DIR *stream;
    torc_err err;
    int fd;

    err = torc_static_folder_open(self->folder, self->reactor, self->query.path, &fd);
    if (err) return err;
    stream = fdopendir(fd);
    if (!stream) {
        err = torc_err_from_errno(errno);
        close(fd);
        return err;
    }
    err = take_entries(self, stream, fd);
    closedir(stream);
    if (err) return err;
    refer_to_names(&self->directory);
    sort(&self->directory, &self->query);
    return err;
}

/* ---- the reactor's thread ---- */

static void dropped(void *data, bool has_run) {
    reading *self = data;

    (void)has_run;
    torc_directory_dispose(&self->directory);
    torc_static_folder_unref(self->folder);
}

static reading *reading_new(torc_static_folder *folder, torc_reactor *reactor,
                            const torc_directory_query *query) {
    const torc_str path = query->path, prefix = query->prefix;
    reading *self = torc_detour_new(reactor, sizeof(*self) + path.len + prefix.len);

    if (!self) return NULL;
    self->reactor = reactor;
    self->folder = torc_static_folder_ref(folder);
    self->query = *query;
    if (path.len) memcpy(self->text, path.bytes, path.len);
    if (prefix.len) memcpy(self->text + path.len, prefix.bytes, prefix.len);
    self->query.path = torc_str_make(self->text, path.len);
    self->query.prefix = torc_str_make(self->text + path.len, prefix.len);
    torc_buf_init(&self->directory.items, NULL, TORC_MEMORY_OTHER,
                  TORC_DIRECTORY_ENTRIES_MAX * sizeof(torc_directory_entry));
    torc_buf_init(&self->directory.names, NULL, TORC_MEMORY_OTHER, NAMES_BYTES_MAX);
    return self;
}

torc_err torc_directory_read(torc_static_folder *folder, torc_reactor *reactor,
                             const torc_static_config *config, const torc_directory_query *query,
                             torc_directory *directory) {
    reading *self = reading_new(folder, reactor, query);
    void *data = self;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->rules.dotfiles = config->dotfiles;
    err = torc_detour_run(&data, read_folder, dropped);
    if (!data) return err; /* left behind, and lets go of all by itself */
    if (!err) {
        *directory = self->directory;
        self->directory = (torc_directory){0};
    }
    dropped(self, true);
    torc_detour_free(self);
    return err;
}

void torc_directory_dispose(torc_directory *self) {
    torc_buf_dispose(&self->items);
    torc_buf_dispose(&self->names);
    self->entries = NULL;
    self->count = 0;
}
