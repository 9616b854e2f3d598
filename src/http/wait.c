/* SPDX-License-Identifier: MIT */
/*
 * Waiting for something of a request. Until there are fibers nobody can.
 */
#include "http/wait.h"

bool torc_waits_possible(torc_reactor *reactor) {
    (void)reactor;
    return false;
}

torc_err torc_waits_enter(torc_reactor *reactor, torc_list *waits) {
    (void)reactor;
    (void)waits;
    return TORC_ERR_STATE;
}

void torc_waits_end(torc_list *waits, torc_err result) {
    (void)waits;
    (void)result;
}
