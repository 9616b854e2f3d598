/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LOG_SOCKET_H
#define TORC_BASE_LOG_SOCKET_H

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <torc/addr.h>
#include <torc/err.h>

/*
 * A datagram socket to a program that takes events.
 *
 *  - It is connected, so that it works when its path cannot be seen any more (--chroot), and is
 *    connected to again when who listened has gone: at most once a second.
 */
typedef struct torc_log_socket {
    int fd;
    socklen_t addr_len;
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in6 in6;
        struct sockaddr_in in;
    } addr;
    atomic_bool is_connected;
    atomic_int_fast64_t tried_ms; /* when connecting was tried last */
} torc_log_socket;

/* Open a socket to a path or, where that is NULL, to an address. TORC_ERR_INVALID: the path is too
 * long. Nobody need listen yet. */
torc_err torc_log_socket_open(torc_log_socket *self, const char *path,
                              const torc_addr *addr) TORC_MUST_CHECK;
void torc_log_socket_close(torc_log_socket *self);
/* Send a datagram. TORC_ERR_AGAIN: there is no room; TORC_ERR_TOO_LARGE: no datagram is so large.
 */
torc_err torc_log_socket_send(torc_log_socket *self, const struct msghdr *message) TORC_MUST_CHECK;

#endif
