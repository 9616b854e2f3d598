/* SPDX-License-Identifier: MIT */
/*
 * Reading the body of a request, piece by piece.
 *
 *  - The wire is asked for what the window has room for: buffered and wanted bytes together are at
 *    most TORC_BODY_WINDOW, so a peer is read no faster than its body.
 *  - The first read asks, so that `100 (Continue)` goes out then and not before.
 *  - `received` never exceeds `max`: what crosses it makes the reader fail, and is not kept.
 *  - Once `err` is set or all has come, whoever waits is told; `err` is told for ever, also in
 *    front of bytes that came before it.
 *  - A callback is called from an event of the wire, a posted call or the end of the request, never
 *    from the call that asked.
 */
#include <torc/cooperate.h>

#include "base/alloc.h"
#include "http/body_reader.h"
#include "http/wait.h"

void torc_body_drop_lent(torc_body_reader *reader) {
    if (reader->lent) torc_page_unref(reader->lent);
    reader->lent = NULL;
}

torc_page *torc_body_take_page(torc_body_reader *reader) {
    torc_page *page = reader->first;

    reader->first = page->next;
    if (!reader->first) reader->last = NULL;
    reader->buffered -= torc_body_piece_of(page)->len;
    return page;
}

static void drop_pages(torc_body_reader *reader) {
    while (reader->first) torc_page_unref(torc_body_take_page(reader));
}

static void release(torc_holding *holding) {
    torc_body_reader *reader = torc_container_of(holding, torc_body_reader, holding);

    torc_call_cancel(&reader->telling);
    torc_body_drop_lent(reader);
    drop_pages(reader);
    if (reader->decoder) torc_coder_free(reader->decoder->coder);
    torc_buf_dispose(&reader->whole);
    torc_file_close(reader->file);
}

void torc_body_want(torc_body_reader *reader) {
    torc_request *request = reader->request;
    const size_t used = reader->wanted + reader->buffered;
    const size_t space = used < TORC_BODY_WINDOW ? TORC_BODY_WINDOW - used : 0;

    if (request->has_body_ended || reader->err) return;
    if (space < TORC_BODY_WINDOW / 2 && used > 0) return;
    reader->wanted += space;
    request->exchange->wire->want_body(request->exchange, space);
}

/* Take the oldest page from the buffer and lend it. */
static torc_str lend(torc_body_reader *reader) {
    torc_page *page = torc_body_take_page(reader);

    reader->lent = page;
    return torc_str_make(torc_body_piece_of(page)->bytes, torc_body_piece_of(page)->len);
}

/* The answer to a read, as far as it is known: TORC_ERR_AGAIN when it is not. */
static torc_err answer(torc_body_reader *reader, torc_str *chunk) {
    if (reader->err) return (torc_err)reader->err;
    if (reader->decoder) return torc_body_decode(reader, chunk);
    if (reader->first)
        *chunk = lend(reader);
    else if (reader->is_complete)
        *chunk = torc_str_make("", 0);
    else
        return TORC_ERR_AGAIN;
    return TORC_OK;
}

static void tell_chunk(torc_body_reader *reader, torc_err err, torc_str chunk) {
    reader->mode = TORC_BODY_IDLE;
    reader->chunk_fn(reader->request, err, err ? torc_str_make(NULL, 0) : chunk, reader->context);
}

static void tell_whole(torc_body_reader *reader) {
    reader->mode = TORC_BODY_IDLE;
    reader->body =
        (torc_body){.bytes = torc_buf_str(&reader->whole), .fd = -1, .len = reader->whole.len};
    if (!reader->body.bytes.bytes) reader->body.bytes = torc_str_make("", 0);
    reader->whole_fn(reader->request, (torc_err)reader->err, reader->err ? NULL : &reader->body,
                     reader->context);
}

/* Tell a callback what is known, if that is its answer. */
static void tell(torc_body_reader *reader) {
    torc_str chunk = {0};
    torc_err err;

    if (reader->mode == TORC_BODY_WHOLE && reader->whole_fn &&
        (reader->err || reader->is_complete)) {
        tell_whole(reader);
    } else if (reader->mode == TORC_BODY_CHUNK) {
        torc_body_drop_lent(reader);
        err = answer(reader, &chunk);
        if (err != TORC_ERR_AGAIN) tell_chunk(reader, err, chunk);
    }
}

static void run_telling(torc_call *call) {
    torc_body_reader *reader = torc_container_of(call, torc_body_reader, telling);

    tell(reader);
    if (reader->mode != TORC_BODY_IDLE)
        torc_body_want(reader); /* what was there decodes to nothing */
}

/* Something has changed: fibers look again, a callback is told from here. */
static void changed(torc_body_reader *reader) {
    torc_waits_end(&reader->waits, TORC_OK);
    tell(reader);
}

void torc_body_fail(torc_body_reader *reader, torc_err err) {
    if (reader->err) return;
    reader->err = (int16_t)err;
    drop_pages(reader);
}

/* Begin to read, if that is possible: a body that is announced as too long is not even asked for.
 */
static void begin(torc_body_reader *reader) {
    torc_request *request = reader->request;
    const int64_t len = request->head->body_len;

    if (len > 0 && (uint64_t)len > reader->max)
        reader->err = TORC_ERR_TOO_LARGE;
    else if (request->has_body_ended || len == 0)
        reader->is_complete = true;
}

static torc_body_reader *make_reader(torc_request *request) {
    torc_body_reader *reader = torc_arena_alloc_zero(request->arena, 1, sizeof(*reader));

    if (!reader) return NULL;
    reader->request = request;
    reader->holding.release = release;
    reader->telling.run = run_telling;
    reader->max = torc_request_limits_now(request)->body_bytes_max;
    torc_list_init(&reader->waits);
    torc_buf_init(&reader->whole, &request->reactor->memory, TORC_MEMORY_INPUT, 0);
    torc_request_hold(request, &reader->holding);
    if (request->decoded && torc_body_begin_decoding(reader)) reader->err = TORC_ERR_NO_MEMORY;
    begin(reader);
    return reader;
}

torc_err torc_body_reader_of(torc_request *request, torc_body_reader **reader) {
    if (request_is_over(request)) return TORC_ERR_GONE;
    if (!request->reader) request->reader = make_reader(request);
    if (!request->reader) return TORC_ERR_NO_MEMORY;
    if (request->reader->mode != TORC_BODY_IDLE) return TORC_ERR_STATE;
    *reader = request->reader;
    return TORC_OK;
}

/* Copy bytes into pages, filling the newest first. */
static torc_err buffer(torc_body_reader *reader, torc_str bytes) {
    const size_t room_max = TORC_PAGE_BYTES - sizeof(torc_body_piece);

    while (bytes.len > 0) {
        torc_page *page = reader->last;
        if (!page || torc_body_piece_of(page)->len == room_max) {
            page = torc_page_take(&reader->request->reactor->pages, TORC_MEMORY_INPUT);
            if (!page) return TORC_ERR_NO_MEMORY;
            page->next = NULL;
            torc_body_piece_of(page)->len = 0;
            *(reader->last ? &reader->last->next : &reader->first) = page;
            reader->last = page;
        }
        torc_body_piece *piece = torc_body_piece_of(page);
        const torc_str part = torc_str_head(bytes, room_max - piece->len);
        memcpy(piece->bytes + piece->len, part.bytes, part.len);
        piece->len += (uint32_t)part.len;
        reader->buffered += part.len;
        bytes = torc_str_from(bytes, part.len);
    }
    return TORC_OK;
}

static torc_err keep(torc_body_reader *reader, torc_str bytes) {
    torc_err err;

    if (reader->mode == TORC_BODY_WHOLE && !reader->decoder) {
        torc_buf_add(&reader->whole, bytes);
        return torc_body_whole_err(reader);
    }
    err = buffer(reader, bytes);
    if (!err && reader->mode == TORC_BODY_WHOLE) err = torc_body_collect_decoded(reader);
    return err;
}

/* No more of the body is wanted, whatever it says. */
static void refuse_rest(torc_body_reader *reader, torc_err err) {
    torc_request *request = reader->request;

    torc_body_fail(reader, err);
    if (request->has_body_ended || request->is_reset) return;
    request->has_body_ended = true;
    request->exchange->wire->stop_body(request->exchange);
}

void torc_body_received(torc_request *request, torc_str bytes) {
    torc_body_reader *reader = request->reader;
    torc_err err = TORC_OK;

    if (!reader || reader->err) return;
    reader->wanted -= bytes.len < reader->wanted ? bytes.len : reader->wanted;
    reader->received += bytes.len;
    if (reader->received > reader->max) err = TORC_ERR_TOO_LARGE;

    /* A callback that waits gets the bytes where they are. */
    if (!err && reader->mode == TORC_BODY_CHUNK && !reader->first && !reader->decoder) {
        torc_body_drop_lent(reader);
        torc_call_cancel(&reader->telling);
        tell_chunk(reader, TORC_OK, bytes);
    } else {
        if (!err) err = keep(reader, bytes);
        if (err) refuse_rest(reader, err);
        if (reader->mode != TORC_BODY_WHOLE || err) changed(reader);
    }
    if (reader->mode != TORC_BODY_IDLE) torc_body_want(reader);
}

void torc_body_ended(torc_request *request) {
    torc_body_reader *reader = request->reader;
    torc_err err = TORC_OK;

    reader->is_complete = true;
    if (reader->decoder && reader->mode == TORC_BODY_WHOLE && !reader->err)
        err = torc_body_collect_decoded(reader);
    if (err) torc_body_fail(reader, err);
    changed(reader);
}

void torc_body_dropped(torc_request *request) {
    torc_body_reader *reader = request->reader;

    if (!reader->is_complete) torc_body_fail(reader, TORC_ERR_GONE);
    torc_waits_end(&reader->waits, TORC_OK);
}

void torc_body_lost(torc_request *request, torc_err reason) {
    torc_body_reader *reader = request->reader;

    if (!reader->is_complete) torc_body_fail(reader, reason);
    changed(reader);
}

torc_err torc_body_wait(torc_body_reader *reader) {
    torc_body_want(reader);
    return torc_waits_enter(reader->request->reactor, &reader->waits);
}

torc_err torc_body_read(torc_request *request, torc_str *chunk) {
    torc_body_reader *reader;
    torc_err err = torc_body_reader_of(request, &reader);

    if (err) return err;
    torc_body_drop_lent(reader);
    /* What has come may decode to so much that the fiber would not wait for long. */
    if (reader->decoder) err = torc_breathe(request->reactor);
    if (err) return reader->err ? (torc_err)reader->err : err;
    while ((err = answer(reader, chunk)) == TORC_ERR_AGAIN) {
        err = torc_body_wait(reader);
        if (err) return reader->err ? (torc_err)reader->err : err;
    }
    if (!err) torc_body_want(reader);
    return err;
}

/* Whether the decoder has something to give that is not in pages any more. */
static bool has_more(const torc_body_reader *reader) {
    return reader->decoder && reader->decoder->has_more;
}

torc_err torc_body_request_chunk(torc_request *request, torc_body_chunk_fn *chunk, void *context) {
    torc_body_reader *reader;
    torc_err err = torc_body_reader_of(request, &reader);

    if (err) return err;
    reader->mode = TORC_BODY_CHUNK;
    reader->chunk_fn = chunk;
    reader->context = context;
    if (reader->err || reader->first || reader->is_complete || has_more(reader))
        torc_reactor_post(request->reactor, &reader->telling);
    else
        torc_body_want(reader);
    return TORC_OK;
}

void torc_body_give_up(torc_body_reader *reader) {
    if (reader->mode != TORC_BODY_CHUNK) return;
    reader->mode = TORC_BODY_IDLE;
    torc_call_cancel(&reader->telling);
}

const torc_fields *torc_body_trailers(const torc_request *request) {
    return request->reader && request->reader->is_complete ? request->body_trailers : NULL;
}
