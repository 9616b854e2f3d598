/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_PASSAGE_H
#define TORC_WEB_PASSAGE_H

#include "web/walk.h"

/*
 * The way of a request through the middlewares between the root of a walk and its end.
 */

/* Let the request pass, on a fiber of its own if need be, and answer at the end. */
void torc_passage_begin(const torc_walk *walk);

/* Let whom a walk has found answer, or reply that nobody does. Of site.c. */
torc_render torc_walk_answer(const torc_walk_end *end);
/* Whether that takes a fiber. */
bool torc_walk_needs_fiber(const torc_walk_end *end);

#endif
