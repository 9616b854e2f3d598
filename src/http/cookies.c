/* SPDX-License-Identifier: MIT */
/*
 * The cookies of a request, and of its response.
 *
 *  - Nothing is kept: a look-up walks the Cookie fields, which are short and bounded.
 *  - A cookie that may not be set makes the response fail, as any invalid field does.
 *  - A response sets each cookie once (draft-ietf-httpbis-rfc6265bis §4.1.1): what was set last
 *    stands where it was set first. Whether two are the same is asked of their text, as a client
 *    reads it, so that it holds for what was added as a field, too.
 */
#include <torc/cookie.h>

#include "http/request_state.h"

bool torc_request_cookie(const torc_request *request, const char *name, torc_str *value) {
    return torc_cookies_find(&request->head->fields, torc_str_of(name), value);
}

bool torc_request_cookie_next(const torc_request *request, torc_cookie_place *place, torc_str *name,
                              torc_str *value) {
    return torc_cookies_next(&request->head->fields, place, name, value);
}

/* Whether a client would keep the one in place of the other. A cookie that is kept apart for each
 * site that embeds this one is not the same as one that is not: a response may remove one of them
 * and set the other. */
static bool is_same(const torc_cookie *a, const torc_cookie *b) {
    return torc_str_equals(a->name, b->name) && torc_str_equals(a->path, b->path) &&
           torc_str_equals_nocase(a->domain, b->domain) && a->is_partitioned == b->is_partitioned;
}

/* The field that sets the same cookie already; NULL: none. */
static torc_field *find_same(const torc_request *request, torc_str text) {
    const torc_fields fields = torc_response_fields(request);
    torc_cookie cookie, other;

    if (torc_set_cookie_parse(text, &cookie)) return NULL;
    for (uint32_t i = 0; i < fields.count; i++) {
        torc_field *field = &fields.items[i];
        if (field->id != TORC_FIELD_SET_COOKIE) continue;
        if (!torc_set_cookie_parse(field->value, &other) && is_same(&cookie, &other)) return field;
    }
    return NULL;
}

/* The text is the arena's. */
static void set_field(torc_request *request, torc_str text) {
    torc_field *same = request->is_started ? NULL : find_same(request, text);

    if (same)
        same->value = text;
    else
        torc_response_add(request, "Set-Cookie", text);
}

void torc_response_add_cookie(torc_request *request, const torc_cookie *cookie) {
    torc_err err = torc_cookie_check(cookie);
    torc_buf buf;

    if (!err && request_is_over(request)) return;
    const size_t size = torc_set_cookie_bytes_max(cookie);
    char *text = err ? NULL : torc_arena_bytes(request->arena, size);
    if (!err && !text) err = TORC_ERR_NO_MEMORY;
    torc_buf_init_fixed(&buf, text, size);
    if (!err) err = torc_set_cookie_format(cookie, &buf);
    if (err)
        torc_response_fail(request, err);
    else
        set_field(request, torc_buf_str(&buf));
}

void torc_response_delete_cookie(torc_request *request, const torc_cookie *cookie) {
    torc_cookie gone = *cookie;

    gone.value = torc_str_make("", 0);
    gone.has_expires = gone.has_max_age = true;
    gone.expires = gone.max_age = 0;
    torc_response_add_cookie(request, &gone);
}
