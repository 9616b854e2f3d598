/* SPDX-License-Identifier: MIT */
/*
 * A child process, by its pidfd.
 *
 * States: running → (ending: SIGTERM was sent, the timer `kill` is armed) → waited for → ended
 * (told) → gone (the watch is closed).
 *
 *  - Its number is its own until it was waited for: signals are sent before that only.
 *  - It is waited for here, or by torc_subprocess_wait_for(), where somebody else was told first;
 *    either way the pidfd tells of its end, from the poller.
 *  - The watch is closed once its end was told; by a reactor that is freed, before: then it is
 *    killed, which takes no time, and waited for.
 */
#include "reactor/subprocess.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    GRACE_MS = 5000,
    WATCH_AGAIN_MS = 50
};

static torc_subprocess *of_io(torc_io *io) {
    return torc_container_of(io, torc_subprocess, io);
}

static void note(torc_subprocess *child, const siginfo_t *info) {
    const bool has_exited = info->si_code == CLD_EXITED;

    child->status = (torc_exit_status){
        .code = has_exited ? info->si_status : -1,
        .signal = has_exited ? 0 : info->si_status,
        .dumped_core = info->si_code == CLD_DUMPED,
    };
}

/* Its group, and so its number, is its own until it was waited for. */
static void kill_group(const torc_subprocess *child, int number) {
    kill(child->has_group ? -child->pid : child->pid, number);
}

/* Somebody who waits for all children may have taken its status. */
static bool wait_for(torc_subprocess *child, int options) {
    siginfo_t info = {0};
    int result;

    if (child->is_waited_for) return true;
    if (child->is_ending) kill_group(child, SIGKILL);
    do result = waitid(P_PID, (id_t)child->pid, &info, WEXITED | options);
    while (result < 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0) return false;
    if (result == 0)
        note(child, &info);
    else
        child->status = (torc_exit_status){.code = -1};
    child->is_waited_for = true;
    torc_list_remove(&child->node);
    torc_timer_cancel(&child->kill);
    return true;
}

static void end(torc_subprocess *child) {
    child->has_ended = true;
    torc_timer_cancel(&child->watch_again);
    child->ops->ended(child);
}

static void ready(torc_io *io, uint32_t events) {
    torc_subprocess *child = of_io(io);

    (void)events;
    if (!wait_for(child, WNOHANG)) return;
    torc_io_close(io, false);
    end(child);
}

static void watch_again(torc_timer *timer) {
    torc_io_watch(&torc_container_of(timer, torc_subprocess, watch_again)->io, EPOLLIN);
}

static void failed(torc_io *io, torc_err err) {
    (void)err;
    torc_timer_arm(&of_io(io)->watch_again, WATCH_AGAIN_MS);
}

static void closed(torc_io *io) {
    torc_subprocess *child = of_io(io);

    close(io->fd);
    if (!child->has_ended) {
        if (!child->is_waited_for) kill_group(child, SIGKILL);
        (void)wait_for(child, 0);
        end(child);
    }
    child->ops->gone(child);
}

static const torc_io_ops io_ops = {.ready = ready, .failed = failed, .closed = closed};

static void grace_is_over(torc_timer *timer) {
    kill_group(torc_container_of(timer, torc_subprocess, kill), SIGKILL);
}

torc_err torc_subprocess_start(torc_subprocess *child, torc_reactor *reactor,
                               const torc_spawn_options *options, const torc_spawn_wiring *wiring,
                               const torc_subprocess_ops *ops, torc_spawn_error *error) {
    int pidfd;

    *child = (torc_subprocess){
        .ops = ops,
        .grace_ms = options->grace_ms ? options->grace_ms : GRACE_MS,
        .has_group = options->has_terminal || options->group != TORC_SPAWN_SAME_GROUP,
    };
    torc_timer_init(&child->kill, reactor, grace_is_over);
    torc_timer_init(&child->watch_again, reactor, watch_again);
    torc_err err = torc_spawn(reactor, options, wiring, error, &child->pid, &pidfd);
    if (err) return err;
    err = torc_io_open(&child->io, reactor, TORC_IO_WATCH, pidfd, 0, &io_ops);
    if (err) {
        *error = (torc_spawn_error){.err = err, .text = "process: it cannot be watched"};
        close(pidfd);
        kill_group(child, SIGKILL);
        (void)wait_for(child, 0);
        return err;
    }
    torc_list_push(&reactor->children, &child->node);
    torc_io_watch(&child->io, EPOLLIN);
    return TORC_OK;
}

torc_err torc_subprocess_signal(torc_subprocess *child, int number, bool group) {
    if (child->is_waited_for) return TORC_ERR_STATE;
    if (kill(group && child->has_group ? -child->pid : child->pid, number))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

/* One that is stopped would see SIGTERM when it is continued only. */
void torc_subprocess_end(torc_subprocess *child) {
    if (child->is_waited_for || child->is_ending) return;
    child->is_ending = true;
    kill_group(child, SIGTERM);
    kill_group(child, SIGCONT);
    torc_timer_arm(&child->kill, child->grace_ms);
}

bool torc_subprocess_wait_for(torc_reactor *reactor, pid_t pid) {
    for (torc_list_node *node = torc_list_first(&reactor->children); node;
         node = torc_list_next(&reactor->children, node)) {
        torc_subprocess *child = torc_container_of(node, torc_subprocess, node);
        if (child->pid == pid) return wait_for(child, WNOHANG);
    }
    return false;
}
