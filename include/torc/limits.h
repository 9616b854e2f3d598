/* SPDX-License-Identifier: MIT */
#ifndef TORC_LIMITS_H
#define TORC_LIMITS_H

#include <torc/types.h>

/**
 * Limits: how much of everything that comes from outside is taken, on by default.
 *
 * One struct for all scopes: the process or listener, the site, and the route. In each, a member
 * that is 0 inherits from the wider scope, and TORC_UNLIMITED lifts the limit; the widest inherits
 * the defaults, which torc_limits_default() shows. Times are in milliseconds, sizes in bytes, rates
 * in bytes a second.
 */
#define TORC_UNLIMITED UINT32_MAX
#define TORC_UNLIMITED_BYTES UINT64_MAX

/* clang-format off */
struct torc_limits {
    size_t size; /* sizeof(torc_limits): new members do not break the ABI */

    /* What a request may be. Scope: listener. */
    uint32_t request_line_bytes_max; /* 16384; beyond: 414. Longer URLs do not survive the web's proxies */
    uint32_t section_bytes_max;      /* 16384, request line and field lines without CRLF; beyond: 431 */
    uint32_t fields_max;             /* 500 field lines; beyond: 431 */
    uint32_t chunk_line_bytes_max;   /* 1023, a chunk's size line with its extensions; beyond: 400 */
    uint32_t trailers_bytes_max;     /* 65536; beyond: 431 */
    /* Scope: route. */
    uint64_t body_bytes_max;         /* 1 MiB; beyond: 413. What forms and JSON need; uploads raise it */
    uint32_t body_memory_max;        /* 64 KiB of a whole body in memory, then it is spooled to a file */
    uint32_t form_parts_max;         /* 1000 fields and files of a form; beyond: 413 */
    uint32_t form_files_max;         /* 100 of them files: each may be an open one; beyond: 413 */
    uint32_t form_part_head_bytes_max; /* 8192, the head of a part of multipart; beyond: 413 */
    uint32_t form_part_fields_max;   /* 16 field lines in it; beyond: 413 */
    uint32_t form_name_bytes_max;    /* 1024, a field's name, decoded; beyond: 413 */
    uint32_t form_value_bytes_max;   /* 1 MiB of a field that is no file, decoded; beyond: 413 */
    uint32_t form_values_bytes_max;  /* 1 MiB of names and such fields of a whole form; beyond: 413 */
    uint64_t form_file_bytes_max;    /* none: a file; beyond: 413. body_bytes_max holds for all */

    /* How slow a peer may be. Scope: listener, but where said otherwise. */
    uint32_t keep_alive_ms;          /* 60000 without a request; then closed silently */
    uint32_t header_ms;              /* 10000 from the first byte of a head to its last; then 408 */
    uint32_t body_stall_ms;          /* 30000 without a byte of a body that is being read; then 408. Route */
    uint32_t body_rate_min;          /* 240 over rate_grace_ms and longer; then 408. Route */
    uint32_t body_ms;                /* none: from when a body is first read to its last byte; then 408. Route */
    uint32_t output_stall_ms;        /* 30000 without a byte taken by the peer; then reset */
    uint32_t output_rate_min;        /* 240 over rate_grace_ms and longer; then reset */
    uint32_t rate_grace_ms;          /* 5000 before a minimum rate counts */
    uint32_t half_close_ms;          /* 5000 for the answers after the peer's FIN */
    uint32_t linger_ms;              /* 2000 to read and drop what comes after an error reply */
    uint32_t answer_ms;              /* none: from the head on: a fiber's waits end with TORC_ERR_TIMEOUT, else 504. Route */
    uint32_t drain_ms;               /* 30000 for what is in progress when the server stops */

    /* How much of the server one peer may take. Scope: listener. */
    uint32_t requests_per_connection_max; /* 100000; then `Connection: close` */
    uint32_t requests_per_turn_max;       /* 64 answered for one connection in a turn; then the next turn */
    uint32_t output_bytes_max;            /* 1 MiB unsent and not paused for, then the response is aborted */
    uint32_t output_high_bytes;           /* 64 KiB unsent: the application is paused until it is half of it */
    uint32_t drain_bytes_max;             /* 256 KiB of an unread body dropped to keep the connection */
    uint32_t request_memory_max;          /* 1 MiB of a request's arena */
    uint32_t connections_max;             /* 65536 of a listener; beyond: 503 and closed */
    uint32_t connections_per_address_max; /* none: behind a balancer all peers share one. IPv6 by /64 */

    /* How much of the machine the process may take. Scope: process. */
    uint32_t fibers_max;             /* 8192 routes in progress; beyond: 503 */
    uint64_t memory_max;             /* 1 GiB; see docs/design/limits.md for what is shed, in which order */
};
/* clang-format on */

TORC_BEGIN_DECLS

/** The defaults: no member is 0. */
TORC_API torc_limits torc_limits_default(void);
/** `narrow`, its zeros filled from `wide`. `narrow` may be NULL. */
TORC_API torc_limits torc_limits_inherit(const torc_limits *narrow, const torc_limits *wide);

TORC_END_DECLS

#endif
