/* SPDX-License-Identifier: MIT */
/*
 * Messages between a parent and its workers.
 *
 *  - A message is received whole or not at all; one of another size, kind, or without an end of its
 *    text is none.
 */
#include "app/control.h"

#include <errno.h>
#include <sys/socket.h>
#include <torc/str.h>

torc_err torc_control_open(int ends[2]) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

static torc_err of_errno(int number) {
    if (number == EAGAIN || number == EWOULDBLOCK) return TORC_ERR_AGAIN;
    return number == EPIPE || number == ECONNRESET ? TORC_ERR_LOST : torc_err_from_errno(number);
}

torc_err torc_control_send(int fd, const torc_control_message *message) {
    ssize_t sent;

    do {
        sent = send(fd, message, sizeof(*message), MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? of_errno(errno) : TORC_OK;
}

static bool is_message(const torc_control_message *message, ssize_t got) {
    return got == (ssize_t)sizeof(*message) && message->kind > 0 &&
           message->kind < TORC_CONTROL_KINDS &&
           memchr(message->text, '\0', sizeof(message->text)) != NULL;
}

torc_err torc_control_receive(int fd, torc_control_message *message) {
    for (;;) {
        const ssize_t got = recv(fd, message, sizeof(*message), MSG_DONTWAIT | MSG_TRUNC);
        if (got == 0) return TORC_ERR_LOST;
        if (is_message(message, got)) return TORC_OK;
        if (got < 0 && errno != EINTR) return of_errno(errno);
    }
}

const char *torc_control_name(torc_control_kind kind) {
    static const char *const names[] = {
        [TORC_CONTROL_READY] = "ready",       [TORC_CONTROL_FAILED] = "failed",
        [TORC_CONTROL_DRAINING] = "draining", [TORC_CONTROL_SERVE] = "serve",
        [TORC_CONTROL_YIELD] = "yield",       [TORC_CONTROL_DRAIN] = "drain",
        [TORC_CONTROL_STOP] = "stop",         [TORC_CONTROL_REOPEN] = "reopen",
        [TORC_CONTROL_ADOPT] = "adopt",       [TORC_CONTROL_RELEASE] = "release",
        [TORC_CONTROL_VERBOSE] = "verbose",   [TORC_CONTROL_USUAL] = "usual",
        [TORC_CONTROL_DUMP] = "dump",         [TORC_CONTROL_RENEW] = "renew",
    };

    return kind > 0 && kind < TORC_CONTROL_KINDS ? names[kind] : "nothing";
}
