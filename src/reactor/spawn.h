/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_SPAWN_H
#define TORC_REACTOR_SPAWN_H

#include <sys/types.h>
#include <torc/spawn.h>

#include "reactor/reactor.h"

/*
 * Starting a process: first the descriptors of both sides are laid, then it is made.
 */
enum {
    TORC_SPAWN_WIRES_MAX = TORC_SPAWN_FDS_MAX + 3,
    TORC_SPAWN_FD_MAX = 255
};

/* A descriptor of the child, and the one of this process that it comes from. */
typedef struct torc_spawn_wire {
    int fd, source;
} torc_spawn_wire;

/* This process's end of a pipe to or from the child's descriptor `fd`. */
typedef struct torc_spawn_end {
    int fd, here;
    bool is_input; /* the child's, so it is written here */
} torc_spawn_end;

typedef struct torc_spawn_wiring {
    torc_spawn_wire wires[TORC_SPAWN_WIRES_MAX]; /* by the child's descriptor, ascending */
    size_t wire_count;
    torc_spawn_end ends[TORC_SPAWN_FDS_MAX]; /* non-blocking */
    size_t end_count;
    int lent[TORC_SPAWN_WIRES_MAX]; /* open for the child alone */
    size_t lent_count;
    int terminal; /* this side of it, non-blocking, or -1; the other is in `lent` */
} torc_spawn_wiring;

/* Open what the options ask for. What fails leaves nothing open. */
torc_err torc_spawn_wire_up(torc_reactor *reactor, const torc_spawn_options *options,
                            torc_spawn_wiring *wiring, torc_spawn_error *error) TORC_MUST_CHECK;
/* The child has its descriptors, or there will be none. */
void torc_spawn_close_lent(torc_spawn_wiring *wiring);
/* Close this side, too. */
void torc_spawn_close_ends(torc_spawn_wiring *wiring);

/* Start it. `*pidfd` becomes readable at its end; then it is to be waited for. */
torc_err torc_spawn(torc_reactor *reactor, const torc_spawn_options *options,
                    const torc_spawn_wiring *wiring, torc_spawn_error *error, pid_t *pid,
                    int *pidfd) TORC_MUST_CHECK;
/* Fill in an error and return it. `what` may be NULL. */
torc_err torc_spawn_fail(torc_spawn_error *error, int number, const char *step, const char *what);

#endif
