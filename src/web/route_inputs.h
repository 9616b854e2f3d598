/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_ROUTE_INPUTS_H
#define TORC_WEB_ROUTE_INPUTS_H

#include "web/tree.h"

/* Whether what the route has declared of its inputs holds for a request; false: it has been
 * answered by a 400 that names each that does not. */
bool torc_route_inputs_hold(const torc_route *route, torc_request *request);

#endif
