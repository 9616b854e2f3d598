/* SPDX-License-Identifier: MIT */
/*
 * Receiving datagrams, and the errors of those that were sent.
 *
 *  - The reactor's scratch buffer is cut into as many places as datagrams fit; each call fills some
 *    of them, and what is in them is told before the next call.
 *  - Descriptors that came are closed when nobody has taken them, whatever becomes of the port.
 *  - The kernel keeps one error for the socket and a queue of errors with their addresses: it is
 *    the queue that is told, and the one only if the queue was empty.
 */
#include <time.h> /* before errqueue.h, which needs it */

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactor/socket.h"
#include "reactor/syscalls.h"
#include "transport/datagram.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    MESSAGES = 32,      /* in one call, and about so many in a turn */
    CALLS = 8,          /* in a turn */
    CONTROL_SIZE = 256, /* of one message */
    FDS_SEEN = 64,      /* more do not fit there */
    ERRORS = 16         /* told in a turn */
};

typedef struct batch {
    struct mmsghdr messages[MESSAGES];
    struct iovec pieces[MESSAGES];
    torc_addr peers[MESSAGES];
    _Alignas(struct cmsghdr) char controls[MESSAGES][CONTROL_SIZE];
} batch;

/* What the control of one message says. */
typedef struct extras {
    torc_credentials credentials;
    int fds[FDS_SEEN];
} extras;

/* ---- what comes with them ---- */

static void see_fds(const torc_datagram_port *port, const struct cmsghdr *header, extras *into,
                    torc_datagram *datagram) {
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
        if (datagram->fd_count < port->options.fds_max)
            into->fds[datagram->fd_count++] = fd;
        else
            close(fd);
    }
}

static void see_credentials(const struct cmsghdr *header, extras *into, torc_datagram *datagram) {
    struct ucred who;

    memcpy(&who, CMSG_DATA(header), sizeof(who));
    into->credentials = (torc_credentials){.pid = who.pid, .uid = who.uid, .gid = who.gid};
    datagram->credentials = &into->credentials;
}

static void see_v4(const struct cmsghdr *header, torc_datagram *datagram) {
    struct in_pktinfo info;

    if (header->cmsg_type == IP_TOS) {
        datagram->ecn = (torc_ecn)(*CMSG_DATA(header) & 3);
    } else if (header->cmsg_type == IP_PKTINFO) {
        memcpy(&info, CMSG_DATA(header), sizeof(info));
        datagram->interface_index = (uint32_t)info.ipi_ifindex;
        datagram->local = (torc_addr){.len = sizeof(datagram->local.as.in)};
        datagram->local.as.in.sin_family = AF_INET;
        datagram->local.as.in.sin_addr = info.ipi_addr;
    }
}

static void see_v6(const struct cmsghdr *header, torc_datagram *datagram) {
    struct in6_pktinfo info;
    int tclass;

    if (header->cmsg_type == IPV6_TCLASS) {
        memcpy(&tclass, CMSG_DATA(header), sizeof(tclass));
        datagram->ecn = (torc_ecn)(tclass & 3);
    } else if (header->cmsg_type == IPV6_PKTINFO) {
        memcpy(&info, CMSG_DATA(header), sizeof(info));
        datagram->interface_index = info.ipi6_ifindex;
        datagram->local = (torc_addr){.len = sizeof(datagram->local.as.in6)};
        datagram->local.as.in6.sin6_family = AF_INET6;
        datagram->local.as.in6.sin6_addr = info.ipi6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
            datagram->local.as.in6.sin6_scope_id = info.ipi6_ifindex;
    }
}

static void see_segment(const struct cmsghdr *header, torc_datagram *datagram) {
    int segment;

    memcpy(&segment, CMSG_DATA(header), sizeof(segment));
    if (segment > 0 && (size_t)segment < datagram->bytes.len)
        datagram->segment_size = (uint32_t)segment;
}

static void see_control(const torc_datagram_port *port, struct msghdr *message, extras *into,
                        torc_datagram *datagram) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header)) {
        const int level = header->cmsg_level, type = header->cmsg_type;

        if (level == IPPROTO_IP)
            see_v4(header, datagram);
        else if (level == IPPROTO_IPV6)
            see_v6(header, datagram);
        else if (level == IPPROTO_UDP && type == UDP_GRO)
            see_segment(header, datagram);
        else if (level == SOL_SOCKET && type == SCM_RIGHTS)
            see_fds(port, header, into, datagram);
        else if (level == SOL_SOCKET && type == SCM_CREDENTIALS)
            see_credentials(header, into, datagram);
    }
}

/* ---- receiving ---- */

static bool wants_control(const torc_datagram_options *options) {
    return options->gro || options->ecn || options->packet_info || options->credentials ||
           options->fds_max;
}

/* Cut the scratch buffer; answers how many datagrams may come. */
static unsigned prepare(const torc_datagram_port *port, batch *self, unsigned count) {
    const uint32_t size = port->options.receive_max;
    const bool has_control = wants_control(&port->options);

    if (count > TORC_RECEIVE_SIZE / size) count = TORC_RECEIVE_SIZE / size;
    if (port->received && count > torc_datagram_room(port))
        count = (unsigned)torc_datagram_room(port);
    for (unsigned i = 0; i < count; i++) {
        self->pieces[i] = (struct iovec){.iov_base = port->io.reactor->scratch + (size_t)i * size,
                                         .iov_len = size};
        self->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &self->peers[i].as,
            .msg_namelen = sizeof(self->peers[i].as),
            .msg_iov = &self->pieces[i],
            .msg_iovlen = 1,
            .msg_control = has_control ? self->controls[i] : NULL,
            .msg_controllen = has_control ? CONTROL_SIZE : 0,
        };
    }
    return count;
}

static void give(torc_datagram_port *port, const torc_datagram *datagram) {
    port->counts.received++;
    port->io.reactor->counts.bytes_received += datagram->bytes.len;
    if (port->protocol)
        port->protocol->ops->datagram_received(port->protocol, datagram);
    else
        torc_datagram_keep(port, datagram);
}

static void tell(torc_datagram_port *port, batch *self, unsigned at) {
    struct msghdr *message = &self->messages[at].msg_hdr;
    torc_datagram datagram = {
        .bytes = torc_str_make(self->pieces[at].iov_base, self->messages[at].msg_len),
        .peer = self->peers[at],
    };
    extras also;

    datagram.peer.len = message->msg_namelen;
    if (datagram.peer.len < sizeof(sa_family_t)) datagram.peer = (torc_addr){0};
    torc_net *net = torc_datagram_net(port);
    if (net) net->disguise(net, &datagram.peer);
    if (net && port->peer.len && !torc_addr_equals(&port->peer, &datagram.peer)) return;
    datagram.fds = also.fds;
    if (message->msg_controllen > 0) see_control(port, message, &also, &datagram);
    if (message->msg_flags & MSG_TRUNC)
        port->counts.truncated++;
    else if (!port->is_closed)
        give(port, &datagram);
    for (size_t i = 0; i < datagram.fd_count; i++)
        if (also.fds[i] >= 0) close(also.fds[i]);
}

/* An error that no datagram brought. */
static void see_error(torc_datagram_port *port, int number) {
    const torc_addr unknown = {0};

    if (number == EINTR || torc_socket_is_full(number)) return;
    if (!torc_datagram_take_errors(port))
        torc_datagram_tell_failed(port, torc_err_from_errno(number),
                                  port->peer.len ? &port->peer : &unknown);
}

/* One call; answers whether there may be more. */
static bool receive(torc_datagram_port *port, batch *self, unsigned *total) {
    const unsigned asked = prepare(port, self, MESSAGES);

    if (asked == 0) return false;
    port->counts.receive_calls++;
    const int count =
        torc_sys_fails(port->io.reactor, TORC_SYS_RECEIVE, NULL)
            ? -1
            : recvmmsg(port->io.fd, self->messages, asked, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
    if (count < 0) see_error(port, errno);
    for (int i = 0; i < count; i++) tell(port, self, (unsigned)i);
    if (count > 0) *total += (unsigned)count;
    return count == (int)asked;
}

void torc_datagram_receive_batch(torc_datagram_port *port) {
    unsigned total = 0;
    batch self;

    for (int i = 0; i < CALLS && total < MESSAGES; i++)
        if (!receive(port, &self, &total) || port->is_closed || port->is_paused) return;
}

/* ---- errors ---- */

static bool is_error(const struct cmsghdr *header) {
    return (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
           (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
}

/* One of the queue; false: it is empty. */
static bool take_error(torc_datagram_port *port) {
    _Alignas(struct cmsghdr) char control[512];
    torc_addr to = {0};
    char byte;
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_name = &to.as,
        .msg_namelen = sizeof(to.as),
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };

    if (port->family == AF_UNIX || recvmsg(port->io.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return false;
    to.len = message.msg_namelen;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        struct sock_extended_err told;

        if (!is_error(header)) continue;
        memcpy(&told, CMSG_DATA(header), sizeof(told));
        if (told.ee_errno)
            torc_datagram_tell_failed(port, torc_err_from_errno((int)told.ee_errno), &to);
    }
    return true;
}

bool torc_datagram_take_errors(torc_datagram_port *port) {
    const torc_addr unknown = {0};
    int count = 0;

    while (count < ERRORS && !(port->is_closed && count > 0) && take_error(port)) count++;
    if (count > 0) return true;
    const torc_err err = torc_socket_take_err(port->io.fd);
    if (!err) return false;
    torc_datagram_tell_failed(port, err, port->peer.len ? &port->peer : &unknown);
    return true;
}
