/* SPDX-License-Identifier: MIT */
#ifndef TORC_PROXY_HEADER_H
#define TORC_PROXY_HEADER_H

#include <torc/buf.h>
#include <torc/cidr.h>
#include <torc/filter.h>
#include <torc/link_info.h>

/**
 * The PROXY protocol, versions 1 and 2: what a proxy that passes bytes on says in front of them of
 * the connection that it has taken (haproxy's proxy-protocol.txt).
 *
 * A listener behind such a proxy has a filter that takes the header; then the peer of a transport
 * or request is the proxy's client. A client that stands in a proxy's place has one that sends it.
 */

/** The types of extensions (TLVs) that are in use. */
enum {
    TORC_PROXY_TLV_ALPN = 0x01,
    TORC_PROXY_TLV_AUTHORITY = 0x02, /* the server's name that the client asked for */
    TORC_PROXY_TLV_CRC32C = 0x03,    /* of the header, checked when it is there */
    TORC_PROXY_TLV_NOOP = 0x04,
    TORC_PROXY_TLV_UNIQUE_ID = 0x05,
    TORC_PROXY_TLV_SSL = 0x20,
    TORC_PROXY_TLV_NETNS = 0x30
};

enum {
    TORC_PROXY_V1_MAX = 107 /* bytes, with the line end */
};

/** A header; a value, whose `tlvs` are lent. */
struct torc_proxy_header {
    uint8_t version; /* 1 or 2 */
    /*
     * The proxy speaks for itself (LOCAL: a health check, mostly), or does not know for whom
     * (UNKNOWN): the connection's own addresses are those that count, and these are none.
     */
    bool is_local;
    bool is_secure; /* the client's connection to the proxy was one of TLS (TORC_PROXY_TLV_SSL) */
    torc_addr source, destination;
    torc_str tlvs; /* as they came; version 2 only */
};

/** How headers are taken. `size` first; zero means the default. */
typedef struct torc_proxy_header_options {
    size_t size;               /* sizeof(torc_proxy_header_options) */
    uint32_t header_ms;        /* until the header must have come, 5000; then the connection ends */
    uint32_t header_bytes_max; /* 4096, at most 65551 */
    /* Who may send one; a connection of anybody else is aborted. Copied. NULL: everybody who can
     * connect, so that must be the proxy alone. */
    const torc_cidr *trusted;
    size_t trusted_count;
} torc_proxy_header_options;

TORC_BEGIN_DECLS

/**
 * Read a header at the beginning of `bytes`; `*len` is its length. TORC_ERR_AGAIN: so far it may be
 * one; TORC_ERR_SYNTAX: it is none. The TLVs of a header stay in `bytes`.
 */
TORC_API torc_err torc_proxy_header_parse(torc_str bytes, torc_proxy_header *header,
                                          size_t *len) TORC_MUST_CHECK;
/**
 * Append a header, as one of its version. Version 1 has nothing but addresses of IP: others are
 * UNKNOWN there. A checksum among the TLVs is made anew. TORC_ERR_INVALID: the two addresses are of
 * different kinds, or the TLVs too long.
 */
TORC_API torc_err torc_proxy_header_format(const torc_proxy_header *header,
                                           torc_buf *bytes) TORC_MUST_CHECK;
/** Find an extension. False: it is not there. */
TORC_API bool torc_proxy_header_tlv(const torc_proxy_header *header, uint8_t type, torc_str *value);

/**
 * Make a filter for listeners that takes the header, which must be there, from each connection.
 * What stands above is made when it has come. `options` may be NULL. Refused connections are logged
 * (namespace "transport.proxy"), the first of a minute and then how many.
 */
TORC_API torc_err torc_proxy_header_filter_new(torc_reactor *reactor,
                                               const torc_proxy_header_options *options,
                                               torc_filter_factory **factory) TORC_MUST_CHECK;
/**
 * Make a filter for clients that sends a header first. It is copied; NULL: one of version 2 that
 * says LOCAL.
 */
TORC_API torc_err torc_proxy_header_sender_new(torc_reactor *reactor,
                                               const torc_proxy_header *header,
                                               torc_filter_factory **factory) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
