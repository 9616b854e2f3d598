/* SPDX-License-Identifier: MIT */
#ifndef TORC_HEAD_H
#define TORC_HEAD_H

#include <torc/fields.h>
#include <torc/target.h>

/**
 * Heads: what stands before the body of a request or response, whatever the version of HTTP.
 *
 * A value; its slices are owned by whoever made it, an arena mostly.
 */
typedef struct torc_head {
    int version; /* 10, 11, 20 */
    torc_fields fields;
    int64_t body_len; /* of a received head: bytes that follow; -1: not known before the end; 0: no
                         body */

    torc_method method; /* of a request */
    torc_str method_text;
    torc_target target;

    int status;      /* of a response; 0: a request's head */
    torc_str reason; /* `.bytes` NULL: the standard phrase */
} torc_head;

#endif
