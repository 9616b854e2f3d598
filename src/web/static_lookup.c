/* SPDX-License-Identifier: MIT */
/*
 * Finding files beneath a folder.
 *
 *  - The folder is opened when it is made, and paths are opened beneath its descriptor; once a
 *    second it follows its path to another. What is not a folder at first (a file, or nothing yet)
 *    is looked at anew for each query.
 *  - A query is tried at once as long as the kernel has all names in its cache, and by one thread
 *    from its beginning otherwise.
 *  - A thread that is left behind holds a reference to the folder.
 */
#include "web/static_lookup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <torc/fiber.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/beneath.h"
#include "reactor/detour.h"
#include "reactor/syscalls.h"

enum {
    LOOK_EVERY_MS = 1000,
    BUSY_WAITS_MS = 512 /* the last of the waits for a thread, which double from 1 */
};

struct torc_static_folder {
    uint32_t refs;
    int fd; /* -1: no folder when it was made. The number stays the same */
    dev_t device;
    ino_t inode;
    uint64_t looked_ms; /* when its path was last looked at */
    size_t name_at;     /* where in `path` the path that was given begins */
    torc_file_cache_limits limits;
    torc_file_cache *cache; /* of the reactor that asked last; NULL: none */
    char path[];
};

/* What was seen at a path: a file, which is open, or a folder. */
typedef struct sight {
    bool is_there;
    int fd; /* -1: none */
    struct stat about;
} sight;

/* What a query brought. */
typedef struct sights {
    uint32_t path;
    sight found;
    sight siblings[TORC_STATIC_SIBLINGS_MAX];
} sights;

/* ---- the folder ---- */

/* The folder in which a relative path begins, so that it means the same when the process has gone
 * elsewhere; "" for an absolute one. */
static const char *start_of(const char *path, char here[PATH_MAX]) {
    return path[0] != '/' && getcwd(here, PATH_MAX) ? here : "";
}

static void note_identity(torc_static_folder *self) {
    struct stat about = {0};

    if (self->fd >= 0) (void)!fstat(self->fd, &about);
    self->device = about.st_dev;
    self->inode = about.st_ino;
}

torc_static_folder *torc_static_folder_new(const char *path, const torc_file_cache_limits *limits) {
    char here[PATH_MAX];
    const char *start = start_of(path, here);
    const size_t start_len = strlen(start), size = start_len + 1 + strlen(path) + 1;
    torc_static_folder *self = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*self) + size);

    if (!self) return NULL;
    self->refs = 1;
    self->limits = *limits;
    self->cache = NULL;
    self->looked_ms = 0;
    self->name_at = start_len > 0 ? start_len + 1 : 0;
    snprintf(self->path, size, "%s%s%s", start, start_len > 0 ? "/" : "", path);
    self->fd = open(self->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    note_identity(self);
    return self;
}

/* Take the place of the folder, unless it is the same. */
static void replace(torc_static_folder *self, int fd) {
    struct stat about;

    if (fstat(fd, &about) || (about.st_dev == self->device && about.st_ino == self->inode)) return;
    if (dup3(fd, self->fd, O_CLOEXEC) < 0) return;
    torc_file_cache_free(self->cache);
    note_identity(self);
}

/*
 * Once a second, see whether another folder stands at the path: one that was made or moved there,
 * or to which a link leads now. The descriptor keeps its number, as threads use it. Where nothing
 * is found (any more) the old one stays. TORC_ERR_AGAIN: a thread has to look first, if one may.
 */
static torc_err follow_path(torc_static_folder *self, torc_reactor *reactor, bool by_thread) {
    const bool is_first = self->looked_ms == 0;
    torc_err err;
    int fd;

    if (!is_first && reactor->now_ms - self->looked_ms < LOOK_EVERY_MS) return TORC_OK;
    err = is_first ? TORC_ERR_NOT_FOUND : torc_beneath_open_top(reactor, self->path, &fd);
    if (err == TORC_ERR_AGAIN && by_thread) return err;
    self->looked_ms = reactor->now_ms;
    if (err) return TORC_OK;
    replace(self, fd);
    close(fd);
    return TORC_OK;
}

/* On a thread: have the names of the path in the kernel's cache. */
static void warm_path(const torc_static_folder *self) {
    const int fd = open(self->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) close(fd);
}

torc_static_folder *torc_static_folder_ref(torc_static_folder *self) {
    self->refs++;
    return self;
}

void torc_static_folder_unref(torc_static_folder *self) {
    if (--self->refs > 0) return;
    torc_file_cache_free(self->cache);
    if (self->fd >= 0) close(self->fd);
    torc_dealloc(NULL, self);
}

torc_str torc_static_folder_name(const torc_static_folder *self) {
    const char *given = self->path + self->name_at, *slash = strrchr(given, '/');
    return torc_str_of(slash ? slash + 1 : given);
}

/* Take the suffixes of a query for which siblings are not to be looked for. */
static void settle_suffixes(torc_static_query *query) {
    if (query->may_have_siblings && !query->may_have_siblings(query)) query->suffix_count = 0;
    query->may_have_siblings = NULL;
}

/* ---- looking: any thread ---- */

static void close_sight(sight *self) {
    if (self->fd >= 0) close(self->fd);
    self->fd = -1;
    self->is_there = false;
}

static void clear_sights(sights *self) {
    self->found = (sight){.fd = -1};
    for (uint32_t i = 0; i < TORC_STATIC_SIBLINGS_MAX; i++) self->siblings[i] = (sight){.fd = -1};
}

static void close_sights(sights *self) {
    close_sight(&self->found);
    for (uint32_t i = 0; i < TORC_STATIC_SIBLINGS_MAX; i++) close_sight(&self->siblings[i]);
}

/* What sort of thing was opened: only regular files stay open, and nothing but they and folders is
 * there. Takes the descriptor. */
static torc_err look_at(const torc_reactor *reactor, int fd, sight *seen) {
    torc_err err = TORC_OK;

    seen->fd = fd;
    if (torc_sys_fails(reactor, TORC_SYS_STAT, NULL) || fstat(fd, &seen->about))
        err = torc_err_from_errno(errno);
    else if (!S_ISREG(seen->about.st_mode) && !S_ISDIR(seen->about.st_mode))
        err = TORC_ERR_NOT_FOUND;
    if (err || S_ISDIR(seen->about.st_mode)) close_sight(seen);
    seen->is_there = !err;
    return err;
}

/* Write a path for the kernel, with the length of it (".", for the folder itself, has 0); false: it
 * is too long. */
static bool write_path(const torc_static_path *path, torc_str suffix,
                       char text[TORC_STATIC_PATH_SIZE], size_t *text_len) {
    const torc_str tail = path->path.len == 0 && torc_str_starts_with(path->tail, TORC_STR("/"))
                              ? torc_str_from(path->tail, 1)
                              : path->tail;
    const size_t len = path->path.len + tail.len + suffix.len;

    if (len >= TORC_STATIC_PATH_SIZE) return false;
    *text_len = len;
    if (len == 0) {
        memcpy(text, ".", 2);
        return true;
    }
    char *at = text;
    const torc_str parts[] = {path->path, tail, suffix};
    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++) {
        if (parts[i].len) memcpy(at, parts[i].bytes, parts[i].len);
        at += parts[i].len;
    }
    *at = '\0';
    return true;
}

static torc_err look(const torc_reactor *reactor, int folder, const torc_static_path *path,
                     torc_str suffix, torc_beneath_wait wait, sight *seen) {
    char text[TORC_STATIC_PATH_SIZE];
    size_t len;
    torc_err err;
    int fd;

    if (!write_path(path, suffix, text, &len)) return TORC_ERR_NOT_FOUND;
    err = torc_beneath_open(reactor, folder, text, wait, &fd);
    return err ? err : look_at(reactor, fd, seen);
}

static bool is_nothing(torc_err err) {
    return err == TORC_ERR_NOT_FOUND || err == TORC_ERR_NOT_DIRECTORY ||
           err == TORC_ERR_IS_DIRECTORY;
}

static unsigned kind_of(const sight *seen) {
    return S_ISDIR(seen->about.st_mode) ? TORC_FOUND_FOLDER : TORC_FOUND_FILE;
}

/* Only TORC_ERR_AGAIN is told. */
static torc_err look_for_siblings(const torc_reactor *reactor, int folder,
                                  const torc_static_query *query, torc_beneath_wait wait,
                                  sights *seen) {
    if (kind_of(&seen->found) != TORC_FOUND_FILE) return TORC_OK;
    for (uint32_t i = 0; i < query->suffix_count; i++) {
        sight *sibling = &seen->siblings[i];
        const torc_err err =
            look(reactor, folder, &query->paths[seen->path], query->suffixes[i], wait, sibling);
        if (err == TORC_ERR_AGAIN) return err;
        if (!err && kind_of(sibling) != TORC_FOUND_FILE) close_sight(sibling);
    }
    return TORC_OK;
}

static torc_err look_beneath(const torc_reactor *reactor, int folder,
                             const torc_static_query *query, torc_beneath_wait wait, sights *seen) {
    for (uint32_t i = 0; i < query->path_count; i++) {
        const torc_static_path *path = &query->paths[i];
        const torc_err err =
            look(reactor, folder, path, torc_str_make(NULL, 0), wait, &seen->found);
        if (is_nothing(err)) continue;
        if (err) return err;
        seen->path = i;
        if (path->accepts & kind_of(&seen->found))
            return look_for_siblings(reactor, folder, query, wait, seen);
        close_sight(&seen->found);
    }
    return TORC_ERR_NOT_FOUND;
}

/* ---- what was given is no folder that could be held open ---- */

/* It is a file: only the path "" leads to it. */
static torc_err look_at_file(const torc_static_query *query, sights *seen) {
    for (uint32_t i = 0; i < query->path_count; i++) {
        const torc_static_path *path = &query->paths[i];
        if (path->path.len + path->tail.len > 0 || !(path->accepts & TORC_FOUND_FILE)) continue;
        seen->path = i;
        return TORC_OK;
    }
    close_sight(&seen->found);
    return TORC_ERR_NOT_FOUND;
}

static torc_err open_given(const torc_static_folder *self, const torc_reactor *reactor, int flags,
                           int *fd) {
    if (torc_sys_fails(reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    *fd = open(self->path, flags | O_CLOEXEC);
    return *fd < 0 ? torc_err_from_errno(errno) : TORC_OK;
}

/* A file, or what has come to be a folder since. */
static torc_err look_at_given(const torc_static_folder *self, const torc_reactor *reactor,
                              const torc_static_query *query, sights *seen) {
    int fd = -1;
    torc_err err = open_given(self, reactor, O_RDONLY | O_NOCTTY | O_NONBLOCK, &fd);

    if (!err) err = look_at(reactor, fd, &seen->found);
    if (err) return err;
    if (kind_of(&seen->found) == TORC_FOUND_FILE) return look_at_file(query, seen);
    err = open_given(self, reactor, O_PATH | O_DIRECTORY, &fd);
    if (err) return err;
    err = look_beneath(reactor, fd, query, TORC_BENEATH_MAY_BLOCK, seen);
    close(fd);
    return err;
}

torc_err torc_static_folder_open(const torc_static_folder *self, const torc_reactor *reactor,
                                 torc_str path, int *fd) {
    const torc_static_path whole = {.path = path};
    char text[TORC_STATIC_PATH_SIZE];
    int folder = self->fd;
    size_t len;
    torc_err err = TORC_OK;

    if (!write_path(&whole, torc_str_make(NULL, 0), text, &len)) return TORC_ERR_NOT_FOUND;
    if (folder < 0) err = open_given(self, reactor, O_PATH | O_DIRECTORY, &folder);
    if (!err) err = torc_beneath_open(reactor, folder, text, TORC_BENEATH_MAY_BLOCK, fd);
    if (folder >= 0 && folder != self->fd) close(folder);
    return err;
}

/* ---- by a thread ---- */

/* Have a small file's content in the kernel's cache. */
static void warm(const sight *seen, size_t bytes_max) {
    char bytes[16 * 1024];

    if (seen->fd < 0 || (uint64_t)seen->about.st_size > bytes_max) return;
    for (off_t at = 0; at < seen->about.st_size; at += (off_t)sizeof(bytes))
        if (pread(seen->fd, bytes, sizeof(bytes), at) <= 0) return;
}

static void warm_all(const sights *seen, size_t bytes_max) {
    warm(&seen->found, bytes_max);
    for (uint32_t i = 0; i < TORC_STATIC_SIBLINGS_MAX; i++) warm(&seen->siblings[i], bytes_max);
}

/* A query on a thread, with copies of its texts. */
typedef struct detour_query {
    const torc_reactor *reactor;
    torc_static_folder *folder; /* a reference */
    torc_static_query query;
    torc_static_path paths[TORC_STATIC_PATHS_MAX];
    torc_str suffixes[TORC_STATIC_SIBLINGS_MAX];
    sights seen;
    char text[];
} detour_query;

static torc_err run(void *data) {
    detour_query *self = data;
    const torc_static_folder *folder = self->folder;
    const torc_err err = folder->fd < 0
                             ? look_at_given(folder, self->reactor, &self->query, &self->seen)
                             : look_beneath(self->reactor, folder->fd, &self->query,
                                            TORC_BENEATH_MAY_BLOCK, &self->seen);

    if (folder->fd >= 0) warm_path(folder);
    if (!err && folder->limits.entries_max > 0)
        warm_all(&self->seen, folder->limits.file_bytes_max);
    return err;
}

static void dropped(void *data, bool has_run) {
    detour_query *self = data;

    (void)has_run;
    close_sights(&self->seen);
    torc_static_folder_unref(self->folder);
}

static size_t text_size(const torc_static_query *query) {
    size_t size = 0;

    for (uint32_t i = 0; i < query->path_count; i++)
        size += query->paths[i].path.len + query->paths[i].tail.len;
    for (uint32_t i = 0; i < query->suffix_count; i++) size += query->suffixes[i].len;
    return size;
}

static torc_str copy_text(char **at, torc_str text) {
    const torc_str copy = torc_str_make(*at, text.len);

    if (text.len) memcpy(*at, text.bytes, text.len);
    *at += text.len;
    return copy;
}

static detour_query *new_detour(torc_static_folder *folder, torc_reactor *reactor,
                                const torc_static_query *query) {
    detour_query *self = torc_detour_new(reactor, sizeof(*self) + text_size(query));
    char *at;

    if (!self) return NULL;
    self->reactor = reactor;
    self->folder = torc_static_folder_ref(folder);
    self->query = *query;
    self->query.paths = self->paths;
    self->query.suffixes = self->suffixes;
    at = self->text;
    for (uint32_t i = 0; i < query->path_count; i++)
        self->paths[i] = (torc_static_path){.path = copy_text(&at, query->paths[i].path),
                                            .tail = copy_text(&at, query->paths[i].tail),
                                            .accepts = query->paths[i].accepts};
    for (uint32_t i = 0; i < query->suffix_count; i++)
        self->suffixes[i] = copy_text(&at, query->suffixes[i]);
    clear_sights(&self->seen);
    return self;
}

/* Run it, and wait a while for room in the queue of the threads. */
static torc_err run_patiently(torc_reactor *reactor, void **data) {
    torc_err err = torc_detour_run(data, run, dropped);

    for (uint64_t wait_ms = 1; err == TORC_ERR_BUSY && *data && wait_ms <= BUSY_WAITS_MS;
         wait_ms *= 2) {
        err = torc_sleep(reactor, wait_ms);
        if (!err) err = torc_detour_run(data, run, dropped);
    }
    return err;
}

static torc_err look_by_thread(torc_static_folder *folder, torc_reactor *reactor,
                               const torc_static_query *query, sights *seen) {
    detour_query *self = new_detour(folder, reactor, query);
    void *data = self;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    err = run_patiently(reactor, &data);
    if (!data) return err; /* left behind, and lets go of all by itself */
    if (!err) {
        *seen = self->seen;
        clear_sights(&self->seen);
    }
    dropped(self, true);
    torc_detour_free(self);
    return err;
}

/* ---- finding ---- */

static torc_found_file *take_found(torc_reactor *reactor, sight *seen) {
    torc_found_file *found = torc_found_file_new(&reactor->memory, &seen->about, seen->fd);

    seen->fd = -1;
    return found;
}

/* What was seen becomes the answer; siblings for which there is no memory are not there. */
static torc_err answer_with(torc_reactor *reactor, sights *seen, torc_static_answer *answer) {
    torc_found_file *found = take_found(reactor, &seen->found);

    if (found) {
        *answer = (torc_static_answer){.found = found, .path = seen->path};
        for (uint32_t i = 0; i < TORC_STATIC_SIBLINGS_MAX; i++)
            if (seen->siblings[i].is_there)
                answer->siblings[i] = take_found(reactor, &seen->siblings[i]);
    }
    close_sights(seen);
    return found ? TORC_OK : TORC_ERR_NO_MEMORY;
}

/* ---- from the cache ---- */

/* `absences`: is told of what is not there; NULL: not. */
static torc_err find_path(torc_static_folder *folder, const torc_static_path *path, torc_str suffix,
                          torc_absences *absences, torc_found_file **found) {
    char text[TORC_STATIC_PATH_SIZE];
    size_t len;
    torc_err err;

    if (!write_path(path, suffix, text, &len)) return TORC_ERR_NOT_FOUND;
    err = torc_file_cache_find(folder->cache, folder->fd, text, len, found);
    if (absences) torc_absences_add(absences, torc_str_make(text, len));
    return err;
}

static torc_err find_siblings(torc_static_folder *folder, torc_static_query *query,
                              torc_static_answer *answer) {
    torc_absences absences;

    if (answer->found->kind != TORC_FOUND_FILE ||
        torc_file_cache_is_alone(folder->cache, answer->found))
        return TORC_OK;
    settle_suffixes(query);
    torc_absences_begin(&absences, folder->cache);
    for (uint32_t i = 0; i < query->suffix_count; i++) {
        torc_found_file **sibling = &answer->siblings[i];
        const torc_err err =
            find_path(folder, &query->paths[answer->path], query->suffixes[i], &absences, sibling);
        if (err == TORC_ERR_AGAIN) return err;
        if (!err && (*sibling)->kind != TORC_FOUND_FILE) {
            torc_found_file_unref(*sibling);
            *sibling = NULL;
        }
    }
    torc_absences_note(&absences, answer->found);
    return TORC_OK;
}

/* Without waiting: TORC_ERR_AGAIN if a thread has to. */
static torc_err find_cached(torc_static_folder *folder, torc_static_query *query,
                            torc_static_answer *answer) {
    torc_static_answer own = {0};
    torc_err err = TORC_ERR_NOT_FOUND;

    for (; own.path < query->path_count; own.path++) {
        const torc_static_path *path = &query->paths[own.path];
        err = find_path(folder, path, torc_str_make(NULL, 0), NULL, &own.found);
        if (!err && (path->accepts & own.found->kind)) break;
        if (err && !is_nothing(err)) return err;
        torc_found_file_unref(own.found);
        own.found = NULL;
        err = TORC_ERR_NOT_FOUND;
    }
    if (!err) err = find_siblings(folder, query, &own);
    if (err)
        torc_static_answer_dispose(&own);
    else
        *answer = own;
    return err;
}

/* ---- finding ---- */

static torc_err find_quickly(torc_static_folder *folder, torc_reactor *reactor,
                             torc_static_query *query, bool by_thread, torc_static_answer *answer) {
    torc_err err;
    sights seen;

    if (folder->fd < 0 || follow_path(folder, reactor, by_thread)) return TORC_ERR_AGAIN;
    if (folder->limits.entries_max > 0 &&
        torc_file_cache_at(&folder->cache, reactor, &folder->limits))
        return find_cached(folder, query, answer);
    clear_sights(&seen);
    settle_suffixes(query);
    err = look_beneath(reactor, folder->fd, query, TORC_BENEATH_QUICK, &seen);
    if (!err) return answer_with(reactor, &seen, answer);
    close_sights(&seen);
    return err;
}

/* What a thread has seen is in the kernel's caches by now, so that it can be found, and kept, as if
 * it had been there before. */
static torc_err find_slowly(torc_static_folder *folder, torc_reactor *reactor,
                            torc_static_query *query, torc_static_answer *answer) {
    torc_err err, again;
    sights seen;

    clear_sights(&seen);
    settle_suffixes(query);
    err = look_by_thread(folder, reactor, query, &seen);
    if (err && !is_nothing(err)) return err;
    again = folder->cache ? find_quickly(folder, reactor, query, false, answer) : TORC_ERR_AGAIN;
    if (!err && again == TORC_ERR_AGAIN) return answer_with(reactor, &seen, answer);
    close_sights(&seen);
    return again == TORC_ERR_AGAIN ? err : again;
}

torc_err torc_static_find(torc_static_folder *folder, torc_reactor *reactor,
                          torc_static_query *query, torc_static_answer *answer) {
    torc_err err = find_quickly(folder, reactor, query, true, answer);

    if (err == TORC_ERR_AGAIN) err = find_slowly(folder, reactor, query, answer);
    return is_nothing(err) ? TORC_ERR_NOT_FOUND : err;
}

void torc_static_answer_dispose(torc_static_answer *answer) {
    torc_found_file_unref(answer->found);
    for (uint32_t i = 0; i < TORC_STATIC_SIBLINGS_MAX; i++)
        torc_found_file_unref(answer->siblings[i]);
}
