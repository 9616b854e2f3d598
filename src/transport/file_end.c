/* SPDX-License-Identifier: MIT */
/*
 * An end of a transport that threads read or write.
 *
 *  - One job at most; while a thread has it, what it works on (the buffer, the chain's bytes, the
 *    descriptor) stays as it is, and a close waits.
 *  - What is read is delivered from a posted call, and read on when it was consumed.
 *  - A watch over an eventfd that tells nothing is there so that a reactor that is freed closes it.
 */
#include "transport/file_end.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/syscalls.h"

enum {
    BUFFER_SIZE = 64 * 1024,
    PIECES = 16,
    COPIED_MAX = 8192,
    AGAIN_MS = 20 /* when no thread takes the job */
};

struct torc_file_end {
    torc_io watch;
    torc_job job;
    torc_call deliver;
    torc_timer again;
    torc_transport *transport;
    void (*closed)(void *context);
    void *context;
    int fd;
    char *buffer;      /* NULL until the first read */
    size_t start, len; /* what of it was not consumed */
    size_t sending;    /* bytes of the output that are to be written */
    ssize_t result;    /* of the job: bytes, or -1 */
    int number;        /* errno */
    bool is_receiving, is_ended, is_end_told;
    bool is_reading; /* what the job does; else it writes */
    bool has_job, is_closing;
    struct iovec pieces[PIECES]; /* to write, or none: */
    int piece_count;
    int file; /* a range of this */
    uint64_t offset;
    size_t range_len;
};

static torc_file_end *of_job(torc_job *job) {
    return torc_container_of(job, torc_file_end, job);
}

/* ---- on a thread ---- */

static ssize_t read_some(torc_file_end *self) {
    size_t len = BUFFER_SIZE;

    if (torc_sys_fails(self->job.reactor, TORC_SYS_READ, &len)) return -1;
    return read(self->fd, self->buffer, len);
}

static ssize_t copy_some(const torc_file_end *self) {
    char bytes[COPIED_MAX];
    const size_t len = self->range_len < sizeof(bytes) ? self->range_len : sizeof(bytes);
    const ssize_t got = pread(self->file, bytes, len, (off_t)self->offset);

    return got > 0 ? write(self->fd, bytes, (size_t)got) : got;
}

static ssize_t write_some(const torc_file_end *self) {
    if (torc_sys_fails(self->job.reactor, TORC_SYS_WRITE, NULL)) return -1;
    if (self->piece_count > 0) return writev(self->fd, self->pieces, self->piece_count);
    const ssize_t copied = copy_some(self);
    if (copied == 0) errno = ENODATA;
    return copied > 0 ? copied : -1;
}

static void work(torc_job *job) {
    torc_file_end *self = of_job(job);

    do self->result = self->is_reading ? read_some(self) : write_some(self);
    while (self->result < 0 && errno == EINTR);
    self->number = errno;
}

/* ---- on the reactor's ---- */

static void begin(torc_file_end *self) {
    const torc_err err = torc_job_submit(self->transport->reactor, &self->job);

    self->has_job = !err;
    if (err == TORC_ERR_BUSY)
        torc_timer_arm(&self->again, AGAIN_MS);
    else if (err)
        torc_transport_failed(self->transport, err);
}

static void begin_again(torc_timer *timer) {
    begin(torc_container_of(timer, torc_file_end, again));
}

static bool is_busy(const torc_file_end *self) {
    return self->has_job || torc_timer_is_armed(&self->again);
}

static void read_on(torc_file_end *self) {
    torc_memory *memory = &self->transport->reactor->memory;

    if (is_busy(self) || self->is_closing) return;
    if (!self->buffer) self->buffer = torc_alloc(memory, TORC_MEMORY_INPUT, BUFFER_SIZE);
    if (!self->buffer) {
        torc_transport_failed(self->transport, TORC_ERR_NO_MEMORY);
        return;
    }
    self->is_reading = true;
    begin(self);
}

static void tell_end(torc_file_end *self) {
    if (self->is_end_told) return;
    self->is_end_told = true;
    torc_transport_input_ended(self->transport);
}

static void deliver(torc_call *call) {
    torc_file_end *self = torc_container_of(call, torc_file_end, deliver);

    if (self->is_closing || !self->is_receiving) return;
    if (self->len > 0) {
        const size_t consumed = torc_transport_received(
            self->transport, torc_str_make(self->buffer + self->start, self->len));
        self->start += consumed;
        self->len -= consumed;
        if (self->len > 0) self->is_receiving = false;
        if (self->is_closing || !self->is_receiving) return;
    }
    if (self->is_ended)
        tell_end(self);
    else
        read_on(self);
}

static void deliver_later(torc_file_end *self) {
    torc_reactor_post(self->transport->reactor, &self->deliver);
}

static void has_read(torc_file_end *self) {
    self->start = 0;
    self->len = (size_t)self->result;
    if (self->len == 0) self->is_ended = true;
    deliver_later(self);
}

static void write_on(torc_file_end *self);

static void has_written(torc_file_end *self) {
    const size_t len = (size_t)self->result;

    torc_chain_consume(&self->transport->outgoing->chain, len);
    self->sending -= len;
    if (self->sending > 0) write_on(self);
    torc_transport_sent(self->transport, len);
}

static void done(torc_job *job) {
    torc_file_end *self = of_job(job);

    self->has_job = false;
    if (self->is_closing)
        torc_io_close(&self->watch, false);
    else if (job->err)
        torc_transport_failed(self->transport, job->err);
    else if (self->result < 0)
        torc_transport_failed(self->transport, self->number == ENODATA
                                                   ? TORC_ERR_TRUNCATED
                                                   : torc_err_from_errno(self->number));
    else if (self->is_reading)
        has_read(self);
    else
        has_written(self);
}

/* Describe the bytes at the front of the output to the thread. */
static void write_on(torc_file_end *self) {
    torc_chain *chain = &self->transport->outgoing->chain;
    size_t total;

    torc_chain_consume(chain, 0);
    const torc_segment *first = chain->first;
    self->is_reading = false;
    self->piece_count = 0;
    if (first->kind == TORC_SEGMENT_FILE) {
        self->file = first->owner.file->fd;
        self->offset = first->offset;
        self->range_len = first->len < self->sending ? first->len : self->sending;
    } else {
        self->piece_count = torc_chain_iov(chain, self->pieces, PIECES, self->sending, &total);
    }
    begin(self);
}

void torc_file_end_receive_start(torc_file_end *end) {
    if (end->is_closing || end->is_receiving) return;
    end->is_receiving = true;
    if (!is_busy(end)) deliver_later(end);
}

void torc_file_end_receive_stop(torc_file_end *end) {
    end->is_receiving = false;
}

void torc_file_end_send(torc_file_end *end, size_t len) {
    end->sending = len;
    write_on(end);
}

void torc_file_end_close(torc_file_end *end) {
    if (end->is_closing) return;
    end->is_closing = true;
    torc_call_cancel(&end->deliver);
    torc_timer_cancel(&end->again);
    if (end->has_job && !torc_job_withdraw(&end->job)) return;
    end->has_job = false;
    torc_io_close(&end->watch, false);
}

static void watch_closed(torc_io *io) {
    torc_file_end *self = torc_container_of(io, torc_file_end, watch);
    void (*closed)(void *) = self->closed;
    void *context = self->context;

    self->is_closing = true;
    torc_call_cancel(&self->deliver);
    torc_timer_cancel(&self->again);
    close(io->fd);
    close(self->fd);
    torc_dealloc(&io->reactor->memory, self->buffer);
    torc_dealloc(&io->reactor->memory, self);
    closed(context);
}

static void ready(torc_io *io, uint32_t events) {
    (void)io;
    (void)events;
}

static const torc_io_ops watch_ops = {.ready = ready, .closed = watch_closed};

static torc_err open_watch(torc_file_end *self, torc_reactor *reactor) {
    const int fd =
        torc_sys_fails(reactor, TORC_SYS_OPEN, NULL) ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0) return torc_err_from_errno(errno);
    const torc_err err = torc_io_open(&self->watch, reactor, TORC_IO_WATCH, fd, 0, &watch_ops);
    if (err) close(fd);
    return err;
}

torc_err torc_file_end_new(torc_transport *transport, int fd, void (*closed)(void *context),
                           void *context, torc_file_end **end) {
    torc_reactor *reactor = transport->reactor;
    torc_file_end *self =
        torc_alloc_zero(&reactor->memory, TORC_MEMORY_CONNECTION, 1, sizeof(*self));

    const torc_err err = self ? open_watch(self, reactor) : TORC_ERR_NO_MEMORY;
    if (err) {
        close(fd);
        torc_dealloc(&reactor->memory, self);
        return err;
    }
    self->job = (torc_job){.work = work, .done = done, .reactor = reactor};
    self->deliver.run = deliver;
    torc_timer_init(&self->again, reactor, begin_again);
    self->transport = transport;
    self->closed = closed;
    self->context = context;
    self->fd = fd;
    *end = self;
    return TORC_OK;
}
