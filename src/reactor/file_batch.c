/* SPDX-License-Identifier: MIT */
/*
 * Writing a file in batches.
 *
 *  - One operation is filled, written and filled again; it is the thread's while it is written, and
 *    left behind with its reference to the file if the fiber is cancelled meanwhile.
 */
#include "reactor/file_batch.h"

#include <assert.h>
#include <errno.h>

static torc_err run_write(void *data) {
    torc_file_operation *self = data;
    const int result = torc_file_write_all(self->reactor, self->file->fd, self->place,
                                           torc_str_make(self->bytes, self->len), &self->done);
    return result ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err make_operation(torc_file_batch *batch, size_t size) {
    torc_file *file = batch->file;

    if (batch->operation) return TORC_OK;
    batch->len = 0;
    batch->operation = torc_file_operation_new(file->reactor, "", NULL, size);
    if (!batch->operation) return TORC_ERR_NO_MEMORY;
    batch->operation->file = file;
    file->refs++;
    return TORC_OK;
}

static void put(torc_file_batch *batch, torc_str bytes) {
    memcpy(batch->operation->bytes + batch->len, bytes.bytes, bytes.len);
    batch->len += bytes.len;
}

/* What was gathered is what is to be written. */
static void prepare(torc_file_batch *batch) {
    batch->operation->len = batch->len;
    batch->operation->done = 0;
    batch->operation->place = batch->file->position;
    batch->len = 0;
}

torc_err torc_file_batch_add(torc_file_batch *batch, torc_str bytes) {
    torc_err err = TORC_OK;

    while (!err && bytes.len > 0) {
        err = make_operation(batch, TORC_FILE_BATCH_BYTES);
        if (err) return err;
        const torc_str part = torc_str_head(bytes, TORC_FILE_BATCH_BYTES - batch->len);
        put(batch, part);
        bytes = torc_str_from(bytes, part.len);
        if (batch->len == TORC_FILE_BATCH_BYTES) err = torc_file_batch_flush(batch);
    }
    return err;
}

torc_err torc_file_batch_flush(torc_file_batch *batch) {
    torc_err err;

    if (batch->len == 0) return TORC_OK;
    prepare(batch);
    err = torc_file_operation_run(&batch->operation, run_write);
    if (batch->operation) batch->file->position += batch->operation->done;
    return err;
}

bool torc_file_batch_is_full(const torc_file_batch *batch) {
    return batch->len >= TORC_FILE_BATCH_BYTES;
}

torc_err torc_file_batch_gather(torc_file_batch *batch, torc_str bytes) {
    torc_err err;

    assert(bytes.len <= TORC_FILE_BATCH_SPARE && !torc_file_batch_is_full(batch));
    if (bytes.len == 0) return TORC_OK;
    err = make_operation(batch, TORC_FILE_BATCH_BYTES + TORC_FILE_BATCH_SPARE);
    if (!err) put(batch, bytes);
    return err;
}

torc_deferred *torc_file_batch_defer_flush(torc_file_batch *batch) {
    torc_file_operation *operation = batch->operation;

    prepare(batch);
    batch->operation = NULL;
    return torc_file_operation_defer(operation->reactor, operation, run_write,
                                     torc_file_give_result);
}

void torc_file_batch_flushed(torc_file_batch *batch, void *value) {
    batch->operation = value;
    batch->file->position += batch->operation->done;
}

void torc_file_batch_dispose(torc_file_batch *batch) {
    torc_file_operation_free(batch->operation);
    batch->operation = NULL;
    batch->len = 0;
}
