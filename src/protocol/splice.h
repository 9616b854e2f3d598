/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROTOCOL_SPLICE_H
#define TORC_PROTOCOL_SPLICE_H

#include <torc/transport.h>

/*
 * Two connections whose bytes the kernel passes on, by pipes, without their coming to this process.
 *
 * It takes over from a relay once much has passed, where both are plain sockets, nothing of either
 * is under way, and the poller reads nothing of a transport that is paused.
 */
typedef struct torc_splice torc_splice;

/*
 * Take over. Both transports are paused and stay so; ends are passed on by their close_write, and
 * both are closed when all is done, or aborted when something fails. TORC_ERR_UNSUPPORTED: not
 * these two, ever. TORC_ERR_AGAIN: not now. Others: what the system has not got.
 */
torc_err torc_splice_new(torc_transport *near, torc_transport *far, uint64_t *count,
                         torc_splice **splice) TORC_MUST_CHECK;
/* One of the two is lost: stop. NULL is fine. */
void torc_splice_free(torc_splice *splice);

#endif
