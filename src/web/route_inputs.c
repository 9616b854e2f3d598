/* SPDX-License-Identifier: MIT */
/*
 * Arguments and fields of requests against what a route has declared of them.
 *
 *  - All that is wrong is told at once, as far as there is room.
 *  - Of an argument that comes several times each is looked at, whichever the route reads; of a
 *    field, the first.
 */
#include "web/route_inputs.h"

#include <stdio.h>
#include <torc/problem.h>

enum {
    MISTAKES_MAX = 16,
    SAID_MAX = 120
};

typedef struct mistakes {
    size_t count;
    torc_problem_error errors[MISTAKES_MAX];
    char said[MISTAKES_MAX][SAID_MAX];
} mistakes;

/* `value` is a whole number of its kind. */
static bool is_within(const torc_route_input *input, torc_str value) {
    const bool is_negative = value.bytes[0] == '-';
    uint64_t size = 0;

    if (input->min == 0 && input->max == 0) return true;
    (void)!torc_str_parse_uint(torc_str_from(value, is_negative), UINT64_MAX, &size);
    if (size > INT64_MAX) return is_negative && input->min == INT64_MIN;
    const int64_t number = is_negative ? -(int64_t)size : (int64_t)size;
    return number >= input->min && number <= input->max;
}

static bool is_whole(torc_param_kind kind) {
    return kind == TORC_PARAM_INT || kind == TORC_PARAM_UINT;
}

static bool takes(const torc_route_input *input, torc_str value) {
    const torc_shape shape = {.kind = input->kind, .choices = torc_str_of(input->choices)};

    if (input->kind == TORC_PARAM_STR || input->kind == TORC_PARAM_PATH) return true;
    return torc_shape_takes(&shape, value) && (!is_whole(input->kind) || is_within(input, value));
}

/* What it must be, in words. */
static void say(const torc_route_input *input, char said[SAID_MAX]) {
    static const char *const words[] = {
        [TORC_PARAM_UUID] = "must be a UUID",
        [TORC_PARAM_UINT] = "must be a whole number, not negative",
        [TORC_PARAM_INT] = "must be a whole number",
        [TORC_PARAM_FLOAT] = "must be a number",
        [TORC_PARAM_SLUG] = "must be letters, digits, `-` and `_`",
    };

    if (input->kind == TORC_PARAM_ANY)
        snprintf(said, SAID_MAX, "must be one of %.100s", input->choices);
    else if (is_whole(input->kind) && (input->min != 0 || input->max != 0))
        snprintf(said, SAID_MAX, "must be a whole number from %lld to %lld", (long long)input->min,
                 (long long)input->max);
    else
        snprintf(said, SAID_MAX, "%s", words[input->kind]);
}

static void note(mistakes *self, const torc_route_input *input, const char *said) {
    const size_t i = self->count;

    if (i == MISTAKES_MAX) return;
    if (said)
        snprintf(self->said[i], SAID_MAX, "%s", said);
    else
        say(input, self->said[i]);
    self->errors[i] = (torc_problem_error){.parameter = torc_str_of(input->name),
                                           .detail = torc_str_of(self->said[i])};
    self->count++;
}

static void check_field(mistakes *self, const torc_route_input *input,
                        const torc_request *request) {
    const torc_str value = torc_request_field(request, input->name);

    if (!value.bytes) {
        if (input->is_required) note(self, input, "is required");
    } else if (!takes(input, value)) {
        note(self, input, NULL);
    }
}

/* An argument without an `=` is an empty one. */
static void check_arguments(mistakes *self, const torc_route_input *input, torc_request *request) {
    const torc_str wanted = torc_str_of(input->name);
    bool is_there = false, is_fine = true;
    torc_str name, value;
    size_t place = 0;

    while (torc_request_arg_next(request, &place, &name, &value)) {
        if (!torc_str_equals(name, wanted)) continue;
        is_there = true;
        is_fine = is_fine && takes(input, value);
    }
    if (!is_fine)
        note(self, input, NULL);
    else if (!is_there && input->is_required)
        note(self, input, "is required");
}

bool torc_route_inputs_hold(const torc_route *route, torc_request *request) {
    const torc_route_options *options = &route->options;
    mistakes found;

    found.count = 0;
    for (size_t i = 0; i < options->input_count; i++) {
        const torc_route_input *input = &options->inputs[i];
        if (input->is_field)
            check_field(&found, input, request);
        else
            check_arguments(&found, input, request);
    }
    if (found.count == 0) return true;
    const torc_problem problem = {.status = 400,
                                  .detail = "Arguments or fields are not as they must be.",
                                  .errors = found.errors,
                                  .error_count = found.count};
    torc_reply_problem(request, &problem);
    return false;
}
