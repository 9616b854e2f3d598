/* SPDX-License-Identifier: MIT */
/*
 * What developers are told of an error.
 *
 *  - A report is sections of rows, a name and a value each; three forms write the same.
 *  - Values under names of credentials are hidden, as in logs, and so is what stands before the
 *    host in URLs, and what stands behind the `?` of a page that led here. The report goes to a
 *    browser, from which it is copied into mails: rather too much is hidden than too little.
 *  - Everything is escaped where it is written, and nowhere else.
 */
#include "web/error_report.h"

#include <stdio.h>

#include <torc/failure.h>
#include <torc/link_info.h>

#include "base/ascii.h"
#include "base/log.h"
#include "base/symbol.h"
#include "http/html.h"
#include "web/error_source.h"
#include "web/passage.h"

typedef struct report report;

/* How a report is written. */
typedef struct report_form {
    void (*begin)(report *self, const char *section);
    void (*row)(report *self, torc_str name, torc_str value);
    void (*end)(report *self);
} report_form;

struct report {
    const report_form *form;
    torc_buf *page;
    torc_json *json;
    torc_request *request;
    const torc_error_reply *error;
    const char *section; /* that is begun with its first row */
    bool is_begun;
};

static const torc_str hidden = TORC_STR_INIT("[hidden]");

/* ---- sections and rows ---- */

/* Sections without rows are not there. */
static void open_section(report *self, const char *title) {
    self->section = title;
    self->is_begun = false;
}

static void row(report *self, torc_str name, torc_str value) {
    if (!self->is_begun) self->form->begin(self, self->section);
    self->is_begun = true;
    self->form->row(self, name, value);
}

static void named(report *self, const char *name, torc_str value) {
    if (value.len) row(self, torc_str_of(name), value);
}

static void close_section(report *self) {
    if (self->is_begun) self->form->end(self);
    self->is_begun = false;
}

/* ---- what is hidden ---- */

/* Names that mean more in a request than in a log. */
static bool is_secret(torc_str name) {
    static const char *const parts[] = {"auth", "session", "signature", "jwt", "csrf", "nonce"};
    static const char *const whole[] = {"key", "code", "sid", "sig", "pin", "otp", "state"};
    char bytes[64];
    const torc_str cut = torc_str_head(name, sizeof(bytes));

    if (torc_log_is_secret(name)) return true;
    for (size_t i = 0; i < cut.len; i++) {
        const char byte = cut.bytes[i];
        bytes[i] = torc_small(byte);
    }
    const torc_str small = torc_str_make(bytes, cut.len);
    for (size_t i = 0; i < TORC_COUNT_OF(parts); i++)
        if (torc_str_find(small, torc_str_of(parts[i])) >= 0) return true;
    for (size_t i = 0; i < TORC_COUNT_OF(whole); i++)
        if (torc_str_equals(small, torc_str_of(whole[i]))) return true;
    return false;
}

/* A path or URL may have in its query what is hidden elsewhere. */
static torc_str without_query(torc_str value) {
    const bool is_url =
        torc_str_starts_with(value, TORC_STR("/")) || torc_str_find(value, TORC_STR("://")) >= 0;
    const ptrdiff_t query = is_url ? torc_str_find_byte(value, '?') : -1;

    return query < 0 ? value : torc_str_head(value, (size_t)query);
}

static void guarded(report *self, torc_str name, torc_str value) {
    size_t start, end;

    row(self, name,
        is_secret(name) || torc_log_find_userinfo(value, 0, &start, &end) ? hidden
                                                                          : without_query(value));
}

/* ---- the sections ---- */

static void tell_answerer(report *self) {
    char symbol[TORC_SYMBOL_TEXT];
    torc_answerer who;

    torc_answerer_of(self->request, &who);
    open_section(self, "Who answered");
    named(self, "route", who.pattern);
    if (who.code) {
        torc_symbol_text(who.code, symbol);
        named(self, "function", torc_str_of(symbol));
    }
    close_section(self);
}

/* A failure, with what it came from below it. */
static void tell_failure_at(report *self, const torc_failure *failure, unsigned depth) {
    char name[40], bytes[TORC_FAILURE_MESSAGE_MAX + 512];
    const char *message = torc_failure_message(failure);
    torc_buf text;

    snprintf(name, sizeof(name), depth ? "because (%u)" : "failure", depth);
    torc_buf_init_fixed(&text, bytes, sizeof(bytes));
    torc_buf_addf(&text, "%s%s%s", message, *message ? ": " : "",
                  torc_err_text(torc_failure_err(failure)));
    if (*torc_failure_place(failure)) torc_buf_addf(&text, " (%s)", torc_failure_place(failure));
    row(self, torc_str_of(name), torc_buf_str(&text));
    for (const torc_failure *cause = torc_failure_cause(failure); cause;
         cause = torc_failure_next(cause))
        tell_failure_at(self, cause, depth + 1);
}

static void tell_error(report *self) {
    open_section(self, "What failed");
    if (self->error->err) {
        named(self, "error", torc_str_of(torc_err_name(self->error->err)));
        named(self, "meaning", torc_str_of(torc_err_text(self->error->err)));
    }
    if (self->error->failure) tell_failure_at(self, self->error->failure, 0);
    close_section(self);
}

/* The lines around the place of the innermost failure whose source is here. */
static void tell_source(report *self) {
    const torc_failure *failure = self->error->failure;
    torc_source_lines lines;

    while (torc_failure_cause(failure)) failure = torc_failure_cause(failure);
    if (!failure || !torc_source_read(torc_failure_place(failure), &lines)) return;
    open_section(self, "Source");
    for (uint32_t i = 0; i < lines.count; i++) {
        char name[32];
        const uint32_t number = lines.first + i;
        snprintf(name, sizeof(name), "%s%u", number == lines.wanted ? "> " : "", number);
        row(self, torc_str_of(name), lines.at[i]);
    }
    close_section(self);
}

/* Where it was told, the innermost first. */
static void tell_stack(report *self) {
    const torc_trace *trace = torc_request_trace(self->request);

    open_section(self, "Stack");
    for (uint32_t i = 0; trace && i < trace->count; i++) {
        char symbol[TORC_SYMBOL_TEXT], name[16];
        snprintf(name, sizeof(name), "#%u", i);
        /* A return address is behind the call. */
        torc_symbol_text((const char *)trace->frames[i] - 1, symbol);
        row(self, torc_str_of(name), torc_str_of(symbol));
    }
    close_section(self);
}

static void tell_address(report *self, const char *name, torc_addr addr) {
    char text[TORC_ADDR_TEXT_MAX];
    named(self, name, torc_addr_text(&addr, text));
}

static void tell_connection(report *self) {
    const torc_link_info *link = torc_request_link_info(self->request);

    tell_address(self, "peer", torc_request_peer(self->request));
    tell_address(self, "client", torc_request_client(self->request));
    tell_address(self, "host", torc_request_host(self->request));
    if (!link || !link->tls) return;
    named(self, "TLS", link->tls->version);
    named(self, "cipher", link->tls->cipher);
    named(self, "server name", link->tls->server_name);
    named(self, "protocol", link->tls->protocol);
    named(self, "peer name", link->tls->peer_name);
}

/* One with a parameter that is a credential is told by its route alone. */
static torc_str path_of(const report *self) {
    torc_str name, value;
    const void *param = NULL;

    while (torc_request_param_next(self->request, &param, &name, &value))
        if (is_secret(name)) return hidden;
    return torc_request_path(self->request);
}

static void tell_request(report *self) {
    const int version = torc_request_version(self->request);
    char text[32];

    open_section(self, "Request");
    named(self, "method", torc_request_method_text(self->request));
    named(self, "path", path_of(self));
    snprintf(text, sizeof(text), "HTTP/%d.%d", version / 10, version % 10);
    named(self, "version", torc_str_of(text));
    named(self, "scheme", torc_request_scheme(self->request));
    named(self, "authority", torc_request_authority(self->request));
    tell_connection(self);
    close_section(self);
}

static void tell_arguments(report *self) {
    torc_str name, value;
    const void *param = NULL;
    size_t place = 0;

    open_section(self, "Parameters");
    while (torc_request_param_next(self->request, &param, &name, &value))
        guarded(self, name, value);
    close_section(self);
    open_section(self, "Query");
    while (torc_request_arg_next(self->request, &place, &name, &value)) guarded(self, name, value);
    close_section(self);
}

/* Of cookies there are the names; what has no `=` is the value of one without (RFC 6265bis). */
static void tell_cookies(report *self, torc_str cookies) {
    torc_str cookie;

    while (torc_str_split(&cookies, ';', &cookie)) {
        const torc_str pair = torc_str_trim(cookie);
        const ptrdiff_t equals = torc_str_find_byte(pair, '=');
        row(self, torc_str_head(pair, equals < 0 ? 0 : (size_t)equals), hidden);
    }
}

static void tell_fields(report *self) {
    const torc_fields *fields = torc_request_fields(self->request);

    open_section(self, "Fields");
    for (uint32_t i = 0; i < fields->count; i++)
        guarded(self, fields->items[i].name, fields->items[i].value);
    close_section(self);
    open_section(self, "Cookies");
    for (uint32_t i = 0; i < fields->count; i++)
        if (fields->items[i].id == TORC_FIELD_COOKIE) tell_cookies(self, fields->items[i].value);
    close_section(self);
}

static void tell_all(report *self) {
    tell_error(self);
    tell_source(self);
    tell_answerer(self);
    tell_stack(self);
    tell_request(self);
    tell_arguments(self);
    tell_fields(self);
}

/* ---- HTML ---- */

static void begin_html(report *self, const char *section) {
    torc_buf_addf(self->page, "<h2>%s</h2>\n<table>\n", section);
}

static void html_row(report *self, torc_str name, torc_str value) {
    torc_buf_add(self->page, TORC_STR("<tr><th>"));
    torc_html_add(self->page, name);
    torc_buf_add(self->page, TORC_STR("</th><td>"));
    torc_html_add(self->page, value);
    torc_buf_add(self->page, TORC_STR("</td></tr>\n"));
}

static void end_html(report *self) {
    torc_buf_add(self->page, TORC_STR("</table>\n"));
}

static const report_form html = {begin_html, html_row, end_html};

static const char style[] =
    "<style>\n"
    "body{margin:2em auto;max-width:70em;padding:0 1em;font:16px/1.5 system-ui,sans-serif;"
    "color:#1b1f24;background:#fff}\n"
    "h1{margin-bottom:0;color:#b3261e}\n"
    "h2{margin:1.6em 0 .3em;font-size:1.05em}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.15em .8em .15em 0;vertical-align:top;text-align:left;"
    "font:13px/1.5 ui-monospace,monospace;border-top:1px solid #d8dee4}\n"
    "th{width:11em;color:#57606a;white-space:nowrap}\n"
    "td{white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "footer{margin:2em 0;color:#57606a;font-size:.85em}\n"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}h1{color:#ff7b72}"
    "th,footer{color:#8b949e}th,td{border-color:#30363d}}\n"
    "</style>\n";

void torc_error_report_add_html(torc_buf *page, torc_request *request,
                                const torc_error_reply *error, torc_str title, torc_str heading,
                                torc_str detail) {
    report self = {.form = &html, .page = page, .request = request, .error = error};

    torc_buf_add(page,
                 TORC_STR("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
                          "<title>"));
    torc_html_add(page, title);
    torc_buf_add(page, TORC_STR("</title>\n"));
    torc_buf_add(page, torc_str_of(style));
    torc_buf_add(page, TORC_STR("</head>\n<body>\n<h1>"));
    torc_html_add(page, heading);
    torc_buf_add(page, TORC_STR("</h1>\n<p>"));
    torc_html_add(page, detail);
    torc_buf_add(page, TORC_STR("</p>\n"));
    tell_all(&self);
    torc_buf_add(page, TORC_STR("<footer>You see this because error details are on "
                                "(--show-errors). Credentials are hidden.</footer>\n"
                                "</body>\n</html>\n"));
}

/* ---- text ---- */

static void begin_text(report *self, const char *section) {
    torc_buf_addf(self->page, "\n%s\n", section);
}

static void text_row(report *self, torc_str name, torc_str value) {
    torc_buf_addf(self->page, "  %.*s: %.*s\n", TORC_STR_ARGS(name), TORC_STR_ARGS(value));
}

static void end_text(report *self) {
    (void)self;
}

static const report_form text = {begin_text, text_row, end_text};

void torc_error_report_add_text(torc_buf *page, torc_request *request,
                                const torc_error_reply *error) {
    report self = {.form = &text, .page = page, .request = request, .error = error};
    tell_all(&self);
}

/* ---- JSON ---- */

static void begin_json(report *self, const char *section) {
    torc_json_open_object(self->json);
    torc_json_member_text(self->json, "section", section);
    torc_json_member_array(self->json, "rows");
}

static void json_row(report *self, torc_str name, torc_str value) {
    torc_json_open_object(self->json);
    torc_json_member_str(self->json, "name", name);
    torc_json_member_str(self->json, "value", value);
    torc_json_close_object(self->json);
}

static void end_json(report *self) {
    torc_json_close_array(self->json);
    torc_json_close_object(self->json);
}

static const report_form json_form = {begin_json, json_row, end_json};

void torc_error_report_write_json(torc_json *json, torc_request *request,
                                  const torc_error_reply *error) {
    report self = {.form = &json_form, .json = json, .request = request, .error = error};

    torc_json_member_array(json, "debug");
    tell_all(&self);
    torc_json_close_array(json);
}
