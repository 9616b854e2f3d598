/* SPDX-License-Identifier: MIT */
#ifndef TORC_REPRESENTATION_H
#define TORC_REPRESENTATION_H

#include <torc/conditional.h>
#include <torc/reply.h>

/**
 * Representations: what a resource is at present, sent as far as the peer wants it.
 *
 * Any resource whose content has a version can answer as a file does: by 304 to a peer that has
 * this version, by 412 to one that wants another, by 206 to one that asks for ranges, by 416 when
 * there is nothing in them, else by 200 with the whole (RFC 9110 §13, §14). The content itself is
 * written by a function, a range at a time.
 */
typedef struct torc_representation torc_representation;
struct torc_representation {
    torc_validators validators;
    torc_str content_type;     /* empty: none */
    torc_str content_encoding; /* a coding that the bytes are in ("gzip"); empty: none */
    uint64_t size;
    /**
     * Write `len` bytes from `first` on with torc_request_write() and its like. It is called in
     * order, once for each range that is sent: never for HEAD when there is but one, and never
     * after it has failed, which aborts the response.
     */
    torc_err (*write)(const torc_representation *self, torc_request *request, uint64_t first,
                      uint64_t len);
};

TORC_BEGIN_DECLS

/**
 * Set ETag and Last-Modified, as far as they are known, and see what the request's conditions make
 * of them. For a resource without ranges: unless it is TORC_CONDITION_PROCEED, answer with
 * torc_reply_condition().
 */
TORC_API torc_condition torc_request_check(torc_request *request,
                                           const torc_validators *validators);
/** Reply with the 304 or 412 of a condition that does not let the request proceed. */
TORC_API torc_render torc_reply_condition(torc_request *request, torc_condition condition);
/**
 * Reply with a representation, as far as the request's conditions and its ranges want it. The
 * representation is used during the call only. Several ranges become multipart/byteranges of a
 * length that is announced.
 */
TORC_API torc_render torc_reply_representation(torc_request *request,
                                               const torc_representation *representation);
/** The same of bytes, which are copied. `content_type` may be NULL: none. */
TORC_API torc_render torc_reply_version(torc_request *request, const torc_validators *validators,
                                        const char *content_type, torc_str bytes);

TORC_END_DECLS

#endif
