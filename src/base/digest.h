/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_DIGEST_H
#define TORC_BASE_DIGEST_H

#include <torc/digest.h>

/* The kind's name as libcrypto's lists have it, as "SHA256". Static. */
const char *torc_digest_plain_name(torc_digest_kind kind);

#endif
