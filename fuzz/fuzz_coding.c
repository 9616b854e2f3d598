/* SPDX-License-Identifier: MIT */
/*
 * Content codings: whatever comes is decoded to the same in any pieces and rooms, or by none of
 * them, and to no more than its limit; what is encoded in any pieces decodes to what was put in.
 * The first byte of an input chooses coding and direction, the second the pieces.
 */
#include <torc/coding.h>

#include "fuzz.h"

enum {
    DECODED_MAX = 100000,
    ROOM_MAX = TORC_CODER_ROOM_MIN + 200
};

typedef struct world {
    torc_memory memory;
    torc_coder_pool pool;
    torc_buf whole, split;
} world;

static void open_world(world *self) {
    torc_memory_init(&self->memory, 0);
    torc_coder_pool_init(&self->pool, &self->memory);
    torc_buf_init(&self->whole, &self->memory, TORC_MEMORY_OTHER, 1 << 20);
    torc_buf_init(&self->split, &self->memory, TORC_MEMORY_OTHER, 1 << 20);
}

static void close_world(world *self) {
    torc_buf_dispose(&self->whole);
    torc_buf_dispose(&self->split);
    torc_coder_pool_dispose(&self->pool);
    FUZZ_CHECK(self->memory.used_total == 0);
}

/* One mode to its end, in rooms of any size, each of which the address sanitizer guards. */
static torc_err give(torc_coder *coder, torc_coder_mode mode, torc_str piece, uint32_t *seed,
                     torc_buf *out) {
    char *const shown = fuzz_copy(piece);
    torc_coder_flow flow = {.input = torc_str_make(shown, piece.len)};
    torc_err err;

    do {
        const size_t left = flow.input.len;
        flow.room = TORC_CODER_ROOM_MIN + fuzz_step(seed) % (ROOM_MAX - TORC_CODER_ROOM_MIN);
        flow.out = malloc(flow.room);
        flow.made = 0;
        FUZZ_CHECK(flow.out);
        err = torc_coder_step(coder, mode, &flow);
        FUZZ_CHECK(flow.made <= flow.room && flow.input.len <= left);
        FUZZ_CHECK(err != TORC_ERR_AGAIN || flow.made > 0 || flow.input.len < left);
        torc_buf_add(out, torc_str_make(flow.out, flow.made));
        free(flow.out);
    } while (err == TORC_ERR_AGAIN);
    FUZZ_CHECK(err || flow.input.len == 0);
    free(shown);
    return err;
}

static torc_err give_pieces(torc_coder *coder, torc_str bytes, uint32_t seed, bool flushes,
                            torc_buf *out) {
    torc_err err = TORC_OK;

    while (!err && bytes.len > 0) {
        const size_t step = fuzz_step(&seed), len = step < bytes.len ? step : bytes.len;
        const bool flush = flushes && step % 3 == 0;
        err = give(coder, flush ? TORC_CODER_FLUSH : TORC_CODER_WRITE, torc_str_head(bytes, len),
                   &seed, out);
        bytes = torc_str_from(bytes, len);
    }
    return err ? err : give(coder, TORC_CODER_END, torc_str_make("", 0), &seed, out);
}

static void check_decoded(torc_coding coding, torc_str bytes, uint32_t seed) {
    const torc_decoder_limits limits = {.bytes_max = DECODED_MAX};
    torc_coder *coder;
    world self;

    open_world(&self);
    const torc_err err = torc_decode(&self.pool, coding, &limits, bytes, &self.whole);
    FUZZ_CHECK(!torc_decoder_new(&self.pool, coding, &limits, &coder));
    const torc_err split = give_pieces(coder, bytes, seed, false, &self.split);
    torc_coder_free(coder);
    FUZZ_CHECK(!err || err == TORC_ERR_SYNTAX || err == TORC_ERR_TRUNCATED ||
               err == TORC_ERR_TOO_LARGE);
    FUZZ_CHECK(!err == !split);
    FUZZ_CHECK(self.whole.len <= DECODED_MAX && self.split.len <= DECODED_MAX);
    const size_t len = self.whole.len < self.split.len ? self.whole.len : self.split.len;
    FUZZ_CHECK(err || self.whole.len == self.split.len);
    FUZZ_CHECK(len == 0 || memcmp(self.whole.bytes, self.split.bytes, len) == 0);
    close_world(&self);
}

static void check_encoded(torc_coding coding, torc_str bytes, uint32_t seed) {
    const torc_encoder_options options = {
        .level = 1 + (int)(seed % (uint32_t)torc_coding_level_max(coding))};
    torc_coder *coder;
    world self;

    open_world(&self);
    FUZZ_CHECK(!torc_encoder_new(&self.pool, coding, &options, &coder));
    FUZZ_CHECK(!give_pieces(coder, bytes, seed, true, &self.split));
    torc_coder_free(coder);
    FUZZ_CHECK(!torc_decode(&self.pool, coding, NULL, torc_buf_str(&self.split), &self.whole));
    FUZZ_CHECK(torc_str_equals(torc_buf_str(&self.whole), bytes));
    close_world(&self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = fuzz_begin(data, size);
    const uint8_t choice = fuzz_byte(&input);
    const torc_coding coding = (torc_coding)(choice % TORC_CODINGS);
    const uint32_t seed = fuzz_byte(&input) + 1u;

    if (choice & 4) {
        if (torc_coding_can_encode(coding)) check_encoded(coding, input.rest, seed);
    } else if (torc_coding_can_decode(coding)) {
        check_decoded(coding, input.rest, seed);
    }
    return 0;
}
