/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_TLS_TICKETS_H
#define TORC_TRANSPORT_TLS_TICKETS_H

#include <torc/tls.h>

/* A copy of one key, in words as it is shared: name, key of AES, key of HMAC, time. */
typedef struct torc_tls_ticket_key {
    uint64_t words[TORC_TLS_TICKET_KEY_WORDS];
} torc_tls_ticket_key;

static inline unsigned char *torc_tls_ticket_name(torc_tls_ticket_key *key) {
    return (unsigned char *)&key->words[0];
}
static inline unsigned char *torc_tls_ticket_aes(torc_tls_ticket_key *key) {
    return (unsigned char *)&key->words[2];
}
static inline unsigned char *torc_tls_ticket_hmac(torc_tls_ticket_key *key) {
    return (unsigned char *)&key->words[6];
}

/* The newest key, made anew if it is too old. */
torc_err torc_tls_ticket_keys_newest(torc_tls_ticket_keys *keys, int64_t now_s,
                                     torc_tls_ticket_key *key) TORC_MUST_CHECK;
/* The key of this name; `*is_newest`, whether it is the newest and young. False: there is none. */
bool torc_tls_ticket_keys_find(torc_tls_ticket_keys *keys, const unsigned char name[16],
                               int64_t now_s, torc_tls_ticket_key *key, bool *is_newest);

#endif
