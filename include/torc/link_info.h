/* SPDX-License-Identifier: MIT */
#ifndef TORC_LINK_INFO_H
#define TORC_LINK_INFO_H

#include <torc/addr.h>

/**
 * What is known of a connection: its two ends, what TLS has agreed, and what a proxy in front has
 * told. A value whose pointers live as long as the connection does.
 */

/** What a TLS connection has agreed. Texts are empty where there is nothing. */
typedef struct torc_tls_session {
    torc_str version;          /* "TLSv1.3" */
    torc_str cipher;           /* "TLS_AES_256_GCM_SHA384" */
    torc_str server_name;      /* whom the client asked for (SNI), in small letters, without the
                                  last dot */
    torc_str protocol;         /* chosen by ALPN: "http/1.1" */
    torc_str peer_name;        /* of the peer's certificate, if that was verified */
    torc_str peer_certificate; /* in DER, if it was verified */
    torc_str failure;          /* why it failed, for people: for connection_lost */
    bool is_resumed;
} torc_tls_session;

/** See <torc/proxy_header.h>. */
typedef struct torc_proxy_header torc_proxy_header;

typedef struct torc_link_info {
    torc_addr peer, host;
    bool is_secure;                 /* by TLS here, or by what a trusted proxy in front told */
    const torc_tls_session *tls;    /* NULL: not on this connection */
    const torc_proxy_header *proxy; /* what came in front of the bytes; NULL: nothing did */
} torc_link_info;

#endif
