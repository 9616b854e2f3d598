/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_MIDDLEWARE_NEW_H
#define TORC_WEB_MIDDLEWARE_NEW_H

#include <torc/middleware.h>

/*
 * A middleware in place of one whose options are wrong: torc_resource_use() marks the tree with
 * what is wrong, "what: why", so that it is told where a program starts. NULL when out of memory.
 */
torc_middleware *torc_middleware_refused(const char *what, const char *why);
/* What is wrong with one that was made so; NULL: it is another. */
const char *torc_middleware_refusal(const torc_middleware *middleware);
/* What a middleware is called where routes are listed; in brackets if it holds for some requests
 * only. NULL: it has no name. */
const char *torc_middleware_name(const torc_middleware *middleware);

#endif
