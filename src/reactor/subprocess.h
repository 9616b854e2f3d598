/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_SUBPROCESS_H
#define TORC_REACTOR_SUBPROCESS_H

#include "reactor/spawn.h"

/*
 * A child process: its end, told as an event, and how it is brought about.
 *
 * A child never outlives its reactor, and none is left unwaited for: when the reactor is freed,
 * what still runs is killed. Embedded in its owner.
 */
typedef struct torc_subprocess torc_subprocess;
typedef struct torc_subprocess_ops {
    void (*ended)(torc_subprocess *child); /* `status` says how; once */
    void (*gone)(torc_subprocess *child);  /* the last: free here */
} torc_subprocess_ops;

/* The members are subprocess.c's; the owner reads `pid`, `status` and `has_ended`. */
struct torc_subprocess {
    const torc_subprocess_ops *ops;
    torc_io io; /* watches its pidfd */
    torc_list_node node;
    torc_timer kill, watch_again;
    pid_t pid;
    torc_exit_status status;
    uint64_t grace_ms;
    bool has_group; /* of its own */
    bool is_ending; /* it was told to end */
    bool is_waited_for;
    bool has_ended; /* told */
};

/* Start it with its wires. When this fails neither event comes. */
torc_err torc_subprocess_start(torc_subprocess *child, torc_reactor *reactor,
                               const torc_spawn_options *options, const torc_spawn_wiring *wiring,
                               const torc_subprocess_ops *ops,
                               torc_spawn_error *error) TORC_MUST_CHECK;
/* Send a signal: to the process, or to its group, if it has one. TORC_ERR_STATE: it has ended. */
torc_err torc_subprocess_signal(torc_subprocess *child, int number, bool group) TORC_MUST_CHECK;
/* SIGTERM, and SIGKILL after the grace time, to its group; what of that is left when the child has
 * ended is killed. Repeating is fine. */
void torc_subprocess_end(torc_subprocess *child);
/*
 * Some child of this process has ended: if it is one of the reactor's, wait for it; false: it is
 * somebody else's. For who waits for all of a process's children.
 */
bool torc_subprocess_wait_for(torc_reactor *reactor, pid_t pid);

#endif
