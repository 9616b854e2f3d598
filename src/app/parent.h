/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_PARENT_H
#define TORC_APP_PARENT_H

#include "app/app.h"

/* Serve by workers, one for each slot of the sockets, until a signal ends it. False: it could not,
 * as was said. */
bool torc_parent_run(torc_app *app);

#endif
