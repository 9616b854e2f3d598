/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE64_H
#define TORC_BASE64_H

#include <torc/buf.h>

/**
 * Base64 (RFC 4648), in the standard and in the URL-safe alphabet.
 *
 * Decoding is strict: no other bytes, no line ends, padding as asked for, and the bits that encode
 * nothing are zero, so that each sequence of bytes has one text only. All functions may be used in
 * any thread.
 */
typedef enum torc_base64_options {
    TORC_BASE64_STANDARD = 0,    /* '+' and '/', padded */
    TORC_BASE64_URL = 1,         /* '-' and '_' instead */
    TORC_BASE64_NO_PADDING = 2,  /* without '='; one in the text is an error */
    TORC_BASE64_ANY_PADDING = 4, /* decoding only: complete padding or none */
    TORC_BASE64_URL_NO_PADDING = TORC_BASE64_URL | TORC_BASE64_NO_PADDING
} torc_base64_options;

TORC_BEGIN_DECLS

/** Append the text of `bytes` to a buffer, which fails stickily. */
TORC_API void torc_base64_encode(torc_buf *buf, torc_str bytes, torc_base64_options options);
/**
 * Append the bytes of `text` to a buffer. TORC_ERR_SYNTAX, with nothing appended, when the text is
 * not as it should be; otherwise what torc_buf_err() says.
 */
TORC_API torc_err torc_base64_decode(torc_buf *buf, torc_str text,
                                     torc_base64_options options) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
