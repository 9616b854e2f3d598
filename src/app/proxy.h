/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_PROXY_H
#define TORC_APP_PROXY_H

#include <torc/app.h>
#include <torc/filter.h>

/* Put the stage on top that takes PROXY headers, if the endpoint of a row has them (`haproxy:`).
 * Its ranges were read when the program started. */
torc_err torc_app_proxy_add_filter(const torc_app *app, size_t row,
                                   torc_filters *filters) TORC_MUST_CHECK;

#endif
