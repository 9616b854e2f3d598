/* SPDX-License-Identifier: MIT */
/*
 * The sinks of a log: a descriptor, or a buffer.
 *
 *  - A line for a descriptor is made on the stack and written by one call, so lines of several
 *    threads and processes do not mix (up to PIPE_BUF bytes, for pipes), and nothing allocates.
 *  - Logging never waits: what the descriptor does not take now is dropped and counted. If a line
 *    was written in part, the next one begins with the line end that it lacks.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"

enum {
    LINE_BYTES = 4096
}; /* PIPE_BUF, and no more than a fiber's stack can bear */

/* Make the line, with values as long as fit. */
static torc_err make_line(torc_buf *line, const torc_log_record *record, torc_log_format format) {
    static const size_t value_max[] = {SIZE_MAX, 512, 64, 8};
    torc_log_record bare = *record;

    for (size_t i = 0; i < TORC_COUNT_OF(value_max); i++) {
        torc_buf_clear(line);
        torc_log_format_short(line, record, format, value_max[i]);
        if (!torc_buf_err(line)) return TORC_OK;
    }
    bare.field_count = 0;
    torc_buf_clear(line);
    torc_log_format_short(line, &bare, format, 512);
    return torc_buf_err(line);
}

/* Write as much as the descriptor takes; answers how much that was. */
static size_t write_some(int fd, const char *bytes, size_t len) {
    size_t written = 0;

    while (written < len) {
        const ssize_t count = write(fd, bytes + written, len - written);

        if (count > 0) {
            written += (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            break;
        }
    }
    return written;
}

static void write_line(torc_log_inside *self, const char *bytes, size_t len) {
    const bool was_cut = atomic_exchange(&self->is_cut, false);

    /* The byte before the line is the line end that may be missing. */
    if (was_cut) {
        bytes--;
        len++;
    }
    const size_t written = write_some(self->fd, bytes, len);
    if (written == len) return;

    atomic_fetch_add(&self->dropped, 1);
    if (written > 0 || was_cut) atomic_store(&self->is_cut, true);
}

static void sink_to_fd(void *context, const torc_log_record *record) {
    torc_log_inside *self = context;
    const int saved_errno = errno;
    char bytes[1 + LINE_BYTES];
    torc_buf line;

    bytes[0] = '\n';
    torc_buf_init_fixed(&line, bytes + 1, LINE_BYTES);
    if (make_line(&line, record, self->format)) {
        atomic_fetch_add(&self->dropped, 1);
    } else {
        write_line(self, line.bytes, line.len);
    }
    errno = saved_errno;
}

static void sink_to_buf(void *context, const torc_log_record *record) {
    torc_log_inside *self = context;

    torc_log_format_short(self->buf, record, self->format, SIZE_MAX);
}

/* Make a log whose context is itself. */
static torc_err make(torc_memory *memory, torc_log_sink_fn *sink, torc_log_inside **self) {
    torc_log *log = NULL;
    const torc_err err = torc_log_new(memory, sink, NULL, &log);

    if (err) return err;
    *self = torc_container_of(log, torc_log_inside, base);
    (*self)->context = *self;
    return TORC_OK;
}

torc_err torc_log_new_fd(torc_memory *memory, int fd, torc_log_format format, torc_log **log) {
    torc_log_inside *self = NULL;
    const torc_err err = make(memory, sink_to_fd, &self);

    if (err) return err;
    self->fd = fd;
    self->format = format;
    if (format == TORC_LOG_FORMAT_AUTO) {
        const int saved_errno = errno;
        self->format = isatty(fd) ? TORC_LOG_FORMAT_TEXT : TORC_LOG_FORMAT_JSON;
        errno = saved_errno;
    }
    *log = &self->base;
    return TORC_OK;
}

torc_err torc_log_new_buf(torc_memory *memory, torc_buf *buf, torc_log_format format,
                          torc_log **log) {
    torc_log_inside *self = NULL;
    const torc_err err = make(memory, sink_to_buf, &self);

    if (err) return err;
    self->buf = buf;
    self->format = format == TORC_LOG_FORMAT_AUTO ? TORC_LOG_FORMAT_TEXT : format;
    *log = &self->base;
    return TORC_OK;
}

uint64_t torc_log_dropped(const torc_log *log) {
    if (!log) return 0;
    return atomic_load(&torc_container_of(log, torc_log_inside, base)->dropped);
}
