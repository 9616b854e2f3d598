/* SPDX-License-Identifier: MIT */
/*
 * Brotli's coders (RFC 7932).
 *
 *  - A state of this library cannot be reset. So it is made for each stream, and the blocks of
 *    memory that it was made of are kept with the coder for the next one: what is costly is to get
 *    them from the system and to touch them for the first time.
 *  - A block that a whole stream had no use for is given back at its end.
 *  - The library's encoder knows nothing better, when an allocation fails, than to end the process
 *    (BROTLI_ENCODER_EXIT_ON_OOM, as it is built everywhere). So it is left by a jump out of the
 *    allocator. That state is never touched again; its blocks, itself among them, are in the list.
 */
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <setjmp.h>

#include "base/coder.h"

enum {
    WINDOW_BITS_MAX = 16, /* a larger one costs up to 36 MiB, and hardly makes bodies shorter */
    WINDOW_BITS_MIN = 12,
    SIZE_HINT = 256 * 1024, /* from a MiB on, or if it is left to the library, tables get huge */
    BLOCK_HEAD = 32
};

/* A block of memory, in front of its bytes. */
typedef struct block block;
struct block {
    block *next;
    size_t size;
    bool is_used;
    bool was_used; /* in this stream */
};

_Static_assert(sizeof(block) <= BLOCK_HEAD, "what stands behind a block's head is aligned");

typedef struct brotli_coder {
    torc_coder base;
    block *blocks;
    BrotliEncoderState *encoder; /* NULL between streams, as is the next */
    BrotliDecoderState *decoder;
    bool is_complete; /* of a decoder: the stream has ended */
    bool is_encoding; /* inside of the library's encoder: `no_memory` is where to jump */
    jmp_buf no_memory;
} brotli_coder;

static brotli_coder *self_of(torc_coder *coder) {
    return torc_container_of(coder, brotli_coder, base);
}

/* ---- blocks ---- */

static void *use(block *found) {
    found->is_used = found->was_used = true;
    return (char *)found + BLOCK_HEAD;
}

static void *refuse(brotli_coder *self) {
    if (self->is_encoding) _longjmp(self->no_memory, 1);
    return NULL;
}

static void *allocate(void *opaque, size_t size) {
    brotli_coder *self = opaque;
    block *found = self->blocks;

    while (found && (found->is_used || found->size != size)) found = found->next;
    if (found) return use(found);
    if (size > SIZE_MAX - BLOCK_HEAD) return refuse(self);
    found = torc_coder_alloc(&self->base, BLOCK_HEAD + size);
    if (!found) return refuse(self);
    *found = (block){.next = self->blocks, .size = size};
    self->blocks = found;
    return use(found);
}

static void deallocate(void *opaque, void *pointer) {
    (void)opaque;
    if (pointer) ((block *)(void *)((char *)pointer - BLOCK_HEAD))->is_used = false;
}

/* Free what the last stream did not use, or everything. */
static void free_blocks(brotli_coder *self, bool all) {
    block **place = &self->blocks;

    while (*place) {
        block *here = *place;
        if (all || !here->was_used) {
            *place = here->next;
            torc_coder_dealloc(&self->base, here);
        } else {
            here->is_used = here->was_used = false;
            place = &here->next;
        }
    }
}

static void end_states(brotli_coder *self) {
    if (self->encoder) BrotliEncoderDestroyInstance(self->encoder);
    if (self->decoder) BrotliDecoderDestroyInstance(self->decoder);
    self->encoder = NULL;
    self->decoder = NULL;
}

static void rest(torc_coder *coder) {
    end_states(self_of(coder));
    free_blocks(self_of(coder), false);
}

static void dispose(torc_coder *coder) {
    end_states(self_of(coder));
    free_blocks(self_of(coder), true);
}

/* ---- encoding ---- */

/* A window that holds all of a short stream is enough. */
static uint32_t window_bits(uint64_t size) {
    uint32_t bits = WINDOW_BITS_MIN;

    if (size == 0) return WINDOW_BITS_MAX;
    while (bits < WINDOW_BITS_MAX && ((uint64_t)1 << bits) - 16 < size) bits++;
    return bits;
}

/* The bytes that are left on both sides. */
typedef struct sides {
    const uint8_t *next_in;
    uint8_t *next_out;
    size_t available_in, available_out;
} sides;

/* Enter the library. False: there was no memory, and there is no state any more. Never inlined: so
 * that nothing of the caller's is in a register that the jump would bring back. */
__attribute__((noinline)) static bool compress(brotli_coder *self, BrotliEncoderOperation operation,
                                               sides *both) {
    bool went_well = false;

    if (!_setjmp(self->no_memory)) {
        self->is_encoding = true;
        went_well = BrotliEncoderCompressStream(self->encoder, operation, &both->available_in,
                                                &both->next_in, &both->available_out,
                                                &both->next_out, NULL);
    } else {
        self->encoder = NULL;
    }
    self->is_encoding = false;
    return went_well;
}

static torc_err begin_encoding(torc_coder *coder) {
    brotli_coder *self = self_of(coder);
    const uint64_t size = coder->options.size;
    BrotliEncoderState *state = BrotliEncoderCreateInstance(allocate, deallocate, self);

    if (!state) return TORC_ERR_NO_MEMORY;
    self->encoder = state;
    (void)BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, (uint32_t)coder->options.level);
    (void)BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, window_bits(size));
    (void)BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT,
                                    size && size < SIZE_HINT ? (uint32_t)size : SIZE_HINT);
    return TORC_OK;
}

static torc_err encode(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    static const BrotliEncoderOperation operations[] = {
        BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
    brotli_coder *self = self_of(coder);
    sides both = {
        .next_in = (const uint8_t *)flow->input.bytes,
        .next_out = (uint8_t *)flow->out,
        .available_in = flow->input.len,
        .available_out = flow->room,
    };
    bool has_more;

    do {
        if (!compress(self, operations[mode], &both)) return TORC_ERR_NO_MEMORY;
        has_more = both.available_in > 0 || BrotliEncoderHasMoreOutput(self->encoder);
    } while (has_more && both.available_out > 0);
    flow->input = torc_str_from(flow->input, flow->input.len - both.available_in);
    flow->made = flow->room - both.available_out;
    return has_more ? TORC_ERR_AGAIN : TORC_OK;
}

/* ---- decoding ---- */

static torc_err begin_decoding(torc_coder *coder) {
    brotli_coder *self = self_of(coder);

    self->is_complete = false;
    self->decoder = BrotliDecoderCreateInstance(allocate, deallocate, self);
    return self->decoder ? TORC_OK : TORC_ERR_NO_MEMORY;
}

static torc_err failure_of(const BrotliDecoderState *state) {
    const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);

    if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
        code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
        return TORC_ERR_NO_MEMORY;
    return TORC_ERR_SYNTAX;
}

static torc_err decode(torc_coder *coder, torc_coder_mode mode, torc_coder_flow *flow) {
    brotli_coder *self = self_of(coder);
    const uint8_t *next_in = (const uint8_t *)flow->input.bytes;
    uint8_t *next_out = (uint8_t *)flow->out;
    size_t available_in = flow->input.len, available_out = flow->room;
    BrotliDecoderResult result;

    if (self->is_complete) return flow->input.len ? TORC_ERR_SYNTAX : TORC_OK;
    result = BrotliDecoderDecompressStream(self->decoder, &available_in, &next_in, &available_out,
                                           &next_out, NULL);
    flow->input = torc_str_from(flow->input, flow->input.len - available_in);
    flow->made = flow->room - available_out;
    switch (result) {
    case BROTLI_DECODER_RESULT_SUCCESS:
        self->is_complete = true;
        return available_in ? TORC_ERR_SYNTAX : TORC_OK;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
        return mode == TORC_CODER_END ? TORC_ERR_TRUNCATED : TORC_OK;
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
        return TORC_ERR_AGAIN;
    default:
        return failure_of(self->decoder);
    }
}

/* Levels 10 and 11 take a second for a megabyte: they are for files, coded once. */
static const torc_coder_kind encoder = {
    .size = sizeof(brotli_coder),
    .level_default = 4,
    .level_max = 9,
    .begin = begin_encoding,
    .step = encode,
    .rest = rest,
    .dispose = dispose,
};

static const torc_coder_kind decoder = {
    .size = sizeof(brotli_coder),
    .begin = begin_decoding,
    .step = decode,
    .rest = rest,
    .dispose = dispose,
};

const torc_coder_kind *const torc_brotli_encoder = &encoder;
const torc_coder_kind *const torc_brotli_decoder = &decoder;
