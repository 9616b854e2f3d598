/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_SESSIONS_H
#define TORC_TRANSPORT_TLS_SESSIONS_H

#include <openssl/ssl.h>
#include <torc/memory.h>
#include <torc/str.h>

/* The sessions that a client may resume, by who they were made with; for several threads. */
typedef struct torc_tls_sessions torc_tls_sessions;

torc_tls_sessions *torc_tls_sessions_new(void) TORC_MUST_CHECK;
void torc_tls_sessions_free(torc_tls_sessions *sessions);
/* Keep the newest session with somebody; takes a reference of its own if it does. The one that was
 * not used for the longest goes when there are too many. */
void torc_tls_sessions_put(torc_tls_sessions *sessions, torc_str key, SSL_SESSION *session);
/* A session to be resumed, with a reference for the caller; NULL: none. One of TLS 1.3 is given out
 * once only (RFC 8446 §C.4). */
SSL_SESSION *torc_tls_sessions_take(torc_tls_sessions *sessions, torc_str key) TORC_MUST_CHECK;

#endif
