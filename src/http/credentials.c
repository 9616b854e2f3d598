/* SPDX-License-Identifier: MIT */
/*
 * What a request says of who sends it: user and password of the Basic scheme (RFC 7617).
 *
 *  - Nothing is believed: whoever asks compares.
 *  - What is malformed is as if nothing were said.
 */
#include <torc/base64.h>

#include "http/request_state.h"

/* The text behind the scheme's name, if that is "Basic". */
static bool basic_token(torc_str field, torc_str *token) {
    const torc_str scheme = TORC_STR("Basic ");

    if (!torc_str_equals_nocase(torc_str_head(field, scheme.len), scheme)) return false;
    *token = torc_str_trim(torc_str_from(field, scheme.len));
    return true;
}

static bool has_controls(torc_str text) {
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.bytes[i] < 0x20 || text.bytes[i] == 0x7f) return true;
    return false;
}

static torc_err decode(torc_arena *arena, torc_str token, torc_str *text) {
    torc_buf buf;
    char *bytes = torc_arena_bytes(arena, token.len + 1);

    if (!bytes) return TORC_ERR_NO_MEMORY;
    torc_buf_init_fixed(&buf, bytes, token.len + 1);
    const torc_err err = torc_base64_decode(&buf, token, TORC_BASE64_ANY_PADDING);
    *text = torc_buf_str(&buf);
    return err;
}

bool torc_request_basic_credentials(torc_request *request, torc_str *user, torc_str *password) {
    torc_str token, text;

    if (!basic_token(torc_request_field_id(request, TORC_FIELD_AUTHORIZATION), &token))
        return false;
    if (decode(request->arena, token, &text) || has_controls(text)) return false;
    const ptrdiff_t colon = torc_str_find_byte(text, ':');
    if (colon < 0) return false;
    *user = torc_str_head(text, (size_t)colon);
    *password = torc_str_from(text, (size_t)colon + 1);
    return true;
}
