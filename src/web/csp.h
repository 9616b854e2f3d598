/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_CSP_H
#define TORC_WEB_CSP_H

#include <torc/security_headers.h>

/*
 * Content-Security-Policy (CSP Level 3), from directives to text.
 */
enum {
    TORC_CSP_NONCE_LEN = 22, /* 128 bits in base64, without padding */
    TORC_CSP_BYTES_MAX = 4096
};

/* What is wrong with directives, as a sentence part in `text`; NULL: nothing. */
const char *torc_csp_check(const torc_csp_directive *directives, char text[200]);
/* How long the text of checked directives is, with nonces or without. */
size_t torc_csp_len(const torc_csp_directive *directives, bool has_nonce);
/* Write it to so many bytes; NULs stand where a nonce is to be. */
void torc_csp_write(const torc_csp_directive *directives, bool has_nonce, char *to);
/* Whether 'nonce' is a source of any. */
bool torc_csp_has_nonce(const torc_csp_directive *directives);

#endif
