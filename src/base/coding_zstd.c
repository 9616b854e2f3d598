/* SPDX-License-Identifier: MIT */
/*
 * Zstandard's coders (RFC 8878), for HTTP (RFC 9659).
 *
 *  - A state is made once and reset for each stream.
 *  - To decode, a window of up to 8 MiB is accepted: more than that no peer may use.
 *  - A frame that says how long its content is has that length. The library looks at that in most
 *    frames only, depending on how they are cut; so it is looked at here.
 *  - The functions that take an allocator are of the library's "static" interface, which has stood
 *    as it is since 1.4 but is no promise.
 */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/coder.h"

enum {
    WINDOW_LOG = 17,
    DECODER_WINDOW_LOG_MAX = 23,
    HEAD_MAX = 18 /* RFC 8878 §3.1.1.1, with the magic number */
};

typedef struct zstd_coder {
    torc_coder base;
    ZSTD_CCtx *encoder;
    ZSTD_DCtx *decoder;
    bool is_between; /* of a decoder: a frame has ended, and no other begun */
    uint8_t head_len;
    char head[HEAD_MAX]; /* the first bytes of the frame */
    uint64_t frame_made; /* decoded of it */
} zstd_coder;

static zstd_coder *self_of(torc_coder *coder) {
    return torc_container_of(coder, zstd_coder, base);
}

static void *allocate(void *opaque, size_t size) {
    return torc_coder_alloc(opaque, size);
}

static void deallocate(void *opaque, void *pointer) {
    torc_coder_dealloc(opaque, pointer);
}

static ZSTD_customMem memory_of(torc_coder *coder) {
    return (ZSTD_customMem){.customAlloc = allocate, .customFree = deallocate, .opaque = coder};
}

static torc_err err_of(size_t result) {
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_no_error:
        return TORC_OK;
    case ZSTD_error_memory_allocation:
        return TORC_ERR_NO_MEMORY;
    default:
        return TORC_ERR_SYNTAX;
    }
}

/* ---- encoding ---- */

static torc_err begin_encoding(torc_coder *coder) {
    zstd_coder *self = self_of(coder);
    size_t result;

    if (!self->encoder) self->encoder = ZSTD_createCCtx_advanced(memory_of(coder));
    if (!self->encoder) return TORC_ERR_NO_MEMORY;
    result = ZSTD_CCtx_reset(self->encoder, ZSTD_reset_session_and_parameters);
    if (!ZSTD_isError(result))
        result =
            ZSTD_CCtx_setParameter(self->encoder, ZSTD_c_compressionLevel, coder->options.level);
    if (!ZSTD_isError(result))
        result = ZSTD_CCtx_setParameter(self->encoder, ZSTD_c_windowLog, WINDOW_LOG);
    if (!ZSTD_isError(result) && coder->options.size)
        result = ZSTD_CCtx_setParameter(self->encoder, ZSTD_c_srcSizeHint,
                                        coder->options.size < INT32_MAX ? (int)coder->options.size
                                                                        : INT32_MAX);
    return err_of(result);
}

static torc_err encode(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    static const ZSTD_EndDirective directives[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer in = {.src = flow->input.bytes, .size = flow->input.len};
    ZSTD_outBuffer out = {.dst = flow->out, .size = flow->room};
    size_t left;

    do {
        left = ZSTD_compressStream2(self_of(coder)->encoder, &out, &in, directives[mode]);
        if (ZSTD_isError(left)) return err_of(left);
        if (mode == TORC_CODER_WRITE) left = in.size - in.pos;
    } while (left > 0 && out.pos < out.size);
    flow->input = torc_str_from(flow->input, in.pos);
    flow->made = out.pos;
    return left > 0 ? TORC_ERR_AGAIN : TORC_OK;
}

/* ---- decoding ---- */

static torc_err begin_decoding(torc_coder *coder) {
    zstd_coder *self = self_of(coder);
    size_t result;

    self->is_between = false;
    self->head_len = 0;
    self->frame_made = 0;
    if (!self->decoder) self->decoder = ZSTD_createDCtx_advanced(memory_of(coder));
    if (!self->decoder) return TORC_ERR_NO_MEMORY;
    result = ZSTD_DCtx_reset(self->decoder, ZSTD_reset_session_only);
    if (!ZSTD_isError(result))
        result = ZSTD_DCtx_setParameter(self->decoder, ZSTD_d_windowLogMax, DECODER_WINDOW_LOG_MAX);
    return err_of(result);
}

/* These bytes of the frame were taken, and so many made of them. */
static void note(zstd_coder *self, const char *bytes, size_t len, size_t made) {
    const size_t room = sizeof(self->head) - self->head_len, part = len < room ? len : room;

    if (part) memcpy(self->head + self->head_len, bytes, part);
    self->head_len = (uint8_t)(self->head_len + part);
    self->frame_made += made;
}

/* A frame has ended: whether it is as long as it has said. */
static bool end_frame(zstd_coder *self) {
    ZSTD_frameHeader head;
    const bool is_read = ZSTD_getFrameHeader(&head, self->head, self->head_len) == 0;
    const bool says = is_read && head.frameType == ZSTD_frame &&
                      head.frameContentSize != ZSTD_CONTENTSIZE_UNKNOWN;
    const bool fine = !says || head.frameContentSize == self->frame_made;

    self->head_len = 0;
    self->frame_made = 0;
    return fine;
}

static torc_err decode(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    zstd_coder *self = self_of(coder);
    ZSTD_inBuffer in = {.src = flow->input.bytes, .size = flow->input.len};
    ZSTD_outBuffer out = {.dst = flow->out, .size = flow->room};

    while (!(self->is_between && in.pos == in.size)) {
        const size_t before = in.pos, made = out.pos;
        const size_t result = ZSTD_decompressStream(self->decoder, &out, &in);
        if (ZSTD_isError(result)) return err_of(result);
        note(self, torc_str_from(flow->input, before).bytes, in.pos - before, out.pos - made);
        self->is_between = result == 0;
        if (self->is_between && !end_frame(self)) return TORC_ERR_SYNTAX;
        if (out.pos == out.size || (in.pos == before && out.pos == made)) break;
    }
    flow->input = torc_str_from(flow->input, in.pos);
    flow->made = out.pos;
    if (in.pos < in.size) return TORC_ERR_AGAIN;
    if (self->is_between) return TORC_OK;
    if (out.pos == out.size) return TORC_ERR_AGAIN;
    return mode == TORC_CODER_END ? TORC_ERR_TRUNCATED : TORC_OK;
}

/* A state is reset when it begins. */
static void rest(torc_coder *coder) {
    (void)coder;
}

static void dispose(torc_coder *coder) {
    (void)ZSTD_freeCCtx(self_of(coder)->encoder);
    (void)ZSTD_freeDCtx(self_of(coder)->decoder);
}

static const torc_coder_kind encoder = {
    .size = sizeof(zstd_coder),
    .level_default = 3,
    .level_max = 12,
    .begin = begin_encoding,
    .step = encode,
    .rest = rest,
    .dispose = dispose,
};

static const torc_coder_kind decoder = {
    .size = sizeof(zstd_coder),
    .begin = begin_decoding,
    .step = decode,
    .rest = rest,
    .dispose = dispose,
};

const torc_coder_kind *const torc_zstd_encoder = &encoder;
const torc_coder_kind *const torc_zstd_decoder = &decoder;
