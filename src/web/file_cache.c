/* SPDX-License-Identifier: MIT */
/*
 * The cache of what is beneath a folder.
 *
 *  - An entry is what was seen at a path: a file, a folder, or nothing. It stands in the list of
 *    its class, the one used last at the end, and in the watched folder that holds it.
 *  - A watched folder is there as long as anything is in it. All folders on the way to an entry are
 *    watched, from the top down, before the entry is looked at: so what changes after the look is
 *    told after it, and drops the entry. Nothing is told while this looks, as both are the
 *    reactor's.
 *  - An entry without a folder is not trusted, but compared with what is there each time: beyond a
 *    symbolic link, of a file with several names, or where nothing can be watched. The others are
 *    compared when they were for a second.
 *  - What is nothing at a path is nothing beneath it, too.
 *  - That a file has no siblings is known while nothing has changed in any of the folders, and all
 *    that were watched then are watched.
 */
#include "web/file_cache.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/map.h"
#include "reactor/beneath.h"
#include "reactor/folder_watch.h"
#include "reactor/syscalls.h"

enum {
    TRUST_MS = 1000,
    YOUNG_SECONDS = 2,          /* a file so young may change without getting another time */
    WATCH_AGAIN_MS = 10 * 1000, /* after the kernel refused a watch */
    DEPTH_MAX = 64,             /* of folders that are watched */
    PATH_SIZE = 4096
};

/* What an entry takes, and so by which bound it goes. */
enum {
    NOTHING, /* little */
    MEMORY,
    OPEN, /* a descriptor */
    CLASSES
};

/* A folder that is watched. */
typedef struct watched {
    torc_file_cache *cache;
    struct watched *parent; /* NULL: the top */
    torc_list_node beside;  /* in the parent's folders */
    torc_list entries, folders;
    uint32_t pins; /* in use: not to go though nothing is in it */
    torc_folder_watch watch;
    size_t len;
    char path[];
} watched;

typedef struct entry {
    torc_list_node use;
    torc_list_node beside;  /* in the folder's entries */
    watched *folder;        /* NULL: not trusted */
    torc_found_file *found; /* NULL: nothing */
    uint64_t seen_ms;
    uint8_t class_;
    bool is_linked; /* its path leads over symbolic links */
    size_t bytes;
    size_t len;
    char path[];
} entry;

/* All caches of a reactor, and what is counted of them. */
typedef struct torc_file_caches {
    torc_reactor_guest guest;
    torc_list caches;
    torc_counter hits, misses, checks, evictions;
    torc_gauge entries, open, bytes;
} torc_file_caches;

struct torc_file_cache {
    torc_reactor *reactor;
    torc_file_caches *all;
    torc_file_cache **slot;
    torc_list_node node;
    torc_file_cache_limits limits;
    torc_map entries, folders; /* by path */
    torc_list used[CLASSES];
    uint32_t count[CLASSES];
    size_t bytes;
    uint64_t watch_again_ms; /* no watch is tried before */
    uint64_t change_count;   /* of changes that were noticed, and of folders no longer watched */
};

static torc_str path_of(const entry *self) {
    return torc_str_make(self->path, self->len);
}

static torc_memory *memory_of(torc_file_cache *cache) {
    return &cache->reactor->memory;
}

/* ---- what goes ---- */

/* A folder in which nothing is left goes, and so may those above it. */
static void release(watched *folder) {
    while (folder && folder->pins == 0 && torc_list_is_empty(&folder->entries) &&
           torc_list_is_empty(&folder->folders)) {
        watched *parent = folder->parent;
        folder->cache->change_count++;
        torc_folder_watch_stop(&folder->watch);
        torc_list_remove(&folder->beside);
        torc_map_remove(&folder->cache->folders, torc_str_make(folder->path, folder->len));
        torc_dealloc(memory_of(folder->cache), folder);
        folder = parent;
    }
}

static void unpin(watched *folder) {
    if (!folder) return;
    folder->pins--;
    release(folder);
}

static void drop(torc_file_cache *cache, entry *self) {
    watched *folder = self->folder;

    torc_map_remove(&cache->entries, path_of(self));
    torc_list_remove(&self->use);
    torc_list_remove(&self->beside);
    cache->count[self->class_]--;
    cache->bytes -= self->bytes;
    torc_gauge_add(&cache->all->entries, -1);
    torc_gauge_add(&cache->all->bytes, -(int64_t)self->bytes);
    if (self->class_ == OPEN) torc_gauge_add(&cache->all->open, -1);
    torc_found_file_unref(self->found);
    torc_dealloc(memory_of(cache), self);
    release(folder);
}

static entry *entry_of_use(torc_list_node *node) {
    return torc_container_of(node, entry, use);
}

static void drop_class(torc_file_cache *cache, unsigned class_) {
    torc_list_node *node;

    while ((node = torc_list_first(&cache->used[class_])) != NULL) drop(cache, entry_of_use(node));
}

/* The deepest folder on the way down the first ones. */
static watched *deepest(watched *folder) {
    torc_list_node *node;

    while ((node = torc_list_first(&folder->folders)) != NULL)
        folder = torc_container_of(node, watched, beside);
    return folder;
}

/* Drop all that is in a folder and beneath it, and with it the folder. */
static void drop_folder(torc_file_cache *cache, watched *top) {
    torc_list_node *node;
    watched *folder;

    top->pins++;
    do {
        folder = deepest(top);
        folder->pins++;
        while ((node = torc_list_first(&folder->entries)) != NULL)
            drop(cache, torc_container_of(node, entry, beside));
        if (folder != top) unpin(folder);
    } while (folder != top);
    top->pins--;
    unpin(top);
}

/* ---- changes ---- */

static void drop_path(torc_file_cache *cache, torc_str path) {
    entry *at = torc_map_find(&cache->entries, path);
    watched *folder;

    if (at) drop(cache, at);
    folder = torc_map_find(&cache->folders, path);
    if (folder) drop_folder(cache, folder);
}

static void changed(torc_folder_watch *watch, torc_str name, bool gone) {
    watched *folder = torc_container_of(watch, watched, watch);
    char path[PATH_SIZE];
    const size_t at = folder->len + (folder->len > 0 ? 1 : 0);

    folder->cache->change_count++;
    if (gone || name.len == 0 || at + name.len > sizeof(path)) {
        drop_folder(folder->cache, folder);
        return;
    }
    if (folder->len > 0) {
        memcpy(path, folder->path, folder->len);
        path[folder->len] = '/';
    }
    memcpy(path + at, name.bytes, name.len);
    drop_path(folder->cache, torc_str_make(path, at + name.len));
}

/* ---- watching ---- */

static watched *new_watched(torc_file_cache *cache, watched *parent, torc_str path) {
    watched *self =
        torc_alloc_zero(memory_of(cache), TORC_MEMORY_CACHE, 1, sizeof(*self) + path.len);

    if (!self) return NULL;
    self->cache = cache;
    self->parent = parent;
    torc_list_init(&self->entries);
    torc_list_init(&self->folders);
    self->len = path.len;
    if (path.len) memcpy(self->path, path.bytes, path.len);
    return self;
}

/* Watch a folder that is open. TORC_ERR_UNSUPPORTED: it cannot be. */
static torc_err watch(torc_file_cache *cache, watched *parent, torc_str path, int fd,
                      watched **added) {
    watched *self = new_watched(cache, parent, path);
    torc_err err;

    if (!self) return TORC_ERR_UNSUPPORTED;
    err = torc_folder_watch_start(&self->watch, cache->reactor, fd, changed);
    if (!err && torc_map_set(&cache->folders, torc_str_make(self->path, self->len), self)) {
        torc_folder_watch_stop(&self->watch);
        err = TORC_ERR_NO_MEMORY;
    }
    if (err) {
        torc_dealloc(memory_of(cache), self);
        if (err == TORC_ERR_NOT_DIRECTORY) return TORC_ERR_NOT_FOUND;
        if (err != TORC_ERR_PERMISSION && err != TORC_ERR_NO_MEMORY)
            cache->watch_again_ms = cache->reactor->now_ms + WATCH_AGAIN_MS;
        return TORC_ERR_UNSUPPORTED;
    }
    if (parent) torc_list_push(&parent->folders, &self->beside);
    *added = self;
    return TORC_OK;
}

static bool is_trusted(const torc_file_cache *cache, const entry *self) {
    return self->folder && cache->reactor->now_ms - self->seen_ms < TRUST_MS;
}

/* Whether nothing can be beneath what is known to be at a path. */
static bool is_no_folder(const torc_file_cache *cache, torc_str path) {
    const entry *at = torc_map_find(&cache->entries, path);
    return at && is_trusted(cache, at) && (!at->found || at->found->kind != TORC_FOUND_FOLDER);
}

static void add(torc_file_cache *cache, watched *folder, torc_str path, torc_found_file *found,
                bool is_linked);

/* Watch the folder at `text`, which ends in NUL and is in `parent`. */
static torc_err watch_below(torc_file_cache *cache, int top, watched *parent, const char *text,
                            size_t len, watched **folder) {
    const torc_str path = torc_str_make(text, len);
    torc_err err;
    int fd;

    if (is_no_folder(cache, path)) return TORC_ERR_NOT_FOUND;
    err = torc_beneath_open(cache->reactor, top, text, TORC_BENEATH_QUICK_UNLINKED, &fd);
    if (err == TORC_ERR_NOT_FOUND) add(cache, parent, path, NULL, false);
    if (err == TORC_ERR_NOT_DIRECTORY) return TORC_ERR_NOT_FOUND;
    if (err) return err == TORC_ERR_PERMISSION ? TORC_ERR_UNSUPPORTED : err;
    err = watch(cache, parent, path, fd, folder);
    close(fd);
    return err;
}

/*
 * The watched folder at the first `len` bytes of a path, pinned; those above are watched before it.
 * TORC_ERR_UNSUPPORTED: not all of them can be.
 */
static torc_err watch_way(torc_file_cache *cache, int top, char *text, size_t len,
                          watched **folder) {
    watched *at = torc_map_find(&cache->folders, torc_str_make(text, len)), *next;
    torc_err err = TORC_OK;
    size_t end = 0;

    if (!at && cache->reactor->now_ms < cache->watch_again_ms) return TORC_ERR_UNSUPPORTED;
    if (!at) {
        at = torc_map_find(&cache->folders, torc_str_make(text, 0));
        if (!at) err = watch(cache, NULL, torc_str_make(NULL, 0), top, &at);
        if (err) return err;
        for (int depth = 0; end < len && !err; at = next, depth++) {
            at->pins++;
            for (end = end > 0 ? end + 1 : 0; end < len && text[end] != '/';) end++;
            next = torc_map_find(&cache->folders, torc_str_make(text, end));
            if (!next && depth >= DEPTH_MAX) err = TORC_ERR_UNSUPPORTED;
            if (!next && !err) {
                const char slash = text[end];
                text[end] = '\0';
                err = watch_below(cache, top, at, text, end, &next);
                text[end] = slash;
            }
            unpin(at);
            if (err) return err;
        }
    }
    at->pins++;
    *folder = at;
    return TORC_OK;
}

/* ---- what comes ---- */

static unsigned class_of(const torc_found_file *found) {
    if (!found) return NOTHING;
    return found->file.fd >= 0 ? OPEN : MEMORY;
}

static uint32_t count_max(const torc_file_cache *cache, unsigned class_) {
    if (class_ == OPEN) return cache->limits.open_max;
    return class_ == MEMORY ? cache->limits.entries_max : cache->limits.entries_max / 4;
}

static void evict(torc_file_cache *cache, unsigned class_) {
    torc_list_node *node = torc_list_first(&cache->used[class_]);

    torc_counter_add(&cache->all->evictions, 1);
    drop(cache, entry_of_use(node));
}

/* Make room for one more of its class; false: it is larger than all may be. */
static bool make_room(torc_file_cache *cache, unsigned class_, size_t bytes) {
    if (bytes > cache->limits.bytes_max || count_max(cache, class_) == 0) return false;
    while (cache->count[class_] >= count_max(cache, class_)) evict(cache, class_);
    for (unsigned i = 0; i < CLASSES; i++) {
        const unsigned first = i == 0 ? MEMORY : i == 1 ? NOTHING : OPEN;
        while (cache->bytes + bytes > cache->limits.bytes_max && cache->count[first] > 0)
            evict(cache, first);
    }
    return true;
}

static void link_in(torc_file_cache *cache, entry *self) {
    cache->count[self->class_]++;
    cache->bytes += self->bytes;
    torc_gauge_add(&cache->all->entries, 1);
    torc_gauge_add(&cache->all->bytes, (int64_t)self->bytes);
    if (self->class_ == OPEN) torc_gauge_add(&cache->all->open, 1);
    torc_list_push(&cache->used[self->class_], &self->use);
    if (self->folder) torc_list_push(&self->folder->entries, &self->beside);
}

/* Keep what was seen, if there is room; the reference stays the caller's. */
static void add(torc_file_cache *cache, watched *folder, torc_str path, torc_found_file *found,
                bool is_linked) {
    const unsigned class_ = class_of(found);
    const size_t bytes = sizeof(entry) + path.len + (found ? torc_found_file_bytes(found) : 0);
    entry *self = torc_map_find(&cache->entries, path);

    if (self) drop(cache, self);
    if (!make_room(cache, class_, bytes)) return;
    self = torc_alloc(memory_of(cache), TORC_MEMORY_CACHE, sizeof(*self) + path.len);
    if (!self) return;
    *self = (entry){
        .folder = folder,
        .found = found,
        .seen_ms = cache->reactor->now_ms,
        .class_ = (uint8_t)class_,
        .is_linked = is_linked,
        .bytes = bytes,
        .len = path.len,
    };
    if (path.len) memcpy(self->path, path.bytes, path.len);
    if (torc_map_set(&cache->entries, path_of(self), self)) {
        torc_dealloc(memory_of(cache), self);
        return;
    }
    if (found) torc_found_file_ref(found);
    link_in(cache, self);
}

/* ---- looking ---- */

/* What is at a path now. */
typedef struct look {
    int fd; /* -1: none */
    bool is_linked;
    struct stat about;
} look;

static torc_err open_path(torc_file_cache *cache, int top, const char *text, look *now) {
    torc_err err = TORC_ERR_UNSUPPORTED;

    if (!now->is_linked)
        err = torc_beneath_open(cache->reactor, top, text, TORC_BENEATH_QUICK_UNLINKED, &now->fd);
    if (err != TORC_ERR_UNSUPPORTED) return err;
    now->is_linked = true;
    return torc_beneath_open(cache->reactor, top, text, TORC_BENEATH_QUICK, &now->fd);
}

/* Open files and look at them, giving up what is held open if there is no descriptor left. */
static torc_err look_at(torc_file_cache *cache, int top, const char *text, look *now) {
    torc_err err = open_path(cache, top, text, now);

    if (err == TORC_ERR_FILE_TABLE_FULL && cache->count[OPEN] > 0) {
        drop_class(cache, OPEN);
        err = open_path(cache, top, text, now);
    }
    if (err) return err == TORC_ERR_NOT_DIRECTORY ? TORC_ERR_NOT_FOUND : err;
    if (torc_sys_fails(cache->reactor, TORC_SYS_STAT, NULL) || fstat(now->fd, &now->about))
        err = torc_err_from_errno(errno);
    else if (!S_ISREG(now->about.st_mode) && !S_ISDIR(now->about.st_mode))
        err = TORC_ERR_NOT_FOUND;
    if (err || S_ISDIR(now->about.st_mode)) {
        close(now->fd);
        now->fd = -1;
    }
    return err;
}

/* Whether an entry is what is at its path now: then it counts as seen. Another goes. */
static torc_err check(torc_file_cache *cache, int top, const char *text, entry *self,
                      bool *is_good) {
    look now = {.fd = -1, .is_linked = self->is_linked};
    const bool was_linked = self->is_linked;
    const torc_str path = torc_str_make(text, self->len);
    torc_err err;

    torc_counter_add(&cache->all->checks, 1);
    err = look_at(cache, top, text, &now);
    if (err == TORC_ERR_AGAIN) return err;
    if (now.fd >= 0) close(now.fd);
    if (torc_map_find(&cache->entries, path) != self) return TORC_OK; /* given up meanwhile */
    *is_good = self->found ? !err && now.is_linked == was_linked &&
                                 torc_found_file_is_same(&now.about, &self->found->about)
                           : err == TORC_ERR_NOT_FOUND && now.is_linked == was_linked;
    if (*is_good) {
        self->seen_ms = cache->reactor->now_ms;
    } else {
        cache->change_count++;
        drop(cache, self);
    }
    return TORC_OK;
}

/* Whether what was read now may be taken for what is there at a later time. */
static bool may_stay(const torc_file_cache *cache, const watched *folder,
                     const torc_found_file *found) {
    if (folder || !found->content.bytes) return true;
    return cache->reactor->wall_seconds - found->about.st_ctim.tv_sec >= YOUNG_SECONDS;
}

/* Make a file of what was looked at, whose descriptor is taken. */
static torc_err take(torc_file_cache *cache, watched *folder, torc_str path, look *now,
                     torc_found_file **found) {
    const bool is_small =
        now->fd >= 0 && (uint64_t)now->about.st_size <= cache->limits.file_bytes_max;
    torc_err err = TORC_ERR_UNSUPPORTED;
    bool is_steady = true;

    if (is_small) err = torc_found_file_load(cache->reactor, &now->about, now->fd, found);
    if (err == TORC_ERR_STATE) is_steady = false;
    if (err == TORC_ERR_STATE || err == TORC_ERR_UNSUPPORTED) {
        *found = torc_found_file_new(memory_of(cache), &now->about, now->fd);
        err = *found ? TORC_OK : TORC_ERR_NO_MEMORY;
    } else {
        close(now->fd);
    }
    now->fd = -1;
    if (err) return err;
    if ((*found)->kind == TORC_FOUND_FILE && now->about.st_nlink > 1) folder = NULL;
    if (is_steady && may_stay(cache, folder, *found))
        add(cache, folder, path, *found, now->is_linked);
    return TORC_OK;
}

/* Look at a path of which nothing is known, and keep what is there. */
static torc_err look_anew(torc_file_cache *cache, int top, char *text, size_t len,
                          torc_found_file **found) {
    const torc_str path = torc_str_make(text, len);
    look now = {.fd = -1};
    watched *folder = NULL;
    size_t way = len;
    torc_err err;

    while (way > 0 && text[way - 1] != '/') way--;
    err = watch_way(cache, top, text, way > 0 ? way - 1 : 0, &folder);
    if (err && err != TORC_ERR_UNSUPPORTED) return err;
    err = look_at(cache, top, text, &now);
    watched *const holder = now.is_linked ? NULL : folder;
    if (!err)
        err = take(cache, holder, path, &now, found);
    else if (err == TORC_ERR_NOT_FOUND && holder)
        add(cache, holder, path, NULL, false);
    unpin(folder);
    return err;
}

static torc_err use(torc_file_cache *cache, entry *self, torc_found_file **found) {
    torc_list_remove(&self->use);
    torc_list_push(&cache->used[self->class_], &self->use);
    torc_counter_add(&cache->all->hits, 1);
    if (!self->found) return TORC_ERR_NOT_FOUND;
    *found = torc_found_file_ref(self->found);
    return TORC_OK;
}

torc_err torc_file_cache_find(torc_file_cache *cache, int folder, char *text, size_t len,
                              torc_found_file **found) {
    entry *self = torc_map_find(&cache->entries, torc_str_make(text, len));
    bool is_good = false;
    torc_err err;

    if (self && is_trusted(cache, self)) return use(cache, self, found);
    if (self) {
        err = check(cache, folder, text, self, &is_good);
        if (err) return err;
        if (is_good) return use(cache, self, found);
    }
    err = look_anew(cache, folder, text, len, found);
    if (err != TORC_ERR_AGAIN) torc_counter_add(&cache->all->misses, 1);
    return err;
}

/* ---- siblings ---- */

bool torc_file_cache_is_alone(const torc_file_cache *cache, const torc_found_file *found) {
    return found->alone_count == cache->change_count &&
           cache->reactor->now_ms - found->alone_ms < TRUST_MS;
}

void torc_absences_begin(torc_absences *self, torc_file_cache *cache) {
    *self = (torc_absences){
        .cache = cache,
        .change_count = cache->change_count,
        .seen_ms = cache->reactor->now_ms,
        .are_certain = true,
    };
}

void torc_absences_add(torc_absences *self, torc_str path) {
    const entry *at = torc_map_find(&self->cache->entries, path);

    if (!at || at->found || !is_trusted(self->cache, at))
        self->are_certain = false;
    else if (at->seen_ms < self->seen_ms)
        self->seen_ms = at->seen_ms;
}

void torc_absences_note(const torc_absences *self, torc_found_file *found) {
    if (!self->are_certain || self->change_count != self->cache->change_count) return;
    found->alone_count = self->change_count;
    found->alone_ms = self->seen_ms;
}

/* ---- its life ---- */

static void empty(torc_file_cache *cache) {
    for (unsigned i = 0; i < CLASSES; i++) drop_class(cache, i);
}

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_file_caches *self = torc_container_of(guest, torc_file_caches, guest);
    torc_list_node *node;

    while ((node = torc_list_first(&self->caches)) != NULL)
        torc_file_cache_free(torc_container_of(node, torc_file_cache, node));
    torc_metric_remove(&self->hits.metric);
    torc_metric_remove(&self->misses.metric);
    torc_metric_remove(&self->checks.metric);
    torc_metric_remove(&self->evictions.metric);
    torc_metric_remove(&self->entries.metric);
    torc_metric_remove(&self->open.metric);
    torc_metric_remove(&self->bytes.metric);
    reactor->file_caches = NULL;
    torc_dealloc(&reactor->memory, self);
}

static void add_metrics(torc_file_caches *self, torc_metrics *metrics) {
    torc_metrics_add_counter(metrics, &self->hits, "file_cache_hits",
                             "Files, folders and absences that were known.", "");
    torc_metrics_add_counter(metrics, &self->misses, "file_cache_misses",
                             "Paths that had to be looked at.", "");
    torc_metrics_add_counter(metrics, &self->checks, "file_cache_checks",
                             "Known paths that were compared with what is there.", "");
    torc_metrics_add_counter(metrics, &self->evictions, "file_cache_evictions",
                             "What was dropped to make room.", "");
    torc_metrics_add_gauge(metrics, &self->entries, "file_cache_entries", "Paths that are known.",
                           "");
    torc_metrics_add_gauge(metrics, &self->open, "file_cache_open", "Files that are held open.",
                           "");
    torc_metrics_add_gauge(metrics, &self->bytes, "file_cache_bytes", "What is held in memory.",
                           "bytes");
}

static torc_file_caches *caches_of(torc_reactor *reactor) {
    torc_file_caches *self = reactor->file_caches;

    if (self) return self;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*self));
    if (!self) return NULL;
    self->guest.reactor_freed = reactor_freed;
    torc_list_init(&self->caches);
    add_metrics(self, reactor->metrics);
    torc_reactor_add_guest(reactor, &self->guest);
    reactor->file_caches = self;
    return self;
}

static torc_file_cache *new_cache(torc_reactor *reactor, const torc_file_cache_limits *limits) {
    torc_file_caches *all = caches_of(reactor);
    torc_file_cache *self;

    if (!all) return NULL;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*self));
    if (!self) return NULL;
    self->reactor = reactor;
    self->all = all;
    self->limits = *limits;
    self->change_count = 1;
    torc_map_init(&self->entries, &reactor->memory, TORC_MEMORY_CACHE, false);
    torc_map_init(&self->folders, &reactor->memory, TORC_MEMORY_CACHE, false);
    for (unsigned i = 0; i < CLASSES; i++) torc_list_init(&self->used[i]);
    torc_list_push(&all->caches, &self->node);
    return self;
}

torc_file_cache *torc_file_cache_at(torc_file_cache **slot, torc_reactor *reactor,
                                    const torc_file_cache_limits *limits) {
    if (*slot && (*slot)->reactor == reactor) return *slot;
    torc_file_cache_free(*slot);
    *slot = new_cache(reactor, limits);
    if (*slot) (*slot)->slot = slot;
    return *slot;
}

void torc_file_cache_free(torc_file_cache *self) {
    if (!self) return;
    empty(self);
    torc_list_remove(&self->node);
    torc_map_dispose(&self->entries);
    torc_map_dispose(&self->folders);
    *self->slot = NULL;
    torc_dealloc(memory_of(self), self);
}
