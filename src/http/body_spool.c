/* SPDX-License-Identifier: MIT */
/*
 * Reading the body of a request as a whole that may be large: in memory up to a threshold, then in
 * a file.
 *
 *  - What is in memory is the reader's `whole`; past the threshold it is what has not been written
 *    yet.
 *  - The file has no name, so nothing is left of it whatever happens. It is closed when the request
 *    is retired.
 */
#include "http/body_reader.h"

torc_err torc_body_open_spool(torc_reactor *reactor, const char *spool_folder, torc_file **file) {
    const torc_err err = torc_file_open_temporary(reactor, spool_folder, file);

    return err == TORC_ERR_NOT_FOUND || err == TORC_ERR_PERMISSION ? TORC_ERR_SYSTEM : err;
}

/* Write what is in memory to the file, which is made with the first bytes. */
static torc_err flush(torc_body_reader *reader) {
    torc_err err = TORC_OK;

    if (!reader->file) err = torc_body_open_spool(reader->request->reactor, NULL, &reader->file);
    if (!err) err = torc_file_write(reader->file, torc_buf_str(&reader->whole));
    if (!err) torc_buf_clear(&reader->whole);
    return err;
}

static torc_err keep(torc_body_reader *reader, torc_str chunk, size_t memory_max) {
    torc_err err = TORC_OK;

    if (chunk.len > memory_max - reader->whole.len) err = flush(reader);
    if (!err && chunk.len > memory_max) return torc_file_write(reader->file, chunk);
    if (!err) torc_buf_add(&reader->whole, chunk);
    return err ? err : torc_buf_err(&reader->whole);
}

static torc_err read_to_the_end(torc_request *request, size_t memory_max) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        err = keep(request->reader, chunk, memory_max);
        if (err) return err;
    }
    if (!err && request->reader->file) err = flush(request->reader);
    return err;
}

static torc_body body_of(const torc_body_reader *reader) {
    if (reader->file)
        return (torc_body){.fd = torc_file_fd(reader->file),
                           .len = torc_file_position(reader->file)};
    return (torc_body){
        .bytes = reader->whole.len ? torc_buf_str(&reader->whole) : torc_str_make("", 0),
        .fd = -1,
        .len = reader->whole.len,
    };
}

torc_err torc_body_spool(torc_request *request, torc_body *body) {
    torc_body_reader *reader;
    torc_err err = torc_body_reader_of(request, &reader);

    if (err) return err;
    if (!reader->is_collected) {
        const size_t memory_max = torc_request_limits_now(request)->body_memory_max;
        reader->is_collected = true;
        torc_buf_init(&reader->whole, &request->reactor->memory, TORC_MEMORY_INPUT, memory_max);
        err = read_to_the_end(request, memory_max);
        if (err) torc_body_fail(reader, err);
    }
    if (!err) err = (torc_err)reader->err;
    if (!err && !reader->is_complete) err = TORC_ERR_STATE;
    if (!err) *body = body_of(reader);
    return err;
}
