/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_LATE_POLLER_H
#define TORC_TESTING_LATE_POLLER_H

#include "reactor/poller.h"

/*
 * The late double of the poller: it keeps every promise of reactor/poller.h, and nothing more.
 *
 *  - Everything is told at least a turn later than it could be, and also after it was stopped.
 *  - Sends are made by the next wait, in parts, and told a turn after.
 *  - A close takes turns; what was being sent is cancelled meanwhile.
 *  - Streams receive into four buffers of 512 bytes, which they share and which may all be in use.
 */
torc_err torc_poller_late_new(torc_reactor *reactor, torc_poller **poller) TORC_MUST_CHECK;

#endif
