/* SPDX-License-Identifier: MIT */
#ifndef TORC_CODING_H
#define TORC_CODING_H

#include <torc/buf.h>

/**
 * Content codings (RFC 9110 §8.4.1): bytes made shorter, and made whole again.
 *
 * A coder takes bytes as they come and gives bytes as they are ready. What it costs is its state,
 * which is why there are pools of them: a coder that is freed waits there for the next one of its
 * kind. A reactor has a pool (torc_reactor_coders()); who has none makes his own. All of a coder's
 * memory is counted by that of its pool, and one that cannot get more fails with
 * TORC_ERR_NO_MEMORY. A pool and its coders belong to one thread at a time.
 *
 *     | coding  | levels  | default | encoder, at most         | decoder, at most           |
 *     | gzip    | 1 to 9  | 4       | 300 KiB (window 32 KiB)  | 70 KiB                     |
 *     | br      | 1 to 9  | 4       | 2.8 MiB (window 64 KiB)  | 17 MiB, as the peer has it |
 *     | zstd    | 1 to 12 | 3       | 2.5 MiB (window 128 KiB) | 9 MiB, as the peer has it  |
 *     | deflate |         |         | none                     | 70 KiB                     |
 *
 * To encode for a page that has both a secret and what the peer can choose tells him of the secret
 * by the length (the attack is called BREACH): see docs/design/coding.md.
 */
typedef enum torc_coding {
    TORC_CODING_GZIP,
    TORC_CODING_BROTLI,  /* "br"; where the library was built with it */
    TORC_CODING_ZSTD,    /* likewise */
    TORC_CODING_DEFLATE, /* to decode: zlib's format, or what some send in its place, without its
                            head */
    TORC_CODINGS
} torc_coding;

enum {
    TORC_CODER_ROOM_MIN = 64 /* of a step; with less some would never come to an end */
};

/** Encodes or decodes one stream of bytes. */
typedef struct torc_coder torc_coder;

/** What is wanted of a coder, beyond that it takes bytes. */
typedef enum torc_coder_mode {
    TORC_CODER_WRITE, /* nothing: it may keep what it was given */
    TORC_CODER_FLUSH, /* all that it was given must come out, so that it can be decoded */
    TORC_CODER_END    /* that was all */
} torc_coder_mode;

/** A step of a coder: bytes that it takes from the front, and the room that it fills. */
typedef struct torc_coder_flow {
    torc_str input; /* what was not taken is left */
    char *out;
    size_t room; /* at least TORC_CODER_ROOM_MIN */
    size_t made; /* bytes written to `out` */
} torc_coder_flow;

/** How a stream is encoded; zeros are the defaults. */
typedef struct torc_encoder_options {
    int level;     /* how much work is done; 0: the default above */
    uint64_t size; /* about how many bytes will come, if that is known: short ones need less memory;
                      0: not known */
} torc_encoder_options;

/** What a stream may decode to, for it is short what makes a bomb; zeros are the defaults. */
typedef struct torc_decoder_limits {
    uint64_t bytes_max; /* decoded; 0: as many as there are */
    uint32_t ratio_max; /* decoded bytes to one encoded, beyond the first MiB; 0: 200 */
} torc_decoder_limits;

/** Coders that wait to be used, and what they allocate from. */
struct torc_coder_pool {
    torc_memory *memory;
    size_t idle_bytes_max; /* of coders that wait; beyond that they are disposed of */
    size_t idle_bytes;     /* private, as is what follows */
    torc_coder *idle[2 * TORC_CODINGS];
};

/** Told of bytes that a coder has made, lent; an error ends the call that made them. */
typedef torc_err torc_coded_fn(void *context, torc_str bytes);

TORC_BEGIN_DECLS

/** As in Content-Encoding: "gzip", "br", "zstd", "deflate". Static. Any thread. */
TORC_API torc_str torc_coding_name(torc_coding coding);
/** The coding of that name, whatever the case; "x-gzip" is "gzip". Any thread. */
TORC_API bool torc_coding_find(torc_str name, torc_coding *coding);
/** Whether the library was built with it. Any thread. */
TORC_API bool torc_coding_can_encode(torc_coding coding);
TORC_API bool torc_coding_can_decode(torc_coding coding);
/** The highest level of a coding that can be encoded; the lowest is 1. Any thread. */
TORC_API int torc_coding_level_max(torc_coding coding);

/** Make an empty pool, which keeps coders of at most 8 MiB. */
TORC_API void torc_coder_pool_init(torc_coder_pool *pool, torc_memory *memory);
/** Dispose of the coders that nobody uses; the pool can still be used. */
TORC_API void torc_coder_pool_trim(torc_coder_pool *pool);
/** The same for good: all coders have come back. */
TORC_API void torc_coder_pool_dispose(torc_coder_pool *pool);

/**
 * Begin to encode. The options are copied and may be NULL. TORC_ERR_UNSUPPORTED for a coding that
 * cannot be encoded, TORC_ERR_INVALID for a level that it has not.
 */
TORC_API torc_err torc_encoder_new(torc_coder_pool *pool, torc_coding coding,
                                   const torc_encoder_options *options,
                                   torc_coder **coder) TORC_MUST_CHECK;
/** Begin to decode. The limits are copied and may be NULL. TORC_ERR_UNSUPPORTED. */
TORC_API torc_err torc_decoder_new(torc_coder_pool *pool, torc_coding coding,
                                   const torc_decoder_limits *limits,
                                   torc_coder **coder) TORC_MUST_CHECK;
/** Let go of a coder, at whatever point of its stream. NULL is fine. */
TORC_API void torc_coder_free(torc_coder *coder);

/**
 * Take what can be taken of the input and fill the room: for who has room of his own, or wants no
 * more than that at once. TORC_OK: all was taken, and what the mode wants has come out.
 * TORC_ERR_AGAIN: the room is full, and the same mode is to be called for again. A decoder's
 * failures: TORC_ERR_SYNTAX (it is not of this coding), TORC_ERR_TRUNCATED (it ended too soon),
 * TORC_ERR_TOO_LARGE (it is longer than the limits allow); nothing was made then. After a failure
 * only torc_coder_free() is left, after the end too; TORC_ERR_STATE otherwise. An input without a
 * byte decodes to none.
 */
TORC_API torc_err torc_coder_step(torc_coder *coder, torc_coder_mode mode,
                                  torc_coder_flow *flow) TORC_MUST_CHECK;
/** The same as often as is needed: take all of the input, and tell `coded` of all that comes out.
 */
TORC_API torc_err torc_coder_run(torc_coder *coder, torc_coder_mode mode, torc_str input,
                                 torc_coded_fn *coded, void *context) TORC_MUST_CHECK;

/** Encode bytes that are all there, and append them to `out`. The buffer's failures, too. */
TORC_API torc_err torc_encode(torc_coder_pool *pool, torc_coding coding, int level, torc_str bytes,
                              torc_buf *out) TORC_MUST_CHECK;
/** Decode likewise, no more than the buffer may hold: TORC_ERR_TOO_LARGE. */
TORC_API torc_err torc_decode(torc_coder_pool *pool, torc_coding coding,
                              const torc_decoder_limits *limits, torc_str bytes,
                              torc_buf *out) TORC_MUST_CHECK;

TORC_END_DECLS

#endif
