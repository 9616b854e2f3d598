/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_FILE_WARMER_H
#define TORC_TRANSPORT_FILE_WARMER_H

#include "transport/transport.h"

/*
 * Ranges of files on their way out by sendfile(), which would wait for a disk: what is not in the
 * page cache is read by a thread first.
 */

/*
 * How many of the first `len` bytes of a chain can be sent without waiting. Looked at every 64 KiB
 * of a file, and not again for a second: so a file that is asked for often costs nothing.
 */
size_t torc_file_warmer_at_hand(torc_reactor *reactor, const torc_chain *chain, size_t len);
/*
 * Have a thread read on from the file range at the front of the transport's output; then
 * torc_transport_warmed() is called. False: out of memory, nothing will be told.
 */
bool torc_file_warmer_start(torc_transport *transport) TORC_MUST_CHECK;
/* The transport goes: it is not to be told. */
void torc_file_warmer_stop(torc_transport *transport);

#endif
