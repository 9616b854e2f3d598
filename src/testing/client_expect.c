/* SPDX-License-Identifier: MIT */
/*
 * What is expected of an answer, and how it is told when it is not so: with the request, and what
 * came in its place.
 */
#include <torc/status.h>

#include "testing/client.h"
#include "testing/expect.h"

enum {
    BODY_SHOWN = 600
};

static void add_answer(torc_buf *text, const torc_test_client *self, const torc_test_asked *asked) {
    const torc_test_request *request = asked->request;
    const int status = torc_test_request_status(request);
    const torc_fields *fields = torc_test_request_fields(request);

    if (torc_test_request_was_reset(request))
        torc_buf_addf(text, "\n  the server broke it off: %s",
                      torc_err_text(torc_test_request_reset_reason(request)));
    if (status == 0) {
        if (torc_test_request_is_over(request)) return;
        torc_buf_addf(text, "\n  no answer has come");
        torc_test_client_add_code(self, asked, text);
        torc_buf_addf(text, "; open are:");
        torc_test_add_open(text, self->reactor);
        return;
    }
    torc_buf_addf(text, "\n  the answer:\n    %d %.*s", status,
                  TORC_STR_ARGS(torc_status_phrase(status)));
    for (uint32_t i = 0; i < fields->count; i++)
        torc_buf_addf(text, "\n    %.*s: %.*s", TORC_STR_ARGS(fields->items[i].name),
                      TORC_STR_ARGS(fields->items[i].value));
    torc_buf_addf(text, "\n\n    ");
    torc_test_add_shown(text, torc_test_request_body(request), BODY_SHOWN);
}

void torc_test_begin_failure(torc_buf *text, const torc_test_asked *asked) {
    torc_buf_init(text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(text, "%s: ", asked->line);
}

bool torc_test_end_failure(const char *place, torc_buf *text, const torc_test_client *self,
                           const torc_test_asked *asked) {
    add_answer(text, self, asked);
    torc_test_fail_buf(place, text);
    return false;
}

bool torc_test_expect_status_at(const char *place, torc_test_client *self, int status) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    const int is = torc_test_request_status(asked->request);
    if (is == status) return true;
    torc_test_begin_failure(&text, asked);
    if (is)
        torc_buf_addf(&text, "the status is %d, and should be %d", is, status);
    else
        torc_buf_addf(&text, "there is no status, and it should be %d", status);
    return torc_test_end_failure(place, &text, self, asked);
}

bool torc_test_expect_no_answer_at(const char *place, torc_test_client *self) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    if (!torc_test_request_status(asked->request) && !torc_test_request_is_over(asked->request))
        return true;
    torc_test_begin_failure(&text, asked);
    torc_buf_addf(&text, "it is answered, and should not be yet");
    return torc_test_end_failure(place, &text, self, asked);
}

/* ---- fields ---- */

bool torc_test_contains(torc_str bytes, torc_str part) {
    for (size_t i = 0; part.len <= bytes.len && i <= bytes.len - part.len; i++)
        if (torc_str_equals(torc_str_head(torc_str_from(bytes, i), part.len), part)) return true;
    return false;
}

typedef bool match_fn(torc_str bytes, torc_str wanted);

static bool expect_field(const char *place, torc_test_client *self, const char *name,
                         const char *wanted, match_fn *match, const char *how) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    const torc_field *field;
    uint32_t at = 0;
    torc_buf text;

    if (!asked) return false;
    const torc_fields *fields = torc_test_request_fields(asked->request);
    while ((field = torc_fields_next(fields, torc_str_of(name), &at)) != NULL)
        if (match(field->value, torc_str_of(wanted))) return true;
    torc_test_begin_failure(&text, asked);
    const torc_str is = torc_fields_value(fields, torc_str_of(name));
    if (is.bytes)
        torc_buf_addf(&text, "%s is \"%.*s\", and should %s \"%s\"", name, TORC_STR_ARGS(is), how,
                      wanted);
    else
        torc_buf_addf(&text, "there is no field %s, which should %s \"%s\"", name, how, wanted);
    return torc_test_end_failure(place, &text, self, asked);
}

bool torc_test_expect_field_at(const char *place, torc_test_client *self, const char *name,
                               const char *value) {
    return expect_field(place, self, name, value, torc_str_equals, "be");
}

bool torc_test_expect_field_contains_at(const char *place, torc_test_client *self, const char *name,
                                        const char *part) {
    return expect_field(place, self, name, part, torc_test_contains, "have in it");
}

bool torc_test_expect_no_field_at(const char *place, torc_test_client *self, const char *name) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    const torc_str is = torc_test_request_field(asked->request, name);
    if (!is.bytes && torc_test_request_status(asked->request)) return true;
    torc_test_begin_failure(&text, asked);
    if (is.bytes)
        torc_buf_addf(&text, "%s is \"%.*s\", and should not be there", name, TORC_STR_ARGS(is));
    else
        torc_buf_addf(&text, "there are no fields yet");
    return torc_test_end_failure(place, &text, self, asked);
}

/* ---- the body ---- */

bool torc_test_expect_body_bytes_at(const char *place, torc_test_client *self, torc_str bytes) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    const torc_str is = torc_test_request_body(asked->request);
    if (torc_test_request_status(asked->request) && torc_str_equals(is, bytes)) return true;
    torc_test_begin_failure(&text, asked);
    torc_buf_addf(&text, "the body is not what it should be");
    torc_test_add_difference(&text, is, bytes);
    return torc_test_end_failure(place, &text, self, asked);
}

bool torc_test_expect_body_contains_at(const char *place, torc_test_client *self,
                                       const char *part) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    if (torc_test_request_status(asked->request) &&
        torc_test_contains(torc_test_request_body(asked->request), torc_str_of(part)))
        return true;
    torc_test_begin_failure(&text, asked);
    torc_buf_addf(&text, "the body should have in it: %s", part);
    return torc_test_end_failure(place, &text, self, asked);
}

bool torc_test_expect_whole_at(const char *place, torc_test_client *self) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    if (torc_test_request_is_complete(asked->request)) return true;
    torc_test_begin_failure(&text, asked);
    torc_buf_addf(&text, "the response is not whole, and should be");
    return torc_test_end_failure(place, &text, self, asked);
}

bool torc_test_expect_aborted_at(const char *place, torc_test_client *self) {
    const torc_test_asked *asked = torc_test_client_looked_at(place, self);
    torc_buf text;

    if (!asked) return false;
    if (torc_test_request_was_reset(asked->request)) return true;
    torc_test_begin_failure(&text, asked);
    torc_buf_addf(&text, "the response should have been broken off");
    return torc_test_end_failure(place, &text, self, asked);
}
