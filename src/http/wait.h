/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_WAIT_H
#define TORC_HTTP_WAIT_H

#include "base/list.h"
#include "reactor/fiber.h"

/*
 * Fibers that wait for something of a request, in a list; whatever they wait for happens to all of
 * them.
 */

/* Whether the caller is on a fiber. */
bool torc_waits_possible(torc_reactor *reactor);
/* Wait in the list until torc_waits_end(), which tells the result, or until the fiber is cancelled.
 */
torc_err torc_waits_enter(torc_reactor *reactor, torc_list *waits) TORC_MUST_CHECK;
/* Let all that wait go on, later, with this result. */
void torc_waits_end(torc_list *waits, torc_err result);

#endif
