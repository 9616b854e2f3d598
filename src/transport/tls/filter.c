/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL between two stages of a connection.
 *
 * States, by flags: waiting (a server before its first byte, `ssl` NULL) → shaking hands → SECURE →
 * INPUT_OVER (the peer's close-notify came), SAID_BYE (ours was written); from any of them BROKEN,
 * in which only the last words still leave.
 *
 *  - Until SECURE nothing is delivered, and what the stage above writes is held back.
 *  - All that is received in a turn is decrypted at once and delivered together; what the stage
 *    above does not want then is kept by filter.c, which holds the stage below back. So no more
 *    than one delivery of the stage below is ever kept, in clear, and OpenSSL keeps a part of one
 *    record at most.
 *  - What the stage above sends in a turn is gathered to whole records; the rest leaves when no
 *    more is to be had.
 *  - OpenSSL never has to wait for room: filter.c passes bytes only while the stage below has some.
 *    What it writes on its own (alerts, answers to updates of keys) is bounded by ANSWERS_MAX.
 *  - OpenSSL is never entered while it runs: it calls the callbacks of this folder only.
 */
#include "transport/tls/filter.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"

enum {
    SECURE = 1,
    INPUT_OVER = 2,
    SAID_BYE = 4,
    BROKEN = 8
};

enum {
    LINGER_MS = 5000, /* for the last words to a peer that does not read */
    ANSWERS_MAX = 64 * 1024,
    EARLY_BYTES = 16 * 1024, /* of a connection leave in records that fit in the first packets */
    EARLY_RECORD = 4096,
    /* What OpenSSL 3.0 has of the heap, measured; see docs/design/tls.md. */
    HANDSHAKE_BYTES = 48 * 1024,
    IDLE_BYTES = 13 * 1024 + 512
};

/* Causes of failures that are not OpenSSL's: its own are below. */
enum {
    CAUSE_PLAIN = 0x10000000,
    CAUSE_DEADLINE,
    CAUSE_LEFT,
    CAUSE_MEMORY,
    CAUSE_ANSWERS,
    CAUSE_VERIFY = 0x20000000 /* and the number of what was found */
};

static torc_tls_filter *self_of(torc_filter *filter) {
    return torc_container_of(filter, torc_tls_filter, base);
}

static torc_reactor *reactor_of(const torc_tls_filter *self) {
    return self->base.above.reactor;
}

static bool has(const torc_tls_filter *self, unsigned flags) {
    return (self->flags & flags) != 0;
}

static void set(torc_tls_filter *self, unsigned flags) {
    self->flags = (uint8_t)(self->flags | flags);
}

static bool is_client(const torc_tls_filter *self) {
    return self->factory != NULL;
}

/* ---- the memory that OpenSSL has ---- */

static torc_err charge(torc_tls_filter *self, uint32_t bytes) {
    torc_memory *memory = &reactor_of(self)->memory;

    if (bytes > self->charged) {
        const torc_err err = torc_memory_charge(memory, TORC_MEMORY_TLS, bytes - self->charged);
        if (err) return err;
    } else {
        torc_memory_discharge(memory, TORC_MEMORY_TLS, self->charged - bytes);
    }
    self->charged = bytes;
    return TORC_OK;
}

/* ---- failing ---- */

/* Let what OpenSSL has written go down. */
static void send_out(torc_tls_filter *self) {
    if (self->out.len > 0) torc_filter_send_below(&self->base, &self->out);
}

/* Without memory for it nobody is told why. */
static void keep_failure(torc_tls_filter *self, const char *text) {
    torc_tls_details *details = torc_tls_details_of(self);
    const size_t len = strlen(text);

    if (!details || details->failure) return;
    details->failure = torc_alloc(&reactor_of(self)->memory, TORC_MEMORY_TLS, len + 1);
    if (!details->failure) return;
    memcpy(details->failure, text, len + 1);
    details->session.failure = torc_str_make(details->failure, len);
}

/* Tell of a failure, once; nothing is read or written any more. */
static void note(torc_tls_filter *self, uint32_t cause, const char *text) {
    const torc_tls_failure failure = {
        .cause = cause,
        .text = text,
        .is_client = is_client(self),
        .is_handshake = !has(self, SECURE),
        .name = is_client(self) ? self->factory->host
                : self->ssl     ? SSL_get_servername(self->ssl, TLSEXT_NAMETYPE_host_name)
                                : NULL,
    };

    set(self, BROKEN);
    keep_failure(self, text);
    torc_tls_note(self->local, torc_filter_below(&self->base), &failure);
}

/* Fail, and let the last words leave. */
static void refuse(torc_tls_filter *self, torc_err err, uint32_t cause, const char *text) {
    if (has(self, BROKEN)) return;
    note(self, cause, text);
    send_out(self);
    torc_timer_arm(&self->deadline, LINGER_MS);
    torc_filter_refuse(&self->base, err);
}

/* Fail at once. */
static void fail(torc_tls_filter *self, torc_err err, uint32_t cause, const char *text) {
    if (has(self, BROKEN)) return;
    note(self, cause, text);
    torc_filter_fail(&self->base, err);
}

/* What some of OpenSSL's reasons mean here. */
static const struct {
    int reason;
    const char *text;
} known[] = {
    {SSL_R_CALLBACK_FAILED, "there is no certificate for the name that was asked for"},
    {SSL_R_HTTP_REQUEST, "the peer speaks plain HTTP"},
    {SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer speaks no version of TLS that is allowed here"},
    {SSL_R_NO_SHARED_CIPHER, "there is no cipher that both allow"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "the client offers no protocol that is spoken here"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the client has shown no certificate"},
};

static const char *text_of(unsigned long code) {
    const int reason = ERR_GET_REASON(code);
    const char *text = ERR_reason_error_string(code);

    for (size_t i = 0; ERR_GET_LIB(code) == ERR_LIB_SSL && i < TORC_COUNT_OF(known); i++)
        if (known[i].reason == reason) return known[i].text;
    return text ? text : "TLS was broken off";
}

/* OpenSSL gave up: say why. */
static void refuse_by_openssl(torc_tls_filter *self) {
    const unsigned long code = ERR_peek_error();
    const int reason = ERR_GET_REASON(code);

    if (self->out_err || reason == ERR_R_MALLOC_FAILURE) {
        refuse(self, self->out_err ? self->out_err : TORC_ERR_NO_MEMORY, CAUSE_MEMORY,
               "out of memory");
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        const uint32_t result = (uint32_t)SSL_get_verify_result(self->ssl);
        refuse(self, TORC_ERR_CERTIFICATE, CAUSE_VERIFY | result, self->local->why);
    } else {
        refuse(self, TORC_ERR_TLS, (uint32_t)(code & 0x0fffffff), text_of(code));
    }
    ERR_clear_error();
}

/* ---- the handshake ---- */

static void completed(torc_tls_filter *self) {
    torc_timer_cancel(&self->deadline);
    set(self, SECURE);
    self->early = EARLY_BYTES;
    torc_counter_add(&self->local->handshakes, 1);
    if (SSL_session_reused(self->ssl)) torc_counter_add(&self->local->resumed, 1);
    (void)!charge(self, IDLE_BYTES); /* it is less */
    send_out(self);
    torc_filter_need_input(&self->base, false);
    torc_filter_open(&self->base);
    if (torc_transport_has_ended(&self->base.above)) return;
    torc_filter_hold_output(&self->base, false);
    torc_transport_handshake_completed(&self->base.above);
}

static void shake_hands(torc_tls_filter *self) {
    ERR_clear_error();
    const int done = SSL_do_handshake(self->ssl);

    if (done == 1)
        completed(self);
    else if (SSL_get_error(self->ssl, done) == SSL_ERROR_WANT_READ && !self->out_err)
        send_out(self);
    else
        refuse_by_openssl(self);
}

static bool make_client(torc_tls_filter *self) {
    const torc_tls_factory *factory = self->factory;

    SSL_set_connect_state(self->ssl);
    if (!factory->is_address && !SSL_set_tlsext_host_name(self->ssl, factory->host)) return false;
    if (!self->config->insecure) {
        SSL_set_hostflags(self->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (factory->is_address
                ? !X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(self->ssl), factory->host)
                : !SSL_set1_host(self->ssl, factory->host))
            return false;
    }
    SSL_SESSION *session =
        self->config->sessions
            ? torc_tls_sessions_take(self->config->sessions,
                                     torc_str_make(factory->key, factory->key_len))
            : NULL;
    const bool is_set = !session || SSL_set_session(self->ssl, session);
    SSL_SESSION_free(session);
    return is_set;
}

/* Make OpenSSL's side of the connection. */
static bool make(torc_tls_filter *self) {
    BIO *bio = NULL;

    if (charge(self, HANDSHAKE_BYTES)) return false;
    self->ssl = SSL_new(self->config->ctx);
    if (self->ssl) bio = BIO_new(self->config->bio);
    if (!bio) return false;
    BIO_set_data(bio, self);
    SSL_set_bio(self->ssl, bio, bio);
    SSL_set_app_data(self->ssl, self);
    if (is_client(self)) return make_client(self);
    SSL_set_accept_state(self->ssl);
    return true;
}

static void begin(torc_tls_filter *self) {
    ERR_clear_error();
    if (make(self)) return;
    ERR_clear_error();
    fail(self, TORC_ERR_NO_MEMORY, CAUSE_MEMORY, "out of memory");
}

/* A record of TLS begins with a small number, a request in plain text with a letter. */
static bool is_plain_text(torc_str bytes) {
    return bytes.bytes[0] >= 'A' && bytes.bytes[0] <= 'z';
}

static void answer_plain_text(torc_tls_filter *self) {
    const torc_str reply = torc_str_make(self->config->plain_reply, self->config->plain_reply_len);

    if (reply.len > 0) torc_transport_write(torc_filter_below(&self->base), reply);
    refuse(self, TORC_ERR_TLS, CAUSE_PLAIN, "the peer speaks plain text, HTTP perhaps");
}

static void expired(torc_timer *timer) {
    torc_tls_filter *self = torc_container_of(timer, torc_tls_filter, deadline);

    if (has(self, BROKEN))
        torc_filter_fail(&self->base, TORC_ERR_TIMEOUT);
    else
        fail(self, TORC_ERR_TIMEOUT, CAUSE_DEADLINE, "the handshake took too long");
}

static void made(torc_filter *filter) {
    torc_tls_filter *self = self_of(filter);

    torc_filter_hold_output(filter, true);
    torc_filter_need_input(filter, true);
    torc_timer_arm(&self->deadline, self->config->handshake_ms);
    if (!is_client(self)) return;
    begin(self);
    if (!has(self, BROKEN)) shake_hands(self);
}

/* ---- upwards ---- */

/* The end of what OpenSSL can give now: nothing, the peer's end, or trouble. */
static void stop_reading(torc_tls_filter *self, int result) {
    const int error = SSL_get_error(self->ssl, result);

    if (error == SSL_ERROR_ZERO_RETURN) {
        set(self, INPUT_OVER);
        torc_filter_deliver_end(&self->base);
    } else if (error != SSL_ERROR_WANT_READ) {
        refuse_by_openssl(self);
    }
}

/* Whether there may be more to decrypt without more being received. */
static bool has_more(const torc_tls_filter *self) {
    return self->in.len > 0 || SSL_pending(self->ssl) > 0;
}

static void deliver(torc_tls_filter *self, const char *plain, size_t len) {
    if (len > 0) torc_filter_deliver(&self->base, torc_str_make(plain, len));
}

/* Decrypt what was received, and deliver as much together as there is room for. */
static void read_records(torc_tls_filter *self, char *plain) {
    size_t len = 0, got;

    ERR_clear_error();
    while (has_more(self)) {
        const int done = SSL_read_ex(self->ssl, plain + len, TORC_TLS_PLAIN_BYTES - len, &got);
        if (!done) {
            deliver(self, plain, len); /* what came before the end was whole */
            len = 0;
            stop_reading(self, done);
            break;
        }
        len += got;
        if (len == TORC_TLS_PLAIN_BYTES) {
            deliver(self, plain, len);
            len = 0;
            if (torc_transport_has_ended(&self->base.above)) return;
        }
    }
    deliver(self, plain, len);
}

/* A peer that makes us answer and does not read the answers. */
static void look_at_answers(torc_tls_filter *self) {
    const torc_transport *below = torc_filter_below(&self->base);

    if (self->out.len == 0 || has(self, BROKEN)) return;
    if (torc_transport_unsent(below) > below->high_mark + ANSWERS_MAX)
        fail(self, TORC_ERR_LIMIT, CAUSE_ANSWERS, "the peer does not read what it asks for");
    else
        send_out(self);
}

static void read_all(torc_tls_filter *self) {
    char *plain = torc_tls_plain_take(self->local);

    if (!plain) {
        fail(self, TORC_ERR_NO_MEMORY, CAUSE_MEMORY, "out of memory");
        return;
    }
    read_records(self, plain);
    torc_tls_plain_give(self->local, plain);
    look_at_answers(self);
}

static size_t received(torc_filter *filter, torc_str bytes) {
    torc_tls_filter *self = self_of(filter);

    if (has(self, BROKEN | INPUT_OVER)) return bytes.len;
    if (!self->ssl && is_plain_text(bytes)) {
        answer_plain_text(self);
        return bytes.len;
    }
    if (!self->ssl) begin(self);
    self->in = bytes;
    if (!has(self, SECURE | BROKEN)) shake_hands(self);
    if (has(self, SECURE) && !has(self, BROKEN) && !torc_transport_has_ended(&self->base.above))
        read_all(self);
    self->in = torc_str_make(NULL, 0);
    return bytes.len;
}

static void peer_ended(torc_filter *filter) {
    torc_tls_filter *self = self_of(filter);

    if (has(self, INPUT_OVER | BROKEN)) return;
    if (has(self, SECURE)) {
        set(self, BROKEN);
        keep_failure(self, "the peer has gone without saying so");
        torc_filter_fail(filter, TORC_ERR_TRUNCATED);
    } else {
        fail(self, TORC_ERR_TRUNCATED, CAUSE_LEFT, "the peer has gone during the handshake");
    }
}

/* ---- downwards ---- */

static size_t record_max(const torc_tls_filter *self) {
    return self->early > 0 ? EARLY_RECORD : TORC_TLS_RECORD_BYTES;
}

/* The next `len` bytes to encrypt, in one piece. */
static const char *piece_of(const torc_tls_filter *self, size_t len) {
    const torc_segment *segment = self->gathered.first;
    size_t got = 0;

    while (segment->len == 0) segment = segment->next;
    if (segment->len >= len) return segment->bytes;
    for (; got < len; segment = segment->next) {
        const size_t part = segment->len < len - got ? segment->len : len - got;
        if (part > 0) memcpy(self->local->gather + got, segment->bytes, part);
        got += part;
    }
    return self->local->gather;
}

static torc_err encrypt_record(torc_tls_filter *self, size_t len) {
    size_t written;

    if (!SSL_write_ex(self->ssl, piece_of(self, len), len, &written)) {
        refuse_by_openssl(self);
        return TORC_OK; /* it has been told */
    }
    torc_chain_consume(&self->gathered, len);
    self->early -= self->early < len ? self->early : (uint32_t)len;
    return TORC_OK;
}

/* Encrypt whole records, or all that there is. */
static torc_err encrypt(torc_tls_filter *self, bool all) {
    torc_err err = TORC_OK;

    ERR_clear_error();
    while (!err && !has(self, BROKEN) &&
           (self->gathered.len >= record_max(self) || (all && self->gathered.len > 0))) {
        const size_t max = record_max(self);
        err = encrypt_record(self, self->gathered.len < max ? self->gathered.len : max);
    }
    if (has(self, BROKEN)) torc_chain_clear(&self->gathered);
    if (!has(self, BROKEN)) send_out(self);
    return err;
}

static torc_err send_(torc_filter *filter, torc_chain *from) {
    torc_tls_filter *self = self_of(filter);

    torc_chain_move(&self->gathered, from);
    return encrypt(self, false);
}

static torc_err sent(torc_filter *filter) {
    return encrypt(self_of(filter), true);
}

static void shut_down(torc_filter *filter) {
    torc_tls_filter *self = self_of(filter);

    if (has(self, SECURE) && !has(self, BROKEN | SAID_BYE)) {
        set(self, SAID_BYE);
        ERR_clear_error();
        (void)SSL_shutdown(self->ssl);
        ERR_clear_error();
        send_out(self);
    }
    torc_filter_end_below(filter);
}

/* ---- what is told ---- */

static void describe(torc_filter *filter, torc_link_info *link) {
    torc_tls_filter *self = self_of(filter);

    link->tls = torc_tls_session_of(self);
    if (has(self, SECURE)) link->is_secure = true;
}

/* That of a stage below is not ours. */
static void ignore_handshake(torc_filter *filter) {
    (void)filter;
}

/* ---- its life ---- */

static void dispose(torc_tls_filter *self) {
    torc_timer_cancel(&self->deadline);
    torc_call_cancel(&self->begin);
    /* OpenSSL forgets the session of a connection that was not shut down in good order. */
    if (self->ssl && has(self, SECURE) && !has(self, BROKEN))
        SSL_set_shutdown(self->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(self->ssl);
    (void)!charge(self, 0);
    torc_chain_clear(&self->out);
    torc_chain_clear(&self->gathered);
    torc_tls_details_free(self);
    if (self->factory) torc_filter_factory_unref(&self->factory->base);
    torc_tls_config_unref(self->config);
    torc_dealloc(&reactor_of(self)->memory, self);
}

static void free_filter(torc_filter *filter) {
    dispose(self_of(filter));
}

void torc_tls_filter_discard(torc_tls_filter *self) {
    dispose(self);
}

static const torc_filter_ops ops = {
    .made = made,
    .received = received,
    .send = send_,
    .sent = sent,
    .peer_ended = peer_ended,
    .handshake_completed = ignore_handshake,
    .shut_down = shut_down,
    .free = free_filter,
    .describe = describe,
    .is_gate = true,
};

/* Of one that was put into a running connection: whoever asked for it has returned. */
static void run_begin(torc_call *call) {
    torc_tls_filter *self = torc_container_of(call, torc_tls_filter, begin);

    if (!torc_transport_has_ended(&self->base.above)) torc_filter_hold(&self->base, false);
}

torc_err torc_tls_filter_start(torc_tls_filter *self, torc_transport *transport) {
    torc_err err;

    torc_filter_hold_before(&self->base);
    err = torc_filter_insert(&self->base, transport);
    if (!err) torc_reactor_post(reactor_of(self), &self->begin);
    return err;
}

static torc_err new_filter(torc_reactor *reactor, torc_tls_config *config,
                           torc_tls_filter **filter) {
    torc_tls_local *local = torc_tls_local_of(reactor);
    torc_tls_filter *self =
        local ? torc_alloc_zero(&reactor->memory, TORC_MEMORY_TLS, 1, sizeof(*self)) : NULL;

    if (!self) return TORC_ERR_NO_MEMORY;
    torc_filter_init(&self->base, reactor, &ops);
    self->local = local;
    self->config = config;
    torc_chain_init(&self->out, &reactor->chains);
    torc_chain_init(&self->gathered, &reactor->chains);
    torc_timer_init(&self->deadline, reactor, expired);
    self->begin.run = run_begin;
    *filter = self;
    return TORC_OK;
}

torc_err torc_tls_filter_new_server(torc_reactor *reactor, torc_tls_config *config,
                                    torc_tls_filter **filter) {
    const torc_err err = new_filter(reactor, config, filter);

    if (err) torc_tls_config_unref(config);
    return err;
}

torc_err torc_tls_filter_new_client(torc_reactor *reactor, torc_tls_factory *factory,
                                    torc_tls_filter **filter) {
    const torc_err err = new_filter(reactor, factory->config, filter);

    if (err) return err;
    (void)torc_tls_config_ref(factory->config);
    (void)torc_filter_factory_ref(&factory->base);
    (*filter)->factory = factory;
    return TORC_OK;
}
