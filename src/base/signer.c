/* SPDX-License-Identifier: MIT */
/*
 * HMAC of libcrypto.
 *
 *  - The algorithm is looked up once in a process, as those of digests are.
 *  - Between messages the state has its key and no byte: beginning without a key takes the one
 *    before, whose blocks are hashed already.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <torc/signer.h>

#include "base/digest.h"

enum {
    KEY_MAX = 65536,
    SIGNATURE_MIN = 16
};

struct torc_signer {
    torc_memory *memory;
    EVP_MAC_CTX *state;
    size_t bytes;
    bool failed;
};

/* Written once. */
static _Atomic(EVP_MAC *) hmac;

static EVP_MAC *algorithm(void) {
    EVP_MAC *known = atomic_load_explicit(&hmac, memory_order_acquire), *first = NULL;
    if (known) return known;

    EVP_MAC *found = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    if (!found || atomic_compare_exchange_strong(&hmac, &first, found)) return found;
    EVP_MAC_free(found);
    return first;
}

static bool set_key(torc_signer *signer, torc_digest_kind kind, torc_str key) {
    char *const name = (char *)(uintptr_t)torc_digest_plain_name(kind); /* which is only read */
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_init(signer->state, (const unsigned char *)key.bytes, key.len, parameters);
}

torc_err torc_signer_new(torc_memory *memory, torc_digest_kind kind, torc_str key,
                         torc_signer **signer) {
    EVP_MAC *const mac = algorithm();
    if (!mac) return TORC_ERR_UNSUPPORTED;
    if (key.len == 0 || key.len > KEY_MAX) return TORC_ERR_INVALID;

    torc_signer *self = torc_alloc(memory, TORC_MEMORY_OTHER, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    *self = (torc_signer){
        .memory = memory,
        .state = EVP_MAC_CTX_new(mac),
        .bytes = torc_digest_bytes(kind),
    };
    if (!self->state || !set_key(self, kind, key)) {
        const torc_err err = self->state ? TORC_ERR_UNSUPPORTED : TORC_ERR_NO_MEMORY;
        torc_signer_free(self);
        return err;
    }
    *signer = self;
    return TORC_OK;
}

void torc_signer_free(torc_signer *signer) {
    if (!signer) return;

    EVP_MAC_CTX_free(signer->state); /* wipes what it made of the key */
    torc_dealloc(signer->memory, signer);
}

size_t torc_signer_bytes(const torc_signer *signer) {
    return signer->bytes;
}

void torc_signer_add(torc_signer *signer, torc_str bytes) {
    if (!signer->failed &&
        !EVP_MAC_update(signer->state, (const unsigned char *)bytes.bytes, bytes.len))
        signer->failed = true;
}

torc_err torc_signer_end(torc_signer *signer, void *signature) {
    const bool done =
        !signer->failed && EVP_MAC_final(signer->state, signature, NULL, signer->bytes);

    signer->failed = !EVP_MAC_init(signer->state, NULL, 0, NULL);
    return done ? TORC_OK : TORC_ERR_NO_MEMORY;
}

bool torc_signer_verify(torc_signer *signer, torc_str signature) {
    char made[TORC_DIGEST_BYTES_MAX];

    if (torc_signer_end(signer, made)) return false;
    if (signature.len < SIGNATURE_MIN || signature.len > signer->bytes) return false;
    return torc_secret_equals(torc_str_make(made, signature.len), signature);
}
