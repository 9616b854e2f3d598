/* SPDX-License-Identifier: MIT */
/*
 * What stands between a response's writer and the wire: hooks that are told that it starts, and the
 * stages that these add for the body.
 *
 *  - Hooks are told once for each response, before its head goes. What they do to it is as if its
 *    writer had done it.
 *  - A stage is disposed of exactly once: when the request has ended, or when its response failed
 *    and is replaced by an error page.
 *  - A stage that is called can neither write, nor finish, nor reply: that fails the response, and
 *    the stages stay until it has returned.
 *  - The length that a writer announced is checked against what was written, not against what left.
 */
#include "http/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <torc/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/wait.h"
#include "reactor/file_operation.h"

enum {
    FILE_PIECE = 32 * 1024 /* of a file, read at once */
};

/* The body of a response that starts, when all of it is there: one of the two. */
struct torc_whole {
    const torc_str *bytes;
    const torc_chain *chain;
};

/* ---- hooks ---- */

void torc_request_add_hook(torc_request *request, torc_response_hook *hook) {
    hook->next = request->hooks;
    request->hooks = hook;
}

void torc_response_prepare(torc_request *request, const torc_str *bytes, const torc_chain *chain) {
    const struct torc_whole whole = {bytes, chain};

    if (request->is_prepared || request->is_started) return;
    request->is_prepared = true;
    request->whole = bytes || chain ? &whole : NULL;
    for (torc_response_hook *hook = request->hooks; hook; hook = hook->next) {
        if (request_is_over(request) || request->failure) break;
        hook->starting(hook, request);
    }
    request->whole = NULL;
}

static size_t whole_len(const struct torc_whole *whole) {
    return whole->bytes ? whole->bytes->len : whole->chain->len;
}

int64_t torc_response_length(const torc_request *request) {
    if (request->whole) return (int64_t)whole_len(request->whole);
    return request->has_length ? (int64_t)request->length : -1;
}

/* Join the pieces of a document. */
static bool join(torc_request *request, const torc_chain *chain, torc_str *body) {
    char *bytes = torc_arena_bytes(request->arena, chain->len);
    size_t at = 0;

    if (!bytes) return false;
    for (const torc_segment *segment = chain->first; segment; segment = segment->next) {
        memcpy(bytes + at, segment->bytes, segment->len);
        at += segment->len;
    }
    *body = torc_str_make(bytes, at);
    return true;
}

bool torc_response_whole(torc_request *request, size_t max, torc_str *body) {
    const struct torc_whole *whole = request->whole;

    if (!whole || whole_len(whole) > max) return false;
    if (whole->bytes) {
        *body = *whole->bytes;
        return true;
    }
    const torc_segment *first = whole->chain->first;
    if (first && first->next) return join(request, whole->chain, body);
    *body = first ? torc_str_make(first->bytes, first->len) : torc_str_make("", 0);
    return true;
}

/* ---- stages ---- */

static torc_staging *staging_of(torc_request *request) {
    torc_staging *staging = request->staging;

    if (staging) return staging;
    staging = torc_arena_alloc_zero(request->arena, 1, sizeof(*staging));
    if (!staging) return NULL;
    torc_chain_init(&staging->out, &request->reactor->chains);
    staging->has_length = request->has_length;
    staging->length = request->length;
    request->has_length = false;
    request->staging = staging;
    return staging;
}

void torc_response_add_stage(torc_request *request, torc_body_stage *stage) {
    torc_staging *staging =
        request_is_over(request) || request->is_started ? NULL : staging_of(request);
    torc_body_stage **last;

    stage->request = request;
    stage->next = NULL;
    if (!staging) {
        if (stage->ops->dispose) stage->ops->dispose(stage);
        torc_response_fail(request, request->is_started ? TORC_ERR_STATE : TORC_ERR_NO_MEMORY);
        return;
    }
    for (last = &staging->first; *last; last = &(*last)->next) continue;
    *last = stage;
}

torc_err torc_body_stage_pass(torc_body_stage *stage, torc_str bytes) {
    if (bytes.len == 0) return TORC_OK;
    if (stage->next) return stage->next->ops->write(stage->next, bytes);
    return torc_chain_add_bytes(&stage->request->staging->out, bytes);
}

torc_err torc_staging_write(torc_staging *staging, torc_str bytes) {
    torc_err err;

    if (bytes.len == 0) return TORC_OK;
    staging->written += bytes.len;
    staging->is_passing = true;
    err = staging->first->ops->write(staging->first, bytes);
    staging->is_passing = false;
    return err;
}

torc_err torc_staging_flush(torc_staging *staging) {
    torc_err err = TORC_OK;

    staging->is_passing = true;
    for (torc_body_stage *stage = staging->first; stage && !err; stage = stage->next)
        if (stage->ops->flush) err = stage->ops->flush(stage);
    staging->is_passing = false;
    return err;
}

torc_err torc_staging_end(torc_staging *staging) {
    torc_err err = TORC_OK;

    staging->is_passing = true;
    for (torc_body_stage *stage = staging->first; stage && !err; stage = stage->next)
        if (stage->ops->end) err = stage->ops->end(stage);
    staging->is_passing = false;
    return err;
}

void torc_staging_drop(torc_request *request) {
    torc_staging *staging = request->staging;
    torc_body_stage *stage = staging->first;

    request->staging = NULL;
    torc_chain_clear(&staging->out);
    while (stage) {
        torc_body_stage *next = stage->next;
        if (stage->ops->dispose) stage->ops->dispose(stage);
        stage = next;
    }
}

/* ---- files ---- */

/* On a fiber a thread reads; the descriptor is its own, since it may be left behind. */
static torc_err read_on_thread(torc_reactor *reactor, int fd, uint64_t offset, char *bytes,
                               size_t max, size_t *got) {
    torc_file *file = torc_file_new(reactor);
    torc_err err;

    if (!file) return TORC_ERR_NO_MEMORY;
    file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    err = file->fd < 0 ? torc_err_from_errno(errno)
                       : torc_file_read_at(file, offset, bytes, max, got);
    torc_file_close(file);
    return err;
}

static torc_err read_here(int fd, uint64_t offset, char *bytes, size_t max, size_t *got) {
    const ssize_t count = pread(fd, bytes, max, (off_t)offset);

    if (count < 0) return torc_err_from_errno(errno);
    *got = (size_t)count;
    return TORC_OK;
}

torc_err torc_staging_write_file(torc_request *request, torc_shared_file *file, uint64_t offset,
                                 size_t max, size_t *done) {
    torc_memory *memory = &request->reactor->memory;
    const size_t len = max < FILE_PIECE ? max : FILE_PIECE;
    char *bytes = torc_alloc(memory, TORC_MEMORY_OUTPUT, len);
    torc_err err;

    if (!bytes) return TORC_ERR_NO_MEMORY;
    err = torc_waits_possible(request->reactor)
              ? read_on_thread(request->reactor, file->fd, offset, bytes, len, done)
              : read_here(file->fd, offset, bytes, len, done);
    if (!err && *done == 0) err = TORC_ERR_TRUNCATED; /* the file has become shorter */
    if (!err && request_is_over(request)) err = TORC_ERR_GONE;
    if (!err) err = torc_staging_write(request->staging, torc_str_make(bytes, *done));
    torc_dealloc(memory, bytes);
    return err;
}
