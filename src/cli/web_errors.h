/* SPDX-License-Identifier: MIT */
#ifndef TORC_CLI_WEB_ERRORS_H
#define TORC_CLI_WEB_ERRORS_H

#include <torc/torc.h>

/*
 * The option of torc web by which errors have pages of their own.
 */
void torc_web_errors_add_option(torc_app *app);
/* From the app's start: read the pages, and put them around its root. */
void torc_web_errors_put(torc_app *app);

#endif
