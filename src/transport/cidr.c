/* SPDX-License-Identifier: MIT */
/*
 * Ranges of addresses.
 *
 *  - An IPv4 address is compared as one, in whatever form it comes.
 */
#include <torc/cidr.h>

enum {
    MAPPED_BITS = 96 /* of an IPv6 address, before the IPv4 address that is mapped into it */
};

static bool has_bits_beyond(const torc_cidr *cidr, unsigned max) {
    for (unsigned i = cidr->bits; i < max; i++)
        if (cidr->bytes[i / 8] & (0x80u >> i % 8)) return true;
    return false;
}

static bool is_mapped(const torc_addr *addr) {
    return torc_addr_family(addr) == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->as.in6.sin6_addr);
}

/* The range of IPv4 that is written as one of IPv6. */
static torc_cidr unmapped(const torc_cidr *cidr) {
    torc_cidr range = {.family = AF_INET, .bits = (uint8_t)(cidr->bits - MAPPED_BITS)};

    memcpy(range.bytes, cidr->bytes + MAPPED_BITS / 8, 4);
    return range;
}

torc_err torc_cidr_parse(torc_str text, torc_cidr *cidr) {
    const ptrdiff_t slash = torc_str_find_byte(text, '/');
    const torc_str host = slash < 0 ? text : torc_str_head(text, (size_t)slash);
    torc_cidr read = {0};
    torc_addr addr;
    uint64_t bits;

    if (torc_str_equals(text, TORC_STR("unix:"))) {
        *cidr = (torc_cidr){.family = AF_UNIX};
        return TORC_OK;
    }
    if (torc_addr_parse(host, 0, &addr)) return TORC_ERR_SYNTAX;
    read.family = torc_addr_family(&addr);
    const unsigned max = read.family == AF_INET ? 32 : 128;
    if (read.family == AF_INET)
        memcpy(read.bytes, &addr.as.in.sin_addr, 4);
    else
        memcpy(read.bytes, &addr.as.in6.sin6_addr, 16);
    bits = max;
    if (slash >= 0 && torc_str_parse_uint(torc_str_from(text, (size_t)slash + 1), max, &bits))
        return TORC_ERR_SYNTAX;
    read.bits = (uint8_t)bits;
    if (is_mapped(&addr) && bits >= MAPPED_BITS) read = unmapped(&read);
    if (has_bits_beyond(&read, read.family == AF_INET ? 32 : 128)) return TORC_ERR_INVALID;
    *cidr = read;
    return TORC_OK;
}

/* The bytes of an address, and the family that they are of. */
static const uint8_t *bytes_of(const torc_addr *addr, int *family) {
    *family = torc_addr_family(addr);
    if (*family == AF_INET) return (const uint8_t *)&addr->as.in.sin_addr;
    if (*family != AF_INET6) return NULL;
    if (!is_mapped(addr)) return addr->as.in6.sin6_addr.s6_addr;
    *family = AF_INET;
    return addr->as.in6.sin6_addr.s6_addr + MAPPED_BITS / 8;
}

bool torc_cidr_contains(const torc_cidr *cidr, const torc_addr *addr) {
    int family;
    const uint8_t *bytes = bytes_of(addr, &family);
    const unsigned whole = cidr->bits / 8, rest = cidr->bits % 8;

    if (family != cidr->family) return false;
    if (!bytes) return family == AF_UNIX;
    if (memcmp(bytes, cidr->bytes, whole) != 0) return false;
    return rest == 0 || ((bytes[whole] ^ cidr->bytes[whole]) & (0xff00u >> rest & 0xff)) == 0;
}

bool torc_cidr_any_contains(const torc_cidr *cidrs, size_t count, const torc_addr *addr) {
    for (size_t i = 0; i < count; i++)
        if (torc_cidr_contains(&cidrs[i], addr)) return true;
    return false;
}
