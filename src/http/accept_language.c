/* SPDX-License-Identifier: MIT */
/*
 * Which language a peer would like, by Accept-Language and RFC 4647.
 *
 *  - A range stands for the languages that it is the beginning of, by whole subtags ("de" for
 *    "de-CH": §3.3.1), and, where nothing of that kind says otherwise, for those that it begins
 *    with ("de-CH" is content with "de": the lookup of §3.4).
 *  - Nothing is kept or copied: each question walks the list, which is short and bounded.
 */
#include <torc/accept.h>

enum {
    NOT_IN = -1,
    IN_ALL,          /* `*` */
    BEHIND,          /* the range goes further; the more of it there is, the closer */
    INSIDE = 1 << 20 /* the range is the beginning, or the whole, of the tag; longer: closer */
};

/* How much a language is liked: by the range that is closest to it. */
typedef struct liking {
    int weight;
    int closeness;
    uint32_t place; /* of the range in the list: who writes it puts first what he likes */
} liking;

/* Whether `tag` is `beginning`, or goes on behind it with a further subtag. */
static bool begins_with(torc_str tag, torc_str beginning) {
    if (!torc_str_equals_nocase(torc_str_head(tag, beginning.len), beginning)) return false;
    return tag.len == beginning.len || tag.bytes[beginning.len] == '-';
}

static int closeness(torc_str range, torc_str tag) {
    if (tag.len == 0) return NOT_IN;
    if (torc_str_equals(range, TORC_STR("*"))) return IN_ALL;
    if (begins_with(tag, range)) return INSIDE + 2 * (int)range.len + (range.len == tag.len);
    return begins_with(range, tag) ? BEHIND + (int)tag.len : NOT_IN;
}

static liking weigh(const torc_fields *fields, torc_str tag) {
    liking inside = {.closeness = NOT_IN}, behind = inside, all = inside;
    torc_accept_place list = {0};
    torc_accept_member range;

    for (uint32_t place = 0;
         torc_accept_fields_next(fields, TORC_FIELD_ACCEPT_LANGUAGE, &list, &range); place++) {
        const liking found = {range.weight, closeness(range.name, tag), place};
        if (found.closeness >= INSIDE) {
            if (found.closeness > inside.closeness) inside = found;
        } else if (found.closeness >= BEHIND) { /* a refused dialect refuses no language */
            if (found.weight > behind.weight) behind = found;
        } else if (found.closeness > all.closeness) {
            all = found;
        }
    }
    return inside.closeness >= 0 ? inside : behind.closeness >= 0 ? behind : all;
}

int torc_accept_language_weight(const torc_fields *fields, torc_str tag) {
    if (!torc_fields_value_id(fields, TORC_FIELD_ACCEPT_LANGUAGE).bytes) return TORC_WEIGHT_MAX;
    return weigh(fields, tag).weight;
}

static bool is_better(const liking *a, const liking *b) {
    if (a->weight != b->weight) return a->weight > b->weight;
    if (a->place != b->place) return a->place < b->place;
    return a->closeness > b->closeness;
}

ptrdiff_t torc_accept_language_choose(const torc_fields *fields, const torc_str *tags,
                                      size_t count) {
    ptrdiff_t chosen = -1;
    liking best = {0};

    for (size_t i = 0; i < count; i++) {
        const liking found = weigh(fields, tags[i]);
        if (found.weight <= 0 || (chosen >= 0 && !is_better(&found, &best))) continue;
        best = found;
        chosen = (ptrdiff_t)i;
    }
    return chosen;
}
