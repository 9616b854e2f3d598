/* SPDX-License-Identifier: MIT */
#ifndef TORC_TRANSPORT_CONNECT_H
#define TORC_TRANSPORT_CONNECT_H

#include <torc/connect.h>

#include "base/list.h"

struct torc_connecting;

/*
 * A hold on a connection that was made by torc_connect(). There may be several of one; each is
 * freed by its holder.
 */
struct torc_connection {
    torc_reactor *reactor;
    torc_list_node node;        /* among those of the connection; in no list once it is lost */
    struct torc_connecting *by; /* NULL once the connection is lost, or before it is made */
    torc_protocol *protocol;
    bool is_lent; /* the connection is another's: to drop this is not to abort it */
    /* The connection is lost: told to who has set it, when the protocol has been told. */
    void (*lost)(torc_connection *connection, torc_err reason);
    void *context; /* of who has set `lost` */
};

/* Another hold on the same connection, which is lent; NULL: there is no memory, or it is lost. */
torc_connection *torc_connection_lend(torc_connection *connection);
/* Let go of a hold, and leave the connection as it is. NULL is fine. */
void torc_connection_release(torc_connection *connection);

#endif
