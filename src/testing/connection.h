/* SPDX-License-Identifier: MIT */
#ifndef TORC_TESTING_CONNECTION_H
#define TORC_TESTING_CONNECTION_H

#include <torc/testing_transport.h>

#include "transport/filter.h"

/* Put any filter between the connection and its protocol. Before the first turn; it may be
 * repeated. */
void torc_test_connection_stack(torc_test_connection *connection, torc_filter *filter);

#endif
