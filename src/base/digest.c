/* SPDX-License-Identifier: MIT */
/*
 * Digests of libcrypto.
 *
 *  - An algorithm is looked up once in a process and kept: looking it up takes longer than a short
 *    message. Whoever comes first keeps his; two threads that come at once find the same one.
 *  - A state that is ended has begun anew, unless that failed: then it is tried again at the end of
 *    the next message, which fails.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <torc/digest.h>

#include "base/digest.h"

struct torc_digest {
    torc_memory *memory;
    EVP_MD_CTX *state;
    const EVP_MD *algorithm;
    bool failed;
};

static const struct {
    const char *name, *plain;
    size_t bytes;
} kinds[TORC_DIGEST_KINDS] = {
    [TORC_DIGEST_MD5] = {"MD5", "MD5", 16},
    [TORC_DIGEST_SHA1] = {"SHA-1", "SHA1", 20},
    [TORC_DIGEST_SHA256] = {"SHA-256", "SHA256", 32},
    [TORC_DIGEST_SHA384] = {"SHA-384", "SHA384", 48},
    [TORC_DIGEST_SHA512] = {"SHA-512", "SHA512", 64},
};

/* Written once each. */
static _Atomic(EVP_MD *) algorithms[TORC_DIGEST_KINDS];

size_t torc_digest_bytes(torc_digest_kind kind) {
    return kinds[kind].bytes;
}

const char *torc_digest_name(torc_digest_kind kind) {
    return kinds[kind].name;
}

const char *torc_digest_plain_name(torc_digest_kind kind) {
    return kinds[kind].plain;
}

static const EVP_MD *look_up(torc_digest_kind kind) {
    EVP_MD *found = EVP_MD_fetch(NULL, kinds[kind].plain, NULL), *first = NULL;

    if (!found || atomic_compare_exchange_strong(&algorithms[kind], &first, found)) return found;
    EVP_MD_free(found);
    return first;
}

static const EVP_MD *algorithm_of(torc_digest_kind kind) {
    const EVP_MD *known = atomic_load_explicit(&algorithms[kind], memory_order_acquire);

    return known ? known : look_up(kind);
}

torc_err torc_digest_of(torc_digest_kind kind, torc_str bytes, void *digest) {
    const EVP_MD *algorithm = algorithm_of(kind);

    if (!algorithm) return TORC_ERR_UNSUPPORTED;
    if (!EVP_Digest(bytes.bytes, bytes.len, digest, NULL, algorithm, NULL))
        return TORC_ERR_NO_MEMORY;
    return TORC_OK;
}

static bool begin(torc_digest *digest) {
    return EVP_DigestInit_ex2(digest->state, digest->algorithm, NULL);
}

torc_err torc_digest_new(torc_memory *memory, torc_digest_kind kind, torc_digest **digest) {
    const EVP_MD *algorithm = algorithm_of(kind);
    if (!algorithm) return TORC_ERR_UNSUPPORTED;

    torc_digest *self = torc_alloc(memory, TORC_MEMORY_OTHER, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    *self = (torc_digest){.memory = memory, .state = EVP_MD_CTX_new(), .algorithm = algorithm};
    if (!self->state || !begin(self)) {
        torc_digest_free(self);
        return TORC_ERR_NO_MEMORY;
    }
    *digest = self;
    return TORC_OK;
}

void torc_digest_free(torc_digest *digest) {
    if (!digest) return;

    EVP_MD_CTX_free(digest->state);
    torc_dealloc(digest->memory, digest);
}

void torc_digest_add(torc_digest *digest, torc_str bytes) {
    if (!digest->failed && !EVP_DigestUpdate(digest->state, bytes.bytes, bytes.len))
        digest->failed = true;
}

torc_err torc_digest_end(torc_digest *digest, void *bytes) {
    const bool done = !digest->failed && EVP_DigestFinal_ex(digest->state, bytes, NULL);

    digest->failed = !begin(digest);
    return done ? TORC_OK : TORC_ERR_NO_MEMORY;
}

bool torc_secret_equals(torc_str a, torc_str b) {
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.bytes, b.bytes, a.len) == 0);
}

void torc_secret_wipe(void *bytes, size_t len) {
    OPENSSL_cleanse(bytes, len);
}
