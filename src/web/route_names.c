/* SPDX-License-Identifier: MIT */
/*
 * Whether the names of a tree's routes are each that of one.
 *
 *  - Only the whole tree shows it: a group does not know what it is put into. So it is looked at
 *    when somebody asks whether the tree is sound, not with each route.
 *  - Each host has names of its own: they are kept with the address of its resource in front.
 */
#include <stdio.h>
#include <torc/arena.h>

#include "base/map.h"
#include "web/route_list.h"

enum {
    NAMES_BYTES_MAX = 64 * 1024 * 1024
};

typedef struct names {
    torc_map routes;                  /* by host and name */
    torc_arena *arena;                /* of these */
    const torc_route *first, *second; /* of one name; NULL: there are none */
    torc_err err;
} names;

/* NULL without memory. */
static torc_str key_of(names *self, const torc_route_entry *entry, torc_str name) {
    const torc_resource *host;

    (void)torc_route_entry_host(entry, &host);
    char *bytes = torc_arena_bytes(self->arena, sizeof(host) + name.len);
    if (!bytes) return torc_str_make(NULL, 0);
    memcpy(bytes, &host, sizeof(host));
    memcpy(bytes + sizeof(host), name.bytes, name.len);
    return torc_str_make(bytes, sizeof(host) + name.len);
}

static bool note(void *context, const torc_route_entry *entry) {
    names *self = context;
    torc_route *route = (torc_route *)(uintptr_t)entry->route;
    const torc_str name = torc_str_of(route ? route->options.name : NULL);

    if (name.len == 0) return true;
    const torc_str key = key_of(self, entry, name);
    self->first = key.bytes ? torc_map_find(&self->routes, key) : NULL;
    if (self->first)
        self->second = route;
    else
        self->err = key.bytes ? torc_map_set(&self->routes, key, route) : TORC_ERR_NO_MEMORY;
    return !self->first && !self->err;
}

static void look_at_all(names *self, const torc_resource *root) {
    torc_map_init(&self->routes, NULL, TORC_MEMORY_OTHER, false);
    const torc_err err = torc_routes_list(root, &(torc_route_query){.has_hosts = true}, note, self);
    if (err == TORC_ERR_NO_MEMORY) self->err = err; /* deeper than 64 nobody finds a name */
    torc_map_dispose(&self->routes);
}

void torc_routes_check_names(torc_resource *root) {
    names self = {.arena = torc_arena_new(NULL, NAMES_BYTES_MAX)};
    char text[160];

    if (self.arena)
        look_at_all(&self, root);
    else
        self.err = TORC_ERR_NO_MEMORY;
    torc_arena_free(self.arena);
    if (self.err) torc_resource_fail(root, self.err, "the names of the routes");
    if (!self.second) return;
    snprintf(text, sizeof(text), "two routes have the name \"%.30s\": \"%.44s\" and \"%.44s\"",
             self.second->options.name, self.first->text, self.second->text);
    torc_resource_fail(root, TORC_ERR_INVALID, text);
}
