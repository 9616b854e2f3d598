/* SPDX-License-Identifier: MIT */
/*
 * Vary: on which fields of the request a response depends (RFC 9110 §12.5.5).
 *
 *  - There is one field of that name afterwards, with each member once, or `*`.
 */
#include "http/request_state.h"

/* Bytes of all members so far, with what stands between them. */
static size_t measure(const torc_fields *fields) {
    const torc_field *field;
    uint32_t place = 0;
    size_t len = 0;

    while ((field = torc_fields_next_id(fields, TORC_FIELD_VARY, &place)))
        len += field->value.len + 2;
    return len;
}

static void join(torc_buf *buf, torc_str member) {
    if (buf->len) torc_buf_add(buf, TORC_STR(", "));
    torc_buf_add(buf, member);
}

/* A member that is not there yet. */
static void add(torc_request *request, torc_str name) {
    const torc_fields fields = torc_response_fields(request);
    const size_t size = measure(&fields) + name.len;
    char *text = torc_arena_bytes(request->arena, size);
    const torc_field *field;
    uint32_t place = 0;
    torc_buf buf;

    if (!text) {
        torc_response_fail(request, TORC_ERR_NO_MEMORY);
        return;
    }
    torc_buf_init_fixed(&buf, text, size);
    while ((field = torc_fields_next_id(&fields, TORC_FIELD_VARY, &place)))
        join(&buf, field->value);
    join(&buf, name);
    torc_response_put(request, TORC_FIELD_VARY, torc_buf_str(&buf));
}

void torc_response_add_vary(torc_request *request, const char *names) {
    torc_str rest = torc_str_of(names), name;

    while (torc_list_member_next(&rest, &name)) {
        const torc_fields fields = torc_response_fields(request);
        if (request_is_over(request) || request->failure) return;
        if (torc_fields_have_member(&fields, TORC_FIELD_VARY, TORC_STR("*"))) return;
        if (torc_str_equals(name, TORC_STR("*")))
            torc_response_put(request, TORC_FIELD_VARY, name);
        else if (!torc_fields_have_member(&fields, TORC_FIELD_VARY, name))
            add(request, name);
    }
}
