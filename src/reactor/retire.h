/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_RETIRE_H
#define TORC_REACTOR_RETIRE_H

#include <torc/types.h>

/*
 * Retirement: the end of the life of what was closed.
 *
 * Closing marks an object and retires it; at the end of the round, when nobody on the stack can
 * hold it any more, `retired` is called, and frees it. Retiring twice is a programmer's error.
 */
typedef struct torc_retiree torc_retiree;
struct torc_retiree {
    torc_retiree *next;
    void (*retired)(torc_retiree *retiree);
};

void torc_retire(torc_reactor *reactor, torc_retiree *retiree,
                 void (*retired)(torc_retiree *retiree));
/* The last phase of a round; what is retired by the callbacks goes in the same phase. */
void torc_retire_all(torc_reactor *reactor);

#endif
