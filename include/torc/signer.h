/* SPDX-License-Identifier: MIT */
#ifndef TORC_SIGNER_H
#define TORC_SIGNER_H

#include <torc/digest.h>

/**
 * Signers: signatures under a secret key (HMAC, RFC 2104), for cookies, tokens and the like.
 *
 * A signer prepares its key once and is used for any number of messages, which then cost no
 * allocation. It belongs to one thread at a time. Its key is wiped when it is freed.
 */
typedef struct torc_signer torc_signer;

TORC_BEGIN_DECLS

/**
 * Make a signer with a copy of `key`, of 1 to 64 KiB bytes: random ones, as many as the digest has
 * (torc_random_bytes()). TORC_ERR_INVALID for another length.
 */
TORC_API torc_err torc_signer_new(torc_memory *memory, torc_digest_kind kind, torc_str key,
                                  torc_signer **signer) TORC_MUST_CHECK;
TORC_API void torc_signer_free(torc_signer *signer);
/** How many bytes its signatures have: those of the digest. */
TORC_API size_t torc_signer_bytes(const torc_signer *signer);
/** Add bytes of the message. Fails stickily: what ends the message tells. */
TORC_API void torc_signer_add(torc_signer *signer, torc_str bytes);
/** Write the signature of what was added, and begin with nothing. */
TORC_API torc_err torc_signer_end(torc_signer *signer, void *signature) TORC_MUST_CHECK;
/**
 * Whether this is the signature of what was added, or the first part of it, as protocols that
 * shorten signatures have it: at least 16 bytes. Compares in constant time, and begins with
 * nothing.
 */
TORC_API bool torc_signer_verify(torc_signer *signer, torc_str signature);

TORC_END_DECLS

#endif
