/* SPDX-License-Identifier: MIT */
/*
 * Addresses as values and as text.
 */
#include <arpa/inet.h>
#include <net/if.h>
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
        for (size_t i = 0; i < len; i++) text[i] = path[i] ? path[i] : '@';
    } else {
        len = strnlen(path, max);
        memcpy(text, path, len);
    }
    text[len] = '\0';
    return torc_str_make(text, len);
}

/* The scope of a link-local address, which means nothing without it. */
static void add_scope(const struct sockaddr_in6 *in6, char text[TORC_ADDR_TEXT_MAX]) {
    const size_t len = strlen(text);

    if (in6->sin6_scope_id)
        snprintf(text + len, TORC_ADDR_TEXT_MAX - len, "%%%u", in6->sin6_scope_id);
}

torc_str torc_addr_host_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]) {
    const int family = torc_addr_family(addr);

    text[0] = '\0';
    if (family == AF_UNIX) return unix_text(addr, text);
    if (family == AF_INET) inet_ntop(AF_INET, &addr->as.in.sin_addr, text, TORC_ADDR_TEXT_MAX);
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->as.in6.sin6_addr)) {
        inet_ntop(AF_INET, addr->as.in6.sin6_addr.s6_addr + 12, text, TORC_ADDR_TEXT_MAX);
    } else if (family == AF_INET6) {
        inet_ntop(AF_INET6, &addr->as.in6.sin6_addr, text, TORC_ADDR_TEXT_MAX);
        add_scope(&addr->as.in6, text);
    }
    return torc_str_of(text);
}

torc_str torc_addr_text(const torc_addr *addr, char text[TORC_ADDR_TEXT_MAX]) {
    const int family = torc_addr_family(addr);
    char host[TORC_ADDR_TEXT_MAX];

    if (family != AF_INET && family != AF_INET6) return torc_addr_host_text(addr, text);
    torc_addr_host_text(addr, host);
    const int len =
        snprintf(text, TORC_ADDR_TEXT_MAX, strchr(host, ':') ? "[%.80s]:%u" : "%.80s:%u", host,
                 torc_addr_port(addr));
    return torc_str_make(text, (size_t)len);
}

/* A scope: a number that is not 0, or the name of an interface. 0: it is none. */
static uint32_t parse_scope(torc_str scope) {
    char name[IF_NAMESIZE];
    uint64_t number;

    if (!torc_str_parse_uint(scope, UINT32_MAX, &number)) return (uint32_t)number;
    if (scope.len == 0 || scope.len >= sizeof(name)) return 0;
    memcpy(name, scope.bytes, scope.len);
    name[scope.len] = '\0';
    return if_nametoindex(name);
}

static torc_err parse_numeric(const char *text, uint16_t port, torc_addr *addr) {
    *addr = (torc_addr){0};
    if (inet_pton(AF_INET, text, &addr->as.in.sin_addr) == 1) {
        addr->len = sizeof(addr->as.in);
        addr->as.in.sin_family = AF_INET;
        addr->as.in.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, text, &addr->as.in6.sin6_addr) == 1) {
        addr->len = sizeof(addr->as.in6);
        addr->as.in6.sin6_family = AF_INET6;
        addr->as.in6.sin6_port = htons(port);
    } else {
        return TORC_ERR_SYNTAX;
    }
    return TORC_OK;
}

torc_err torc_addr_parse(torc_str host, uint16_t port, torc_addr *addr) {
    const ptrdiff_t percent = torc_str_find_byte(host, '%');
    const torc_str numeric = percent < 0 ? host : torc_str_head(host, (size_t)percent);
    char text[INET6_ADDRSTRLEN + 1];
    torc_addr parsed;

    if (numeric.len == 0 || numeric.len >= sizeof(text) || memchr(host.bytes, 0, host.len))
        return TORC_ERR_SYNTAX;
    memcpy(text, numeric.bytes, numeric.len);
    text[numeric.len] = '\0';
    if (parse_numeric(text, port, &parsed)) return TORC_ERR_SYNTAX;
    if (percent >= 0) {
        const uint32_t scope = parse_scope(torc_str_from(host, (size_t)percent + 1));
        if (!scope || torc_addr_family(&parsed) != AF_INET6) return TORC_ERR_SYNTAX;
        parsed.as.in6.sin6_scope_id = scope;
    }
    *addr = parsed;
    return TORC_OK;
}

torc_err torc_addr_parse_unix(torc_str path, torc_addr *addr) {
    torc_addr parsed = {.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1)};
    const bool is_abstract = path.len > 0 && path.bytes[0] == '@';

    if (path.len == 0 || (is_abstract && path.len == 1) || memchr(path.bytes, 0, path.len))
        return TORC_ERR_SYNTAX;
    if (path.len > sizeof(parsed.as.un.sun_path) - 1) return TORC_ERR_LIMIT;
    parsed.as.un.sun_family = AF_UNIX;
    memcpy(parsed.as.un.sun_path, path.bytes, path.len);
    if (is_abstract) {
        parsed.as.un.sun_path[0] = '\0';
        parsed.len--;
    }
    *addr = parsed;
    return TORC_OK;
}

torc_err torc_addr_parse_text(torc_str text, torc_addr *addr) {
    size_t colon = text.len;
    uint64_t port;

    if (text.len > 0 && (text.bytes[0] == '/' || text.bytes[0] == '@'))
        return torc_addr_parse_unix(text, addr);
    while (colon > 0 && text.bytes[colon - 1] != ':') colon--;
    if (colon < 2 || torc_str_parse_uint(torc_str_from(text, colon), 65535, &port))
        return TORC_ERR_SYNTAX;
    torc_str host = torc_str_head(text, colon - 1);
    const bool has_brackets = host.bytes[0] == '[';
    if (has_brackets) {
        if (host.len < 3 || host.bytes[host.len - 1] != ']') return TORC_ERR_SYNTAX;
        host = torc_str_make(host.bytes + 1, host.len - 2);
    }
    torc_addr parsed;
    if (torc_addr_parse(host, (uint16_t)port, &parsed) ||
        has_brackets != (torc_addr_family(&parsed) == AF_INET6))
        return TORC_ERR_SYNTAX;
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
