/* SPDX-License-Identifier: MIT */
#ifndef TORC_SECURITY_HEADERS_H
#define TORC_SECURITY_HEADERS_H

#include <torc/middleware.h>

/**
 * Security headers: what responses tell browsers not to do with them.
 *
 * The preset suits a site that nobody else embeds; each field of it can be said otherwise or left
 * out. A field that a route has set itself stays as it is.
 *
 * A Content-Security-Policy is made of directives. 'nonce' among the sources of one stands for the
 * nonce of each request, which the page's own scripts carry:
 *
 *     static const torc_csp_directive policy[] = {
 *         {"default-src", "'self'"}, {"script-src", "'self' 'nonce'"}, {NULL, NULL}};
 *     …
 *     torc_buf_addf(&page, "<script nonce=\"%.*s\">",
 * TORC_STR_ARGS(torc_request_csp_nonce(request)));
 */
typedef struct torc_csp_directive {
    const char *name;    /* "script-src"; NULL ends the list */
    const char *sources; /* "'self' https://cdn.example"; "" for a directive that has none */
} torc_csp_directive;

/* Of each text: NULL is the preset, "" leaves the field out. */
typedef struct torc_security_headers_options {
    size_t size;                           /* sizeof(torc_security_headers_options) */
    const char *strict_transport_security; /* "max-age=31536000"; on secure connections only */
    const char *content_type_options;      /* "nosniff" */
    const char *referrer_policy;           /* "strict-origin-when-cross-origin" */
    const char *frame_options;             /* "DENY" */
    const char *permissions_policy;        /* "camera=(), geolocation=(), microphone=()" */
    const char *opener_policy;             /* "same-origin": Cross-Origin-Opener-Policy */
    const char *resource_policy;           /* "same-origin": Cross-Origin-Resource-Policy */
    const char *embedder_policy;           /* none: Cross-Origin-Embedder-Policy */
    const torc_csp_directive *csp;         /* ended by a name of NULL; NULL: none */
    bool csp_report_only;                  /* browsers tell and do not forbid */
} torc_security_headers_options;

TORC_BEGIN_DECLS

/** What is wrong with the options, as a sentence part in `text`; NULL: nothing. */
TORC_API const char *torc_security_headers_check(const torc_security_headers_options *options,
                                                 char text[200]);
/**
 * Make it; the options are copied, NULL: the preset. NULL when out of memory; what is wrong with
 * options is reported where it is used, as by torc_resource_use().
 */
TORC_API torc_middleware *torc_security_headers_new(const torc_security_headers_options *options);
/** Directives to begin with: scripts, styles and all else from the site itself, scripts and styles
 * of the page with the nonce, no plugins, no frames around it. Static. */
TORC_API const torc_csp_directive *torc_csp_strict(void);
/**
 * The request's nonce: 22 letters of base64 that nobody can guess, the same whenever it is asked
 * for. Empty when out of memory, or the system gives no random bytes. Call it before the head goes:
 * where nobody has, the policy has no nonce.
 */
TORC_API torc_str torc_request_csp_nonce(torc_request *request);

TORC_END_DECLS

#endif
