/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_PASSAGE_H
#define TORC_WEB_PASSAGE_H

#include "web/walk.h"

/*
 * The way of a request through the middlewares between the root of a walk and its end.
 */

/* Let the request pass, on a fiber of its own if need be, and answer at the end. */
void torc_passage_begin(const torc_walk *walk);

/* The function in which a request is on its way through middlewares, or at its end: for people who
 * look for it. NULL: it has none to pass, or it is not known. */
const void *torc_passage_code(const torc_request *request);
/* The same of a walk's end: who renders. */
const void *torc_walk_code(const torc_walk_end *end);
/* Let whom a walk has found answer, or reply that nobody does. Of site.c. */
torc_render torc_walk_answer(const torc_walk_end *end);
/* Whether that takes a fiber. */
bool torc_walk_needs_fiber(const torc_walk_end *end);

/* Who answers a request, for people. */
typedef struct torc_answerer {
    torc_str pattern; /* of a route; empty: it is none */
    const void *code; /* of the function; NULL: nobody is known */
} torc_answerer;
void torc_answerer_of(const torc_request *request, torc_answerer *who);
/* Where the walk of a request that passes middlewares has ended; NULL: it does not. */
const torc_walk_end *torc_passage_end(const torc_request *request);

#endif
