/* SPDX-License-Identifier: MIT */
#ifndef TORC_ACCEPT_H
#define TORC_ACCEPT_H

#include <torc/fields.h>

/**
 * What a peer would like to get: the weights in Accept and Accept-Encoding (RFC 9110 §12.5).
 * Functions on values, for any resource that has a choice. Any thread may call them.
 *
 * A weight is a number of thousandths: 1000 is what is liked best, 0 what is not acceptable. A
 * member that is malformed ("gzip;q=2") is as if it were not there; of several for the same, the
 * first counts. No more than TORC_ACCEPT_MEMBERS_MAX members are looked at, in all fields of a name
 * together. A resource that chooses by one of these fields says so by Vary.
 */
enum {
    TORC_WEIGHT_MAX = 1000,
    TORC_ACCEPT_MEMBERS_MAX = 64
};

/** A member: what it names ("gzip", "text/html", "de-CH"), its parameters, and how much it is
 * liked.
 */
typedef struct torc_accept_member {
    torc_str name;       /* a token, a media range, or `*` */
    torc_str parameters; /* between the name and the weight: ";level=1"; empty mostly */
    int weight;          /* 1000 when none is given */
} torc_accept_member;

TORC_BEGIN_DECLS

/**
 * The next well-formed member of a list with weights: takes it from `*rest`, with what is malformed
 * before it. False when nothing is left. This is what the functions below are made of, and one for
 * another field (Accept-Language) would be.
 */
TORC_API bool torc_accept_next(torc_str *rest, torc_accept_member *member);

/**
 * How much a content coding is liked ("gzip", "br", "identity", small letters), by all
 * Accept-Encoding fields. Without one every coding is acceptable; an empty one accepts identity
 * alone. Identity is acceptable (1) unless it is refused by its name or by `*`; "x-gzip" is "gzip".
 */
TORC_API int torc_accept_encoding_weight(const torc_fields *fields, torc_str coding);
/**
 * The place of the coding to be used among `count` that there are, the better ones first: what is
 * liked best, and of what is liked equally the first. -1: none of them, but the content as it is.
 * That is so, too, when there is no Accept-Encoding field, since who knows no codings sends none.
 */
TORC_API ptrdiff_t torc_accept_encoding_choose(const torc_fields *fields, const torc_str *codings,
                                               size_t count);

/**
 * How much a media type ("text/html", "text/html; charset=utf-8") is liked, by all Accept fields:
 * the most specific range that it is in decides, and one with parameters is for the types that have
 * them. Without a field everything is (1000).
 */
TORC_API int torc_accept_type_weight(const torc_fields *fields, torc_str type);
/** Whether the type is named by itself, or as any of its kind, and acceptable: not only let in by
 * `*` or by the absence of the field. */
TORC_API bool torc_accept_names_type(const torc_fields *fields, torc_str type);

TORC_END_DECLS

#endif
