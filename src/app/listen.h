/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_LISTEN_H
#define TORC_APP_LISTEN_H

#include <torc/site.h>

/* Stop accepting, close the idle connections and let the busy ones end with their requests. */
void torc_listener_drain(torc_listener *listener);

#endif
