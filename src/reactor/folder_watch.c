/* SPDX-License-Identifier: MIT */
/*
 * Watching folders by inotify.
 *
 *  - A reactor has one instance, made with the first watch and closed with the reactor: a user may
 *    have but few of them.
 *  - The kernel has one watch for a folder, however often it was asked for; those who asked stand
 *    in the list of its torc_watched_folder. The kernel's goes with the last of them.
 *  - The kernel's numbers of watches are not used again, so an event that was on its way when its
 *    watch was removed finds nobody.
 *  - The kernel tells of a folder what any of its watches has asked for; each is told of its own.
 *  - A turn reads so many events at most. When more are there, or the kernel has dropped some, all
 *    watches are told that something has changed.
 */
#include "reactor/folder_watch.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/map.h"
#include "reactor/syscalls.h"

enum {
    CHANGES = IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO |
              IN_DELETE_SELF | IN_MOVE_SELF,
    READS_MAX = 16 /* of TORC_RECEIVE_SIZE in a turn: some 20,000 events */
};

typedef struct torc_watched_folder {
    int number; /* -1: the kernel's has gone */
    bool is_telling;
    torc_list watches;
    torc_list_node node;
} torc_watched_folder;

typedef struct torc_folder_watcher {
    torc_io io;
    torc_map by_number; /* of all folders, by the bytes of their number */
    torc_list folders;
} torc_folder_watcher;

static torc_str key_of(const int *number) {
    return torc_str_make((const char *)number, sizeof(*number));
}

/* ---- folders ---- */

/* The kernel watches it no more; its number finds nobody. */
static void forget_number(torc_folder_watcher *self, torc_watched_folder *folder) {
    torc_map_remove(&self->by_number, key_of(&folder->number));
    folder->number = -1;
}

static void drop_unwatched(torc_folder_watcher *self, torc_watched_folder *folder) {
    if (folder->is_telling || !torc_list_is_empty(&folder->watches)) return;
    if (folder->number >= 0) {
        inotify_rm_watch(self->io.fd, folder->number);
        forget_number(self, folder);
    }
    torc_list_remove(&folder->node);
    torc_dealloc(&self->io.reactor->memory, folder);
}

/* ---- telling ---- */

/* One is told, if it is of its changes. */
static void tell_one(torc_folder_watch *watch, const torc_folder_event *event) {
    if (!event->gone && !event->is_overflow && !(event->mask & watch->mask)) return;
    if (watch->told)
        watch->told(watch, event);
    else
        watch->changed(watch, event->name, event->gone);
}

/* Tell all who watch one folder; they may stop, and so may others. */
static void tell(torc_folder_watcher *self, torc_watched_folder *folder,
                 const torc_folder_event *event) {
    torc_list round;
    torc_list_node *node;

    torc_list_init(&round);
    torc_list_take(&round, &folder->watches);
    folder->is_telling = true;
    while ((node = torc_list_pop(&round)) != NULL) {
        torc_folder_watch *watch = torc_container_of(node, torc_folder_watch, node);
        if (event->gone)
            watch->watched = NULL;
        else
            torc_list_push(&folder->watches, node);
        tell_one(watch, event);
    }
    folder->is_telling = false;
    drop_unwatched(self, folder);
}

/* Nobody knows what has changed. */
static void tell_all(torc_folder_watcher *self) {
    const torc_folder_event event = {.is_overflow = true};
    torc_list round;
    torc_list_node *node;

    torc_list_init(&round);
    torc_list_take(&round, &self->folders);
    while ((node = torc_list_pop(&round)) != NULL) {
        torc_list_push(&self->folders, node);
        tell(self, torc_container_of(node, torc_watched_folder, node), &event);
    }
}

static void tell_event(torc_folder_watcher *self, const struct inotify_event *event) {
    torc_watched_folder *folder = torc_map_find(&self->by_number, key_of(&event->wd));
    const torc_folder_event told = {.name = torc_str_of(event->len ? event->name : NULL),
                                    .mask = event->mask,
                                    .cookie = event->cookie,
                                    .gone = (event->mask & IN_IGNORED) != 0};

    if (event->mask & IN_Q_OVERFLOW) tell_all(self);
    if (!folder) return;
    if (told.gone) forget_number(self, folder);
    tell(self, folder, &told);
}

/* Read some events; false: there are no more for now. */
static bool read_events(torc_folder_watcher *self) {
    const torc_reactor *reactor = self->io.reactor;
    char *const bytes = reactor->scratch;
    const ssize_t got = read(self->io.fd, bytes, TORC_RECEIVE_SIZE);
    struct inotify_event event;

    for (ssize_t at = 0; at < got; at += (ssize_t)(sizeof(event) + event.len)) {
        memcpy(&event, bytes + at, sizeof(event));
        tell_event(self, (const struct inotify_event *)(const void *)(bytes + at));
    }
    /* One that had no room left is longer than a name can be. */
    return got > TORC_RECEIVE_SIZE - (ssize_t)(sizeof(event) + NAME_MAX + 1);
}

static void ready(torc_io *io, uint32_t events) {
    torc_folder_watcher *self = torc_container_of(io, torc_folder_watcher, io);

    (void)events;
    for (int i = 0; i < READS_MAX; i++)
        if (!read_events(self)) return;
    tell_all(self);
}

/* It lives as long as the reactor. */
static void closed(torc_io *io) {
    (void)io;
}

static const torc_io_ops io_ops = {.ready = ready, .closed = closed};

/* ---- starting and stopping ---- */

static torc_err open_watcher(torc_folder_watcher *self, torc_reactor *reactor) {
    torc_err err;
    int fd;

    if (torc_sys_fails(reactor, TORC_SYS_WATCH, NULL)) return torc_err_from_errno(errno);
    fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) return torc_err_from_errno(errno);
    err = torc_io_open(&self->io, reactor, TORC_IO_WATCH, fd, 0, &io_ops);
    if (err)
        close(fd);
    else
        torc_io_watch(&self->io, EPOLLIN);
    return err;
}

static torc_err watcher_of(torc_reactor *reactor, torc_folder_watcher **watcher) {
    torc_folder_watcher *self = reactor->folder_watcher;
    torc_err err;

    *watcher = self;
    if (self) return TORC_OK;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_CACHE, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    torc_map_init(&self->by_number, &reactor->memory, TORC_MEMORY_CACHE, false);
    torc_list_init(&self->folders);
    err = open_watcher(self, reactor);
    if (err) {
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    reactor->folder_watcher = *watcher = self;
    return TORC_OK;
}

/* Note a folder that the kernel watches by now. */
static torc_watched_folder *add_folder(torc_folder_watcher *self, int number) {
    torc_memory *memory = &self->io.reactor->memory;
    torc_watched_folder *folder = torc_alloc_zero(memory, TORC_MEMORY_CACHE, 1, sizeof(*folder));

    if (!folder) return NULL;
    folder->number = number;
    torc_list_init(&folder->watches);
    if (torc_map_set(&self->by_number, key_of(&folder->number), folder)) {
        torc_dealloc(memory, folder);
        return NULL;
    }
    torc_list_push(&self->folders, &folder->node);
    return folder;
}

/* Watch a path for a mask, besides what others watch it for. */
static torc_err start(torc_folder_watch *watch, torc_reactor *reactor, const char *path) {
    torc_folder_watcher *self;
    torc_watched_folder *folder;
    torc_err err = watcher_of(reactor, &self);

    if (err) return err;
    if (torc_sys_fails(reactor, TORC_SYS_WATCH, NULL)) return torc_err_from_errno(errno);
    const int number = inotify_add_watch(self->io.fd, path, watch->mask | IN_MASK_ADD);
    if (number < 0) return torc_err_from_errno(errno);
    folder = torc_map_find(&self->by_number, key_of(&number));
    if (!folder) folder = add_folder(self, number);
    if (!folder) {
        inotify_rm_watch(self->io.fd, number);
        return TORC_ERR_NO_MEMORY;
    }
    watch->reactor = reactor;
    watch->watched = folder;
    torc_list_push(&folder->watches, &watch->node);
    return TORC_OK;
}

torc_err torc_folder_watch_start(torc_folder_watch *watch, torc_reactor *reactor, int fd,
                                 torc_folder_changed_fn *changed) {
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    *watch = (torc_folder_watch){.changed = changed, .mask = CHANGES | IN_ONLYDIR | IN_EXCL_UNLINK};
    return start(watch, reactor, path);
}

torc_err torc_folder_watch_start_path(torc_folder_watch *watch, torc_reactor *reactor,
                                      const char *path, uint32_t mask, torc_folder_told_fn *told) {
    const uint32_t always = IN_DELETE_SELF | IN_MOVE_SELF;

    *watch = (torc_folder_watch){.told = told, .mask = mask | always};
    return start(watch, reactor, path);
}

void torc_folder_watch_stop(torc_folder_watch *watch) {
    torc_watched_folder *folder = watch->watched;

    if (!folder) return;
    watch->watched = NULL;
    torc_list_remove(&watch->node);
    drop_unwatched(watch->reactor->folder_watcher, folder);
}

void torc_folder_watcher_free(torc_reactor *reactor) {
    torc_folder_watcher *self = reactor->folder_watcher;

    if (!self) return;
    close(self->io.fd);
    torc_map_dispose(&self->by_number);
    torc_dealloc(&reactor->memory, self);
    reactor->folder_watcher = NULL;
}
