/* SPDX-License-Identifier: MIT */
/*
 * Cases in processes of their own.
 *
 *  - The process tells its outcome through one pipe, and all that it prints goes through another:
 *    it has ended when both have, which is also when it crashes.
 *  - It is the leader of a group, with which it is killed: what it has started ends with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "testing/run.h"

enum {
    OUTPUT_MAX = 16 * 1024 * 1024,
    PART = 4096,
    POLLED_MAX = 512
};

static int64_t now_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- in the child ---- */

/* The outcome's write fits into a pipe, and is told before the leak sanitizer looks. */
static _Noreturn void be_child(torc_test_case *test, int printed, int told) {
    setpgid(0, 0);
    dup2(printed, STDOUT_FILENO);
    dup2(printed, STDERR_FILENO);
    close(printed);
    setvbuf(stdout, NULL, _IOLBF, 0);
    const torc_test_outcome outcome = torc_test_case_run(test);
    const ssize_t written = write(told, &outcome, sizeof(outcome));
    close(told);
    exit(written == (ssize_t)sizeof(outcome) && !outcome.has_failed ? 0 : 1);
}

/* ---- in the parent ---- */

static bool open_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC) == 0;
}

static void close_both(const int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

bool torc_test_child_start(torc_test_child *self, torc_test_case *test, unsigned number,
                           unsigned limit_s) {
    int printed[2], told[2];

    *self = (torc_test_child){0};
    if (!open_pipe(printed)) return false;
    if (!open_pipe(told)) {
        close_both(printed);
        return false;
    }
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        close(printed[0]);
        close(told[0]);
        be_child(test, printed[1], told[1]);
    }
    close(printed[1]);
    close(told[1]);
    if (pid < 0) {
        close(printed[0]);
        close(told[0]);
        return false;
    }
    setpgid(pid, pid); /* whoever of both is first */
    *self = (torc_test_child){.test = test,
                              .number = number,
                              .pid = pid,
                              .printed = printed[0],
                              .told = told[0],
                              .until_ms = limit_s ? now_ms() + (int64_t)limit_s * 1000 : INT64_MAX};
    torc_buf_init(&self->output, NULL, TORC_MEMORY_OTHER, OUTPUT_MAX);
    return true;
}

/* Read from a pipe, which is closed at its end. */
static void read_printed(torc_test_child *self) {
    char bytes[PART];
    const ssize_t got = read(self->printed, bytes, sizeof(bytes));

    if (got > 0) {
        if (self->output.len + (size_t)got <= OUTPUT_MAX)
            torc_buf_add(&self->output, torc_str_make(bytes, (size_t)got));
    } else if (got == 0 || errno != EINTR) {
        close(self->printed);
        self->printed = -1;
    }
}

static void read_told(torc_test_child *self) {
    char *to = (char *)&self->outcome + self->outcome_len;
    char none;
    const size_t room = sizeof(self->outcome) - self->outcome_len;
    const ssize_t got = read(self->told, room ? to : &none, room ? room : 1);

    if (got > 0 && room) {
        self->outcome_len += (size_t)got;
    } else if (got == 0 || errno != EINTR) {
        close(self->told);
        self->told = -1;
    }
}

static void stop_if_late(torc_test_child *self, int64_t now) {
    if (now < self->until_ms || self->is_late) return;
    self->is_late = true;
    kill(-self->pid, SIGKILL);
    kill(self->pid, SIGKILL);
}

/* The outcome's pipe is closed by the end of the process itself; what it has started may hold the
 * other one open. */
static bool has_ended(const torc_test_child *self) {
    return self->test && self->told < 0;
}

static torc_test_child *find_ended(torc_test_child *children, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (has_ended(&children[i])) return &children[i];
    return NULL;
}

static int soonest_ms(const torc_test_child *children, unsigned count, int64_t now) {
    int64_t soonest = INT64_MAX;

    for (unsigned i = 0; i < count; i++)
        if (children[i].test && !children[i].is_late && children[i].until_ms < soonest)
            soonest = children[i].until_ms;
    if (soonest == INT64_MAX) return -1;
    return soonest <= now ? 0 : soonest - now > 1000000 ? 1000000 : (int)(soonest - now);
}

torc_test_child *torc_test_children_wait(torc_test_child *children, unsigned count) {
    struct pollfd polled[POLLED_MAX];
    torc_test_child *ended;

    while ((ended = find_ended(children, count)) == NULL) {
        nfds_t used = 0;
        for (unsigned i = 0; i < count && used + 2 <= POLLED_MAX; i++) {
            if (!children[i].test) continue;
            polled[used++] = (struct pollfd){.fd = children[i].printed, .events = POLLIN};
            polled[used++] = (struct pollfd){.fd = children[i].told, .events = POLLIN};
        }
        if (used == 0) return NULL;
        if (poll(polled, used, soonest_ms(children, count, now_ms())) < 0) continue;
        for (unsigned i = 0, at = 0; i < count && at < used; i++) {
            if (!children[i].test) continue;
            if (polled[at++].revents) read_printed(&children[i]);
            if (polled[at++].revents) read_told(&children[i]);
            stop_if_late(&children[i], now_ms());
        }
    }
    return ended;
}

/* What it printed last is still in the pipe; nobody is waited for who holds the other end. */
static void read_rest(torc_test_child *self) {
    struct pollfd polled = {.fd = self->printed, .events = POLLIN};

    while (self->printed >= 0 && poll(&polled, 1, 0) > 0) {
        read_printed(self);
        polled.fd = self->printed;
    }
    if (self->printed >= 0) close(self->printed);
    self->printed = -1;
}

int torc_test_child_end(torc_test_child *self) {
    int status = 0;

    while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR) continue;
    kill(-self->pid, SIGKILL); /* what it has left running */
    read_rest(self);
    return status;
}
