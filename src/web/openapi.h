/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_OPENAPI_H
#define TORC_WEB_OPENAPI_H

#include <torc/openapi.h>

#include "web/route_list.h"

/* torc_openapi_write() for the routes that a query finds. */
torc_err torc_openapi_write_by(const torc_resource *root, const torc_route_query *query,
                               const torc_openapi_info *info, torc_json *json) TORC_MUST_CHECK;
/* Write what the first torc_openapi_new() of a tree, or of its hosts, answers; without any, the
 * document of the tree by this `info`. */
torc_err torc_openapi_write_first(const torc_resource *root, const torc_openapi_info *info,
                                  torc_json *json) TORC_MUST_CHECK;

#endif
