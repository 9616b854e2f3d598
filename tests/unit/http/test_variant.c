/* SPDX-License-Identifier: MIT */
/* The same data as HTML or JSON, by what the peer would like. */
#include <torc/reply.h>
#include <torc/variant.h>

#include "http_fixture.h"

static torc_render page(torc_request *request, const void *data) {
    return torc_reply_bytes(request, 200, "text/html", torc_str_of(data));
}

static torc_render json(torc_request *request, const void *data) {
    torc_json *out = torc_reply_json(request, 200);

    torc_json_text(out, data);
    return torc_reply_end(request);
}

static torc_render either(torc_request *request) {
    static const torc_variant variants[] = {{"text/html", page}, {"application/json", json}};

    return torc_reply_variant(request, variants, TORC_COUNT_OF(variants), "hello");
}

static void what_is_liked_best_is_sent(void **state) {
    static const struct {
        const char *accept, *type;
        int status;
    } cases[] = {
        {"", "text/html", 200},
        {"\nAccept: */*", "text/html", 200},
        {"\nAccept: application/json", "application/json", 200},
        {"\nAccept: text/html;q=0.5, application/*", "application/json", 200},
        {"\nAccept: text/html, application/json", "text/html", 200},
        {"\nAccept: text/*;q=0.1, application/json;q=0", "text/html", 200},
        {"\nAccept: image/png", NULL, 406},
    };
    http_fixture *self = *state;

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        char head[100] = "GET /";
        strcat(head, cases[i].accept);
        torc_test_request *test = torc_test_request_route(self->reactor, either, head);
        torc_test_request_run(test);
        assert_int_equal(torc_test_request_status(test), cases[i].status);
        check_str(torc_test_request_field(test, "Vary"), "Accept");
        if (cases[i].type)
            check_str_of(torc_test_request_field(test, "Content-Type"), cases[i].type);
        torc_test_request_free(test);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(what_is_liked_best_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
