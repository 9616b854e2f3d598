/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_HOSTS_H
#define TORC_WEB_HOSTS_H

#include <torc/resource.h>

/*
 * The hosts of a resource: who answers in its place, by the name that the peer addressed.
 */
typedef struct torc_hosts torc_hosts;

/* The resource for the host of a request; NULL: none of them is for it. */
torc_resource *torc_hosts_find(const torc_hosts *hosts, const torc_request *request);
/* Call `each` for every host, in no order. */
void torc_hosts_each(const torc_hosts *hosts,
                     void (*each)(void *context, torc_str name, torc_resource *resource),
                     void *context);
/* Dispose of the hosts and of who answers for them. NULL is fine. */
void torc_hosts_dispose(torc_hosts *hosts);

#endif
