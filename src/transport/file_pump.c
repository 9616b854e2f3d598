/* SPDX-License-Identifier: MIT */
/*
 * Pieces of files as bytes.
 *
 *  - A piece is a chunk of its own, which the chain refers to: it is copied once, by the kernel.
 *  - A reading belongs to its job while a thread has it. If the pump is stopped meanwhile, `pump`
 *    is NULL and the reading goes when the job is told.
 *  - The reading holds a reference to the file, so the descriptor stays open under the thread. The
 *    reference is taken and dropped on the reactor's thread.
 */
#include "transport/file_pump.h"

#include <torc/thread.h>
#include <torc/timer.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/syscalls.h"

enum {
    AGAIN_MS = 20 /* after the queue of the threads was full */
};

typedef struct torc_file_reading {
    torc_chunk base;
    torc_job job;
    torc_timer again;     /* while the queue of the threads is full */
    torc_file_pump *pump; /* NULL: nobody waits for it */
    torc_reactor *reactor;
    torc_shared_file *file;
    uint64_t offset;
    size_t asked;
    ssize_t got; /* of the read; -1: `number` is its errno */
    int number;
    bool is_done;
    char bytes[];
} torc_file_reading;

static void free_reading(torc_chunk *chunk) {
    torc_file_reading *self = torc_container_of(chunk, torc_file_reading, base);

    if (self->file) torc_shared_file_unref(self->file);
    torc_dealloc(&self->reactor->memory, self);
}

static torc_file_reading *new_reading(torc_file_pump *pump, const torc_segment *range, size_t max) {
    torc_file_reading *self =
        torc_alloc(&pump->reactor->memory, TORC_MEMORY_OUTPUT, sizeof(*self) + max);

    if (!self) return NULL;
    *self = (torc_file_reading){
        .base = {.bytes = self->bytes, .refs = 1, .free = free_reading},
        .pump = pump,
        .reactor = pump->reactor,
        .file = torc_shared_file_ref(range->owner.file),
        .offset = range->offset,
        .asked = max,
    };
    return self;
}

/* Read what is at hand. Any thread. */
static void read_piece(torc_file_reading *self, int flags) {
    size_t asked = self->asked;

    if (torc_sys_fails(self->reactor, TORC_SYS_READ, &asked)) {
        self->got = -1;
        self->number = errno;
        return;
    }
    const struct iovec piece = {.iov_base = self->bytes, .iov_len = asked};
    do {
        self->got = preadv2(self->file->fd, &piece, 1, (off_t)self->offset, flags);
    } while (self->got < 0 && errno == EINTR);
    if (self->got < 0) self->number = errno;
}

/* Not at hand, or a file system or kernel that cannot say. */
static bool needs_thread(const torc_file_reading *self) {
    if (self->got >= 0) return false;
    return self->number == EAGAIN || self->number == EOPNOTSUPP || self->number == ENOSYS ||
           self->number == EINVAL;
}

static void work(torc_job *job) {
    read_piece(torc_container_of(job, torc_file_reading, job), 0);
}

static void tell(torc_file_reading *self, torc_err err) {
    torc_file_pump *pump = self->pump;

    self->is_done = true;
    if (err) {
        self->got = -1;
        self->number = ECANCELED;
    }
    if (pump)
        pump->read(pump);
    else
        torc_chunk_unref(&self->base);
}

static void done(torc_job *job) {
    tell(torc_container_of(job, torc_file_reading, job), job->err);
}

static void expired(torc_timer *timer) {
    torc_file_reading *self = torc_container_of(timer, torc_file_reading, again);
    const torc_err err = torc_job_submit(self->reactor, &self->job);

    if (err == TORC_ERR_BUSY)
        torc_timer_arm(&self->again, AGAIN_MS);
    else if (err)
        tell(self, err);
}

/* The outcome of a reading that is done; what it read is the chain's from then on. */
static torc_err finish(torc_file_reading *self, torc_chain *chain, size_t *len) {
    torc_err err = TORC_OK;

    if (self->got < 0)
        err = torc_err_from_errno(self->number);
    else if (self->got == 0)
        err = TORC_ERR_TRUNCATED;
    if (!err) {
        self->base.len = (size_t)self->got;
        err = torc_chain_add_chunk(chain, &self->base, 0, self->base.len);
    }
    if (!err) *len = self->base.len;
    torc_shared_file_unref(self->file);
    self->file = NULL;
    torc_chunk_unref(&self->base);
    return err;
}

static torc_err give_to_thread(torc_file_pump *pump, torc_file_reading *reading) {
    reading->job.work = work;
    reading->job.done = done;
    torc_timer_init(&reading->again, pump->reactor, expired);
    const torc_err err = torc_job_submit(pump->reactor, &reading->job);

    if (err == TORC_ERR_BUSY) {
        torc_timer_arm(&reading->again, AGAIN_MS);
    } else if (err) {
        torc_chunk_unref(&reading->base);
        return err;
    }
    pump->reading = reading;
    return TORC_ERR_AGAIN;
}

torc_err torc_file_pump_next(torc_file_pump *pump, const torc_segment *range, size_t max,
                             torc_chain *chain, size_t *len) {
    torc_file_reading *reading = pump->reading;

    if (reading && !reading->is_done) return TORC_ERR_AGAIN;
    if (reading) {
        pump->reading = NULL;
        return finish(reading, chain, len);
    }
    if (max > range->len) max = range->len;
    if (max > TORC_FILE_PIECE) max = TORC_FILE_PIECE;
    reading = new_reading(pump, range, max);
    if (!reading) return TORC_ERR_NO_MEMORY;
    read_piece(reading, RWF_NOWAIT);
    return needs_thread(reading) ? give_to_thread(pump, reading) : finish(reading, chain, len);
}

void torc_file_pump_init(torc_file_pump *pump, torc_reactor *reactor,
                         void (*read)(torc_file_pump *pump)) {
    *pump = (torc_file_pump){.reactor = reactor, .read = read};
}

void torc_file_pump_stop(torc_file_pump *pump) {
    torc_file_reading *reading = pump->reading;

    pump->reading = NULL;
    if (!reading) return;
    reading->pump = NULL;
    if (torc_timer_is_armed(&reading->again)) {
        torc_timer_cancel(&reading->again);
        torc_chunk_unref(&reading->base);
    } else if (reading->is_done || torc_job_withdraw(&reading->job)) {
        torc_chunk_unref(&reading->base);
    }
}
