/* SPDX-License-Identifier: MIT */
#include <torc/utf8.h>

#include "check.h"

static const torc_str valid[] = {
    TORC_STR_INIT(""),
    TORC_STR_INIT("plain ascii that is longer than two words"),
    TORC_STR_INIT("\0\x7f"),
    TORC_STR_INIT("\xc2\x80\xdf\xbf"),
    TORC_STR_INIT("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
    TORC_STR_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
    TORC_STR_INIT("a\xc3\xa9"
                  "bcdefgh\xe2\x82\xac"
                  "ijklmnopqrst\xf0\x9f\x98\x80"),
};

/* Each is wrong at its last byte, and not before. */
static const torc_str invalid[] = {
    TORC_STR_INIT("\x80"),
    TORC_STR_INIT("\xbf"),
    TORC_STR_INIT("\xc0"),
    TORC_STR_INIT("\xc1"),
    TORC_STR_INIT("\xf5"),
    TORC_STR_INIT("\xff"),
    TORC_STR_INIT("\xc2\x7f"),
    TORC_STR_INIT("\xc2\xc0"),
    TORC_STR_INIT("\xe0\x9f"),
    TORC_STR_INIT("\xe1\x80\x7f"),
    TORC_STR_INIT("\xed\xa0"),
    TORC_STR_INIT("\xf0\x8f"),
    TORC_STR_INIT("\xf4\x90"),
    TORC_STR_INIT("\xf1\x80\x80\xc0"),
    TORC_STR_INIT("abcdefghijkl\xff"),
};

static void valid_texts_are_valid_in_whole_and_in_pieces(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(valid); i++) {
        assert_true(torc_utf8_is_valid(valid[i]));
        for (size_t split = 0; split <= valid[i].len; split++) {
            torc_utf8 utf8 = {0};

            check_ok(torc_utf8_check(&utf8, torc_str_head(valid[i], split)));
            assert_int_equal(torc_utf8_is_whole(&utf8),
                             torc_utf8_is_valid(torc_str_head(valid[i], split)));
            check_ok(torc_utf8_check(&utf8, torc_str_from(valid[i], split)));
            assert_true(torc_utf8_is_whole(&utf8));
        }
    }
}

static void invalid_bytes_are_found_where_they_stand(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(invalid); i++) {
        assert_false(torc_utf8_is_valid(invalid[i]));
        for (size_t split = 0; split < invalid[i].len; split++) {
            torc_utf8 utf8 = {0};

            check_ok(torc_utf8_check(&utf8, torc_str_head(invalid[i], split)));
            check_err(torc_utf8_check(&utf8, torc_str_from(invalid[i], split)), TORC_ERR_UTF8);
        }
    }
}

static void valid_beginning_ends_between_characters(void **state) {
    assert_int_equal(torc_utf8_valid_len(TORC_STR("abc")), 3);
    assert_int_equal(torc_utf8_valid_len(TORC_STR("ab\xff")), 2);
    assert_int_equal(torc_utf8_valid_len(TORC_STR("ab\xe2\x82")), 2);
    assert_int_equal(torc_utf8_valid_len(TORC_STR("ab\xe2\x82\xac\xe2")), 5);
    assert_int_equal(torc_utf8_valid_len(TORC_STR("12345678\xc3\xa9"
                                                  "12345678\xff")),
                     18);
}

static void every_character_survives_the_way_there_and_back(void **state) {
    for (uint32_t code = 0; code <= 0x110000; code++) {
        const bool is_character = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        char bytes[4];
        uint32_t back = 0;
        const size_t len = torc_utf8_encode(code, bytes);

        if (!is_character) {
            if (len != 0) fail();
            continue;
        }
        torc_str rest = torc_str_make(bytes, len);
        if (torc_utf8_decode(&rest, &back) || back != code || rest.len > 0) fail();
        if (!torc_utf8_is_valid(torc_str_make(bytes, len))) fail();
    }
}

static void lengths_change_at_the_known_places(void **state) {
    char bytes[4];

    assert_int_equal(torc_utf8_encode(0x7f, bytes), 1);
    assert_int_equal(torc_utf8_encode(0x80, bytes), 2);
    assert_int_equal(torc_utf8_encode(0x7ff, bytes), 2);
    assert_int_equal(torc_utf8_encode(0x800, bytes), 3);
    assert_int_equal(torc_utf8_encode(0xffff, bytes), 3);
    assert_int_equal(torc_utf8_encode(0x10000, bytes), 4);
    assert_memory_equal(bytes, "\xf0\x90\x80\x80", 4);
}

static void decoding_leaves_what_it_refuses(void **state) {
    uint32_t code = 7;

    for (size_t i = 0; i < TORC_COUNT_OF(invalid) - 1; i++) {
        torc_str rest = invalid[i];
        check_err(torc_utf8_decode(&rest, &code), TORC_ERR_UTF8);
        assert_int_equal(rest.len, invalid[i].len);
    }
    torc_str cut = TORC_STR("\xf0\x9f\x98");
    check_err(torc_utf8_decode(&cut, &code), TORC_ERR_TRUNCATED);
    assert_int_equal(cut.len, 3);
    torc_str empty = {0};
    check_err(torc_utf8_decode(&empty, &code), TORC_ERR_TRUNCATED);
    assert_int_equal(code, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_valid_in_whole_and_in_pieces),
        cmocka_unit_test(invalid_bytes_are_found_where_they_stand),
        cmocka_unit_test(valid_beginning_ends_between_characters),
        cmocka_unit_test(every_character_survives_the_way_there_and_back),
        cmocka_unit_test(lengths_change_at_the_known_places),
        cmocka_unit_test(decoding_leaves_what_it_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
