/* SPDX-License-Identifier: MIT */
/*
 * Sending, accepting and closing by the kernel's calls.
 */
#include "reactor/socket.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "reactor/passing.h"
#include "reactor/syscalls.h"

enum {
    PIECES = 64,
    COPIED_MAX = 8192 /* on the stack, which may be a fiber's */
};

/* What follows (a file, or more pieces) is to leave in the same segment: MSG_MORE. */
static ssize_t send_pieces(const torc_io *io, size_t max) {
    struct iovec pieces[PIECES];
    size_t asked;
    const int count = torc_chain_iov(io->sending, pieces, PIECES, max, &asked);
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (io->sending_len > asked ? MSG_MORE : 0);
    const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};

    if (io->family == TORC_IO_PIPE) return writev(io->fd, pieces, count);
    if (count == 1) return send(io->fd, pieces[0].iov_base, pieces[0].iov_len, flags);
    return sendmsg(io->fd, &message, flags);
}

/* A file system has no sendfile (procfs, some of FUSE), or a filter forbids it. */
static bool is_refused(int number) {
    return number == EINVAL || number == ENOSYS || number == EOPNOTSUPP || number == EPERM;
}

/* The same as sendfile(), a little at a time. */
static ssize_t copy_range(const torc_io *io, int fd, uint64_t offset, size_t len) {
    char bytes[COPIED_MAX];
    const ssize_t got = pread(fd, bytes, len < sizeof(bytes) ? len : sizeof(bytes), (off_t)offset);

    if (got <= 0) return got;
    if (io->family == TORC_IO_PIPE) return write(io->fd, bytes, (size_t)got);
    return send(io->fd, bytes, (size_t)got, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t send_range(const torc_io *io, size_t max) {
    const torc_segment *segment = io->sending->first;
    const int fd = segment->owner.file->fd;
    const size_t len = segment->len < max ? segment->len : max;
    off_t offset = (off_t)segment->offset;

    /* sendfile() would wait for a socket that is not in our mode. */
    const bool may_wait = io->family == TORC_IO_SHARED;
    ssize_t sent = may_wait ? -1 : sendfile(io->fd, fd, &offset, len);
    if (may_wait || (sent < 0 && is_refused(errno)))
        sent = copy_range(io, fd, segment->offset, len);
    if (sent != 0) return sent;
    errno = ENODATA;
    return -1;
}

ssize_t torc_socket_send_bytes(const torc_io *io, size_t max) {
    return io->sending->first->kind == TORC_SEGMENT_FILE ? send_range(io, max)
                                                         : send_pieces(io, max);
}

ssize_t torc_socket_send(const torc_io *io, size_t max) {
    if (torc_sys_fails(io->reactor, TORC_SYS_SEND, &max)) return -1;
    torc_chain_consume(io->sending, 0);
    return __builtin_expect(io->family != TORC_IO_PASSING, 1) ? torc_socket_send_bytes(io, max)
                                                              : torc_passing_send(io, max);
}

torc_err torc_socket_send_err(int number) {
    return number == ENODATA ? TORC_ERR_TRUNCATED : torc_err_from_errno(number);
}

bool torc_socket_is_full(int number) {
    return number == EAGAIN || number == EWOULDBLOCK;
}

torc_err torc_socket_take_err(int fd) {
    int number = 0;
    socklen_t len = sizeof(number);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len))
        number = errno == ENOTSOCK ? EPIPE : errno; /* a pipe's only error is that nobody reads */
    return torc_err_from_errno(number);
}

void torc_socket_close(const torc_io *io, bool reset) {
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (reset && io->kind == TORC_IO_STREAM && (io->family == AF_INET || io->family == AF_INET6))
        setsockopt(io->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(io->fd);
}

/* accept(2) passes on errors of the network that concern one connection only. */
torc_accept_failure torc_socket_accept_failure(int number) {
    switch (number) {
    case EAGAIN:
        return TORC_ACCEPT_NOBODY;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return TORC_ACCEPT_NEXT;
    case EMFILE:
    case ENFILE:
        return TORC_ACCEPT_FULL;
    default:
        return TORC_ACCEPT_FAILED;
    }
}

/* Of a kind that needs no path: there may be no /dev in the root folder of a chroot. */
int torc_socket_open_spare(void) {
    return eventfd(0, EFD_CLOEXEC);
}

void torc_socket_refuse(int fd, int *spare_fd) {
    if (*spare_fd >= 0) close(*spare_fd);
    const int refused = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (refused >= 0) close(refused);
    *spare_fd = torc_socket_open_spare();
}
