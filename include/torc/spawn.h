/* SPDX-License-Identifier: MIT */
#ifndef TORC_SPAWN_H
#define TORC_SPAWN_H

#include <torc/err.h>

/**
 * What a child process is started with, how that may fail, and how it has ended.
 *
 * A child has the descriptors that are named and no others, whatever the program has open; of 0, 1
 * and 2, those that are not named are /dev/null. Its signals are as the kernel gives them to a
 * program that is started: nothing is blocked; SIGPIPE, SIGXFSZ and SIGCHLD, and all that the
 * program handles, take their default action; what the program ignores else stays ignored (nohup).
 * Its limit of descriptors is that which this program was started with, if it was raised since.
 *
 * Starting holds the reactor until the child runs the program, as posix_spawn() does: about a
 * millisecond, and not longer for a large parent, whose memory is not copied (vfork). It is copied
 * when the child is to be another user: two users never share memory.
 */
typedef enum torc_spawn_fd_kind {
    TORC_SPAWN_INPUT,   /* a pipe that the child reads */
    TORC_SPAWN_OUTPUT,  /* a pipe that the child writes */
    TORC_SPAWN_INHERIT, /* the descriptor `from` of this process, which keeps it */
    TORC_SPAWN_SAME,    /* what the child's descriptor `from` is; 2 as 1: output and errors mixed */
    TORC_SPAWN_NULL     /* /dev/null */
} torc_spawn_fd_kind;

/** A descriptor of the child, 0 to 255. */
typedef struct torc_spawn_fd {
    int fd;
    torc_spawn_fd_kind kind;
    int from;
} torc_spawn_fd;

/** RLIMIT_CPU, say, as setrlimit(2) takes it. */
typedef struct torc_spawn_limit {
    int resource;
    uint64_t soft, hard; /* UINT64_MAX: none */
} torc_spawn_limit;

/** Whose rights the child has; only root may change them. Its supplementary groups are these. */
typedef struct torc_spawn_user {
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
} torc_spawn_user;

typedef enum torc_spawn_group {
    TORC_SPAWN_OWN_GROUP,  /* the default: it is ended with the children that it makes */
    TORC_SPAWN_SAME_GROUP, /* a terminal's keys reach it, as they reach this process */
    TORC_SPAWN_SESSION     /* a session, which has no terminal */
} torc_spawn_group;

/** All is lent for the call. `size` first, so that new members do not break the ABI. */
typedef struct torc_spawn_options {
    size_t size; /* sizeof(torc_spawn_options) */
    /* A path; without a slash it is looked for in the PATH of the child's environment. */
    const char *program;
    /* From the first argument on, ended by NULL. NULL: none. */
    const char *const *arguments;
    const char *name; /* its argv[0]; NULL: `program` */
    /* "NAME=value", ended by NULL. NULL: this process's. One NULL alone: empty. */
    const char *const *environment;
    const char *folder; /* where it works; NULL: here */
    const torc_spawn_fd *fds;
    size_t fd_count; /* 0: pipes for 0, 1 and 2; at most TORC_SPAWN_FDS_MAX */
    const torc_spawn_user *user;
    const torc_spawn_limit *limits;
    size_t limit_count;
    torc_spawn_group group;
    /* A terminal of its own for 0, 1 and 2, and a session; `fds` names others only. */
    bool has_terminal;
    uint16_t columns, rows; /* of the terminal; 0: 80 and 24 */
    bool has_umask;
    uint16_t umask;
    uint64_t grace_ms; /* 5000; when it is to end: from SIGTERM until SIGKILL */
} torc_spawn_options;

enum {
    TORC_SPAWN_FDS_MAX = 64
};

/** Why there is no child. */
typedef struct torc_spawn_error {
    torc_err err;
    int number;     /* errno; 0: it is an option that cannot be */
    char text[200]; /* "no such program: foo" */
} torc_spawn_error;

/** How a process has ended. */
typedef struct torc_exit_status {
    int code;         /* what it returned; -1: it did not */
    int signal;       /* that ended it; 0: none */
    bool dumped_core; /* by that signal */
} torc_exit_status;

TORC_BEGIN_DECLS

/**
 * Look up a user, by name or number, with the groups that the system gives him, of which there is
 * room for `group_max` in `groups`; they are the caller's, and `user` refers to them. May read
 * files, or ask a directory, and so hold the reactor: when a program starts, or on a thread. A
 * number that is nobody's is taken as it is, its group being of the same number.
 * TORC_ERR_NOT_FOUND, TORC_ERR_LIMIT (more groups than there is room for).
 */
TORC_API torc_err torc_spawn_user_find(const char *name, uint32_t *groups, size_t group_max,
                                       torc_spawn_user *user) TORC_MUST_CHECK;

/** Whether a process has returned 0. */
static inline bool torc_exit_is_success(const torc_exit_status *status) {
    return status->code == 0;
}

TORC_END_DECLS

#endif
