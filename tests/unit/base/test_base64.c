/* SPDX-License-Identifier: MIT */
#include <torc/base64.h>

#include "faults.h"

static const struct {
    torc_str bytes, text;
} vectors[] = {
    /* RFC 4648 §10 */
    {TORC_STR_INIT(""), TORC_STR_INIT("")},
    {TORC_STR_INIT("f"), TORC_STR_INIT("Zg==")},
    {TORC_STR_INIT("fo"), TORC_STR_INIT("Zm8=")},
    {TORC_STR_INIT("foo"), TORC_STR_INIT("Zm9v")},
    {TORC_STR_INIT("foob"), TORC_STR_INIT("Zm9vYg==")},
    {TORC_STR_INIT("fooba"), TORC_STR_INIT("Zm9vYmE=")},
    {TORC_STR_INIT("foobar"), TORC_STR_INIT("Zm9vYmFy")},
    {TORC_STR_INIT("\xfb\xff\xfe"), TORC_STR_INIT("+//+")},
};

static char room[600];

static torc_str encoded(torc_str bytes, torc_base64_options options) {
    torc_buf buf;
    torc_buf_init_fixed(&buf, room, sizeof room);

    torc_base64_encode(&buf, bytes, options);
    check_ok(torc_buf_err(&buf));
    return torc_buf_str(&buf);
}

static torc_err decode(torc_str text, torc_base64_options options, torc_str *bytes) {
    torc_buf buf;
    torc_buf_init_fixed(&buf, room, sizeof room);

    const torc_err err = torc_base64_decode(&buf, text, options);
    if (err) assert_int_equal(buf.len, 0);
    *bytes = torc_buf_str(&buf);
    return err;
}

static void published_vectors_both_ways(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(vectors); i++) {
        torc_str bytes;

        assert_true(
            torc_str_equals(encoded(vectors[i].bytes, TORC_BASE64_STANDARD), vectors[i].text));
        check_ok(decode(vectors[i].text, TORC_BASE64_STANDARD, &bytes));
        assert_true(torc_str_equals(bytes, vectors[i].bytes));
    }
}

static void url_alphabet_and_no_padding(void **state) {
    torc_str bytes;

    check_str(encoded(TORC_STR("\xfb\xff\xfe\xff"), TORC_BASE64_URL), "-__-_w==");
    check_str(encoded(TORC_STR("\xfb\xff\xfe\xff"), TORC_BASE64_URL_NO_PADDING), "-__-_w");
    check_ok(decode(TORC_STR("-__-_w"), TORC_BASE64_URL_NO_PADDING, &bytes));
    check_str(bytes, "\xfb\xff\xfe\xff");
    check_err(decode(TORC_STR("+//+"), TORC_BASE64_URL, &bytes), TORC_ERR_SYNTAX);
    check_err(decode(TORC_STR("-__-"), TORC_BASE64_STANDARD, &bytes), TORC_ERR_SYNTAX);
}

static void every_length_survives_the_way_there_and_back(void **state) {
    static const torc_base64_options all[] = {TORC_BASE64_STANDARD, TORC_BASE64_URL,
                                              TORC_BASE64_NO_PADDING, TORC_BASE64_URL_NO_PADDING};
    char bytes[256], text[400];

    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        for (size_t i = 0; i < TORC_COUNT_OF(all); i++) {
            torc_str whole = encoded(torc_str_make(bytes, len), all[i]), back;

            memcpy(text, whole.bytes, whole.len);
            check_ok(decode(torc_str_make(text, whole.len), all[i], &back));
            assert_true(torc_str_equals(back, torc_str_make(bytes, len)));
        }
    }
}

static void padding_is_as_asked_for(void **state) {
    torc_str bytes;

    check_err(decode(TORC_STR("Zg"), TORC_BASE64_STANDARD, &bytes), TORC_ERR_SYNTAX);
    check_err(decode(TORC_STR("Zg="), TORC_BASE64_STANDARD, &bytes), TORC_ERR_SYNTAX);
    check_err(decode(TORC_STR("Zg=="), TORC_BASE64_NO_PADDING, &bytes), TORC_ERR_SYNTAX);
    check_ok(decode(TORC_STR("Zg"), TORC_BASE64_NO_PADDING, &bytes));
    check_ok(decode(TORC_STR("Zg=="), TORC_BASE64_ANY_PADDING, &bytes));
    check_ok(decode(TORC_STR("Zg"), TORC_BASE64_ANY_PADDING, &bytes));
    check_err(decode(TORC_STR("Zg="), TORC_BASE64_ANY_PADDING, &bytes), TORC_ERR_SYNTAX);
}

static void malformed_texts_are_refused(void **state) {
    static const char *const bad[] = {"A",     "=",     "==",       "====", "A===",   "Zg=a",
                                      "Zm=v",  "Zm9v=", "Zm9v====", "Zm 9", "Zm9v\n", " Zm9",
                                      "Zm9v.", "Zh==",  "Zm9=",     "Zm9vY"};
    torc_str bytes;

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        check_err(decode(torc_str_of(bad[i]), TORC_BASE64_STANDARD, &bytes), TORC_ERR_SYNTAX);
        check_err(decode(torc_str_of(bad[i]), TORC_BASE64_ANY_PADDING, &bytes), TORC_ERR_SYNTAX);
    }
    check_err(decode(TORC_STR("Zm9\0"), TORC_BASE64_STANDARD, &bytes), TORC_ERR_SYNTAX);
    check_err(decode(TORC_STR("Zm9\xff"), TORC_BASE64_STANDARD, &bytes), TORC_ERR_SYNTAX);
}

static torc_err there_and_back(torc_memory *memory, void *context) {
    torc_buf text, bytes;
    torc_buf_init(&text, memory, TORC_MEMORY_OTHER, 100);
    torc_buf_init(&bytes, memory, TORC_MEMORY_OTHER, 100);

    torc_base64_encode(&text, TORC_STR("some bytes"), TORC_BASE64_STANDARD);
    torc_err err = torc_buf_err(&text);
    if (!err) err = torc_base64_decode(&bytes, torc_buf_str(&text), TORC_BASE64_STANDARD);
    if (!err) check_str(torc_buf_str(&bytes), "some bytes");
    torc_buf_dispose(&text);
    torc_buf_dispose(&bytes);
    return err;
}

static void base64_when_memory_fails(void **state) {
    faults_each(there_and_back, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_both_ways),
        cmocka_unit_test(url_alphabet_and_no_padding),
        cmocka_unit_test(every_length_survives_the_way_there_and_back),
        cmocka_unit_test(padding_is_as_asked_for),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(base64_when_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
