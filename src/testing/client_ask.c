/* SPDX-License-Identifier: MIT */
/*
 * Asking: what a client sends, and when.
 *
 *  - Bodies announce their length, unless the test's own head says otherwise.
 *  - A redirect is asked as a browser asks it (RFC 9110 §15.4): after 303, and after 301 and 302 of
 *    a POST, by GET and without the body.
 */
#include <stdarg.h>
#include <stdio.h>
#include <torc/status.h>
#include <torc/target.h>
#include <torc/url.h>

#include "testing/client.h"
#include "testing/expect.h"
#include "testing/request.h"

enum {
    HEAD_MAX = 1024 * 1024,
    FORM_MAX = 64 * 1024 * 1024,
    SLOW_STEPS_WITHOUT_ANYTHING = 100
};

/* What is asked, and asked again of another place. */
typedef struct question {
    const char *place;
    torc_str method, target;
    const char *type; /* of the body; NULL: there is none */
    torc_str body;
} question;

/* ---- fields ---- */

static void complain(const torc_test_client *self, torc_err err, const char *what) {
    if (err) torc_test_fail_at(self->place, "%s: %s", what, torc_err_text(err));
}

void torc_test_client_set_field(torc_test_client *self, const char *name, const char *value) {
    torc_str kept, kept_name;

    torc_fields_remove(&self->fields, torc_str_of(name));
    if (!value) return;
    torc_err err = torc_arena_copy(&self->arena, torc_str_of(value), &kept);
    if (!err) err = torc_arena_copy(&self->arena, torc_str_of(name), &kept_name);
    if (!err) err = torc_fields_add(&self->fields, &self->arena, kept_name, kept);
    complain(self, err, name);
}

void torc_test_client_add_field(torc_test_client *self, const char *name, const char *value) {
    complain(self,
             torc_fields_add_copy(&self->next_fields, &self->arena, torc_str_of(name),
                                  torc_str_of(value)),
             name);
}

torc_err torc_test_client_set_peer(torc_test_client *self, const char *host, uint16_t port) {
    return torc_addr_parse(torc_str_of(host), port, &self->peer);
}

void torc_test_client_set_pieces(torc_test_client *self, size_t bytes, uint64_t pause_ms) {
    self->piece_bytes = bytes;
    self->piece_ms = pause_ms;
}

void torc_test_client_set_slow(torc_test_client *self, size_t bytes, uint64_t pause_ms) {
    self->slow_bytes = bytes;
    self->slow_ms = pause_ms;
}

void torc_test_client_follow_redirects(torc_test_client *self, uint32_t most) {
    self->redirects_max = most;
}

uint32_t torc_test_client_redirect_count(const torc_test_client *self) {
    return self->redirects;
}

/* ---- one request ---- */

/* Whether the lines of a head have a field, at the beginning of one of them. */
static bool has_line(torc_str head, torc_str name) {
    torc_str line, is;

    (void)torc_str_split(&head, '\n', &line);
    while (head.bytes && torc_str_split(&head, '\n', &line))
        if (torc_str_split(&line, ':', &is) && torc_str_equals_nocase(is, name)) return true;
    return false;
}

/* The client's fields, but for those that the head or others have themselves. */
static void add_fields(torc_buf *text, const torc_fields *fields, torc_str head,
                       const torc_fields *others) {
    for (uint32_t i = 0; i < fields->count; i++) {
        const torc_field *field = &fields->items[i];
        if (has_line(head, field->name) || torc_fields_has(others, field->name)) continue;
        torc_buf_addf(text, "\n%.*s: %.*s", TORC_STR_ARGS(field->name),
                      TORC_STR_ARGS(field->value));
    }
}

/* The host that a request names, without its port. */
static const char *host_of(torc_test_client *self, const torc_test_request *request) {
    const torc_str host = torc_test_request_asked(request, "Host");
    torc_authority authority = {.host = host};

    if (torc_authority_parse(host, &authority)) authority.host = host;
    return torc_arena_cstr(&self->arena, authority.host);
}

static torc_test_asked *keep(torc_test_client *self, const char *place, torc_str head,
                             torc_test_request *request) {
    torc_test_asked *asked = torc_arena_alloc_zero(&self->arena, 1, sizeof(*asked));
    torc_str line;

    (void)torc_str_split(&head, '\n', &line);
    if (asked) asked->line = torc_arena_cstr(&self->arena, line);
    if (asked) asked->host = host_of(self, request);
    if (!asked || !asked->line || !asked->host) {
        torc_test_request_free(request);
        return NULL;
    }
    asked->place = place;
    asked->request = request;
    asked->is_secure = self->is_secure;
    *self->end = asked;
    self->end = &asked->next;
    self->looked_at = asked;
    return asked;
}

static bool has_own_cookies(const torc_test_client *self, torc_str head) {
    return has_line(head, TORC_STR("Cookie")) ||
           torc_fields_has(&self->fields, TORC_STR("Cookie")) ||
           torc_fields_has(&self->next_fields, TORC_STR("Cookie"));
}

/* The test's head, and what the client has besides; NUL-ended. */
static void add_head(torc_test_client *self, torc_buf *text, torc_str head) {
    static const torc_fields none = {0};
    torc_str rest = head, line, method, target;

    torc_test_client_take_cookies(self);
    torc_buf_add(text, head);
    add_fields(text, &self->fields, head, &self->next_fields);
    add_fields(text, &self->next_fields, torc_str_make(NULL, 0), &none);
    (void)torc_str_split(&rest, '\n', &line);
    if (torc_str_split(&line, ' ', &method) && torc_str_split(&line, ' ', &target) &&
        !has_own_cookies(self, head))
        torc_test_client_add_cookies(self, target, text);
    self->next_fields.count = 0;
    torc_buf_add_byte(text, '\0');
}

torc_test_request *torc_test_begin_at(const char *place, torc_test_client *self, const char *head) {
    torc_test_request *request = NULL;
    torc_buf text;

    if (!self->acceptor) {
        torc_test_fail_at(place, "%s: there is nobody to ask", head);
        return NULL;
    }
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, HEAD_MAX);
    add_head(self, &text, torc_str_of(head));
    if (!torc_buf_err(&text))
        request = torc_test_request_new(self->reactor, self->acceptor, torc_buf_str(&text).bytes);
    torc_buf_dispose(&text);
    if (!request || !keep(self, place, torc_str_of(head), request)) {
        torc_test_fail_at(place, "%s: it cannot be asked: malformed, or no memory", head);
        return NULL;
    }
    torc_test_request_set_limits(request, &self->limits);
    if (self->peer.len) torc_test_request_set_addr(request, &self->peer);
    if (self->is_secure) torc_test_request_set_secure(request);
    return request;
}

/* In pieces, as far as the server does not say that it wants no more. */
static void send_body(torc_test_client *self, torc_test_request *request, torc_str body) {
    const size_t most = self->piece_bytes ? self->piece_bytes : body.len;

    while (body.len > 0 && !torc_test_request_was_stopped(request)) {
        const torc_str piece = torc_str_head(body, most);
        torc_test_request_send(request, piece);
        body = torc_str_from(body, piece.len);
        if (body.len == 0) break;
        torc_test_client_advance(self, self->piece_ms);
    }
    torc_test_request_send_end(request);
}

/* Take the answer little by little, until it is there or nothing comes any more. */
static void take_slowly(torc_test_client *self, torc_test_request *request) {
    torc_test_client_run(self);
    for (int idle = 0; !torc_test_request_is_over(request) && idle < SLOW_STEPS_WITHOUT_ANYTHING;
         idle++) {
        const size_t before = torc_test_request_body(request).len;
        torc_test_request_take(request, self->slow_bytes);
        torc_test_client_advance(self, self->slow_ms);
        if (torc_test_request_body(request).len > before) idle = 0;
    }
    torc_test_request_take(request, SIZE_MAX);
}

static torc_test_request *ask(torc_test_client *self, const question *it) {
    torc_test_request *request;
    torc_buf head;

    torc_buf_init(&head, NULL, TORC_MEMORY_OTHER, HEAD_MAX);
    torc_buf_addf(&head, "%.*s %.*s", TORC_STR_ARGS(it->method), TORC_STR_ARGS(it->target));
    if (it->type)
        torc_buf_addf(&head, "\nContent-Type: %s\nContent-Length: %zu", it->type, it->body.len);
    torc_buf_add_byte(&head, '\0');
    request =
        torc_test_begin_at(it->place, self, torc_buf_err(&head) ? "" : torc_buf_str(&head).bytes);
    torc_buf_dispose(&head);
    if (!request) return NULL;
    if (self->slow_bytes) torc_test_request_hold_back(request);
    if (it->type) send_body(self, request, it->body);
    if (self->slow_bytes) take_slowly(self, request);
    torc_test_client_run(self);
    return request;
}

/* ---- redirects ---- */

/* The URL of what was asked. */
static void add_asked(torc_buf *url, const torc_test_client *self, torc_str target,
                      const torc_test_request *request) {
    if (torc_str_starts_with(target, TORC_STR("/")))
        torc_buf_addf(url, "%s://%.*s", self->is_secure ? "https" : "http",
                      TORC_STR_ARGS(torc_test_request_asked(request, "Host")));
    torc_buf_add(url, target);
}

/* Take what is asked next from a URL: the target, and whom it is asked of, as the client's next
 * requests are then. */
static torc_err go_to(torc_test_client *self, torc_str text, torc_str *target) {
    torc_url url;
    torc_buf next;
    torc_err err = torc_url_parse(text, &url);

    if (err) return err;
    char *host = torc_arena_cstr(&self->arena, url.authority);
    if (!host) return TORC_ERR_NO_MEMORY;
    torc_test_client_set_field(self, "Host", host);
    self->is_secure = torc_str_equals_nocase(url.scheme, TORC_STR("https"));
    torc_buf_init(&next, NULL, TORC_MEMORY_OTHER, HEAD_MAX);
    torc_buf_add(&next, url.path.len ? url.path : TORC_STR("/"));
    if (url.query.bytes) torc_buf_addf(&next, "?%.*s", TORC_STR_ARGS(url.query));
    err = torc_buf_err(&next);
    if (!err) err = torc_arena_copy(&self->arena, torc_buf_str(&next), target);
    torc_buf_dispose(&next);
    return err;
}

/* Where `location` leads from what was asked. */
static torc_err resolve(torc_test_client *self, const torc_test_request *request, torc_str location,
                        torc_str *target) {
    torc_buf base, url;

    torc_buf_init(&base, NULL, TORC_MEMORY_OTHER, HEAD_MAX);
    torc_buf_init(&url, NULL, TORC_MEMORY_OTHER, HEAD_MAX);
    add_asked(&base, self, *target, request);
    torc_err err = torc_buf_err(&base);
    if (!err) err = torc_url_resolve(torc_buf_str(&base), location, &url);
    if (!err) err = go_to(self, torc_buf_str(&url), target);
    torc_buf_dispose(&base);
    torc_buf_dispose(&url);
    return err;
}

static bool is(torc_str method, const char *name) {
    return torc_str_equals(method, torc_str_of(name));
}

/* The next request of a redirect that is to be followed. */
static bool follows(torc_test_client *self, question *it, const torc_test_request *request) {
    const int status = torc_test_request_status(request);
    const torc_str location = torc_test_request_field(request, "Location");

    if (self->redirects == self->redirects_max || !torc_status_is_redirect(status) ||
        !location.bytes)
        return false;
    const bool is_by_get =
        (status == 303 && !is(it->method, "HEAD")) || (status < 303 && is(it->method, "POST"));
    const torc_err err = resolve(self, request, location, &it->target);
    if (err) {
        torc_test_fail_at(it->place, "a redirect to \"%.*s\" cannot be followed: %s",
                          TORC_STR_ARGS(location), torc_err_text(err));
        return false;
    }
    if (is_by_get) {
        it->method = TORC_STR("GET");
        it->type = NULL;
    }
    self->redirects++;
    return true;
}

torc_test_request *torc_test_ask_at(const char *place, torc_test_client *self, const char *method,
                                    const char *target, const char *type, torc_str body) {
    question it = {place, torc_str_of(method), torc_str_of(target), type, body};
    torc_test_request *request;

    self->redirects = 0;
    do {
        request = ask(self, &it);
    } while (request && follows(self, &it, request));
    return request;
}

/* ---- forms ---- */

torc_test_request *torc_test_post_form_at(const char *place, torc_test_client *self,
                                          const char *target, ...) {
    const char *name, *value;
    torc_test_request *request;
    torc_buf body;
    va_list pairs;

    torc_buf_init(&body, NULL, TORC_MEMORY_OTHER, FORM_MAX);
    va_start(pairs, target);
    while ((name = va_arg(pairs, const char *)) != NULL) {
        value = va_arg(pairs, const char *);
        if (body.len) torc_buf_add_byte(&body, '&');
        torc_url_add_escaped(&body, torc_str_of(name));
        torc_buf_add_byte(&body, '=');
        if (!value) break;
        torc_url_add_escaped(&body, torc_str_of(value));
    }
    va_end(pairs);
    request = torc_test_ask_at(place, self, "POST", target, "application/x-www-form-urlencoded",
                               torc_buf_str(&body));
    torc_buf_dispose(&body);
    return request;
}

/* As browsers write it in a quoted string (RFC 7578 §4.2, and HTML). */
static void add_quoted(torc_buf *text, const char *name, const char *value) {
    torc_buf_addf(text, "; %s=\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\r' || *value == '\n')
            torc_buf_addf(text, "%%%02X", (unsigned)*value);
        else
            torc_buf_add_byte(text, *value);
    }
    torc_buf_add_byte(text, '"');
}

/* A boundary that no part has in it. */
static void choose_boundary(const torc_test_part *parts, size_t count, char boundary[40]) {
    bool is_taken = true;

    for (unsigned number = 0; is_taken; number++) {
        snprintf(boundary, 40, "torc-test-%u", number);
        is_taken = false;
        for (size_t i = 0; i < count && !is_taken; i++)
            is_taken = torc_test_contains(parts[i].body, torc_str_of(boundary));
    }
}

static void add_part(torc_buf *body, const torc_test_part *part, const char *boundary) {
    torc_buf_addf(body, "--%s\r\nContent-Disposition: form-data", boundary);
    add_quoted(body, "name", part->name);
    if (part->file_name) add_quoted(body, "filename", part->file_name);
    if (part->type) torc_buf_addf(body, "\r\nContent-Type: %s", part->type);
    torc_buf_add(body, TORC_STR("\r\n\r\n"));
    torc_buf_add(body, part->body);
    torc_buf_add(body, TORC_STR("\r\n"));
}

torc_test_request *torc_test_post_parts_at(const char *place, torc_test_client *self,
                                           const char *target, const torc_test_part *parts,
                                           size_t count) {
    char boundary[40], type[100];
    torc_buf body;

    choose_boundary(parts, count, boundary);
    torc_buf_init(&body, NULL, TORC_MEMORY_OTHER, FORM_MAX);
    for (size_t i = 0; i < count; i++) add_part(&body, &parts[i], boundary);
    torc_buf_addf(&body, "--%s--\r\n", boundary);
    snprintf(type, sizeof(type), "multipart/form-data; boundary=%s", boundary);
    torc_test_request *request =
        torc_test_ask_at(place, self, "POST", target, type, torc_buf_str(&body));
    torc_buf_dispose(&body);
    return request;
}
