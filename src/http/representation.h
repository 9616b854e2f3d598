/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_REPRESENTATION_H
#define TORC_HTTP_REPRESENTATION_H

#include <torc/representation.h>

#include "http/request.h"

/*
 * Representations of which more is at hand than torc_reply_representation() asks for, since it was
 * made for many requests. All of it is used during the call only.
 */
typedef struct torc_made_representation {
    const torc_representation *of;
    torc_str last_modified; /* that of the validators as a date's text; empty: it is not known */
    torc_str cache_control; /* empty: none */
    torc_str bytes;         /* the whole, if it is in memory; else `bytes` is NULL */
    /* All fields of a response with the whole, Accept-Ranges too, if they are made; else NULL. */
    const torc_made_fields *fields;
} torc_made_representation;

/* The same reply. What is short goes out in one piece with its head. */
torc_render torc_reply_made(torc_request *request, const torc_made_representation *made);

#endif
