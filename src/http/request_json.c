/* SPDX-License-Identifier: MIT */
/*
 * Bodies of requests as JSON, and what is answered if they are none.
 *
 *  - Values are in an arena of their own, since they may take more than a request has for itself:
 *    at most 12 times the body, which its limit bounds. It goes with the request.
 *  - An error that a public function here returns has been answered.
 */
#include <torc/problem.h>
#include <torc/request_json.h>

#include "http/body_reader.h"
#include "http/parameters.h"

typedef struct json_body {
    torc_holding holding;
    torc_request *request;
    torc_arena arena;
    torc_json_limits limits;
    torc_request_json_fn *told;
    void *context;
} json_body;

enum {
    SAID_MAX = 400
};

static void release(torc_holding *holding) {
    torc_arena_dispose(&torc_container_of(holding, json_body, holding)->arena);
}

static json_body *make_body(torc_request *request) {
    json_body *self = torc_arena_alloc_zero(request->arena, 1, sizeof(*self));

    if (!self) return NULL;
    self->request = request;
    self->holding.release = release;
    torc_arena_init(&self->arena, &request->reactor->pages, SIZE_MAX / 2);
    torc_request_hold(request, &self->holding);
    return self;
}

/* ---- the type ---- */

static bool is_json(torc_str type) {
    return torc_str_equals_nocase(type, TORC_STR("application/json")) ||
           (type.len > 5 && torc_str_find_byte(type, '/') > 0 &&
            torc_str_equals_nocase(torc_str_from(type, type.len - 5), TORC_STR("+json")));
}

/* Parameters mean nothing (RFC 8259 §11), but for a charset that says that it is something else. */
static bool is_utf8(const torc_parameter *parameter) {
    if (!torc_str_equals_nocase(parameter->name, TORC_STR("charset"))) return true;
    return torc_str_equals_nocase(parameter->value, TORC_STR("utf-8")) ||
           torc_str_equals_nocase(parameter->value, TORC_STR("us-ascii"));
}

static bool has_type(const torc_request *request) {
    const torc_str type = torc_request_field_id(request, TORC_FIELD_CONTENT_TYPE);
    torc_parameter parameter;
    torc_str rest;

    if (!is_json(torc_parameters_front(type, &rest))) return false;
    do {
        if (torc_parameter_next(&rest, &parameter) || !is_utf8(&parameter)) return false;
    } while (parameter.name.len > 0);
    return true;
}

static torc_err check_type(torc_request *request) {
    return has_type(request) ? torc_body_check_coding(request) : TORC_ERR_MEDIA_TYPE;
}

/* ---- answers ---- */

static torc_err answer(torc_request *request, int status, const char *detail, torc_err err) {
    const torc_problem problem = {.status = status, .detail = detail};

    torc_reply_problem(request, &problem);
    return err;
}

/* The body could not be had. */
static torc_err answer_body(torc_request *request, torc_err err) {
    if (err == TORC_ERR_MEDIA_TYPE)
        return answer(request, 415,
                      has_type(request) ? "The body is in a content coding, and is to be in none."
                                        : "The body is to be application/json, in UTF-8.",
                      err);
    if (err == TORC_ERR_TOO_LARGE) return answer(request, 413, "The body is too large.", err);
    torc_reply_error(request, err);
    return err;
}

/* The body is no JSON, or more of it than is taken. */
static torc_err answer_text(torc_request *request, const torc_json_error *error) {
    char bytes[SAID_MAX];
    torc_buf said;

    if (error->err == TORC_ERR_NO_MEMORY) return answer_body(request, error->err);
    torc_buf_init_fixed(&said, bytes, sizeof bytes);
    torc_buf_addf(&said, "Line %u, column %u of the body: %s.", error->line, error->column,
                  error->text);
    return answer(request, error->err == TORC_ERR_LIMIT ? 413 : 400,
                  torc_buf_err(&said) ? error->text : bytes, error->err);
}

static torc_err answer_mistakes(torc_request *request, const torc_json_mistakes *mistakes) {
    torc_problem_error errors[TORC_JSON_MISTAKES_MAX];
    const torc_problem problem = {.status = 422,
                                  .detail = "The body is JSON, but not what is wanted here.",
                                  .errors = errors,
                                  .error_count = mistakes->count};

    for (size_t i = 0; i < mistakes->count; i++) {
        const torc_json_mistake *mistake = &mistakes->items[i];
        errors[i] = (torc_problem_error){
            .pointer = torc_str_make(mistake->pointer.bytes ? mistake->pointer.bytes : "",
                                     mistake->pointer.len),
            .detail = mistake->text};
    }
    torc_reply_problem(request, &problem);
    return TORC_ERR_INVALID;
}

/* ---- reading ---- */

static torc_err read_text(json_body *self, torc_str text, const torc_json_value **value) {
    torc_json_error error;

    if (torc_json_parse(&self->arena, text, &self->limits, value, &error))
        return answer_text(self->request, &error);
    return TORC_OK;
}

torc_err torc_request_json_by(torc_request *request, const torc_json_limits *limits,
                              const torc_json_value **value) {
    json_body *self;
    torc_str text;

    if (check_type(request)) return answer_body(request, TORC_ERR_MEDIA_TYPE);
    self = make_body(request);
    if (!self) return answer_body(request, TORC_ERR_NO_MEMORY);
    if (limits) self->limits = *limits;
    const torc_err err = torc_body_read_all(request, SIZE_MAX / 2, &text);
    return err ? answer_body(request, err) : read_text(self, text, value);
}

torc_err torc_request_json(torc_request *request, const torc_json_value **value) {
    return torc_request_json_by(request, NULL, value);
}

torc_err torc_request_json_map(torc_request *request, const torc_json_value *value,
                               const torc_json_struct *mapping, void *into) {
    torc_json_mistakes mistakes;
    json_body *self = make_body(request); /* what is mapped may be larger than a request */
    torc_err err = TORC_ERR_NO_MEMORY;

    if (self) err = torc_json_to_struct(&self->arena, value, mapping, into, &mistakes);
    if (!err) return TORC_OK;
    return err == TORC_ERR_INVALID ? answer_mistakes(request, &mistakes)
                                   : answer_body(request, err);
}

torc_err torc_request_json_struct(torc_request *request, const torc_json_struct *mapping,
                                  void *into) {
    const torc_json_value *value;
    const torc_err err = torc_request_json(request, &value);

    return err ? err : torc_request_json_map(request, value, mapping, into);
}

static void body_read(torc_request *request, torc_err err, const torc_body *body, void *context) {
    json_body *self = context;
    const torc_json_value *value = NULL;

    if (!err) err = check_type(request);
    err = err ? answer_body(request, err) : read_text(self, body->bytes, &value);
    self->told(request, err, value, self->context);
}

torc_err torc_request_json_later(torc_request *request, torc_request_json_fn *told, void *context) {
    json_body *self = make_body(request);

    if (!self) return TORC_ERR_NO_MEMORY;
    self->told = told;
    self->context = context;
    return torc_body_request_all(request, SIZE_MAX / 2, body_read, self);
}
