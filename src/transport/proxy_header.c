/* SPDX-License-Identifier: MIT */
/*
 * The PROXY header as bytes.
 *
 *   1:  "PROXY" SP ("TCP4" | "TCP6") SP source SP destination SP port SP port CRLF
 *       "PROXY UNKNOWN" [anything] CRLF
 *   2:  12 bytes of signature, version and command, family, length; addresses; TLVs
 *
 *  - A beginning that cannot become a header is refused at its first wrong byte, so that nobody
 *    waits for the rest of what is something else.
 *  - Version 1 is read strictly: one space, no leading zeros, addresses as inet_pton takes them.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <torc/buf.h>
#include <torc/proxy_header.h>

enum {
    V2_HEAD = 16,
    V2_LEN_MAX = 65535,
    TLV_HEAD = 3,
    UNIX_PATH = 108,
    SSL_CLIENT = 1 /* of the first byte of TORC_PROXY_TLV_SSL */
};

static const char signature[12] = {'\r', '\n', '\r', '\n', '\0', '\r',
                                   '\n', 'Q',  'U',  'I',  'T',  '\n'};

/* Whether `bytes` begin as `whole` does, as far as they go. */
static bool may_become(torc_str bytes, torc_str whole) {
    const size_t len = bytes.len < whole.len ? bytes.len : whole.len;
    return memcmp(bytes.bytes, whole.bytes, len) == 0;
}

/* ---- version 1 ---- */

/* The next word of a line, behind exactly one space. */
static torc_err take_word(torc_str *line, torc_str *word) {
    size_t len = 1;

    if (line->len < 2 || line->bytes[0] != ' ') return TORC_ERR_SYNTAX;
    while (len < line->len && line->bytes[len] != ' ') len++;
    *word = torc_str_make(line->bytes + 1, len - 1);
    *line = torc_str_from(*line, len);
    return word->len ? TORC_OK : TORC_ERR_SYNTAX;
}

static torc_err take_port(torc_str *line, uint16_t *port) {
    torc_str word;
    uint64_t number;

    if (take_word(line, &word) || (word.len > 1 && word.bytes[0] == '0') ||
        torc_str_parse_uint(word, UINT16_MAX, &number))
        return TORC_ERR_SYNTAX;
    *port = (uint16_t)number;
    return TORC_OK;
}

static torc_err parse_v1_addrs(torc_str line, int family, torc_proxy_header *header) {
    torc_str source, destination;
    uint16_t from, to;

    if (take_word(&line, &source) || take_word(&line, &destination) || take_port(&line, &from) ||
        take_port(&line, &to) || line.len > 0)
        return TORC_ERR_SYNTAX;
    /* A scope is of this machine, and nobody's to say. */
    if (torc_str_find_byte(source, '%') >= 0 || torc_str_find_byte(destination, '%') >= 0)
        return TORC_ERR_SYNTAX;
    if (torc_addr_parse(source, from, &header->source) ||
        torc_addr_parse(destination, to, &header->destination))
        return TORC_ERR_SYNTAX;
    return torc_addr_family(&header->source) == family &&
                   torc_addr_family(&header->destination) == family
               ? TORC_OK
               : TORC_ERR_SYNTAX;
}

static torc_err parse_v1(torc_str bytes, torc_proxy_header *header, size_t *len) {
    static const torc_str first = TORC_STR_INIT("PROXY");
    const torc_str within =
        torc_str_head(bytes, bytes.len < TORC_PROXY_V1_MAX ? bytes.len : TORC_PROXY_V1_MAX);
    const ptrdiff_t end = torc_str_find_byte(within, '\n');
    torc_str word;

    if (!may_become(bytes, first)) return TORC_ERR_SYNTAX;
    if (end < 0) return bytes.len < TORC_PROXY_V1_MAX ? TORC_ERR_AGAIN : TORC_ERR_SYNTAX;
    if ((size_t)end < first.len + 1 || within.bytes[end - 1] != '\r') return TORC_ERR_SYNTAX;
    *len = (size_t)end + 1;
    *header = (torc_proxy_header){.version = 1};
    torc_str line = torc_str_make(bytes.bytes + first.len, (size_t)end - 1 - first.len);
    if (take_word(&line, &word)) return TORC_ERR_SYNTAX;
    if (torc_str_equals(word, TORC_STR("TCP4"))) return parse_v1_addrs(line, AF_INET, header);
    if (torc_str_equals(word, TORC_STR("TCP6"))) return parse_v1_addrs(line, AF_INET6, header);
    header->is_local = true;
    return torc_str_equals(word, TORC_STR("UNKNOWN")) ? TORC_OK : TORC_ERR_SYNTAX;
}

/* ---- version 2 ---- */

static size_t read_u16(const char *bytes) {
    return (size_t)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

/* Step to the next extension; false at the end, or where they are cut short (`*rest` is not
 * empty). */
static bool next_tlv(torc_str *rest, uint8_t *type, torc_str *value) {
    if (rest->len < TLV_HEAD) return false;
    const size_t len = read_u16(rest->bytes + 1);
    if (rest->len - TLV_HEAD < len) return false;
    *type = (uint8_t)rest->bytes[0];
    *value = torc_str_make(rest->bytes + TLV_HEAD, len);
    *rest = torc_str_from(*rest, TLV_HEAD + len);
    return true;
}

static uint32_t crc32c(uint32_t crc, torc_str bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

/* The checksum at a place of the whole header: of all of it, with zeros there. */
static uint32_t checksum_of(torc_str whole, size_t place) {
    uint32_t crc = crc32c(UINT32_MAX, torc_str_head(whole, place));

    crc = crc32c(crc, torc_str_make("\0\0\0\0", 4));
    return ~crc32c(crc, torc_str_from(whole, place + 4));
}

static bool is_checksum_right(torc_str whole, torc_str checksum) {
    uint32_t told = 0;

    if (checksum.len != 4) return false;
    for (size_t i = 0; i < 4; i++) told = told << 8 | (unsigned char)checksum.bytes[i];
    return checksum_of(whole, (size_t)(checksum.bytes - whole.bytes)) == told;
}

static torc_err check_tlvs(torc_str whole, torc_proxy_header *header) {
    torc_str rest = header->tlvs, value;
    uint8_t type;

    while (next_tlv(&rest, &type, &value)) {
        if (type == TORC_PROXY_TLV_CRC32C && !is_checksum_right(whole, value))
            return TORC_ERR_SYNTAX;
        if (type == TORC_PROXY_TLV_SSL && value.len >= 5)
            header->is_secure = (value.bytes[0] & SSL_CLIENT) != 0;
    }
    return rest.len ? TORC_ERR_SYNTAX : TORC_OK;
}

static void read_in(torc_addr *addr, const char *host, const char *port) {
    *addr = (torc_addr){.len = sizeof(addr->as.in)};
    addr->as.in.sin_family = AF_INET;
    memcpy(&addr->as.in.sin_addr, host, 4);
    memcpy(&addr->as.in.sin_port, port, 2);
}

static void read_in6(torc_addr *addr, const char *host, const char *port) {
    *addr = (torc_addr){.len = sizeof(addr->as.in6)};
    addr->as.in6.sin6_family = AF_INET6;
    memcpy(&addr->as.in6.sin6_addr, host, 16);
    memcpy(&addr->as.in6.sin6_port, port, 2);
}

/* A path ends at its first NUL; an abstract name at the last byte that is none. */
static void read_unix(torc_addr *addr, const char *path) {
    size_t len = UNIX_PATH;

    if (path[0]) {
        len = strnlen(path, UNIX_PATH - 1);
    } else {
        while (len > 0 && !path[len - 1]) len--;
    }
    *addr = (torc_addr){
        .len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] ? 1 : 0))};
    addr->as.un.sun_family = AF_UNIX;
    memcpy(addr->as.un.sun_path, path, len);
}

/* Read what a connection of this family has in front of its TLVs; how long that is. */
static torc_err read_addrs(torc_str body, uint8_t family, torc_proxy_header *header, size_t *len) {
    static const size_t lens[] = {0, 12, 36, 2 * UNIX_PATH};
    const char *bytes = body.bytes;

    if (family >> 4 >= (int)TORC_COUNT_OF(lens) || (family & 15) > 2) return TORC_ERR_SYNTAX;
    *len = lens[family >> 4];
    if (body.len < *len) return TORC_ERR_SYNTAX;
    switch (family >> 4) {
    case 1:
        read_in(&header->source, bytes, bytes + 8);
        read_in(&header->destination, bytes + 4, bytes + 10);
        break;
    case 2:
        read_in6(&header->source, bytes, bytes + 32);
        read_in6(&header->destination, bytes + 16, bytes + 34);
        break;
    case 3:
        read_unix(&header->source, bytes);
        read_unix(&header->destination, bytes + UNIX_PATH);
        break;
    default:
        header->is_local = true;
    }
    return TORC_OK;
}

static torc_err parse_v2_body(torc_str whole, torc_proxy_header *header) {
    const torc_str body = torc_str_from(whole, V2_HEAD);
    const uint8_t command = (uint8_t)(whole.bytes[12] & 15);
    size_t addrs;

    *header = (torc_proxy_header){.version = 2};
    if (command == 0) { /* LOCAL: whatever follows is of no interest */
        header->is_local = true;
        return TORC_OK;
    }
    const torc_err err = read_addrs(body, (uint8_t)whole.bytes[13], header, &addrs);
    if (err) return err;
    header->tlvs = torc_str_from(body, addrs);
    return check_tlvs(whole, header);
}

static torc_err parse_v2(torc_str bytes, torc_proxy_header *header, size_t *len) {
    if (!may_become(bytes, torc_str_make(signature, sizeof(signature)))) return TORC_ERR_SYNTAX;
    if (bytes.len > 12 && (bytes.bytes[12] & 0xfe) != 0x20) return TORC_ERR_SYNTAX;
    if (bytes.len < V2_HEAD) return TORC_ERR_AGAIN;
    *len = V2_HEAD + read_u16(bytes.bytes + 14);
    if (bytes.len < *len) return TORC_ERR_AGAIN;
    return parse_v2_body(torc_str_head(bytes, *len), header);
}

torc_err torc_proxy_header_parse(torc_str bytes, torc_proxy_header *header, size_t *len) {
    torc_proxy_header parsed = {0};
    size_t parsed_len = 0;

    if (bytes.len == 0) return TORC_ERR_AGAIN;
    const torc_err err = bytes.bytes[0] == 'P' ? parse_v1(bytes, &parsed, &parsed_len)
                                               : parse_v2(bytes, &parsed, &parsed_len);
    if (err) return err;
    *header = parsed;
    *len = parsed_len;
    return TORC_OK;
}

bool torc_proxy_header_tlv(const torc_proxy_header *header, uint8_t type, torc_str *value) {
    torc_str rest = header->tlvs, found;
    uint8_t found_type;

    while (next_tlv(&rest, &found_type, &found))
        if (found_type == type) {
            *value = found;
            return true;
        }
    return false;
}

/* ---- writing ---- */

/* The family of both ends; AF_UNSPEC: none, or the header speaks for itself. */
static torc_err family_of(const torc_proxy_header *header, int *family) {
    *family = header->is_local ? AF_UNSPEC : torc_addr_family(&header->source);
    if (*family != AF_UNSPEC && torc_addr_family(&header->destination) != *family)
        return TORC_ERR_INVALID;
    return TORC_OK;
}

static void format_v1(const torc_proxy_header *header, int family, torc_buf *bytes) {
    char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], line[TORC_PROXY_V1_MAX + 1];
    const torc_addr *from = &header->source, *to = &header->destination;

    if (family != AF_INET && family != AF_INET6) {
        torc_buf_add(bytes, TORC_STR("PROXY UNKNOWN\r\n"));
        return;
    }
    const bool is_v4 = family == AF_INET;
    inet_ntop(family, is_v4 ? (const void *)&from->as.in.sin_addr : &from->as.in6.sin6_addr, source,
              sizeof(source));
    inet_ntop(family, is_v4 ? (const void *)&to->as.in.sin_addr : &to->as.in6.sin6_addr,
              destination, sizeof(destination));
    const int len =
        snprintf(line, sizeof(line), "PROXY %s %s %s %u %u\r\n", is_v4 ? "TCP4" : "TCP6", source,
                 destination, torc_addr_port(from), torc_addr_port(to));
    torc_buf_add(bytes, torc_str_make(line, (size_t)len));
}

static void add_bytes(torc_buf *buf, const void *bytes, size_t len) {
    torc_buf_add(buf, torc_str_make(bytes, len));
}

static void add_unix(torc_buf *bytes, const torc_addr *addr) {
    char path[UNIX_PATH] = {0};
    const size_t head = offsetof(struct sockaddr_un, sun_path);

    if (addr->len > head) memcpy(path, addr->as.un.sun_path, addr->len - head);
    add_bytes(bytes, path, sizeof(path));
}

static size_t addrs_len(int family) {
    return family == AF_INET ? 12 : family == AF_INET6 ? 36 : family == AF_UNIX ? 2 * UNIX_PATH : 0;
}

static void add_addrs(const torc_proxy_header *header, int family, torc_buf *bytes) {
    const torc_addr *from = &header->source, *to = &header->destination;

    if (family == AF_INET) {
        add_bytes(bytes, &from->as.in.sin_addr, 4);
        add_bytes(bytes, &to->as.in.sin_addr, 4);
        add_bytes(bytes, &from->as.in.sin_port, 2);
        add_bytes(bytes, &to->as.in.sin_port, 2);
    } else if (family == AF_INET6) {
        add_bytes(bytes, &from->as.in6.sin6_addr, 16);
        add_bytes(bytes, &to->as.in6.sin6_addr, 16);
        add_bytes(bytes, &from->as.in6.sin6_port, 2);
        add_bytes(bytes, &to->as.in6.sin6_port, 2);
    } else if (family == AF_UNIX) {
        add_unix(bytes, from);
        add_unix(bytes, to);
    }
}

/* A checksum among the TLVs is made anew: it was that of another header. */
static void put_checksum(const torc_proxy_header *header, torc_buf *bytes, size_t start) {
    torc_str old;

    if (torc_buf_err(bytes) || !torc_proxy_header_tlv(header, TORC_PROXY_TLV_CRC32C, &old) ||
        old.len != 4)
        return;
    const torc_str whole = torc_str_from(torc_buf_str(bytes), start);
    const size_t place = whole.len - header->tlvs.len + (size_t)(old.bytes - header->tlvs.bytes);
    const uint32_t sum = checksum_of(whole, place);
    for (size_t i = 0; i < 4; i++)
        bytes->bytes[start + place + i] = (char)(sum >> (24 - 8 * i) & 255);
}

static torc_err format_v2(const torc_proxy_header *header, int family, torc_buf *bytes) {
    const char kind = family == AF_INET    ? 0x11
                      : family == AF_INET6 ? 0x21
                      : family == AF_UNIX  ? 0x31
                                           : 0;
    const size_t len = addrs_len(family) + header->tlvs.len;
    /* What LOCAL has behind it nobody reads: with something to tell it is one of no family. */
    const bool is_local = header->is_local && header->tlvs.len == 0;

    const size_t start = bytes->len;

    if (len > V2_LEN_MAX) return TORC_ERR_INVALID;
    torc_buf_add(bytes, torc_str_make(signature, sizeof(signature)));
    torc_buf_add_byte(bytes, is_local ? 0x20 : 0x21);
    torc_buf_add_byte(bytes, kind);
    torc_buf_add_byte(bytes, (char)(len >> 8));
    torc_buf_add_byte(bytes, (char)(len & 255));
    add_addrs(header, family, bytes);
    torc_buf_add(bytes, header->tlvs);
    put_checksum(header, bytes, start);
    return TORC_OK;
}

torc_err torc_proxy_header_format(const torc_proxy_header *header, torc_buf *bytes) {
    int family;
    torc_err err = family_of(header, &family);

    if (err) return err;
    if (header->version == 1)
        format_v1(header, family, bytes);
    else
        err = format_v2(header, family, bytes);
    return err ? err : torc_buf_err(bytes);
}
