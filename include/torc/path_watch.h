/* SPDX-License-Identifier: MIT */
#ifndef TORC_PATH_WATCH_H
#define TORC_PATH_WATCH_H

#include <torc/reactor.h>

/**
 * Watching files and folders for changes (inotify).
 *
 * A watched folder tells what happens to what is in it; a watched file, what happens to the file. A
 * recursive watch goes down into the folders below, also into those that are made, or moved there,
 * later; what is found in such a folder is told as made, perhaps twice, since it may have been made
 * before it was watched. Symbolic links below the path are not followed.
 *
 * Folders are read on threads, so nothing here waits for a disk but the finding of the path. A
 * reactor has one inotify instance. Not seen are writes through a mapping, through a hard link in
 * another folder, and by other machines.
 */
typedef struct torc_path_watch torc_path_watch;

/** What has happened; several may be asked for. */
typedef enum torc_path_change {
    TORC_PATH_MADE = 1,
    TORC_PATH_WRITTEN = 2, /* some bytes, or its length */
    TORC_PATH_CLOSED = 4,  /* by somebody who had opened it for writing: it is complete */
    TORC_PATH_REMOVED = 8,
    TORC_PATH_MOVED_AWAY = 16, /* renamed: this was its name; `cookie` is that of its new one */
    TORC_PATH_MOVED_HERE = 32,
    TORC_PATH_RIGHTS = 64, /* rights, times, owner, links */
    TORC_PATH_ALL = 127,
    /* Told whether asked for or not: */
    TORC_PATH_READY = 256,      /* once: all that was there is watched */
    TORC_PATH_OVERFLOW = 512,   /* too much has happened: look at all of it anew */
    TORC_PATH_UNWATCHED = 1024, /* this folder below cannot be watched: a limit of the kernel */
    TORC_PATH_GONE = 2048       /* what was watched is not there any more; the last that is told */
} torc_path_change;

/** Something has happened to a path, which is told below the one that is watched. */
typedef struct torc_path_event {
    const char *path; /* until the callback returns */
    uint32_t change;  /* one of torc_path_change */
    uint32_t cookie;  /* of both names of a renaming; or 0 */
    bool is_folder;
} torc_path_event;

/** The callee may free the watch. */
typedef void torc_path_changed_fn(torc_path_watch *watch, const torc_path_event *event,
                                  void *context);

/** What is watched. `size` first; zero means the default. */
typedef struct torc_path_watch_options {
    size_t size;          /* sizeof(torc_path_watch_options) */
    uint32_t changes;     /* of torc_path_change; 0: all */
    bool is_recursive;    /* the folders below, too */
    uint32_t folders_max; /* 8192 of them; those beyond are told TORC_PATH_UNWATCHED */
    uint32_t entries_max; /* 65536 in one folder that is gone down into; beyond as above */
} torc_path_watch_options;

TORC_BEGIN_DECLS

/**
 * Watch a path from now on. `options` may be NULL. TORC_ERR_NOT_FOUND, TORC_ERR_PERMISSION,
 * TORC_ERR_NO_SPACE or TORC_ERR_FILE_TABLE_FULL at the kernel's limits (sysctl
 * fs.inotify.max_user_watches, max_user_instances), TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_path_watch_new(torc_reactor *reactor, const char *path,
                                      const torc_path_watch_options *options,
                                      torc_path_changed_fn *changed, void *context,
                                      torc_path_watch **watch) TORC_MUST_CHECK;
/** Watch no more. Before the reactor is freed. NULL is fine. */
TORC_API void torc_path_watch_free(torc_path_watch *watch);
/** How many folders and files are watched for it. */
TORC_API uint32_t torc_path_watch_count(const torc_path_watch *watch);

TORC_END_DECLS

#endif
