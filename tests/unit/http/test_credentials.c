/* SPDX-License-Identifier: MIT */
/* User and password of the Basic scheme (RFC 7617). */
#include <stdio.h>

#include "http_fixture.h"

static char seen[128];

static torc_render tell(torc_request *request, void *context) {
    torc_str user, password;

    (void)context;
    if (torc_request_basic_credentials(request, &user, &password))
        snprintf(seen, sizeof(seen), "%.*s|%.*s", TORC_STR_ARGS(user), TORC_STR_ARGS(password));
    else
        snprintf(seen, sizeof(seen), "none");
    return torc_reply_text(request, 200, "");
}

static void user_and_password_are_read(void **state) {
    static const struct {
        const char *field, *expected;
    } cases[] = {
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin|open sesame"},
        {"basic am9lOnB3OmQ=", "joe|pw:d"},
        {"BASIC  am9lOnB3OmQ", "joe|pw:d"},
        {"Basic dGVzdDoxMjPCow==", "test|123\xc2\xa3"},
        {"Basic Og==", "|"},
        {"Basic am9lOg==", "joe|"},
        {"Basic OnB3", "|pw"},
        {"Basic am9l", "none"}, /* no colon */
        {"Basic am9lOnB3Ojg*", "none"},
        {"Basic am9lOnB3IA", "joe|pw "},
        {"Basic YQBiOmM=", "none"}, /* a NUL */
        {"Basic YToKYg==", "none"}, /* a line feed */
        {"Basic", "none"},
        {"Basic ", "none"},
        {"Basicam9lOnB3OmQ=", "none"},
        {"Bearer am9lOnB3OmQ=", "none"},
        {"", "none"},
    };
    char head[200];

    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        snprintf(head, sizeof(head), "GET /\nAuthorization: %s", cases[i].field);
        torc_test_request_free(http_ask(*state, tell, head));
        assert_string_equal(seen, cases[i].expected);
    }
    torc_test_request_free(http_ask(*state, tell, "GET /"));
    assert_string_equal(seen, "none");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(user_and_password_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
