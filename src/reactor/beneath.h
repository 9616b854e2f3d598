/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_BENEATH_H
#define TORC_REACTOR_BENEATH_H

#include "reactor/reactor.h"

/*
 * Opening files beneath a folder, and nowhere else.
 *
 * May block: for threads, but for the quick form. Any thread.
 */

/* Whether what is not in the kernel's caches may be waited for. */
typedef enum torc_beneath_wait {
    TORC_BENEATH_MAY_BLOCK,
    TORC_BENEATH_QUICK, /* TORC_ERR_AGAIN instead: then let a thread do it */
    /* The same, and TORC_ERR_UNSUPPORTED instead of following a symbolic link */
    TORC_BENEATH_QUICK_UNLINKED
} torc_beneath_wait;

/*
 * Open `path`, relative to the folder and without `..`, for reading. Symbolic links are followed as
 * far as they stay beneath the folder; where the kernel cannot hold them there (no openat2, or a
 * filter that forbids it) none is followed. Pipes and devices are opened without waiting for them.
 * What leads outside is TORC_ERR_NOT_FOUND.
 */
torc_err torc_beneath_open(const torc_reactor *reactor, int folder, const char *path,
                           torc_beneath_wait wait, int *fd) TORC_MUST_CHECK;

/*
 * Open the folder at a path of the process as a place to open what is beneath it. Never waits:
 * TORC_ERR_AGAIN if it had to, TORC_ERR_UNSUPPORTED if the kernel cannot tell.
 */
torc_err torc_beneath_open_top(const torc_reactor *reactor, const char *path,
                               int *fd) TORC_MUST_CHECK;

#endif
