/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_CODER_H
#define TORC_BASE_CODER_H

#include <torc/coding.h>

/*
 * What coding.c and the wrappers of the libraries share. A wrapper is a torc_coder_kind for each
 * direction; its coder is embedded in a struct of its own.
 */
typedef struct torc_coder_kind {
    size_t size; /* of the wrapper's struct */
    int level_default, level_max;
    /* Begin a stream with `options`; the first time and again after `rest`. */
    torc_err (*begin)(torc_coder *coder);
    /* As torc_coder_step(). */
    torc_err (*step)(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow);
    /* The stream is over, at whatever point: keep what the next one can use. */
    void (*rest)(torc_coder *coder);
    /* Give everything back. Also after a `begin` that failed. */
    void (*dispose)(torc_coder *coder);
} torc_coder_kind;

/* NULL: the library was built without it. */
extern const torc_coder_kind *const torc_gzip_encoder, *const torc_gzip_decoder;
extern const torc_coder_kind *const torc_deflate_decoder;
extern const torc_coder_kind *const torc_brotli_encoder, *const torc_brotli_decoder;
extern const torc_coder_kind *const torc_zstd_encoder, *const torc_zstd_decoder;

struct torc_coder {
    const torc_coder_kind *kind;
    torc_coder_pool *pool;
    torc_coder **idle; /* its place in the pool */
    torc_coder *next;  /* in it */
    size_t bytes;      /* that it has allocated, itself included */
    char *out;         /* of torc_coder_run(); NULL until that is first called */
    torc_encoder_options options;
    torc_decoder_limits limits;
    uint64_t taken, made; /* of this stream */
    bool is_dirty;        /* something was taken since the last flush */
    bool is_pending;      /* the last step had no more room */
    bool is_over;         /* it has ended or failed */
};

/* Memory for the libraries' states. */
void *torc_coder_alloc(torc_coder *coder, size_t size) TORC_MUST_CHECK;
void torc_coder_dealloc(torc_coder *coder, void *pointer);

#endif
