/* SPDX-License-Identifier: MIT */
/*
 * Redirects, and which of them stay at the site that was asked.
 *
 *  - A location is visible ASCII: nothing that browsers drop or trim, and no line breaks.
 *  - What a peer has given is local only if every reader of URLs takes it so: a path from the root
 *    with no backslash, which browsers take for a slash, and no second slash, which begins a host.
 */
#include <torc/status.h>
#include <torc/url.h>

#include "http/html.h"
#include "http/request_state.h"

enum {
    LOCATION_MAX = 256 * 1024
};

static void add_redirect_page(torc_buf *page, torc_str location) {
    torc_buf_add(page,
                 TORC_STR("<!DOCTYPE html>\n<html lang=\"en\">\n<title>Moved</title>\n<p>This has "
                          "moved to <a href=\""));
    torc_html_add(page, location);
    torc_buf_add(page, TORC_STR("\">"));
    torc_html_add(page, location);
    torc_buf_add(page, TORC_STR("</a>.</p>\n</html>\n"));
}

/* Visible ASCII: a reference that needs other characters has them percent-encoded. */
static bool is_location(torc_str location) {
    for (size_t i = 0; i < location.len; i++)
        if (location.bytes[i] <= ' ' || location.bytes[i] > '~') return false;
    return location.len > 0;
}

torc_render torc_reply_redirect(torc_request *request, int status, const char *location) {
    const torc_str where = torc_str_of(location);
    torc_buf page;

    torc_buf_init(&page, &request->reactor->memory, TORC_MEMORY_OUTPUT, 512 * 1024);
    if (torc_status_is_redirect(status) && is_location(where)) {
        torc_response_set_status(request, status, NULL);
        torc_response_set_type(request, TORC_STR("text/html; charset=utf-8"));
        torc_response_set(request, "Location", where);
        add_redirect_page(&page, where);
        if (torc_buf_err(&page)) torc_response_fail(request, torc_buf_err(&page));
    } else {
        torc_response_fail(request, TORC_ERR_INVALID);
    }
    torc_response_send_whole(request, torc_buf_str(&page), false);
    torc_buf_dispose(&page);
    return TORC_RENDER_DONE;
}

static bool is_path(torc_str location) {
    if (!is_location(location) || location.bytes[0] != '/') return false;
    if (torc_str_find_byte(location, '\\') >= 0) return false;
    return location.len == 1 || location.bytes[1] != '/';
}

/* What stands behind the origin that was asked, if the location begins with it. */
static bool skip_origin(const torc_request *request, torc_str *location) {
    const torc_str parts[] = {torc_request_scheme(request), TORC_STR("://"),
                              torc_request_authority(request)};
    torc_str rest = *location;

    if (!parts[2].len) return false;
    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++) {
        if (!torc_str_equals_nocase(torc_str_head(rest, parts[i].len), parts[i])) return false;
        rest = torc_str_from(rest, parts[i].len);
    }
    *location = rest.len ? rest : TORC_STR("/");
    return true;
}

bool torc_request_is_local(const torc_request *request, torc_str location) {
    if (is_path(location)) return true;
    return skip_origin(request, &location) && is_path(location);
}

torc_render torc_reply_redirect_local(torc_request *request, int status, torc_str location,
                                      const char *otherwise) {
    if (torc_request_is_local(request, location)) {
        const char *text = torc_arena_cstr(request->arena, location);
        return text ? torc_reply_redirect(request, status, text)
                    : torc_reply_error(request, TORC_ERR_NO_MEMORY);
    }
    if (otherwise) return torc_reply_redirect(request, status, otherwise);
    return torc_reply_status(request, 400, "The redirect leads to another site.");
}

/* Put the query into a location: in front of its fragment, behind a query of its own. */
static void add_with_query(torc_buf *text, torc_str location, torc_str query) {
    const ptrdiff_t hash = torc_str_find_byte(location, '#');
    const torc_str head = hash < 0 ? location : torc_str_head(location, (size_t)hash);
    const bool has_own = torc_str_find_byte(head, '?') >= 0;

    torc_buf_add(text, head);
    if (query.len || (query.bytes && !has_own)) {
        torc_buf_add_byte(text, has_own ? '&' : '?');
        torc_buf_add(text, query);
    }
    torc_buf_add(text, torc_str_from(location, head.len));
    torc_buf_add_byte(text, '\0');
}

torc_render torc_reply_redirect_with_query(torc_request *request, int status,
                                           const char *location) {
    torc_buf text;

    torc_buf_init(&text, &request->reactor->memory, TORC_MEMORY_OUTPUT, LOCATION_MAX);
    add_with_query(&text, torc_str_of(location), torc_request_query(request));
    if (torc_buf_err(&text))
        torc_reply_error(request, torc_buf_err(&text));
    else
        torc_reply_redirect(request, status, text.bytes);
    torc_buf_dispose(&text);
    return TORC_RENDER_DONE;
}

torc_render torc_reply_redirect_elsewhere(torc_request *request, int status, torc_str scheme,
                                          torc_str authority) {
    const torc_url url = {
        .scheme = scheme,
        .authority = authority,
        .path = torc_request_path(request),
        .query = torc_request_query(request),
    };
    torc_buf text;

    if (!authority.len || torc_str_equals(url.path, TORC_STR("*")))
        return torc_reply_status(request, 400, "The request names no host, or no path.");
    torc_buf_init(&text, &request->reactor->memory, TORC_MEMORY_OUTPUT, LOCATION_MAX);
    torc_url_format(&url, &text);
    torc_buf_add_byte(&text, '\0');
    if (torc_buf_err(&text))
        torc_reply_error(request, torc_buf_err(&text));
    else
        torc_reply_redirect(request, status, text.bytes);
    torc_buf_dispose(&text);
    return TORC_RENDER_DONE;
}

void torc_response_set_refresh(torc_request *request, uint32_t seconds, const char *location) {
    torc_buf text;

    torc_buf_init(&text, &request->reactor->memory, TORC_MEMORY_OUTPUT, LOCATION_MAX);
    torc_buf_add_uint(&text, seconds);
    if (location) {
        if (!is_location(torc_str_of(location))) torc_response_fail(request, TORC_ERR_INVALID);
        torc_buf_addf(&text, "; url=%s", location);
    }
    if (torc_buf_err(&text)) torc_response_fail(request, torc_buf_err(&text));
    torc_response_set(request, "Refresh", torc_buf_str(&text));
    torc_buf_dispose(&text);
}
