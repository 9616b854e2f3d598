/* SPDX-License-Identifier: MIT */
/*
 * Writers of lines.
 *
 * A portion of lines is filled, waits, is written by a job, and then is the spare one or freed.
 *
 *  - While a job is out (`is_out`) its portions, the file and `owes_line_end` are the thread's;
 *    everything else is always the reactor's.
 *  - What a job could not write goes back to the front of those that wait, and is tried again when
 *    the timer expires: nothing is tried in a loop.
 *  - A portion that `reopens` has the file reopened before its first line. Where no line follows
 *    yet, the next job does it at its end. Lines that the old file does not take do not hold this
 *    up: they go to the new one.
 *  - A file ends with a whole line, or with the beginning of one that is cut off again if nobody
 *    has written behind it; if somebody has, the line is ended and written anew.
 *  - The writer goes when both have let go: its owner, and the reactor, as whose guest it learns
 *    that no more jobs will run.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <torc/log.h>
#include <torc/log_writer.h>
#include <torc/thread.h>
#include <torc/timer.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/log_file.h"
#include "base/monotonic.h"
#include "base/options.h"
#include "reactor/reactor.h"
#include "reactor/syscalls.h"

enum {
    PORTION_BYTES = 64 * 1024,
    LAST_WAIT_MS = 3000 /* for a pipe that is full, at the end: in all */
};

typedef struct portion {
    torc_list_node node;
    bool reopens;
    uint32_t len, written; /* `written`: whole lines, or in the midst of one that will go on */
    char bytes[PORTION_BYTES];
} portion;

struct torc_log_writer {
    torc_reactor *reactor; /* NULL once it is freed */
    torc_log_file *file;
    torc_log_writer_options options;
    bool is_released;
    torc_reactor_guest guest;
    torc_timer timer;

    portion *filling, *spare; /* may be NULL */
    torc_list waiting;
    size_t portion_count; /* all of them */
    bool reopen_next;     /* before the next line */

    /* The job, and what it works on. */
    torc_job job;
    bool is_out;
    torc_list out;
    bool reopen_at_end;
    bool owes_line_end;
    int error;      /* errno of what stopped it, or 0 */
    int file_error; /* torc_err of reopening or rotating */

    bool is_stuck;              /* what was tried last could not be written: wait for the timer */
    bool is_failing, is_losing; /* as was reported */
    uint64_t lost_before;       /* when losing began */
    torc_counter lines, lost;
};

/* ---- writing: in a thread, or at the end ---- */

static ssize_t write_once(const torc_log_writer *self, const char *bytes, size_t len) {
    const int fd = torc_log_file_fd(self->file);

    if (self->reactor && torc_sys_fails(self->reactor, TORC_SYS_WRITE, &len)) return -1;
    if (torc_log_file_is_socket(self->file))
        return send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(fd, bytes, len);
}

/* The length of the whole lines among the first `max` bytes; of the first line, if it is longer. */
static size_t whole_lines(const char *bytes, size_t len, size_t max) {
    if (len <= max) return len;
    const char *end = memrchr(bytes, '\n', max);
    if (!end) end = memchr(bytes + max, '\n', len - max);
    return end ? (size_t)(end - bytes) + 1 : len;
}

/* Into a pipe no more goes at once than it takes undivided (PIPE_BUF). */
static size_t piece_of(const torc_log_writer *self, const portion *of) {
    const size_t left = of->len - of->written;

    if (torc_log_file_is_ordinary(self->file)) return left;
    return whole_lines(of->bytes + of->written, left, PIPE_BUF);
}

static bool write_line_end(torc_log_writer *self) {
    if (!self->owes_line_end) return true;
    while (write_once(self, "\n", 1) != 1) {
        if (errno == EINTR) continue;
        self->error = errno;
        return false;
    }
    self->owes_line_end = false;
    return true;
}

static int64_t size_of(int fd) {
    struct stat status;
    return fstat(fd, &status) ? -1 : (int64_t)status.st_size;
}

/* A line was written in part, and the rest does not fit: take the part back. */
static void take_back(torc_log_writer *self, portion *of, int64_t size_expected) {
    const int fd = torc_log_file_fd(self->file);
    const char *end = of->written ? memrchr(of->bytes, '\n', of->written) : NULL;
    const uint32_t start = end ? (uint32_t)(end - of->bytes) + 1 : 0;

    if (start == of->written || !torc_log_file_is_ordinary(self->file)) return;
    if (size_of(fd) != size_expected || ftruncate(fd, size_expected - (of->written - start)))
        self->owes_line_end = true;
    of->written = start;
}

/* Whether all of it was written. */
static bool write_portion(torc_log_writer *self, portion *of) {
    self->error = 0;
    if (!write_line_end(self)) return false;
    const int64_t size_before =
        torc_log_file_is_ordinary(self->file) ? size_of(torc_log_file_fd(self->file)) : -1;
    const uint32_t written_before = of->written;
    while (of->written < of->len) {
        const ssize_t count = write_once(self, of->bytes + of->written, piece_of(self, of));
        if (count > 0) {
            of->written += (uint32_t)count;
        } else if (count == 0 || errno != EINTR) {
            self->error = count == 0 ? EIO : errno;
            take_back(self, of, size_before + (of->written - written_before));
            return false;
        }
    }
    return true;
}

static void reopen(torc_log_writer *self) {
    const torc_err err = torc_log_file_reopen(self->file);
    if (err) self->file_error = err;
    if (size_of(torc_log_file_fd(self->file)) == 0)
        self->owes_line_end = false; /* in the old one */
}

/*
 * The file does not take what is left of a portion: if one that is behind it has the file reopened,
 * that is done now; false: none has. Who removed a log from a full disk waits for this to get the
 * room.
 */
static bool reopen_early(torc_log_writer *self, portion *of) {
    bool reopens = self->reopen_at_end;

    self->reopen_at_end = false;
    for (torc_list_node *node = torc_list_next(&self->out, &of->node); node;
         node = torc_list_next(&self->out, node)) {
        portion *later = torc_container_of(node, portion, node);
        reopens = reopens || later->reopens;
        later->reopens = false;
    }
    if (reopens) reopen(self);
    return reopens;
}

static void rotate(torc_log_writer *self) {
    bool rotated;
    const torc_err err = torc_log_file_rotate_if_due(self->file, &rotated);
    if (err) self->file_error = err;
}

/* Write what is out, in order, until something stops it. */
static void write_out(torc_log_writer *self) {
    for (torc_list_node *node = torc_list_first(&self->out); node;
         node = torc_list_next(&self->out, node)) {
        portion *of = torc_container_of(node, portion, node);
        if (of->reopens) reopen(self);
        of->reopens = false;
        if (self->options.rotates) rotate(self);
        if (!write_portion(self, of) && !(reopen_early(self, of) && write_portion(self, of)))
            return;
    }
    if (self->reopen_at_end) reopen(self);
    self->reopen_at_end = false;
}

static void work(torc_job *job) {
    write_out(torc_container_of(job, torc_log_writer, job));
}

/* ---- what is said of it ---- */

static void report_writing(torc_log_writer *self) {
    const torc_err err = self->error == EPIPE ? TORC_ERR_LOST : torc_err_from_errno(self->error);

    if (self->error && !self->is_failing && self->error != EAGAIN) {
        self->is_failing = true;
        TORC_LOG_ERROR(self->options.log, "log", "a log cannot be written",
                       TORC_LOG_TEXT("file", torc_log_file_path(self->file)),
                       TORC_LOG_TEXT("error", torc_err_text(err)));
    }
    if (self->error || (!self->is_failing && !self->is_losing)) return;
    TORC_LOG_WARN(
        self->options.log, "log", "a log is written again",
        TORC_LOG_TEXT("file", torc_log_file_path(self->file)),
        TORC_LOG_UINT("lines_lost", self->is_losing ? self->lost.value - self->lost_before : 0));
    self->is_failing = self->is_losing = false;
}

static void report_file(torc_log_writer *self) {
    if (self->file_error)
        TORC_LOG_ERROR(self->options.log, "log", "a log cannot be opened anew",
                       TORC_LOG_TEXT("file", torc_log_file_path(self->file)),
                       TORC_LOG_TEXT("error", torc_err_text((torc_err)self->file_error)));
    self->file_error = TORC_OK;
}

static void lose(torc_log_writer *self, uint64_t lines) {
    if (!self->is_losing) {
        self->is_losing = true;
        self->lost_before = self->lost.value;
        TORC_LOG_WARN(self->options.log, "log", "lines of a log are lost",
                      TORC_LOG_TEXT("file", torc_log_file_path(self->file)));
    }
    torc_counter_add(&self->lost, lines);
}

/* ---- portions ---- */

static portion *new_portion(torc_log_writer *self) {
    portion *of = self->spare;

    self->spare = NULL;
    if (!of) {
        if (self->portion_count * PORTION_BYTES >= self->options.kept_bytes) return NULL;
        of = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*of));
        if (!of) return NULL;
        self->portion_count++;
    }
    of->len = of->written = 0;
    of->reopens = self->reopen_next;
    self->reopen_next = false;
    return of;
}

static void drop_portion(torc_log_writer *self, portion *of) {
    if (!self->spare) {
        self->spare = of;
        return;
    }
    self->portion_count--;
    torc_dealloc(NULL, of);
}

/* Nothing more goes into the portion that is being filled. */
static void end_portion(torc_log_writer *self) {
    if (!self->filling) return;
    torc_list_push(&self->waiting, &self->filling->node);
    self->filling = NULL;
}

/* Free what was written; what was not stands before all else, as it did. */
static void collect(torc_log_writer *self) {
    torc_list_node *node;
    torc_list rest;

    torc_list_init(&rest);
    while ((node = torc_list_pop(&self->out)) != NULL) {
        portion *of = torc_container_of(node, portion, node);
        if (of->written == of->len && !of->reopens)
            drop_portion(self, of);
        else
            torc_list_push(&rest, node);
    }
    while ((node = torc_list_pop(&self->waiting)) != NULL) torc_list_push(&rest, node);
    torc_list_take(&self->waiting, &rest);
    if (self->reopen_at_end) self->reopen_next = true; /* it did not come to that */
    self->reopen_at_end = false;
}

static bool has_lines(const torc_log_writer *self) {
    return self->filling || !torc_list_is_empty(&self->waiting) || self->reopen_next;
}

/* ---- jobs ---- */

static void try_later(torc_log_writer *self) {
    if (!torc_timer_is_armed(&self->timer)) torc_timer_arm(&self->timer, self->options.flush_ms);
}

static void submit(torc_log_writer *self) {
    if (self->is_out || self->is_stuck || !self->reactor) return;
    if (torc_list_is_empty(&self->waiting) && !self->reopen_next) return;
    torc_list_take(&self->out, &self->waiting);
    if (!self->filling) {
        self->reopen_at_end = self->reopen_next;
        self->reopen_next = false;
    }
    self->error = 0;
    self->is_out = !torc_job_submit(self->reactor, &self->job);
    if (self->is_out) return;
    collect(self);
    self->is_stuck = true;
    try_later(self);
}

static void done(torc_job *job) {
    torc_log_writer *self = torc_container_of(job, torc_log_writer, job);

    self->is_out = false;
    collect(self);
    if (!job->err) report_writing(self);
    report_file(self);
    self->is_stuck = job->err || self->error;
    submit(self);
    if (has_lines(self)) try_later(self);
}

static void expired(torc_timer *timer) {
    torc_log_writer_flush(torc_container_of(timer, torc_log_writer, timer));
}

void torc_log_writer_flush(torc_log_writer *writer) {
    end_portion(writer);
    writer->is_stuck = false;
    submit(writer);
}

void torc_log_writer_reopen(torc_log_writer *writer) {
    end_portion(writer);
    writer->reopen_next = true;
    writer->is_stuck = false;
    submit(writer);
}

/* ---- lines ---- */

static bool begin_portion(torc_log_writer *self) {
    end_portion(self);
    self->filling = new_portion(self);
    submit(self);
    return self->filling != NULL;
}

char *torc_log_writer_reserve(torc_log_writer *writer, size_t max) {
    const portion *filling = writer->filling;

    if ((!filling || PORTION_BYTES - filling->len < max) &&
        (max > TORC_LOG_LINE_MAX || !begin_portion(writer))) {
        lose(writer, 1);
        return NULL;
    }
    return writer->filling->bytes + writer->filling->len;
}

void torc_log_writer_commit(torc_log_writer *writer, size_t len) {
    writer->filling->len += (uint32_t)len;
    torc_counter_add(&writer->lines, 1);
    if (writer->reactor) try_later(writer);
}

void torc_log_writer_add(torc_log_writer *writer, torc_str line) {
    char *to = torc_log_writer_reserve(writer, line.len + 1);

    if (!to) return;
    memcpy(to, line.bytes, line.len);
    to[line.len] = '\n';
    torc_log_writer_commit(writer, line.len + 1);
}

torc_reactor *torc_log_writer_reactor(const torc_log_writer *writer) {
    return writer->reactor;
}

uint64_t torc_log_writer_lost(const torc_log_writer *writer) {
    return writer->lost.value;
}

/* ---- life ---- */

static uint64_t count_lines(const portion *of) {
    uint64_t count = 0;

    for (uint32_t i = of->written; i < of->len; i++) count += of->bytes[i] == '\n';
    return count;
}

/* Wait for a pipe that takes nothing now, until there is no time left. */
static bool wait_for_room(const torc_log_writer *self, uint64_t until_us) {
    struct pollfd watched = {.fd = torc_log_file_fd(self->file), .events = POLLOUT};
    const uint64_t now_us = torc_monotonic_us();

    return self->error == EAGAIN && now_us < until_us &&
           poll(&watched, 1, (int)((until_us - now_us) / 1000)) == 1 && (watched.revents & POLLOUT);
}

/* Write all that is left, here and now; what cannot be written is lost. */
static void write_rest(torc_log_writer *self) {
    const uint64_t until_us = torc_monotonic_us() + LAST_WAIT_MS * 1000;
    uint64_t lines = 0;
    torc_list_node *node;

    end_portion(self);
    do {
        torc_list_take(&self->out, &self->waiting);
        self->error = 0;
        write_out(self);
        collect(self);
    } while (self->error && wait_for_room(self, until_us));
    if (self->error) report_writing(self);
    while ((node = torc_list_pop(&self->waiting)) != NULL) {
        portion *of = torc_container_of(node, portion, node);
        lines += count_lines(of);
        drop_portion(self, of);
    }
    if (lines) lose(self, lines);
}

static void free_when_unused(torc_log_writer *self) {
    if (self->reactor || !self->is_released) return;
    write_rest(self);
    torc_dealloc(NULL, self->spare);
    torc_dealloc(NULL, self);
}

static void reactor_freed(torc_reactor_guest *guest, torc_reactor *reactor) {
    torc_log_writer *self = torc_container_of(guest, torc_log_writer, guest);

    (void)reactor;
    /* The threads have ended; that a job is done may not have been told. */
    if (self->is_out) collect(self);
    self->is_out = false;
    torc_timer_cancel(&self->timer);
    torc_metric_remove(&self->lines.metric);
    torc_metric_remove(&self->lost.metric);
    self->reactor = NULL;
    free_when_unused(self);
}

void torc_log_writer_free(torc_log_writer *writer) {
    if (!writer) return;
    writer->is_released = true;
    free_when_unused(writer);
}

static torc_log_writer_options read_options(const torc_log_writer_options *given) {
    torc_log_writer_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.flush_ms) options.flush_ms = 1000;
    if (!options.kept_bytes) options.kept_bytes = 1024 * 1024;
    return options;
}

torc_err torc_log_writer_new(torc_reactor *reactor, torc_log_file *file,
                             const torc_log_writer_options *options, torc_log_writer **writer) {
    torc_log_writer *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->reactor = reactor;
    self->file = file;
    self->options = read_options(options);
    if (!self->options.log) self->options.log = reactor->log;
    self->job = (torc_job){.work = work, .done = done};
    self->guest.reactor_freed = reactor_freed;
    torc_list_init(&self->waiting);
    torc_list_init(&self->out);
    torc_timer_init(&self->timer, reactor, expired);
    torc_metrics_add_counter(reactor->metrics, &self->lines, "log_lines",
                             "Lines of logs that were taken.", "");
    torc_metrics_add_counter(reactor->metrics, &self->lost, "log_lines_lost",
                             "Lines of logs that were lost, for want of room.", "");
    torc_reactor_add_guest(reactor, &self->guest);
    *writer = self;
    return TORC_OK;
}
