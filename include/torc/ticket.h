/* SPDX-License-Identifier: MIT */
#ifndef TORC_TICKET_H
#define TORC_TICKET_H

#include <torc/request.h>

/**
 * Tickets: the way to a request for whoever may be too late.
 *
 * A ticket is a value; it stays valid, in any thread, however long the request, its connection and
 * its reactor are gone: then it leads nowhere. Each ticket taken is returned once by
 * torc_ticket_return().
 */
struct torc_ticket {
    struct torc_ticket_slot *slot; /* private; NULL: none */
    uint64_t generation;           /* private */
};

/** What another thread answers with; it becomes the whole response. */
typedef struct torc_answer {
    int status;
    torc_str content_type; /* copied */
    torc_str body;         /* copied */
} torc_answer;

TORC_BEGIN_DECLS

/** Take a ticket for a request. On failure (memory) the ticket leads nowhere. */
TORC_API torc_err torc_ticket_take(torc_request *request, torc_ticket *ticket) TORC_MUST_CHECK;
/** The request, on its reactor's thread; NULL: finished or lost meanwhile. */
TORC_API torc_request *torc_ticket_request(const torc_ticket *ticket);
/**
 * Any thread: answer the request, if it still waits, by a call posted to its reactor. A stale
 * answer is dropped and counted. TORC_ERR_GONE when it is known at once to be too late,
 * TORC_ERR_NO_MEMORY. The ticket is still to be returned.
 */
TORC_API torc_err torc_ticket_answer(const torc_ticket *ticket, const torc_answer *answer);
/** Any thread: the ticket is no longer needed; it becomes `{0}`. */
TORC_API void torc_ticket_return(torc_ticket *ticket);

TORC_END_DECLS

#endif
