/* SPDX-License-Identifier: MIT */
/*
 * The files of a folder.
 *
 *  - The folder is opened once, when the resource is made; every path is opened beneath that
 * descriptor. What is not a folder then (a file, or nothing yet) is looked at anew for each
 * request.
 *  - Opening is tried at once as long as the kernel has all names in its cache, and done by a
 * thread otherwise, so that no disk holds the reactor.
 *  - A thread that is left behind holds a reference to the folder, counted on the reactor's thread.
 *  - Names that begin with a dot are never served.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <torc/conditional.h>
#include <torc/date.h>
#include <torc/range.h>
#include <torc/reply.h>
#include <torc/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/request.h"
#include "message/media_type.h"
#include "reactor/beneath.h"
#include "reactor/detour.h"
#include "reactor/syscalls.h"

enum {
    PATH_SIZE = 4096,
    NAME_LEN_MAX = 255,
    ETAG_SIZE = 56
};

/* What is served: shared by the resource and its threads. */
typedef struct folder {
    uint32_t refs;
    int fd; /* -1: no folder when it was made */
    char path[];
} folder;

typedef struct static_files {
    torc_resource base;
    folder *folder;
    char index[NAME_LEN_MAX + 1]; /* "": none */
    char default_type[128];
} static_files;

/* What a request looks for, and finds. Owned by the detour. */
typedef struct lookup {
    const torc_reactor *reactor;
    folder *folder;    /* a reference */
    int fd;            /* of a regular file; -1: none */
    bool wants_folder; /* the path ends in a slash */
    bool is_folder;    /* it is one: then a slash is missing, or an index */
    bool is_whole;     /* no segment is left: what was given itself */
    struct stat about;
    char index[NAME_LEN_MAX + 1];
    size_t path_size;
    char path[]; /* beneath the folder */
} lookup;

static static_files *self_of(torc_resource *resource) {
    return torc_container_of(resource, static_files, base);
}

/* ---- the folder ---- */

static folder *folder_new(const char *path) {
    const size_t size = strlen(path) + 1;
    folder *self = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*self) + size);

    if (!self) return NULL;
    self->refs = 1;
    self->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    memcpy(self->path, path, size);
    return self;
}

static void folder_unref(folder *self) {
    if (--self->refs > 0) return;
    if (self->fd >= 0) close(self->fd);
    torc_dealloc(NULL, self);
}

/* ---- looking: on any thread ---- */

static void close_found(lookup *self) {
    if (self->fd >= 0) close(self->fd);
    self->fd = -1;
}

/* What sort of thing was opened: only regular files are kept. */
static torc_err look_at(lookup *self) {
    if (torc_sys_fails(self->reactor, TORC_SYS_STAT, NULL) || fstat(self->fd, &self->about)) {
        const torc_err err = torc_err_from_errno(errno);
        close_found(self);
        return err;
    }
    self->is_folder = S_ISDIR(self->about.st_mode);
    if (S_ISREG(self->about.st_mode)) return TORC_OK;
    close_found(self);
    return self->is_folder ? TORC_OK : TORC_ERR_NOT_FOUND;
}

/* The folder's index; without one it is not found. */
static torc_err look_for_index(lookup *self, int at, torc_beneath_wait wait) {
    char path[PATH_SIZE + NAME_LEN_MAX + 2];
    torc_err err;

    if (!self->index[0]) return TORC_ERR_NOT_FOUND;
    snprintf(path, sizeof(path), "%s/%s", self->path, self->index);
    err = torc_beneath_open(self->reactor, at, path, wait, &self->fd);
    if (!err) err = look_at(self);
    return !err && self->is_folder ? TORC_ERR_NOT_FOUND : err;
}

static torc_err look_beneath(lookup *self, int at, torc_beneath_wait wait) {
    torc_err err = torc_beneath_open(self->reactor, at, self->path, wait, &self->fd);

    if (!err) err = look_at(self);
    if (err || !self->wants_folder) return err;
    if (self->is_folder) return look_for_index(self, at, wait);
    close_found(self);
    return TORC_ERR_NOT_FOUND; /* "/file.txt/" */
}

/* What was given is no folder that could be held open: a file, or what has come to be a folder
 * since. */
static torc_err look_at_given(lookup *self) {
    torc_err err;
    int fd;

    if (torc_sys_fails(self->reactor, TORC_SYS_OPEN, NULL)) return torc_err_from_errno(errno);
    fd = open(self->folder->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return torc_err_from_errno(errno);
    self->fd = fd;
    err = look_at(self); /* keeps a file */
    if (!err && !self->is_folder && !self->is_whole) err = TORC_ERR_NOT_FOUND;
    if (err || !self->is_folder) {
        if (err) close_found(self);
        return err;
    }
    fd = open(self->folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return torc_err_from_errno(errno);
    err = look_beneath(self, fd, TORC_BENEATH_MAY_BLOCK);
    close(fd);
    return err;
}

static torc_err look(void *data) {
    lookup *self = data;
    return self->folder->fd < 0 ? look_at_given(self)
                                : look_beneath(self, self->folder->fd, TORC_BENEATH_MAY_BLOCK);
}

static void drop_lookup(void *data, bool has_run) {
    lookup *self = data;

    if (has_run) close_found(self);
    folder_unref(self->folder);
}

/* ---- the path ---- */

/* Whether a segment can be the name of a file that may be served. */
static bool is_servable(torc_str segment) {
    return segment.len > 0 && segment.len <= NAME_LEN_MAX && segment.bytes[0] != '.' &&
           !memchr(segment.bytes, '/', segment.len) && !memchr(segment.bytes, '\0', segment.len);
}

/* Room for the path beneath the folder: what is longer is not the name of a file. */
static size_t path_size_of(const torc_request *request) {
    const size_t count = torc_request_segment_count(request);
    size_t size = 2; /* "." and NUL */

    for (size_t i = torc_request_depth(request); i < count; i++)
        size += 1 + torc_request_segment(request, i).len;
    return size < PATH_SIZE ? size : PATH_SIZE;
}

/* The path beneath the folder from the segments that are left; false: nothing that could be served.
 */
static bool read_path(torc_request *request, lookup *self) {
    const size_t depth = torc_request_depth(request), count = torc_request_segment_count(request);
    size_t at = 0;

    self->is_whole = depth == count;
    self->wants_folder = !self->is_whole && torc_request_segment(request, count - 1).len == 0;
    self->path[at++] = '.';
    for (size_t i = depth; i < count - (self->wants_folder ? 1 : 0); i++) {
        const torc_str segment = torc_request_segment(request, i);
        if (!is_servable(segment) || at + 1 + segment.len >= self->path_size) return false;
        self->path[at++] = '/';
        memcpy(self->path + at, segment.bytes, segment.len);
        at += segment.len;
    }
    self->path[at] = '\0';
    return true;
}

/* ---- answering ---- */

static void format_etag(const struct stat *about, char etag[ETAG_SIZE]) {
    snprintf(etag, ETAG_SIZE, "\"%llx.%lx-%llx\"", (unsigned long long)about->st_mtim.tv_sec,
             (unsigned long)about->st_mtim.tv_nsec, (unsigned long long)about->st_size);
}

/* The name that decides about the type: the index's, or the last of the path. */
static torc_str name_of(const lookup *self) {
    const char *text = self->wants_folder ? self->index
                       : self->is_whole   ? self->folder->path
                                          : self->path;
    const char *slash = strrchr(text, '/');
    return torc_str_of(slash ? slash + 1 : text);
}

/* What of a file is sent, and as what. */
typedef struct file_body {
    int fd;
    uint64_t size;
    torc_str type;
} file_body;

static torc_render reply_whole(torc_request *request, const file_body *body) {
    torc_response_set(request, "Content-Type", body->type);
    torc_response_set_length(request, body->size);
    torc_request_write_file(request, body->fd, 0, body->size);
    return torc_reply_end(request);
}

static torc_render reply_part(torc_request *request, const file_body *body,
                              const torc_range *range) {
    char text[TORC_CONTENT_RANGE_SIZE];

    torc_response_set_status(request, 206, NULL);
    torc_response_set(request, "Content-Type", body->type);
    torc_response_set(request, "Content-Range", torc_content_range_format(range, body->size, text));
    torc_response_set_length(request, range->len);
    torc_request_write_file(request, body->fd, range->first, range->len);
    return torc_reply_end(request);
}

/* One write of a range needs a descriptor of its own. */
static bool write_range(torc_request *request, const file_body *body, const torc_range *range) {
    const int fd = fcntl(body->fd, F_DUPFD_CLOEXEC, 0);

    if (fd >= 0) torc_request_write_file(request, fd, range->first, range->len);
    return fd >= 0;
}

/* Heads and ranges in turn; false: no descriptor was left. */
static bool write_parts(torc_request *request, const file_body *body, const torc_ranges *ranges,
                        const torc_buf *heads, const size_t *ends) {
    size_t at = 0;

    for (uint32_t i = 0; i <= ranges->count; i++) {
        torc_request_write(request, torc_str_make(heads->bytes + at, ends[i] - at));
        at = ends[i];
        if (i < ranges->count && !write_range(request, body, &ranges->items[i])) return false;
    }
    return true;
}

/* Several ranges: a multipart body (RFC 9110 §14.6), of a length that is known before. */
static torc_render reply_parts(torc_request *request, const file_body *body,
                               const torc_ranges *ranges, torc_str etag) {
    size_t ends[TORC_RANGES_MAX + 1];
    char boundary[ETAG_SIZE + 16], type[ETAG_SIZE + 64];
    uint64_t len = 0;
    torc_buf heads;
    bool is_written = false;

    /* Made of the version, so that it is the same for the same file, and not to be found in it by
     * chance. */
    snprintf(boundary, sizeof(boundary), "torc-part-%.*s", (int)etag.len - 2, etag.bytes + 1);
    snprintf(type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
    torc_buf_init(&heads, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OUTPUT,
                  64 * 1024);
    for (uint32_t i = 0; i <= ranges->count; i++) {
        torc_range_add_part_head(&heads, torc_str_of(boundary), body->type,
                                 i < ranges->count ? &ranges->items[i] : NULL, body->size);
        ends[i] = heads.len;
        if (i < ranges->count) len += ranges->items[i].len;
    }
    const torc_err err = torc_buf_err(&heads);
    if (!err) {
        torc_response_set_status(request, 206, NULL);
        torc_response_set(request, "Content-Type", torc_str_of(type));
        torc_response_set_length(request, len + heads.len);
        is_written = write_parts(request, body, ranges, &heads, ends);
    }
    torc_buf_dispose(&heads);
    close(body->fd);
    if (err) return torc_reply_error(request, err);
    return is_written ? torc_reply_end(request)
                      : torc_reply_error(request, TORC_ERR_FILE_TABLE_FULL);
}

static torc_render refuse_range(torc_request *request, const file_body *body) {
    char text[TORC_CONTENT_RANGE_SIZE];

    close(body->fd);
    torc_response_set(request, "Content-Range", torc_content_range_format(NULL, body->size, text));
    return torc_reply_status(request, 416, NULL);
}

/* The whole, or the ranges that were asked for, by GET only (RFC 9110 §14.2). */
static torc_render reply_body(torc_request *request, const file_body *body,
                              const torc_validators *validators) {
    const torc_str asked = torc_request_field_id(request, TORC_FIELD_RANGE);
    torc_ranges ranges;

    if (!asked.bytes || torc_request_method(request) != TORC_METHOD_GET ||
        !torc_conditional_allows_range(torc_request_fields(request), validators,
                                       torc_reactor_wall_seconds(torc_request_reactor(request))))
        return reply_whole(request, body);
    switch (torc_range_parse(asked, body->size, &ranges)) {
    case TORC_RANGE_WHOLE:
        return reply_whole(request, body);
    case TORC_RANGE_UNSATISFIABLE:
        return refuse_range(request, body);
    case TORC_RANGE_PARTIAL:
        break;
    }
    return ranges.count == 1 ? reply_part(request, body, &ranges.items[0])
                             : reply_parts(request, body, &ranges, validators->etag);
}

static torc_render reply_file(const static_files *self, torc_request *request, lookup *found) {
    const torc_str type = torc_media_type_of_name(name_of(found));
    const file_body body = {
        .fd = found->fd,
        .size = (uint64_t)found->about.st_size,
        .type = type.bytes ? type : torc_str_of(self->default_type),
    };
    char etag[ETAG_SIZE], date[TORC_DATE_LEN];

    found->fd = -1;
    format_etag(&found->about, etag);
    torc_date_format(found->about.st_mtim.tv_sec, date);
    torc_response_set(request, "ETag", torc_str_of(etag));
    torc_response_set(request, "Last-Modified", torc_str_make(date, sizeof(date)));
    torc_response_set(request, "Accept-Ranges", TORC_STR("bytes"));
    const torc_validators validators = {.etag = torc_str_of(etag),
                                        .last_modified = found->about.st_mtim.tv_sec};
    const torc_condition condition = torc_conditional_check(
        torc_request_fields(request), torc_request_method(request), &validators,
        torc_reactor_wall_seconds(torc_request_reactor(request)));
    if (condition == TORC_CONDITION_PROCEED) return reply_body(request, &body, &validators);
    close(body.fd);
    if (condition == TORC_CONDITION_FAILED) return torc_reply_status(request, 412, NULL);
    torc_response_set_status(request, 304, NULL);
    return torc_reply_end(request);
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

static torc_render answer_with(const static_files *self, torc_request *request, lookup *found,
                               torc_err err) {
    if (err == TORC_ERR_IS_DIRECTORY) err = TORC_ERR_NOT_FOUND;
    if (err) return torc_reply_error(request, err);
    if (found->fd < 0) return redirect_to_folder(request);
    return reply_file(self, request, found);
}

/* Look at once, if nothing has to be waited for. */
static torc_err look_quickly(lookup *self) {
    if (self->folder->fd < 0) return TORC_ERR_AGAIN;
    return look_beneath(self, self->folder->fd, TORC_BENEATH_QUICK);
}

static torc_err find(lookup **self) {
    const torc_err err = look_quickly(*self);
    void *data = *self;
    torc_err later;

    if (err != TORC_ERR_AGAIN) return err;
    later = torc_detour_run(&data, look, drop_lookup);
    *self = data;
    return later;
}

static torc_render render(torc_resource *resource, torc_request *request) {
    static_files *self = self_of(resource);
    torc_reactor *reactor = torc_request_reactor(request);
    const size_t path_size = path_size_of(request);
    lookup *found = torc_detour_new(reactor, sizeof(*found) + path_size);
    torc_render answer;

    if (!found) return torc_reply_error(request, TORC_ERR_NO_MEMORY);
    found->reactor = reactor;
    found->path_size = path_size;
    found->fd = -1;
    found->folder = self->folder;
    self->folder->refs++;
    memcpy(found->index, self->index, sizeof(self->index));

    const torc_err err = read_path(request, found) ? find(&found) : TORC_ERR_NOT_FOUND;
    if (!found)
        return torc_reply_error(request, err); /* left behind, and lets go of the folder itself */
    answer = answer_with(self, request, found, err);
    drop_lookup(found, true);
    torc_detour_free(found);
    return answer;
}

static void dispose(torc_resource *resource) {
    static_files *self = self_of(resource);

    folder_unref(self->folder);
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
    self->folder = folder_new(path);
    if (self->folder && copy_text(self->index, sizeof(self->index), options.index) &&
        copy_text(self->default_type, sizeof(self->default_type), options.default_type))
        return &self->base;
    if (self->folder) folder_unref(self->folder);
    torc_dealloc(NULL, self);
    return NULL;
}
