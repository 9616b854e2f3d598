/* SPDX-License-Identifier: MIT */
/*
 * The names of a server: which certificates are shown to whom.
 *
 *  - Each name leads to a context of OpenSSL's with the certificates that have it, one of each kind
 *    of key; of two of a kind the first one counts. Names with the same set share a context.
 *  - The first certificate's set is the one for everybody else, hosts[0].
 *  - An exact name goes before a wildcard, which stands for one whole label, the first (RFC 6125
 *    §6.4.3).
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "transport/tls/config.h"

enum {
    NAME_MAX_ = 253, /* RFC 1035 §2.3.4, as text */
    KINDS = 4        /* of keys */
};

/* The certificates of a name, by kind of key: their places and 1, 0: none. */
typedef struct set {
    size_t places[KINDS];
} set;

static int kind_of(const torc_tls_loaded *certificate) {
    switch (EVP_PKEY_get_base_id(certificate->key)) {
    case EVP_PKEY_EC:
        return 0;
    case EVP_PKEY_RSA:
        return 1;
    case EVP_PKEY_ED25519:
        return 2;
    default:
        return 3;
    }
}

/* ---- what a certificate's names are ---- */

typedef struct walk {
    torc_tls_config *config;
    size_t certificate; /* whose names are walked through */
    set *sets;          /* of each name, in the order in which they were found */
    size_t set_count, set_room;
    torc_tls_error *error;
} walk;

static torc_err out_of_memory(torc_tls_error *error) {
    return torc_tls_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
}

static torc_err add_name(walk *self, torc_str text) {
    torc_tls_config *config = self->config;
    torc_tls_name *name = torc_alloc(NULL, TORC_MEMORY_TLS, sizeof(*name) + text.len);

    if (!name) return out_of_memory(self->error);
    if (self->set_count == self->set_room) {
        const size_t room = self->set_room ? 2 * self->set_room : 16;
        set *sets = self->sets ? torc_realloc(NULL, self->sets, room * sizeof(*sets))
                               : torc_alloc(NULL, TORC_MEMORY_TLS, room * sizeof(*sets));
        if (!sets) {
            torc_dealloc(NULL, name);
            return out_of_memory(self->error);
        }
        self->sets = sets;
        self->set_room = room;
    }
    name->len = text.len;
    memcpy(name->text, text.bytes, text.len);
    name->ctx = NULL;
    if (torc_map_set(&config->names, torc_str_make(name->text, name->len), name)) {
        torc_dealloc(NULL, name);
        return out_of_memory(self->error);
    }
    name->next = config->first_name;
    config->first_name = name;
    name->place = self->set_count;
    self->sets[self->set_count++] = (set){{0}};
    return TORC_OK;
}

/* Note that the certificate has a name. */
static torc_err note(walk *self, torc_str text) {
    const int kind = kind_of(&self->config->certificates[self->certificate]);
    const torc_tls_name *name;
    torc_err err = TORC_OK;

    if (torc_str_ends_with(text, TORC_STR("."))) text.len--;
    if (text.len == 0 || text.len > NAME_MAX_) return TORC_OK;
    if (!torc_map_find(&self->config->names, text)) err = add_name(self, text);
    if (err) return err;
    name = torc_map_find(&self->config->names, text);
    set *const of = &self->sets[name->place];
    if (of->places[kind] == 0) of->places[kind] = self->certificate + 1;
    return TORC_OK;
}

static torc_err note_alternative_names(walk *self, X509 *leaf, int *found) {
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    torc_err err = TORC_OK;

    for (int i = 0; !err && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type != GEN_DNS) continue;
        const ASN1_IA5STRING *text = one->d.dNSName;
        err = note(self, torc_str_make((const char *)ASN1_STRING_get0_data(text),
                                       (size_t)ASN1_STRING_length(text)));
        ++*found;
    }
    GENERAL_NAMES_free(names);
    return err;
}

static torc_err note_common_name(walk *self, X509 *leaf) {
    char text[NAME_MAX_ + 1];
    const int len =
        X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text, sizeof(text));
    return len > 0 ? note(self, torc_str_make(text, (size_t)len)) : TORC_OK;
}

static torc_err note_names(walk *self, const char *given) {
    X509 *leaf = self->config->certificates[self->certificate].leaf;
    torc_str rest = torc_str_of(given), name;
    torc_err err = TORC_OK;
    int found = 0;

    while (!err && rest.len > 0 && torc_str_split(&rest, ',', &name))
        err = note(self, torc_str_trim(name));
    if (given || err) return err;
    err = note_alternative_names(self, leaf, &found);
    return err || found ? err : note_common_name(self, leaf);
}

/* ---- the contexts ---- */

static bool is_same(const set *one, const set *other) {
    return memcmp(one, other, sizeof(*one)) == 0;
}

static SSL_CTX *make_host(walk *self, const set *of, torc_tls_host_fn *make, void *context) {
    size_t places[KINDS], count = 0;

    for (int kind = 0; kind < KINDS; kind++)
        if (of->places[kind]) places[count++] = of->places[kind] - 1;
    SSL_CTX *ctx = make(self->config, places, count, context);
    if (ctx) self->config->hosts[self->config->host_count++] = ctx;
    return ctx;
}

/* The set for everybody: the first certificate, and those of other kinds with the same names. */
static set default_set(const walk *self) {
    const int kind = kind_of(&self->config->certificates[0]);

    for (size_t i = 0; i < self->set_count; i++)
        if (self->sets[i].places[kind] == 1) return self->sets[i];
    set alone = {{0}};
    alone.places[kind] = 1;
    return alone;
}

static torc_err make_hosts(walk *self, torc_tls_host_fn *make, void *context) {
    torc_tls_config *config = self->config;
    set *made = torc_alloc(NULL, TORC_MEMORY_TLS, (self->set_count + 1) * sizeof(*made));

    config->hosts =
        torc_alloc(NULL, TORC_MEMORY_TLS, (self->set_count + 1) * sizeof(*config->hosts));
    if (!made || !config->hosts) {
        torc_dealloc(NULL, made);
        return out_of_memory(self->error);
    }
    made[0] = default_set(self);
    config->ctx = make_host(self, &made[0], make, context);
    bool is_whole = config->ctx != NULL;
    for (torc_tls_name *name = config->first_name; is_whole && name; name = name->next) {
        const set *of = &self->sets[name->place];
        size_t host = 0;
        while (host < config->host_count && !is_same(&made[host], of)) host++;
        if (host == config->host_count) {
            made[host] = *of;
            (void)make_host(self, of, make, context);
        }
        is_whole = host < config->host_count;
        if (is_whole) name->ctx = config->hosts[host];
    }
    torc_dealloc(NULL, made);
    return is_whole ? TORC_OK : TORC_ERR_INVALID;
}

torc_err torc_tls_names_make(torc_tls_config *config, const torc_tls_certificate *from,
                             torc_tls_host_fn *make, void *context, torc_tls_error *error) {
    walk self = {.config = config, .error = error};
    torc_err err = TORC_OK;

    for (; !err && self.certificate < config->certificate_count; self.certificate++)
        err = note_names(&self, from[self.certificate].names);
    if (!err) err = make_hosts(&self, make, context);
    torc_dealloc(NULL, self.sets);
    return err;
}

void torc_tls_names_dispose(torc_tls_config *config) {
    for (size_t i = 0; i < config->host_count; i++) SSL_CTX_free(config->hosts[i]);
    torc_dealloc(NULL, config->hosts);
    while (config->first_name) {
        torc_tls_name *name = config->first_name;
        config->first_name = name->next;
        torc_dealloc(NULL, name);
    }
    torc_map_dispose(&config->names);
}

/* ---- looking up ---- */

static SSL_CTX *find(const torc_tls_config *config, torc_str asked) {
    char wildcard[NAME_MAX_ + 1];
    const ptrdiff_t dot = torc_str_find_byte(asked, '.');
    const torc_tls_name *name = torc_map_find(&config->names, asked);

    if (name) return name->ctx;
    if (dot <= 0) return NULL;
    const torc_str rest = torc_str_from(asked, (size_t)dot);
    wildcard[0] = '*';
    memcpy(wildcard + 1, rest.bytes, rest.len);
    name = torc_map_find(&config->names, torc_str_make(wildcard, rest.len + 1));
    return name ? name->ctx : NULL;
}

int torc_tls_choose_name(SSL *ssl, int *alert, void *context) {
    const torc_tls_config *config = context;
    torc_str asked = torc_str_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

    if (torc_str_ends_with(asked, TORC_STR("."))) asked.len--;
    SSL_CTX *ctx = asked.len > 0 && asked.len <= NAME_MAX_ && asked.bytes[0] != '*'
                       ? find(config, asked)
                       : NULL;
    if (ctx) {
        if (ctx == SSL_get_SSL_CTX(ssl)) return SSL_TLSEXT_ERR_OK;
        return SSL_set_SSL_CTX(ssl, ctx) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (!config->refuse_unknown_names) return SSL_TLSEXT_ERR_NOACK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}
