/* SPDX-License-Identifier: MIT */
/*
 * Descriptors among the bytes of a UNIX stream.
 *
 *  - The kernel binds what is passed to the first byte of a message. So a message ends before the
 *    byte that has a descriptor, and those of one byte go with the message that begins with it.
 *  - A descriptor is closed when it has left.
 *  - Of those that come, what there is no room for is closed, by the kernel or here.
 */
#include "reactor/passing.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reactor/socket.h"

enum {
    PIECES = 16,
    COPIED_MAX = 4096, /* of a file's range that begins with such a byte */
    CONTROL_SIZE = CMSG_SPACE(TORC_PASSING_MAX * sizeof(int))
};

/* ---- sending ---- */

torc_err torc_passing_add(torc_io_passing *passing, int fd, size_t ahead) {
    size_t before = 0;

    if (passing->outgoing_count == TORC_PASSING_MAX) return TORC_ERR_BUSY;
    for (int i = 0; i < passing->outgoing_count; i++) before += passing->outgoing[i].before;
    passing->outgoing[passing->outgoing_count++] =
        (torc_passed){.fd = fd, .before = ahead - before};
    return TORC_OK;
}

/* How many go with the next byte. */
static int count_first(const torc_io_passing *passing) {
    int count = 1;

    while (count < passing->outgoing_count && passing->outgoing[count].before == 0) count++;
    return count;
}

static void end_first(torc_io_passing *passing, int count, size_t sent) {
    for (int i = 0; i < count; i++) close(passing->outgoing[i].fd);
    passing->outgoing_count = (uint8_t)(passing->outgoing_count - count);
    memmove(passing->outgoing, passing->outgoing + count,
            passing->outgoing_count * sizeof(passing->outgoing[0]));
    if (passing->outgoing_count > 0) passing->outgoing[0].before -= sent;
}

static ssize_t send_with(const torc_io *io, const torc_io_passing *passing, int count,
                         struct iovec *pieces, int piece_count) {
    _Alignas(struct cmsghdr) char control[CONTROL_SIZE] = {0};
    const size_t len = (size_t)count * sizeof(int);
    const struct msghdr message = {
        .msg_iov = pieces,
        .msg_iovlen = (size_t)piece_count,
        .msg_control = control,
        .msg_controllen = CMSG_SPACE(len),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(len);
    for (int i = 0; i < count; i++)
        memcpy(CMSG_DATA(header) + (size_t)i * sizeof(int), &passing->outgoing[i].fd, sizeof(int));
    return sendmsg(io->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t send_first(const torc_io *io, const torc_io_passing *passing, int count,
                          size_t max) {
    const torc_segment *segment = io->sending->first;
    struct iovec pieces[PIECES];
    char copied[COPIED_MAX];
    size_t asked;

    if (segment->kind != TORC_SEGMENT_FILE)
        return send_with(io, passing, count, pieces,
                         torc_chain_iov(io->sending, pieces, PIECES, max, &asked));
    if (max > segment->len) max = segment->len;
    const ssize_t got = pread(segment->owner.file->fd, copied,
                              max < sizeof(copied) ? max : sizeof(copied), (off_t)segment->offset);
    if (got == 0) errno = ENODATA;
    if (got <= 0) return -1;
    pieces[0] = (struct iovec){.iov_base = copied, .iov_len = (size_t)got};
    return send_with(io, passing, count, pieces, 1);
}

ssize_t torc_passing_send(const torc_io *io, size_t max) {
    torc_io_passing *passing = io->ops->passing(io);

    if (passing->outgoing_count == 0) return torc_socket_send_bytes(io, max);
    torc_passed *first = &passing->outgoing[0];
    if (first->before > 0) {
        const ssize_t sent = torc_socket_send_bytes(io, max < first->before ? max : first->before);
        if (sent > 0) first->before -= (size_t)sent;
        return sent;
    }
    const int count = count_first(passing);
    if (count < passing->outgoing_count && max > passing->outgoing[count].before)
        max = passing->outgoing[count].before;
    const ssize_t sent = send_first(io, passing, count, max);
    if (sent > 0) end_first(passing, count, (size_t)sent);
    return sent;
}

/* ---- receiving ---- */

static void keep(torc_io_passing *passing, const struct cmsghdr *header) {
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
        if (passing->incoming_count < passing->incoming_max)
            passing->incoming[passing->incoming_count++] = fd;
        else
            close(fd);
    }
}

ssize_t torc_passing_receive(const torc_io *io, void *bytes, size_t len) {
    _Alignas(struct cmsghdr) char control[CONTROL_SIZE];
    torc_io_passing *passing = io->ops->passing(io);
    struct iovec piece = {.iov_base = bytes, .iov_len = len};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = passing->incoming_max > 0 ? control : NULL,
        .msg_controllen = passing->incoming_max > 0 ? sizeof(control) : 0,
    };
    const ssize_t got = recvmsg(io->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (got < 0) return got;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header))
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
            keep(passing, header);
    return got;
}

int torc_passing_take(torc_io_passing *passing) {
    if (passing->incoming_count == 0) return -1;
    const int fd = passing->incoming[0];
    passing->incoming_count--;
    memmove(passing->incoming, passing->incoming + 1,
            passing->incoming_count * sizeof(passing->incoming[0]));
    return fd;
}

void torc_passing_dispose(torc_io_passing *passing) {
    int fd;

    while ((fd = torc_passing_take(passing)) >= 0) close(fd);
    for (int i = 0; i < passing->outgoing_count; i++) close(passing->outgoing[i].fd);
    passing->outgoing_count = 0;
}
