/* SPDX-License-Identifier: MIT */
/*
 * Reading files into the page cache before they are sent.
 *
 *  - A file remembers one range that was at hand a moment ago (`warm` in torc_shared_file).
 *  - A warming is the reactor's; it is in its list as long as somebody waits for it, and lets go of
 *    its file and its memory when its job has been told, or taken back.
 *  - Where the queue of the threads is full it comes again after a while. The peer is not kept from
 *    timing out meanwhile, but the deadlines of the protocol begin anew when it goes on.
 *  - What reading says is of no interest: sendfile() finds the same.
 */
#include "transport/file_warmer.h"

#include <linux/magic.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <torc/thread.h>
#include <torc/timer.h>
#include <unistd.h>

#include "base/alloc.h"
#include "reactor/syscalls.h"

enum {
    STEP = 64 * 1024,     /* between two looks */
    WINDOW = 1024 * 1024, /* that a thread reads at a time */
    TRUST_MS = 1000,      /* for so long what was at hand is taken to be */
    AGAIN_MS = 20         /* after the queue was full */
};

typedef struct warming {
    torc_list_node node;
    torc_job job;
    torc_timer again;
    torc_reactor *reactor;
    torc_transport *transport; /* NULL: it has gone */
    torc_shared_file *file;
    uint64_t offset;
} warming;

/* ---- what is at hand ---- */

static bool is_fresh(const torc_reactor *reactor, const torc_shared_file *file) {
    return file->warm_to > 0 && reactor->now_ms - file->warm_ms < TRUST_MS;
}

/* Remember that a range is at hand, with what is known already if it touches that. */
static void note(torc_reactor *reactor, torc_shared_file *file, uint64_t from, uint64_t to) {
    if (!is_fresh(reactor, file) || from > file->warm_to || to < file->warm_from) {
        file->warm_from = from;
        file->warm_to = to;
        file->warm_ms = reactor->now_ms;
        return;
    }
    if (from < file->warm_from) file->warm_from = from;
    if (to > file->warm_to) file->warm_to = to;
}

static bool is_in_memory(int fd) {
    struct statfs about;
    return fstatfs(fd, &about) == 0 && (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC);
}

/* Whether the byte at an offset can be read without waiting; a file system that cannot tell has to
 * wait. Errors are for sendfile() to find. */
static bool look(const torc_reactor *reactor, int fd, uint64_t offset) {
    char byte;
    const struct iovec piece = {.iov_base = &byte, .iov_len = 1};

    if (!torc_sys_fails(reactor, TORC_SYS_READ, NULL) &&
        preadv2(fd, &piece, 1, (off_t)offset, RWF_NOWAIT) >= 0)
        return true;
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return is_in_memory(fd);
    return errno != EAGAIN;
}

/* How many of the first `len` bytes of a range are at hand. */
static size_t range_at_hand(torc_reactor *reactor, const torc_segment *range, size_t len) {
    torc_shared_file *file = range->owner.file;
    const uint64_t from = range->offset, to = from + len;
    uint64_t at = from;

    if (is_fresh(reactor, file) && from >= file->warm_from && from < file->warm_to) {
        if (to <= file->warm_to) return len;
        at = file->warm_to;
    }
    while (at < to && look(reactor, file->fd, at)) at = (at / STEP + 1) * STEP;
    if (at > to) at = to;
    if (at > from) note(reactor, file, from, at);
    return (size_t)(at - from);
}

size_t torc_file_warmer_at_hand(torc_reactor *reactor, const torc_chain *chain, size_t len) {
    size_t whole = 0;

    for (const torc_segment *segment = chain->first; segment && whole < len;
         segment = segment->next) {
        const size_t part = segment->len < len - whole ? segment->len : len - whole;
        const size_t there =
            segment->kind == TORC_SEGMENT_FILE ? range_at_hand(reactor, segment, part) : part;
        whole += there;
        if (there < part) break;
    }
    return whole;
}

/* ---- warming ---- */

static void free_warming(warming *self) {
    torc_list_remove(&self->node);
    torc_timer_cancel(&self->again);
    torc_shared_file_unref(self->file);
    torc_dealloc(&self->reactor->memory, self);
}

static void work(torc_job *job) {
    const warming *self = torc_container_of(job, warming, job);
    char bytes[STEP];

    for (uint64_t at = 0; at < WINDOW; at += STEP) {
        size_t asked = STEP;
        if (torc_sys_fails(self->reactor, TORC_SYS_READ, &asked)) return;
        if (pread(self->file->fd, bytes, asked, (off_t)(self->offset + at)) <= 0) return;
    }
}

static void tell(warming *self) {
    torc_transport *transport = self->transport;

    free_warming(self);
    if (transport) torc_transport_warmed(transport);
}

static void done(torc_job *job) {
    warming *self = torc_container_of(job, warming, job);

    note(self->reactor, self->file, self->offset, self->offset + WINDOW);
    tell(self);
}

static void submit(warming *self) {
    const torc_err err = torc_job_submit(self->reactor, &self->job);

    if (err == TORC_ERR_STOPPING)
        tell(self);
    else if (err)
        torc_timer_arm(&self->again, AGAIN_MS);
}

static void expired(torc_timer *timer) {
    submit(torc_container_of(timer, warming, again));
}

bool torc_file_warmer_start(torc_transport *transport) {
    torc_reactor *reactor = transport->reactor;
    const torc_segment *range = transport->outgoing->chain.first;
    warming *self;

    while (range->len == 0) range = range->next;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OUTPUT, 1, sizeof(*self));
    if (!self) return false;
    self->reactor = reactor;
    self->transport = transport;
    self->file = torc_shared_file_ref(range->owner.file);
    self->offset = range->offset;
    self->job.work = work;
    self->job.done = done;
    torc_timer_init(&self->again, reactor, expired);
    torc_list_push(&reactor->warmings, &self->node);
    const torc_err err = torc_job_submit(reactor, &self->job);
    if (err == TORC_ERR_STOPPING) {
        free_warming(self);
        return false;
    }
    if (err) torc_timer_arm(&self->again, AGAIN_MS);
    return true;
}

void torc_file_warmer_stop(torc_transport *transport) {
    torc_reactor *reactor = transport->reactor;
    torc_list_node *node = torc_list_first(&reactor->warmings);

    while (node && torc_container_of(node, warming, node)->transport != transport)
        node = torc_list_next(&reactor->warmings, node);
    if (!node) return;
    warming *self = torc_container_of(node, warming, node);
    self->transport = NULL;
    if (torc_timer_is_armed(&self->again) || torc_job_withdraw(&self->job))
        free_warming(self);
    else
        torc_list_remove(node);
}
