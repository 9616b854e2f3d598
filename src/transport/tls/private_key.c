/* SPDX-License-Identifier: MIT */
/*
 * Private keys: made, written and read.
 *
 *  - OpenSSL never asks at the terminal for a passphrase: a key that has one is refused.
 *  - What passes through a buffer of OpenSSL's is wiped there.
 */
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/alloc.h"
#include "transport/tls/certificate.h"

static const struct {
    const char *name; /* as options have it */
    const char *algorithm, *group;
    unsigned bits;
} kinds[TORC_KEY_KINDS] = {
    [TORC_KEY_EC_P256] = {"ec", "EC", "P-256", 0},
    [TORC_KEY_EC_P384] = {"ec384", "EC", "P-384", 0},
    [TORC_KEY_RSA_2048] = {"rsa", "RSA", NULL, 2048},
    [TORC_KEY_RSA_3072] = {"rsa3072", "RSA", NULL, 3072},
    [TORC_KEY_ED25519] = {"ed25519", "ED25519", NULL, 0},
};

const char *torc_key_kind_name(torc_key_kind kind) {
    return kinds[kind].name;
}

torc_err torc_key_kind_parse(torc_str name, torc_key_kind *kind) {
    for (int i = 0; i < TORC_KEY_KINDS; i++) {
        if (!torc_str_equals(name, torc_str_of(kinds[i].name))) continue;
        *kind = (torc_key_kind)i;
        return TORC_OK;
    }
    return TORC_ERR_NOT_FOUND;
}

static EVP_PKEY *generate(torc_key_kind kind) {
    if (kinds[kind].group)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm, kinds[kind].group);
    if (kinds[kind].bits)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm, (size_t)kinds[kind].bits);
    return EVP_PKEY_Q_keygen(NULL, NULL, kinds[kind].algorithm);
}

/* Takes `made`, whatever happens. */
static torc_err wrap(EVP_PKEY *made, torc_private_key **key) {
    torc_private_key *self = torc_alloc(NULL, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self) {
        EVP_PKEY_free(made);
        return TORC_ERR_NO_MEMORY;
    }
    self->key = made;
    *key = self;
    return TORC_OK;
}

torc_err torc_private_key_new(torc_key_kind kind, torc_private_key **key) {
    EVP_PKEY *const made = generate(kind);

    if (made) return wrap(made, key);
    ERR_clear_error();
    return TORC_ERR_UNSUPPORTED;
}

void torc_private_key_free(torc_private_key *key) {
    if (!key) return;

    EVP_PKEY_free(key->key);
    torc_dealloc(NULL, key);
}

void torc_private_key_write_pem(const torc_private_key *key, torc_buf *pem) {
    BIO *const bio = BIO_new(BIO_s_secmem());

    torc_certificate_add_pem(
        bio, bio && PEM_write_bio_PKCS8PrivateKey(bio, key->key, NULL, NULL, 0, NULL, NULL), pem);
}

/* In the place of OpenSSL's own, which asks at the terminal. */
static int no_passphrase(char *text, int size, int is_written, void *asked) {
    (void)text;
    (void)size;
    (void)is_written;
    *(bool *)asked = true;
    return -1;
}

/* OpenSSL says the same of what is not there and of what it cannot understand. */
static torc_err say_why(torc_str pem, bool has_passphrase, torc_certificate_error *error) {
    if (has_passphrase)
        return torc_certificate_fail(error, TORC_ERR_PERMISSION,
                                     "the key has a passphrase; take it off by `openssl pkey`");
    if (torc_str_find(pem, TORC_STR("PRIVATE KEY-----")) < 0)
        return torc_certificate_fail(error, TORC_ERR_NOT_FOUND, "there is no private key in it");
    return torc_certificate_fail(error, TORC_ERR_SYNTAX, "the private key is damaged");
}

torc_err torc_private_key_read_pem(torc_str pem, torc_private_key **key,
                                   torc_certificate_error *error) {
    BIO *const bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.bytes, (int)pem.len) : NULL;
    bool has_passphrase = false;

    if (!bio) return torc_certificate_fail(error, TORC_ERR_NO_MEMORY, "out of memory");
    ERR_clear_error();
    EVP_PKEY *const made = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &has_passphrase);
    const torc_err err = made ? wrap(made, key) : say_why(pem, has_passphrase, error);
    BIO_free(bio);
    ERR_clear_error();
    return err;
}
