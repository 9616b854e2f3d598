/* SPDX-License-Identifier: MIT */
/*
 * Addresses as values and as text.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <torc/addr.h>

int torc_addr_family(const torc_addr *addr) {
    return addr->len ? addr->as.any.sa_family : AF_UNSPEC;
}

uint16_t torc_addr_port(const torc_addr *addr) {
    const int family = torc_addr_family(addr);
    return family == AF_INET    ? ntohs(addr->as.in.sin_port)
           : family == AF_INET6 ? ntohs(addr->as.in6.sin6_port)
                                : 0;
}

/* The path of a UNIX address: it may lack a NUL; an abstract one begins with it. */
static torc_str unix_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]) {
    const size_t before = offsetof(struct sockaddr_un, sun_path);
    const size_t max = addr->len > before ? addr->len - before : 0;
    const char *path = addr->as.un.sun_path;
    size_t len;

    if (max && !path[0]) {
        len = max;
        memcpy(text, path, len);
        text[0] = '@';
    } else {
        len = strnlen(path, max);
        memcpy(text, path, len);
    }
    text[len] = '\0';
    return torc_str_make(text, len);
}

torc_str torc_addr_host_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]) {
    const int family = torc_addr_family(addr);

    text[0] = '\0';
    if (family == AF_UNIX) return unix_text(addr, text);
    if (family == AF_INET) inet_ntop(AF_INET, &addr->as.in.sin_addr, text, TORC_ADDR_TEXT_MAX);
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->as.in6.sin6_addr))
        inet_ntop(AF_INET, addr->as.in6.sin6_addr.s6_addr + 12, text, TORC_ADDR_TEXT_MAX);
    else if (family == AF_INET6)
        inet_ntop(AF_INET6, &addr->as.in6.sin6_addr, text, TORC_ADDR_TEXT_MAX);
    return torc_str_of(text);
}

torc_str torc_addr_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]) {
    const int family = torc_addr_family(addr);
    char host[TORC_ADDR_TEXT_MAX];

    if (family != AF_INET && family != AF_INET6) return torc_addr_host_text(addr, text);
    torc_addr_host_text(addr, host);
    const int len =
        snprintf(text, TORC_ADDR_TEXT_MAX, strchr(host, ':') ? "[%.60s]:%u" : "%.60s:%u", host,
                 torc_addr_port(addr));
    return torc_str_make(text, (size_t)len);
}

torc_err torc_addr_parse(torc_str host, uint16_t port, torc_addr *addr) {
    char text[INET6_ADDRSTRLEN + 1];

    if (host.len == 0 || host.len >= sizeof(text) || memchr(host.bytes, 0, host.len))
        return TORC_ERR_SYNTAX;
    memcpy(text, host.bytes, host.len);
    text[host.len] = '\0';
    torc_addr parsed = {0};
    if (inet_pton(AF_INET, text, &parsed.as.in.sin_addr) == 1) {
        parsed.len = sizeof(parsed.as.in);
        parsed.as.in.sin_family = AF_INET;
        parsed.as.in.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, text, &parsed.as.in6.sin6_addr) == 1) {
        parsed.len = sizeof(parsed.as.in6);
        parsed.as.in6.sin6_family = AF_INET6;
        parsed.as.in6.sin6_port = htons(port);
    } else {
        return TORC_ERR_SYNTAX;
    }
    *addr = parsed;
    return TORC_OK;
}

bool torc_addr_equals(const torc_addr *a, const torc_addr *b) {
    const int family = torc_addr_family(a);

    if (family != torc_addr_family(b)) return false;
    if (family == AF_INET)
        return a->as.in.sin_port == b->as.in.sin_port &&
               a->as.in.sin_addr.s_addr == b->as.in.sin_addr.s_addr;
    if (family == AF_INET6)
        return a->as.in6.sin6_port == b->as.in6.sin6_port &&
               a->as.in6.sin6_scope_id == b->as.in6.sin6_scope_id &&
               IN6_ARE_ADDR_EQUAL(&a->as.in6.sin6_addr, &b->as.in6.sin6_addr);
    return a->len == b->len && (a->len == 0 || memcmp(&a->as, &b->as, a->len) == 0);
}
