/* SPDX-License-Identifier: MIT */
/*
 * A child process and its pipes.
 *
 *  - Each pipe is a transport of its own, with a protocol (a `pipe`) that hands its events on. It
 *    is freed when its connection is lost.
 *  - `ended` is told when the child has ended and no pipe from it is open. Pipes to it are closed
 *    then; nobody reads them, or nobody who matters.
 *  - The process is freed when it was told, all pipes are lost, and the child is gone.
 *  - A process that was freed by its owner goes on without a protocol, being ended.
 */
#include <torc/process.h>

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/alloc.h"
#include "base/options.h"
#include "reactor/subprocess.h"
#include "transport/pipes.h"

enum {
    END_OF_TRANSMISSION = 4,
    TERMINAL_FD = 1 /* what a terminal's bytes are told as */
};

typedef struct pipe {
    torc_protocol base;
    torc_list_node node;
    torc_process *process;
    int fd;
    int terminal; /* its descriptor, if it is one; else -1 */
    bool is_input;
} pipe;

struct torc_process {
    torc_subprocess child;
    torc_reactor *reactor;
    torc_process_protocol *protocol; /* NULL: nobody is told */
    torc_list pipes;
    bool is_started, has_exited, has_ended, is_gone;
    bool is_cancelled;
};

static pipe *of_protocol(torc_protocol *protocol) {
    return torc_container_of(protocol, pipe, base);
}

static pipe *at(torc_list_node *node) {
    return torc_container_of(node, pipe, node);
}

static torc_process *of_child(torc_subprocess *child) {
    return torc_container_of(child, torc_process, child);
}

/* ---- the end ---- */

static bool has_output(const torc_process *self) {
    for (torc_list_node *node = torc_list_first(&self->pipes); node;
         node = torc_list_next(&self->pipes, node))
        if (!at(node)->is_input) return true;
    return false;
}

static void abort_pipes(const torc_process *self) {
    for (torc_list_node *node = torc_list_first(&self->pipes); node;
         node = torc_list_next(&self->pipes, node))
        if (at(node)->base.transport) torc_transport_abort(at(node)->base.transport);
}

/* What comes last, once all of it is over. */
static void go_on(torc_process *self) {
    if (self->has_exited && !self->has_ended && !has_output(self)) {
        torc_process_protocol *protocol = self->protocol;

        self->has_ended = true;
        self->protocol = NULL;
        abort_pipes(self);
        if (protocol) protocol->process = NULL;
        if (protocol && protocol->ops->ended) protocol->ops->ended(protocol, &self->child.status);
    }
    if (self->has_ended && self->is_gone && torc_list_is_empty(&self->pipes))
        torc_dealloc(&self->reactor->memory, self);
}

static void child_ended(torc_subprocess *child) {
    torc_process *self = of_child(child);
    const torc_process_protocol *protocol = self->protocol;

    if (protocol && protocol->ops->exited) protocol->ops->exited(self->protocol, &child->status);
    self->has_exited = true;
    if (self->is_cancelled) abort_pipes(self);
    go_on(self);
}

static void child_gone(torc_subprocess *child) {
    torc_process *self = of_child(child);

    self->is_gone = true;
    go_on(self);
}

static const torc_subprocess_ops child_ops = {.ended = child_ended, .gone = child_gone};

/* ---- pipes ---- */

static void pipe_made(torc_protocol *protocol) {
    (void)protocol;
}

static size_t pipe_received(torc_protocol *protocol, torc_str bytes) {
    const pipe *self = of_protocol(protocol);
    torc_process_protocol *told = self->process->protocol;

    if (!told || !told->ops->data_received) return bytes.len;
    return told->ops->data_received(told, self->fd, bytes);
}

/* Only so that the transport is not closed before all was consumed. */
static void pipe_peer_ended(torc_protocol *protocol) {
    (void)protocol;
}

static void pipe_input_ended(torc_protocol *protocol) {
    torc_transport_close(protocol->transport);
}

static void pipe_drained(torc_protocol *protocol) {
    const pipe *self = of_protocol(protocol);
    torc_process_protocol *told = self->process->protocol;

    if (told && told->ops->drained) told->ops->drained(told, self->terminal < 0 ? self->fd : 0);
}

static void pipe_lost(torc_protocol *protocol, torc_err reason) {
    pipe *self = of_protocol(protocol);
    torc_process *process = self->process;
    torc_process_protocol *told = process->protocol;
    const int fd = self->fd;

    torc_list_remove(&self->node);
    torc_dealloc(&process->reactor->memory, self);
    if (told && told->ops->pipe_closed) told->ops->pipe_closed(told, fd, reason);
    go_on(process);
}

static const torc_protocol_ops pipe_ops = {
    .connection_made = pipe_made,
    .data_received = pipe_received,
    .peer_ended = pipe_peer_ended,
    .input_ended = pipe_input_ended,
    .drained = pipe_drained,
    .connection_lost = pipe_lost,
};

/* Over this side's end, which is taken: of a terminal both ways. */
static torc_err add_pipe(torc_process *self, int here, int fd, bool reads, bool writes) {
    pipe *made = torc_alloc_zero(&self->reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*made));
    const torc_pipes_options options = {.input = reads ? here : -1, .output = writes ? here : -1};
    torc_pipes *pipes;

    const torc_err err = torc_pipes_new(self->reactor, &options, &pipes);
    if (err || !made) {
        if (!err) torc_transport_abort(&pipes->base);
        torc_dealloc(&self->reactor->memory, made);
        return TORC_ERR_NO_MEMORY;
    }
    made->base.ops = &pipe_ops;
    made->process = self;
    made->fd = fd;
    made->terminal = reads && writes ? here : -1;
    made->is_input = !reads;
    torc_list_push(&self->pipes, &made->node);
    torc_transport_made(&pipes->base, &made->base);
    return TORC_OK;
}

/* ---- starting ---- */

/* The ends of this side become pipes. What cannot be is closed, and the first error told. */
static torc_err add_pipes(torc_process *self, torc_spawn_wiring *wiring) {
    torc_err err = TORC_OK;

    for (size_t i = 0; i < wiring->end_count; i++) {
        const torc_spawn_end *end = &wiring->ends[i];
        const torc_err failed = add_pipe(self, end->here, end->fd, !end->is_input, end->is_input);
        if (!err) err = failed;
    }
    if (wiring->terminal >= 0) {
        const torc_err failed = add_pipe(self, wiring->terminal, TERMINAL_FD, true, true);
        if (!err) err = failed;
    }
    return err;
}

static torc_err start(torc_process *self, const torc_spawn_options *options,
                      torc_spawn_error *error) {
    torc_spawn_wiring wiring;
    torc_err err = torc_spawn_wire_up(self->reactor, options, &wiring, error);

    if (err) return err;
    err = torc_subprocess_start(&self->child, self->reactor, options, &wiring, &child_ops, error);
    torc_spawn_close_lent(&wiring);
    if (err) {
        torc_spawn_close_ends(&wiring);
        return err;
    }
    self->is_started = true;
    err = add_pipes(self, &wiring);
    if (!err) return TORC_OK;
    torc_process_free(self); /* later: when the child has ended */
    return torc_spawn_fail(error, ENOMEM, "pipe", NULL);
}

static torc_spawn_options read_options(const torc_spawn_options *given) {
    torc_spawn_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    return options;
}

torc_err torc_process_spawn(torc_reactor *reactor, const torc_spawn_options *given,
                            torc_process_protocol *protocol, torc_spawn_error *error) {
    const torc_spawn_options options = read_options(given);
    torc_process *self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self));
    torc_spawn_error unread;

    if (!error) error = &unread;
    if (!self) return torc_spawn_fail(error, ENOMEM, "process", NULL);
    self->reactor = reactor;
    torc_list_init(&self->pipes);
    const torc_err err = start(self, &options, error);
    if (err) {
        if (!self->is_started) torc_dealloc(&reactor->memory, self);
        return err;
    }
    self->protocol = protocol;
    protocol->process = self;
    return TORC_OK;
}

/* ---- using ---- */

void torc_process_free(torc_process *process) {
    if (!process) return;
    if (process->protocol) process->protocol->process = NULL;
    process->protocol = NULL;
    torc_process_cancel(process);
    abort_pipes(process);
}

int torc_process_pid(const torc_process *process) {
    return (int)process->child.pid;
}

static pipe *find(torc_process *process, int fd) {
    for (torc_list_node *node = torc_list_first(&process->pipes); node;
         node = torc_list_next(&process->pipes, node))
        if (at(node)->fd == fd || (at(node)->terminal >= 0 && fd >= 0 && fd <= 2)) return at(node);
    return NULL;
}

torc_transport *torc_process_pipe(torc_process *process, int fd) {
    const pipe *found = find(process, fd);
    return found ? found->base.transport : NULL;
}

void torc_process_write(torc_process *process, torc_str bytes) {
    torc_transport *input = torc_process_pipe(process, 0);
    if (input) torc_transport_write(input, bytes);
}

void torc_process_close_input(torc_process *process) {
    const pipe *input = find(process, 0);
    const char end = END_OF_TRANSMISSION;

    if (!input) return;
    if (input->terminal >= 0)
        torc_transport_write(input->base.transport, torc_str_make(&end, 1));
    else
        torc_transport_close(input->base.transport);
}

torc_err torc_process_signal(torc_process *process, int number) {
    return torc_subprocess_signal(&process->child, number, false);
}

void torc_process_cancel(torc_process *process) {
    process->is_cancelled = true;
    torc_subprocess_end(&process->child);
    if (process->has_exited) abort_pipes(process);
}

torc_err torc_process_set_window(torc_process *process, uint16_t columns, uint16_t rows) {
    const struct winsize window = {.ws_col = columns, .ws_row = rows};
    const pipe *terminal = find(process, TERMINAL_FD);

    if (!terminal || terminal->terminal < 0) return TORC_ERR_STATE;
    return ioctl(terminal->terminal, TIOCSWINSZ, &window) ? torc_err_from_errno(errno) : TORC_OK;
}
