/* SPDX-License-Identifier: MIT */
/*
 * Reading the body of a request as a whole, in memory.
 *
 *  - A whole body is one buffer, which lives until the request is retired; reading it again gives
 *    the same.
 *  - What was received before the read goes into it first; later bytes go there straight from the
 *    wire.
 */
#include "http/body_reader.h"

static void move_pages(torc_body_reader *reader) {
    while (reader->first) {
        torc_page *page = torc_body_take_page(reader);
        const torc_body_piece *piece = torc_body_piece_of(page);
        torc_buf_add(&reader->whole, torc_str_make(piece->bytes, piece->len));
        torc_page_unref(page);
    }
}

torc_err torc_body_whole_err(const torc_body_reader *reader) {
    const torc_err err = torc_buf_err(&reader->whole);
    return err == TORC_ERR_LIMIT ? TORC_ERR_TOO_LARGE : err;
}

/* What is announced is not yet there: no more than a window is set aside for it. */
static size_t reserve_of(int64_t len) {
    return len < TORC_BODY_WINDOW ? (size_t)len : TORC_BODY_WINDOW;
}

/* Make room for what is announced, and move there what has come. */
static torc_err begin_whole(torc_body_reader *reader, size_t max) {
    const int64_t len = reader->request->head->body_len;

    if (reader->err) return (torc_err)reader->err;
    if (reader->decoder) return torc_body_collect_decoded(reader);
    if (len > 0 && (uint64_t)len > max) torc_buf_fail(&reader->whole, TORC_ERR_LIMIT);
    if (len > 0 && !reader->is_complete) (void)torc_buf_reserve(&reader->whole, reserve_of(len));
    move_pages(reader);
    return torc_body_whole_err(reader);
}

void torc_body_collect(torc_body_reader *reader, size_t max) {
    torc_err err;

    reader->mode = TORC_BODY_WHOLE;
    if (reader->is_collected) return;
    reader->is_collected = true;
    torc_buf_init(&reader->whole, &reader->request->reactor->memory, TORC_MEMORY_INPUT, max);
    err = begin_whole(reader, max);
    if (err) torc_body_fail(reader, err);
}

torc_err torc_body_read_all(torc_request *request, size_t max, torc_str *bytes) {
    torc_body_reader *reader;
    torc_err err = torc_body_reader_of(request, &reader);

    if (err) return err;
    if (reader->file) return TORC_ERR_TOO_LARGE;
    reader->whole_fn = NULL;
    torc_body_collect(reader, max);
    while (!err && !reader->err && !reader->is_complete) err = torc_body_wait(reader);
    reader->mode = TORC_BODY_IDLE;
    if (reader->err) return (torc_err)reader->err;
    if (err) return err;
    if (reader->whole.len > max) return TORC_ERR_TOO_LARGE;
    *bytes = reader->whole.len ? torc_buf_str(&reader->whole) : torc_str_make("", 0);
    return TORC_OK;
}

torc_err torc_body_request_all(torc_request *request, size_t max, torc_body_whole_fn *whole,
                               void *context) {
    torc_body_reader *reader;
    torc_err err = torc_body_reader_of(request, &reader);

    if (err) return err;
    reader->whole_fn = whole;
    reader->context = context;
    torc_body_collect(reader, max);
    if (reader->err || reader->is_complete)
        torc_reactor_post(request->reactor, &reader->telling);
    else
        torc_body_want(reader);
    return TORC_OK;
}
