/* SPDX-License-Identifier: MIT */
/*
 * Writing a file in batches.
 *
 *  - One operation is filled, written and filled again; it is the thread's while it is written, and
 *    left behind with its reference to the file if the fiber is cancelled meanwhile.
 */
#include "reactor/file_batch.h"

#include <errno.h>

static torc_err run_write(void *data) {
    torc_file_operation *self = data;
    const int result = torc_file_write_all(self->reactor, self->file->fd, self->place,
                                           torc_str_make(self->bytes, self->len), &self->done);
    return result ? torc_err_from_errno(errno) : TORC_OK;
}

static torc_err make_operation(torc_file_batch *batch) {
    torc_file *file = batch->file;

    if (batch->operation) return TORC_OK;
    batch->len = 0;
    batch->operation = torc_file_operation_new(file->reactor, "", NULL, TORC_FILE_BATCH_BYTES);
    if (!batch->operation) return TORC_ERR_NO_MEMORY;
    batch->operation->file = file;
    file->refs++;
    return TORC_OK;
}

torc_err torc_file_batch_add(torc_file_batch *batch, torc_str bytes) {
    torc_err err = TORC_OK;

    while (!err && bytes.len > 0) {
        err = make_operation(batch);
        if (err) return err;
        const torc_str part = torc_str_head(bytes, TORC_FILE_BATCH_BYTES - batch->len);
        memcpy(batch->operation->bytes + batch->len, part.bytes, part.len);
        batch->len += part.len;
        bytes = torc_str_from(bytes, part.len);
        if (batch->len == TORC_FILE_BATCH_BYTES) err = torc_file_batch_flush(batch);
    }
    return err;
}

torc_err torc_file_batch_flush(torc_file_batch *batch) {
    torc_err err;

    if (batch->len == 0) return TORC_OK;
    batch->operation->len = batch->len;
    batch->operation->done = 0;
    batch->operation->place = batch->file->position;
    batch->len = 0;
    err = torc_file_operation_run(&batch->operation, run_write);
    if (batch->operation) batch->file->position += batch->operation->done;
    return err;
}

void torc_file_batch_dispose(torc_file_batch *batch) {
    torc_file_operation_free(batch->operation);
    batch->operation = NULL;
    batch->len = 0;
}
