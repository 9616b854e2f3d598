/* SPDX-License-Identifier: MIT */
#ifndef TORC_ACCEPT_H
#define TORC_ACCEPT_H

#include <torc/fields.h>

/**
 * What a peer would like to get: the weights in Accept, Accept-Encoding and Accept-Language
 * (RFC 9110 §12.5).
 * Functions on values, for any resource that has a choice. Any thread may call them.
 *
 * A weight is a number of thousandths: 1000 is what is liked best, 0 what is not acceptable. A
 * member that is malformed ("gzip;q=2") is as if it were not there; of several for the same, the
 * first counts. No more than TORC_ACCEPT_MEMBERS_MAX members are looked at, in all fields of a name
 * together. A resource that chooses by one of these fields says so by
 * torc_response_add_vary().
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

/** A place in the lists of all fields of a name. Start with {0}. */
typedef struct torc_accept_place {
    torc_str rest; /* private, as all of it */
    uint32_t field, seen;
} torc_accept_place;

TORC_BEGIN_DECLS

/**
 * The next well-formed member of a list with weights: takes it from `*rest`, with what is malformed
 * before it. False when nothing is left.
 */
TORC_API bool torc_accept_next(torc_str *rest, torc_accept_member *member);
/** The same of all fields with an id, at most TORC_ACCEPT_MEMBERS_MAX: what the functions below are
 * made of, and one for another field would be. */
TORC_API bool torc_accept_fields_next(const torc_fields *fields, torc_field_id id,
                                      torc_accept_place *place, torc_accept_member *member);

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

/**
 * The place of the type to be sent among `count` that there are ("text/html"), the better ones
 * first: what is liked best; of what is liked equally what is named more closely ("text/html"
 * before what only a wildcard lets in), then the first. Without a field the first. -1: none is
 * acceptable; answer 406, or send what there is all the same (RFC 9110 §12.5.1).
 */
TORC_API ptrdiff_t torc_accept_type_choose(const torc_fields *fields, const torc_str *types,
                                           size_t count);

/**
 * How much a language ("de", "de-CH") is liked, by all Accept-Language fields. A range is for the
 * language that it names and its kinds (the basic filtering of RFC 4647 §3.3.1); who wants "de-CH"
 * alone is content with "de" (its lookup, §3.4); then `*` counts. Without a field every one is.
 */
TORC_API int torc_accept_language_weight(const torc_fields *fields, torc_str tag);
/**
 * The place of the language to be used among `count` that there are: what is liked best; of what is
 * liked equally what the peer named first, and most closely; then the first. -1: there is no field,
 * or nothing fits; then send what the site prefers.
 */
TORC_API ptrdiff_t torc_accept_language_choose(const torc_fields *fields, const torc_str *tags,
                                               size_t count);

TORC_END_DECLS

#endif
