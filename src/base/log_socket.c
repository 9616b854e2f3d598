/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets to programs that take events.
 *
 *  - Threads may send at the same time; of those that find the other side gone, one connects.
 *  - A datagram over UDP may come back as refused, for the next to learn: that one is sent again.
 */
#include "base/log_socket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/monotonic.h"

enum {
    TRY_AGAIN_MS = 1000
};

static torc_err take_address(torc_log_socket *self, const char *path, const torc_addr *addr) {
    if (path) {
        const size_t len = strlen(path);
        if (len == 0 || len >= sizeof(self->addr.un.sun_path)) return TORC_ERR_INVALID;
        self->addr.un.sun_family = AF_UNIX;
        memcpy(self->addr.un.sun_path, path, len + 1);
        self->addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
        return TORC_OK;
    }
    if (addr->len == 0 || addr->len > sizeof(self->addr)) return TORC_ERR_INVALID;
    memcpy(&self->addr, &addr->as, addr->len);
    self->addr_len = (socklen_t)addr->len;
    return TORC_OK;
}

static bool connect_now(torc_log_socket *self) {
    atomic_store(&self->tried_ms, (int64_t)(torc_monotonic_us() / 1000));
    const bool is_connected = connect(self->fd, &self->addr.any, self->addr_len) == 0;
    atomic_store(&self->is_connected, is_connected);
    return is_connected;
}

torc_err torc_log_socket_open(torc_log_socket *self, const char *path, const torc_addr *addr) {
    const torc_err err = take_address(self, path, addr);

    self->fd = -1;
    if (err) return err;
    self->fd = socket(self->addr.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->fd < 0) return torc_err_from_errno(errno);
    (void)connect_now(self);
    return TORC_OK;
}

void torc_log_socket_close(torc_log_socket *self) {
    if (self->fd >= 0) close(self->fd);
    self->fd = -1;
}

/* Whether this thread is to try: it is time, and no other does. */
static bool is_due(torc_log_socket *self) {
    const int64_t now_ms = (int64_t)(torc_monotonic_us() / 1000);
    int_fast64_t tried_ms = atomic_load(&self->tried_ms);

    return now_ms - tried_ms >= TRY_AGAIN_MS &&
           atomic_compare_exchange_strong(&self->tried_ms, &tried_ms, now_ms);
}

static torc_err send_once(const torc_log_socket *self, const struct msghdr *message) {
    for (;;) {
        if (sendmsg(self->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return TORC_OK;
        if (errno == EAGAIN || errno == ENOBUFS) return TORC_ERR_AGAIN;
        if (errno == EMSGSIZE) return TORC_ERR_TOO_LARGE;
        if (errno != EINTR) return torc_err_from_errno(errno);
    }
}

torc_err torc_log_socket_send(torc_log_socket *self, const struct msghdr *message) {
    const bool is_local = self->addr.any.sa_family == AF_UNIX;
    torc_err err = TORC_ERR_REFUSED;

    if (atomic_load(&self->is_connected)) {
        err = send_once(self, message);
        if (!err || err == TORC_ERR_AGAIN || err == TORC_ERR_TOO_LARGE) return err;
        if (!is_local) return send_once(self, message);
        atomic_store(&self->is_connected, false);
        /* It was there a moment ago: it may have been started anew. */
        return connect_now(self) ? send_once(self, message) : err;
    }
    return is_due(self) && connect_now(self) ? send_once(self, message) : err;
}
