/* SPDX-License-Identifier: MIT */
/* Urlencoded forms: the same events for every split, and those of the query parser. */
#include <stdio.h>

#include "faults.h"
#include "form_events.h"
#include "http_fixture.h"

static form_parsing *parsing_of(void **state) {
    static form_parsing self;
    http_fixture *fixture = *state;

    self = (form_parsing){.reactor = fixture->reactor, .limits = torc_limits_default()};
    return &self;
}

static void check_text(void **state, const char *text, const char *expected) {
    check_form(parsing_of(state), torc_str_of(text), expected);
}

static void fields_come_in_order(void **state) {
    check_text(state, "a=1&b=22&a=3", "[a]1.[b]22.[a]3.=");
    check_text(state, "a=", "[a].=");
    check_text(state, "=1", "[]1.=");
    check_text(state, "=", "[].=");
    check_text(state, "a=b=c", "[a]b=c.=");
    check_text(state, "a;b=1;c", "[a;b]1;c.=");
}

static void a_field_without_a_value_is_told_apart(void **state) {
    check_text(state, "a", "[a?].=");
    check_text(state, "a&b=&c", "[a?].[b].[c?].=");
}

static void items_without_a_byte_are_left_out(void **state) {
    check_text(state, "", "=");
    check_text(state, "&&", "=");
    check_text(state, "&a=1&&b=2&", "[a]1.[b]2.=");
}

static void escapes_are_decoded(void **state) {
    check_text(state, "a%20b+c=%41%4a%4A+%26%3d%2b", "[a b c]AJJ &=+.=");
    check_text(state, "%=%&%4=%4&%zz=%4z&%%41=%%41", "[%]%.[%4]%4.[%zz]%4z.[%A]%A.=");
    check_text(state, "a=%4+b%", "[a]%4 b%.=");
    check_text(state, "a=%", "[a]%.=");
    check_text(state, "a=%4", "[a]%4.=");
}

/* More than the parser keeps, in escapes alone. */
static void long_values_are_given_in_pieces(void **state) {
    char text[3 * 400 + 3] = "a=", expected[500] = "[a]";

    for (size_t i = 0; i < 400; i++) strcat(text, i % 7 ? "%41" : "+");
    for (size_t i = 0; i < 400; i++) strcat(expected, i % 7 ? "A" : " ");
    check_text(state, text, strcat(expected, ".="));
}

/* ---- the query's parser reads the same ---- */

static const char *query_text;

static torc_render compare_with_query(torc_request *request, void *context) {
    form_events events = {.len = 0};
    torc_form_part part = {.is_bare = false};
    torc_str value;
    size_t place = 0;

    while (torc_request_arg_next(request, &place, &part.name, &value)) {
        part.is_bare = !value.bytes;
        form_events_add_part(&events, &part);
        form_events_add(&events, value);
        form_events_add(&events, TORC_STR("."));
    }
    form_events_add(&events, TORC_STR("="));
    check_form(context, torc_str_of(query_text), events.text);
    return torc_reply_text(request, 200, "");
}

static void it_reads_what_the_query_parser_reads(void **state) {
    static const char *const texts[] = {
        "a=1&b=2&a=3", "a&b=&=c&&", "a+b=%41+%42", "a=b=c&%26=%3D;x", "%2B=+",
    };
    http_fixture *self = *state;
    char head[100];

    self->context = parsing_of(state);
    for (size_t i = 0; i < TORC_COUNT_OF(texts); i++) {
        query_text = texts[i];
        snprintf(head, sizeof(head), "GET /?%s", query_text);
        torc_test_request_free(http_ask(self, compare_with_query, head));
    }
    assert_int_equal(self->received, TORC_COUNT_OF(texts));
}

/* ---- limits and failures ---- */

static void names_have_a_limit(void **state) {
    form_parsing *self = parsing_of(state);

    self->limits.form_name_bytes_max = 3;
    check_form(self, TORC_STR("abc=1"), "[abc]1.=");
    check_form(self, TORC_STR("%41%42%43=1&ab"), "[ABC]1.[ab?].=");
    check_form(self, TORC_STR("abcd=1"), "!TOO_LARGE");
    check_form(self, TORC_STR("a=1&abcd"), "[a]1.!TOO_LARGE");
    check_form(self, TORC_STR("a=1&a very long name that never ends"), "[a]1.!TOO_LARGE");
}

static void every_prefix_is_a_form(void **state) {
    form_parsing *self = parsing_of(state);
    const torc_str form = TORC_STR("a+b=%41%42&c&d=e%");
    const size_t never = SIZE_MAX;

    for (size_t len = 0; len < form.len; len++) {
        const form_events events = form_parse(self, torc_str_head(form, len), &never);
        assert_int_equal(events.text[events.len - 1], '=');
    }
}

static void failing_allocations_are_told(void **state) {
    form_parsing *self = parsing_of(state);
    const size_t never = SIZE_MAX;
    faults injected;

    faults_arm(&injected, torc_reactor_memory(self->reactor), 1);
    const form_events events = form_parse(self, TORC_STR("a=1"), &never);
    faults_disarm(torc_reactor_memory(self->reactor));
    assert_true(injected.hit);
    assert_string_equal(events.text, "!NO_MEMORY");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(fields_come_in_order),
        HTTP_TEST(a_field_without_a_value_is_told_apart),
        HTTP_TEST(items_without_a_byte_are_left_out),
        HTTP_TEST(escapes_are_decoded),
        HTTP_TEST(long_values_are_given_in_pieces),
        HTTP_TEST(it_reads_what_the_query_parser_reads),
        HTTP_TEST(names_have_a_limit),
        HTTP_TEST(every_prefix_is_a_form),
        HTTP_TEST(failing_allocations_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
