/* SPDX-License-Identifier: MIT */
/*
 * Waiting for something of a request.
 *
 *  - Who waits stands in the list until its wait ends; ending all of them leaves the list empty.
 */
#include "http/wait.h"

bool torc_waits_possible(torc_reactor *reactor) {
    return torc_fiber_is_here(reactor);
}

static void cancel(torc_wait *wait, torc_err reason) {
    torc_list_remove(&wait->node);
    torc_wait_end(wait, reason);
}

torc_err torc_waits_enter(torc_reactor *reactor, torc_list *waits) {
    torc_wait wait = {0};

    torc_list_push(waits, &wait.node);
    return torc_fiber_wait(reactor, &wait, cancel);
}

void torc_waits_end(torc_list *waits, torc_err result) {
    torc_list_node *node;

    while ((node = torc_list_pop(waits)) != NULL)
        torc_wait_end(torc_container_of(node, torc_wait, node), result);
}
