/* SPDX-License-Identifier: MIT */
#ifndef TORC_DEFERRED_RESOURCE_H
#define TORC_DEFERRED_RESOURCE_H

#include <torc/deferred.h>
#include <torc/resource.h>

/**
 * Resources that are not known yet: a deferred stands for one.
 *
 * The resource answers for all paths beneath it: each request waits until the deferred has fired,
 * and goes on from the resource that is its value, with the segments that are left. Any number may
 * wait. Also what find_child answers when it has to ask somebody first: mark the resource as
 * temporary then.
 */
TORC_BEGIN_DECLS

/**
 * Make one; takes the deferred, also when that fails (NULL: out of memory). Its value is a
 * `torc_resource *`, which is taken too and disposed of with this one (so give it none to dispose
 * of it); NULL is a 404. A failure, or a tree that was marked as broken, is told to the log and to
 * every request by a 500.
 */
TORC_API torc_resource *torc_deferred_resource_new(torc_reactor *reactor, torc_deferred *deferred);

TORC_END_DECLS

#endif
