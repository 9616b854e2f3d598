/* SPDX-License-Identifier: MIT */
#include "app/app.h"
#include "check.h"

/* Apply an option of the group by its name; NULL: it took the value. */
static const char *apply(torc_app *app, const char *name, const char *value) {
    static char text[160];

    for (size_t i = 0; i < TORC_APP_TLS_OPTION_COUNT; i++)
        if (strcmp(torc_app_tls_options[i].name, name) == 0)
            return torc_app_tls_options[i].apply(app, value, text);
    fail_msg("there is no option %s", name);
    return NULL;
}

static const char *checked(torc_app *app) {
    return torc_app_tls_check(&app->settings.tls);
}

static int make_app(void **state) {
    *state = torc_app_new("test");
    return 0;
}

static int free_app(void **state) {
    torc_app_free(*state);
    return 0;
}

static void certificates_and_keys_go_by_their_place(void **state) {
    torc_app *app = *state;

    assert_null(apply(app, "tls-cert", "a"));
    assert_null(apply(app, "tls-cert", "b"));
    assert_null(checked(app));
    assert_null(apply(app, "tls-key", "a-key"));
    assert_null(checked(app)); /* the second has its key in its file */
    assert_null(apply(app, "tls-key", "b-key"));
    assert_null(checked(app));
    assert_null(apply(app, "tls-key", "c-key"));
    assert_non_null(strstr(checked(app), "--tls-key"));
}

static void there_are_at_most_32(void **state) {
    torc_app *app = *state;

    for (size_t i = 0; i < TORC_APP_CERTIFICATES_MAX; i++) assert_null(apply(app, "tls-cert", "a"));
    assert_string_equal(apply(app, "tls-cert", "a"), "at most 32 of them");
    assert_int_equal(app->settings.tls.cert_count, TORC_APP_CERTIFICATES_MAX);
}

static void a_file_has_a_name(void **state) {
    assert_non_null(apply(*state, "tls-cert", ""));
    assert_non_null(apply(*state, "tls-key", ""));
    assert_non_null(apply(*state, "tls-client-ca", ""));
}

static void what_excludes_each_other_is_told(void **state) {
    torc_app *app = *state;

    assert_null(apply(app, "tls-self-signed", NULL));
    assert_null(checked(app));
    assert_null(apply(app, "tls-client-cert", "optional"));
    assert_non_null(strstr(checked(app), "--tls-client-ca"));
    assert_null(apply(app, "tls-client-ca", "ca"));
    assert_null(checked(app));
    assert_int_equal(app->settings.tls.peers, TORC_TLS_PEERS_OPTIONAL);
    assert_null(apply(app, "tls-cert", "a"));
    assert_non_null(strstr(checked(app), "--tls-self-signed"));
}

static void tickets_have_hours_or_are_off(void **state) {
    static const char *const bad[] = {"0", "25", "", "x", "1h", "-1"};
    torc_app *app = *state;

    assert_null(apply(app, "tls-tickets", "off"));
    assert_true(app->settings.tls.no_tickets);
    assert_null(apply(app, "tls-tickets", "24"));
    assert_false(app->settings.tls.no_tickets);
    assert_int_equal(app->settings.tls.ticket_life_s, 86400);
    for (size_t i = 0; i < TORC_COUNT_OF(bad); i++)
        assert_non_null(apply(app, "tls-tickets", bad[i]));
}

static void presets_have_names(void **state) {
    torc_tls_preset preset;

    check_ok(torc_app_tls_preset("strict", &preset));
    assert_int_equal(preset, TORC_TLS_STRICT);
    check_err(torc_app_tls_preset("lax", &preset), TORC_ERR_NOT_FOUND);
    assert_null(apply(*state, "tls-preset", "compatible"));
    assert_int_equal(((torc_app *)*state)->settings.tls.preset, TORC_TLS_COMPATIBLE);
}

int main(void) {
#define WITH_APP(test) cmocka_unit_test_setup_teardown(test, make_app, free_app)
    const struct CMUnitTest tests[] = {
        WITH_APP(certificates_and_keys_go_by_their_place),
        WITH_APP(there_are_at_most_32),
        WITH_APP(a_file_has_a_name),
        WITH_APP(what_excludes_each_other_is_told),
        WITH_APP(tickets_have_hours_or_are_off),
        WITH_APP(presets_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
