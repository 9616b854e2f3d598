/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <torc/coding.h>

#include "faults.h"

enum {
    SMALL = 300,
    LARGE = 1024 * 1024,
    OUT_MAX = 4 * 1024 * 1024
};

static const torc_coding encoders[] = {TORC_CODING_GZIP, TORC_CODING_BROTLI, TORC_CODING_ZSTD};

static bool is_built(torc_coding coding) {
    return torc_coding_can_encode(coding);
}

/* ---- inputs ---- */

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 16;
}

/* Text that can be made shorter. */
static void fill_text(char *bytes, size_t len) {
    static const char *const words[] = {"{\"id\":",      "\"name\":\"", "price",
                                        " of a thing, ", "1",           "42"};
    uint32_t seed = 7;
    size_t at = 0;

    while (at < len) {
        const char *word = words[next_random(&seed) % TORC_COUNT_OF(words)];
        while (*word && at < len) bytes[at++] = *word++;
    }
}

static void fill_noise(char *bytes, size_t len) {
    uint32_t seed = 11;

    for (size_t i = 0; i < len; i++) bytes[i] = (char)next_random(&seed);
}

static char *make_input(size_t len, void fill(char *bytes, size_t len)) {
    char *bytes = test_malloc(len + 1);
    fill(bytes, len);
    return bytes;
}

/* ---- a world of a pool, and coders run to their ends ---- */

typedef struct world {
    torc_memory memory;
    torc_coder_pool pool;
    torc_buf coded, plain;
} world;

static void world_open(world *self) {
    torc_memory_init(&self->memory, 0);
    torc_coder_pool_init(&self->pool, &self->memory);
    torc_buf_init(&self->coded, &self->memory, TORC_MEMORY_OTHER, OUT_MAX);
    torc_buf_init(&self->plain, &self->memory, TORC_MEMORY_OTHER, OUT_MAX);
}

static void world_close(world *self) {
    torc_buf_dispose(&self->coded);
    torc_buf_dispose(&self->plain);
    torc_coder_pool_dispose(&self->pool);
    assert_int_equal(self->memory.used_total, 0);
}

static torc_err add_bytes(void *context, torc_str bytes) {
    assert_true(bytes.len > 0);
    torc_buf_add(context, bytes);
    return torc_buf_err(context);
}

static torc_err run(torc_coder *coder, torc_coder_mode mode, torc_str bytes, torc_buf *out) {
    return torc_coder_run(coder, mode, bytes, add_bytes, out);
}

static torc_coder *encoder(world *self, torc_coding coding, int level, uint64_t size) {
    const torc_encoder_options options = {.level = level, .size = size};
    torc_coder *coder = NULL;

    check_ok(torc_encoder_new(&self->pool, coding, &options, &coder));
    return coder;
}

static torc_coder *decoder(world *self, torc_coding coding) {
    torc_coder *coder = NULL;

    check_ok(torc_decoder_new(&self->pool, coding, NULL, &coder));
    return coder;
}

/* What was coded decodes to what was put in. */
static void check_decodes(world *self, torc_coding coding, torc_str expected) {
    torc_buf_clear(&self->plain);
    check_ok(torc_decode(&self->pool, coding, NULL, torc_buf_str(&self->coded), &self->plain));
    assert_int_equal(self->plain.len, expected.len);
    if (expected.len) assert_memory_equal(self->plain.bytes, expected.bytes, expected.len);
}

static void check_round(world *self, torc_coding coding, int level, torc_str bytes) {
    torc_buf_clear(&self->coded);
    check_ok(torc_encode(&self->pool, coding, level, bytes, &self->coded));
    check_decodes(self, coding, bytes);
}

/* ---- names ---- */

static void codings_have_their_registered_names(void **state) {
    torc_coding coding;

    for (int i = 0; i < TORC_CODINGS; i++) {
        assert_true(torc_coding_find(torc_coding_name((torc_coding)i), &coding));
        assert_int_equal(coding, i);
    }
    assert_true(torc_coding_find(TORC_STR("X-GZIP"), &coding));
    assert_int_equal(coding, TORC_CODING_GZIP);
    assert_true(torc_coding_find(TORC_STR("BR"), &coding));
    assert_int_equal(coding, TORC_CODING_BROTLI);
    assert_false(torc_coding_find(TORC_STR("identity"), &coding));
    assert_false(torc_coding_find(TORC_STR(""), &coding));
}

static void deflate_is_for_decoding_alone(void **state) {
    world self;
    torc_coder *coder = NULL;

    world_open(&self);
    assert_false(torc_coding_can_encode(TORC_CODING_DEFLATE));
    assert_true(torc_coding_can_decode(TORC_CODING_DEFLATE));
    assert_int_equal(torc_coding_level_max(TORC_CODING_DEFLATE), 0);
    assert_int_equal(torc_encoder_new(&self.pool, TORC_CODING_DEFLATE, NULL, &coder),
                     TORC_ERR_UNSUPPORTED);
    assert_null(coder);
    world_close(&self);
}

static void a_level_that_is_none_is_refused(void **state) {
    world self;
    torc_coder *coder = NULL;

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        const torc_coding coding = encoders[i];
        const torc_encoder_options high = {.level = torc_coding_level_max(coding) + 1};
        const torc_encoder_options low = {.level = -1};
        if (!is_built(coding)) continue;
        assert_int_equal(torc_encoder_new(&self.pool, coding, &high, &coder), TORC_ERR_INVALID);
        assert_int_equal(torc_encoder_new(&self.pool, coding, &low, &coder), TORC_ERR_INVALID);
    }
    world_close(&self);
}

/* ---- both ways ---- */

static void what_is_encoded_decodes_to_the_same_at_every_level(void **state) {
    world self;
    char *text = make_input(20000, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        for (int level = 1; level <= torc_coding_level_max(encoders[i]); level++) {
            check_round(&self, encoders[i], level, torc_str_make(text, 20000));
            assert_true(self.coded.len < 20000 / 2);
        }
    }
    world_close(&self);
    test_free(text);
}

static void any_length_comes_back(void **state) {
    static const size_t lens[] = {0, 1, 2, 63, 64, 65, 4096, 16384, 65536, 65537, 131073, LARGE};
    void (*const fills[])(char *, size_t) = {fill_text, fill_noise};
    world self;

    world_open(&self);
    for (size_t f = 0; f < TORC_COUNT_OF(fills); f++) {
        char *bytes = make_input(LARGE, fills[f]);
        for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++)
            for (size_t l = 0; l < TORC_COUNT_OF(lens) && is_built(encoders[i]); l++)
                check_round(&self, encoders[i], 0, torc_str_make(bytes, lens[l]));
        test_free(bytes);
    }
    world_close(&self);
}

static void noise_grows_by_little(void **state) {
    world self;
    char *noise = make_input(65536, fill_noise);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        if (!is_built(encoders[i])) continue;
        check_round(&self, encoders[i], 0, torc_str_make(noise, 65536));
        assert_true(self.coded.len < 65536 + 256);
    }
    world_close(&self);
    test_free(noise);
}

/* ---- pieces ---- */

static void an_input_in_any_two_pieces_comes_back(void **state) {
    world self;
    char *text = make_input(SMALL, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        for (size_t cut = 0; cut <= SMALL && is_built(encoders[i]); cut++) {
            torc_coder *coder = encoder(&self, encoders[i], 0, 0);
            torc_buf_clear(&self.coded);
            check_ok(run(coder, TORC_CODER_WRITE, torc_str_make(text, cut), &self.coded));
            check_ok(
                run(coder, TORC_CODER_END, torc_str_make(text + cut, SMALL - cut), &self.coded));
            torc_coder_free(coder);
            check_decodes(&self, encoders[i], torc_str_make(text, SMALL));
        }
    }
    world_close(&self);
    test_free(text);
}

/* After each flush all bytes before it can be decoded. */
static void check_flushed_bytes(world *self, torc_coding coding, const char *text) {
    torc_coder *coder = encoder(self, coding, 0, 0), *reader = decoder(self, coding);

    torc_buf_clear(&self->plain);
    for (size_t i = 0; i < SMALL; i++) {
        torc_buf_clear(&self->coded);
        check_ok(run(coder, TORC_CODER_WRITE, torc_str_make(text + i, 1), &self->coded));
        check_ok(run(coder, TORC_CODER_FLUSH, torc_str_make(NULL, 0), &self->coded));
        check_ok(run(reader, TORC_CODER_WRITE, torc_buf_str(&self->coded), &self->plain));
        assert_int_equal(self->plain.len, i + 1);
        assert_memory_equal(self->plain.bytes, text, i + 1);
    }
    torc_buf_clear(&self->coded);
    check_ok(run(coder, TORC_CODER_END, torc_str_make(NULL, 0), &self->coded));
    check_ok(run(reader, TORC_CODER_END, torc_buf_str(&self->coded), &self->plain));
    assert_int_equal(self->plain.len, SMALL);
    torc_coder_free(coder);
    torc_coder_free(reader);
}

static void a_flush_brings_out_every_byte(void **state) {
    world self;
    char *text = make_input(SMALL, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++)
        if (is_built(encoders[i])) check_flushed_bytes(&self, encoders[i], text);
    world_close(&self);
    test_free(text);
}

static void a_flush_of_nothing_makes_nothing(void **state) {
    world self;

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        torc_coder *coder;
        size_t len;
        if (!is_built(encoders[i])) continue;
        coder = encoder(&self, encoders[i], 0, 0);
        torc_buf_clear(&self.coded);
        check_ok(run(coder, TORC_CODER_FLUSH, torc_str_make(NULL, 0), &self.coded));
        assert_int_equal(self.coded.len, 0);
        check_ok(run(coder, TORC_CODER_FLUSH, TORC_STR("some"), &self.coded));
        len = self.coded.len;
        assert_true(len > 0);
        for (int again = 0; again < 20; again++) {
            check_ok(run(coder, TORC_CODER_FLUSH, torc_str_make(NULL, 0), &self.coded));
            check_ok(run(coder, TORC_CODER_WRITE, torc_str_make(NULL, 0), &self.coded));
        }
        assert_int_equal(self.coded.len, len);
        check_ok(run(coder, TORC_CODER_END, torc_str_make(NULL, 0), &self.coded));
        torc_coder_free(coder);
        check_decodes(&self, encoders[i], TORC_STR("some"));
    }
    world_close(&self);
}

/* Run a mode to its end with the smallest room. */
static void run_narrowly(torc_coder *coder, torc_coder_mode mode, torc_str input, torc_buf *out) {
    char room[TORC_CODER_ROOM_MIN];
    torc_coder_flow flow = {.input = input, .out = room, .room = sizeof(room)};
    torc_err err;

    do {
        err = torc_coder_step(coder, mode, &flow);
        assert_true(flow.made <= sizeof(room));
        torc_buf_add(out, torc_str_make(room, flow.made));
        if (err == TORC_ERR_AGAIN) assert_true(flow.made > 0);
    } while (err == TORC_ERR_AGAIN);
    check_ok(err);
    assert_int_equal(flow.input.len, 0);
}

static void the_smallest_room_is_enough(void **state) {
    void (*const fills[])(char *, size_t) = {fill_text, fill_noise};
    world self;

    world_open(&self);
    for (size_t f = 0; f < TORC_COUNT_OF(fills); f++) {
        char *bytes = make_input(30000, fills[f]);
        for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
            torc_coder *coder;
            if (!is_built(encoders[i])) continue;
            coder = encoder(&self, encoders[i], 0, 0);
            torc_buf_clear(&self.coded);
            for (size_t at = 0; at < 30000; at += 3000) {
                run_narrowly(coder, TORC_CODER_WRITE, torc_str_make(bytes + at, 3000), &self.coded);
                run_narrowly(coder, TORC_CODER_FLUSH, torc_str_make(NULL, 0), &self.coded);
            }
            run_narrowly(coder, TORC_CODER_END, torc_str_make(NULL, 0), &self.coded);
            torc_coder_free(coder);
            check_decodes(&self, encoders[i], torc_str_make(bytes, 30000));

            coder = decoder(&self, encoders[i]);
            torc_buf_clear(&self.plain);
            run_narrowly(coder, TORC_CODER_END, torc_buf_str(&self.coded), &self.plain);
            torc_coder_free(coder);
            assert_int_equal(self.plain.len, 30000);
            assert_memory_equal(self.plain.bytes, bytes, 30000);
        }
        test_free(bytes);
    }
    world_close(&self);
}

/* ---- decoding ---- */

/* zlib's format and the same without its head, of "deflated, deflated, deflated". */
static const char with_head[] =
    "\x78\x9c\x4b\x49\x4d\xcb\x49\x2c\x49\x4d\xd1\x51\x48\xc1\x60\x01\x00\x94\xc5\x0a\x44";
static const torc_str deflated = TORC_STR_INIT("deflated, deflated, deflated");

static torc_str of_deflate(bool has_head) {
    const torc_str whole = torc_str_make(with_head, sizeof(with_head) - 1);
    return has_head ? whole : torc_str_head(torc_str_from(whole, 2), whole.len - 6);
}

static void check_cuts(world *self, torc_coding coding, torc_str coded, torc_str expected) {
    for (size_t cut = 0; cut <= coded.len; cut++) {
        torc_coder *coder = decoder(self, coding);
        torc_buf_clear(&self->plain);
        check_ok(run(coder, TORC_CODER_WRITE, torc_str_head(coded, cut), &self->plain));
        check_ok(run(coder, TORC_CODER_END, torc_str_from(coded, cut), &self->plain));
        torc_coder_free(coder);
        assert_int_equal(self->plain.len, expected.len);
        assert_memory_equal(self->plain.bytes, expected.bytes, expected.len);
    }
}

/* No beginning is taken for the whole; nothing at all is nothing. */
static void check_prefixes(world *self, torc_coding coding, torc_str coded) {
    for (size_t len = 1; len < coded.len; len++) {
        torc_coder *coder = decoder(self, coding);
        torc_buf_clear(&self->plain);
        assert_int_equal(run(coder, TORC_CODER_END, torc_str_head(coded, len), &self->plain),
                         TORC_ERR_TRUNCATED);
        assert_int_equal(run(coder, TORC_CODER_END, torc_str_make(NULL, 0), &self->plain),
                         TORC_ERR_STATE);
        torc_coder_free(coder);
    }
    torc_buf_clear(&self->plain);
    check_ok(torc_decode(&self->pool, coding, NULL, torc_str_make(NULL, 0), &self->plain));
    assert_int_equal(self->plain.len, 0);
}

static void deflate_is_read_with_and_without_its_head(void **state) {
    world self;

    world_open(&self);
    for (int i = 0; i < 2; i++) {
        check_cuts(&self, TORC_CODING_DEFLATE, of_deflate(i), deflated);
        check_prefixes(&self, TORC_CODING_DEFLATE, of_deflate(i));
    }
    world_close(&self);
}

static void a_coded_stream_in_any_two_pieces_decodes_and_no_beginning_does(void **state) {
    world self;
    char *text = make_input(SMALL, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        if (!is_built(encoders[i])) continue;
        check_round(&self, encoders[i], 0, torc_str_make(text, SMALL));
        check_cuts(&self, encoders[i], torc_buf_str(&self.coded), torc_str_make(text, SMALL));
        check_prefixes(&self, encoders[i], torc_buf_str(&self.coded));
    }
    world_close(&self);
    test_free(text);
}

static void a_stream_of_several_members_is_all_of_them(void **state) {
    static const torc_coding several[] = {TORC_CODING_GZIP, TORC_CODING_ZSTD};
    world self;

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(several); i++) {
        if (!is_built(several[i])) continue;
        torc_buf_clear(&self.coded);
        check_ok(torc_encode(&self.pool, several[i], 0, TORC_STR("first, "), &self.coded));
        check_ok(torc_encode(&self.pool, several[i], 0, TORC_STR(""), &self.coded));
        check_ok(torc_encode(&self.pool, several[i], 0, TORC_STR("second"), &self.coded));
        check_cuts(&self, several[i], torc_buf_str(&self.coded), TORC_STR("first, second"));
    }
    world_close(&self);
}

/* A head with all that it may have: an extra field, a name, a comment, and a check of itself. */
static void a_head_of_gzip_may_have_all_its_fields(void **state) {
    static char bytes[] = "\x1f\x8b\x08\x1e\x00\x00\x00\x00\x00\x03\x03\x00"
                          "abcname\x00"
                          "comment\x00yq"
                          "+I\xad(\x01\x00\xc7\xa7\x8b;\x04\x00\x00\x00";
    const torc_str coded = torc_str_make(bytes, sizeof(bytes) - 1);
    world self;

    world_open(&self);
    check_cuts(&self, TORC_CODING_GZIP, coded, TORC_STR("text"));
    check_prefixes(&self, TORC_CODING_GZIP, coded);
    for (size_t at = 0; at < 30; at++) { /* the check tells of every byte of the head */
        bytes[at] ^= 0x40;
        torc_buf_clear(&self.plain);
        const torc_err err = torc_decode(&self.pool, TORC_CODING_GZIP, NULL, coded, &self.plain);
        assert_true(err == TORC_ERR_SYNTAX || err == TORC_ERR_TRUNCATED);
        bytes[at] ^= 0x40;
    }
    world_close(&self);
}

static void zeros_behind_a_member_are_none(void **state) {
    world self;

    world_open(&self);
    check_ok(torc_encode(&self.pool, TORC_CODING_GZIP, 0, TORC_STR("text"), &self.coded));
    torc_buf_add(&self.coded, TORC_STR("\0\0\0\0\0\0\0\0"));
    check_err(
        torc_decode(&self.pool, TORC_CODING_GZIP, NULL, torc_buf_str(&self.coded), &self.plain),
        TORC_ERR_SYNTAX);
    world_close(&self);
}

/* ---- frames of zstd: RFC 8878 ---- */

static void frames_that_are_to_be_skipped_are(void **state) {
    const torc_str skipped = TORC_STR("\x50\x2a\x4d\x18\x03\0\0\0abc"),
                   empty = TORC_STR("\x5f\x2a\x4d\x18\0\0\0\0");
    world self;

    if (!is_built(TORC_CODING_ZSTD)) return;
    world_open(&self);
    torc_buf_add(&self.coded, skipped);
    check_ok(torc_encode(&self.pool, TORC_CODING_ZSTD, 0, TORC_STR("a "), &self.coded));
    torc_buf_add(&self.coded, empty);
    torc_buf_add(&self.coded, skipped);
    check_ok(torc_encode(&self.pool, TORC_CODING_ZSTD, 0, TORC_STR("text"), &self.coded));
    torc_buf_add(&self.coded, empty);
    check_cuts(&self, TORC_CODING_ZSTD, torc_buf_str(&self.coded), TORC_STR("a text"));
    check_cuts(&self, TORC_CODING_ZSTD, empty, TORC_STR(""));
    check_prefixes(&self, TORC_CODING_ZSTD, skipped);
    world_close(&self);
}

/* Its content is in the room at once, or not. */
static void check_frame(world *self, torc_str frame, torc_err expected) {
    for (size_t cut = 0; cut <= frame.len; cut++) {
        torc_coder *coder = decoder(self, TORC_CODING_ZSTD);
        torc_buf_clear(&self->plain);
        torc_err err = run(coder, TORC_CODER_WRITE, torc_str_head(frame, cut), &self->plain);
        if (!err) err = run(coder, TORC_CODER_END, torc_str_from(frame, cut), &self->plain);
        assert_int_equal(err, expected);
        torc_coder_free(coder);
    }
}

static void a_frame_is_as_long_as_it_says(void **state) {
    world self;

    if (!is_built(TORC_CODING_ZSTD)) return;
    world_open(&self);
    /* "abcd" in a raw block, then an empty last one, and none of them. */
    check_frame(&self, TORC_STR("\x28\xb5\x2f\xfd\x20\x04\x20\0\0abcd\x01\0\0"), TORC_OK);
    check_str(torc_buf_str(&self.plain), "abcd");
    check_frame(&self, TORC_STR("\x28\xb5\x2f\xfd\x20\x04\x01\0\0"), TORC_ERR_SYNTAX);
    check_frame(&self, TORC_STR("\x28\xb5\x2f\xfd\x20\x05\x20\0\0abcd\x01\0\0"), TORC_ERR_SYNTAX);
    check_frame(&self, TORC_STR("\x28\xb5\x2f\xfd\x20\x03\x21\0\0abcd"), TORC_ERR_SYNTAX);
    /* A window of 32 MiB, which RFC 9659 leaves to nobody. */
    check_frame(&self, TORC_STR("\x28\xb5\x2f\xfd\0\x78\x09\0\0x"), TORC_ERR_SYNTAX);
    world_close(&self);
}

static void what_follows_the_end_is_an_error(void **state) {
    world self;
    torc_coder *coder;

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        if (!is_built(encoders[i])) continue;
        torc_buf_clear(&self.coded);
        check_ok(torc_encode(&self.pool, encoders[i], 0, TORC_STR("text"), &self.coded));
        torc_buf_add(&self.coded, TORC_STR("junk"));
        torc_buf_clear(&self.plain);
        assert_int_equal(
            torc_decode(&self.pool, encoders[i], NULL, torc_buf_str(&self.coded), &self.plain),
            TORC_ERR_SYNTAX);
    }
    coder = decoder(&self, TORC_CODING_DEFLATE);
    check_ok(run(coder, TORC_CODER_WRITE, of_deflate(true), &self.plain));
    assert_int_equal(run(coder, TORC_CODER_END, TORC_STR("x"), &self.plain), TORC_ERR_SYNTAX);
    torc_coder_free(coder);
    world_close(&self);
}

/* With each bit turned it decodes to something, or fails as what comes from outside may. */
static void damage_is_found_or_harmless(void **state) {
    world self;
    char *text = make_input(SMALL, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        if (!is_built(encoders[i])) continue;
        check_round(&self, encoders[i], 0, torc_str_make(text, SMALL));
        for (size_t bit = 0; bit < 8 * self.coded.len; bit++) {
            torc_err err;
            self.coded.bytes[bit / 8] ^= (char)(1 << bit % 8);
            torc_buf_clear(&self.plain);
            err =
                torc_decode(&self.pool, encoders[i], NULL, torc_buf_str(&self.coded), &self.plain);
            assert_true(!err || err == TORC_ERR_SYNTAX || err == TORC_ERR_TRUNCATED ||
                        err == TORC_ERR_TOO_LARGE);
            if (encoders[i] == TORC_CODING_GZIP && bit / 8 >= 10) assert_true(err != TORC_OK);
            self.coded.bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
    }
    world_close(&self);
    test_free(text);
}

/* ---- bombs ---- */

static void fill_zeros(char *bytes, size_t len) {
    memset(bytes, 0, len);
}

static void a_bomb_is_stopped_by_its_length(void **state) {
    world self;
    char *zeros = make_input(LARGE, fill_zeros);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        const torc_decoder_limits enough = {.bytes_max = 100000}, few = {.bytes_max = 99999};
        if (!is_built(encoders[i])) continue;
        torc_buf_clear(&self.coded);
        check_ok(
            torc_encode(&self.pool, encoders[i], 0, torc_str_make(zeros, 100000), &self.coded));
        torc_buf_clear(&self.plain);
        check_ok(
            torc_decode(&self.pool, encoders[i], &enough, torc_buf_str(&self.coded), &self.plain));
        torc_buf_clear(&self.plain);
        assert_int_equal(
            torc_decode(&self.pool, encoders[i], &few, torc_buf_str(&self.coded), &self.plain),
            TORC_ERR_TOO_LARGE);
        assert_true(self.plain.len <= 99999);
    }
    world_close(&self);
    test_free(zeros);
}

static void a_bomb_is_stopped_by_its_ratio(void **state) {
    world self;
    char *zeros = make_input(LARGE, fill_zeros);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        const torc_decoder_limits loose = {.ratio_max = UINT32_MAX};
        torc_coder *coder;
        if (!is_built(encoders[i])) continue;
        coder = encoder(&self, encoders[i], 0, 0);
        torc_buf_clear(&self.coded);
        for (int j = 0; j < 3; j++)
            check_ok(run(coder, TORC_CODER_WRITE, torc_str_make(zeros, LARGE), &self.coded));
        check_ok(run(coder, TORC_CODER_END, torc_str_make(NULL, 0), &self.coded));
        torc_coder_free(coder);
        torc_buf_clear(&self.plain);
        assert_int_equal(
            torc_decode(&self.pool, encoders[i], NULL, torc_buf_str(&self.coded), &self.plain),
            TORC_ERR_TOO_LARGE);
        assert_true(self.plain.len <= LARGE + 16384);
        torc_buf_clear(&self.plain);
        check_ok(
            torc_decode(&self.pool, encoders[i], &loose, torc_buf_str(&self.coded), &self.plain));
        assert_int_equal(self.plain.len, 3 * LARGE);
    }
    world_close(&self);
    test_free(zeros);
}

static void a_buffer_that_is_full_is_a_limit_too(void **state) {
    world self;
    char bytes[64];
    torc_buf small;

    world_open(&self);
    check_ok(torc_encode(&self.pool, TORC_CODING_GZIP, 0, TORC_STR("0123456789"), &self.coded));
    torc_buf_init_fixed(&small, bytes, 9);
    assert_int_equal(
        torc_decode(&self.pool, TORC_CODING_GZIP, NULL, torc_buf_str(&self.coded), &small),
        TORC_ERR_TOO_LARGE);
    torc_buf_init_fixed(&small, bytes, 9);
    assert_int_equal(torc_encode(&self.pool, TORC_CODING_GZIP, 0, TORC_STR("0123456789"), &small),
                     TORC_ERR_LIMIT);
    world_close(&self);
}

/* ---- the pool ---- */

static void a_second_stream_allocates_nothing(void **state) {
    world self;
    char *text = make_input(20000, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        uint64_t allocated;
        if (!is_built(encoders[i])) continue;
        for (int warm = 0; warm < 2; warm++)
            check_round(&self, encoders[i], 0, torc_str_make(text, 20000));
        allocated = self.memory.allocated;
        check_round(&self, encoders[i], 0, torc_str_make(text, 20000));
        assert_int_equal(self.memory.allocated, allocated);
    }
    world_close(&self);
    test_free(text);
}

static void states_of_all_levels_fit_what_the_header_says(void **state) {
    static const size_t maxima[] = {
        [TORC_CODING_GZIP] = 300 * 1024,
        [TORC_CODING_BROTLI] = 2800 * 1024,
        [TORC_CODING_ZSTD] = 2560 * 1024,
    };
    world self;
    char *text = make_input(LARGE, fill_text);

    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        for (int level = 1; level <= torc_coding_level_max(encoders[i]); level++) {
            torc_coder *coder;
            world_open(&self);
            torc_buf_dispose(&self.coded);
            coder = encoder(&self, encoders[i], level, 0);
            torc_buf_init(&self.coded, NULL, TORC_MEMORY_OTHER, OUT_MAX);
            check_ok(run(coder, TORC_CODER_END, torc_str_make(text, LARGE), &self.coded));
            if (self.memory.used_peak > maxima[encoders[i]])
                print_error("%s at level %d: %zu bytes\n", torc_coding_name(encoders[i]).bytes,
                            level, self.memory.used_peak);
            assert_true(self.memory.used_peak <= maxima[encoders[i]]);
            torc_coder_free(coder);
            world_close(&self);
        }
    }
    test_free(text);
}

static void the_pool_keeps_no_more_than_it_may(void **state) {
    enum {
        MANY = 40
    };
    world self;
    torc_coder *coders[MANY];

    world_open(&self);
    self.pool.idle_bytes_max = 1024 * 1024;
    for (int i = 0; i < MANY; i++) coders[i] = encoder(&self, TORC_CODING_GZIP, 0, 0);
    assert_true(self.memory.used_total > 10 * 1024 * 1024);
    for (int i = 0; i < MANY; i++) torc_coder_free(coders[i]);
    assert_true(self.pool.idle_bytes > 512 * 1024);
    assert_true(self.memory.used_total <= 1024 * 1024 + 4096);
    /* Also when it may keep less than it has. */
    const size_t kept = self.pool.idle_bytes;
    coders[0] = encoder(&self, TORC_CODING_GZIP, 0, 0);
    self.pool.idle_bytes_max = 1024;
    torc_coder_free(coders[0]);
    assert_true(self.pool.idle_bytes < kept);
    torc_coder_pool_trim(&self.pool);
    assert_int_equal(self.memory.used_total, 0);
    world_close(&self);
}

static void a_coder_may_be_left_at_any_point(void **state) {
    world self;
    char *text = make_input(20000, fill_text);

    world_open(&self);
    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        if (!is_built(encoders[i])) continue;
        for (size_t len = 0; len < 20000; len += 1999) {
            torc_coder *coder = encoder(&self, encoders[i], 0, 0);
            torc_buf_clear(&self.coded);
            check_ok(run(coder, TORC_CODER_WRITE, torc_str_make(text, len), &self.coded));
            torc_coder_free(coder);
            coder = decoder(&self, encoders[i]);
            (void)!run(coder, TORC_CODER_WRITE, torc_buf_str(&self.coded), &self.plain);
            torc_coder_free(coder);
            check_round(&self, encoders[i], 0, torc_str_make(text, len));
        }
    }
    torc_coder_free(NULL);
    world_close(&self);
    test_free(text);
}

static torc_err refuse_bytes(void *context, torc_str bytes) {
    (void)context;
    (void)bytes;
    return TORC_ERR_GONE;
}

static void the_failure_of_who_is_told_is_returned(void **state) {
    world self;
    torc_coder *coder;

    world_open(&self);
    coder = encoder(&self, TORC_CODING_GZIP, 0, 0);
    assert_int_equal(torc_coder_run(coder, TORC_CODER_END, TORC_STR("text"), refuse_bytes, NULL),
                     TORC_ERR_GONE);
    torc_coder_free(coder);
    world_close(&self);
}

/* ---- failing allocations ---- */

typedef struct round_trip {
    torc_coding coding;
    torc_str bytes;
} round_trip;

static torc_err make_round_trip(torc_memory *memory, void *context) {
    const round_trip *trip = context;
    torc_coder_pool pool;
    torc_buf coded, plain;
    torc_err err;

    torc_coder_pool_init(&pool, memory);
    torc_buf_init(&coded, NULL, TORC_MEMORY_OTHER, OUT_MAX);
    torc_buf_init(&plain, NULL, TORC_MEMORY_OTHER, OUT_MAX);
    err = torc_encode(&pool, trip->coding, 0, trip->bytes, &coded);
    if (!err) err = torc_decode(&pool, trip->coding, NULL, torc_buf_str(&coded), &plain);
    assert_true(!err || err == TORC_ERR_NO_MEMORY);
    if (!err) assert_true(torc_str_equals(torc_buf_str(&plain), trip->bytes));
    torc_buf_dispose(&coded);
    torc_buf_dispose(&plain);
    torc_coder_pool_dispose(&pool);
    return err;
}

static void a_failing_allocation_is_told(void **state) {
    char *text = make_input(70000, fill_text);

    for (size_t i = 0; i < TORC_COUNT_OF(encoders); i++) {
        round_trip trip = {encoders[i], {text, 70000}};
        if (is_built(encoders[i])) faults_each(make_round_trip, &trip);
    }
    test_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_have_their_registered_names),
        cmocka_unit_test(deflate_is_for_decoding_alone),
        cmocka_unit_test(a_level_that_is_none_is_refused),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same_at_every_level),
        cmocka_unit_test(any_length_comes_back),
        cmocka_unit_test(noise_grows_by_little),
        cmocka_unit_test(an_input_in_any_two_pieces_comes_back),
        cmocka_unit_test(a_flush_brings_out_every_byte),
        cmocka_unit_test(a_flush_of_nothing_makes_nothing),
        cmocka_unit_test(the_smallest_room_is_enough),
        cmocka_unit_test(deflate_is_read_with_and_without_its_head),
        cmocka_unit_test(a_coded_stream_in_any_two_pieces_decodes_and_no_beginning_does),
        cmocka_unit_test(a_stream_of_several_members_is_all_of_them),
        cmocka_unit_test(a_head_of_gzip_may_have_all_its_fields),
        cmocka_unit_test(zeros_behind_a_member_are_none),
        cmocka_unit_test(frames_that_are_to_be_skipped_are),
        cmocka_unit_test(a_frame_is_as_long_as_it_says),
        cmocka_unit_test(what_follows_the_end_is_an_error),
        cmocka_unit_test(damage_is_found_or_harmless),
        cmocka_unit_test(a_bomb_is_stopped_by_its_length),
        cmocka_unit_test(a_bomb_is_stopped_by_its_ratio),
        cmocka_unit_test(a_buffer_that_is_full_is_a_limit_too),
        cmocka_unit_test(a_second_stream_allocates_nothing),
        cmocka_unit_test(states_of_all_levels_fit_what_the_header_says),
        cmocka_unit_test(the_pool_keeps_no_more_than_it_may),
        cmocka_unit_test(a_coder_may_be_left_at_any_point),
        cmocka_unit_test(the_failure_of_who_is_told_is_returned),
        cmocka_unit_test(a_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
