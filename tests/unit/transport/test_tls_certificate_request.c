/* SPDX-License-Identifier: MIT */
/*
 * Requests for certificates: made, written, read, and answered by an authority.
 */
#include <string.h>
#include <torc/certificate.h>

#include "check.h"

static const char *const names[] = {"a.example", "*.b.example", "192.0.2.1", NULL};

static torc_certificate_request *request_for(const torc_private_key *key) {
    const torc_certificate_options options = {.size = sizeof(options), .names = names};
    torc_certificate_request *request = NULL;

    check_ok(torc_certificate_request_new(key, &options, &request, NULL));
    return request;
}

static torc_private_key *new_key(torc_key_kind kind) {
    torc_private_key *key = NULL;

    check_ok(torc_private_key_new(kind, &key));
    return key;
}

static torc_certificate *new_authority(const torc_private_key *key) {
    const torc_certificate_options options = {.size = sizeof(options), .is_authority = true};
    torc_certificate *authority = NULL;

    check_ok(torc_certificate_new(key, &options, &authority, NULL));
    return authority;
}

static void one_is_read_as_it_was_written(void **state) {
    (void)state;
    for (torc_key_kind kind = 0; kind < TORC_KEY_KINDS; kind++) {
        torc_private_key *key = new_key(kind);
        torc_certificate_request *request = request_for(key), *again = NULL;
        torc_buf pem;

        torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, 100000);
        torc_certificate_request_write_pem(request, &pem);
        check_ok(torc_buf_err(&pem));
        check_ok(torc_certificate_request_read_pem(torc_buf_str(&pem), &again, NULL));
        assert_int_equal(torc_certificate_request_name_count(again), 3);
        check_str(torc_certificate_request_name(again, 0), "a.example");
        check_str(torc_certificate_request_name(again, 1), "*.b.example");
        check_str(torc_certificate_request_name(again, 2), "192.0.2.1");
        check_str(torc_certificate_request_common_name(again), "a.example");
        torc_buf_dispose(&pem);
        torc_certificate_request_free(again);
        torc_certificate_request_free(request);
        torc_private_key_free(key);
    }
    torc_certificate_request_free(NULL);
}

static void an_authority_answers_it(void **state) {
    torc_private_key *key = new_key(TORC_KEY_EC_P256), *authority_key = new_key(TORC_KEY_EC_P256);
    torc_certificate *authority = new_authority(authority_key), *certificate = NULL;
    torc_certificate_request *request = request_for(key);
    static const char *const others[] = {"c.example", NULL};
    torc_certificate_options options = {
        .size = sizeof(options), .issuer = authority, .issuer_key = authority_key, .days = 10};

    (void)state;
    check_ok(torc_certificate_new_requested(request, &options, &certificate, NULL));
    assert_true(torc_certificate_is_signed_by(certificate, authority));
    assert_true(torc_certificate_has_key(certificate, key));
    assert_true(torc_certificate_is_for(certificate, "x.b.example"));
    assert_true(torc_certificate_is_for(certificate, "192.0.2.1"));
    assert_false(torc_certificate_is_authority(certificate));
    torc_certificate_free(certificate);
    options.names = others; /* not what was asked for, but what the authority thinks right */
    check_ok(torc_certificate_new_requested(request, &options, &certificate, NULL));
    assert_true(torc_certificate_is_for(certificate, "c.example"));
    assert_false(torc_certificate_is_for(certificate, "a.example"));
    torc_certificate_free(certificate);
    torc_certificate_request_free(request);
    torc_certificate_free(authority);
    torc_private_key_free(authority_key);
    torc_private_key_free(key);
}

static void what_cannot_be_asked_for_is_refused(void **state) {
    static const char *const bad[] = {"a b", NULL};
    torc_private_key *key = new_key(TORC_KEY_EC_P256);
    torc_certificate_options options = {.size = sizeof(options), .names = bad};
    torc_certificate_request *request = NULL;
    torc_certificate *certificate = NULL;
    torc_certificate_error error = {""};

    (void)state;
    check_err(torc_certificate_request_new(key, &options, &request, &error), TORC_ERR_INVALID);
    assert_non_null(strstr(error.text, "a b"));
    options = (torc_certificate_options){.size = sizeof(options), .is_authority = true};
    check_err(torc_certificate_request_new(key, &options, &request, &error), TORC_ERR_INVALID);
    assert_null(request);
    request = request_for(key);
    options.is_authority = false;
    check_err(torc_certificate_new_requested(request, &options, &certificate, &error),
              TORC_ERR_INVALID);
    assert_non_null(strstr(error.text, "authority"));
    torc_certificate_request_free(request);
    torc_private_key_free(key);
}

static void what_is_no_request_is_told_apart(void **state) {
    torc_private_key *key = new_key(TORC_KEY_EC_P256);
    torc_certificate_request *request = request_for(key), *again = NULL;
    torc_certificate_error error = {""};
    torc_buf pem;

    (void)state;
    torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, 100000);
    check_err(torc_certificate_request_read_pem(TORC_STR("hello"), &again, &error),
              TORC_ERR_NOT_FOUND);
    torc_certificate_request_write_pem(request, &pem);
    for (size_t len = 30; len < pem.len - 30; len += 17)
        assert_int_not_equal(
            torc_certificate_request_read_pem(torc_str_make(pem.bytes, len), &again, &error),
            TORC_OK);
    /* Another letter in the middle: damaged, or not signed by its key. */
    char *const letter = pem.bytes + pem.len / 2;
    *letter = *letter == 'A' ? 'B' : 'A';
    const torc_err err = torc_certificate_request_read_pem(torc_buf_str(&pem), &again, &error);
    assert_true(err == TORC_ERR_SYNTAX || err == TORC_ERR_CERTIFICATE);
    assert_null(again);
    torc_buf_dispose(&pem);
    torc_certificate_request_free(request);
    torc_private_key_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_read_as_it_was_written),
        cmocka_unit_test(an_authority_answers_it),
        cmocka_unit_test(what_cannot_be_asked_for_is_refused),
        cmocka_unit_test(what_is_no_request_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
