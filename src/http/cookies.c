/* SPDX-License-Identifier: MIT */
/*
 * The cookies of a request, and of its response.
 *
 *  - Nothing is kept: a look-up walks the Cookie fields, which are short and bounded.
 *  - A cookie that may not be set makes the response fail, as any invalid field does.
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
        torc_response_add(request, "Set-Cookie", torc_buf_str(&buf));
}

void torc_response_delete_cookie(torc_request *request, const torc_cookie *cookie) {
    torc_cookie gone = *cookie;

    gone.value = torc_str_make("", 0);
    gone.has_expires = gone.has_max_age = true;
    gone.expires = gone.max_age = 0;
    torc_response_add_cookie(request, &gone);
}
