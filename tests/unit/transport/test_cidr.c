/* SPDX-License-Identifier: MIT */
#include <torc/cidr.h>

#include "check.h"

static bool contains(const char *range, const char *host) {
    torc_cidr cidr;
    torc_addr addr;

    check_ok(torc_cidr_parse(torc_str_of(range), &cidr));
    check_ok(torc_addr_parse(torc_str_of(host), 80, &addr));
    return torc_cidr_contains(&cidr, &addr);
}

static void a_range_contains_what_begins_as_it_does(void **state) {
    assert_true(contains("10.0.0.0/8", "10.255.0.1"));
    assert_false(contains("10.0.0.0/8", "11.0.0.1"));
    assert_true(contains("192.0.2.128/25", "192.0.2.255"));
    assert_false(contains("192.0.2.128/25", "192.0.2.127"));
    assert_true(contains("192.0.2.7", "192.0.2.7"));
    assert_false(contains("192.0.2.7", "192.0.2.6"));
    assert_true(contains("0.0.0.0/0", "192.0.2.7"));
    assert_true(contains("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(contains("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(contains("::/0", "2001:db8::1"));
    assert_true(contains("::1", "::1"));
    assert_false(contains("::1", "::2"));
}

static void every_length_is_exact(void **state) {
    for (unsigned bits = 1; bits <= 32; bits++) {
        torc_cidr cidr = {.family = AF_INET, .bits = (uint8_t)bits};
        torc_addr in, out;
        check_ok(torc_addr_parse(TORC_STR("0.0.0.0"), 0, &in));
        out = in;
        in.as.in.sin_addr.s_addr = htonl(bits == 32 ? 0 : 0xffffffffu >> bits);
        out.as.in.sin_addr.s_addr = htonl(0x80000000u >> (bits - 1));
        assert_true(torc_cidr_contains(&cidr, &in));
        assert_false(torc_cidr_contains(&cidr, &out));
    }
}

static void families_do_not_mix_but_for_mapped_addresses(void **state) {
    assert_false(contains("0.0.0.0/0", "2001:db8::1"));
    assert_false(contains("::/0", "192.0.2.1"));
    assert_true(contains("192.0.2.0/24", "::ffff:192.0.2.1"));
    assert_false(contains("::/0", "::ffff:192.0.2.1"));
    assert_true(contains("::ffff:192.0.2.0/120", "192.0.2.1"));
    assert_true(contains("::ffff:192.0.2.0/120", "::ffff:192.0.2.1"));
    assert_false(contains("::ffff:192.0.2.0/120", "192.0.3.1"));
    assert_true(contains("::ffff:192.0.2.1", "192.0.2.1"));
}

static void peers_of_unix_sockets_are_a_range(void **state) {
    torc_cidr cidr, other;
    torc_addr addr = {.len = sizeof(sa_family_t)}, nobody = {0};

    addr.as.any.sa_family = AF_UNIX;
    check_ok(torc_cidr_parse(TORC_STR("unix:"), &cidr));
    check_ok(torc_cidr_parse(TORC_STR("0.0.0.0/0"), &other));
    assert_true(torc_cidr_contains(&cidr, &addr));
    assert_false(torc_cidr_contains(&other, &addr));
    assert_false(torc_cidr_contains(&cidr, &nobody));
    assert_false(torc_cidr_contains(&other, &nobody));
}

static void any_of_several_will_do(void **state) {
    torc_cidr cidrs[2];
    torc_addr addr;

    check_ok(torc_cidr_parse(TORC_STR("10.0.0.0/8"), &cidrs[0]));
    check_ok(torc_cidr_parse(TORC_STR("192.0.2.0/24"), &cidrs[1]));
    check_ok(torc_addr_parse(TORC_STR("192.0.2.9"), 0, &addr));
    assert_true(torc_cidr_any_contains(cidrs, 2, &addr));
    assert_false(torc_cidr_any_contains(cidrs, 1, &addr));
    assert_false(torc_cidr_any_contains(NULL, 0, &addr));
}

static void what_is_no_range_is_refused(void **state) {
    static const char *const bad[] = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0/8",
        "::/129",
        "10.0.0.0/8/8",
        "unix",
        "[::1]",
        "010.0.0.0/8",
        "10.0.0.0/+8",
        "localhost",
        "10.0.0.0:80",
        "10.0.0.0/255.0.0.0",
    };
    torc_cidr cidr = {.bits = 99};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        check_err(torc_cidr_parse(torc_str_of(bad[i]), &cidr), TORC_ERR_SYNTAX);
    check_err(torc_cidr_parse(TORC_STR("10.0.0.1/8"), &cidr), TORC_ERR_INVALID);
    check_err(torc_cidr_parse(TORC_STR("2001:db8::1/64"), &cidr), TORC_ERR_INVALID);
    assert_int_equal(cidr.bits, 99);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_contains_what_begins_as_it_does),
        cmocka_unit_test(every_length_is_exact),
        cmocka_unit_test(families_do_not_mix_but_for_mapped_addresses),
        cmocka_unit_test(peers_of_unix_sockets_are_a_range),
        cmocka_unit_test(any_of_several_will_do),
        cmocka_unit_test(what_is_no_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
