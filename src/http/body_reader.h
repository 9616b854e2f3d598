/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_BODY_READER_H
#define TORC_HTTP_BODY_READER_H

#include <torc/body.h>
#include <torc/coding.h>
#include <torc/file.h>
#include <torc/form.h>

#include "base/page.h"
#include "http/request_state.h"

/*
 * Who reads the body of a request: made with the first read, in the request's arena.
 *
 * What was received and not yet read is in pages, at most a window of it. A read for a callback, or
 * of the whole, takes the bytes as they come.
 */
enum {
    TORC_BODY_WINDOW = 64 * 1024
};

/* At the beginning of a page's bytes. */
typedef struct torc_body_piece {
    uint32_t len;
    char bytes[];
} torc_body_piece;

static inline torc_body_piece *torc_body_piece_of(torc_page *page) {
    return (torc_body_piece *)(void *)page->bytes;
}

typedef enum torc_body_mode {
    TORC_BODY_IDLE,
    TORC_BODY_CHUNK, /* a callback is owed the next bytes */
    TORC_BODY_WHOLE  /* everything goes into `whole` */
} torc_body_mode;

/* Decodes the pages of a reader as they are read. */
typedef struct torc_body_decoder {
    torc_coder *coder; /* NULL: the end was read */
    uint32_t taken;    /* bytes of the oldest page */
    bool has_more;     /* to give, without being given anything */
} torc_body_decoder;

typedef struct torc_body_reader {
    torc_request *request;
    torc_holding holding;
    torc_page *first, *last; /* received and not yet read, oldest first */
    torc_page *lent;         /* what the last read gave */
    uint64_t max;            /* bytes of the body */
    uint64_t received;
    size_t wanted;   /* asked of the wire and not yet received */
    size_t buffered; /* in `first` and after it */
    int16_t err;     /* why no more comes */
    uint8_t mode;
    bool is_complete;  /* all was received */
    bool is_collected; /* `whole` is in use */
    torc_list waits;   /* fibers that wait for anything of this to change */
    torc_call telling; /* a callback whose answer is there already */
    torc_body_chunk_fn *chunk_fn;
    torc_body_whole_fn *whole_fn;
    void *context;
    torc_buf whole;
    torc_file *file; /* of a spooled body */
    torc_body body;
    torc_form *form;            /* NULL: it is read in another way */
    torc_body_decoder *decoder; /* NULL: it is read as it came */
} torc_body_reader;

/*
 * The request's reader, made when first needed. TORC_ERR_GONE when the request is over,
 * TORC_ERR_STATE while a callback is still owed something, TORC_ERR_NO_MEMORY.
 */
torc_err torc_body_reader_of(torc_request *request, torc_body_reader **reader) TORC_MUST_CHECK;
/* Ask the wire for more, once enough of the window is free. */
void torc_body_want(torc_body_reader *reader);
/* Collect the whole body in memory from now on, at most `max` bytes; what is there already is
 * moved. */
void torc_body_collect(torc_body_reader *reader, size_t max);
/* No more is taken of the body: reads answer `err`. */
void torc_body_fail(torc_body_reader *reader, torc_err err);
/*
 * The next decoded bytes, at most a page, lent by the reader; empty at the end. TORC_ERR_AGAIN:
 * first more has to be received. A failure is the reader's: TORC_ERR_SYNTAX and TORC_ERR_TRUNCATED
 * of a body that is not of its coding, TORC_ERR_TOO_LARGE, TORC_ERR_NO_MEMORY.
 */
torc_err torc_body_decode(torc_body_reader *reader, torc_str *chunk) TORC_MUST_CHECK;
/* Make the reader of a request whose body is decoded one that does. */
torc_err torc_body_begin_decoding(torc_body_reader *reader) TORC_MUST_CHECK;
/* What is wrong with the whole so far: it is too large, or there was no memory. */
torc_err torc_body_whole_err(const torc_body_reader *reader) TORC_MUST_CHECK;
/* Add to the whole what can be decoded: the errors of both. */
torc_err torc_body_collect_decoded(torc_body_reader *reader) TORC_MUST_CHECK;
void torc_body_drop_lent(torc_body_reader *reader);
/* Take the oldest page out of the buffer; there is one. */
torc_page *torc_body_take_page(torc_body_reader *reader);
/* Whether what is read of the body is in a content coding. */
bool torc_body_is_coded(const torc_request *request);
/*
 * For who reads bodies of known types: TORC_ERR_MEDIA_TYPE for one in a content coding that is not
 * decoded; the response then says in Accept-Encoding that none is taken (RFC 9110 §15.5.16).
 */
torc_err torc_body_check_coding(torc_request *request) TORC_MUST_CHECK;
/* The callback that is owed bytes, if one is, is not called: they are kept for the next read. */
void torc_body_give_up(torc_body_reader *reader);
/*
 * A temporary file for what a peer sends. That the folder (NULL: the usual one) is not there, or
 * not to be written to, is TORC_ERR_SYSTEM: the server's fault, which is no 404 or 403 to a peer.
 */
torc_err torc_body_open_spool(torc_reactor *reactor, const char *spool_folder,
                              torc_file **file) TORC_MUST_CHECK;
/* Wait on the fiber until something has changed. */
torc_err torc_body_wait(torc_body_reader *reader) TORC_MUST_CHECK;

#endif
