/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_ROUTES_H
#define TORC_APP_ROUTES_H

#include "app/app.h"

/* What --routes shows: a table, or, by its value, "json" or "openapi". */
torc_err torc_app_write_routes(const torc_app *app, torc_buf *text) TORC_MUST_CHECK;

#endif
