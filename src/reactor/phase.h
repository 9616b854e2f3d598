/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_PHASE_H
#define TORC_REACTOR_PHASE_H

#include <torc/phase.h>
#include <torc/timer.h>

#include "base/list.h"

/* A reactor's place in its start and stop; see phase.c. */
typedef enum torc_phase_state {
    TORC_PHASES_IDLE,
    TORC_PHASES_STARTING,
    TORC_PHASES_RUNNING,
    TORC_PHASES_STOPPING
} torc_phase_state;

typedef struct torc_phase_lists {
    torc_list triggers[TORC_PHASES];
    torc_list holding;      /* triggers whose deferreds are waited for */
    torc_list when_running; /* calls */
    torc_call step;         /* the next phase is entered */
    torc_timer deadline;    /* of what holds the stop */
    torc_phase_state state;
    torc_phase next;
} torc_phase_lists;

void torc_phases_init(torc_reactor *reactor);
/* Whether a stop goes through phases; else it is only marked. */
bool torc_phases_stop(torc_reactor *reactor);
/* It has stopped. */
void torc_phases_end(torc_reactor *reactor);

#endif
