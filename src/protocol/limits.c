/* SPDX-License-Identifier: MIT */
/*
 * The limits' defaults, and how narrower scopes inherit.
 *
 *  - Every member but `size` is listed once, with its default; a member that is missing here is
 *    found by the test, which looks for zeros.
 */
#include <string.h>
#include <torc/limits.h>

#include "base/options.h"

/* X(member, default) */
#define LIMITS(X)                                                                                  \
    X(request_line_bytes_max, 16384)                                                               \
    X(section_bytes_max, 16384)                                                                    \
    X(fields_max, 500)                                                                             \
    X(chunk_line_bytes_max, 1023)                                                                  \
    X(trailers_bytes_max, 65536)                                                                   \
    X(body_bytes_max, 1024 * 1024)                                                                 \
    X(body_memory_max, 64 * 1024)                                                                  \
    X(form_parts_max, 1000)                                                                        \
    X(form_files_max, 100)                                                                         \
    X(form_part_head_bytes_max, 8192)                                                              \
    X(form_part_fields_max, 16)                                                                    \
    X(form_name_bytes_max, 1024)                                                                   \
    X(form_value_bytes_max, 1024 * 1024)                                                           \
    X(form_values_bytes_max, 1024 * 1024)                                                          \
    X(form_file_bytes_max, TORC_UNLIMITED_BYTES)                                                   \
    X(keep_alive_ms, 60000)                                                                        \
    X(header_ms, 10000)                                                                            \
    X(body_stall_ms, 30000)                                                                        \
    X(body_rate_min, 240)                                                                          \
    X(body_ms, TORC_UNLIMITED)                                                                     \
    X(output_stall_ms, 30000)                                                                      \
    X(output_rate_min, 240)                                                                        \
    X(rate_grace_ms, 5000)                                                                         \
    X(half_close_ms, 5000)                                                                         \
    X(linger_ms, 2000)                                                                             \
    X(answer_ms, TORC_UNLIMITED)                                                                   \
    X(drain_ms, 30000)                                                                             \
    X(requests_per_connection_max, 100000)                                                         \
    X(requests_per_turn_max, 64)                                                                   \
    X(output_bytes_max, 1024 * 1024)                                                               \
    X(output_high_bytes, 64 * 1024)                                                                \
    X(drain_bytes_max, 256 * 1024)                                                                 \
    X(request_memory_max, 1024 * 1024)                                                             \
    X(connections_max, 65536)                                                                      \
    X(connections_per_address_max, TORC_UNLIMITED)                                                 \
    X(fibers_max, 8192)                                                                            \
    X(memory_max, UINT64_C(1024) * 1024 * 1024)

torc_limits torc_limits_default(void) {
    torc_limits limits = {.size = sizeof(limits)};

#define SET_DEFAULT(member, value) limits.member = (value);
    LIMITS(SET_DEFAULT)
#undef SET_DEFAULT
    return limits;
}

/* What the caller's struct has; a longer one, of a newer library, is read as far as this one knows.
 */
static torc_limits read_known(const torc_limits *given) {
    torc_limits limits = {.size = sizeof(limits)};

    TORC_OPTIONS_READ(&limits, given);
    return limits;
}

torc_limits torc_limits_inherit(const torc_limits *narrow, const torc_limits *wide) {
    torc_limits limits = read_known(narrow);
    const torc_limits from = read_known(wide);

#define FILL(member, value)                                                                        \
    if (!limits.member) limits.member = from.member;
    LIMITS(FILL)
#undef FILL
    limits.size = sizeof(limits);
    return limits;
}
