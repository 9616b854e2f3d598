/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_OPENAPI_H
#define TORC_WEB_OPENAPI_H

#include <torc/openapi.h>

/* What the first torc_openapi_new() of a tree was given; NULL: there is none. */
const torc_openapi_info *torc_openapi_find_info(const torc_resource *root);

#endif
