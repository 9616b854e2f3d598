/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROCESS_H
#define TORC_PROCESS_H

#include <torc/deferred.h>
#include <torc/spawn.h>
#include <torc/transport.h>

/**
 * Child processes: what they write arrives as an event, and so does their end.
 *
 * torc_process_run() starts one, gives it bytes, collects what it writes, and waits for its end.
 * torc_process_spawn() starts one whose events a protocol is told.
 *
 * Each pipe to or from the child is a transport: torc_process_pipe() gives it, for writing with
 * marks, for pausing, for producers, for closing. A child whose pipe is paused waits when the pipe
 * is full.
 *
 * No child outlives its reactor, and none becomes a zombie: whoever lets go of one has it told to
 * end (SIGTERM, after the grace time SIGKILL, to its process group), and it is waited for; a
 * reactor that is freed kills what still runs, and when this process, or its reactor's thread, dies
 * without that, its children get SIGTERM from the kernel. The program may use SIGCHLD and wait for
 * children of its own by their numbers; one that waits for all of its children takes the statuses
 * of these, too, which then end with the code -1 and no signal.
 *
 * With --seccomp no process can be started, nor be told to end: neither is among the calls that
 * serving needs, and a filter that let a child be executed would be worth little. A program that
 * starts some is run without it.
 */
typedef struct torc_process torc_process;
typedef struct torc_process_protocol torc_process_protocol;

/** What is told; any may be NULL. In each, anything may be done with the process. */
typedef struct torc_process_protocol_ops {
    /**
     * The child wrote to its descriptor `fd` (to its terminal: 1). Bytes, lent; answers how many
     * were consumed, as a protocol's data_received does. NULL: they are dropped.
     */
    size_t (*data_received)(torc_process_protocol *protocol, int fd, torc_str bytes);
    /** What was written for `fd` fell to the low mark after it had reached the high one. */
    void (*drained)(torc_process_protocol *protocol, int fd);
    /** A pipe is no more: the child has closed its end, or this side has. */
    void (*pipe_closed)(torc_process_protocol *protocol, int fd, torc_err reason);
    /** The process has ended; what it wrote may still come. */
    void (*exited)(torc_process_protocol *protocol, const torc_exit_status *status);
    /** It has ended, and all that it wrote was consumed: the last event. The process is gone. */
    void (*ended)(torc_process_protocol *protocol, const torc_exit_status *status);
} torc_process_protocol_ops;

/** Embedded in a struct of its own kind. */
struct torc_process_protocol {
    const torc_process_protocol_ops *ops;
    torc_process *process; /* set by torc_process_spawn(), NULL after `ended` */
};

TORC_BEGIN_DECLS

/**
 * Start a process and tell `protocol` of it. What fails is told in `error` (NULL: to nobody):
 * TORC_ERR_NOT_FOUND for no such program or folder, TORC_ERR_PERMISSION, TORC_ERR_FILE_TABLE_FULL,
 * TORC_ERR_INVALID for an option.
 */
TORC_API torc_err torc_process_spawn(torc_reactor *reactor, const torc_spawn_options *options,
                                     torc_process_protocol *protocol,
                                     torc_spawn_error *error) TORC_MUST_CHECK;
/** Tell its protocol nothing more: it is told to end, and waited for. NULL is fine. */
TORC_API void torc_process_free(torc_process *process);
TORC_API int torc_process_pid(const torc_process *process);
/**
 * The pipe to or from the child's descriptor, or its terminal for 0, 1 and 2; NULL: there is none,
 * or none any more. Its protocol is the library's.
 */
TORC_API torc_transport *torc_process_pipe(torc_process *process, int fd);
/** Write to the child's standard input; nothing, when it is closed. */
TORC_API void torc_process_write(torc_process *process, torc_str bytes);
/** The child's standard input ends when all that was written has left; at a terminal, as by
 * Ctrl-D at the beginning of a line. */
TORC_API void torc_process_close_input(torc_process *process);
/** Send a signal to the process. TORC_ERR_STATE when it has ended. */
TORC_API torc_err torc_process_signal(torc_process *process, int number) TORC_MUST_CHECK;
/**
 * Let it end: SIGTERM to its group, SIGKILL after the grace time. When the process itself has ended
 * the rest of its group is killed, and its pipes are closed, since a child of its own may hold
 * them. `exited` and `ended` are told as always. Repeating is fine.
 */
TORC_API void torc_process_cancel(torc_process *process);
/** Change the size of its terminal. TORC_ERR_STATE when it has none. */
TORC_API torc_err torc_process_set_window(torc_process *process, uint16_t columns,
                                          uint16_t rows) TORC_MUST_CHECK;

/** What becomes of the errors (descriptor 2) of a child that is a protocol's peer. */
typedef enum torc_process_errors {
    TORC_PROCESS_ERRORS_LOG,    /* its lines are warnings in the reactor's log ("process") */
    TORC_PROCESS_ERRORS_DROP,   /* to /dev/null */
    TORC_PROCESS_ERRORS_INHERIT /* to where this process's go */
} torc_process_errors;

/**
 * Start a process that is the peer of a protocol: what it writes to 1 is received, what is written
 * to the transport it reads from 0. `connection_made` comes in the next turn. Closing the transport
 * ends its standard input: then it has the grace time to end by itself, and is told to. After an
 * abort it is told to end at once. A child that stops reading loses what is written for it, and is
 * heard until it closes its output: that is the peer's end. Descriptors 0 to 2 of the options are
 * not used.
 */
TORC_API torc_err torc_process_connect(torc_reactor *reactor, const torc_spawn_options *options,
                                       torc_process_errors errors, torc_protocol *protocol,
                                       torc_spawn_error *error) TORC_MUST_CHECK;

/** How torc_process_run() runs; all is lent for the call. NULL stands for `{0}`. */
typedef struct torc_process_run_options {
    size_t size;             /* sizeof(torc_process_run_options) */
    torc_str input;          /* is copied; its standard input ends after it */
    size_t output_max;       /* bytes of output, and of errors; 0: 1 MiB */
    bool truncates;          /* keep the first `output_max`, and drop the others */
    uint64_t timeout_ms;     /* 0: none */
    torc_spawn_error *error; /* when it cannot be started: why; written in the call. May be NULL */
} torc_process_run_options;

/** What it did. */
typedef struct torc_process_result {
    torc_exit_status status;
    torc_str output, errors; /* what it wrote to 1 and to 2; live as long as this */
    bool is_truncated;
} torc_process_result;

/**
 * Run a process to its end; fires with a torc_process_result, disposed of by
 * torc_process_result_free(). How it ended is for the caller to look at. Fails with what
 * torc_process_spawn() fails with; with TORC_ERR_TIMEOUT, or TORC_ERR_TOO_LARGE when it writes more
 * than it may, after it was told to end and has. So does cancelling, with TORC_ERR_CANCELLED.
 * Descriptors of `spawn` may be left out, but 0, 1 and 2 that are named are used as named.
 */
TORC_API torc_deferred *torc_process_run(torc_reactor *reactor, const torc_spawn_options *spawn,
                                         const torc_process_run_options *options);
/** The same on a fiber. */
TORC_API torc_err torc_process_run_await(torc_reactor *reactor, const torc_spawn_options *spawn,
                                         const torc_process_run_options *options,
                                         torc_process_result **result) TORC_MUST_CHECK;
TORC_API void torc_process_result_free(torc_process_result *result);

TORC_END_DECLS

#endif
