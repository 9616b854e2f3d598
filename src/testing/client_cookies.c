/* SPDX-License-Identifier: MIT */
/*
 * The cookies of a client (RFC 6265bis §5.7, §5.8): as a browser keeps them, in memory.
 *
 *  - They are taken from an answer when the next request begins, or when one is asked for: so from
 *    several answers in the order in which they were asked.
 *  - Their texts are in the client's arena.
 */
#include <torc/cookie.h>
#include <torc/target.h>

#include "testing/client.h"
#include "testing/expect.h"

typedef struct kept {
    torc_list_node node; /* in the order in which they were made */
    torc_str name, value, domain, path;
    int64_t expires;
    bool is_for_host_alone, is_secure;
} kept;

static kept *of_node(torc_list_node *node) {
    return torc_container_of(node, kept, node);
}

static torc_str copy(torc_test_client *self, torc_str text) {
    torc_str to = torc_str_make("", 0);

    if (text.len && torc_arena_copy(&self->arena, text, &to))
        torc_test_fail_at(self->place, "no memory for a cookie");
    return to;
}

/* ---- taking ---- */

static kept *find_same(const torc_test_client *self, const kept *wanted) {
    for (torc_list_node *node = torc_list_first(&self->cookies); node;
         node = torc_list_next(&self->cookies, node)) {
        kept *it = of_node(node);
        if (torc_str_equals(it->name, wanted->name) && torc_str_equals(it->path, wanted->path) &&
            torc_str_equals_nocase(it->domain, wanted->domain) &&
            it->is_for_host_alone == wanted->is_for_host_alone)
            return it;
    }
    return NULL;
}

static int64_t now_of(const torc_test_client *self) {
    return torc_reactor_wall_seconds(self->reactor);
}

/* Keep it in the place of the same one of before; what is over removes that. */
static void keep(torc_test_client *self, const kept *made) {
    kept *same = find_same(self, made);

    if (made->expires <= now_of(self)) {
        if (same) torc_list_remove(&same->node);
        return;
    }
    if (same) {
        same->value = copy(self, made->value);
        same->expires = made->expires;
        same->is_secure = made->is_secure;
        return;
    }
    kept *it = torc_arena_alloc_zero(&self->arena, 1, sizeof(*it));
    if (!it) return;
    *it = (kept){.name = copy(self, made->name),
                 .value = copy(self, made->value),
                 .domain = copy(self, made->domain),
                 .path = copy(self, made->path),
                 .expires = made->expires,
                 .is_for_host_alone = made->is_for_host_alone,
                 .is_secure = made->is_secure};
    torc_list_push(&self->cookies, &it->node);
}

static torc_str path_of(torc_str target) {
    torc_str path;

    (void)torc_str_split(&target, '?', &path);
    return path;
}

/* The path of a request by its first line, "GET /x?y". */
static torc_str path_of_line(const char *line) {
    torc_str rest = torc_str_of(line), method;

    (void)torc_str_split(&rest, ' ', &method);
    return path_of(rest);
}

static void take(torc_test_client *self, const torc_test_asked *asked, torc_str text) {
    const torc_str host = torc_str_of(asked->host);
    torc_cookie cookie;

    if (torc_set_cookie_parse(text, &cookie) ||
        !torc_cookie_is_acceptable(&cookie, host, asked->is_secure))
        return;
    const kept made = {
        .name = cookie.name,
        .value = cookie.value,
        .domain = cookie.domain.len ? cookie.domain : host,
        .path = cookie.path.len ? cookie.path : torc_cookie_default_path(path_of_line(asked->line)),
        .expires = torc_cookie_expiry(&cookie, now_of(self)),
        .is_for_host_alone = cookie.domain.len == 0,
        .is_secure = cookie.is_secure,
    };
    keep(self, &made);
}

void torc_test_client_take_cookies(torc_test_client *self) {
    for (torc_test_asked *asked = self->first; asked; asked = asked->next) {
        const torc_field *field;
        uint32_t at = 0;
        if (asked->has_cookies_taken || !torc_test_request_status(asked->request)) continue;
        asked->has_cookies_taken = true;
        const torc_fields *fields = torc_test_request_fields(asked->request);
        while (self->keeps_cookies &&
               (field = torc_fields_next_id(fields, TORC_FIELD_SET_COOKIE, &at)) != NULL)
            take(self, asked, field->value);
    }
}

/* ---- sending ---- */

/* The host of the next request, without its port. */
static torc_str host_of(const torc_test_client *self) {
    torc_str host = torc_fields_value_id(&self->next_fields, TORC_FIELD_HOST);
    torc_authority authority;

    if (!host.bytes) host = torc_fields_value_id(&self->fields, TORC_FIELD_HOST);
    return torc_authority_parse(host, &authority) ? host : authority.host;
}

static bool is_for(const torc_test_client *self, const kept *it, torc_str path) {
    const torc_str host = host_of(self);

    if (it->expires <= now_of(self) || (it->is_secure && !self->is_secure)) return false;
    if (!torc_cookie_path_matches(it->path, path)) return false;
    return it->is_for_host_alone ? torc_str_equals_nocase(it->domain, host)
                                 : torc_cookie_domain_matches(it->domain, host);
}

/* The one that comes behind `before` (NULL: the first of all): longer paths first, then older ones.
 */
static kept *next_for(const torc_test_client *self, const kept *before, torc_str path) {
    kept *best = NULL;
    bool is_behind = false;

    for (torc_list_node *node = torc_list_first(&self->cookies); node;
         node = torc_list_next(&self->cookies, node)) {
        kept *it = of_node(node);
        const size_t len = it->path.len;
        if (it == before) {
            is_behind = true;
            continue;
        }
        if (!is_for(self, it, path)) continue;
        if (before && (len > before->path.len || (len == before->path.len && !is_behind))) continue;
        if (!best || len > best->path.len) best = it;
    }
    return best;
}

void torc_test_client_add_cookies(torc_test_client *self, torc_str target, torc_buf *head) {
    const torc_str path = path_of(target);
    const char *mark = "\nCookie: ";

    for (const kept *it = next_for(self, NULL, path); it; it = next_for(self, it, path)) {
        torc_buf_addf(head, "%s%.*s=%.*s", mark, TORC_STR_ARGS(it->name), TORC_STR_ARGS(it->value));
        mark = "; ";
    }
}

/* ---- what the test says and asks ---- */

void torc_test_client_keep_cookies(torc_test_client *self, bool keeps) {
    torc_test_client_take_cookies(self);
    self->keeps_cookies = keeps;
}

torc_str torc_test_client_cookie(torc_test_client *self, const char *path, const char *name) {
    torc_test_client_take_cookies(self);
    const torc_str of = torc_str_of(path);

    for (const kept *it = next_for(self, NULL, of); it; it = next_for(self, it, of))
        if (torc_str_equals(it->name, torc_str_of(name))) return it->value;
    return torc_str_make(NULL, 0);
}

static void remove_all(torc_test_client *self, const char *name) {
    torc_list_node *node = torc_list_first(&self->cookies), *next;

    for (; node; node = next) {
        next = torc_list_next(&self->cookies, node);
        if (!name || torc_str_equals(of_node(node)->name, torc_str_of(name)))
            torc_list_remove(node);
    }
}

void torc_test_client_set_cookie(torc_test_client *self, const char *name, const char *value) {
    torc_test_client_take_cookies(self);
    remove_all(self, name);
    if (!value) return;
    const kept made = {.name = torc_str_of(name),
                       .value = torc_str_of(value),
                       .domain = host_of(self),
                       .path = TORC_STR("/"),
                       .expires = INT64_MAX,
                       .is_for_host_alone = true};
    keep(self, &made);
}

void torc_test_client_clear_cookies(torc_test_client *self) {
    torc_test_client_take_cookies(self);
    remove_all(self, NULL);
}

void torc_test_client_set_secure(torc_test_client *self, bool is_secure) {
    self->is_secure = is_secure;
}
