/* SPDX-License-Identifier: MIT */
/*
 * Complete heads: from spans to fields, and what these say of the message's framing.
 *
 *  - What could be read in two ways by two programs in a row is refused: lengths that are repeated,
 *    lists of codings, a length beside a coding (RFC 9112 §6.3, §11.2).
 *  - The bytes are where they stay; names and values are slices of them.
 */
#include "protocol/http1/parse.h"

typedef torc_http1_outcome outcome;

#define bad torc_http1_bad

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

/* Replace each line end within a value, and the blanks around it, by one space. */
static void unfold(char *bytes, torc_http1_span *span) {
    char *const value = bytes + span->value;
    uint32_t to = 0;

    for (uint32_t from = 0; from < span->value_len; from++) {
        if (value[from] != '\r' && value[from] != '\n') {
            value[to++] = value[from];
            continue;
        }
        while (to > 0 && is_blank(value[to - 1])) to--;
        while (from + 1 < span->value_len &&
               (is_blank(value[from + 1]) || value[from + 1] == '\r' || value[from + 1] == '\n'))
            from++;
        if (to > 0) value[to++] = ' ';
    }
    span->value_len = to;
}

/* What the fields of framing and connection are, at a glance. */
typedef struct glance {
    const torc_field *host, *length, *coding, *expect;
    uint32_t hosts, lengths, codings;
    bool has_connection, has_upgrade, has_te;
} glance;

/* The ids that a glance is about; most fields have none of them. */
static const bool is_noted[TORC_FIELDS] = {
    [TORC_FIELD_HOST] = true,       [TORC_FIELD_CONTENT_LENGTH] = true,
    [TORC_FIELD_EXPECT] = true,     [TORC_FIELD_TRANSFER_ENCODING] = true,
    [TORC_FIELD_CONNECTION] = true, [TORC_FIELD_UPGRADE] = true,
    [TORC_FIELD_TE] = true,
};

static void note(glance *seen, const torc_field *field) {
    switch (field->id) {
    case TORC_FIELD_HOST:
        seen->host = field;
        seen->hosts++;
        break;
    case TORC_FIELD_CONTENT_LENGTH:
        seen->length = field;
        seen->lengths++;
        break;
    case TORC_FIELD_TRANSFER_ENCODING:
        seen->coding = field;
        seen->codings++;
        break;
    case TORC_FIELD_EXPECT:
        seen->expect = field;
        break;
    case TORC_FIELD_CONNECTION:
        seen->has_connection = true;
        break;
    case TORC_FIELD_UPGRADE:
        seen->has_upgrade = true;
        break;
    default:
        seen->has_te = true;
        break;
    }
}

/* There is room for one field more: a Host. `seen` is zero. */
static inline outcome take_fields(torc_http1_parser *parser, char *bytes, torc_fields *fields,
                                  glance *seen) {
    const uint32_t count = parser->span_count;
    torc_field *items = torc_arena_alloc(parser->arena, (count + 1) * sizeof(*items));

    if (!items) return bad(parser, 503, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        torc_http1_span *span = &parser->spans[i];
        torc_field *field = &items[i];
        if (parser->has_fold) unfold(bytes, span);
        field->name = torc_str_make(bytes + span->name, span->name_len);
        field->value = torc_str_make(bytes + span->value, span->value_len);
        field->id = (torc_field_id)span->id;
        if (is_noted[span->id]) note(seen, field);
    }
    *fields = (torc_fields){items, count, count + 1};
    return TORC_HTTP1_DONE;
}

/* Whether a coding is chunked, which has no parameters. */
static bool is_chunked(torc_str member) {
    return torc_str_equals_nocase(member, TORC_STR("chunked"));
}

/* The name of a transfer coding, before its parameters. */
static torc_str name_of_coding(torc_str member) {
    const ptrdiff_t end = torc_str_find_byte(member, ';');
    return end < 0 ? member : torc_str_trim(torc_str_head(member, (size_t)end));
}

/* Codings other than chunked, once, are not known here. That is one's own lack when they are well
 * formed, and chunked is the last and there once; else nobody could say where the body ends. */
static outcome refuse_codings(torc_http1_parser *parser, const torc_fields *fields) {
    const torc_field *field;
    torc_str rest, member = {0};
    uint32_t place = 0, count = 0, chunked = 0;
    bool is_fine = true, is_last = false;

    while ((field = torc_fields_next_id(fields, TORC_FIELD_TRANSFER_ENCODING, &place)) != NULL)
        for (rest = field->value; torc_list_member_next(&rest, &member);) {
            is_last = is_chunked(member);
            chunked += is_last;
            count++;
            is_fine = is_fine && torc_is_token(name_of_coding(member));
        }
    if (is_fine && is_last && chunked == 1 && count > 1)
        return bad(parser, 501, "a Transfer-Encoding besides chunked (RFC 9112 6.1)");
    return bad(parser, 400, "a Transfer-Encoding other than chunked, once (RFC 9112 6.1)");
}

/* RFC 9112 §6: the length of a body by its fields; `body_len` is left alone when they say nothing.
 */
static outcome read_length(torc_http1_parser *parser, const torc_fields *fields, const glance *seen,
                           torc_http1_framing *framing) {
    uint64_t len;

    if (seen->codings) {
        if (seen->lengths)
            return bad(parser, 400, "Content-Length beside Transfer-Encoding (RFC 9112 6.1)");
        if (parser->version < 11)
            return bad(parser, 400, "Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)");
        if (seen->codings > 1 || !is_chunked(seen->coding->value))
            return refuse_codings(parser, fields);
        framing->is_chunked = true;
        framing->body_len = -1;
    } else if (seen->lengths) {
        if (seen->lengths > 1)
            return bad(parser, 400, "Content-Length more than once (RFC 9112 6.3)");
        if (torc_str_parse_uint(seen->length->value, INT64_MAX, &len))
            return bad(parser, 400, "a Content-Length that is no length (RFC 9110 8.6)");
        framing->body_len = (int64_t)len;
    }
    return TORC_HTTP1_DONE;
}

/* RFC 9112 §9.3: whether the connection goes on after this message, by its version and Connection
 * fields. */
static bool keeps_alive(const torc_http1_parser *parser, const torc_fields *fields,
                        const glance *seen) {
    if (!seen->has_connection) return parser->version >= 11;
    if (torc_fields_have_member(fields, TORC_FIELD_CONNECTION, TORC_STR("close"))) return false;
    return parser->version >= 11 ||
           torc_fields_have_member(fields, TORC_FIELD_CONNECTION, TORC_STR("keep-alive"));
}

static void read_connection(const torc_http1_parser *parser, const torc_fields *fields,
                            const glance *seen, torc_http1_framing *framing) {
    framing->keeps_alive = keeps_alive(parser, fields, seen);
    framing->has_upgrade =
        seen->has_upgrade && seen->has_connection && parser->version >= 11 &&
        torc_fields_have_member(fields, TORC_FIELD_CONNECTION, TORC_STR("upgrade"));
    framing->takes_trailers = seen->has_te && parser->version >= 11 &&
                              torc_fields_have_member(fields, TORC_FIELD_TE, TORC_STR("trailers"));
}

/* Whether the value is a host and port. */
static bool is_host(torc_http1_known_host *known, torc_str value) {
    if (known && value.len && value.len == known->len &&
        memcmp(value.bytes, known->bytes, value.len) == 0)
        return true;
    if (!torc_authority_is_valid(value)) return false;
    if (known && value.len <= sizeof(known->bytes)) {
        known->len = (uint8_t)value.len;
        memcpy(known->bytes, value.bytes, value.len);
    }
    return true;
}

/*
 * RFC 9112 §3.2: one Host field, that can be the host of a URI. It may be empty only where another
 * authority counts or none is needed.
 */
static outcome check_host(torc_http1_parser *parser, const torc_head *head, const glance *seen) {
    if (seen->hosts == 0 && parser->version >= 11)
        return bad(parser, 400, "no Host field (RFC 9112 3.2)");
    if (seen->hosts > 1) return bad(parser, 400, "more than one Host field (RFC 9112 3.2)");
    if (seen->hosts == 0) return TORC_HTTP1_DONE;
    if (seen->host->value.len == 0 && (head->target.authority.bytes || parser->version < 11))
        return TORC_HTTP1_DONE;
    if (!is_host(parser->known_host, seen->host->value))
        return bad(parser, 400, "a Host field that is no host and port (RFC 9110 7.2)");
    return TORC_HTTP1_DONE;
}

/* RFC 9112 §3.2.2: the authority of an absolute target replaces the Host field. */
static void replace_host(torc_head *head, const glance *seen) {
    torc_fields *fields = &head->fields;
    torc_field *host = &fields->items[seen->host ? seen->host - fields->items : fields->count++];

    *host = (torc_field){torc_field_name(TORC_FIELD_HOST), head->target.authority, TORC_FIELD_HOST};
}

static outcome check_expect(torc_http1_parser *parser, const torc_fields *fields,
                            torc_http1_framing *framing) {
    const torc_field *field;
    torc_str rest, member;
    uint32_t place = 0;

    if (parser->version < 11) return TORC_HTTP1_DONE;
    while ((field = torc_fields_next_id(fields, TORC_FIELD_EXPECT, &place)) != NULL)
        for (rest = field->value; torc_list_member_next(&rest, &member);) {
            if (!torc_str_equals_nocase(member, TORC_STR("100-continue")))
                return bad(parser, 417, "an expectation other than 100-continue (RFC 9110 10.1.1)");
            framing->expects_continue = true;
        }
    return TORC_HTTP1_DONE;
}

/* The methods of most requests are known by their first bytes. */
static torc_method find_method(torc_str text) {
    if (text.len == 3 && memcmp(text.bytes, "GET", 3) == 0) return TORC_METHOD_GET;
    if (text.len == 4 && memcmp(text.bytes, "POST", 4) == 0) return TORC_METHOD_POST;
    return torc_method_find(text);
}

torc_http1_outcome torc_http1_take_request(torc_http1_parser *parser, char *bytes, torc_head *head,
                                           torc_http1_framing *framing) {
    glance seen = {0};

    *framing = (torc_http1_framing){0};
    outcome result = take_fields(parser, bytes, &head->fields, &seen);
    if (result != TORC_HTTP1_DONE) return result;

    head->version = parser->version;
    head->status = 0;
    head->reason = torc_str_make(NULL, 0);
    head->method_text = torc_str_make(bytes + parser->start, parser->method_len);
    head->method = find_method(head->method_text);
    const torc_str target = torc_str_make(bytes + parser->target, parser->target_len);
    if (torc_target_parse(target, head->method, &head->target))
        return bad(parser, 400,
                   "a target that is malformed, or not for this method (RFC 9112 3.2)");
    result = check_host(parser, head, &seen);
    if (result == TORC_HTTP1_DONE) result = read_length(parser, &head->fields, &seen, framing);
    if (result == TORC_HTTP1_DONE && seen.expect)
        result = check_expect(parser, &head->fields, framing);
    if (result != TORC_HTTP1_DONE) return result;
    framing->keeps_alive = parser->version >= 11;
    if (seen.has_connection || seen.has_te) read_connection(parser, &head->fields, &seen, framing);
    if (head->target.form == TORC_TARGET_ABSOLUTE) replace_host(head, &seen);
    if (framing->body_len == 0) framing->expects_continue = false;
    head->body_len = framing->body_len;
    return TORC_HTTP1_DONE;
}

torc_http1_outcome torc_http1_take_response(torc_http1_parser *parser, char *bytes,
                                            torc_method method, torc_head *head,
                                            torc_http1_framing *framing) {
    const int status = parser->status_of_response;
    glance seen = {0};
    const bool is_tunnel = method == TORC_METHOD_CONNECT && status >= 200 && status < 300;

    memset(head, 0, sizeof(*head));
    *framing = (torc_http1_framing){.body_len = -1, .until_close = true};
    outcome result = take_fields(parser, bytes, &head->fields, &seen);
    if (result != TORC_HTTP1_DONE) return result;

    head->version = parser->version;
    head->status = status;
    head->reason = torc_str_make(bytes + parser->target, parser->target_len);
    /* Fields of framing mean nothing before a tunnel (RFC 9110 §9.3.6). */
    if (!is_tunnel) result = read_length(parser, &head->fields, &seen, framing);
    if (result != TORC_HTTP1_DONE) return result;
    framing->until_close = !seen.codings && !seen.lengths;
    read_connection(parser, &head->fields, &seen, framing);
    if (method == TORC_METHOD_HEAD || (status >= 100 && status < 200) || status == 204 ||
        status == 304 || is_tunnel) {
        framing->body_len = 0;
        framing->is_chunked = framing->until_close = false;
    }
    if (framing->until_close) framing->keeps_alive = false;
    head->body_len = framing->body_len;
    return TORC_HTTP1_DONE;
}

torc_http1_outcome torc_http1_take_trailers(torc_http1_parser *parser, char *bytes,
                                            torc_fields *fields) {
    glance seen = {0};
    const outcome result = take_fields(parser, bytes, fields, &seen);

    for (uint32_t i = 0; result == TORC_HTTP1_DONE && i < fields->count; i++)
        if (!torc_field_is_allowed_in_trailers(fields->items[i].id))
            return bad(parser, 400, "a field that may not be a trailer (RFC 9110 6.5.1)");
    return result;
}
