/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_VARY_H
#define TORC_WEB_VARY_H

#include <torc/reply.h>

/* The response depends on these fields of the request, a list: say so in Vary, once for each. */
void torc_response_vary(torc_request *request, torc_str names);

#endif
