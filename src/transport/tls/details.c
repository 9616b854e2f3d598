/* SPDX-License-Identifier: MIT */
/*
 * What is told of a TLS connection: gathered when somebody first asks, since few do.
 */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "transport/tls/filter.h"

enum {
    NAME_MAX_ = 253,
    PEER_NAME_MAX = 1024
};

torc_tls_details *torc_tls_details_of(torc_tls_filter *self) {
    if (!self->details)
        self->details = torc_alloc_zero(&self->base.above.reactor->memory, TORC_MEMORY_TLS, 1,
                                        sizeof(*self->details));
    return self->details;
}

void torc_tls_details_free(torc_tls_filter *self) {
    torc_memory *memory = &self->base.above.reactor->memory;
    torc_tls_details *details = self->details;

    if (!details) return;
    torc_dealloc(memory, details->name);
    torc_dealloc(memory, details->peer_name);
    torc_dealloc(memory, details->failure);
    torc_dealloc(memory, details->peer_der);
    torc_dealloc(memory, details);
    self->details = NULL;
}

/* The name that was asked for, in small letters, without the last dot. */
static torc_str tell_name(torc_memory *memory, const SSL *ssl, char **kept) {
    torc_str name = torc_str_of(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

    if (torc_str_ends_with(name, TORC_STR("."))) name.len--;
    if (name.len == 0 || name.len > NAME_MAX_) return torc_str_make("", 0);
    *kept = torc_alloc(memory, TORC_MEMORY_TLS, name.len);
    if (!*kept) return torc_str_make("", 0);
    for (size_t i = 0; i < name.len; i++) {
        const char byte = name.bytes[i];
        (*kept)[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    return torc_str_make(*kept, name.len);
}

/* Whom a certificate is about (RFC 4514), as "CN=Alice,O=Example". */
static torc_str tell_subject(torc_memory *memory, X509 *peer, char **kept) {
    BIO *bio = BIO_new(BIO_s_mem());
    torc_str told = torc_str_make("", 0);
    char *text;

    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(peer), 0,
                                  XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        const long len = BIO_get_mem_data(bio, &text);
        if (len > 0 && len <= PEER_NAME_MAX)
            *kept = torc_alloc(memory, TORC_MEMORY_TLS, (size_t)len);
        if (*kept) {
            memcpy(*kept, text, (size_t)len);
            told = torc_str_make(*kept, (size_t)len);
        }
    }
    BIO_free(bio);
    return told;
}

static torc_str tell_der(torc_memory *memory, X509 *peer, unsigned char **kept) {
    const int len = i2d_X509(peer, NULL);
    unsigned char *to;

    *kept = len > 0 ? torc_alloc(memory, TORC_MEMORY_TLS, (size_t)len) : NULL;
    if (!*kept) return torc_str_make("", 0);
    to = *kept;
    (void)i2d_X509(peer, &to);
    return torc_str_make((const char *)*kept, (size_t)len);
}

static void tell_peer(torc_tls_filter *self, torc_tls_details *details) {
    torc_memory *memory = &self->base.above.reactor->memory;
    X509 *peer = SSL_get0_peer_certificate(self->ssl);

    if (!peer || self->config->insecure || SSL_get_verify_result(self->ssl) != X509_V_OK) return;
    details->session.peer_name = tell_subject(memory, peer, &details->peer_name);
    details->session.peer_certificate = tell_der(memory, peer, &details->peer_der);
}

static void gather(torc_tls_filter *self, torc_tls_details *details) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(self->ssl);
    const unsigned char *protocol;
    unsigned int len;

    SSL_get0_alpn_selected(self->ssl, &protocol, &len);
    details->session.version = torc_str_of(SSL_get_version(self->ssl));
    details->session.cipher = torc_str_of(cipher ? SSL_CIPHER_standard_name(cipher) : "");
    details->session.protocol = torc_str_make(len ? (const char *)protocol : "", len);
    details->session.is_resumed = SSL_session_reused(self->ssl);
    details->session.server_name =
        tell_name(&self->base.above.reactor->memory, self->ssl, &details->name);
    tell_peer(self, details);
    ERR_clear_error();
}

const torc_tls_session *torc_tls_session_of(torc_tls_filter *self) {
    static const torc_tls_session nothing; /* without memory, or before there is anything */
    const bool is_agreed = self->ssl && SSL_is_init_finished(self->ssl);

    if (!is_agreed) return self->details ? &self->details->session : &nothing;
    torc_tls_details *details = torc_tls_details_of(self);
    if (!details) return &nothing;
    if (details->session.version.len == 0) gather(self, details);
    return &details->session;
}

int torc_tls_keep_session(SSL *ssl, SSL_SESSION *session) {
    const torc_tls_filter *self = SSL_get_app_data(ssl);

    if (SSL_SESSION_is_resumable(session))
        torc_tls_sessions_put(self->config->sessions,
                              torc_str_make(self->factory->key, self->factory->key_len), session);
    return 0; /* what is kept has a reference of its own */
}
