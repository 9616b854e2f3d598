/* SPDX-License-Identifier: MIT */
#include <torc/buf.h>
#include <torc/signer.h>

#include "faults.h"

/* Of RFC 2202 and RFC 4231: cases 2 (a key shorter than a block) and 6 (a longer one). */
static const char long_key[131] = {
#define TEN "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa"
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\xaa"
#undef TEN
};

static const struct {
    torc_digest_kind kind;
    torc_str key;
    const char *text, *signature;
} known[] = {
    {TORC_DIGEST_MD5, TORC_STR_INIT("Jefe"), "what do ya want for nothing?",
     "750c783e6ab0b503eaa86e310a5db738"},
    {TORC_DIGEST_SHA1, TORC_STR_INIT("Jefe"), "what do ya want for nothing?",
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {TORC_DIGEST_SHA256, TORC_STR_INIT("Jefe"), "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {TORC_DIGEST_SHA256,
     {long_key, sizeof long_key},
     "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {TORC_DIGEST_SHA512, TORC_STR_INIT("Jefe"), "what do ya want for nothing?",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
};

static void check_hex(const char *bytes, size_t len, const char *expected) {
    char hex[2 * TORC_DIGEST_BYTES_MAX + 1] = "";
    torc_buf buf;

    torc_buf_init_fixed(&buf, hex, sizeof hex - 1);
    torc_buf_add_hex(&buf, torc_str_make(bytes, len));
    check_ok(torc_buf_err(&buf));
    assert_string_equal(hex, expected);
}

/* Several messages with one signer, each in two pieces. */
static void signatures_are_the_published_ones(void **state) {
    for (size_t i = 0; i < TORC_COUNT_OF(known); i++) {
        const torc_str text = torc_str_of(known[i].text);
        char signature[TORC_DIGEST_BYTES_MAX];
        torc_signer *signer = NULL;

        check_ok(torc_signer_new(NULL, known[i].kind, known[i].key, &signer));
        for (size_t cut = 0; cut < text.len; cut++) {
            torc_signer_add(signer, torc_str_head(text, cut));
            torc_signer_add(signer, torc_str_from(text, cut));
            check_ok(torc_signer_end(signer, signature));
            check_hex(signature, torc_signer_bytes(signer), known[i].signature);
        }
        torc_signer_free(signer);
    }
}

static torc_signer *signer_new(void) {
    torc_signer *signer = NULL;

    check_ok(torc_signer_new(NULL, TORC_DIGEST_SHA256, TORC_STR("a key"), &signer));
    return signer;
}

static bool verifies(torc_signer *signer, torc_str text, torc_str signature) {
    torc_signer_add(signer, text);
    return torc_signer_verify(signer, signature);
}

static void a_signature_is_verified_for_its_message_alone(void **state) {
    torc_signer *signer = signer_new();
    char signature[TORC_DIGEST_BYTES_MAX];
    const torc_str whole = torc_str_make(signature, torc_signer_bytes(signer));

    torc_signer_add(signer, TORC_STR("yes"));
    check_ok(torc_signer_end(signer, signature));
    assert_true(verifies(signer, TORC_STR("yes"), whole));
    assert_false(verifies(signer, TORC_STR("yes."), whole));
    assert_true(verifies(signer, TORC_STR("yes"), whole));
    for (size_t i = 0; i < whole.len; i++) {
        signature[i] ^= 1;
        assert_false(verifies(signer, TORC_STR("yes"), whole));
        signature[i] ^= 1;
    }
    torc_signer_free(signer);
}

static void a_shortened_signature_has_at_least_16_bytes(void **state) {
    torc_signer *signer = signer_new();
    char signature[TORC_DIGEST_BYTES_MAX + 1] = {0};

    torc_signer_add(signer, TORC_STR("yes"));
    check_ok(torc_signer_end(signer, signature));
    for (size_t len = 0; len <= 33; len++)
        assert_int_equal(verifies(signer, TORC_STR("yes"), torc_str_make(signature, len)),
                         len >= 16 && len <= 32);
    torc_signer_free(signer);
}

static void a_key_has_a_byte_at_least(void **state) {
    static char huge[65537];
    torc_signer *signer = NULL;

    check_err(torc_signer_new(NULL, TORC_DIGEST_SHA256, TORC_STR(""), &signer), TORC_ERR_INVALID);
    check_err(torc_signer_new(NULL, TORC_DIGEST_SHA256, torc_str_make(huge, sizeof huge), &signer),
              TORC_ERR_INVALID);
    assert_null(signer);
    torc_signer_free(NULL);
}

static torc_err sign_something(torc_memory *memory, void *context) {
    char signature[TORC_DIGEST_BYTES_MAX];
    torc_signer *signer = NULL;
    const torc_err err = torc_signer_new(memory, TORC_DIGEST_SHA512, TORC_STR("k"), &signer);

    if (err) return err;
    torc_signer_add(signer, TORC_STR("abc"));
    check_ok(torc_signer_end(signer, signature));
    torc_signer_free(signer);
    return TORC_OK;
}

static void without_memory_it_says_so(void **state) {
    faults_each(sign_something, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_the_published_ones),
        cmocka_unit_test(a_signature_is_verified_for_its_message_alone),
        cmocka_unit_test(a_shortened_signature_has_at_least_16_bytes),
        cmocka_unit_test(a_key_has_a_byte_at_least),
        cmocka_unit_test(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
