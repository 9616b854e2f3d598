/* SPDX-License-Identifier: MIT */
#ifndef TORC_NAMES_H
#define TORC_NAMES_H

#include <torc/addr.h>
#include <torc/deferred.h>

/**
 * Names: the addresses of a host, without holding the reactor.
 *
 * What a name is asked for is the system's resolver (getaddrinfo: /etc/hosts, DNS, whatever
 * nsswitch.conf says), on the threads of TORC_THREAD_NAME; or a torc_resolver that takes its place.
 * Who asks for a name that is being asked for waits for the same answer; answers are kept for a
 * while, within a bound, and that there is no such name for a shorter while.
 *
 * Numeric addresses (with a scope: "fe80::1%eth0"), "localhost" and all below ".localhost" (RFC
 * 6761 §6.3: ::1 and 127.0.0.1) need neither thread nor resolver. A text that cannot be a name
 * fails with TORC_ERR_SYNTAX: labels are of 1 to 63 printable ASCII letters, 253 in all (others are
 * given in their form of "xn--"), and the last one is no number, lest "127.1" or "0x7f.1" be taken
 * for addresses.
 *
 * Failures: TORC_ERR_NOT_FOUND, there is no such name, or it has no address; TORC_ERR_AGAIN, the
 * servers of names cannot be reached or fail for now; TORC_ERR_TIMEOUT, they took too long;
 * TORC_ERR_BUSY, too many names are being asked for; TORC_ERR_SYSTEM, they will not answer.
 * torc_resolve_err_text() has a sentence for each.
 */

/** Addresses of one host, in the order in which to try them (RFC 6724). */
typedef struct torc_addr_list {
    size_t count; /* at least 1 */
    torc_addr *addrs;
    uint32_t keep_ms;    /* of a resolver's answer: how long it may be kept; 0: not at all */
    torc_memory *memory; /* private */
} torc_addr_list;

/**
 * What answers for names. `resolve` answers a deferred, which fires with a torc_addr_list (its
 * ports are of no account), or fails, with TORC_ERR_NOT_FOUND if there is no such name. `host` is
 * in lower case, without a dot at its end, and lives until then. It is cancelled when nobody waits
 * for it any more.
 */
typedef struct torc_resolver torc_resolver;
typedef torc_deferred *torc_resolve_fn(torc_resolver *resolver, torc_reactor *reactor,
                                       const char *host);
struct torc_resolver {
    torc_resolve_fn *resolve;
};

/** How a reactor asks for names. `size` first; zero means the default. */
typedef struct torc_names_options {
    size_t size;          /* sizeof(torc_names_options) */
    uint32_t timeout_ms;  /* 15000 until who asks is told TORC_ERR_TIMEOUT */
    uint32_t keep_ms;     /* 30000, at most, that an answer is kept: the system's tells no time */
    uint32_t negative_ms; /* 3000 that it is known that there is no such name */
    uint32_t entries_max; /* 512 answers kept; the one that was used longest ago goes first */
    uint32_t asked_max;   /* 1024 names asked for at a time; then TORC_ERR_BUSY */
    bool keeps_nothing;   /* every name is asked for anew */
} torc_names_options;

TORC_BEGIN_DECLS

/**
 * The addresses of `host`, each with `port`: fires with a torc_addr_list, which the consumer frees
 * (its dispose function is torc_addr_list_free()). `host` is copied. Cancelling leaves others that
 * wait for the same name alone.
 */
TORC_API torc_deferred *torc_resolve(torc_reactor *reactor, const char *host, uint16_t port);
/** On a fiber: the same, waiting for it. `*list` is the caller's. */
TORC_API torc_err torc_resolve_await(torc_reactor *reactor, const char *host, uint16_t port,
                                     torc_addr_list **list) TORC_MUST_CHECK;
/** What a failure means for a name, as a sentence part for people. Static; never NULL. */
TORC_API const char *torc_resolve_err_text(torc_err err);

/** Make a list of copies, for an answer; `count` at least 1. NULL when out of memory. */
TORC_API torc_addr_list *torc_addr_list_new(torc_reactor *reactor, const torc_addr *addrs,
                                            size_t count);
/** Free a list. Takes a torc_addr_list *, and so disposes of a deferred's value. NULL is fine. */
TORC_API void torc_addr_list_free(void *list);
/**
 * Let the families alternate, beginning with the first one's, each in its order: what to try one
 * after another so that a family that does not work costs little (RFC 8305 §4).
 */
TORC_API void torc_addr_list_interleave(torc_addr_list *list);

/** Set how names are asked for from now on; what was kept is forgotten. TORC_ERR_NO_MEMORY. */
TORC_API torc_err torc_names_configure(torc_reactor *reactor,
                                       const torc_names_options *options) TORC_MUST_CHECK;
/**
 * Ask another resolver from now on, which must outlive the reactor or be taken back by NULL (the
 * system's) when it has no name in hand; what was kept is forgotten. TORC_ERR_NO_MEMORY.
 */
TORC_API torc_err torc_names_set_resolver(torc_reactor *reactor,
                                          torc_resolver *resolver) TORC_MUST_CHECK;
/** Forget what was kept. */
TORC_API void torc_names_forget(torc_reactor *reactor);

TORC_END_DECLS

#endif
