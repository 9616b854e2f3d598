/* SPDX-License-Identifier: MIT */
/*
 * The sinks of a log that write lines: to a descriptor, or a buffer.
 *
 *  - A line for a descriptor is made on the stack and written by one call, so lines of several
 *    threads and processes do not mix (up to PIPE_BUF bytes, for pipes), and nothing allocates.
 *  - Writing never waits: what the descriptor does not take now is lost. A pipe that would wait is
 *    asked first. If a line was written in part, the next one begins with the line end that it
 *    lacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/options.h"

typedef struct fd_sink {
    torc_memory *memory;
    torc_log_format format; /* not AUTO */
    int fd;
    bool is_socket, waits; /* `waits`: it is a pipe or a terminal that would */
    atomic_bool is_cut;    /* the last line was written in part: its end is still to come */
} fd_sink;

static ssize_t write_once(const fd_sink *self, const char *bytes, size_t len) {
    struct pollfd asked = {.fd = self->fd, .events = POLLOUT};

    if (self->is_socket) return send(self->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (self->waits && poll(&asked, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(self->fd, bytes, len);
}

/* Write as much as the descriptor takes; answers how much that was, and why not more. */
static size_t write_some(const fd_sink *self, const char *bytes, size_t len, torc_err *err) {
    size_t written = 0;

    while (written < len) {
        const ssize_t count = write_once(self, bytes + written, len - written);

        if (count > 0) {
            written += (size_t)count;
        } else if (count == 0 || errno != EINTR) {
            *err = count == 0        ? TORC_ERR_SYSTEM
                   : errno == EAGAIN ? TORC_ERR_AGAIN
                                     : torc_err_from_errno(errno);
            break;
        }
    }
    return written;
}

static torc_err write_line(fd_sink *self, const char *bytes, size_t len) {
    const bool was_cut = atomic_exchange(&self->is_cut, false);
    torc_err err = TORC_OK;

    /* The byte before the line is the line end that may be missing. */
    if (was_cut) {
        bytes--;
        len++;
    }
    const size_t written = write_some(self, bytes, len, &err);
    if (err && (written > 0 || was_cut)) atomic_store(&self->is_cut, true);
    return err;
}

static torc_err write_to_fd(void *context, const torc_log_record *record) {
    fd_sink *self = context;
    char bytes[1 + TORC_LOG_LINE_BYTES];
    torc_buf line;

    bytes[0] = '\n';
    torc_buf_init_fixed(&line, bytes + 1, TORC_LOG_LINE_BYTES);
    const torc_err err = torc_log_make_line(&line, record, self->format);
    return err ? err : write_line(self, line.bytes, line.len);
}

static void dispose_fd(void *context) {
    fd_sink *self = context;

    torc_dealloc(self->memory, self);
}

static void look_at(fd_sink *self) {
    const int flags = fcntl(self->fd, F_GETFL), saved_errno = errno;
    struct stat status;

    if (self->format == TORC_LOG_FORMAT_AUTO)
        self->format = isatty(self->fd) ? TORC_LOG_FORMAT_TEXT : TORC_LOG_FORMAT_JSON;
    if (flags >= 0 && fstat(self->fd, &status) == 0) {
        self->is_socket = S_ISSOCK(status.st_mode);
        self->waits =
            !(flags & O_NONBLOCK) && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
    }
    errno = saved_errno;
}

torc_log_sink_options torc_log_sink_named(const torc_log_sink_options *given, const char *name) {
    torc_log_sink_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.name) options.name = name;
    return options;
}

torc_err torc_log_add_fd(torc_log *log, int fd, torc_log_format format,
                         const torc_log_sink_options *options, torc_log_sink **sink) {
    torc_memory *memory = torc_container_of(log, torc_log_inside, base)->memory;
    const torc_log_sink_options as = torc_log_sink_named(options, "file");
    fd_sink *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->memory = memory;
    self->fd = fd;
    self->format = format;
    look_at(self);
    return torc_log_add_sink(log, write_to_fd, dispose_fd, self, &as, sink);
}

/* ---- buffers ---- */

typedef struct buf_sink {
    torc_memory *memory;
    torc_buf *buf;
    torc_log_format format;
} buf_sink;

static torc_err write_to_buf(void *context, const torc_log_record *record) {
    const buf_sink *self = context;

    torc_log_format_short(self->buf, record, self->format, SIZE_MAX);
    return torc_buf_err(self->buf);
}

static void dispose_buf(void *context) {
    buf_sink *self = context;

    torc_dealloc(self->memory, self);
}

static torc_err add_buf(torc_log *log, torc_buf *buf, torc_log_format format) {
    torc_memory *memory = torc_container_of(log, torc_log_inside, base)->memory;
    const torc_log_sink_options as = torc_log_sink_named(NULL, "buffer");
    buf_sink *self = torc_alloc(memory, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    *self = (buf_sink){memory, buf, format};
    return torc_log_add_sink(log, write_to_buf, dispose_buf, self, &as, NULL);
}

/* ---- logs with one sink ---- */

static torc_err freed_unless_ok(torc_err err, torc_log *made, torc_log **log) {
    if (err)
        torc_log_free(made);
    else
        *log = made;
    return err;
}

torc_err torc_log_new_fd(torc_memory *memory, int fd, torc_log_format format, torc_log **log) {
    torc_log *made = NULL;
    torc_err err = torc_log_new(memory, NULL, NULL, &made);

    if (!err) err = torc_log_add_fd(made, fd, format, NULL, NULL);
    return freed_unless_ok(err, made, log);
}

torc_err torc_log_new_buf(torc_memory *memory, torc_buf *buf, torc_log_format format,
                          torc_log **log) {
    torc_log *made = NULL;
    torc_err err = torc_log_new(memory, NULL, NULL, &made);

    if (!err) err = add_buf(made, buf, format);
    return freed_unless_ok(err, made, log);
}
