/* SPDX-License-Identifier: MIT */
/*
 * Name-based virtual hosts: resources in whose place others answer, by the host that was asked.
 *
 *  - Names are kept in small letters, without port and without the dot that may end them; what is
 *    asked is brought to that form, on the stack.
 *  - "*.a.example" is kept as ".a.example", "*" as the empty name: a host is looked up whole, then
 *    from each of its dots on, then as nothing. So the longest name that fits wins, in as many
 *    steps as it has labels.
 */
#include "web/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <torc/target.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/map.h"
#include "web/tree.h"

enum {
    NAME_MAX_BYTES = 255
};

/* Its text has the `*` in front that its key has not. */
typedef struct host {
    torc_resource *resource;
    torc_str key;
    size_t len;
    char text[];
} host;

struct torc_hosts {
    torc_map names; /* to hosts */
};

/* ---- names ---- */

/* Bring a name to the form that is kept; false if it is too long. */
static bool fold(torc_str name, char folded[NAME_MAX_BYTES], torc_str *text) {
    if (name.len && name.bytes[name.len - 1] == '.') name.len--;
    if (name.len > NAME_MAX_BYTES) return false;
    for (size_t i = 0; i < name.len; i++) folded[i] = torc_small(name.bytes[i]);
    *text = torc_str_make(folded, name.len);
    return true;
}

static bool is_label_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '_';
}

/* Labels with a dot between any two. */
static bool is_name(torc_str name) {
    torc_str label;

    if (name.len == 0) return false;
    while (torc_str_split(&name, '.', &label)) {
        if (label.len == 0 || label.len > 63) return false;
        for (size_t i = 0; i < label.len; i++)
            if (!is_label_byte(label.bytes[i])) return false;
    }
    return true;
}

/* An IPv6 address in its brackets. */
static bool is_bracketed(torc_str name) {
    return torc_str_starts_with(name, TORC_STR("[")) && torc_str_ends_with(name, TORC_STR("]")) &&
           torc_authority_is_valid(name);
}

/* What a host is called in the map; NULL, or what is wrong with the name. */
static const char *read_name(torc_str name, char folded[NAME_MAX_BYTES], torc_str *key) {
    if (!fold(name, folded, key)) return "a host's name has at most 255 letters";
    if (torc_str_equals(*key, TORC_STR("*"))) {
        *key = TORC_STR("");
        return NULL;
    }
    if (is_bracketed(*key)) return NULL;
    const bool is_wild = torc_str_starts_with(*key, TORC_STR("*."));
    if (is_wild) *key = torc_str_from(*key, 1);
    if (is_name(is_wild ? torc_str_from(*key, 1) : *key)) return NULL;
    if (torc_str_find_byte(*key, ':') >= 0)
        return "a host has no port here, and an IPv6 address stands in brackets";
    return "a host is called a.example, or *.a.example, or *; other letters as in DNS (xn--…)";
}

/* ---- hosts ---- */

static torc_hosts *hosts_of(torc_resource *resource) {
    torc_scope *scope = torc_scope_of(resource);

    if (!scope || scope->hosts) return scope ? scope->hosts : NULL;
    scope->hosts = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*scope->hosts));
    if (scope->hosts) torc_map_init(&scope->hosts->names, NULL, TORC_MEMORY_OTHER, false);
    return scope->hosts;
}

static host *new_host(torc_str key, torc_resource *resource) {
    const size_t star = key.len == 0 || key.bytes[0] == '.';
    host *self = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*self) + star + key.len);

    if (!self) return NULL;
    self->resource = resource;
    self->len = star + key.len;
    self->text[0] = '*';
    if (key.len) memcpy(self->text + star, key.bytes, key.len);
    self->key = torc_str_make(self->text + star, key.len);
    return self;
}

static torc_err put(torc_hosts *hosts, torc_str key, torc_resource *resource) {
    host *self = torc_map_find(&hosts->names, key);

    if (self) {
        torc_resource_dispose(self->resource);
        self->resource = resource;
        return TORC_OK;
    }
    self = new_host(key, resource);
    if (!self) return TORC_ERR_NO_MEMORY;
    const torc_err err = torc_map_set(&hosts->names, self->key, self);
    if (err) torc_dealloc(NULL, self);
    return err;
}

void torc_resource_put_host(torc_resource *resource, const char *name, torc_resource *host_) {
    char folded[NAME_MAX_BYTES], text[120];
    torc_hosts *hosts = hosts_of(resource);
    torc_str key;
    const char *wrong = read_name(torc_str_of(name), folded, &key);
    torc_err err = wrong ? TORC_ERR_SYNTAX : TORC_OK;

    if (!err && (!hosts || !host_)) err = TORC_ERR_NO_MEMORY;
    if (!err) err = put(hosts, key, host_);
    if (!err) return;
    snprintf(text, sizeof(text), "host \"%s\": %s", name, wrong ? wrong : torc_err_text(err));
    torc_resource_fail(resource, err, text);
    torc_resource_dispose(host_);
}

static torc_hosts *hosts_if_any(const torc_resource *resource) {
    const torc_children *children = resource->children;
    return children && children->scope ? children->scope->hosts : NULL;
}

torc_resource *torc_resource_host(const torc_resource *resource, torc_str name) {
    char folded[NAME_MAX_BYTES];
    const torc_hosts *hosts = hosts_if_any(resource);
    torc_str key;

    if (!hosts || read_name(name, folded, &key)) return NULL;
    const host *found = torc_map_find(&hosts->names, key);
    return found ? found->resource : NULL;
}

bool torc_resource_remove_host(torc_resource *resource, const char *name) {
    char folded[NAME_MAX_BYTES];
    torc_hosts *hosts = hosts_if_any(resource);
    torc_str key;

    if (!hosts || read_name(torc_str_of(name), folded, &key)) return false;
    host *removed = torc_map_remove(&hosts->names, key);
    if (!removed) return false;
    torc_resource_dispose(removed->resource);
    torc_dealloc(NULL, removed);
    return true;
}

/* What is left of a name from its next dot on, or nothing. */
static torc_str from_next_dot(torc_str name) {
    const ptrdiff_t dot = torc_str_find_byte(torc_str_from(name, 1), '.');
    return dot < 0 ? TORC_STR("") : torc_str_from(name, (size_t)dot + 1);
}

torc_resource *torc_hosts_find(const torc_hosts *hosts, const torc_request *request) {
    char folded[NAME_MAX_BYTES];
    torc_str name;

    if (!fold(torc_request_hostname(request), folded, &name)) name = TORC_STR("");
    for (;;) {
        const host *found = torc_map_find(&hosts->names, name);
        if (found) return found->resource;
        if (name.len == 0) return NULL;
        name = from_next_dot(name);
    }
}

void torc_hosts_each(const torc_hosts *hosts,
                     void (*each)(void *context, torc_str name, torc_resource *resource),
                     void *context) {
    size_t place = 0;
    host *at;

    while ((at = torc_map_next(&hosts->names, &place, NULL)))
        each(context, torc_str_make(at->text, at->len), at->resource);
}

static int by_name(const void *a, const void *b) {
    return torc_str_compare(((const torc_host_entry *)a)->name, ((const torc_host_entry *)b)->name);
}

torc_host_entry *torc_hosts_sorted(const torc_hosts *hosts, size_t *count) {
    torc_host_entry *entries =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, torc_map_count(&hosts->names), sizeof(*entries));
    size_t place = 0;
    host *at;

    *count = 0;
    if (!entries) return NULL;
    while ((at = torc_map_next(&hosts->names, &place, NULL)))
        entries[(*count)++] = (torc_host_entry){torc_str_make(at->text, at->len), at->resource};
    qsort(entries, *count, sizeof(*entries), by_name);
    return entries;
}

void torc_hosts_dispose(torc_hosts *hosts) {
    size_t place = 0;
    host *at;

    if (!hosts) return;
    while ((at = torc_map_next(&hosts->names, &place, NULL))) {
        torc_resource_dispose(at->resource);
        torc_dealloc(NULL, at);
    }
    torc_map_dispose(&hosts->names);
    torc_dealloc(NULL, hosts);
}
