/* SPDX-License-Identifier: MIT */
#include "base/json_scan.h"
#include "check.h"

static void every_byte_at_every_place_as_the_scalar_twin(void **state) {
    char text[50];

    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < sizeof text; place++) {
            memset(text, 'a', sizeof text);
            text[place] = (char)byte;
            for (int for_html = 0; for_html < 2; for_html++) {
                const torc_str str = torc_str_make(text, sizeof text);
                const size_t found = torc_json_scan(str, for_html);

                if (found != torc_json_scan_scalar(str, for_html)) fail();
                if (found != place && found != sizeof text) fail();
            }
        }
    }
}

static void every_length_and_alignment_reads_no_byte_too_many(void **state) {
    for (size_t len = 0; len < 40; len++) {
        char *text = test_malloc(len + 1);

        memset(text, 'a', len);
        text[len] = '"';
        assert_int_equal(torc_json_scan(torc_str_make(text, len), true), len);
        assert_int_equal(torc_json_scan(torc_str_make(text, len + 1), true), len);
        test_free(text);
    }
}

static void exactly_these_bytes_stop(void **state) {
    for (int byte = 0; byte < 256; byte++) {
        const char one = (char)byte;
        const bool stops = byte < 0x20 || byte == '"' || byte == '\\';
        const bool in_html = byte == '<' || byte == '>' || byte == '&' || byte == 0xe2;

        assert_int_equal(torc_json_scan_scalar(torc_str_make(&one, 1), false), !stops);
        assert_int_equal(torc_json_scan_scalar(torc_str_make(&one, 1), true), !(stops || in_html));
    }
}

/* Every byte at every place of every length. */
static void plain_texts_are_copied(void **state) {
    for (size_t len = 1; len < 40; len++) {
        char *text = test_malloc(len), *copy = test_malloc(len);

        for (size_t place = 0; place < len; place++) {
            for (int byte = 0; byte < 256; byte++) {
                memset(text, 'a', len);
                text[place] = (char)byte;
                const torc_str str = torc_str_make(text, len);
                for (int for_html = 0; for_html < 2; for_html++) {
                    const bool stands = byte < 0x80 && torc_json_scan_scalar(str, for_html) == len;
                    memset(copy, 0, len);
                    if (torc_json_copy_plain(copy, str, for_html) != stands) fail();
                    if (stands && memcmp(copy, text, len) != 0) fail();
                }
            }
        }
        test_free(text);
        test_free(copy);
    }
    assert_true(torc_json_copy_plain(NULL, TORC_STR(""), true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place_as_the_scalar_twin),
        cmocka_unit_test(every_length_and_alignment_reads_no_byte_too_many),
        cmocka_unit_test(exactly_these_bytes_stop),
        cmocka_unit_test(plain_texts_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
