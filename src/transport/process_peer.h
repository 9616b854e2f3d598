/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_PROCESS_PEER_H
#define TORC_TRANSPORT_PROCESS_PEER_H

#include <torc/process.h>

/* As torc_process_connect(), without a protocol: for who builds stages on the transport, which is
 * bound by torc_transport_made(), or aborted. */
torc_err torc_process_peer_new(torc_reactor *reactor, const torc_spawn_options *options,
                               torc_process_errors errors, torc_transport **transport,
                               torc_spawn_error *error) TORC_MUST_CHECK;

#endif
