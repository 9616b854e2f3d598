/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "protocol/negotiate.h"

static void what_is_offered_is_spoken(void **state) {
    (void)state;
    assert_true(torc_http_server_speaks(torc_str_of(torc_http_server_protocols())));
    assert_true(torc_http_server_speaks(TORC_STR("http/1.1")));
    assert_true(torc_http_server_speaks(TORC_STR(" http/1.1 , http/1.1")));
}

static void other_protocols_are_not(void **state) {
    (void)state;
    assert_false(torc_http_server_speaks(TORC_STR("http/1.1,spdy/3")));
    assert_false(torc_http_server_speaks(TORC_STR("HTTP/1.1")));
    assert_false(torc_http_server_speaks(TORC_STR("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_offered_is_spoken),
        cmocka_unit_test(other_protocols_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
