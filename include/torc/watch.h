/* SPDX-License-Identifier: MIT */
#ifndef TORC_WATCH_H
#define TORC_WATCH_H

#include <torc/deferred.h>

/**
 * Watching descriptors: any that can be polled (pipes, sockets, terminals, timerfd, what a library
 * has), to be told when they are ready.
 *
 * Who asks keeps the descriptor, reads and writes it, and closes it whenever he likes: the watch
 * has a duplicate of its own. It is told again as long as the descriptor is ready
 * (level-triggered), so take what is there, or ask for less.
 */
typedef struct torc_watch torc_watch;

enum {
    TORC_WATCH_READ = 1,  /* there is something to read, or the end */
    TORC_WATCH_PRI = 2,   /* something urgent */
    TORC_WATCH_WRITE = 4, /* there is room to write */
    TORC_WATCH_ERROR = 8, /* told without being asked for: so are these two */
    TORC_WATCH_HUP = 16
};

/** A watched descriptor is ready for `events`, some of which may not have been asked for. */
typedef void torc_watch_fn(void *context, torc_watch *watch, uint32_t events);

TORC_BEGIN_DECLS

/**
 * Watch `fd` for `events` (0: none, for now). TORC_ERR_UNSUPPORTED: this cannot be polled (a file
 * is always ready); TORC_ERR_FILE_TABLE_FULL: there is no descriptor for the duplicate;
 * TORC_ERR_NO_MEMORY, TORC_ERR_SYSTEM.
 */
TORC_API torc_err torc_watch_new(torc_reactor *reactor, int fd, uint32_t events,
                                 torc_watch_fn *ready, void *context,
                                 torc_watch **watch) TORC_MUST_CHECK;
/** Ask for other events; 0: none. What came before may still be told once. */
TORC_API void torc_watch_set(torc_watch *watch, uint32_t events);
/** The descriptor that it was made with, whatever has become of it. */
TORC_API int torc_watch_fd(const torc_watch *watch);
/** Watch no more; also from inside its callback. NULL is fine. */
TORC_API void torc_watch_free(torc_watch *watch);

/** Fires when `fd` is ready for some of `events`: the value is those, as (uint32_t)(uintptr_t). */
TORC_API torc_deferred *torc_defer_fd(torc_reactor *reactor, int fd, uint32_t events);
/** The same on a fiber; `ready` may be NULL. An error, or the reason of a cancel. */
TORC_API torc_err torc_wait_fd(torc_reactor *reactor, int fd, uint32_t events,
                               uint32_t *ready) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
