/* SPDX-License-Identifier: MIT */
/*
 * Whether the names of a tree's routes are each that of one.
 *
 *  - Only the whole tree shows it: a group does not know what it is put into. So it is looked at
 *    when somebody asks whether the tree is sound, not with each route.
 */
#include <stdio.h>

#include "base/map.h"
#include "web/route_list.h"

typedef struct names {
    torc_map routes;                  /* by name */
    const torc_route *first, *second; /* of one name; NULL: there are none */
    torc_err err;
} names;

static bool note(void *context, const torc_route_entry *entry) {
    names *self = context;
    torc_route *route = (torc_route *)(uintptr_t)entry->route;
    const torc_str name = torc_str_of(route ? route->options.name : NULL);

    if (name.len == 0) return true;
    self->first = torc_map_find(&self->routes, name);
    if (self->first)
        self->second = route;
    else
        self->err = torc_map_set(&self->routes, name, route);
    return !self->first && !self->err;
}

void torc_routes_check_names(torc_resource *root) {
    names self = {.err = TORC_OK};
    char text[160];

    torc_map_init(&self.routes, NULL, TORC_MEMORY_OTHER, false);
    const torc_err err = torc_routes_list(root, NULL, note, &self);
    (void)err; /* what lies deeper than 64 has no name that anybody finds */
    torc_map_dispose(&self.routes);
    if (self.err) torc_resource_fail(root, self.err, "the names of the routes");
    if (!self.second) return;
    snprintf(text, sizeof(text), "two routes have the name \"%.30s\": \"%.44s\" and \"%.44s\"",
             self.second->options.name, self.first->text, self.second->text);
    torc_resource_fail(root, TORC_ERR_INVALID, text);
}
