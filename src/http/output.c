/* SPDX-License-Identifier: MIT */
/*
 * The body of the response: writing it, waiting while the peer is slow, and its end.
 *
 *  - The first write, flush or finish sends the head.
 *  - `body_sent` counts what was written, for HEAD too; for a status without a body nothing is
 *    counted.
 *  - More than the announced length never leaves; less makes finish fail.
 *  - Where there are stages, all bytes pass them first (staging.c); `body_sent` then counts what
 *    came out. On a fiber others are served between the pieces of a long body.
 *  - A response that failed before its head went is replaced by an error page when it is finished;
 *    one that failed later was reset on the spot.
 */
#include <torc/cooperate.h>
#include <torc/log.h>
#include <unistd.h>

#include "http/staging.h"
#include "http/wait.h"

enum {
    PIECE_MIN = 16 * 1024, /* of a long write on a fiber, between two waits */
    STAGED_PIECE =
        64 * 1024,    /* for stages at once, on a fiber: brotli takes a millisecond for it */
    STATIC_MIN = 1024 /* what is shorter is copied: that costs less than a reference */
};

/* What the head says of the body's length when `unknown` is to be said where nothing was announced.
 */
static int64_t announced_len(const torc_request *request, int64_t unknown) {
    if (request->sent.status == 204 || request->sent.status == 205) return 0;
    if (request->sent.status == 304) return -1; /* stages would have changed that of a 200 */
    return request->has_length ? (int64_t)request->length : unknown;
}

/* The response is about to start: those who watch for that may change it. */
static inline void prepare(torc_request *request, const torc_str *bytes, const torc_chain *chain) {
    if (__builtin_expect(request->hooks != NULL, 0)) torc_response_prepare(request, bytes, chain);
}

/* Send the head, if it has not gone. Whether writing has an effect then. */
static bool begin(torc_request *request, int64_t unknown) {
    prepare(request, NULL, NULL);
    if (!request->is_started) torc_response_send_head(request, announced_len(request, unknown));
    return !request_is_over(request) && !request->failure;
}

/* Whether `len` more bytes are to be sent; begins the response. */
static bool admit(torc_request *request, uint64_t len) {
    prepare(request, NULL, NULL);
    if (request_is_over(request) || request->failure || torc_staging_refuses(request)) return false;
    if (!torc_response_allows_body(request)) len = 0;
    if (request->has_length && !request->is_head && len > request->length - request->body_sent) {
        torc_response_fail(request, TORC_ERR_STATE);
        return false;
    }
    if (!begin(request, -1)) return false;
    if (!request->staging) request->body_sent += len;
    return len > 0 && !request->is_head;
}

static void send_chain(torc_request *request, torc_chain *chain) {
    const torc_err err = request->exchange->wire->send_body(request->exchange, chain);
    if (err && err != TORC_ERR_GONE) torc_response_fail(request, err);
}

/* Send what has passed the stages, unless they failed. */
static void send_passed(torc_request *request, torc_err err) {
    torc_staging *staging = request->staging;

    if (err) {
        torc_response_fail(request, err);
        return;
    }
    request->body_sent += staging->out.len;
    if (staging->out.len) send_chain(request, &staging->out);
}

/* Less or more is written than was announced in front of the stages. */
static bool is_beyond(const torc_staging *staging, uint64_t len) {
    return staging->has_length && len > staging->length - staging->written;
}

static void send_staged(torc_request *request, torc_str bytes) {
    if (is_beyond(request->staging, bytes.len))
        torc_response_fail(request, TORC_ERR_STATE);
    else
        send_passed(request, torc_staging_write(request->staging, bytes));
}

static void send_copy(torc_request *request, torc_str bytes) {
    torc_chain chain;

    if (request->staging) {
        send_staged(request, bytes);
        return;
    }

    torc_chain_init(&chain, &request->reactor->chains);
    if (torc_chain_add_bytes(&chain, bytes))
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
    else
        send_chain(request, &chain);
}

/* A chunk over bytes that somebody else keeps for ever. */
typedef struct lasting_bytes {
    torc_chunk base;
    torc_memory *memory;
} lasting_bytes;

static void free_lasting(torc_chunk *chunk) {
    lasting_bytes *self = torc_container_of(chunk, lasting_bytes, base);
    torc_dealloc(self->memory, self);
}

static void send_chunk(torc_request *request, torc_chunk *chunk, size_t offset, size_t len) {
    torc_chain chain;

    torc_chain_init(&chain, &request->reactor->chains);
    if (torc_chain_add_chunk(&chain, chunk, offset, len))
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
    else
        send_chain(request, &chain);
}

static void send_static(torc_request *request, torc_str bytes) {
    torc_memory *memory = &request->reactor->memory;
    lasting_bytes *self = torc_alloc(memory, TORC_MEMORY_OUTPUT, sizeof(*self));

    if (!self) {
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
        return;
    }
    *self = (lasting_bytes){
        .base = {.bytes = bytes.bytes, .len = bytes.len, .refs = 1, .free = free_lasting},
        .memory = memory,
    };
    send_chunk(request, &self->base, 0, bytes.len);
    torc_chunk_unref(&self->base);
}

/* Wait, on a fiber, until there is room. Elsewhere the wire refuses what is beyond the hard mark.
 */
static bool wait_for_room(torc_request *request) {
    const torc_exchange_wire *wire = request->exchange->wire;

    while (wire->room(request->exchange) == 0 && torc_waits_possible(request->reactor)) {
        const torc_err err = torc_waits_enter(request->reactor, &request->output_waits);
        if (err) torc_response_fail(request, err);
        if (err || request_is_over(request)) return false;
    }
    return true;
}

/* How much of a long write goes at once: on a fiber no more than there is room for, about. */
static size_t piece_of(torc_request *request, size_t len) {
    size_t room;

    if (!torc_waits_possible(request->reactor)) return len;
    room = request->exchange->wire->room(request->exchange);
    if (request->staging && room > STAGED_PIECE) room = STAGED_PIECE;
    if (room < PIECE_MIN) room = PIECE_MIN;
    return len < room ? len : room;
}

/* Stages may take long over a piece, and what comes out of it may be so little that there is always
 * room: let others be served, when their turn has come. Whether the writer goes on. */
static bool let_others_go(torc_request *request) {
    if (!request->staging || !torc_waits_possible(request->reactor)) return true;
    const torc_err err = torc_breathe(request->reactor);
    if (err) torc_response_fail(request, err);
    return !request_is_over(request);
}

static void send_pieces(torc_request *request, torc_str bytes) {
    while (bytes.len > 0 && wait_for_room(request)) {
        const size_t piece = piece_of(request, bytes.len);
        send_copy(request, torc_str_head(bytes, piece));
        if (request_is_over(request)) return;
        bytes = torc_str_from(bytes, piece);
        if (bytes.len > 0 && !let_others_go(request)) return;
    }
}

void torc_request_write(torc_request *request, torc_str bytes) {
    if (!admit(request, bytes.len)) return;
    send_pieces(request, bytes);
    if (request->feed) torc_feed_written(request);
}

void torc_request_write_static(torc_request *request, torc_str bytes) {
    if (bytes.len < STATIC_MIN) {
        torc_request_write(request, bytes);
        return;
    }
    if (!admit(request, bytes.len) || !wait_for_room(request)) return;
    if (request->staging)
        send_pieces(request, bytes);
    else
        send_static(request, bytes);
    if (request->feed) torc_feed_written(request);
}

void torc_request_write_chunk(torc_request *request, torc_chunk *chunk, size_t offset, size_t len) {
    if (len < STATIC_MIN) {
        torc_request_write(request, torc_str_make(chunk->bytes + offset, len));
        return;
    }
    if (!admit(request, len) || !wait_for_room(request)) return;
    if (request->staging)
        send_pieces(request, torc_str_make(chunk->bytes + offset, len));
    else
        send_chunk(request, chunk, offset, len);
    if (request->feed) torc_feed_written(request);
}

/* Let a range of a file pass the stages, piece by piece. */
static void send_file_staged(torc_request *request, torc_shared_file *file, uint64_t offset,
                             uint64_t len) {
    size_t done = 0;

    if (is_beyond(request->staging, len)) torc_response_fail(request, TORC_ERR_STATE);
    for (; len > 0 && !request_is_over(request) && wait_for_room(request); len -= done) {
        const size_t max = len < SIZE_MAX ? (size_t)len : SIZE_MAX;
        send_passed(request, torc_staging_write_file(request, file, offset, max, &done));
        offset += done;
    }
}

static void send_range(torc_request *request, torc_shared_file *file, uint64_t offset,
                       uint64_t len) {
    torc_chain chain;

    torc_chain_init(&chain, &request->reactor->chains);
    if (torc_chain_add_file(&chain, file, offset, len))
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
    else
        send_chain(request, &chain);
}

static void send_file(torc_request *request, torc_shared_file *file, uint64_t offset,
                      uint64_t len) {
    if (request->staging)
        send_file_staged(request, file, offset, len);
    else
        send_range(request, file, offset, len);
    if (request->feed) torc_feed_written(request);
}

void torc_request_write_shared_file(torc_request *request, torc_shared_file *file, uint64_t offset,
                                    uint64_t len) {
    if (admit(request, len) && wait_for_room(request)) send_file(request, file, offset, len);
}

void torc_request_write_file(torc_request *request, int fd, uint64_t offset, uint64_t len) {
    torc_shared_file *file;

    if (!admit(request, len) || !wait_for_room(request)) {
        close(fd);
        return;
    }
    file = torc_shared_file_new(&request->reactor->memory, fd);
    if (!file) {
        close(fd);
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
        return;
    }
    send_file(request, file, offset, len);
    torc_shared_file_unref(file);
}

/* Whether there is a body for the stages. */
static bool passes(const torc_request *request) {
    return !request->is_head && torc_response_allows_body(request);
}

void torc_request_flush(torc_request *request) {
    if (request_is_over(request) || request->failure || torc_staging_refuses(request)) return;
    if (!begin(request, -1)) return;
    if (request->staging && passes(request))
        send_passed(request, torc_staging_flush(request->staging));
}

size_t torc_request_room(const torc_request *request) {
    if (request_is_over(request)) return 0;
    return request->exchange->wire->room(request->exchange);
}

static void send_end(torc_request *request) {
    const torc_err err = request->exchange->wire->send_end(request->exchange, request->trailers);
    if (err && err != TORC_ERR_GONE) torc_response_fail(request, err);
}

/* Less was written than announced. */
static bool is_short(const torc_request *request) {
    const torc_staging *staging = request->staging;

    if (staging && staging->has_length && staging->written < staging->length && passes(request))
        return true;
    return request->has_length && request->body_sent < request->length && !request->is_head &&
           torc_response_allows_body(request);
}

/* Send what is left to be sent: the head, if nothing was written, and the end. */
static void complete(torc_request *request) {
    const torc_str empty = TORC_STR("");

    /* To HEAD nothing was written, which does not say that there is nothing. */
    if (!request->is_started) prepare(request, request->is_head ? NULL : &empty, NULL);
    if (request->staging && passes(request) && !request->failure && begin(request, -1))
        send_passed(request, torc_staging_end(request->staging));
    if (is_short(request)) torc_response_fail(request, TORC_ERR_STATE);
    if (!request->failure && begin(request, request->is_head ? -1 : 0)) send_end(request);
}

static int status_of_failure(torc_err err) {
    if (err == TORC_ERR_TIMEOUT) return 504;
    return err == TORC_ERR_NO_MEMORY || err == TORC_ERR_LIMIT ? 503 : 500;
}

/* Nothing of the response was sent: an error page goes out in its place, or a reply without a body.
 */
static void replace(torc_request *request) {
    const torc_err err = (torc_err)request->failure;
    const int status = status_of_failure(err);
    const torc_error_reply error = {.status = status, .err = err};
    const torc_log_field why = TORC_LOG_ERR("error", err);

    torc_request_log_failure(request, "a response failed before it was sent", &why);
    torc_response_clear(request);
    request->sent.status = status;
    if (request->error_step < TORC_ERROR_PLAIN) {
        torc_request_write_error(request, &error);
        if (request->is_finished) return;
        complete(request);
        if (!request->failure || request->is_started) return;
    }
    torc_response_clear(request);
    request->sent.status = status;
    complete(request);
}

torc_err torc_response_conclude(torc_request *request) {
    const torc_err first = (torc_err)request->failure;

    if (first && !request->is_started) {
        replace(request);
        if (request->is_finished) return first; /* by who has replied in its place */
    }
    if (request->failure) torc_request_reset(request, (torc_err)request->failure);
    if (request->is_lost)
        request->is_finished = true;
    else
        torc_request_finished(request, request->is_reset ? first : TORC_OK);
    return first;
}

torc_err torc_request_finish(torc_request *request) {
    if (request->is_finished || (request->is_lost && !request->failure)) return TORC_ERR_GONE;
    if (torc_staging_refuses(request)) return TORC_ERR_STATE;
    if (!request->failure) complete(request);
    return torc_response_conclude(request);
}

/* Announce the length of a body that is all there, unless that announces itself, or stages would
 * change it. */
static bool begin_whole(torc_request *request, size_t len) {
    if (request_is_over(request)) return false;
    if (request->is_started) torc_response_fail(request, TORC_ERR_STATE);
    request->has_length = !request->staging;
    request->length = len;
    return admit(request, len);
}

/* All of the body has been given to the stages, before the head: what comes out has a length. */
static void send_whole_staged(torc_request *request, torc_err err) {
    torc_chain passed;

    if (!err) err = torc_staging_end(request->staging);
    torc_chain_init(&passed, &request->reactor->chains);
    torc_chain_move(&passed, &request->staging->out);
    torc_staging_drop(request);
    if (err)
        torc_response_fail(request, err);
    else if (begin_whole(request, passed.len))
        send_chain(request, &passed);
    torc_chain_clear(&passed);
}

/* Let a long whole body pass, piece by piece where its writer can wait. Whether there is still
 * something to be done: the request may be lost meanwhile, or replied to by somebody else. */
static bool stage_pieces(torc_request *request, torc_str bytes, bool is_last, torc_err *err) {
    const torc_staging *staging = request->staging;
    const bool can_wait = request->is_running && torc_waits_possible(request->reactor);

    while (!*err && bytes.len > 0) {
        const torc_str piece =
            can_wait && bytes.len > STAGED_PIECE ? torc_str_head(bytes, STAGED_PIECE) : bytes;
        *err = torc_staging_write(request->staging, piece);
        bytes = torc_str_from(bytes, piece.len);
        if (*err || !can_wait || (is_last && bytes.len == 0)) continue;
        *err = torc_breathe(request->reactor);
        if (request->staging != staging || request->is_started || request_is_over(request))
            return false;
    }
    return true;
}

/* The same for a document, which nobody clears meanwhile: it is moved here. */
static bool stage_document(torc_request *request, torc_chain *document, torc_err *err) {
    bool is_wanted = true;
    torc_chain chain;

    torc_chain_init(&chain, &request->reactor->chains);
    torc_chain_move(&chain, document);
    for (const torc_segment *at = chain.first; at && is_wanted && !*err; at = at->next)
        is_wanted = stage_pieces(request, torc_str_make(at->bytes, at->len), !at->next, err);
    torc_chain_clear(&chain);
    return is_wanted;
}

/* Whether a whole body has to pass stages. */
static bool is_staged(const torc_request *request) {
    return request->staging && passes(request) && !request->failure && !request_is_over(request);
}

void torc_response_send_whole(torc_request *request, torc_str body, bool is_static) {
    torc_err err = TORC_OK;

    if (torc_staging_refuses(request)) return;
    prepare(request, &body, NULL);
    if (request->hooks && torc_response_send_short_body(request, body)) return;
    if (is_staged(request)) {
        if (!stage_pieces(request, body, true, &err)) return;
        send_whole_staged(request, err);
    } else if (begin_whole(request, body.len)) {
        if (is_static && body.len >= STATIC_MIN)
            send_static(request, body);
        else
            send_copy(request, body);
    }
    (void)!torc_request_finish(request);
}

/* A document in one piece, as most are, goes the wire's short way, if nothing speaks against it. */
static bool send_in_one(torc_request *request, const torc_chain *document) {
    const torc_segment *segment = document->first;

    if (!segment || segment->len != document->len || segment->kind != TORC_SEGMENT_PAGE)
        return false;
    return torc_response_send_short_body(request, torc_str_make(segment->bytes, segment->len));
}

void torc_response_send_chain(torc_request *request, torc_chain *body) {
    torc_err err = TORC_OK;

    if (torc_staging_refuses(request)) {
        torc_chain_clear(body);
        return;
    }
    prepare(request, NULL, body);
    if (send_in_one(request, body)) {
        torc_chain_clear(body);
        return;
    }
    if (is_staged(request)) {
        if (!stage_document(request, body, &err)) return;
        send_whole_staged(request, err);
    } else if (begin_whole(request, body->len)) {
        send_chain(request, body);
    }
    torc_chain_clear(body);
    (void)!torc_request_finish(request);
}
