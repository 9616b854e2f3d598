/* SPDX-License-Identifier: MIT */
/*
 * A process as the peer of a protocol.
 *
 *  - The transport is over pipes that were laid here; the child inherits their other ends. Its
 *    process object knows of its errors and its end only.
 *  - The peer is freed when both the transport and the process have gone.
 */
#include "transport/process_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/spawn.h"
#include "reactor/syscalls.h"
#include "transport/line_log.h"
#include "transport/pipes.h"

enum {
    GRACE_MS = 5000,
    STANDARD = 3
};

typedef struct peer {
    torc_process_protocol base;
    torc_reactor *reactor;
    torc_pipes *pipes; /* NULL once it is gone */
    torc_timer grace;
    uint64_t grace_ms;
    torc_line_log errors;
    char *name;
    bool has_ended; /* the process */
} peer;

/* What is laid between both: the ends here, and those that the child inherits. */
typedef struct laid {
    int input, output, childs_input, childs_output;
} laid;

static peer *of_protocol(torc_process_protocol *protocol) {
    return torc_container_of(protocol, peer, base);
}

static void free_if_over(peer *self) {
    torc_memory *memory = &self->reactor->memory;

    if (self->pipes || !self->has_ended) return;
    torc_timer_cancel(&self->grace);
    torc_dealloc(memory, self->name);
    torc_dealloc(memory, self);
}

static size_t data_received(torc_process_protocol *protocol, int fd, torc_str bytes) {
    peer *self = of_protocol(protocol);

    if (fd == STDERR_FILENO)
        torc_line_log_add(&self->errors, self->reactor->log, TORC_LOG_LEVEL_WARN, self->name,
                          bytes);
    return bytes.len;
}

static void exited(torc_process_protocol *protocol, const torc_exit_status *status) {
    const peer *self = of_protocol(protocol);

    if (torc_exit_is_success(status)) return;
    TORC_LOG_INFO(self->reactor->log, "process", "a child has ended",
                  TORC_LOG_TEXT("child", self->name), TORC_LOG_INT("code", status->code),
                  TORC_LOG_INT("signal", status->signal));
}

static void ended(torc_process_protocol *protocol, const torc_exit_status *status) {
    peer *self = of_protocol(protocol);

    (void)status;
    torc_line_log_end(&self->errors, self->reactor->log, TORC_LOG_LEVEL_WARN, self->name);
    self->has_ended = true;
    free_if_over(self);
}

static const torc_process_protocol_ops peer_ops = {
    .data_received = data_received, .exited = exited, .ended = ended};

static void grace_is_over(torc_timer *timer) {
    const peer *self = torc_container_of(timer, peer, grace);
    if (self->base.process) torc_process_cancel(self->base.process);
}

/* The transport has. */
static void gone(torc_pipes *pipes, void *context) {
    peer *self = context;

    self->pipes = NULL;
    if (self->base.process && pipes->base.reason == TORC_ERR_CLOSED)
        torc_timer_arm(&self->grace, self->grace_ms);
    else if (self->base.process)
        torc_process_cancel(self->base.process);
    free_if_over(self);
}

/* ---- starting ---- */

static void close_laid(const laid *it, bool here) {
    const int fds[] = {it->childs_input, it->childs_output, here ? it->input : -1,
                       here ? it->output : -1};

    for (size_t i = 0; i < TORC_COUNT_OF(fds); i++)
        if (fds[i] >= 0) close(fds[i]);
}

static bool lay(torc_reactor *reactor, int *read_end, int *write_end, int *here) {
    int ends[2];

    if (torc_sys_fails(reactor, TORC_SYS_SPAWN, NULL) || pipe2(ends, O_CLOEXEC)) return false;
    *read_end = ends[0];
    *write_end = ends[1];
    fcntl(*here, F_SETFL, O_NONBLOCK | (here == read_end ? O_RDONLY : O_WRONLY));
    return true;
}

static torc_err lay_both(torc_reactor *reactor, laid *it, torc_spawn_error *error) {
    *it = (laid){-1, -1, -1, -1};
    if (lay(reactor, &it->input, &it->childs_output, &it->input) &&
        lay(reactor, &it->childs_input, &it->output, &it->output))
        return TORC_OK;
    const torc_err err = torc_spawn_fail(error, errno, "pipe", NULL);
    close_laid(it, true);
    return err;
}

static torc_spawn_fd errors_fd(torc_process_errors errors) {
    switch (errors) {
    case TORC_PROCESS_ERRORS_LOG:
        return (torc_spawn_fd){.fd = STDERR_FILENO, .kind = TORC_SPAWN_OUTPUT};
    case TORC_PROCESS_ERRORS_INHERIT:
        return (torc_spawn_fd){
            .fd = STDERR_FILENO, .kind = TORC_SPAWN_INHERIT, .from = STDERR_FILENO};
    case TORC_PROCESS_ERRORS_DROP:
        break;
    }
    return (torc_spawn_fd){.fd = STDERR_FILENO, .kind = TORC_SPAWN_NULL};
}

static torc_err start(peer *self, const torc_spawn_options *given, torc_process_errors errors,
                      const laid *it, torc_spawn_error *error) {
    torc_spawn_fd fds[TORC_SPAWN_FDS_MAX] = {
        {.fd = STDIN_FILENO, .kind = TORC_SPAWN_INHERIT, .from = it->childs_input},
        {.fd = STDOUT_FILENO, .kind = TORC_SPAWN_INHERIT, .from = it->childs_output},
        errors_fd(errors)};
    torc_spawn_options options = *given;

    options.fds = fds;
    options.fd_count = STANDARD;
    for (size_t i = 0; i < given->fd_count && options.fd_count < TORC_SPAWN_FDS_MAX; i++)
        if (given->fds[i].fd >= STANDARD) fds[options.fd_count++] = given->fds[i];
    self->base.ops = &peer_ops;
    return torc_process_spawn(self->reactor, &options, &self->base, error);
}

static torc_err connect_pipes(peer *self, const laid *it, torc_spawn_error *error) {
    const torc_pipes_options options = {.input = it->input,
                                        .output = it->output,
                                        .is_patient = true,
                                        .gone = gone,
                                        .context = self};

    const torc_err err = torc_pipes_new(self->reactor, &options, &self->pipes);
    if (!err) return TORC_OK;
    torc_process_cancel(self->base.process); /* and is freed when that has ended */
    return torc_spawn_fail(error, ENOMEM, "pipe", NULL);
}

static peer *new_peer(torc_reactor *reactor, const torc_spawn_options *options) {
    torc_memory *memory = &reactor->memory;
    const char *name = options->program ? options->program : "";
    peer *self = torc_alloc_zero(memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));
    char *copy = torc_alloc(memory, TORC_MEMORY_CONNECTION, strlen(name) + 1);

    if (!self || !copy) {
        torc_dealloc(memory, self);
        torc_dealloc(memory, copy);
        return NULL;
    }
    strcpy(copy, name);
    self->name = copy;
    self->reactor = reactor;
    self->grace_ms = options->grace_ms ? options->grace_ms : GRACE_MS;
    torc_timer_init(&self->grace, reactor, grace_is_over);
    return self;
}

static void free_unstarted(peer *self) {
    self->has_ended = true;
    free_if_over(self);
}

static torc_err new_pipes(torc_reactor *reactor, const torc_spawn_options *options,
                          torc_process_errors errors, torc_pipes **pipes, torc_spawn_error *error) {
    torc_spawn_error unread;
    laid it;

    if (!error) error = &unread;
    torc_err err = lay_both(reactor, &it, error);
    if (err) return err;
    peer *self = new_peer(reactor, options);
    err = self ? start(self, options, errors, &it, error)
               : torc_spawn_fail(error, ENOMEM, "process", NULL);
    close_laid(&it, err != TORC_OK);
    if (err) {
        if (self) free_unstarted(self);
        return err;
    }
    err = connect_pipes(self, &it, error);
    if (!err) *pipes = self->pipes;
    return err;
}

torc_err torc_process_peer_new(torc_reactor *reactor, const torc_spawn_options *options,
                               torc_process_errors errors, torc_transport **transport,
                               torc_spawn_error *error) {
    torc_pipes *pipes;
    const torc_err err = new_pipes(reactor, options, errors, &pipes, error);

    if (!err) *transport = &pipes->base;
    return err;
}

torc_err torc_process_connect(torc_reactor *reactor, const torc_spawn_options *options,
                              torc_process_errors errors, torc_protocol *protocol,
                              torc_spawn_error *error) {
    torc_pipes *pipes;
    const torc_err err = new_pipes(reactor, options, errors, &pipes, error);

    if (!err) torc_pipes_bind_later(pipes, protocol);
    return err;
}
