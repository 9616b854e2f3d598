/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_LISTENING_H
#define TORC_TRANSPORT_LISTENING_H

#include <torc/endpoint.h>

/* A socket that listens, before a reactor has it: the caller's, with what belongs to it. */
typedef struct torc_listening {
    int fd;
    int lock_fd; /* of the lock file beside a UNIX socket's; -1: none */
    int family;
} torc_listening;

/*
 * Bind and listen at a resolved endpoint's address. A UNIX socket's file is the caller's to remove.
 * Of an endpoint that is an inherited descriptor this is that descriptor, once it is seen to
 * listen.
 */
torc_err torc_listening_open(const torc_endpoint *endpoint,
                             torc_listening *listening) TORC_MUST_CHECK;
/* Let go of the lock, and remove its file. Fine when there is none. */
void torc_listening_unlock(torc_listening *listening, const torc_endpoint *endpoint);
/*
 * The other address of `localhost`, ::1, at the port that the first was bound to. False: there is
 * none.
 */
bool torc_listening_other(const torc_endpoint *endpoint, const torc_addr *first,
                          torc_endpoint *other);
/* Whether that address cannot be listened on since the machine has no IPv6: then it is not needed.
 */
bool torc_listening_is_without_v6(torc_err err);

#endif
