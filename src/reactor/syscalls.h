/* SPDX-License-Identifier: MIT */
#ifndef TORC_REACTOR_SYSCALLS_H
#define TORC_REACTOR_SYSCALLS_H

#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "reactor/passing.h"
#include "reactor/reactor.h"

/*
 * What may go wrong in the kernel, so that tests can let it.
 *
 * Each kind of system call is asked about before it is made. A reactor without faults (every one
 * outside tests) pays one branch that is always predicted.
 */
typedef enum torc_sys_kind {
    TORC_SYS_WAIT,     /* epoll_wait, poll */
    TORC_SYS_REGISTER, /* epoll_ctl */
    TORC_SYS_RECEIVE,
    TORC_SYS_SEND, /* send, sendmsg, sendfile */
    TORC_SYS_ACCEPT,
    TORC_SYS_CONNECT,
    TORC_SYS_OPEN,  /* open, openat, openat2 */
    TORC_SYS_READ,  /* pread */
    TORC_SYS_WRITE, /* pwrite, fsync */
    TORC_SYS_STAT,
    TORC_SYS_UNLINK,
    TORC_SYS_THREAD,  /* pthread_create */
    TORC_SYS_WATCH,   /* inotify_init1, inotify_add_watch */
    TORC_SYS_SPAWN,   /* pipe2, fork, pidfd_open, openpty */
    TORC_SYS_RESOLVE, /* getaddrinfo */
    TORC_SYS_RENAME,  /* rename, mkdir */
    TORC_SYS_KINDS
} torc_sys_kind;

struct torc_sys_faults {
    /*
     * Whether this call is to fail; then errno is set. May lower `*len`, the bytes to be
     * transferred, which is NULL where nothing is. Any thread.
     */
    bool (*fails)(torc_sys_faults *faults, torc_sys_kind kind, size_t *len);
};

static inline bool torc_sys_fails(const torc_reactor *reactor, torc_sys_kind kind, size_t *len) {
    if (__builtin_expect(!reactor->sys_faults, 1)) return false;
    return reactor->sys_faults->fails(reactor->sys_faults, kind, len);
}

/*
 * Receive without waiting; `*len` becomes the bytes that were asked for: fewer, by a fault. A
 * terminal whose other side has been closed by all says EIO: that is its end.
 */
static inline ssize_t torc_sys_recv(const torc_io *io, void *bytes, size_t *len) {
    if (torc_sys_fails(io->reactor, TORC_SYS_RECEIVE, len)) return -1;
    if (__builtin_expect(io->family != TORC_IO_PIPE && io->family != TORC_IO_PASSING, 1))
        return recv(io->fd, bytes, *len, MSG_DONTWAIT);
    if (io->family == TORC_IO_PASSING) return torc_passing_receive(io, bytes, *len);
    const ssize_t got = read(io->fd, bytes, *len);
    return got < 0 && errno == EIO ? 0 : got;
}

static inline int torc_sys_accept(const torc_reactor *reactor, int fd) {
    if (torc_sys_fails(reactor, TORC_SYS_ACCEPT, NULL)) return -1;
    return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline int torc_sys_connect(const torc_reactor *reactor, int fd, const struct sockaddr *addr,
                                   socklen_t len) {
    if (torc_sys_fails(reactor, TORC_SYS_CONNECT, NULL)) return -1;
    return connect(fd, addr, len);
}

#endif
