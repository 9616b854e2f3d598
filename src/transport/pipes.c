/* SPDX-License-Identifier: MIT */
/*
 * The transport over two descriptors.
 *
 *  - Each end has an io of its own; the transport is closed, and freed, when the last of them has
 *    told `closed`.
 *  - From the end of the output on, by closing or because nobody reads, what is to be sent is
 *    consumed at once; what was being sent then is consumed when the io has let go of it.
 */
#include "transport/pipes.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

static torc_pipes *self_of(torc_transport *transport) {
    return torc_container_of(transport, torc_pipes, base);
}

static torc_pipes_end *of_io(torc_io *io) {
    return torc_container_of(io, torc_pipes_end, io);
}

/* What happens first finds a protocol that has its connection. */
static void bind_protocol(torc_pipes *self) {
    torc_protocol *protocol = self->protocol;

    if (!protocol) return;
    self->protocol = NULL;
    torc_call_cancel(&self->bind);
    torc_transport_made(&self->base, protocol);
}

/* ---- events of the ends ---- */

static size_t received(torc_io *io, torc_str bytes) {
    return torc_transport_received(&of_io(io)->pipes->base, bytes);
}

static void peer_ended(torc_io *io) {
    bind_protocol(of_io(io)->pipes);
    torc_transport_peer_ended(&of_io(io)->pipes->base);
}

static void input_ended(torc_io *io) {
    torc_transport_input_ended(&of_io(io)->pipes->base);
}

static void sent(torc_io *io, size_t bytes) {
    torc_transport_sent(&of_io(io)->pipes->base, bytes);
}

static void close_end(torc_pipes_end *end, bool reset) {
    if (!end->is_open) return;
    if (end->file)
        torc_file_end_close(end->file);
    else
        torc_io_close(&end->io, reset);
}

static void end_output(torc_pipes *self) {
    if (!self->has_output) return;
    self->has_output = false;
    if (!self->is_one) close_end(&self->output, false);
}

static void run_bind(torc_call *call) {
    bind_protocol(torc_container_of(call, torc_pipes, bind));
}

void torc_pipes_bind_later(torc_pipes *pipes, torc_protocol *protocol) {
    pipes->protocol = protocol;
    pipes->bind.run = run_bind;
    torc_reactor_post(pipes->base.reactor, &pipes->bind);
}

static void failed(torc_io *io, torc_err err) {
    torc_pipes *self = of_io(io)->pipes;

    bind_protocol(self);
    if (of_io(io) == &self->output && self->is_patient && self->input.is_open)
        end_output(self);
    else
        torc_transport_failed(&self->base, err);
}

/* What was being sent is let go of. */
static void drop_sending(torc_pipes *self) {
    torc_outgoing *outgoing = self->base.outgoing;
    const size_t len = outgoing ? outgoing->sending : 0;

    if (len == 0) return;
    torc_chain_consume(&outgoing->chain, len);
    torc_transport_sent(&self->base, len);
}

static void free_self(torc_pipes *self) {
    torc_memory *memory = &self->base.reactor->memory;

    if (self->gone) self->gone(self, self->context);
    torc_object_dealloc(memory, TORC_MEMORY_CONNECTION, self, sizeof(*self));
}

/* The output may have ended before the connection. */
static void end_closed(torc_pipes_end *end) {
    torc_pipes *self = end->pipes;

    end->is_open = false;
    if (end == &self->output && !torc_transport_has_ended(&self->base)) drop_sending(self);
    if (self->input.is_open || self->output.is_open) return;
    if (!torc_transport_has_ended(&self->base)) return;
    torc_transport_closed(&self->base);
    free_self(self);
}

static void closed(torc_io *io) {
    end_closed(of_io(io));
}

/* The reactor that is freed closes files, too, and says nothing before. */
static void file_closed(void *context) {
    torc_pipes_end *end = context;
    torc_pipes *self = end->pipes;

    bind_protocol(self);
    end->file = NULL;
    end->is_open = false;
    if (end != &self->output || self->has_output)
        torc_transport_failed(&self->base, TORC_ERR_STOPPING);
    end_closed(end);
}

static const torc_io_ops io_ops = {
    .received = received,
    .peer_ended = peer_ended,
    .input_ended = input_ended,
    .sent = sent,
    .failed = failed,
    .closed = closed,
};

/* ---- the transport ---- */

static void pipes_send(torc_transport *transport, size_t len) {
    torc_pipes *self = self_of(transport);
    torc_io *io = self->is_one ? &self->input.io : &self->output.io;
    size_t sent_ = len;

    if (!self->has_output) {
        torc_chain_consume(&transport->outgoing->chain, len);
    } else if (self->output.file) {
        torc_file_end_send(self->output.file, len);
        return;
    } else {
        sent_ = torc_io_send(io, &transport->outgoing->chain, len);
    }
    if (sent_ > 0) torc_transport_sent(transport, sent_);
}

static void pipes_receive_start(torc_transport *transport) {
    torc_pipes_end *input = &self_of(transport)->input;

    if (!input->is_open) return;
    if (input->file)
        torc_file_end_receive_start(input->file);
    else
        torc_io_receive_start(&input->io);
}

static void pipes_receive_stop(torc_transport *transport) {
    torc_pipes_end *input = &self_of(transport)->input;

    if (!input->is_open) return;
    if (input->file)
        torc_file_end_receive_stop(input->file);
    else
        torc_io_receive_stop(&input->io);
}

static void pipes_shut_down(torc_transport *transport) {
    torc_pipes *self = self_of(transport);

    if (self->is_one)
        torc_io_shut_down(&self->input.io);
    else if (self->input.is_open)
        end_output(self);
    else
        torc_transport_failed(transport, TORC_ERR_CLOSED); /* there was nothing else */
}

static void retired(torc_transport *transport) {
    torc_pipes *self = self_of(transport);

    torc_transport_closed(transport);
    free_self(self);
}

static void run_retired(torc_call *call) {
    retired(&torc_container_of(call, torc_pipes, retired)->base);
}

static void pipes_close(torc_transport *transport, bool reset) {
    torc_pipes *self = self_of(transport);

    self->has_output = false;
    close_end(&self->input, reset);
    close_end(&self->output, reset);
    if (self->input.is_open || self->output.is_open) return;
    self->retired = (torc_call){.run = run_retired};
    torc_reactor_post(transport->reactor, &self->retired);
}

static torc_addr pipes_addr(torc_transport *transport, bool peer) {
    (void)transport;
    (void)peer;
    return (torc_addr){0};
}

static torc_err pipes_set_option(torc_transport *transport, int option, bool on) {
    (void)transport;
    (void)option;
    (void)on;
    return TORC_ERR_UNSUPPORTED;
}

static const torc_transport_ops pipes_ops = {
    .send = pipes_send,
    .receive_start = pipes_receive_start,
    .receive_stop = pipes_receive_stop,
    .shut_down = pipes_shut_down,
    .close = pipes_close,
    .addr = pipes_addr,
    .set_option = pipes_set_option,
    .sends_files = true,
};

/* ---- making ---- */

static torc_err open_end(torc_pipes *self, torc_pipes_end *end, int fd, int family) {
    end->pipes = self;
    if (fd < 0) return TORC_OK;
    torc_err err;
    if (family == TORC_PIPES_FILE) {
        err = torc_file_end_new(&self->base, fd, file_closed, end, &end->file);
    } else {
        err = torc_io_open(&end->io, self->base.reactor, TORC_IO_STREAM, fd, family, &io_ops);
        if (err) close(fd);
    }
    end->is_open = !err;
    return err;
}

torc_err torc_pipes_new(torc_reactor *reactor, const torc_pipes_options *options,
                        torc_pipes **pipes) {
    torc_pipes *self = torc_object_alloc(&reactor->memory, TORC_MEMORY_CONNECTION, sizeof(*self));
    const bool is_one = options->input >= 0 && options->input == options->output;
    const int output = is_one ? -1 : options->output;

    if (!self) {
        if (options->input >= 0) close(options->input);
        if (output >= 0) close(output);
        return TORC_ERR_NO_MEMORY;
    }
    *self = (torc_pipes){.is_one = is_one, .is_patient = options->is_patient};
    torc_transport_init(&self->base, reactor, &pipes_ops);
    torc_err err = open_end(self, &self->input, options->input, options->input_family);
    const torc_err output_err = open_end(self, &self->output, output, options->output_family);
    if (!err) err = output_err;
    if (err) {
        torc_transport_abort_with(&self->base, err);
        return err;
    }
    self->has_output = options->output >= 0;
    self->gone = options->gone;
    self->context = options->context;
    *pipes = self;
    return TORC_OK;
}
