/* SPDX-License-Identifier: MIT */
/*
 * The path's segments and the query's arguments, split and decoded once, in the arena.
 *
 *  - What has no escape is not copied: its decoded slice is the raw one.
 *  - A path has at least one segment, which may be empty.
 */
#include <torc/link.h>

#include "base/decimal.h"
#include "http/request_state.h"

/* The decoded form of a part of the target; `plus`: a `+` stands for a space. */
static torc_err decode(torc_arena *arena, torc_str raw, bool plus, torc_str *decoded) {
    char *bytes;

    *decoded = raw;
    if (raw.len == 0) return TORC_OK;
    if (!memchr(raw.bytes, '%', raw.len) && !(plus && memchr(raw.bytes, '+', raw.len)))
        return TORC_OK;
    bytes = torc_arena_bytes(arena, raw.len);
    if (!bytes) return TORC_ERR_NO_MEMORY;
    *decoded = torc_str_make(bytes, torc_percent_decode(raw, plus, bytes));
    return TORC_OK;
}

static uint32_t count_parts(torc_str text, char separator) {
    uint32_t count = 1;

    for (size_t i = 0; i < text.len; i++) count += text.bytes[i] == separator;
    return count;
}

static torc_err decode_segments(torc_request *request) {
    torc_path *path = &request->path;
    torc_err err = TORC_OK;

    path->decoded = torc_arena_alloc(request->arena, path->count * sizeof(torc_str));
    if (!path->decoded) return TORC_ERR_NO_MEMORY;
    for (uint32_t i = 0; !err && i < path->count; i++)
        err = decode(request->arena, path->raw[i], false, &path->decoded[i]);
    return err;
}

/* The places in the request are used up: move to the arena, with room for those of `rest`. */
static torc_err spill(torc_request *request, torc_str rest) {
    torc_path *path = &request->path;
    torc_str *raw =
        torc_arena_alloc(request->arena, (path->count + count_parts(rest, '/')) * sizeof(torc_str));

    if (!raw) return TORC_ERR_NO_MEMORY;
    memcpy(raw, path->raw, path->count * sizeof(torc_str));
    path->raw = raw;
    return TORC_OK;
}

static torc_err split_path(torc_request *request, torc_str whole) {
    torc_path *path = &request->path;
    const char *start = whole.len ? whole.bytes : "", *const end = start + whole.len, *slash;
    const bool is_escaped = memchr(start, '%', whole.len) != NULL;

    path->raw = request->first_segments;
    if (whole.len && *start == '/') start++;
    while ((slash = memchr(start, '/', (size_t)(end - start)))) {
        if (path->count == TORC_REQUEST_SEGMENTS - 1 &&
            spill(request, torc_str_make(start, (size_t)(end - start))))
            return TORC_ERR_NO_MEMORY;
        path->raw[path->count++] = torc_str_make(start, (size_t)(slash - start));
        start = slash + 1;
    }
    path->raw[path->count++] = torc_str_make(start, (size_t)(end - start));
    path->decoded = path->raw;
    return is_escaped ? decode_segments(request) : TORC_OK;
}

torc_err torc_request_split_path(torc_request *request) {
    return split_path(request, request->head->target.path);
}

/* The first `depth` segments and what stands behind them, as one path in the arena. */
static torc_err join_path(const torc_request *request, size_t depth, torc_str rest,
                          torc_str *whole) {
    size_t len = rest.len;
    char *at;

    for (size_t i = 0; i < depth; i++) len += 1 + request->path.raw[i].len;
    at = torc_arena_bytes(request->arena, len);
    if (!at) return TORC_ERR_NO_MEMORY;
    *whole = torc_str_make(at, len);
    for (size_t i = 0; i < depth; i++) {
        const torc_str segment = request->path.raw[i];
        *at++ = '/';
        memcpy(at, segment.bytes, segment.len);
        at += segment.len;
    }
    memcpy(at, rest.bytes, rest.len);
    return TORC_OK;
}

void torc_request_mark_path(const torc_request *request, torc_path_mark *mark) {
    mark->path = request->path;
    mark->rewritten = request->rewritten;
    memcpy(mark->segments, request->first_segments, sizeof(mark->segments));
}

void torc_request_return_to_path(torc_request *request, const torc_path_mark *mark) {
    request->path = mark->path;
    if (request->rewritten != mark->rewritten) request->args = NULL; /* of another query */
    request->rewritten = mark->rewritten;
    memcpy(request->first_segments, mark->segments, sizeof(mark->segments));
}

/* Split a path anew; where that fails the old one stays. */
static torc_err replace_path(torc_request *request, size_t depth, torc_str whole) {
    torc_path_mark former;
    torc_err err;

    torc_request_mark_path(request, &former);
    request->path.count = 0;
    err = split_path(request, whole);
    if (err)
        torc_request_return_to_path(request, &former);
    else
        request->path.depth = (uint32_t)depth;
    return err;
}

torc_err torc_request_restart_path(torc_request *request) {
    torc_err err = TORC_OK;

    request->path.depth = 0;
    if (!request->rewritten) return TORC_OK;
    err = replace_path(request, 0, request->head->target.path);
    if (err) return err;
    request->rewritten = NULL;
    request->args = NULL;
    return TORC_OK;
}

torc_err torc_request_set_rest(torc_request *request, size_t depth, torc_str rest) {
    torc_request_rewritten *rewritten = torc_arena_alloc(request->arena, sizeof(*rewritten));
    torc_target target = {0};
    torc_str whole;
    torc_err err;

    if (!rewritten) return TORC_ERR_NO_MEMORY;
    if (depth > request->path.count || rest.len == 0 || rest.bytes[0] != '/' ||
        torc_target_parse(rest, TORC_METHOD_GET, &target))
        return TORC_ERR_SYNTAX;
    rewritten->query = torc_request_query(request);
    if (target.query.bytes && torc_arena_copy(request->arena, target.query, &rewritten->query))
        return TORC_ERR_NO_MEMORY;
    err = join_path(request, depth, target.path, &whole);
    if (!err) err = replace_path(request, depth, whole);
    if (err) return err;
    rewritten->path = whole;
    request->rewritten = rewritten;
    request->args = NULL;
    return TORC_OK;
}

/* An empty segment behind the last. */
static bool add_empty(torc_request *request) {
    torc_path *path = &request->path;
    const torc_str last = path->raw[path->count - 1];
    torc_str *both =
        torc_arena_alloc(request->arena, 2 * ((size_t)path->count + 1) * sizeof(torc_str));

    if (!both) return false;
    memcpy(both, path->raw, path->count * sizeof(torc_str));
    memcpy(both + path->count + 1, path->decoded, path->count * sizeof(torc_str));
    path->raw = both;
    path->decoded = both + path->count + 1;
    path->raw[path->count] = path->decoded[path->count] = torc_str_make(last.bytes + last.len, 0);
    path->count++;
    return true;
}

bool torc_request_toggle_slash(torc_request *request) {
    torc_path *path = &request->path;

    if (path->raw[path->count - 1].len > 0) return add_empty(request);
    if (path->count == 1) return false;
    path->count--;
    return true;
}

torc_path *torc_request_path_of(torc_request *request) {
    return &request->path;
}

size_t torc_request_segment_count(const torc_request *request) {
    return request->path.count;
}

size_t torc_request_depth(const torc_request *request) {
    return request->path.depth;
}

torc_str torc_request_segment(const torc_request *request, size_t place) {
    return place < request->path.count ? request->path.decoded[place] : torc_str_make("", 0);
}

torc_str torc_request_segment_raw(const torc_request *request, size_t place) {
    return place < request->path.count ? request->path.raw[place] : torc_str_make("", 0);
}

torc_err torc_request_add_param(torc_request *request, torc_str name, torc_str value,
                                torc_str raw) {
    torc_path_param *param = torc_arena_alloc(request->arena, sizeof(*param));

    if (!param) return TORC_ERR_NO_MEMORY;
    *param = (torc_path_param){request->params, name, value, raw};
    request->params = param;
    return TORC_OK;
}

static const torc_path_param *find_param(const torc_request *request, const char *name) {
    const torc_str wanted = torc_str_of(name);
    const torc_path_param *param = request->params;

    while (param && !torc_str_equals(param->name, wanted)) param = param->next;
    return param;
}

bool torc_request_param_next(const torc_request *request, const void **place, torc_str *name,
                             torc_str *value) {
    const torc_path_param *last = *place, *param = last ? last->next : request->params;

    if (!param) return false;
    *name = param->name;
    *value = param->value;
    *place = param;
    return true;
}

torc_str torc_request_param(const torc_request *request, const char *name) {
    const torc_path_param *param = find_param(request, name);

    return param ? param->value : torc_str_make("", 0);
}

torc_str torc_request_param_raw(const torc_request *request, const char *name) {
    const torc_path_param *param = find_param(request, name);

    return param ? param->raw : torc_str_make("", 0);
}

uint64_t torc_request_param_uint(const torc_request *request, const char *name) {
    uint64_t value = 0;

    (void)!torc_str_parse_uint(torc_request_param(request, name), UINT64_MAX, &value);
    return value;
}

double torc_request_param_double(const torc_request *request, const char *name) {
    const torc_str text = torc_request_param(request, name);
    torc_decimal decimal = {0};
    bool is_fraction = false;

    for (size_t i = 0; i < text.len; i++) {
        const char byte = text.bytes[i];
        if (byte == '-') decimal.is_negative = true;
        if (byte == '.') is_fraction = true;
        if (byte < '0' || byte > '9') continue;
        if (decimal.digits >= 1000000000000000000u) {
            decimal.is_cut = true; /* 19 digits are there */
            decimal.exponent += !is_fraction;
        } else {
            decimal.digits = 10 * decimal.digits + (uint64_t)(byte - '0');
            decimal.exponent -= is_fraction;
        }
    }
    return torc_decimal_to_double(decimal, text);
}

int64_t torc_request_param_int(const torc_request *request, const char *name) {
    const torc_str text = torc_request_param(request, name);
    const bool is_negative = text.len && text.bytes[0] == '-';
    const uint64_t max = (uint64_t)INT64_MAX + is_negative;
    uint64_t value = 0;

    (void)!torc_str_parse_uint(torc_str_from(text, is_negative), max, &value);
    if (!is_negative) return (int64_t)value;
    return value == max ? INT64_MIN : -(int64_t)value;
}

/* "a=b" into its halves, decoded; without `=` the value's bytes are NULL. */
static torc_err read_arg(torc_arena *arena, torc_str item, torc_str *name, torc_str *value) {
    const ptrdiff_t equals = torc_str_find_byte(item, '=');
    torc_err err;

    *value = torc_str_make(NULL, 0);
    if (equals < 0) return decode(arena, item, true, name);
    err = decode(arena, torc_str_head(item, (size_t)equals), true, name);
    return err ? err : decode(arena, torc_str_from(item, (size_t)equals + 1), true, value);
}

static torc_err read_args(torc_request *request) {
    torc_str rest = torc_request_query(request), item;
    const size_t max = rest.bytes ? count_parts(rest, '&') : 0;
    torc_request_args *args =
        torc_arena_alloc(request->arena, sizeof(*args) + max * sizeof(args->items[0]));
    torc_err err = TORC_OK;

    if (!args) return TORC_ERR_NO_MEMORY;
    args->count = 0;
    while (!err && torc_str_split(&rest, '&', &item)) {
        if (item.len == 0) continue;
        err = read_arg(request->arena, item, &args->items[args->count].name,
                       &args->items[args->count].value);
        args->count++;
    }
    if (!err) request->args = args;
    return err;
}

bool torc_request_arg_next(torc_request *request, size_t *place, torc_str *name, torc_str *value) {
    if (!request->args && read_args(request)) return false;
    if (*place >= request->args->count) return false;

    *name = request->args->items[*place].name;
    *value = request->args->items[*place].value;
    ++*place;
    return true;
}

bool torc_request_arg(torc_request *request, const char *name, torc_str *value) {
    const torc_str wanted = torc_str_of(name);
    torc_str found, its_value;
    size_t place = 0;

    while (torc_request_arg_next(request, &place, &found, &its_value)) {
        if (!torc_str_equals(found, wanted)) continue;
        *value = its_value;
        return true;
    }
    return false;
}
