/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_REWRITE_H
#define TORC_WEB_REWRITE_H

#include <torc/rewrite.h>

/*
 * The rules of a resource.
 */
typedef struct torc_rewrites torc_rewrites;

/*
 * Apply the rules to a request that has come to their resource. `*redirect`, when it is not NULL,
 * is a temporary resource which answers. Errors: of memory, and those of functions.
 */
torc_err torc_rewrites_apply(const torc_rewrites *rewrites, torc_request *request,
                             torc_resource **redirect) TORC_MUST_CHECK;
/* NULL is fine. */
void torc_rewrites_dispose(torc_rewrites *rewrites);

#endif
