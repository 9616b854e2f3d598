/* SPDX-License-Identifier: MIT */
/*
 * Vary: on which fields of the request a response depends (RFC 9110 §12.5.5).
 *
 *  - There is one field of that name afterwards, with each member once, or `*`.
 */
#include "web/vary.h"

enum {
    VARY_MAX = 400
};

static void vary(torc_request *request, torc_str name) {
    const torc_str before = torc_response_field(request, "Vary");
    char text[VARY_MAX];

    if (torc_list_has_member(before, name) || torc_list_has_member(before, TORC_STR("*"))) return;
    if (!before.len) {
        torc_response_set(request, "Vary", name);
        return;
    }
    if (before.len + 2 + name.len > sizeof(text)) { /* it depends on everything */
        torc_response_set(request, "Vary", TORC_STR("*"));
        return;
    }
    memcpy(text, before.bytes, before.len);
    memcpy(text + before.len, ", ", 2);
    memcpy(text + before.len + 2, name.bytes, name.len);
    torc_response_set(request, "Vary", torc_str_make(text, before.len + 2 + name.len));
}

void torc_response_vary(torc_request *request, torc_str names) {
    torc_str name;

    while (torc_list_member_next(&names, &name)) vary(request, name);
}
