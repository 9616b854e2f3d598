/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_SOCKETS_H
#define TORC_APP_SOCKETS_H

#include <sys/types.h>
#include <torc/endpoint.h>

enum {
    TORC_SOCKETS_ENDPOINTS_MAX = 16
};

/*
 * The listening sockets of a program: one for each endpoint and slot, opened before it forks and
 * before it gives up its rights, and kept for its life, so that what waits at a socket outlives the
 * worker that served it. The process that opened them owns them; workers inherit them, and
 * listen on duplicates.
 */

/* Where is listened, and the sockets for it. */
typedef struct torc_socket_row {
    const char *text; /* the endpoint as it was given */
    torc_endpoint endpoint;
    bool is_one;       /* one socket for all slots: a UNIX socket's, or an inherited one */
    dev_t file_device; /* of a UNIX socket's file, so that only ours is removed */
    ino_t file_number; /* 0: there is none */
    int lock_fd;       /* of its lock file; -1: none */
    int fds[];         /* of each slot */
} torc_socket_row;

typedef struct torc_sockets {
    size_t slot_count;
    size_t row_count;
    const torc_inherited *inherited; /* what the service manager passed; NULL: looks itself */
    bool is_inherited; /* another process owns them, and removes the files of UNIX sockets */
    torc_socket_row *rows[TORC_SOCKETS_ENDPOINTS_MAX];
} torc_sockets;

/*
 * Open the sockets of an endpoint. On failure `error` says what is wrong and what to do.
 */
torc_err torc_sockets_add(torc_sockets *sockets, const char *text,
                          torc_endpoint_error *error) TORC_MUST_CHECK;
/* A duplicate of a slot's socket in a row, for a listener. -1: no descriptor is left. */
int torc_sockets_dup(const torc_sockets *sockets, size_t row, size_t slot);
/* Where a row can be reached. */
torc_addr torc_sockets_addr(const torc_sockets *sockets, size_t row);
/* Close all, and remove the files of UNIX sockets. Once no process has them, connections are
 * refused. */
void torc_sockets_close(torc_sockets *sockets);

#endif
