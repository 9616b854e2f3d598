/* SPDX-License-Identifier: MIT */
/*
 * Starting a process.
 *
 *  - The child shares the parent's memory until it runs the program (vfork), so a large parent
 *    costs nothing; it writes to its own stack alone and makes system calls by themselves, since
 *    the C library's may touch what threads share. For another user it is a copy (fork).
 *  - No signal is delivered in the thread from before the child is made until it has gone: the
 *    parent's handlers must not run on shared memory.
 *  - What goes wrong in the child comes back through a pipe, which a program that runs has closed:
 *    the step and the errno.
 *  - All paths where the program may be were put together before, so the child allocates nothing.
 */
#include "reactor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/syscalls.h"

extern char **environ;

enum {
    SIGNAL_SET_BYTES = 8, /* of the kernel's */
    LAST_SIGNAL = 64,
    CLOSED_ONE_BY_ONE_MAX = 65536,
    EXIT_NOT_RUN = 127
};

typedef enum step {
    STEP_SIGNALS,
    STEP_GROUP,
    STEP_TERMINAL,
    STEP_DESCRIPTORS,
    STEP_LIMITS,
    STEP_USER,
    STEP_FOLDER,
    STEP_EXEC
} step;

static const char *const step_names[] = {
    [STEP_SIGNALS] = "signals",
    [STEP_GROUP] = "process group",
    [STEP_TERMINAL] = "terminal",
    [STEP_DESCRIPTORS] = "descriptors",
    [STEP_LIMITS] = "limits",
    [STEP_USER] = "user",
    [STEP_FOLDER] = "working directory",
    [STEP_EXEC] = "program",
};

/* What the child tells when it cannot go on. */
typedef struct report {
    int step, number;
} report;

/* What the child needs; it changes nothing of it. */
typedef struct plan {
    const torc_spawn_options *options;
    const torc_spawn_wiring *wiring;
    const char *const *environment;
    char **arguments; /* argv, ended by NULL */
    char *paths;      /* where the program may be, each ended by NUL, an empty one at the end */
    uint64_t files;   /* soft limit of descriptors, 0: as it is */
    int report_fd;
} plan;

/* ---- in the child ---- */

static _Noreturn void give_up(int report_fd, step where) {
    const report it = {.step = (int)where, .number = errno};

    while (write(report_fd, &it, sizeof(it)) < 0 && errno == EINTR) continue;
    _exit(EXIT_NOT_RUN);
}

/* The kernel's struct begins with the handler; the C library's call would note it in memory. */
static bool reset_signals(void) {
    const unsigned long unblocked = 0;

    for (int number = 1; number <= LAST_SIGNAL; number++) {
        unsigned long action[8] = {0};
        if (syscall(SYS_rt_sigaction, number, NULL, action, SIGNAL_SET_BYTES)) continue;
        const bool is_ignored = action[0] == (unsigned long)(uintptr_t)SIG_IGN;
        const bool is_ours = number == SIGPIPE || number == SIGXFSZ || number == SIGCHLD;
        if (action[0] == (unsigned long)(uintptr_t)SIG_DFL || (is_ignored && !is_ours)) continue;
        memset(action, 0, sizeof(action));
        (void)!syscall(SYS_rt_sigaction, number, action, NULL, SIGNAL_SET_BYTES);
    }
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &unblocked, NULL, SIGNAL_SET_BYTES) == 0;
}

static bool join_group(const torc_spawn_options *options) {
    if (options->has_terminal || options->group == TORC_SPAWN_SESSION) return setsid() >= 0;
    return options->group == TORC_SPAWN_SAME_GROUP || setpgid(0, 0) == 0;
}

static void close_from_to(unsigned first, unsigned last) {
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
    if (last > CLOSED_ONE_BY_ONE_MAX) last = CLOSED_ONE_BY_ONE_MAX;
    for (unsigned fd = first; fd <= last; fd++) close((int)fd);
}

/* Everything but the wires and the report is closed. */
static void close_others(const torc_spawn_wiring *wiring, int report_fd) {
    unsigned next = 0;

    for (size_t i = 0; i < wiring->wire_count; i++) {
        const unsigned fd = (unsigned)wiring->wires[i].fd;
        if (fd > next) close_from_to(next, fd - 1);
        next = fd + 1;
    }
    if ((unsigned)report_fd > next) close_from_to(next, (unsigned)report_fd - 1);
    close_from_to((unsigned)report_fd + 1, ~0U);
}

/* Sources are moved away first, so that none is overwritten before it was copied. `*report_fd` is
 * moved behind them. */
static bool lay_wires(const torc_spawn_wiring *wiring, int *report_fd) {
    const int above = wiring->wires[wiring->wire_count - 1].fd + 1;
    int moved[TORC_SPAWN_WIRES_MAX];

    const int report_moved = fcntl(*report_fd, F_DUPFD_CLOEXEC, above);
    if (report_moved < 0) return false;
    *report_fd = report_moved;
    for (size_t i = 0; i < wiring->wire_count; i++) {
        moved[i] = fcntl(wiring->wires[i].source, F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0) return false;
    }
    for (size_t i = 0; i < wiring->wire_count; i++)
        if (dup2(moved[i], wiring->wires[i].fd) < 0) return false;
    close_others(wiring, *report_fd);
    return true;
}

static bool set_limit(int resource, uint64_t soft, uint64_t hard) {
    const struct rlimit limit = {
        .rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : (rlim_t)soft,
        .rlim_max = hard == UINT64_MAX ? RLIM_INFINITY : (rlim_t)hard,
    };
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0; /* an enum, for glibc */
}

static bool set_limits(const plan *self) {
    struct rlimit now;

    if (self->files && getrlimit(RLIMIT_NOFILE, &now) == 0) {
        now.rlim_cur = (rlim_t)self->files;
        (void)!setrlimit(RLIMIT_NOFILE, &now);
    }
    for (size_t i = 0; i < self->options->limit_count; i++) {
        const torc_spawn_limit *limit = &self->options->limits[i];
        if (!set_limit(limit->resource, limit->soft, limit->hard)) return false;
    }
    return true;
}

/* The C library's would let all threads of the parent follow. */
static bool change_user(const torc_spawn_user *user) {
    if (!user) return true;
    return syscall(SYS_setgroups, user->group_count, user->groups) == 0 &&
           syscall(SYS_setresgid, user->gid, user->gid, user->gid) == 0 &&
           syscall(SYS_setresuid, user->uid, user->uid, user->uid) == 0;
}

/* The first that can be run; where none is, that one may not be is what is told. */
static void exec_any(const plan *self) {
    int number = ENOENT;

    for (const char *path = self->paths; *path; path += strlen(path) + 1) {
        execve(path, self->arguments, (char *const *)(uintptr_t)self->environment);
        if (errno == ENOENT || errno == ENOTDIR) continue;
        number = errno;
        if (number != EACCES) break;
    }
    errno = number;
}

static _Noreturn void run_child(const plan *self) {
    const torc_spawn_options *options = self->options;
    int report_fd = self->report_fd;

    if (!join_group(options)) give_up(report_fd, STEP_GROUP);
    if (!lay_wires(self->wiring, &report_fd)) give_up(report_fd, STEP_DESCRIPTORS);
    if (options->has_terminal && ioctl(0, TIOCSCTTY, 0)) give_up(report_fd, STEP_TERMINAL);
    if (options->has_umask) umask(options->umask);
    if (!set_limits(self)) give_up(report_fd, STEP_LIMITS);
    if (!change_user(options->user)) give_up(report_fd, STEP_USER);
    if (options->folder && chdir(options->folder)) give_up(report_fd, STEP_FOLDER);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* after a change of user, which would clear it */
    if (!reset_signals()) give_up(report_fd, STEP_SIGNALS);
    exec_any(self);
    give_up(report_fd, STEP_EXEC);
}

/* ---- in the parent ---- */

/* On a frame of its own: the child leaves it as it is. */
static __attribute__((noinline)) pid_t make_child(const plan *self) {
    const pid_t pid = self->options->user ? fork() : vfork();
    if (pid == 0) run_child(self);
    return pid;
}

static pid_t make_child_undisturbed(torc_reactor *reactor, const plan *self) {
    sigset_t all, before;

    if (torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL)) return -1;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = make_child(self);
    const int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

/* Where a program without a slash is looked for. */
static const char *path_of(const char *const *environment) {
    for (; *environment; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

static char *list_paths(torc_memory *memory, const char *program, const char *path) {
    const size_t len = strlen(program);
    torc_str rest = torc_str_of(path), folder;
    size_t parts = 1;

    for (const char *at = path; *at; at++) parts += *at == ':';
    char *list =
        torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, strlen(path) + parts * (len + 4) + len + 2);
    if (!list) return NULL;
    if (strchr(program, '/')) {
        memcpy(list, program, len);
        return list;
    }
    for (char *at = list; torc_str_split(&rest, ':', &folder); at += strlen(at) + 1)
        sprintf(at, "%.*s/%s", folder.len ? (int)folder.len : 1, folder.len ? folder.bytes : ".",
                program);
    return list;
}

static char **list_arguments(torc_memory *memory, const torc_spawn_options *options) {
    size_t count = 0;

    while (options->arguments && options->arguments[count]) count++;
    char **list = torc_alloc(memory, TORC_MEMORY_OTHER, (count + 2) * sizeof(char *));
    if (!list) return NULL;
    list[0] = (char *)(uintptr_t)(options->name ? options->name : options->program);
    for (size_t i = 0; i < count; i++) list[i + 1] = (char *)(uintptr_t)options->arguments[i];
    list[count + 1] = NULL;
    return list;
}

static torc_err tell(const torc_spawn_options *options, const report *it, torc_spawn_error *error) {
    if (it->step == STEP_EXEC && it->number == ENOENT)
        return torc_spawn_fail(error, it->number, "no such program", options->program);
    if (it->step == STEP_EXEC && it->number == ENOEXEC)
        return torc_spawn_fail(error, it->number, "not a program, nor a script that begins with #!",
                               options->program);
    char text[160];
    const char *what = it->step == STEP_EXEC     ? options->program
                       : it->step == STEP_FOLDER ? options->folder
                                                 : "";

    snprintf(text, sizeof(text), "%s%s%s", step_names[it->step], *what ? " " : "", what);
    return torc_spawn_fail(error, it->number, text, NULL);
}

static torc_err tell_none(torc_spawn_error *error) {
    const bool is_forbidden = errno == ENOSYS || errno == EPERM;

    return torc_spawn_fail(error, errno, "process",
                           is_forbidden ? "this one may start none; was it begun with --seccomp?"
                                        : NULL);
}

static void wait_for(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}

/* The child runs the program, or says why it does not. */
static torc_err hear(const plan *self, int fd, pid_t pid, torc_spawn_error *error) {
    report it;
    ssize_t got;

    do got = read(fd, &it, sizeof(it));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(it)) return TORC_OK;
    wait_for(pid);
    return tell(self->options, &it, error);
}

static torc_err open_pidfd(torc_reactor *reactor, pid_t pid, torc_spawn_error *error, int *pidfd) {
    const long fd =
        torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL) ? -1 : syscall(SYS_pidfd_open, pid, 0);

    if (fd < 0) {
        const int number = errno;
        kill(pid, SIGKILL);
        wait_for(pid);
        return torc_spawn_fail(error, number, "process", NULL);
    }
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    *pidfd = (int)fd;
    return TORC_OK;
}

static torc_err start(torc_reactor *reactor, plan *self, torc_spawn_error *error, pid_t *pid,
                      int *pidfd) {
    int report_pipe[2];

    if (torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL) || pipe2(report_pipe, O_CLOEXEC))
        return torc_spawn_fail(error, errno, "pipe", NULL);
    self->report_fd = report_pipe[1];
    *pid = make_child_undisturbed(reactor, self);
    torc_err err = *pid < 0 ? tell_none(error) : TORC_OK;
    close(report_pipe[1]);
    if (!err) err = hear(self, report_pipe[0], *pid, error);
    close(report_pipe[0]);
    return err ? err : open_pidfd(reactor, *pid, error, pidfd);
}

torc_err torc_spawn(torc_reactor *reactor, const torc_spawn_options *options,
                    const torc_spawn_wiring *wiring, torc_spawn_error *error, pid_t *pid,
                    int *pidfd) {
    torc_memory *memory = torc_reactor_memory(reactor);
    plan self = {.options = options, .wiring = wiring, .files = reactor->files_before};
    torc_err err = TORC_ERR_NO_MEMORY;

    if (!options->program || !*options->program)
        return torc_spawn_fail(error, 0, "no program is named", NULL);
    self.environment =
        options->environment ? options->environment : (const char *const *)(uintptr_t)environ;
    self.arguments = list_arguments(memory, options);
    self.paths = list_paths(memory, options->program, path_of(self.environment));
    if (self.arguments && self.paths)
        err = start(reactor, &self, error, pid, pidfd);
    else
        torc_spawn_fail(error, ENOMEM, "process", NULL);
    torc_dealloc(memory, self.arguments);
    torc_dealloc(memory, self.paths);
    return err;
}
