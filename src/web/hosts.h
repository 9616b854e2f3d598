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
/* A host as it was put, in small letters; "*" and "*." are the beginnings of what stands for many.
 */
typedef struct torc_host_entry {
    torc_str name;
    torc_resource *resource;
} torc_host_entry;
/* All hosts in the order of their names: an array for torc_dealloc(). NULL without memory. */
torc_host_entry *torc_hosts_sorted(const torc_hosts *hosts, size_t *count);
/* Dispose of the hosts and of who answers for them. NULL is fine. */
void torc_hosts_dispose(torc_hosts *hosts);

#endif
