/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_STDIO_H
#define TORC_TRANSPORT_STDIO_H

#include <torc/stdio.h>

#include "transport/transport.h"

/* As those of torc/stdio.h, without a protocol: for who builds stages on it. The transport is bound
 * by torc_transport_made(), or aborted. */
torc_err torc_stdio_new(torc_reactor *reactor, torc_transport **transport) TORC_MUST_CHECK;
torc_err torc_descriptors_new(torc_reactor *reactor, int input, int output,
                              torc_transport **transport) TORC_MUST_CHECK;

#endif
