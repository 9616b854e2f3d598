/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL's view of a filter.
 */
#include "transport/tls/bio.h"

#include "transport/tls/filter.h"

static int bio_read(BIO *bio, char *to, int size) {
    torc_tls_filter *self = BIO_get_data(bio);
    const size_t len = self->in.len < (size_t)size ? self->in.len : (size_t)size;

    BIO_clear_retry_flags(bio);
    if (len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, self->in.bytes, len);
    self->in = torc_str_from(self->in, len);
    return (int)len;
}

static int bio_write(BIO *bio, const char *bytes, int len) {
    torc_tls_filter *self = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (len <= 0) return 0;
    if (!self->out_err)
        self->out_err = torc_chain_add_bytes(&self->out, torc_str_make(bytes, (size_t)len));
    return self->out_err ? -1 : len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    const torc_tls_filter *self = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_PENDING) return (long)self->in.len;
    return 0;
}

static int bio_create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *torc_tls_bio_method_new(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "torc");

    if (method &&
        !(BIO_meth_set_read(method, bio_read) && BIO_meth_set_write(method, bio_write) &&
          BIO_meth_set_ctrl(method, bio_ctrl) && BIO_meth_set_create(method, bio_create))) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}
