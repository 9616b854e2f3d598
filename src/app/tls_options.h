/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_TLS_OPTIONS_H
#define TORC_APP_TLS_OPTIONS_H

#include <torc/tls.h>

#include "app/options.h"

enum {
    TORC_APP_CERTIFICATES_MAX = 32,
    TORC_APP_TLS_OPTION_COUNT = 7
};

/* What the arguments say of TLS, for the endpoints that do not say it themselves. The texts are the
 * caller's. */
typedef struct torc_app_tls_settings {
    const char *cert_files[TORC_APP_CERTIFICATES_MAX], *key_files[TORC_APP_CERTIFICATES_MAX];
    size_t cert_count, key_count; /* a certificate without a key has it in its own file */
    bool self_signed;
    torc_tls_preset preset;
    const char *client_ca; /* NULL: none */
    torc_tls_peers peers;
    bool has_peers; /* it was said */
    bool no_tickets;
    uint32_t ticket_life_s; /* 0: the default */
} torc_app_tls_settings;

/* The options, for a group of their own. */
extern const torc_option torc_app_tls_options[TORC_APP_TLS_OPTION_COUNT];
/* Whether they go together: NULL, or a line that names the option and the fix. */
const char *torc_app_tls_check(const torc_app_tls_settings *settings);
/* The preset of that name. TORC_ERR_NOT_FOUND. */
torc_err torc_app_tls_preset(const char *name, torc_tls_preset *preset) TORC_MUST_CHECK;

#endif
