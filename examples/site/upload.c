/* SPDX-License-Identifier: MIT */
/* Uploads: bodies and files of forms, read as they come, answered with sizes and digests, and never
 * kept. The page is at /files. */
#include "crc32.h"
#include "page.h"
#include "parts.h"

enum {
    FILES_MAX = 10,
    FILES_BYTES_MAX = 64 * 1024 * 1024
};

/* ---- a body that is a file: PUT /upload ---- */

static torc_render upload(torc_request *request) {
    uint64_t bytes = 0;
    uint32_t crc = 0;
    torc_str chunk;
    torc_err err;

    torc_request_limits(request)->body_bytes_max = 1024u * 1024 * 1024;
    while (!(err = torc_body_read(request, &chunk)) && chunk.len > 0) {
        bytes += chunk.len;
        crc = crc32_add(crc, chunk.bytes, chunk.len);
    }
    if (err) return torc_reply_error(request, err);

    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_uint(json, "length", bytes);
    torc_json_member_uint(json, "crc32", crc);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

/* ---- files of a form: POST /files ---- */

typedef struct seen_file {
    torc_str name, type, sha256;
    uint64_t len;
} seen_file;

typedef struct seen_files {
    seen_file items[FILES_MAX];
    size_t count;
} seen_files;

/* The part's bytes go through the digest and are gone. */
static torc_err digest_part(torc_form *form, torc_digest *digest, seen_file *it) {
    torc_arena *arena = torc_request_arena(torc_form_request(form));
    const size_t len = torc_digest_bytes(TORC_DIGEST_SHA256);
    unsigned char bytes[TORC_DIGEST_BYTES_MAX];
    torc_str chunk;
    torc_buf hex;
    torc_err err;

    while (!(err = torc_form_read(form, &chunk)) && chunk.len > 0) {
        torc_digest_add(digest, chunk);
        it->len += chunk.len;
    }
    if (!err) err = torc_digest_end(digest, bytes);
    char *room = err ? NULL : torc_arena_bytes(arena, 2 * len);
    if (!room) return err ? err : TORC_ERR_NO_MEMORY;
    torc_buf_init_fixed(&hex, room, 2 * len);
    torc_buf_add_hex(&hex, torc_str_make((const char *)bytes, len));
    it->sha256 = torc_buf_str(&hex);
    return torc_buf_err(&hex);
}

static torc_err see_file(torc_form *form, const torc_form_part *part, torc_digest *digest,
                         seen_files *files) {
    torc_arena *arena = torc_request_arena(torc_form_request(form));
    const torc_str name = torc_form_leaf_name(part->filename);
    seen_file it = {0};

    if (name.len == 0) return TORC_OK; /* no file, or none was chosen */
    if (files->count == FILES_MAX) return TORC_ERR_TOO_LARGE;
    torc_err err = torc_arena_copy(arena, name, &it.name);
    if (!err) err = torc_arena_copy(arena, part->content_type, &it.type);
    if (!err) err = digest_part(form, digest, &it);
    if (!err) files->items[files->count++] = it;
    return err;
}

static torc_err see_files(torc_request *request, torc_digest *digest, seen_files *files) {
    const torc_form_part *part;
    torc_form *form;
    torc_err err = torc_form_open(request, NULL, &form);

    while (!err && !(err = torc_form_next(form, &part)) && part)
        err = see_file(form, part, digest, files);
    return err;
}

static torc_render reply_json(torc_request *request, const void *data) {
    const seen_files *files = data;
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_array(json);
    for (size_t i = 0; i < files->count; i++) {
        torc_json_open_object(json);
        torc_json_member_str(json, "name", files->items[i].name);
        torc_json_member_str(json, "type", files->items[i].type);
        torc_json_member_uint(json, "bytes", files->items[i].len);
        torc_json_member_str(json, "sha256", files->items[i].sha256);
        torc_json_close_object(json);
    }
    torc_json_close_array(json);
    return torc_reply_end(request);
}

static void add_row(torc_buf *html, const seen_file *it) {
    torc_buf_add(html, TORC_STR("<tr><td>"));
    html_add(html, it->name);
    torc_buf_addf(html, "</td><td>%llu</td><td><code>", (unsigned long long)it->len);
    html_add(html, it->sha256);
    torc_buf_add(html, TORC_STR("</code></td></tr>\n"));
}

static torc_render reply_page(torc_request *request, const void *data) {
    const seen_files *files = data;
    torc_buf rows;

    torc_buf_init(&rows, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OUTPUT,
                  64 * 1024);
    if (files->count)
        torc_buf_add(&rows, TORC_STR("<table><caption>What came, and was not kept</caption><tr>"
                                     "<th>File</th><th>Bytes</th><th>SHA-256</th></tr>\n"));
    for (size_t i = 0; i < files->count; i++) add_row(&rows, &files->items[i]);
    if (files->count) torc_buf_add(&rows, TORC_STR("</table>\n"));

    const page_value values[] = {{"rows", torc_buf_str(&rows), true}};
    const torc_err err = torc_buf_err(&rows);
    const torc_render answer =
        err ? torc_reply_error(request, err) : page_reply(request, 200, "files", values, 1);
    torc_buf_dispose(&rows);
    return answer;
}

static torc_render take_files(torc_request *request) {
    static const torc_variant variants[] = {{"text/html", reply_page},
                                            {"application/json", reply_json}};
    seen_files files = {0};
    torc_digest *digest;

    torc_request_limits(request)->body_bytes_max = FILES_BYTES_MAX;
    torc_err err = torc_digest_new(torc_reactor_memory(torc_request_reactor(request)),
                                   TORC_DIGEST_SHA256, &digest);
    if (err) return torc_reply_error(request, err);
    err = see_files(request, digest, &files);
    torc_digest_free(digest);
    if (err) return torc_reply_error(request, err);
    return torc_reply_variant(request, variants, TORC_COUNT_OF(variants), &files);
}

static torc_render show_files(torc_request *request) {
    return reply_page(request, &(const seen_files){0});
}

void upload_use(torc_app *app) {
    page_route(app, "PUT /upload", upload);
    page_route(app, "POST /upload", upload);
    page_route(app, "GET /files", show_files);
    page_route(app, "POST /files", take_files);
}
