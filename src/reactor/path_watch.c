/* SPDX-License-Identifier: MIT */
/*
 * Paths that are watched, with what is below them.
 *
 *  - Each folder, and the path itself, is a node with a watch of the reactor's folder watcher. The
 *    first node is the path itself, and is there until the path is gone.
 *  - A folder is watched first and listed then, on a thread, so that nothing is missed between the
 *    two; what comes of it twice is told twice.
 *  - `pending` counts the lists that are on their way. When the first of them have all come, the
 *    watch is ready.
 *  - The program may free the watch in its callback; so after each, `is_freed` is looked at, and
 *    while callbacks run (`telling`) nothing of it is deallocated.
 */
#include <torc/path_watch.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <torc/file.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/options.h"
#include "reactor/folder_watch.h"

struct torc_path_watch {
    torc_reactor *reactor;
    torc_path_watch_options options;
    torc_path_changed_fn *changed;
    void *context;
    uint32_t mask; /* of inotify */
    torc_list nodes;
    torc_map by_path; /* of them */
    uint32_t count, pending, telling;
    bool is_ready, is_freed;
};

typedef struct node {
    torc_folder_watch watch;
    torc_path_watch *owner;
    torc_list_node in;
    torc_callback listed; /* while its list is on its way */
    bool tells_entries;   /* of that list: they are new */
    size_t len;
    char path[];
} node;

static const struct {
    uint32_t change, mask;
} kinds[] = {
    {TORC_PATH_MADE, IN_CREATE},           {TORC_PATH_WRITTEN, IN_MODIFY},
    {TORC_PATH_CLOSED, IN_CLOSE_WRITE},    {TORC_PATH_REMOVED, IN_DELETE},
    {TORC_PATH_MOVED_AWAY, IN_MOVED_FROM}, {TORC_PATH_MOVED_HERE, IN_MOVED_TO},
    {TORC_PATH_RIGHTS, IN_ATTRIB},
};

/* ---- telling ---- */

/* False: the watch was freed by the callee, and is only kept for its callers. */
static bool tell(torc_path_watch *self, const char *path, uint32_t change, uint32_t cookie,
                 bool is_folder) {
    const torc_path_event event = {path, change, cookie, is_folder};

    self->changed(self, &event, self->context);
    return !self->is_freed;
}

static void leave_telling(torc_path_watch *self) {
    if (--self->telling == 0 && self->is_freed) torc_dealloc(&self->reactor->memory, self);
}

/* ---- nodes ---- */

static torc_str path_of(const node *self) {
    return torc_str_make(self->path, self->len);
}

static void drop(node *self) {
    torc_path_watch *owner = self->owner;

    torc_folder_watch_stop(&self->watch);
    if (self->listed.deferred) owner->pending--;
    torc_callback_cancel(&self->listed);
    torc_list_remove(&self->in);
    torc_map_remove(&owner->by_path, path_of(self));
    owner->count--;
    torc_dealloc(&owner->reactor->memory, self);
}

static node *first(const torc_path_watch *self) {
    return torc_container_of(torc_list_first(&self->nodes), node, in);
}

static void drop_all(torc_path_watch *self) {
    while (!torc_list_is_empty(&self->nodes)) drop(first(self));
}

static bool is_below(const node *self, torc_str path) {
    return self->len > path.len && memcmp(self->path, path.bytes, path.len) == 0 &&
           self->path[path.len] == '/';
}

/* What was below a folder that was moved away has other paths now. */
static void drop_below(torc_path_watch *self, torc_str path) {
    torc_list round;
    torc_list_node *at;

    torc_list_init(&round);
    torc_list_take(&round, &self->nodes);
    while ((at = torc_list_pop(&round)) != NULL) {
        node *of = torc_container_of(at, node, in);
        torc_list_push(&self->nodes, at);
        if (is_below(of, path) || torc_str_equals(path_of(of), path)) drop(of);
    }
}

static void told(torc_folder_watch *watch, const torc_folder_event *event);
static void list(node *self, bool tells_entries);

static torc_err add_node(torc_path_watch *self, const char *path, uint32_t flags, node **added) {
    const size_t len = strlen(path);
    node *made;
    torc_err err;

    if (self->count >= self->options.folders_max) return TORC_ERR_LIMIT;
    made = torc_alloc_zero(&self->reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*made) + len + 1);
    if (!made) return TORC_ERR_NO_MEMORY;
    made->owner = self;
    made->len = len;
    memcpy(made->path, path, len + 1);
    err = torc_map_set(&self->by_path, path_of(made), made);
    if (!err)
        err = torc_folder_watch_start_path(&made->watch, self->reactor, path, self->mask | flags,
                                           told);
    if (err) {
        torc_map_remove(&self->by_path, path_of(made));
        torc_dealloc(&self->reactor->memory, made);
        return err;
    }
    torc_list_push(&self->nodes, &made->in);
    self->count++;
    *added = made;
    return TORC_OK;
}

/* A folder below, which may have gone meanwhile. False: freed. */
static bool go_down(torc_path_watch *self, const char *path, bool is_new) {
    node *below;
    torc_err err;

    if (torc_map_find(&self->by_path, torc_str_of(path))) return true;
    err = add_node(self, path, IN_ONLYDIR | IN_DONT_FOLLOW, &below);
    if (!err) list(below, is_new);
    if (!err || err == TORC_ERR_NOT_FOUND || err == TORC_ERR_NOT_DIRECTORY) return true;
    return tell(self, path, TORC_PATH_UNWATCHED, 0, true);
}

/* ---- lists ---- */

static bool join(const node *self, const char *name, char path[PATH_MAX]) {
    const char *slash = self->len && self->path[self->len - 1] == '/' ? "" : "/";
    return snprintf(path, PATH_MAX, "%s%s%s", self->path, slash, name) < PATH_MAX;
}

/* One entry of a list. False: freed. */
static bool entry_found(torc_path_watch *self, const char *path, const torc_file_entry *entry,
                        bool is_new) {
    const bool is_folder = entry->kind == TORC_FILE_FOLDER;

    if (is_new && (self->options.changes & TORC_PATH_MADE) &&
        !tell(self, path, TORC_PATH_MADE, 0, is_folder))
        return false;
    return !is_folder || go_down(self, path, is_new);
}

/* The callee may let a folder go whose list this is, so its path is copied. */
static bool entries_found(node *of, const torc_file_result *result) {
    torc_path_watch *self = of->owner;
    const bool is_new = of->tells_entries;
    char path[PATH_MAX];
    size_t len;

    if (!join(of, "", path)) return true;
    len = strlen(path);
    for (size_t i = 0; i < result->entry_count; i++) {
        const torc_file_entry *entry = &result->entries[i];
        if ((size_t)snprintf(path + len, sizeof(path) - len, "%s", entry->name) >=
            sizeof(path) - len)
            continue;
        if (!entry_found(self, path, entry, is_new)) return false;
    }
    return true;
}

/* All that was there at the beginning is watched, or has gone again. */
static void tell_when_ready(torc_path_watch *self) {
    if (self->is_ready || self->pending > 0 || torc_list_is_empty(&self->nodes)) return;
    self->is_ready = true;
    (void)tell(self, first(self)->path, TORC_PATH_READY, 0, true);
}

static void listed(torc_callback *callback, torc_err err, void *value) {
    node *of = torc_container_of(callback, node, listed);
    torc_path_watch *self = of->owner;
    bool is_alive = true;

    self->telling++;
    self->pending--;
    if (!err)
        is_alive = entries_found(of, value);
    else if (err != TORC_ERR_NOT_FOUND && err != TORC_ERR_NOT_DIRECTORY)
        is_alive = tell(self, of->path, TORC_PATH_UNWATCHED, 0, true);
    if (!err) torc_file_result_free(value);
    if (is_alive) tell_when_ready(self);
    leave_telling(self);
}

static void list(node *self, bool tells_entries) {
    torc_path_watch *owner = self->owner;

    if (self->listed.deferred) return; /* it will tell what it finds */
    self->tells_entries = tells_entries;
    owner->pending++;
    torc_deferred_then(torc_file_defer_list(owner->reactor, self->path, owner->options.entries_max),
                       &self->listed, listed);
}

/* ---- what the kernel tells ---- */

/* The path itself, which was moved, removed, or unmounted: nothing is told after that. */
static void path_gone(torc_path_watch *self) {
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s", first(self)->path);
    drop_all(self);
    (void)tell(self, path, TORC_PATH_GONE, 0, false);
}

/* Something is missing in what was told: folders may have come that nobody watches. */
static void overflow(torc_path_watch *self, node *of) {
    if (self->options.is_recursive && self->is_ready) list(of, false);
    if (of == first(self)) (void)tell(self, of->path, TORC_PATH_OVERFLOW, 0, true);
}

static bool tell_change(torc_path_watch *self, const char *path, const torc_folder_event *event) {
    const bool is_folder = (event->mask & IN_ISDIR) != 0;

    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++)
        if ((event->mask & kinds[i].mask) && (self->options.changes & kinds[i].change) &&
            !tell(self, path, kinds[i].change, event->cookie, is_folder))
            return false;
    return true;
}

/* Of a folder below: what is in it is watched, or is not any more. */
static void follow(torc_path_watch *self, const char *path, const torc_folder_event *event) {
    if (!self->options.is_recursive || !(event->mask & IN_ISDIR)) return;
    if (event->mask & (IN_MOVED_FROM | IN_DELETE)) drop_below(self, torc_str_of(path));
    if (event->mask & (IN_CREATE | IN_MOVED_TO)) (void)go_down(self, path, true);
}

static void happened(node *of, const torc_folder_event *event) {
    torc_path_watch *self = of->owner;
    char path[PATH_MAX];

    if (event->name.len == 0)
        snprintf(path, sizeof(path), "%s", of->path);
    else if (!join(of, event->name.bytes, path))
        return;
    /* A folder below tells of itself by the one above it. */
    if (event->name.len == 0 && of != first(self)) return;
    if (tell_change(self, path, event) && event->name.len > 0) follow(self, path, event);
}

static void told(torc_folder_watch *watch, const torc_folder_event *event) {
    node *of = torc_container_of(watch, node, watch);
    torc_path_watch *self = of->owner;
    const bool is_self_gone = event->gone || (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF));

    self->telling++;
    if (event->is_overflow)
        overflow(self, of);
    else if (is_self_gone && of == first(self))
        path_gone(self);
    else if (event->gone)
        drop(of);
    else
        happened(of, event);
    if (!self->is_freed) tell_when_ready(self);
    leave_telling(self);
}

/* ---- life ---- */

static torc_path_watch_options read_options(const torc_path_watch_options *given) {
    torc_path_watch_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    options.changes &= TORC_PATH_ALL;
    if (!options.changes) options.changes = TORC_PATH_ALL;
    if (!options.folders_max) options.folders_max = 8192;
    if (!options.entries_max) options.entries_max = 65536;
    return options;
}

static uint32_t mask_of(const torc_path_watch_options *options) {
    uint32_t mask = options->is_recursive ? IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE : 0;

    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++)
        if (options->changes & kinds[i].change) mask |= kinds[i].mask;
    return mask;
}

torc_err torc_path_watch_new(torc_reactor *reactor, const char *path,
                             const torc_path_watch_options *options, torc_path_changed_fn *changed,
                             void *context, torc_path_watch **watch) {
    torc_path_watch *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*self));
    node *top;
    torc_err err;

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->options = read_options(options);
    self->changed = changed;
    self->context = context;
    self->mask = mask_of(&self->options);
    self->is_ready = !self->options.is_recursive;
    torc_list_init(&self->nodes);
    torc_map_init(&self->by_path, &reactor->memory, TORC_MEMORY_CACHE, false);
    err = strlen(path) < PATH_MAX ? add_node(self, path, 0, &top) : TORC_ERR_INVALID;
    if (err) {
        torc_map_dispose(&self->by_path);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    if (self->options.is_recursive) list(top, false);
    *watch = self;
    return TORC_OK;
}

void torc_path_watch_free(torc_path_watch *watch) {
    if (!watch) return;
    drop_all(watch);
    torc_map_dispose(&watch->by_path);
    watch->is_freed = true;
    if (watch->telling == 0) torc_dealloc(&watch->reactor->memory, watch);
}

uint32_t torc_path_watch_count(const torc_path_watch *watch) {
    return watch->count;
}
