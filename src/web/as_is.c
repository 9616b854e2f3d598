/* SPDX-License-Identifier: MIT */
/*
 * Files as they are.
 *
 *  - A head is read whole before anything of it is used: there are no half responses.
 *  - What comes of it has passed the checks of every field, and the server frames it: whoever can
 *    write such a file can say what a response says, and cannot break the connection.
 */
#include "web/as_is.h"

#include <errno.h>
#include <torc/reply.h>
#include <unistd.h>

#include "http/request.h"
#include "reactor/detour.h"

/* ---- heads ---- */

static bool next_line(torc_str *rest, torc_str *line) {
    const ptrdiff_t end = torc_str_find_byte(*rest, '\n');

    if (end < 0) return false;
    *line = torc_str_head(*rest, (size_t)end);
    *rest = torc_str_from(*rest, (size_t)end + 1);
    if (torc_str_ends_with(*line, TORC_STR("\r"))) line->len--;
    return true;
}

/* "410 Gone", "410" */
static bool read_status(torc_str text, torc_as_is_head *head) {
    uint64_t status;

    if (text.len > 3 && text.bytes[3] != ' ') return false;
    if (torc_str_parse_uint(torc_str_head(text, 3), 599, &status) || status < 200) return false;
    head->status = (int)status;
    head->reason = torc_str_trim(torc_str_from(text, 4));
    return torc_field_value_is_valid(head->reason);
}

static bool read_status_line(torc_str line, torc_as_is_head *head) {
    if (!torc_str_starts_with(line, TORC_STR("HTTP/1.")) || line.len < 9 || line.bytes[8] != ' ')
        return false;
    return read_status(torc_str_from(line, 9), head);
}

/* Whether it is about how a message is framed, or about the connection. */
static bool is_of_wire(torc_str name) {
    switch (torc_field_find(name)) {
    case TORC_FIELD_CONNECTION:
    case TORC_FIELD_CONTENT_LENGTH:
    case TORC_FIELD_KEEP_ALIVE:
    case TORC_FIELD_PROXY_CONNECTION:
    case TORC_FIELD_TE:
    case TORC_FIELD_TRAILER:
    case TORC_FIELD_TRANSFER_ENCODING:
    case TORC_FIELD_UPGRADE:
        return true;
    default:
        return false;
    }
}

static bool read_field(torc_str line, torc_as_is_head *head) {
    torc_str value = line, name;

    torc_str_split(&value, ':', &name);
    if (!value.bytes) return false;
    value = torc_str_trim(value);
    if (torc_str_equals_nocase(name, TORC_STR("Status"))) return read_status(value, head);
    if (!torc_response_accepts(name, value)) return false;
    if (is_of_wire(name)) return true;
    if (head->field_count == TORC_AS_IS_FIELDS_MAX) return false;
    head->names[head->field_count] = name;
    head->values[head->field_count++] = value;
    return true;
}

bool torc_as_is_parse(torc_str text, torc_as_is_head *head) {
    torc_str rest = torc_str_head(text, TORC_AS_IS_HEAD_MAX), line;

    head->status = 200;
    head->reason = torc_str_make(NULL, 0);
    head->field_count = 0;
    for (bool is_first = true; next_line(&rest, &line); is_first = false) {
        if (line.len == 0) {
            head->len = (size_t)(rest.bytes - text.bytes);
            return !is_first;
        }
        if (is_first && torc_str_starts_with(line, TORC_STR("HTTP/"))) {
            if (!read_status_line(line, head)) return false;
        } else if (!read_field(line, head)) {
            return false;
        }
    }
    return false;
}

/* ---- reading, by a thread ---- */

typedef struct reading {
    torc_found_file *file; /* a reference */
    size_t len;
    char text[TORC_AS_IS_HEAD_MAX];
} reading;

static torc_err read_beginning(void *data) {
    reading *self = data;

    while (self->len < sizeof(self->text)) {
        const ssize_t len = pread(self->file->file.fd, self->text + self->len,
                                  sizeof(self->text) - self->len, (off_t)self->len);
        if (len < 0 && errno == EINTR) continue;
        if (len < 0) return torc_err_from_errno(errno);
        if (len == 0) break;
        self->len += (size_t)len;
    }
    return TORC_OK;
}

static void dropped(void *data, bool has_run) {
    reading *self = data;

    (void)has_run;
    torc_found_file_unref(self->file);
}

/* ---- replying ---- */

static torc_err set_head(torc_request *request, const torc_as_is_head *head) {
    torc_arena *arena = torc_request_arena(request);
    const char *reason = head->reason.len ? torc_arena_cstr(arena, head->reason) : NULL;

    if (head->reason.len && !reason) return TORC_ERR_NO_MEMORY;
    torc_response_set_status(request, head->status, reason);
    for (uint32_t i = 0; i < head->field_count; i++) {
        const char *name = torc_arena_cstr(arena, head->names[i]);
        if (!name) return TORC_ERR_NO_MEMORY;
        torc_response_add(request, name, head->values[i]);
    }
    return TORC_OK;
}

static torc_render reply(torc_request *request, torc_found_file *file, torc_str text) {
    const uint64_t size = (uint64_t)file->about.st_size;
    torc_as_is_head head;
    torc_err err;

    if (!torc_as_is_parse(text, &head) || head.len > size)
        return torc_reply_failure(request, "the head of a file that is sent as it is is malformed");
    err = set_head(request, &head);
    if (err) return torc_reply_error(request, err);
    if (head.status == 204 || head.status == 304) return torc_reply_end(request);
    torc_response_set_length(request, size - head.len);
    if (size > head.len && torc_request_method(request) != TORC_METHOD_HEAD)
        torc_found_file_write(file, request, head.len, size - head.len);
    return torc_reply_end(request);
}

torc_render torc_as_is_reply(torc_request *request, torc_found_file *file) {
    void *data;
    reading *self;
    torc_render rendered;
    torc_err err;

    if (file->content.bytes)
        return reply(request, file,
                     torc_str_make(file->content.bytes, (size_t)file->about.st_size));
    data = self = torc_detour_new(torc_request_reactor(request), sizeof(*self));
    if (!self) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    self->file = torc_found_file_ref(file);
    err = torc_detour_run(&data, read_beginning, dropped);
    if (!data) return torc_reply_error(request, err); /* left behind */
    rendered = err ? torc_reply_error(request, err)
                   : reply(request, file, torc_str_make(self->text, self->len));
    dropped(self, true);
    torc_detour_free(self);
    return rendered;
}
