/* SPDX-License-Identifier: MIT */
/*
 * Groups: multicast over IPv4 and IPv6.
 *
 *  - The calls that take either family (RFC 3678) are used, and interfaces are told by number.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "transport/datagram.h"

static int level_of(const torc_datagram_port *port) {
    return port->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
}

static torc_err set(const torc_datagram_port *port, int level, int option, const void *value,
                    socklen_t len) {
    if (port->is_closed) return TORC_ERR_CLOSED;
    return setsockopt(port->io.fd, level, option, value, len) ? torc_err_from_errno(errno)
                                                              : TORC_OK;
}

static bool is_group(const torc_addr *addr) {
    if (torc_addr_family(addr) == AF_INET) return IN_MULTICAST(ntohl(addr->as.in.sin_addr.s_addr));
    return torc_addr_family(addr) == AF_INET6 && IN6_IS_ADDR_MULTICAST(&addr->as.in6.sin6_addr);
}

static torc_err change(torc_datagram_port *port, const torc_addr *group, uint32_t interface_index,
                       const torc_addr *source, int any, int one) {
    struct group_source_req from = {.gsr_interface = interface_index};
    struct group_req all = {.gr_interface = interface_index};

    if (!is_group(group) || torc_addr_family(group) != port->family ||
        (source && torc_addr_family(source) != port->family))
        return TORC_ERR_INVALID;
    if (!source) {
        memcpy(&all.gr_group, &group->as, group->len);
        return set(port, level_of(port), any, &all, sizeof(all));
    }
    memcpy(&from.gsr_group, &group->as, group->len);
    memcpy(&from.gsr_source, &source->as, source->len);
    return set(port, level_of(port), one, &from, sizeof(from));
}

torc_err torc_datagram_join_group(torc_datagram_port *port, const torc_addr *group,
                                  uint32_t interface_index, const torc_addr *source) {
    return change(port, group, interface_index, source, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP);
}

torc_err torc_datagram_leave_group(torc_datagram_port *port, const torc_addr *group,
                                   uint32_t interface_index, const torc_addr *source) {
    return change(port, group, interface_index, source, MCAST_LEAVE_GROUP,
                  MCAST_LEAVE_SOURCE_GROUP);
}

static torc_err set_int(const torc_datagram_port *port, int v4, int v6, int value) {
    if (port->family == AF_UNIX) return TORC_ERR_UNSUPPORTED;
    return set(port, level_of(port), port->family == AF_INET ? v4 : v6, &value, sizeof(value));
}

torc_err torc_datagram_set_multicast_ttl(torc_datagram_port *port, int ttl) {
    if (ttl < 0 || ttl > 255) return TORC_ERR_INVALID;
    return set_int(port, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, ttl);
}

torc_err torc_datagram_set_multicast_loop(torc_datagram_port *port, bool on) {
    return set_int(port, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on);
}

torc_err torc_datagram_set_multicast_interface(torc_datagram_port *port, uint32_t interface_index) {
    const struct ip_mreqn v4 = {.imr_ifindex = (int)interface_index};

    if (port->family == AF_INET) return set(port, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof(v4));
    return set_int(port, IP_MULTICAST_IF, IPV6_MULTICAST_IF, (int)interface_index);
}
