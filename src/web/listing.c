/* SPDX-License-Identifier: MIT */
/*
 * Listings of folders.
 *
 *  - Names are bytes that anybody may have chosen: they are escaped as text, isolated as to their
 *    direction, and percent-encoded as references, which begin with `./`.
 *  - The page brings its style with it and runs nothing; Content-Security-Policy says so.
 */
#include "web/listing.h"

#include <stdio.h>
#include <time.h>
#include <torc/accept.h>
#include <torc/fiber.h>
#include <torc/representation.h>
#include <torc/target.h>
#include <torc/utf8.h>

#include "base/siphash.h"
#include "http/html.h"
#include "http/request.h"
#include "web/static_reply.h"

enum {
    PAGE_BYTES_MAX = 16 * 1024 * 1024,
    NAME_LEN_MAX = 255,
    ENTRIES_AT_ONCE = 256
};

static const char *const order_names[] = {
    [TORC_DIRECTORY_BY_NAME] = "name",
    [TORC_DIRECTORY_BY_SIZE] = "size",
    [TORC_DIRECTORY_BY_TIME] = "modified",
};

static bool argument_is(torc_request *request, const char *name, const char *wanted) {
    torc_str value;

    return torc_request_arg(request, name, &value) && torc_str_equals(value, torc_str_of(wanted));
}

static bool wants_json(torc_request *request) {
    const torc_fields *fields = torc_request_fields(request);

    if (argument_is(request, "format", "json")) return true;
    if (argument_is(request, "format", "html")) return false;
    return torc_accept_type_weight(fields, TORC_STR("application/json")) >
           torc_accept_type_weight(fields, TORC_STR("text/html"));
}

void torc_listing_order(torc_request *request, torc_directory_query *query) {
    query->is_descending = argument_is(request, "order", "desc");
    for (size_t i = 0; i < TORC_COUNT_OF(order_names); i++)
        if (argument_is(request, "sort", order_names[i])) query->order = (torc_directory_order)i;
}

/* A long listing holds the reactor for a few entries at a time. */
static torc_err let_others(torc_request *request, size_t place) {
    return place % ENTRIES_AT_ONCE == ENTRIES_AT_ONCE - 1
               ? torc_yield(torc_request_reactor(request))
               : TORC_OK;
}

/* ---- values ---- */

/* A name's reference: "./sp%20ace/". */
static void add_reference(torc_buf *page, const torc_directory_entry *entry) {
    char encoded[TORC_PERCENT_ENCODED_MAX(NAME_LEN_MAX)];
    const torc_str name = torc_str_head(entry->name, NAME_LEN_MAX);

    torc_buf_add(page, TORC_STR("./"));
    torc_html_add(page, torc_str_make(encoded, torc_percent_encode(name, encoded)));
    if (entry->is_folder) torc_buf_add_byte(page, '/');
}

/* A name as text: what is not UTF-8, or controls something, is shown as such. */
static void add_name(torc_buf *page, torc_str name) {
    static const torc_str replacement = TORC_STR_INIT("\xef\xbf\xbd");

    while (name.len > 0) {
        size_t len = torc_utf8_valid_len(name), clean = 0;
        while (clean < len && (unsigned char)name.bytes[clean] >= ' ' && name.bytes[clean] != 0x7f)
            clean++;
        torc_html_add(page, torc_str_head(name, clean));
        if (clean == name.len) return;
        torc_buf_add(page, replacement);
        name = torc_str_from(name, clean + 1);
    }
}

static void add_size(torc_buf *page, uint64_t size) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double number = (double)size;
    size_t unit = 0;

    for (; number >= 1024 && unit + 1 < TORC_COUNT_OF(units); unit++) number /= 1024;
    torc_buf_addf(page, unit && number < 10 ? "%.1f&nbsp;%s" : "%.0f&nbsp;%s", number, units[unit]);
}

static void format_time(int64_t seconds, char text[32]) {
    const time_t when = (time_t)seconds;
    struct tm parts;

    if (!gmtime_r(&when, &parts) || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900 ||
        strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        memcpy(text, "1970-01-01T00:00:00Z", 21);
}

/* ---- the page ---- */

static const char style[] =
    "<style>"
    ":root{color-scheme:light dark;--line:#ddd;--soft:#595959;--link:#0b57d0;--row:#f4f6f8;"
    "--back:#fff;--text:#1c1c1c}"
    "@media(prefers-color-scheme:dark){:root{--line:#3a3d41;--soft:#a8adb3;--link:#8ab4f8;"
    "--row:#24272b;--back:#17191c;--text:#e6e6e6}}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:var(--back);color:var(--text)}"
    "main{max-width:60rem;margin:0 auto;padding:1rem}"
    "h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere;margin:.5rem 0 1rem}"
    "a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.4rem .5rem;text-align:left;border-bottom:1px solid var(--line);"
    "vertical-align:top}"
    "th{font-weight:600;white-space:nowrap}tbody tr:hover{background:var(--row)}"
    "td:first-child{overflow-wrap:anywhere}"
    ".n{text-align:right;white-space:nowrap;color:var(--soft);font-variant-numeric:tabular-nums}"
    "caption,footer{caption-side:bottom;text-align:left;color:var(--soft);font-size:.875rem;"
    "padding:.75rem .5rem}"
    "@media(max-width:30rem){main{padding:.5rem}th,td{padding:.4rem .3rem}.t{display:none}}"
    "</style>";

/* "/docs/api/" with each of its folders a link, as far as they lie beneath what is served. */
static void add_path(torc_buf *page, const torc_request *request, bool with_links) {
    const size_t count = torc_request_segment_count(request) - 1;
    const size_t root = torc_request_depth(request);

    for (size_t i = 0; i <= count; i++) {
        /* i folders lead here: "/" is before the first. */
        const bool is_link = with_links && i >= root && i < count;
        if (is_link) {
            torc_buf_add(page, TORC_STR("<a href=\""));
            for (size_t up = i; up < count; up++) torc_buf_add(page, TORC_STR("../"));
            torc_buf_add(page, TORC_STR("\">"));
        }
        if (with_links) torc_buf_add(page, TORC_STR("<bdi>"));
        if (i > 0) add_name(page, torc_request_segment(request, i - 1));
        if (with_links) torc_buf_add(page, TORC_STR("</bdi>"));
        torc_buf_add_byte(page, '/');
        if (is_link) torc_buf_add(page, TORC_STR("</a>"));
    }
}

/* A column's heading: a link that sorts by it, the other way round if it is sorted so already. */
static void add_heading(torc_buf *page, const torc_directory_query *by, torc_directory_order order,
                        const char *title, bool is_number) {
    const bool is_current = by->order == order;
    const char *arrow = !is_current ? "" : by->is_descending ? " \xe2\x86\x93" : " \xe2\x86\x91";

    torc_buf_addf(page, "<th scope=\"col\"%s", is_number ? " class=\"n\"" : "");
    if (is_current)
        torc_buf_addf(page, " aria-sort=\"%s\"", by->is_descending ? "descending" : "ascending");
    torc_buf_addf(page,
                  "><a href=\"?sort=%s&amp;order=%s\">%s</a><span aria-hidden=\"true\">%s</span>"
                  "</th>\n",
                  order_names[order], is_current && !by->is_descending ? "desc" : "asc", title,
                  arrow);
}

static void add_row(torc_buf *page, const torc_directory_entry *entry) {
    char time[32];

    format_time(entry->modified, time);
    torc_buf_add(page, TORC_STR("<tr><td><a href=\""));
    add_reference(page, entry);
    torc_buf_add(page, TORC_STR("\"><bdi>"));
    add_name(page, entry->name);
    torc_buf_addf(page, "</bdi>%s</a></td><td class=\"n\"", entry->is_folder ? "/" : "");
    if (entry->is_folder) {
        torc_buf_add(page, TORC_STR(">\xe2\x80\x93"));
    } else {
        torc_buf_addf(page, " title=\"%llu bytes\">", (unsigned long long)entry->size);
        add_size(page, entry->size);
    }
    torc_buf_addf(page,
                  "</td><td class=\"n\"><time datetime=\"%s\">%.10s<span class=\"t\"> %.5s</span>"
                  "</time></td></tr>\n",
                  time, time, time + 11);
}

static void add_count(torc_buf *page, const torc_directory *directory) {
    size_t folders = 0;

    for (size_t i = 0; i < directory->count; i++) folders += directory->entries[i].is_folder;
    const size_t files = directory->count - folders;
    torc_buf_addf(page, "<caption>%zu folder%s, %zu file%s%s; times are UTC</caption>\n", folders,
                  folders == 1 ? "" : "s", files, files == 1 ? "" : "s",
                  directory->is_cut ? ", and more that are not listed" : "");
}

static torc_err write_page(torc_buf *page, torc_request *request, const torc_directory *directory) {
    torc_directory_query order = {.order = TORC_DIRECTORY_BY_NAME}, *by = &order;
    torc_err err = TORC_OK;

    torc_listing_order(request, by);
    torc_buf_add(page, TORC_STR("<!doctype html>\n<html lang=\"en\">\n<head><meta "
                                "charset=\"utf-8\"><meta name=\"viewport\" "
                                "content=\"width=device-width, initial-scale=1\"><title>"));
    add_path(page, request, false);
    torc_buf_add(page, TORC_STR("</title>"));
    torc_buf_add(page, torc_str_make(style, sizeof(style) - 1));
    torc_buf_add(page, TORC_STR("</head>\n<body><main>\n<h1>"));
    add_path(page, request, true);
    torc_buf_add(page, TORC_STR("</h1>\n<table>\n"));
    add_count(page, directory);
    torc_buf_add(page, TORC_STR("<thead><tr>"));
    add_heading(page, by, TORC_DIRECTORY_BY_NAME, "Name", false);
    add_heading(page, by, TORC_DIRECTORY_BY_SIZE, "Size", true);
    add_heading(page, by, TORC_DIRECTORY_BY_TIME, "Modified", true);
    torc_buf_add(page, TORC_STR("</tr></thead>\n<tbody>\n"));
    if (torc_request_segment_count(request) > torc_request_depth(request) + 1)
        torc_buf_add(page,
                     TORC_STR("<tr><td><a href=\"../\">..</a></td><td></td><td></td></tr>\n"));
    for (size_t i = 0; i < directory->count && !err; i++) {
        add_row(page, &directory->entries[i]);
        err = let_others(request, i);
    }
    torc_buf_add(page, TORC_STR("</tbody></table>\n</main></body>\n</html>\n"));
    return err ? err : torc_buf_err(page);
}

/* ---- JSON ---- */

static void add_object(torc_json *json, const torc_directory_entry *entry) {
    char encoded[TORC_PERCENT_ENCODED_MAX(NAME_LEN_MAX) + 4] = "./", time[32];
    size_t len = 2 + torc_percent_encode(torc_str_head(entry->name, NAME_LEN_MAX), encoded + 2);

    if (entry->is_folder) encoded[len++] = '/';
    format_time(entry->modified, time);
    torc_json_open_object(json);
    torc_json_member_str(json, "name", entry->name);
    torc_json_member_str(json, "href", torc_str_make(encoded, len));
    torc_json_member_text(json, "type", entry->is_folder ? "folder" : "file");
    if (!entry->is_folder) torc_json_member_uint(json, "size", entry->size);
    torc_json_member_text(json, "modified", time);
    torc_json_close_object(json);
}

static torc_err write_json(torc_buf *page, torc_request *request, const torc_directory *directory) {
    torc_err err = TORC_OK;
    torc_json json;

    torc_json_init_buf(&json, page, TORC_JSON_REPLACE_INVALID);
    torc_json_open_object(&json);
    torc_json_member_array(&json, "entries");
    for (size_t i = 0; i < directory->count && !err; i++) {
        add_object(&json, &directory->entries[i]);
        err = let_others(request, i);
    }
    if (err) return err;
    torc_json_close_array(&json);
    torc_json_member_bool(&json, "is_complete", !directory->is_cut);
    torc_json_close_object(&json);
    err = torc_json_end(&json);
    return err ? err : torc_buf_err(page);
}

/* ---- the reply ---- */

/* Of the content, and the same in every process. */
static torc_str tag_of(torc_str content, char text[24]) {
    static const torc_siphash_key key = {
        {UINT64_C(0x6c697374696e6773), UINT64_C(0x6f662066696c6573)}};
    const int len =
        snprintf(text, 24, "\"%016llx\"", (unsigned long long)torc_siphash(&key, content));

    return torc_str_make(text, (size_t)len);
}

static torc_render reply(torc_request *request, const char *type, torc_str content) {
    char tag[24];
    const torc_validators validators = {.etag = tag_of(content, tag),
                                        .last_modified = TORC_NO_DATE};

    torc_response_add_vary(request, "Accept");
    torc_response_set(request, "Content-Security-Policy",
                      TORC_STR("default-src 'none'; style-src 'unsafe-inline'"));
    return torc_reply_version(request, &validators, type, content);
}

torc_render torc_listing_reply(torc_request *request, const torc_directory *directory) {
    const bool as_json = wants_json(request);
    const char *type = as_json ? "application/json" : "text/html; charset=utf-8";
    torc_render rendered;
    torc_buf page;

    torc_buf_init(&page, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OUTPUT,
                  PAGE_BYTES_MAX);
    const torc_err err =
        as_json ? write_json(&page, request, directory) : write_page(&page, request, directory);
    rendered = err ? torc_reply_error(request, err) : reply(request, type, torc_buf_str(&page));
    torc_buf_dispose(&page);
    return rendered;
}
