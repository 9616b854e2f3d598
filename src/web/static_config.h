/* SPDX-License-Identifier: MIT */
#ifndef TORC_WEB_STATIC_CONFIG_H
#define TORC_WEB_STATIC_CONFIG_H

#include <torc/static_files.h>

#include "web/cache_rules.h"
#include "web/file_cache.h"

/*
 * The options of static files as they are used: checked, copied, and in the form in which a request
 * needs them.
 */
typedef struct torc_static_config {
    struct kept *kept; /* the copies of texts */
    const torc_media_types *media_types;
    torc_str default_type;
    torc_str charset;                        /* empty: none */
    torc_str not_found, fallback;            /* beneath the folder, without a slash before them */
    torc_str indexes[TORC_STATIC_INDEX_MAX]; /* each behind a slash: "/index.html" */
    torc_str ignored[TORC_STATIC_EXTENSIONS_MAX]; /* each behind a dot: ".html" */
    torc_str as_is[TORC_STATIC_EXTENSIONS_MAX];   /* each behind a dot */
    torc_cache_rule *rules;
    torc_file_cache_limits cache;
    torc_fields fields;
    uint32_t index_count, ignored_count, as_is_count, rule_count;
    bool ignores_any; /* extension */
    bool list, dotfiles, has_siblings, extensions_are_codings;
    torc_render_fn *child_not_found, *forbidden;
} torc_static_config;

/* Read options; NULL are the defaults. On failure (out of memory, or a fault in them, which is told
 * in `text`) nothing is held. */
torc_err torc_static_config_init(torc_static_config *config,
                                 const torc_static_files_options *options,
                                 char text[200]) TORC_MUST_CHECK;
void torc_static_config_dispose(torc_static_config *config);

/* Whether a segment of a path can be the name of a file that is served. */
bool torc_static_name_is_served(const torc_static_config *config, torc_str name);

/* Whether a file of this name is a whole response. */
bool torc_static_is_as_is(const torc_static_config *config, torc_str name);

/* What a file of a name is: its type, and the coding that its name tells. */
typedef struct torc_static_type {
    torc_str type;
    torc_str coding; /* empty: none */
} torc_static_type;
torc_static_type torc_static_type_of(const torc_static_config *config, torc_str name);

#endif
