/* SPDX-License-Identifier: MIT */
#ifndef TORC_HTTP_FORM_STATE_H
#define TORC_HTTP_FORM_STATE_H

#include "http/form_parse.h"
#include "http/request_state.h"

/*
 * A form that is being read: a parser over the body of a request, in its arena.
 */
typedef struct torc_form_whole torc_form_whole;

typedef enum torc_form_wish {
    TORC_FORM_NOTHING,
    TORC_FORM_NEXT, /* a callback is owed the next part */
    TORC_FORM_CHUNK /* or bytes of this one */
} torc_form_wish;

struct torc_form {
    torc_request *request;
    torc_holding holding;
    const char *folder; /* of temporary files */
    torc_str rest;      /* of what was read last: not parsed yet */
    bool is_multipart;
    bool is_last; /* `rest` is the last of the body */
    bool is_in_part;
    bool has_ended;
    int16_t err; /* what is wrong with it, for good */
    const char *problem;
    uint32_t part_count, file_count;
    uint64_t part_bytes; /* of this part, so far */
    /* For callbacks. */
    uint8_t wish;
    bool is_pumping; /* wishes are granted on the stack */
    torc_form_part_fn *part_fn;
    torc_form_chunk_fn *chunk_fn;
    void *context;
    torc_call telling;      /* a wish that needs no bytes */
    torc_buf kept;          /* `rest`, when its bytes went away */
    torc_form_whole *whole; /* NULL: it is read part by part */
    union {
        torc_form_parser parser; /* what both begin with */
        torc_urlencoded urlencoded;
        torc_multipart multipart;
    } by;
};

/* The folder for temporary files and the form of a request: NULL before it is opened. */
torc_form *torc_form_of(const torc_request *request);
/* The callback that is owed something is not called: what comes is kept for who asks next. */
void torc_form_give_up(torc_form *form);
/* On a fiber: the part that was told last, as far as it is still to come, is written to the file.
 */
typedef struct torc_file_batch torc_file_batch;
torc_err torc_form_pour(torc_form *form, torc_file_batch *batch, uint64_t *len) TORC_MUST_CHECK;

#endif
