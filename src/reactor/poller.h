/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_POLLER_H
#define TORC_REACTOR_POLLER_H

#include <sys/socket.h>
#include <torc/str.h>

#include "base/list.h"
#include "reactor/chain.h"
#include "reactor/retire.h"

/*
 * I/O is asked for, and its completion is told.
 *
 * A torc_io is embedded in its owner (a listener, a stream), opened once over a descriptor, and
 * told what happened through a table. Receiving is started and stopped, not repeated per read.
 * Nothing is called from inside the call that asked: completions come from the reactor's turn. What
 * stands below (epoll, the late double of the tests, io_uring) is chosen when the reactor is made,
 * and what stands above cannot tell which it is; so above, only what this header promises may be
 * relied on:
 *
 *  - `received` may still come after torc_io_receive_stop(), once; its bytes may then be refused by
 *    answering 0. Bytes not consumed are kept, receiving stops, and they are delivered again,
 *    together with newer ones or alone, after torc_io_receive_start(). So may a listener's
 *    `accepted`, and a watch's `ready` for events that were asked for before.
 *  - How many bytes of what was asked left at once, torc_io_send() answers; `sent` tells of the
 *    others, and may come several times.
 *  - `peer_ended` is told once: after all received bytes were consumed if receiving goes on, and
 *    also while it is stopped. `input_ended` is told once after it, when all received bytes were
 *    consumed and receiving goes on; mostly that is at the same time. An error is told as soon:
 *    bytes that came before it are received first, if receiving goes on.
 *  - An io receives once a turn, and sends at most TORC_TURN_SEND_MAX bytes; the rest goes in the
 *    next turn, by itself.
 *  - Of what one wait has brought, watches are told before streams and listeners.
 *  - After torc_io_close() no event comes but `closed`, once, when nothing below refers to the io
 *    or to the chain any more: a later turn, perhaps.
 */

typedef struct torc_io torc_io;
typedef struct torc_poller torc_poller;
typedef struct torc_io_passing torc_io_passing;

typedef struct torc_io_ops {
    void (*accepted)(torc_io *io, int fd);           /* a listener's; the fd is the callee's now */
    void (*connected)(torc_io *io);                  /* after torc_io_connect() */
    size_t (*received)(torc_io *io, torc_str bytes); /* lent; answers how many it consumed */
    void (*peer_ended)(torc_io *io);                 /* FIN */
    void (*input_ended)(torc_io *io);                /* and all was consumed. May be NULL */
    void (*sent)(torc_io *io, size_t bytes);         /* of what torc_io_send() did not answer */
    void (*failed)(torc_io *io, torc_err err);       /* a stream's: the last but `closed`. A
                                                        listener's: told, and it goes on */
    void (*closed)(torc_io *io);                     /* the last: free here */
    torc_io_passing *(*passing)(const torc_io *io);  /* of TORC_IO_PASSING: see passing.h */
    void (*ready)(torc_io *io, uint32_t events); /* a watch's: EPOLLIN, EPOLLOUT, EPOLLERR … */
} torc_io_ops;

typedef enum torc_io_kind {
    TORC_IO_STREAM,
    TORC_IO_LISTENER,
    TORC_IO_WATCH
} torc_io_kind;

/*
 * What a stream may be besides a socket of its own, in the place of a family. A pipe's end, a FIFO
 * or a terminal is read from or written to, as far as it was opened for that; its reader's end is
 * told as failed (TORC_ERR_LOST), and it cannot be shut down, only closed. A socket that is shared
 * with other processes stays in the mode that they gave it. A UNIX stream whose bytes descriptors
 * go along with becomes one that passes them at any time.
 */
enum {
    TORC_IO_PIPE = 0,
    TORC_IO_PASSING = 0xfe,
    TORC_IO_SHARED = 0xff
};

/* The members are the poller's; the owner reads `fd` and `reactor`. */
struct torc_io {
    const torc_io_ops *ops;
    torc_reactor *reactor;
    int fd;
    uint8_t kind;
    uint8_t family; /* AF_INET, AF_INET6, AF_UNIX, or one of the above; 0 for a watch */
    uint16_t flags; /* private to the poller */
    union {
        torc_list_node node;  /* in the reactor's list of those that are open, or in the poller's of
                                 those with something to tell */
        torc_retiree retiree; /* once closed */
    };
    torc_chain *sending;       /* lent until all of `sending_len` has left */
    struct torc_io_kept *kept; /* received and not consumed; NULL mostly */
    uint32_t sending_len;
    uint32_t sent_len;  /* left the process and not yet told */
    uint32_t turn_sent; /* left in the turn `turn` */
    uint16_t turn;      /* cut short */
    int16_t err;        /* to be told as failed */
};

typedef struct torc_poller_ops {
    void (*free)(torc_poller *poller);
    /* Wait at most `wait_ms` (-1: no limit) and take note of what happened; calls nobody. */
    torc_err (*wait)(torc_poller *poller, int64_t wait_ms);
    /* Tell at most `max` completions to their owners; answers how many it told. */
    size_t (*deliver)(torc_poller *poller, size_t max);
    /* Whether deliver() would tell something without waiting. */
    bool (*has_completions)(const torc_poller *poller);
    torc_err (*open)(torc_poller *poller, torc_io *io);
    void (*receive_start)(torc_poller *poller, torc_io *io);
    void (*receive_stop)(torc_poller *poller, torc_io *io);
    void (*connect)(torc_poller *poller, torc_io *io, const struct sockaddr *addr, socklen_t len);
    size_t (*send)(torc_poller *poller, torc_io *io);
    void (*shut_down)(torc_poller *poller, torc_io *io);
    void (*close)(torc_poller *poller, torc_io *io, bool reset);
    void (*watch)(torc_poller *poller, torc_io *io, uint32_t events);
    /* Have nothing to tell any more: all that are open are in the reactor's list. May be NULL, if
     * they always are. */
    void (*forget)(torc_poller *poller);
    /* A descriptor that is readable when wait() would find something. May be NULL. */
    int (*fd)(const torc_poller *poller);
    /* Show those that are not in the reactor's list. May be NULL. */
    void (*each)(torc_poller *poller, void (*see)(void *context, const torc_io *io), void *context);
    /* Any thread: end a wait() early. */
    void (*wake)(torc_poller *poller);
    /* Of a stream that does not receive nothing is read: so somebody else may. */
    bool leaves_paused_unread;
} torc_poller_ops;

struct torc_poller {
    const torc_poller_ops *ops;
    torc_reactor *reactor;
};

/* The default backend. */
torc_err torc_poller_epoll_new(torc_reactor *reactor, torc_poller **poller) TORC_MUST_CHECK;

/*
 * Open an io over a non-blocking descriptor, which is the io's from then on if this succeeds. A
 * stream receives, and a listener accepts, only once started. `family` is the socket's;
 * TORC_IO_SHARED does not need to be non-blocking.
 */
torc_err torc_io_open(torc_io *io, torc_reactor *reactor, torc_io_kind kind, int fd, int family,
                      const torc_io_ops *ops) TORC_MUST_CHECK;
/* Receive (a stream) or accept (a listener) from now on. Repeating it is fine. */
void torc_io_receive_start(torc_io *io);
void torc_io_receive_stop(torc_io *io);
/* Connect a stream that was opened over a fresh socket: `connected` or `failed` will tell. In the
 * turn it was opened in. */
void torc_io_connect(torc_io *io, const struct sockaddr *addr, socklen_t len);
/*
 * Send the first `len` bytes of `chain`, less than 4 GiB: how many left at once, perhaps none.
 * `sent` will tell of the rest, and until it has told of all of it, or `closed` came, the chain is
 * lent (the bytes are consumed from it as they go). Bytes may be added at its end meanwhile. One
 * send at a time.
 */
size_t torc_io_send(torc_io *io, torc_chain *chain, size_t len);
bool torc_io_is_sending(const torc_io *io);
/* Send FIN; nothing may be sent after it. Not while sending. */
void torc_io_shut_down(torc_io *io);
/* Close, in an orderly way or by a reset; what was being sent is dropped. Repeating it is fine. */
void torc_io_close(torc_io *io, bool reset);
/* Close all that are open: streams are told first that they have failed, for this reason. */
void torc_ios_close(torc_reactor *reactor, torc_err reason);
/* A watch: be told of readiness for `events` (EPOLLIN | EPOLLOUT …; level-triggered), 0: none. */
void torc_io_watch(torc_io *io, uint32_t events);

#endif
