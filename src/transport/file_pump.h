/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_FILE_PUMP_H
#define TORC_TRANSPORT_FILE_PUMP_H

#include "reactor/chain.h"

/*
 * Reading a range of a file in pieces, without ever holding the reactor for a disk.
 *
 * What the page cache has is read at once (preadv2 with RWF_NOWAIT); otherwise a thread of the pool
 * reads it, and `read` is called on the reactor's thread when it can be had. One piece at a time.
 * Embedded in its owner, who may go while a thread reads.
 */
enum {
    TORC_FILE_PIECE = 64 * 1024
};

typedef struct torc_file_pump torc_file_pump;
struct torc_file_pump {
    torc_reactor *reactor;
    void (*read)(torc_file_pump *pump);
    struct torc_file_reading *reading; /* by a thread, or read by it and not yet asked for */
};

void torc_file_pump_init(torc_file_pump *pump, torc_reactor *reactor,
                         void (*read)(torc_file_pump *pump));
/*
 * Add the first bytes of a range, at most `max` and TORC_FILE_PIECE of them, to `chain`, and answer
 * their number by `*len`. TORC_ERR_AGAIN: a thread reads them; ask for the same again once `read`
 * was called. TORC_ERR_TRUNCATED: the file ends before the range does.
 */
torc_err torc_file_pump_next(torc_file_pump *pump, const torc_segment *range, size_t max,
                             torc_chain *chain, size_t *len) TORC_MUST_CHECK;
/* Wait no more for what a thread reads. Do so before freeing what holds the pump. */
void torc_file_pump_stop(torc_file_pump *pump);

#endif
