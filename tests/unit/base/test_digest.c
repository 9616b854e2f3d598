/* SPDX-License-Identifier: MIT */
#include <torc/buf.h>
#include <torc/digest.h>

#include "faults.h"

/* Of FIPS 180-4's examples and RFC 1321's test suite: of "abc", of nothing, and of a longer text.
 */
static const struct {
    torc_digest_kind kind;
    const char *text, *digest;
} known[] = {
    {TORC_DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {TORC_DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {TORC_DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {TORC_DIGEST_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {TORC_DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {TORC_DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {TORC_DIGEST_SHA384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7"},
    {TORC_DIGEST_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static void check_hex(const char *digest, size_t len, const char *expected) {
    char hex[2 * TORC_DIGEST_BYTES_MAX + 1] = "";
    torc_buf buf;

    torc_buf_init_fixed(&buf, hex, sizeof hex - 1);
    torc_buf_add_hex(&buf, torc_str_make(digest, len));
    check_ok(torc_buf_err(&buf));
    assert_string_equal(hex, expected);
}

static void digests_are_the_published_ones(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(known); i++) {
        char digest[TORC_DIGEST_BYTES_MAX];
        check_ok(torc_digest_of(known[i].kind, torc_str_of(known[i].text), digest));
        check_hex(digest, torc_digest_bytes(known[i].kind), known[i].digest);
    }
}

static void a_message_in_any_two_pieces_has_the_same_digest(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(known); i++) {
        const torc_str text = torc_str_of(known[i].text);
        char digest[TORC_DIGEST_BYTES_MAX];
        torc_digest *self = NULL;

        check_ok(torc_digest_new(NULL, known[i].kind, &self));
        for (size_t cut = 0; cut <= text.len; cut++) {
            torc_digest_add(self, torc_str_head(text, cut));
            torc_digest_add(self, torc_str_from(text, cut));
            check_ok(torc_digest_end(self, digest));
            check_hex(digest, torc_digest_bytes(known[i].kind), known[i].digest);
        }
        torc_digest_free(self);
    }
}

static void kinds_have_names_and_lengths(void **state) {
    assert_string_equal(torc_digest_name(TORC_DIGEST_SHA256), "SHA-256");
    assert_int_equal(torc_digest_bytes(TORC_DIGEST_SHA512), TORC_DIGEST_BYTES_MAX);
    for (int kind = 0; kind < TORC_DIGEST_KINDS; kind++)
        assert_true(torc_digest_bytes((torc_digest_kind)kind) >= 16);
}

static torc_err digest_something(torc_memory *memory, void *context) {
    char digest[TORC_DIGEST_BYTES_MAX];
    torc_digest *self = NULL;
    const torc_err err = torc_digest_new(memory, TORC_DIGEST_SHA256, &self);

    if (err) return err;
    torc_digest_add(self, TORC_STR("abc"));
    check_ok(torc_digest_end(self, digest));
    torc_digest_free(self);
    return TORC_OK;
}

static void without_memory_it_says_so(void **state) {
    faults_each(digest_something, NULL);
}

static void freeing_nothing_is_fine(void **state) {
    torc_digest_free(NULL);
}

static void secrets_are_equal_when_all_bytes_are(void **state) {
    assert_true(torc_secret_equals(TORC_STR("same"), TORC_STR("same")));
    assert_true(torc_secret_equals((torc_str){0}, TORC_STR("")));
    assert_false(torc_secret_equals(TORC_STR("same"), TORC_STR("samf")));
    assert_false(torc_secret_equals(TORC_STR("same"), TORC_STR("tame")));
    assert_false(torc_secret_equals(TORC_STR("same"), TORC_STR("sam")));
}

static void what_is_wiped_is_gone(void **state) {
    char secret[] = "secret";

    torc_secret_wipe(secret, 3);
    assert_memory_equal(secret, "\0\0\0ret", sizeof secret);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_the_published_ones),
        cmocka_unit_test(a_message_in_any_two_pieces_has_the_same_digest),
        cmocka_unit_test(kinds_have_names_and_lengths),
        cmocka_unit_test(without_memory_it_says_so),
        cmocka_unit_test(freeing_nothing_is_fine),
        cmocka_unit_test(secrets_are_equal_when_all_bytes_are),
        cmocka_unit_test(what_is_wiped_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
