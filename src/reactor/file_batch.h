/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_FILE_BATCH_H
#define TORC_REACTOR_FILE_BATCH_H

#include "reactor/file_operation.h"

/*
 * Writing a file in batches: what comes in small pieces is gathered, and written by a thread when
 * there is enough of it. The bytes are copied once, into what the thread writes from.
 *
 * On a fiber, which waits while a batch is written; nothing waits before. Or with deferreds: what
 * is gathered is written when that is asked for, and there is room behind a full batch for what
 * came at once. `{0}` with a file is one that is empty; it is used in one of the two ways.
 */
typedef struct torc_file_batch {
    torc_file *file;                /* lent */
    torc_file_operation *operation; /* what is being filled; NULL: none yet */
    size_t len;                     /* of it */
} torc_file_batch;

enum {
    TORC_FILE_BATCH_BYTES = 64 * 1024,
    TORC_FILE_BATCH_SPARE = 64 * 1024 /* that may be gathered at once */
};

/* Add bytes behind the file's position and what was added before. */
torc_err torc_file_batch_add(torc_file_batch *batch, torc_str bytes) TORC_MUST_CHECK;
/* Write what there is; the position moves behind it. */
torc_err torc_file_batch_flush(torc_file_batch *batch) TORC_MUST_CHECK;
/* Add bytes, at most TORC_FILE_BATCH_SPARE, to a batch that is not full; nothing is written. */
torc_err torc_file_batch_gather(torc_file_batch *batch, torc_str bytes) TORC_MUST_CHECK;
bool torc_file_batch_is_full(const torc_file_batch *batch);
/* Write what was gathered, which is something. What the deferred fires with goes to
 * torc_file_batch_flushed(), before anything is added; the position moves then. */
torc_deferred *torc_file_batch_defer_flush(torc_file_batch *batch);
void torc_file_batch_flushed(torc_file_batch *batch, void *value);
/* Forget what was not written. */
void torc_file_batch_dispose(torc_file_batch *batch);

#endif
