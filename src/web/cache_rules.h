/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_CACHE_RULES_H
#define TORC_WEB_CACHE_RULES_H

#include <torc/str.h>

/*
 * Which files get which Cache-Control: a pattern and a value, "*.css=max-age=3600".
 *
 * Functions on values; the texts belong to whoever keeps the rules. Any thread.
 */
typedef struct torc_cache_rule {
    torc_str pattern; /* of a name; or of a path, when it begins with a slash */
    torc_str value;
} torc_cache_rule;

/* Read a rule, whose slices are those of the text. What is wrong with it, or NULL. */
const char *torc_cache_rule_parse(torc_str text, torc_cache_rule *rule);
/* The value of the first rule that matches, for the file of a path beneath the folder, which begins
 * with a slash; `.bytes` NULL: none does. */
torc_str torc_cache_rules_find(const torc_cache_rule *rules, size_t count, torc_str path);
/* Whether a text is one that the pattern describes: `*` is any bytes, `?` is one, others are
 * themselves. */
bool torc_glob_matches(torc_str pattern, torc_str text);

#endif
