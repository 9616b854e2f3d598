/* SPDX-License-Identifier: MIT */
/*
 * zlib's coders: gzip (RFC 1952), and deflate (RFC 1950, RFC 1951) to be decoded.
 *
 *  - A state is made once and reset for each stream; its window is 32 KiB whatever the level is, so
 *    that it fits all.
 *  - A gzip stream may have several members, one after the other; a deflate stream has one.
 */
#include <limits.h>
#include <zlib.h>

#include "base/coder.h"

enum {
    WINDOW_BITS = 15,
    GZIP = 16, /* added to the bits: with gzip's head and tail */
    MEMORY_LEVEL = 8,
    DEFLATE_HEAD = 2 /* bytes by which zlib's format is told from what has no head */
};

typedef struct zlib_coder {
    torc_coder base;
    z_stream stream;
    bool is_made;
    bool is_between; /* of a decoder: a member has ended, and no other begun */
    bool is_told;    /* of a deflate decoder: it is known which of the two formats it is */
    unsigned char head;
    bool has_head; /* `head` was taken, and not given to zlib */
} zlib_coder;

static zlib_coder *self_of(torc_coder *coder) {
    return torc_container_of(coder, zlib_coder, base);
}

static voidpf allocate(voidpf opaque, uInt count, uInt size) {
    size_t total;

    if (__builtin_mul_overflow((size_t)count, (size_t)size, &total)) return Z_NULL;
    return torc_coder_alloc(opaque, total);
}

static void deallocate(voidpf opaque, voidpf pointer) {
    torc_coder_dealloc(opaque, pointer);
}

static void prepare(zlib_coder *self) {
    self->stream = (z_stream){.zalloc = allocate, .zfree = deallocate, .opaque = &self->base};
}

static torc_err err_of(int result) {
    return result == Z_MEM_ERROR ? TORC_ERR_NO_MEMORY : TORC_ERR_SYNTAX;
}

/* Lend zlib the flow's bytes, as many as its counters can hold. */
static void lend(z_stream *stream, const torc_coder_flow *flow) {
    const size_t room = flow->room - flow->made;

    stream->next_in = (Bytef *)(uintptr_t)flow->input.bytes;
    stream->avail_in = flow->input.len < UINT_MAX ? (uInt)flow->input.len : UINT_MAX;
    stream->next_out = (Bytef *)flow->out + flow->made;
    stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
}

static void take_back(z_stream *stream, torc_coder_flow *flow) {
    if (flow->input.len)
        flow->input =
            torc_str_from(flow->input, (size_t)((const char *)stream->next_in - flow->input.bytes));
    flow->made = (size_t)((char *)stream->next_out - flow->out);
}

/* ---- encoding ---- */

static torc_err begin_encoding(torc_coder *coder) {
    zlib_coder *self = self_of(coder);
    const int level = coder->options.level;
    int result;

    if (self->is_made) {
        result = deflateReset(&self->stream);
        if (!result) result = deflateParams(&self->stream, level, Z_DEFAULT_STRATEGY);
    } else {
        prepare(self);
        result = deflateInit2(&self->stream, level, Z_DEFLATED, WINDOW_BITS + GZIP, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);
        self->is_made = result == Z_OK;
    }
    return result ? err_of(result) : TORC_OK;
}

/* Whether what the mode wants has come out, after zlib has answered `result`. */
static bool is_done(const z_stream *stream, torc_coder_mode mode, int result,
                    const torc_coder_flow *flow) {
    if (mode == TORC_CODER_END) return result == Z_STREAM_END;
    return flow->input.len == 0 && stream->avail_out > 0;
}

static torc_err encode(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *stream = &self_of(coder)->stream;
    int result;

    do {
        lend(stream, flow);
        const bool is_last = stream->avail_in == flow->input.len;
        result = deflate(stream, is_last ? flushes[mode] : Z_NO_FLUSH);
        take_back(stream, flow);
        if (result == Z_BUF_ERROR && mode != TORC_CODER_END && flow->input.len == 0)
            return TORC_OK; /* there was nothing to do */
        if (result && result != Z_STREAM_END && result != Z_BUF_ERROR) return err_of(result);
        if (is_done(stream, mode, result, flow)) return TORC_OK;
    } while (flow->made < flow->room);
    return TORC_ERR_AGAIN;
}

static void end_encoding(torc_coder *coder) {
    zlib_coder *self = self_of(coder);

    if (self->is_made) (void)deflateEnd(&self->stream);
}

/* ---- decoding ---- */

static torc_err begin_inflating(zlib_coder *self, int bits) {
    int result;

    self->is_between = self->has_head = false;
    if (self->is_made) {
        result = inflateReset2(&self->stream, bits);
    } else {
        prepare(self);
        result = inflateInit2(&self->stream, bits);
        self->is_made = result == Z_OK;
    }
    return result ? err_of(result) : TORC_OK;
}

static torc_err begin_gzip(torc_coder *coder) {
    return begin_inflating(self_of(coder), WINDOW_BITS + GZIP);
}

static torc_err begin_deflate(torc_coder *coder) {
    self_of(coder)->is_told = false;
    return begin_inflating(self_of(coder), WINDOW_BITS);
}

/* Inflate until the input is used up, the room is full, or a member has ended. */
static torc_err inflate_some(zlib_coder *self, torc_coder_flow *flow) {
    int result;

    lend(&self->stream, flow);
    result = inflate(&self->stream, Z_NO_FLUSH);
    take_back(&self->stream, flow);
    if (result == Z_STREAM_END) self->is_between = true;
    if (result && result != Z_STREAM_END && result != Z_BUF_ERROR) return err_of(result);
    return TORC_OK;
}

/* What is left to do with an input that is used up. */
static torc_err conclude(const zlib_coder *self, torc_coder_mode mode,
                         const torc_coder_flow *flow) {
    if (self->is_between) return TORC_OK;
    if (flow->made == flow->room) return TORC_ERR_AGAIN;
    return mode == TORC_CODER_END ? TORC_ERR_TRUNCATED : TORC_OK;
}

static torc_err decode_gzip(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    zlib_coder *self = self_of(coder);
    torc_err err = TORC_OK;

    do {
        if (self->is_between && flow->input.len) err = begin_gzip(coder);
        if (!err && !self->is_between) err = inflate_some(self, flow);
    } while (!err && flow->input.len && flow->made < flow->room);
    if (err) return err;
    return flow->input.len ? TORC_ERR_AGAIN : conclude(self, mode, flow);
}

/* Whether two bytes are the head of zlib's format: the method, the window, and a check of both. */
static bool is_zlib_head(unsigned first, unsigned second) {
    return (first & 0x0f) == Z_DEFLATED && first >> 4 <= 7 && ((first << 8) + second) % 31 == 0;
}

/* Look at the first two bytes, which may come one by one, and give them to zlib. */
static torc_err tell_format(zlib_coder *self, torc_coder_flow *flow) {
    unsigned char head[DEFLATE_HEAD];
    torc_coder_flow first = {.input = {(const char *)head, sizeof(head)}};
    torc_err err = TORC_OK;

    if (!self->has_head && flow->input.len) {
        self->head = (unsigned char)flow->input.bytes[0];
        self->has_head = true;
        flow->input = torc_str_from(flow->input, 1);
    }
    if (!flow->input.len) return TORC_OK;
    head[0] = self->head;
    head[1] = (unsigned char)flow->input.bytes[0];
    flow->input = torc_str_from(flow->input, 1);
    self->is_told = true;
    if (!is_zlib_head(head[0], head[1])) err = begin_inflating(self, -WINDOW_BITS);
    first.out = flow->out;
    first.room = flow->room;
    if (!err) err = inflate_some(self, &first);
    flow->made = first.made;
    return err;
}

static torc_err decode_deflate(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    zlib_coder *self = self_of(coder);
    torc_err err = self->is_told ? TORC_OK : tell_format(self, flow);

    while (!err && flow->input.len && flow->made < flow->room)
        err = self->is_between ? TORC_ERR_SYNTAX : inflate_some(self, flow);
    if (!err && !flow->input.len && self->is_told && !self->is_between && flow->made < flow->room)
        err = inflate_some(self, flow);
    if (err) return err;
    return flow->input.len ? TORC_ERR_AGAIN : conclude(self, mode, flow);
}

static void end_decoding(torc_coder *coder) {
    zlib_coder *self = self_of(coder);

    if (self->is_made) (void)inflateEnd(&self->stream);
}

/* A state is reset when it begins. */
static void rest(torc_coder *coder) {
    (void)coder;
}

static const torc_coder_kind gzip_encoder = {
    .size = sizeof(zlib_coder),
    .level_default = 4,
    .level_max = 9,
    .begin = begin_encoding,
    .step = encode,
    .rest = rest,
    .dispose = end_encoding,
};

static const torc_coder_kind gzip_decoder = {
    .size = sizeof(zlib_coder),
    .begin = begin_gzip,
    .step = decode_gzip,
    .rest = rest,
    .dispose = end_decoding,
};

static const torc_coder_kind deflate_decoder = {
    .size = sizeof(zlib_coder),
    .begin = begin_deflate,
    .step = decode_deflate,
    .rest = rest,
    .dispose = end_decoding,
};

const torc_coder_kind *const torc_gzip_encoder = &gzip_encoder;
const torc_coder_kind *const torc_gzip_decoder = &gzip_decoder;
const torc_coder_kind *const torc_deflate_decoder = &deflate_decoder;
