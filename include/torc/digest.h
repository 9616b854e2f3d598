/* SPDX-License-Identifier: MIT */
#ifndef TORC_DIGEST_H
#define TORC_DIGEST_H

#include <torc/memory.h>
#include <torc/str.h>

/**
 * Digests: a few bytes that stand for many (FIPS 180-4, RFC 1321).
 *
 * MD5 and SHA-1 are here for protocols that want them (Digest authentication, the handshake of
 * WebSocket): nothing that is to be safe may stand on them. To sign, see <torc/signer.h>.
 */
typedef enum torc_digest_kind {
    TORC_DIGEST_MD5,
    TORC_DIGEST_SHA1,
    TORC_DIGEST_SHA256,
    TORC_DIGEST_SHA384,
    TORC_DIGEST_SHA512,
    TORC_DIGEST_KINDS
} torc_digest_kind;

enum {
    TORC_DIGEST_BYTES_MAX = 64 /* of any kind */
};

/** A digest in the making; used again and again, so that a message costs no allocation. */
typedef struct torc_digest torc_digest;

TORC_BEGIN_DECLS

/** How many bytes a digest of this kind has. Any thread. */
TORC_API size_t torc_digest_bytes(torc_digest_kind kind);
/** The kind's name, as "SHA-256". Static. Any thread. */
TORC_API const char *torc_digest_name(torc_digest_kind kind);
/**
 * The digest of some bytes, written to torc_digest_bytes() bytes. TORC_ERR_UNSUPPORTED when this
 * machine's libcrypto refuses the kind (MD5, where it keeps to FIPS 140). Any thread.
 */
TORC_API torc_err torc_digest_of(torc_digest_kind kind, torc_str bytes,
                                 void *digest) TORC_MUST_CHECK;

/** Begin a digest; it belongs to the caller. TORC_ERR_UNSUPPORTED as above. */
TORC_API torc_err torc_digest_new(torc_memory *memory, torc_digest_kind kind,
                                  torc_digest **digest) TORC_MUST_CHECK;
TORC_API void torc_digest_free(torc_digest *digest);
/** Add bytes of the message. Fails stickily: torc_digest_end() tells. */
TORC_API void torc_digest_add(torc_digest *digest, torc_str bytes);
/** Write the digest of what was added to torc_digest_bytes() bytes, and begin with nothing. */
TORC_API torc_err torc_digest_end(torc_digest *digest, void *bytes) TORC_MUST_CHECK;

/**
 * Equal, found out in a time that tells nothing of where they differ: for what must not be guessed
 * byte by byte. That their lengths differ is no secret. Any thread.
 */
TORC_API bool torc_secret_equals(torc_str a, torc_str b);
/** Overwrite what must not stay in memory; no compiler leaves it out. Any thread. */
TORC_API void torc_secret_wipe(void *bytes, size_t len);

TORC_END_DECLS

#endif
