/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets, opened and bound, with what a port's options ask for.
 *
 *  - A socket of IPv6 that also has IPv4 is told of both: what is set for the one is set for the
 *    other, too, and its failure means that there is no other.
 *  - The kernel's errors of what was sent are always asked for (IP_RECVERR), so that they come with
 *    the address that they are about.
 *  - The file of a UNIX socket that nobody has open any more is replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/datagram.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

static torc_err set(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof(value)) ? torc_err_from_errno(errno)
                                                                : TORC_OK;
}

/* One option that has a name of its own in each family. */
static torc_err set_ip(const torc_datagram_port *port, int fd, int v4, int v6, int value) {
    if (port->family == AF_INET) return set(fd, IPPROTO_IP, v4, value);
    (void)!set(fd, IPPROTO_IP, v4, value);
    return set(fd, IPPROTO_IPV6, v6, value);
}

static torc_err set_udp(const torc_datagram_port *port, int fd) {
    const torc_datagram_options *options = &port->options;
    torc_err err = set_ip(port, fd, IP_RECVERR, IPV6_RECVERR, 1);

    if (!err && options->ttl) err = set_ip(port, fd, IP_TTL, IPV6_UNICAST_HOPS, options->ttl);
    if (!err && options->ecn) err = set_ip(port, fd, IP_RECVTOS, IPV6_RECVTCLASS, 1);
    if (!err && options->packet_info) err = set_ip(port, fd, IP_PKTINFO, IPV6_RECVPKTINFO, 1);
    if (!err && options->dont_fragment) {
        _Static_assert((int)IP_PMTUDISC_DO == (int)IPV6_PMTUDISC_DO, "the same");
        err = set_ip(port, fd, IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IP_PMTUDISC_DO);
    }
    if (!err && options->broadcast) err = set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    /* A kernel that cannot join them gives them one by one. */
    if (!err && options->gro) (void)!set(fd, IPPROTO_UDP, UDP_GRO, 1);
    return err;
}

static torc_err set_options(const torc_datagram_port *port, int fd) {
    const torc_datagram_options *options = &port->options;
    torc_err err = TORC_OK;

    if (options->receive_buffer) err = set(fd, SOL_SOCKET, SO_RCVBUF, options->receive_buffer);
    if (!err && options->send_buffer) err = set(fd, SOL_SOCKET, SO_SNDBUF, options->send_buffer);
    if (!err && options->credentials && port->family == AF_UNIX)
        err = set(fd, SOL_SOCKET, SO_PASSCRED, 1);
    if (!err && port->family != AF_UNIX) err = set_udp(port, fd);
    return err;
}

/* What has to be set before it is bound. */
static torc_err share(const torc_datagram_port *port, int fd) {
    torc_err err = TORC_OK;

    if (port->options.reuse_addr) err = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!err && port->options.reuse_port) err = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!err && port->family == AF_INET6)
        err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, port->options.v6only);
    return err;
}

/* ---- files ---- */

static bool is_path(const torc_addr *addr) {
    return torc_addr_family(addr) == AF_UNIX && addr->len > sizeof(sa_family_t) &&
           addr->as.un.sun_path[0] != '\0';
}

static void remove_stale(const torc_addr *addr) {
    struct stat about;
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return;
    if (lstat(addr->as.un.sun_path, &about) == 0 && S_ISSOCK(about.st_mode) &&
        connect(fd, &addr->as.any, addr->len) && errno == ECONNREFUSED)
        unlink(addr->as.un.sun_path);
    close(fd);
}

/* Take note of the file that was made. */
static torc_err keep_file(torc_datagram_port *port, const torc_addr *addr) {
    struct stat about;

    if (port->options.unix_mode && chmod(addr->as.un.sun_path, port->options.unix_mode)) {
        const torc_err err = torc_err_from_errno(errno);
        unlink(addr->as.un.sun_path);
        return err;
    }
    if (lstat(addr->as.un.sun_path, &about)) return TORC_OK;
    port->has_file = true;
    port->file_dev = (uint64_t)about.st_dev;
    port->file_ino = (uint64_t)about.st_ino;
    return TORC_OK;
}

void torc_datagram_remove_file(const torc_datagram_port *port, const torc_addr *local) {
    struct stat about;

    if (!port->has_file || lstat(local->as.un.sun_path, &about)) return;
    if ((uint64_t)about.st_dev == port->file_dev && (uint64_t)about.st_ino == port->file_ino)
        unlink(local->as.un.sun_path);
}

/* ---- opening ---- */

static torc_err bind_at(torc_datagram_port *port, int fd, const torc_addr *local) {
    torc_err err = share(port, fd);

    if (!err) err = set_options(port, fd);
    if (err) return err;
    if (is_path(local)) remove_stale(local);
    if (bind(fd, &local->as.any, local->len)) return torc_err_from_errno(errno);
    return is_path(local) ? keep_file(port, local) : TORC_OK;
}

torc_err torc_datagram_socket_open(torc_datagram_port *port, const torc_addr *local, int *fd) {
    port->family = torc_addr_family(local);
    if (port->family != AF_INET && port->family != AF_INET6 && port->family != AF_UNIX)
        return TORC_ERR_INVALID;
    const int opened = socket(port->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0) return torc_err_from_errno(errno);
    const torc_err err = bind_at(port, opened, local);
    if (err)
        close(opened);
    else
        *fd = opened;
    return err;
}

torc_err torc_datagram_socket_adopt(torc_datagram_port *port, int fd) {
    int type = 0;
    socklen_t len = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &port->family, &len))
        return torc_err_from_errno(errno);
    if (type != SOCK_DGRAM ||
        (port->family != AF_INET && port->family != AF_INET6 && port->family != AF_UNIX))
        return TORC_ERR_INVALID;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
        return torc_err_from_errno(errno);
    port->peer.len = sizeof(port->peer.as);
    if (getpeername(fd, &port->peer.as.any, &port->peer.len)) port->peer = (torc_addr){0};
    return set_options(port, fd);
}
