/* SPDX-License-Identifier: MIT */
/*
 * The options about TLS: what each does to the settings.
 *
 *  - Applying one looks at no file.
 */
#include "app/tls_options.h"

#include "app/app.h"

enum {
    HOURS_MAX = 24,
    HOUR_S = 3600
};

static const char *add(const char *files[TORC_APP_CERTIFICATES_MAX], size_t *count,
                       const char *value) {
    if (!*value) return "name a file";
    if (*count == TORC_APP_CERTIFICATES_MAX) return "at most 32 of them";
    files[(*count)++] = value;
    return NULL;
}

static const char *apply_cert(torc_app *app, const char *value, char text[160]) {
    torc_app_tls_settings *tls = &app->settings.tls;

    (void)text;
    return add(tls->cert_files, &tls->cert_count, value);
}

static const char *apply_key(torc_app *app, const char *value, char text[160]) {
    torc_app_tls_settings *tls = &app->settings.tls;

    (void)text;
    return add(tls->key_files, &tls->key_count, value);
}

static const char *apply_self_signed(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.tls.self_signed = true;
    return NULL;
}

torc_err torc_app_tls_preset(const char *name, torc_tls_preset *preset) {
    static const char *const names[] = {
        [TORC_TLS_MODERN] = "modern",
        [TORC_TLS_COMPATIBLE] = "compatible",
        [TORC_TLS_STRICT] = "strict",
    };

    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *preset = (torc_tls_preset)i;
        return TORC_OK;
    }
    return TORC_ERR_NOT_FOUND;
}

static const char *apply_preset(torc_app *app, const char *value, char text[160]) {
    (void)text;
    return torc_app_tls_preset(value, &app->settings.tls.preset) ? "not known" : NULL;
}

static const char *apply_client_ca(torc_app *app, const char *value, char text[160]) {
    (void)text;
    app->settings.tls.client_ca = value;
    return *value ? NULL : "name a file";
}

static const char *apply_client_cert(torc_app *app, const char *value, char text[160]) {
    (void)text;
    app->settings.tls.has_peers = true;
    app->settings.tls.peers =
        strcmp(value, "optional") == 0 ? TORC_TLS_PEERS_OPTIONAL : TORC_TLS_PEERS_REQUIRED;
    return NULL;
}

static const char *apply_tickets(torc_app *app, const char *value, char text[160]) {
    torc_app_tls_settings *tls = &app->settings.tls;
    uint64_t hours;

    (void)text;
    tls->no_tickets = strcmp(value, "off") == 0;
    if (tls->no_tickets) return NULL;
    if (torc_str_parse_uint(torc_str_of(value), HOURS_MAX, &hours) || hours == 0)
        return "write hours from 1 to 24, or off";
    tls->ticket_life_s = (uint32_t)hours * HOUR_S;
    return NULL;
}

const torc_option torc_app_tls_options[TORC_APP_TLS_OPTION_COUNT] = {
    {"tls-cert", "FILE...",
     "the certificate of `ssl:` endpoints, in PEM\n"
     "With the certificates that lead to the authority's. Given several times, clients are "
     "answered "
     "by the one for the name that they ask for; the first is for all others. Files are read "
     "before "
     "rights are given up, and again at a reload and when they change: one that cannot be used "
     "then "
     "changes nothing.",
     apply_cert},
    {"tls-key", "FILE...",
     "its key; the n-th is that of the n-th certificate\n"
     "Without one, the key is in the certificate's file.",
     apply_key},
    {"tls-self-signed", NULL,
     "make a certificate for localhost; for development\n"
     "A new one at each start, which nobody trusts. For one that can be trusted see torc-cert(1).",
     apply_self_signed},
    {"tls-preset", "modern|compatible|strict",
     "what is spoken (modern)\n"
     "`modern` is TLS 1.2 and 1.3, with authenticated ciphers alone; `compatible` also has older "
     "ciphers of TLS 1.2; `strict` is TLS 1.3 alone.",
     apply_preset},
    {"tls-client-ca", "FILE",
     "who signs certificates of clients, in PEM\n"
     "Clients are asked for one, see `--tls-client-cert`.",
     apply_client_ca},
    {"tls-client-cert", "optional|required",
     "whether clients need one (required)\n"
     "With `optional` who shows none is served, too; who shows one that is not signed so is not.",
     apply_client_cert},
    {"tls-tickets", "off|HOURS",
     "let clients resume, by keys of so many hours (12)\n"
     "The keys are made anew after that time; the two before stay valid. All workers have the "
     "same, "
     "they are in memory alone, and outlive a reload.",
     apply_tickets},
};

const char *torc_app_tls_check(const torc_app_tls_settings *settings) {
    if (settings->key_count > settings->cert_count)
        return "--tls-key: there are more keys than certificates; add --tls-cert FILE";
    if (settings->self_signed && settings->cert_count > 0)
        return "--tls-self-signed: there is --tls-cert, too; leave one of them out";
    if (settings->has_peers && !settings->client_ca)
        return "--tls-client-cert: say who signs them, with --tls-client-ca FILE";
    return NULL;
}
