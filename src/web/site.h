/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_SITE_H
#define TORC_WEB_SITE_H

#include <torc/request.h>

/* Write the body of an error page, with its type and length; the status is set by the caller. */
void torc_error_page_write(torc_request *request, int status, torc_str brief, torc_str detail);

#endif
