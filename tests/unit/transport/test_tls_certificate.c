/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <torc/certificate.h>
#include <unistd.h>

#include "check.h"

/* ---- what tests make ---- */

static torc_private_key *key_new(torc_key_kind kind) {
    torc_private_key *key = NULL;

    check_ok(torc_private_key_new(kind, &key));
    return key;
}

static torc_certificate *made(const torc_private_key *key,
                              const torc_certificate_options *options) {
    torc_certificate *certificate = NULL;
    torc_certificate_error error = {""};
    const torc_err err = torc_certificate_new(key, options, &certificate, &error);

    if (err) print_error("%s\n", error.text);
    check_ok(err);
    return certificate;
}

static torc_certificate *made_for(const torc_private_key *key, const char *name) {
    const char *const names[] = {name, NULL};
    const torc_certificate_options options = {.size = sizeof(options), .names = names};

    return made(key, &options);
}

static void check_refused(const torc_certificate_options *options, const char *why) {
    torc_private_key *key = key_new(TORC_KEY_EC_P256);
    torc_certificate *certificate = NULL;
    torc_certificate_error error = {""};

    check_err(torc_certificate_new(key, options, &certificate, &error), TORC_ERR_INVALID);
    assert_non_null(strstr(error.text, why));
    assert_null(certificate);
    check_err(torc_certificate_new(key, options, &certificate, NULL), TORC_ERR_INVALID);
    torc_private_key_free(key);
}

/* ---- making ---- */

static void one_is_for_the_names_that_it_was_made_for(void **state) {
    static const char *const names[] = {"a.example", "*.b.example", "192.0.2.1", "2001:db8::1",
                                        NULL};
    const torc_certificate_options options = {.size = sizeof(options), .names = names};
    torc_private_key *key = key_new(TORC_KEY_EC_P256);
    torc_certificate *certificate = made(key, &options);

    assert_int_equal(torc_certificate_name_count(certificate), 4);
    for (size_t i = 0; i < 4; i++)
        assert_true(torc_str_equals(torc_certificate_name(certificate, i), torc_str_of(names[i])));
    check_str(torc_certificate_common_name(certificate), "a.example");
    assert_true(torc_certificate_is_for(certificate, "a.example"));
    assert_true(torc_certificate_is_for(certificate, "A.EXAMPLE"));
    assert_true(torc_certificate_is_for(certificate, "x.b.example"));
    assert_true(torc_certificate_is_for(certificate, "192.0.2.1"));
    assert_true(torc_certificate_is_for(certificate, "2001:db8:0::1"));
    assert_false(torc_certificate_is_for(certificate, "b.example"));
    assert_false(torc_certificate_is_for(certificate, "x.y.b.example"));
    assert_false(torc_certificate_is_for(certificate, "192.0.2.2"));
    assert_false(torc_certificate_is_for(certificate, "c.example"));
    torc_certificate_free(certificate);
    torc_private_key_free(key);
}

static void one_signs_itself_unless_told_otherwise(void **state) {
    torc_private_key *key = key_new(TORC_KEY_EC_P256), *other = key_new(TORC_KEY_EC_P256);
    torc_certificate *certificate = made_for(key, "localhost");

    assert_true(torc_certificate_is_self_signed(certificate));
    assert_false(torc_certificate_is_authority(certificate));
    check_str(torc_certificate_issuer_name(certificate), "localhost");
    assert_true(torc_certificate_has_key(certificate, key));
    assert_false(torc_certificate_has_key(certificate, other));
    torc_certificate_free(certificate);
    torc_private_key_free(other);
    torc_private_key_free(key);
}

static void every_kind_of_key_makes_one(void **state) {
    for (int kind = 0; kind < TORC_KEY_KINDS; kind++) {
        torc_private_key *key = key_new((torc_key_kind)kind);
        torc_certificate *certificate = made_for(key, "localhost");
        torc_key_kind parsed;

        assert_true(torc_certificate_has_key(certificate, key));
        assert_true(torc_certificate_is_self_signed(certificate));
        check_ok(
            torc_key_kind_parse(torc_str_of(torc_key_kind_name((torc_key_kind)kind)), &parsed));
        assert_int_equal(parsed, kind);
        torc_certificate_free(certificate);
        torc_private_key_free(key);
    }
}

static void a_kind_that_is_not_there_is_not_found(void **state) {
    torc_key_kind kind;

    check_err(torc_key_kind_parse(TORC_STR("dsa"), &kind), TORC_ERR_NOT_FOUND);
    check_err(torc_key_kind_parse(TORC_STR(""), &kind), TORC_ERR_NOT_FOUND);
}

static torc_certificate *authority_new(const torc_private_key *key) {
    const torc_certificate_options options = {
        .size = sizeof(options), .is_authority = true, .common_name = "an authority"};

    return made(key, &options);
}

static void an_authority_signs_another(void **state) {
    static const char *const names[] = {"localhost", NULL};
    torc_private_key *authority_key = key_new(TORC_KEY_EC_P384), *key = key_new(TORC_KEY_EC_P256);
    torc_certificate *authority = authority_new(authority_key);
    torc_private_key *stranger_key = key_new(TORC_KEY_EC_P256);
    torc_certificate *stranger = authority_new(stranger_key);
    const torc_certificate_options options = {
        .size = sizeof(options), .names = names, .issuer = authority, .issuer_key = authority_key};
    torc_certificate *certificate = made(key, &options);

    assert_true(torc_certificate_is_authority(authority));
    assert_int_equal(torc_certificate_name_count(authority), 0);
    assert_true(torc_certificate_is_signed_by(certificate, authority));
    assert_false(torc_certificate_is_signed_by(certificate, stranger)); /* of the same name */
    assert_false(torc_certificate_is_signed_by(authority, certificate));
    assert_false(torc_certificate_is_self_signed(certificate));
    check_str(torc_certificate_issuer_name(certificate), "an authority");
    torc_certificate_free(certificate);
    torc_certificate_free(stranger);
    torc_private_key_free(stranger_key);
    torc_certificate_free(authority);
    torc_private_key_free(key);
    torc_private_key_free(authority_key);
}

static void one_is_valid_from_now_for_so_many_days(void **state) {
    static const char *const names[] = {"localhost", NULL};
    torc_certificate_options options = {.size = sizeof(options), .names = names};
    torc_private_key *key = key_new(TORC_KEY_EC_P256);
    const int64_t now_s = time(NULL), day_s = 86400;

    for (uint32_t days = 0; days <= 10; days += 10) {
        options.days = days;
        torc_certificate *certificate = made(key, &options);
        const int64_t begins_s = torc_certificate_begins_s(certificate),
                      ends_s = torc_certificate_ends_s(certificate);
        assert_true(begins_s < now_s && begins_s > now_s - day_s);
        assert_true(ends_s - begins_s < (days ? days : 397) * day_s);
        assert_true(ends_s - begins_s >= (days ? days : 397) * day_s - 2);
        torc_certificate_free(certificate);
    }
    torc_private_key_free(key);
}

static void numbers_and_fingerprints_differ_but_the_pin_is_the_keys(void **state) {
    torc_private_key *key = key_new(TORC_KEY_EC_P256);
    torc_certificate *a = made_for(key, "localhost"), *b = made_for(key, "localhost");
    unsigned char of_a[TORC_CERTIFICATE_HASH_BYTES], of_b[TORC_CERTIFICATE_HASH_BYTES];

    check_ok(torc_certificate_fingerprint(a, of_a));
    check_ok(torc_certificate_fingerprint(b, of_b));
    assert_memory_not_equal(of_a, of_b, sizeof of_a);
    check_ok(torc_certificate_pin(a, of_a));
    check_ok(torc_certificate_pin(b, of_b));
    assert_memory_equal(of_a, of_b, sizeof of_a);
    torc_certificate_free(a);
    torc_certificate_free(b);
    torc_private_key_free(key);
}

static void a_long_name_stands_among_the_names_alone(void **state) {
    torc_private_key *key = key_new(TORC_KEY_EC_P256);
    torc_certificate *certificate =
        made_for(key, "a-name-that-is-too-long-for-the-subject.but-not-for-a-host.example.com");

    check_str(torc_certificate_common_name(certificate), "");
    assert_int_equal(torc_certificate_name_count(certificate), 1);
    torc_certificate_free(certificate);
    torc_private_key_free(key);
}

static void what_is_no_name_is_refused(void **state) {
    static const char *const bad[] = {"",   "a b", "a..b",  "-a",      "a-",
                                      "*.", "*",   "a.*.b", "DNS:a,b", "a\nb",
                                      ".a", "a/b", "a:443", "*.*.a",   "1.2.3.4/8"};

    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++) {
        const char *const names[] = {bad[i], NULL};
        const torc_certificate_options options = {.size = sizeof(options), .names = names};
        check_refused(&options, "neither a host name nor an address");
    }
    const char *const names[] = {"m\xc3\xbcnchen.example", NULL};
    check_refused(
        &(torc_certificate_options){.size = sizeof(torc_certificate_options), .names = names},
        "xn--");
}

static void what_does_not_go_together_is_refused(void **state) {
    static const char *const names[] = {"localhost", NULL};
    const size_t size = sizeof(torc_certificate_options);
    torc_private_key *key = key_new(TORC_KEY_EC_P256), *other = key_new(TORC_KEY_EC_P256);
    torc_certificate *leaf = made_for(key, "localhost"), *authority = authority_new(key);
    const char *many[TORC_CERTIFICATE_NAMES_MAX + 2] = {0};

    for (size_t i = 0; i <= TORC_CERTIFICATE_NAMES_MAX; i++) many[i] = "localhost";
    const torc_certificate_options refused[] = {
        {.size = size},
        {.size = size, .names = names, .days = TORC_CERTIFICATE_DAYS_MAX + 1},
        {.size = size, .names = names, .is_authority = true},
        {.size = size, .names = names, .issuer = authority},
        {.size = size, .names = names, .issuer = authority, .issuer_key = other},
        {.size = size, .names = names, .issuer = leaf, .issuer_key = key},
        {.size = size, .names = many},
    };
    static const char *const why[] = {
        "a name is missing", "days",         "no names",         "its key",
        "not that of its",   "no authority", "at most 100 names"};
    for (size_t i = 0; i < TORC_COUNT_OF(refused); i++) check_refused(&refused[i], why[i]);
    torc_certificate_free(leaf);
    torc_certificate_free(authority);
    torc_private_key_free(other);
    torc_private_key_free(key);
}

/* ---- text ---- */

static void both_are_read_as_they_were_written(void **state) {
    torc_private_key *key = key_new(TORC_KEY_RSA_2048), *key_read = NULL;
    torc_certificate *certificate = made_for(key, "localhost"), *read = NULL;
    unsigned char before[TORC_CERTIFICATE_HASH_BYTES], after[TORC_CERTIFICATE_HASH_BYTES];
    torc_buf pem;

    torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, 65536);
    torc_certificate_write_pem(certificate, &pem);
    torc_private_key_write_pem(key, &pem);
    check_ok(torc_buf_err(&pem));
    check_ok(torc_certificate_read_pem(torc_buf_str(&pem), &read, NULL));
    check_ok(torc_private_key_read_pem(torc_buf_str(&pem), &key_read, NULL));
    check_ok(torc_certificate_fingerprint(certificate, before));
    check_ok(torc_certificate_fingerprint(read, after));
    assert_memory_equal(before, after, sizeof before);
    assert_true(torc_certificate_has_key(read, key_read));
    torc_certificate_free(read);
    torc_private_key_free(key_read);
    torc_certificate_free(certificate);
    torc_private_key_free(key);
    torc_buf_dispose(&pem);
}

static void check_unreadable(torc_str pem, torc_err of_key, torc_err of_certificate) {
    torc_private_key *key = NULL;
    torc_certificate *certificate = NULL;
    torc_certificate_error error = {""};

    check_err(torc_private_key_read_pem(pem, &key, &error), of_key);
    assert_true(error.text[0]);
    error.text[0] = '\0';
    check_err(torc_certificate_read_pem(pem, &certificate, &error), of_certificate);
    assert_true(error.text[0]);
}

static void what_is_absent_or_damaged_is_told_apart(void **state) {
    check_unreadable(TORC_STR(""), TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_unreadable(TORC_STR("hello\n"), TORC_ERR_NOT_FOUND, TORC_ERR_NOT_FOUND);
    check_unreadable(TORC_STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                     TORC_ERR_NOT_FOUND, TORC_ERR_SYNTAX);
    check_unreadable(TORC_STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                     TORC_ERR_SYNTAX, TORC_ERR_NOT_FOUND);
}

/* Made by `openssl genpkey -algorithm ed25519 -aes-128-cbc -pass pass:secret`. */
static const char with_passphrase[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjmkt4wks067AICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEFUhSLWoWNqdgMgdcRabqhYEQI2o\n"
    "oQXYBuXxlxGL0dcdNuoGsfgsOoqqAYHW8lkm0j4EudVDEI7Gjz/yoYE9IfKPvFfD\n"
    "70C86WoAmjmRJ8vapLg=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static void a_key_with_a_passphrase_is_refused_without_asking(void **state) {
    torc_private_key *key = NULL;
    torc_certificate_error error = {""};

    check_err(torc_private_key_read_pem(torc_str_of(with_passphrase), &key, &error),
              TORC_ERR_PERMISSION);
    assert_non_null(strstr(error.text, "passphrase"));
}

/* Every prefix of a text is absent or damaged, and the whole is read. */
static void a_text_that_ends_too_soon_is_no_certificate(void **state) {
    torc_private_key *key = key_new(TORC_KEY_ED25519);
    torc_certificate *certificate = made_for(key, "localhost"), *read = NULL;
    torc_buf pem;

    torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, 65536);
    torc_certificate_write_pem(certificate, &pem);
    for (size_t len = 0; len < pem.len - 2; len += 7)
        assert_true(torc_certificate_read_pem(torc_str_head(torc_buf_str(&pem), len), &read, NULL));
    torc_buf_dispose(&pem);
    torc_certificate_free(certificate);
    torc_private_key_free(key);
}

/* ---- files ---- */

static char folder[] = "/tmp/torc-pem-XXXXXX";
static char path[64];

static int make_folder(void **state) {
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/x.pem", folder);
    return 0;
}

/* Only what the test knows of may be there. */
static int remove_folder(void **state) {
    unlink(path);
    return rmdir(folder);
}

static void check_content(const char *expected) {
    torc_buf pem;

    torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, 2 * 1024 * 1024);
    check_ok(torc_pem_load(path, &pem));
    assert_true(torc_str_equals(torc_buf_str(&pem), torc_str_of(expected)));
    torc_buf_dispose(&pem);
}

static void a_file_is_written_with_its_permissions_whatever_the_mask(void **state) {
    const mode_t before = umask(0);
    struct stat about;

    check_ok(torc_pem_save(path, TORC_STR("secret\n"), 0600, false));
    umask(0777);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    check_ok(torc_pem_save(path, TORC_STR("public\n"), 0644, true));
    umask(before);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0644);
    check_content("public\n");
}

static void a_file_is_replaced_only_with_leave(void **state) {
    check_ok(torc_pem_save(path, TORC_STR("first"), 0600, false));
    check_err(torc_pem_save(path, TORC_STR("second"), 0600, false), TORC_ERR_EXISTS);
    check_content("first");
    check_ok(torc_pem_save(path, TORC_STR("third"), 0600, true));
    check_content("third");
}

static void what_cannot_be_written_leaves_nothing(void **state) {
    check_err(torc_pem_save("/tmp/torc-no-such-folder/x.pem", TORC_STR("x"), 0600, true),
              TORC_ERR_NOT_FOUND);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(torc_pem_save(path, TORC_STR("x"), 0600, true));
    assert_int_equal(rmdir(path), 0);
}

static void what_is_no_file_or_too_large_is_not_read(void **state) {
    torc_buf pem;

    torc_buf_init(&pem, NULL, TORC_MEMORY_OTHER, 2 * 1024 * 1024);
    check_err(torc_pem_load(path, &pem), TORC_ERR_NOT_FOUND);
    check_err(torc_pem_load(folder, &pem), TORC_ERR_IS_DIRECTORY);
    check_err(torc_pem_load("/dev/null", &pem), TORC_ERR_INVALID);
    check_ok(torc_pem_save(path, TORC_STR("x"), 0600, false));
    assert_int_equal(truncate(path, 1024 * 1024 + 1), 0);
    check_err(torc_pem_load(path, &pem), TORC_ERR_TOO_LARGE);
    torc_buf_dispose(&pem);
}

int main(void) {
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_for_the_names_that_it_was_made_for),
        cmocka_unit_test(one_signs_itself_unless_told_otherwise),
        cmocka_unit_test(every_kind_of_key_makes_one),
        cmocka_unit_test(a_kind_that_is_not_there_is_not_found),
        cmocka_unit_test(an_authority_signs_another),
        cmocka_unit_test(one_is_valid_from_now_for_so_many_days),
        cmocka_unit_test(numbers_and_fingerprints_differ_but_the_pin_is_the_keys),
        cmocka_unit_test(a_long_name_stands_among_the_names_alone),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(both_are_read_as_they_were_written),
        cmocka_unit_test(what_is_absent_or_damaged_is_told_apart),
        cmocka_unit_test(a_key_with_a_passphrase_is_refused_without_asking),
        cmocka_unit_test(a_text_that_ends_too_soon_is_no_certificate),
        WITH_FOLDER(a_file_is_written_with_its_permissions_whatever_the_mask),
        WITH_FOLDER(a_file_is_replaced_only_with_leave),
        WITH_FOLDER(what_cannot_be_written_leaves_nothing),
        WITH_FOLDER(what_is_no_file_or_too_large_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
