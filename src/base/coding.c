/* SPDX-License-Identifier: MIT */
/*
 * Coders: what all have in common, and the pool of those that wait.
 *
 *  - A coder is in use, or in its pool's list for its kind, the newest first; it is fit for another
 *    stream then.
 *  - `bytes` of those that wait is at most the pool's maximum; who would exceed it is disposed of.
 *  - A flush with nothing to flush makes no bytes, whatever the library would do.
 */
#include <assert.h>

#include "base/alloc.h"
#include "base/coder.h"

enum {
    IDLE_BYTES_MAX = 8 * 1024 * 1024,
    OUT_BYTES = 16 * 1024, /* of torc_coder_run() */
    RATIO_MAX = 200,
    RATIO_FREE_BYTES = 1024 * 1024 /* decoded, which no ratio holds for */
};

/* ---- codings ---- */

static const torc_str names[TORC_CODINGS] = {
    [TORC_CODING_GZIP] = TORC_STR_INIT("gzip"),
    [TORC_CODING_BROTLI] = TORC_STR_INIT("br"),
    [TORC_CODING_ZSTD] = TORC_STR_INIT("zstd"),
    [TORC_CODING_DEFLATE] = TORC_STR_INIT("deflate"),
};

static const torc_coder_kind *encoder_of(torc_coding coding) {
    switch (coding) {
    case TORC_CODING_GZIP:
        return torc_gzip_encoder;
    case TORC_CODING_BROTLI:
        return torc_brotli_encoder;
    case TORC_CODING_ZSTD:
        return torc_zstd_encoder;
    default:
        return NULL;
    }
}

static const torc_coder_kind *decoder_of(torc_coding coding) {
    switch (coding) {
    case TORC_CODING_GZIP:
        return torc_gzip_decoder;
    case TORC_CODING_BROTLI:
        return torc_brotli_decoder;
    case TORC_CODING_ZSTD:
        return torc_zstd_decoder;
    case TORC_CODING_DEFLATE:
        return torc_deflate_decoder;
    default:
        return NULL;
    }
}

torc_str torc_coding_name(torc_coding coding) {
    return names[coding];
}

bool torc_coding_find(torc_str name, torc_coding *coding) {
    if (torc_str_equals_nocase(name, TORC_STR("x-gzip"))) name = names[TORC_CODING_GZIP];
    for (int i = 0; i < TORC_CODINGS; i++) {
        if (!torc_str_equals_nocase(name, names[i])) continue;
        *coding = (torc_coding)i;
        return true;
    }
    return false;
}

bool torc_coding_can_encode(torc_coding coding) {
    return encoder_of(coding) != NULL;
}

bool torc_coding_can_decode(torc_coding coding) {
    return decoder_of(coding) != NULL;
}

int torc_coding_level_max(torc_coding coding) {
    const torc_coder_kind *kind = encoder_of(coding);
    return kind ? kind->level_max : 0;
}

/* ---- memory ---- */

void *torc_coder_alloc(torc_coder *coder, size_t size) {
    void *pointer = torc_alloc(coder->pool->memory, TORC_MEMORY_OTHER, size);

    if (pointer) coder->bytes += size;
    return pointer;
}

void torc_coder_dealloc(torc_coder *coder, void *pointer) {
    if (!pointer) return;
    coder->bytes -= torc_alloc_size(pointer);
    torc_dealloc(coder->pool->memory, pointer);
}

static void dispose(torc_coder *coder) {
    torc_memory *memory = coder->pool->memory;

    coder->kind->dispose(coder);
    torc_coder_dealloc(coder, coder->out);
    torc_dealloc(memory, coder);
}

/* ---- the pool ---- */

void torc_coder_pool_init(torc_coder_pool *pool, torc_memory *memory) {
    *pool = (torc_coder_pool){.memory = memory, .idle_bytes_max = IDLE_BYTES_MAX};
}

static torc_coder *take_idle(torc_coder_pool *pool, torc_coder **idle) {
    torc_coder *coder = *idle;

    if (!coder) return NULL;
    *idle = coder->next;
    pool->idle_bytes -= coder->bytes;
    return coder;
}

void torc_coder_pool_trim(torc_coder_pool *pool) {
    for (size_t i = 0; i < TORC_COUNT_OF(pool->idle); i++) {
        torc_coder *coder;
        while ((coder = take_idle(pool, &pool->idle[i]))) dispose(coder);
    }
}

void torc_coder_pool_dispose(torc_coder_pool *pool) {
    torc_coder_pool_trim(pool);
}

static torc_coder *make(torc_coder_pool *pool, const torc_coder_kind *kind, torc_coder **idle) {
    torc_coder *coder = torc_alloc_zero(pool->memory, TORC_MEMORY_OTHER, 1, kind->size);

    if (!coder) return NULL;
    *coder = (torc_coder){.kind = kind, .pool = pool, .idle = idle, .bytes = kind->size};
    return coder;
}

/* One that waits, or a new one; it has no stream yet. */
static torc_err take(torc_coder_pool *pool, const torc_coder_kind *kind, torc_coder **idle,
                     torc_coder **coder) {
    torc_coder *self = take_idle(pool, idle);

    if (!self) self = make(pool, kind, idle);
    if (!self) return TORC_ERR_NO_MEMORY;
    self->taken = self->made = 0;
    self->is_dirty = self->is_pending = self->is_over = false;
    *coder = self;
    return TORC_OK;
}

static torc_err begin(torc_coder *self, torc_coder **coder) {
    const torc_err err = self->kind->begin(self);

    if (err)
        dispose(self);
    else
        *coder = self;
    return err;
}

torc_err torc_encoder_new(torc_coder_pool *pool, torc_coding coding,
                          const torc_encoder_options *options, torc_coder **coder) {
    const torc_coder_kind *kind = encoder_of(coding);
    torc_encoder_options wanted = options ? *options : (torc_encoder_options){0};
    torc_coder *self;
    torc_err err;

    if (!kind) return TORC_ERR_UNSUPPORTED;
    if (wanted.level == 0) wanted.level = kind->level_default;
    if (wanted.level < 1 || wanted.level > kind->level_max) return TORC_ERR_INVALID;
    err = take(pool, kind, &pool->idle[2 * (int)coding], &self);
    if (err) return err;
    self->options = wanted;
    return begin(self, coder);
}

torc_err torc_decoder_new(torc_coder_pool *pool, torc_coding coding,
                          const torc_decoder_limits *limits, torc_coder **coder) {
    const torc_coder_kind *kind = decoder_of(coding);
    torc_coder *self;
    torc_err err;

    if (!kind) return TORC_ERR_UNSUPPORTED;
    err = take(pool, kind, &pool->idle[2 * (int)coding + 1], &self);
    if (err) return err;
    self->limits = limits ? *limits : (torc_decoder_limits){0};
    if (self->limits.bytes_max == 0) self->limits.bytes_max = UINT64_MAX;
    if (self->limits.ratio_max == 0) self->limits.ratio_max = RATIO_MAX;
    return begin(self, coder);
}

void torc_coder_free(torc_coder *coder) {
    torc_coder_pool *pool;

    if (!coder) return;
    pool = coder->pool;
    coder->kind->rest(coder);
    if (pool->idle_bytes + coder->bytes > pool->idle_bytes_max) {
        dispose(coder);
        return;
    }
    coder->next = *coder->idle;
    *coder->idle = coder;
    pool->idle_bytes += coder->bytes;
}

/* ---- steps ---- */

static bool is_encoder(const torc_coder *coder) {
    return coder->kind->level_max > 0;
}

/* A bomb is what makes more than it may, or much more than it was given. */
static bool is_bomb(const torc_coder *coder) {
    const torc_decoder_limits *limits = &coder->limits;

    if (is_encoder(coder)) return false;
    if (coder->made > limits->bytes_max) return true;
    return coder->made > RATIO_FREE_BYTES && coder->made / limits->ratio_max > coder->taken;
}

static torc_err step(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    const size_t len = flow->input.len;
    torc_err err;

    err = coder->kind->step(coder, mode, flow);
    coder->taken += len - flow->input.len;
    coder->made += flow->made;
    return !err || err == TORC_ERR_AGAIN ? (is_bomb(coder) ? TORC_ERR_TOO_LARGE : err) : err;
}

/* Whether there is nothing to do. A decoder that was given nothing at all has nothing to say. */
static bool is_idle(const torc_coder *coder, torc_coder_mode mode, const torc_coder_flow *flow) {
    if (flow->input.len > 0 || coder->is_pending) return false;
    if (mode == TORC_CODER_END) return !is_encoder(coder) && coder->taken == 0;
    return mode == TORC_CODER_WRITE || !coder->is_dirty;
}

torc_err torc_coder_step(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    torc_err err = TORC_OK;

    assert(flow->room >= TORC_CODER_ROOM_MIN);
    flow->made = 0;
    if (coder->is_over) return TORC_ERR_STATE;
    if (flow->input.len > 0) coder->is_dirty = true;
    if (!is_idle(coder, mode, flow)) err = step(coder, mode, flow);
    if (!err && mode == TORC_CODER_FLUSH) coder->is_dirty = false;
    coder->is_pending = err == TORC_ERR_AGAIN;
    coder->is_over = (err && err != TORC_ERR_AGAIN) || (!err && mode == TORC_CODER_END);
    if (err && coder->is_over) flow->made = 0; /* no more than the limits allow is made, ever */
    return err;
}

torc_err torc_coder_run(torc_coder *coder, torc_coder_mode mode, torc_str input,
                        torc_coded_fn *coded, void *context) {
    torc_coder_flow flow = {.input = input};
    torc_err err, told = TORC_OK;

    if (!coder->out) coder->out = torc_coder_alloc(coder, OUT_BYTES);
    if (!coder->out) return TORC_ERR_NO_MEMORY;
    do {
        flow.out = coder->out;
        flow.room = OUT_BYTES;
        err = torc_coder_step(coder, mode, &flow);
        if (flow.made) told = coded(context, torc_str_make(coder->out, flow.made));
    } while (err == TORC_ERR_AGAIN && !told);
    return told ? told : err;
}

/* ---- all at once ---- */

static torc_err add_coded(void *context, torc_str bytes) {
    torc_buf *out = context;

    torc_buf_add(out, bytes);
    return torc_buf_err(out);
}

static torc_err run_all(torc_coder *coder, torc_str bytes, torc_buf *out) {
    const torc_err err = torc_coder_run(coder, TORC_CODER_END, bytes, add_coded, out);

    torc_coder_free(coder);
    return err;
}

torc_err torc_encode(torc_coder_pool *pool, torc_coding coding, int level, torc_str bytes,
                     torc_buf *out) {
    const torc_encoder_options options = {.level = level, .size = bytes.len};
    torc_coder *coder;
    const torc_err err = torc_encoder_new(pool, coding, &options, &coder);

    return err ? err : run_all(coder, bytes, out);
}

torc_err torc_decode(torc_coder_pool *pool, torc_coding coding, const torc_decoder_limits *limits,
                     torc_str bytes, torc_buf *out) {
    torc_coder *coder;
    torc_err err = torc_decoder_new(pool, coding, limits, &coder);

    if (!err) err = run_all(coder, bytes, out);
    return err == TORC_ERR_LIMIT ? TORC_ERR_TOO_LARGE : err;
}
