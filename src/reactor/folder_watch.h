/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_FOLDER_WATCH_H
#define TORC_REACTOR_FOLDER_WATCH_H

#include <torc/str.h>

#include "base/list.h"
#include "reactor/reactor.h"

/*
 * Folders that are watched for changes of what is in them.
 *
 * A watch is embedded in its owner. The kernel notes a change before the call that makes it
 * returns, and a turn tells changes before it tells of streams: so who changes a file and then
 * asks for it on a connection that was silent is answered after the change was told. Not seen are
 * writes through a mapping, through a name in another folder, and by other machines.
 */
typedef struct torc_folder_watch torc_folder_watch;

/*
 * Something in the folder was made, written, renamed, removed, or given other rights: what has this
 * name. Without a name: the folder itself, or nobody knows what, since too much has happened.
 * `gone`: nothing will be told any more, and the watch has stopped. The callee may stop any watch.
 */
typedef void torc_folder_changed_fn(torc_folder_watch *watch, torc_str name, bool gone);

/* The same in the kernel's words: the bits of inotify(7). */
typedef struct torc_folder_event {
    torc_str name;
    uint32_t mask;
    uint32_t cookie;
    bool gone;
    bool is_overflow; /* nobody knows what has happened */
} torc_folder_event;
typedef void torc_folder_told_fn(torc_folder_watch *watch, const torc_folder_event *event);

/* Zero: it watches nothing. */
struct torc_folder_watch {
    torc_reactor *reactor;
    torc_folder_changed_fn *changed;
    torc_folder_told_fn *told;           /* instead */
    uint32_t mask;                       /* what is told */
    struct torc_watched_folder *watched; /* NULL: it watches nothing */
    torc_list_node node;
};

/*
 * Watch the folder that is open as `fd`, which may be closed then. Does not wait for a disk. Fails
 * with TORC_ERR_NO_SPACE or TORC_ERR_FILE_TABLE_FULL at the kernel's limits, TORC_ERR_NOT_FOUND
 * where there is no /proc, TORC_ERR_PERMISSION if the folder cannot be listed, TORC_ERR_NO_MEMORY.
 */
torc_err torc_folder_watch_start(torc_folder_watch *watch, torc_reactor *reactor, int fd,
                                 torc_folder_changed_fn *changed) TORC_MUST_CHECK;
/*
 * Watch what is at a path, of whatever kind, for the changes of `mask`, which may have IN_ONLYDIR
 * and IN_DONT_FOLLOW besides. What is told of the thing itself, or that it is gone, always is.
 */
torc_err torc_folder_watch_start_path(torc_folder_watch *watch, torc_reactor *reactor,
                                      const char *path, uint32_t mask,
                                      torc_folder_told_fn *told) TORC_MUST_CHECK;
/* Watch no more. Repeating it is fine. */
void torc_folder_watch_stop(torc_folder_watch *watch);

/* Of the reactor's end: nobody watches any more. */
void torc_folder_watcher_free(torc_reactor *reactor);

#endif
