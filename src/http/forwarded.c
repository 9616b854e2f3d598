/* SPDX-License-Identifier: MIT */
/*
 * Whom a request comes from, and where that has asked, as far as those can be trusted who tell.
 *
 *  - The way is walked backwards from the peer: what a hop says is believed only while that hop is
 *    trusted. The first that is not is the client; what stands before it anybody may have written.
 *  - At the first element that cannot be read the walk ends, at the last good one.
 *  - Elements are taken from the end: those of trusted hops have as many quotes that open as that
 *    shut, so nothing that stands before them, a quote that was left open, say, changes what they
 *    are.
 *  - Only the field that was chosen is read: a proxy that writes one hands on the other as it came,
 *    from anybody.
 */
#include "http/forwarded.h"

#include <torc/cidr.h>

#include "http/request_state.h"

/* ---- addresses ---- */

static torc_err parse_port(torc_str text, uint16_t *port) {
    uint64_t number;

    if (torc_str_parse_uint(text, UINT16_MAX, &number)) return TORC_ERR_SYNTAX;
    *port = (uint16_t)number;
    return TORC_OK;
}

/* "[host]" or "[host]:port" */
static torc_err parse_bracketed(torc_str text, torc_addr *addr) {
    const ptrdiff_t end = torc_str_find_byte(text, ']');
    uint16_t port = 0;

    if (end < 0) return TORC_ERR_SYNTAX;
    const torc_str host = torc_str_head(torc_str_from(text, 1), (size_t)end - 1);
    const torc_str rest = torc_str_from(text, (size_t)end + 1);
    if (rest.len && (rest.bytes[0] != ':' || parse_port(torc_str_from(rest, 1), &port)))
        return TORC_ERR_SYNTAX;
    if (torc_addr_parse(host, port, addr)) return TORC_ERR_SYNTAX;
    return torc_addr_family(addr) == AF_INET6 ? TORC_OK : TORC_ERR_SYNTAX;
}

torc_err torc_forwarded_parse_addr(torc_str text, torc_addr *addr) {
    const ptrdiff_t colon = torc_str_find_byte(text, ':');
    uint16_t port;

    if (torc_str_find_byte(text, '%') >= 0) return TORC_ERR_SYNTAX; /* a scope is this machine's */
    if (text.len && text.bytes[0] == '[') return parse_bracketed(text, addr);
    /* One colon alone is a port's; IPv6 has two at least. */
    if (colon < 0 || torc_str_find_byte(torc_str_from(text, (size_t)colon + 1), ':') >= 0)
        return torc_addr_parse(text, 0, addr);
    if (parse_port(torc_str_from(text, (size_t)colon + 1), &port)) return TORC_ERR_SYNTAX;
    return torc_addr_parse(torc_str_head(text, (size_t)colon), port, addr);
}

/* ---- Forwarded ---- */

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t';
}

static torc_str skip_spaces(torc_str text) {
    while (text.len && is_space(text.bytes[0])) text = torc_str_from(text, 1);
    return text;
}

/* Take a quoted string; one with a backslash in it is none that any of the values needs. */
static torc_err take_quoted(torc_str *rest, torc_str *value) {
    const torc_str inside = torc_str_from(*rest, 1);
    const ptrdiff_t end = torc_str_find_byte(inside, '"');

    if (end < 0) return TORC_ERR_SYNTAX;
    *value = torc_str_head(inside, (size_t)end);
    *rest = torc_str_from(inside, (size_t)end + 1);
    return torc_str_find_byte(*value, '\\') >= 0 ? TORC_ERR_SYNTAX : TORC_OK;
}

/* Take a token; also with the characters of an address, which many do not quote. */
static torc_err take_word(torc_str *rest, torc_str *value) {
    size_t len = 0;

    while (len < rest->len && !strchr(" \t,;=\"", rest->bytes[len])) len++;
    *value = torc_str_head(*rest, len);
    *rest = torc_str_from(*rest, len);
    return len ? TORC_OK : TORC_ERR_SYNTAX;
}

static torc_err set_for(torc_forwarded *element, torc_str value) {
    if (torc_str_equals_nocase(value, TORC_STR("unknown")) || value.bytes[0] == '_')
        return TORC_OK; /* hidden on purpose */
    return torc_forwarded_parse_addr(value, &element->client);
}

/* One that is given twice is a mistake, or somebody's trick. */
static torc_err set_once(torc_str *to, torc_str value) {
    if (to->bytes) return TORC_ERR_SYNTAX;
    *to = value;
    return TORC_OK;
}

static torc_err set_pair(torc_forwarded *element, torc_str name, torc_str value, bool *has_for) {
    if (torc_str_equals_nocase(name, TORC_STR("by"))) return set_once(&element->by, value);
    if (torc_str_equals_nocase(name, TORC_STR("host"))) return set_once(&element->host, value);
    if (torc_str_equals_nocase(name, TORC_STR("proto"))) return set_once(&element->scheme, value);
    if (!torc_str_equals_nocase(name, TORC_STR("for"))) return TORC_OK; /* an extension */
    if (*has_for || value.len == 0) return TORC_ERR_SYNTAX;
    *has_for = true;
    return set_for(element, value);
}

/* name=value */
static torc_err take_pair(torc_str *rest, torc_forwarded *element, bool *has_for) {
    torc_str name, value;
    torc_err err = take_word(rest, &name);

    if (err || !torc_field_name_is_valid(name)) return TORC_ERR_SYNTAX;
    if (!rest->len || rest->bytes[0] != '=') return TORC_ERR_SYNTAX;
    *rest = torc_str_from(*rest, 1);
    err = rest->len && rest->bytes[0] == '"' ? take_quoted(rest, &value) : take_word(rest, &value);
    return err ? err : set_pair(element, name, value, has_for);
}

static torc_err take_element(torc_str *rest, torc_forwarded *element) {
    bool has_for = false;

    *element = (torc_forwarded){0};
    for (;;) {
        const torc_err err = take_pair(rest, element, &has_for);
        if (err) return err;
        *rest = skip_spaces(*rest);
        if (!rest->len || rest->bytes[0] == ',') return TORC_OK;
        if (rest->bytes[0] != ';') return TORC_ERR_SYNTAX;
        *rest = skip_spaces(torc_str_from(*rest, 1));
    }
}

/* Whether a quote has an odd number of backslashes before it. */
static bool is_escaped(torc_str value, size_t at) {
    size_t count = 0;

    while (count < at && value.bytes[at - 1 - count] == '\\') count++;
    return count % 2 == 1;
}

/* Where the last element begins: behind the last comma that no quotes are around. */
static size_t last_element_start(torc_str value) {
    bool is_quoted = false;
    size_t at = value.len;

    for (; at > 0 && (is_quoted || value.bytes[at - 1] != ','); at--)
        if (value.bytes[at - 1] == '"' && !is_escaped(value, at - 1)) is_quoted = !is_quoted;
    return at;
}

torc_err torc_forwarded_take_last(torc_str *rest, torc_forwarded *element) {
    const size_t start = last_element_start(*rest);
    torc_str text = torc_str_trim(torc_str_from(*rest, start));
    const torc_err err = take_element(&text, element);

    *rest = torc_str_head(*rest, start ? start - 1 : 0);
    return err || text.len ? TORC_ERR_SYNTAX : TORC_OK;
}

/* ---- the walk ---- */

typedef struct walk {
    const torc_handler *handler;
    torc_addr at;          /* the last good hop */
    uint32_t hops;         /* elements that were looked at: trusted ones have written them */
    torc_str host, scheme; /* of Forwarded: what the one nearest to the client says of it */
} walk;

static bool is_trusted(const walk *self) {
    return torc_cidr_any_contains(self->handler->trusted, self->handler->trusted_count, &self->at);
}

/* Whether the walk goes on before this hop. */
static bool step(walk *self, const torc_addr *hop) {
    if (!hop->len || ++self->hops > TORC_FORWARDED_MAX) return false;
    self->at = *hop;
    return is_trusted(self);
}

static bool walk_forwarded(walk *self, torc_str value) {
    torc_forwarded element;

    while (value.len) {
        if (torc_forwarded_take_last(&value, &element)) return false;
        if (element.host.len) self->host = element.host;
        if (element.scheme.len) self->scheme = element.scheme;
        if (!step(self, &element.client)) return false;
    }
    return true;
}

static torc_str take_last(torc_str *rest) {
    size_t start = rest->len;

    while (start > 0 && rest->bytes[start - 1] != ',') start--;
    const torc_str last = torc_str_trim(torc_str_from(*rest, start));
    *rest = torc_str_head(*rest, start ? start - 1 : 0);
    return last;
}

static bool walk_x_forwarded_for(walk *self, torc_str value) {
    torc_addr hop;

    while (value.len) {
        const torc_str last = take_last(&value);
        if (torc_forwarded_parse_addr(last, &hop) || !step(self, &hop)) return false;
    }
    return true;
}

/* Walk from the peer to the client; false: the peer is not believed. */
static bool walk_back(walk *self, const torc_request *request) {
    const torc_handler *handler = request->handler;
    const torc_fields *fields = &request->head->fields;

    *self = (walk){.handler = handler, .at = torc_request_peer(request)};
    if (!handler->trusted_count || !is_trusted(self)) return false;
    const torc_field_id id =
        handler->trusts_forwarded ? TORC_FIELD_FORWARDED : TORC_FIELD_X_FORWARDED_FOR;
    for (uint32_t i = fields->count; i > 0; i--) {
        const torc_field *field = &fields->items[i - 1];
        if (field->id != id) continue;
        if (!(handler->trusts_forwarded ? walk_forwarded : walk_x_forwarded_for)(self,
                                                                                 field->value))
            break;
    }
    return true;
}

torc_addr torc_request_client(const torc_request *request) {
    walk self;

    (void)walk_back(&self, request);
    return self.at;
}

/* ---- where the client has asked ---- */

/*
 * What a list of values in all fields of a name says of the client's side: each of the trusted
 * hops has added one behind what it got, or put its own in place of it. So no value counts that
 * stands before theirs.
 */
static torc_str told(const walk *self, const torc_request *request, torc_str name) {
    const torc_fields *fields = &request->head->fields;
    uint32_t left = self->hops > 1 ? self->hops : 1;
    torc_str value = {0};

    for (uint32_t i = fields->count; i > 0 && left > 0; i--) {
        torc_str rest = fields->items[i - 1].value;
        if (!torc_str_equals_nocase(fields->items[i - 1].name, name)) continue;
        for (; rest.len && left > 0; left--) value = take_last(&rest);
    }
    return value;
}

static void read_scheme(torc_request_origin *origin, torc_str scheme) {
    if (torc_str_equals_nocase(scheme, TORC_STR("https")) ||
        torc_str_equals_nocase(scheme, TORC_STR("wss")))
        origin->is_secure = true;
    if (torc_str_equals_nocase(scheme, TORC_STR("http")) ||
        torc_str_equals_nocase(scheme, TORC_STR("ws")))
        origin->is_secure = false;
}

/* A path, whose slashes at the end go. "//" at its front would name another host in a link. */
static void read_prefix(torc_request_origin *origin, torc_str prefix) {
    torc_target target;

    if (!prefix.len || prefix.bytes[0] != '/') return;
    if (torc_target_parse(prefix, TORC_METHOD_GET, &target) || target.query.bytes) return;
    while (prefix.len && prefix.bytes[prefix.len - 1] == '/') prefix.len--;
    if (prefix.len < 2 || prefix.bytes[1] == '/' || prefix.bytes[1] == '\\') return;
    origin->prefix = prefix;
}

/* The host with another port, which is left out if it goes without saying. */
static torc_err read_port(torc_request *request, torc_request_origin *origin, torc_str port) {
    const torc_str before =
        origin->authority.len ? origin->authority : torc_request_authority(request);
    torc_authority authority;
    torc_buf buf;
    uint64_t number;

    if (torc_str_parse_uint(port, UINT16_MAX, &number) || !number) return TORC_OK;
    if (torc_authority_parse(before, &authority)) return TORC_OK;
    const size_t size = authority.host.len + sizeof(":65535");
    char *text = torc_arena_bytes(request->arena, size);
    if (!text) return TORC_ERR_NO_MEMORY;
    torc_buf_init_fixed(&buf, text, size);
    torc_buf_add(&buf, authority.host);
    if (number != (origin->is_secure ? 443 : 80)) {
        torc_buf_add_byte(&buf, ':');
        torc_buf_add_uint(&buf, number);
    }
    origin->authority = torc_buf_str(&buf);
    return TORC_OK;
}

torc_err torc_request_read_origin(torc_request *request) {
    const torc_handler *handler = request->handler;
    const bool is_standard = handler->trusts_forwarded;
    torc_request_origin found = {.is_secure = torc_request_is_secure(request)};
    torc_err err = TORC_OK;
    walk self;

    if (!walk_back(&self, request)) return TORC_OK;
    const torc_str scheme =
        is_standard ? self.scheme : told(&self, request, TORC_STR("X-Forwarded-Proto"));
    const torc_str host =
        is_standard ? self.host : told(&self, request, TORC_STR("X-Forwarded-Host"));
    if (handler->believes_scheme) read_scheme(&found, scheme);
    if (handler->believes_host && torc_authority_is_valid(host)) found.authority = host;
    if (handler->believes_port)
        err = read_port(request, &found, told(&self, request, TORC_STR("X-Forwarded-Port")));
    if (handler->believes_prefix)
        read_prefix(&found, told(&self, request, TORC_STR("X-Forwarded-Prefix")));
    if (err) return err;
    request->origin = torc_arena_alloc(request->arena, sizeof(found));
    if (!request->origin) return TORC_ERR_NO_MEMORY;
    *request->origin = found;
    return TORC_OK;
}
