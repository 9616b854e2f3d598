/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_CREW_H
#define TORC_APP_CREW_H

#include <sys/types.h>

#include "app/app.h"
#include "app/backoff.h"
#include "app/control.h"
#include "app/shared.h"

/*
 * All the workers of a parent: who serves which slot, who is to be the next, and who has gone.
 *
 * The parent's loop tells of what happens (messages, deaths, signals, time), and nothing here
 * waits.
 */

/* Where a worker is in its life, as its parent knows it. */
typedef enum torc_member_state {
    TORC_MEMBER_NONE,     /* nobody */
    TORC_MEMBER_STARTING, /* forked; it sets itself up */
    TORC_MEMBER_READY,    /* set up; it waits for those it is to take over with */
    TORC_MEMBER_SERVING,
    TORC_MEMBER_DRAINING /* it accepts nothing more, and ends */
} torc_member_state;

/* A worker as its parent sees it. */
typedef struct torc_member {
    torc_member_state state;
    pid_t pid;
    int control; /* the parent's end; -1 once the worker's has gone */
    size_t slot;
    uint64_t generation;
    uint64_t started_ms;
    uint64_t kill_at_ms; /* when it must have ended; 0: it may go on */
    bool is_killed;      /* it had not */
    char failure[248];   /* what it said; empty: nothing */
    torc_shared_place *place;
} torc_member;

/* A slot: sockets, and who serves them. */
typedef struct torc_slot {
    torc_member *serving, *next; /* NULL: nobody */
    torc_member *adopter;        /* who accepts meanwhile */
    torc_restart restart;
    uint64_t start_at_ms; /* when to start a worker; 0: no need to */
} torc_slot;

/* In `members` may be more than there are slots, since those of an earlier generation drain while
 * others serve. */
typedef struct torc_crew {
    torc_app *app;
    torc_shared shared;
    torc_slot *slots;
    torc_member *members;
    size_t slot_count, member_count;
    uint64_t generation, now_ms;
    uint64_t drain_ms;
    int inherited_fds[2]; /* the parent's own, to be closed in a worker; -1: none */
    bool has_served;      /* a worker was ready once */
    bool is_complete;     /* every slot has been served once */
    bool is_reloading, wants_reload;
    bool is_draining, is_stopping;
    bool has_failed; /* the first generation did not come to serve */
} torc_crew;

/* Make room for the workers of so many slots. False: it was said why. */
bool torc_crew_init(torc_crew *crew, torc_app *app, size_t slot_count);
void torc_crew_dispose(torc_crew *crew);
/* Start the first generation, as soon as torc_crew_tick() is called. */
void torc_crew_start(torc_crew *crew);
/* A worker may have said something. */
void torc_crew_hear(torc_crew *crew, torc_member *member);
/* Workers may have ended. */
void torc_crew_reap(torc_crew *crew);
/* Do what is due at `now_ms`. */
void torc_crew_tick(torc_crew *crew, uint64_t now_ms);
/* When something is due next; UINT64_MAX: never. */
uint64_t torc_crew_due_ms(const torc_crew *crew);
/* A new generation takes over when all of it is ready; one that fails changes nothing. */
void torc_crew_reload(torc_crew *crew);
void torc_crew_reopen_logs(torc_crew *crew);
/* Let all tell their log what they wait for. */
void torc_crew_dump(torc_crew *crew);
/* Let all workers log everything, or again what the arguments say. */
void torc_crew_set_verbose(torc_crew *crew, bool is_verbose);
void torc_crew_renew_certificates(torc_crew *crew);
/* All drain, and end. */
void torc_crew_drain(torc_crew *crew);
/* All end at once. */
void torc_crew_stop(torc_crew *crew);
/* Whether all who serve have turned within so many milliseconds: the heartbeat for a watchdog.
 * While nobody serves they do not. */
bool torc_crew_is_fresh(const torc_crew *crew, uint64_t within_ms);
/* Whether nobody is left, and nobody will come. */
bool torc_crew_is_over(const torc_crew *crew);

#endif
