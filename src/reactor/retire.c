/* SPDX-License-Identifier: MIT */
/*
 * Retirement, in the order of closing.
 *
 *  - What is retired while the phase runs is appended, and goes in the same phase.
 */
#include "reactor/retire.h"

#include "reactor/reactor.h"

void torc_retire(torc_reactor *reactor, torc_retiree *retiree,
                 void (*retired)(torc_retiree *retiree)) {
    retiree->next = NULL;
    retiree->retired = retired;
    *reactor->retired_end = retiree;
    reactor->retired_end = &retiree->next;
}

void torc_retire_all(torc_reactor *reactor) {
    torc_retiree *retiree;

    while ((retiree = reactor->retired) != NULL) {
        reactor->retired = retiree->next;
        if (!reactor->retired) reactor->retired_end = &reactor->retired;
        retiree->retired(retiree);
    }
}
