/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_CONTROL_H
#define TORC_APP_CONTROL_H

#include <torc/err.h>
#include <torc/types.h>

/*
 * What a parent and its workers say to each other: messages of one size, over a pair of SEQPACKET
 * sockets for each worker, which never wait. The end of one side is an end for the other: a worker
 * learns so that its parent has died.
 */
typedef enum torc_control_kind {
    /* From a worker. */
    TORC_CONTROL_READY = 1, /* set up; it serves when it is told to */
    TORC_CONTROL_FAILED,    /* it cannot be set up or go on, for the reason in `text`, and ends */
    TORC_CONTROL_DRAINING,  /* it was told to end by somebody else, and accepts no more */
    /* From the parent. */
    TORC_CONTROL_SERVE,   /* listen on the sockets of your slot */
    TORC_CONTROL_YIELD,   /* others take over: accept no more, end when all has ended, gently */
    TORC_CONTROL_DRAIN,   /* the same, with nobody to take over: what is idle ends now */
    TORC_CONTROL_STOP,    /* end now */
    TORC_CONTROL_REOPEN,  /* open the log files anew */
    TORC_CONTROL_DUMP,    /* tell the log what you wait for */
    TORC_CONTROL_RENEW,   /* read the certificates anew */
    TORC_CONTROL_ADOPT,   /* accept for slot `slot`, too: it has no worker now */
    TORC_CONTROL_RELEASE, /* no more, it has one again */
    TORC_CONTROL_VERBOSE, /* log everything */
    TORC_CONTROL_USUAL,   /* log what the arguments say */
    TORC_CONTROL_KINDS
} torc_control_kind;

typedef struct torc_control_message {
    uint32_t kind; /* torc_control_kind */
    uint32_t slot;
    char text[248]; /* NUL-ended */
} torc_control_message;

/* Make a pair: the parent's end, and the worker's. */
torc_err torc_control_open(int ends[2]) TORC_MUST_CHECK;
/* Send a message. TORC_ERR_AGAIN: the other side does not read; TORC_ERR_LOST: it has gone. */
torc_err torc_control_send(int fd, const torc_control_message *message) TORC_MUST_CHECK;
/*
 * Take the next message. TORC_ERR_AGAIN: there is none now; TORC_ERR_LOST: there will be none. What
 * is no message is passed over.
 */
torc_err torc_control_receive(int fd, torc_control_message *message) TORC_MUST_CHECK;
/* The name of a kind, for logs. */
const char *torc_control_name(torc_control_kind kind);

#endif
