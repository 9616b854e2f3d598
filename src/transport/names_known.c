/* SPDX-License-Identifier: MIT */
/*
 * Names that need no resolver, and texts that are none.
 *
 *  - What is told here waits for nothing: no file is read and nobody is asked.
 *  - A text is an address, or a name, or refused: nothing is left to what a C library takes for an
 *    address ("127.1", "0x7f.1", "2130706433"), which has led around access lists.
 */
#include <arpa/inet.h>
#include <net/if.h>

#include "base/ascii.h"
#include "transport/names.h"

/* ---- addresses ---- */

static torc_err parse_scope(const char *text, uint32_t *scope) {
    uint64_t number;

    if (!*text) return TORC_ERR_SYNTAX;
    *scope = if_nametoindex(text);
    if (*scope) return TORC_OK;
    if (torc_str_parse_uint(torc_str_of(text), UINT32_MAX, &number)) return TORC_ERR_NOT_FOUND;
    *scope = (uint32_t)number;
    return TORC_OK;
}

/* An address that is written in numbers; TORC_ERR_SYNTAX: it is none. */
static torc_err parse_numeric(const char *host, torc_addr *addr) {
    const char *percent = strchr(host, '%');
    const size_t len = percent ? (size_t)(percent - host) : strlen(host);
    const torc_err err = torc_addr_parse(torc_str_make(host, len), 0, addr);

    if (err || !percent) return err;
    if (torc_addr_family(addr) != AF_INET6) return TORC_ERR_SYNTAX;
    return parse_scope(percent + 1, &addr->as.in6.sin6_scope_id);
}

static torc_err list_of(torc_reactor *reactor, const torc_addr *addrs, size_t count,
                        torc_addr_list **list) {
    *list = torc_addr_list_new(reactor, addrs, count);
    return *list ? TORC_OK : TORC_ERR_NO_MEMORY;
}

/* ---- localhost ---- */

static torc_err loopbacks(torc_reactor *reactor, torc_addr_list **list) {
    torc_addr addrs[2];

    (void)!torc_addr_parse(TORC_STR("::1"), 0, &addrs[0]);
    (void)!torc_addr_parse(TORC_STR("127.0.0.1"), 0, &addrs[1]);
    return list_of(reactor, addrs, 2, list);
}

static bool is_localhost(torc_str name) {
    return torc_str_equals(name, TORC_STR("localhost")) ||
           torc_str_ends_with(name, TORC_STR(".localhost"));
}

/* ---- names ---- */

/* Letters, digits, hyphens; and what else is printable, since hosts of a file may be called so. */
static bool is_label(torc_str label) {
    if (label.len < 1 || label.len > 63) return false;
    for (size_t i = 0; i < label.len; i++)
        if (label.bytes[i] <= ' ' || label.bytes[i] >= 0x7f || strchr("/:%@[]\\", label.bytes[i]))
            return false;
    return true;
}

/* What a C library would take for a number of an address: digits, or 0x and hexadecimal ones. */
static bool is_number(torc_str label) {
    const bool is_hex = label.len >= 2 && label.bytes[0] == '0' && label.bytes[1] == 'x';

    for (size_t i = is_hex ? 2 : 0; i < label.len; i++) {
        const int digit = torc_hex_digit(label.bytes[i]);
        if (digit < 0 || (!is_hex && digit > 9)) return false;
    }
    return true;
}

static bool is_name(torc_str name) {
    torc_str rest = name, label;

    while (torc_str_split(&rest, '.', &label))
        if (!is_label(label)) return false;
    return !is_number(label);
}

/* The host in lower case, without a dot at its end. */
static torc_err normalise(const char *host, char name[TORC_NAME_MAX + 1]) {
    size_t len = strlen(host);

    if (len && host[len - 1] == '.') len--;
    if (len < 1 || len > TORC_NAME_MAX) return TORC_ERR_SYNTAX;
    for (size_t i = 0; i < len; i++) name[i] = torc_small(host[i]);
    name[len] = '\0';
    return is_name(torc_str_make(name, len)) ? TORC_OK : TORC_ERR_SYNTAX;
}

torc_err torc_names_known(torc_reactor *reactor, const char *host, char name[TORC_NAME_MAX + 1],
                          torc_addr_list **list) {
    torc_addr addr;
    torc_err err = parse_numeric(host, &addr);

    *list = NULL;
    if (!err) return list_of(reactor, &addr, 1, list);
    if (err != TORC_ERR_SYNTAX) return err;
    err = normalise(host, name);
    if (!err && is_localhost(torc_str_of(name))) err = loopbacks(reactor, list);
    return err;
}
