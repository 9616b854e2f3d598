/* SPDX-License-Identifier: MIT */
/*
 * Opening sockets that listen.
 *
 *  - The file of a UNIX socket that nobody listens on any more is in nobody's way: it is replaced.
 *  - With a lock, that is decided by one process at a time. Whoever waits for none sees who
 *    listens by connecting, which leaves a moment in which two may take the same file for stale.
 *  - A lock file is removed by who holds it; so whoever gets the lock looks whether the file is
 *    still there.
 */
#include "transport/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOCK_TRIES = 8,
    LOCK_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) + 8
};

static bool has_file(const torc_endpoint *endpoint) {
    return endpoint->fd < 0 && torc_addr_family(&endpoint->addr) == AF_UNIX &&
           endpoint->addr.as.un.sun_path[0] != '\0';
}

/* ---- locks ---- */

static void lock_path(const torc_endpoint *endpoint, char path[LOCK_PATH_MAX]) {
    snprintf(path, LOCK_PATH_MAX, "%s.lock", endpoint->addr.as.un.sun_path);
}

/* TORC_ERR_AGAIN: the file was removed by who held the lock before. */
static torc_err try_lock(const char *path, int *fd) {
    struct stat held, there;

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0) return torc_err_from_errno(errno);
    if (flock(*fd, LOCK_EX | LOCK_NB)) {
        const torc_err err =
            errno == EWOULDBLOCK ? TORC_ERR_ADDRESS_IN_USE : torc_err_from_errno(errno);
        close(*fd);
        return err;
    }
    if (fstat(*fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
        held.st_dev == there.st_dev)
        return TORC_OK;
    close(*fd);
    return TORC_ERR_AGAIN;
}

static torc_err lock(const torc_endpoint *endpoint, int *fd) {
    char path[LOCK_PATH_MAX];
    torc_err err = TORC_ERR_AGAIN;

    lock_path(endpoint, path);
    for (int i = 0; i < LOCK_TRIES && err == TORC_ERR_AGAIN; i++) err = try_lock(path, fd);
    if (!err) return TORC_OK;
    *fd = -1;
    return err == TORC_ERR_AGAIN ? TORC_ERR_ADDRESS_IN_USE : err;
}

void torc_listening_unlock(torc_listening *listening, const torc_endpoint *endpoint) {
    char path[LOCK_PATH_MAX];

    if (listening->lock_fd < 0) return;
    lock_path(endpoint, path);
    unlink(path);
    close(listening->lock_fd);
    listening->lock_fd = -1;
}

/* ---- binding ---- */

/* A socket's file that nobody listens on any more is in the way: remove it. */
static void remove_stale(const torc_addr *addr) {
    struct stat about;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return;
    if (lstat(addr->as.un.sun_path, &about) == 0 && S_ISSOCK(about.st_mode) &&
        connect(fd, &addr->as.any, addr->len) && errno == ECONNREFUSED)
        unlink(addr->as.un.sun_path);
    close(fd);
}

static torc_err set_options(int fd, const torc_endpoint *endpoint, int family) {
    const int on = 1, v6only = endpoint->v6only;

    if (family == AF_UNIX) return TORC_OK;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        (endpoint->reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on))) ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) || /* connections inherit it */
        (endpoint->defer_accept_s &&
         setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &endpoint->defer_accept_s,
                    sizeof(endpoint->defer_accept_s))) ||
        (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only))))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

/* Let more sockets listen at the address of this one, which was bound as the only one: so who else
 * listens there already was not joined unknowingly. */
static bool let_share(int fd, const torc_endpoint *endpoint, int family) {
    const int on = 1;

    if (!endpoint->share_port || family == AF_UNIX) return true;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0;
}

/* Give the socket's file to whom it is to belong. */
static bool set_file(const torc_endpoint *endpoint) {
    const char *path = endpoint->addr.as.un.sun_path;

    if (!has_file(endpoint)) return true;
    if ((endpoint->unix_uid >= 0 || endpoint->unix_gid >= 0) &&
        lchown(path, (uid_t)endpoint->unix_uid, (gid_t)endpoint->unix_gid))
        return false;
    return chmod(path, endpoint->unix_mode) == 0;
}

static torc_err bind_and_listen(int fd, const torc_endpoint *endpoint, int family) {
    torc_err err = set_options(fd, endpoint, family);

    if (err) return err;
    if (has_file(endpoint)) remove_stale(&endpoint->addr);
    if (bind(fd, &endpoint->addr.as.any, endpoint->addr.len)) return torc_err_from_errno(errno);
    if (!set_file(endpoint) || !let_share(fd, endpoint, family) || listen(fd, endpoint->backlog)) {
        err = torc_err_from_errno(errno);
        if (has_file(endpoint)) unlink(endpoint->addr.as.un.sun_path);
    }
    return err;
}

/* An inherited descriptor: a socket that listens already, made non-blocking. */
static torc_err adopt(int fd, int *family) {
    const int on = 1;
    int listening = 0;
    socklen_t len = sizeof(listening), family_len = sizeof(*family);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, family, &family_len))
        return torc_err_from_errno(errno);
    if (!listening) return TORC_ERR_INVALID;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC) ||
        (*family != AF_UNIX && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))))
        return torc_err_from_errno(errno);
    return TORC_OK;
}

static torc_err open_at(const torc_endpoint *endpoint, torc_listening *listening) {
    listening->family = torc_addr_family(&endpoint->addr);
    listening->fd = socket(listening->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listening->fd < 0) return torc_err_from_errno(errno);
    const torc_err err = bind_and_listen(listening->fd, endpoint, listening->family);
    if (err) close(listening->fd);
    return err;
}

/* Where both families were meant: all addresses of IPv4. */
static torc_endpoint without_v6(const torc_endpoint *endpoint) {
    torc_endpoint v4 = *endpoint;

    v4.addr = (torc_addr){.len = sizeof(v4.addr.as.in)};
    v4.addr.as.in.sin_family = AF_INET;
    v4.addr.as.in.sin_port = endpoint->addr.as.in6.sin6_port;
    return v4;
}

torc_err torc_listening_open(const torc_endpoint *endpoint, torc_listening *listening) {
    torc_listening opened = {.fd = endpoint->fd, .lock_fd = -1};
    torc_err err = TORC_OK;

    if (endpoint->is_stdio) return TORC_ERR_UNSUPPORTED; /* it has no socket */
    if (endpoint->fd >= 0) {
        err = adopt(endpoint->fd, &opened.family);
    } else {
        if (endpoint->is_locked) err = lock(endpoint, &opened.lock_fd);
        if (!err) err = open_at(endpoint, &opened);
        /* A machine without IPv6 serves IPv4 all the same, where both were meant. */
        if (err == TORC_ERR_UNSUPPORTED && opened.family == AF_INET6 && !endpoint->v6only) {
            const torc_endpoint v4 = without_v6(endpoint);
            err = open_at(&v4, &opened);
        }
        if (err) torc_listening_unlock(&opened, endpoint);
    }
    if (!err) *listening = opened;
    return err;
}

/* ---- localhost ---- */

bool torc_listening_other(const torc_endpoint *endpoint, const torc_addr *first,
                          torc_endpoint *other) {
    if (!endpoint->is_localhost || torc_addr_family(first) != AF_INET) return false;
    *other = *endpoint;
    other->is_localhost = false;
    other->v6only = true;
    other->addr = (torc_addr){.len = sizeof(other->addr.as.in6)};
    other->addr.as.in6.sin6_family = AF_INET6;
    other->addr.as.in6.sin6_addr = in6addr_loopback;
    other->addr.as.in6.sin6_port = first->as.in.sin_port;
    return true;
}

bool torc_listening_is_without_v6(torc_err err) {
    return err == TORC_ERR_UNSUPPORTED || err == TORC_ERR_ADDRESS_NOT_AVAILABLE;
}
