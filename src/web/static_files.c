/* SPDX-License-Identifier: MIT */
/*
 * The files of a folder: what a request is answered with. How they are found is in
 * web/static_lookup.c.
 *
 *  - Names that begin with a dot are never served.
 *  - What was found is held until the answer is written; what is still to be sent then holds it.
 */
#include <stdio.h>
#include <torc/media_types.h>
#include <torc/representation.h>
#include <torc/resource.h>

#include "base/alloc.h"
#include "http/request.h"
#include "web/static_lookup.h"

enum {
    NAME_LEN_MAX = 255
};

typedef struct static_files {
    torc_resource base;
    torc_static_folder *folder;
    char index[NAME_LEN_MAX + 2]; /* behind a slash; "": none */
    char default_type[128];
} static_files;

static static_files *self_of(torc_resource *resource) {
    return torc_container_of(resource, static_files, base);
}

/* ---- the path ---- */

/* Whether a segment can be the name of a file that may be served. */
static bool is_servable(torc_str segment) {
    return segment.len > 0 && segment.len <= NAME_LEN_MAX && segment.bytes[0] != '.' &&
           !memchr(segment.bytes, '/', segment.len) && !memchr(segment.bytes, '\0', segment.len);
}

/* What a request asks for beneath the folder. */
typedef struct asked {
    bool wants_folder; /* it ends in a slash */
    size_t len;
    char path[TORC_STATIC_PATH_SIZE];
} asked;

/* The path from the segments that are left; false: nothing that could be served. */
static bool read_path(const torc_request *request, asked *self) {
    const size_t depth = torc_request_depth(request), count = torc_request_segment_count(request);

    self->wants_folder = depth < count && torc_request_segment(request, count - 1).len == 0;
    self->len = 0;
    for (size_t i = depth; i < count - (self->wants_folder ? 1 : 0); i++) {
        const torc_str segment = torc_request_segment(request, i);
        if (!is_servable(segment) || self->len + 1 + segment.len >= sizeof(self->path))
            return false;
        if (self->len > 0) self->path[self->len++] = '/';
        memcpy(self->path + self->len, segment.bytes, segment.len);
        self->len += segment.len;
    }
    return true;
}

/* ---- answering ---- */

/* The name that decides about the type: the index's, or the last of the path. */
static torc_str name_of(const static_files *self, const asked *path) {
    size_t at = path->len;

    if (path->wants_folder) return torc_str_of(self->index + 1);
    if (path->len == 0) return torc_static_folder_name(self->folder);
    while (at > 0 && path->path[at - 1] != '/') at--;
    return torc_str_make(path->path + at, path->len - at);
}

typedef struct file_version {
    torc_representation base;
    torc_found_file *file;
} file_version;

static torc_err write_range(const torc_representation *base, torc_request *request, uint64_t first,
                            uint64_t len) {
    torc_found_file_write(torc_container_of(base, file_version, base)->file, request, first, len);
    return TORC_OK;
}

static torc_render reply_file(torc_request *request, torc_found_file *file, torc_str type) {
    const file_version version = {
        .base = {.validators = {.etag = file->etag, .last_modified = file->about.st_mtim.tv_sec},
                 .content_type = type,
                 .size = (uint64_t)file->about.st_size,
                 .write = write_range},
        .file = file,
    };
    return torc_reply_representation(request, &version.base);
}

/*
 * A folder is asked for without the slash: to the same with it, and with the query. The reference
 * is relative, so that it holds behind whatever rewrites paths; a segment that could be taken for
 * more than a name gets a `./`.
 */
static torc_render redirect_to_folder(torc_request *request) {
    const torc_str query = torc_request_query(request);
    const torc_str name =
        torc_request_segment_raw(request, torc_request_segment_count(request) - 1);
    const bool is_plain = torc_str_find_byte(name, ':') < 0 && torc_str_find_byte(name, '\\') < 0;
    torc_buf location;
    torc_render answer;

    torc_buf_init(&location, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OTHER,
                  256 * 1024);
    torc_buf_addf(&location, "%s%.*s/", is_plain ? "" : "./", TORC_STR_ARGS(name));
    if (query.bytes) torc_buf_addf(&location, "?%.*s", TORC_STR_ARGS(query));
    torc_buf_add_byte(&location, '\0');
    answer = torc_buf_err(&location) ? torc_reply_error(request, torc_buf_err(&location))
                                     : torc_reply_redirect(request, 302, location.bytes);
    torc_buf_dispose(&location);
    return answer;
}

static torc_render answer_with(const static_files *self, torc_request *request, const asked *path,
                               torc_found_file *found) {
    if (found->kind == TORC_FOUND_FOLDER) return redirect_to_folder(request);
    const torc_str type = torc_media_types_find(NULL, name_of(self, path));
    return reply_file(request, found, type.bytes ? type : torc_str_of(self->default_type));
}

static torc_err find(const static_files *self, torc_request *request, const asked *path,
                     torc_static_answer *answer) {
    const torc_static_path where = {
        .path = torc_str_make(path->path, path->len),
        .tail = torc_str_of(path->wants_folder ? self->index : NULL),
        .accepts = path->wants_folder ? TORC_FOUND_FILE : TORC_FOUND_FILE | TORC_FOUND_FOLDER,
    };
    const torc_static_query query = {.paths = &where, .path_count = 1};

    if (path->wants_folder && !self->index[0]) return TORC_ERR_NOT_FOUND;
    return torc_static_find(self->folder, torc_request_reactor(request), &query, answer);
}

static torc_render render(torc_resource *resource, torc_request *request) {
    const static_files *self = self_of(resource);
    torc_static_answer answer;
    torc_render rendered;
    asked path;

    const torc_err err =
        read_path(request, &path) ? find(self, request, &path, &answer) : TORC_ERR_NOT_FOUND;
    if (err) return torc_reply_error(request, err);
    rendered = answer_with(self, request, &path, answer.found);
    torc_static_answer_dispose(&answer);
    return rendered;
}

static void dispose(torc_resource *resource) {
    static_files *self = self_of(resource);

    torc_static_folder_unref(self->folder);
    torc_dealloc(NULL, self);
}

static const torc_resource_ops static_files_ops = {.render = render, .dispose = dispose};

/* ---- making one ---- */

/* The options that were given, the rest as defaults; longer than the caller's struct is never read.
 */
static torc_static_files_options read_options(const torc_static_files_options *given) {
    torc_static_files_options options = {.size = sizeof(options)};

    if (given)
        memcpy(&options, given, given->size < sizeof(options) ? given->size : sizeof(options));
    if (!options.index) options.index = "index.html";
    if (!options.default_type) options.default_type = "application/octet-stream";
    return options;
}

static bool copy_text(char *to, size_t size, const char *from) {
    return (size_t)snprintf(to, size, "%s", from) < size &&
           torc_field_value_is_valid(torc_str_of(from));
}

torc_resource *torc_static_files_new(const char *path, const torc_static_files_options *given) {
    const torc_static_files_options options = read_options(given);
    static_files *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return NULL;
    torc_resource_init(&self->base, &static_files_ops);
    self->base.methods = torc_method_bit(TORC_METHOD_GET);
    self->base.is_leaf = true;
    self->base.on_fiber = true;
    self->folder = torc_static_folder_new(path);
    if (options.index[0]) self->index[0] = '/';
    if (self->folder && copy_text(self->index + 1, sizeof(self->index) - 1, options.index) &&
        copy_text(self->default_type, sizeof(self->default_type), options.default_type))
        return &self->base;
    if (self->folder) torc_static_folder_unref(self->folder);
    torc_dealloc(NULL, self);
    return NULL;
}
