/* SPDX-License-Identifier: MIT */
#ifndef TORC_BASE_LOG_H
#define TORC_BASE_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <torc/log.h>

/*
 * The inside of a log, for its own sources.
 */

enum {
    TORC_LOG_SETTINGS_MAX = 256,
    TORC_LOG_LINE_BYTES = 4096, /* of a line that is made on the stack, which a fiber's can bear */
    TORC_LOG_REDACTED_MAX = 64, /* fields of an event that has secrets */
    TORC_LOG_OWNER_LOG = 0,     /* of settings; the n-th sink is n, from 1 */
    TORC_LOG_OWNER_HIDDEN = 0xffff /* settings that are keys whose values are secrets */
};

/* The level of one namespace, or of all others when it is empty. */
typedef struct torc_log_setting {
    torc_str space;
    torc_log_level level;
    unsigned owner;
} torc_log_setting;

struct torc_log_sink {
    struct torc_log_inside *log;
    unsigned owner;
    torc_log_write_fn *write;
    void (*dispose)(void *context);
    void *context;
    torc_log_filter_fn *filter;
    void *filter_context;
    atomic_bool is_failing;
    atomic_int_fast64_t failing_since_us;
    atomic_uint_fast64_t lost, lost_before; /* `lost_before`: it began to fail */
    char name[48];
};

/*
 * What a log goes by: never changed once it is published, but replaced as a whole. The texts of the
 * settings stand behind them.
 */
typedef struct torc_log_config {
    struct torc_log_config *next; /* among those that were replaced */
    torc_log_sink *sinks[TORC_LOG_SINKS_MAX];
    bool has_own[TORC_LOG_SINKS_MAX]; /* the sink goes by its own levels */
    size_t sink_count, hidden_count;
    size_t setting_count, setting_room, text_room;
    char *free_text;
    torc_log_setting settings[];
} torc_log_config;

typedef struct torc_log_inside {
    torc_log base;
    torc_memory *memory;
    int64_t (*now_us)(void *context);
    void *clock_context;
    bool is_local;
    pthread_mutex_t changing;
    _Atomic(torc_log_config *) config;
    atomic_uint readers;       /* that may hold a configuration */
    torc_log_config *replaced; /* and not freed yet, since there were readers */
} torc_log_inside;

/* ---- log_config.c ---- */

/* Hold the configuration, until torc_log_release(). */
const torc_log_config *torc_log_hold(const torc_log_inside *self);
void torc_log_release(const torc_log_inside *self);
/*
 * Begin a change: a copy of what there is, with room for so many more settings and bytes of their
 * texts; NULL: no memory. Ends by torc_log_publish() or torc_log_give_up(), in the same thread.
 */
torc_log_config *torc_log_change(torc_log_inside *self, size_t settings, size_t bytes);
void torc_log_publish(torc_log_inside *self, torc_log_config *config);
void torc_log_give_up(torc_log_inside *self, torc_log_config *config);
/* Within the room that was asked for. */
void torc_log_put_setting(torc_log_config *config, unsigned owner, torc_str space,
                          torc_log_level level);
/* Forget the settings of an owner. */
void torc_log_drop_settings(torc_log_config *config, unsigned owner);
/* Whether events of this level and namespace are for the n-th sink. */
bool torc_log_config_enables(const torc_log_config *config, size_t sink, torc_str space,
                             torc_log_level level);
/* How many settings a text has. */
torc_err torc_log_count_settings(torc_str text, size_t *count) TORC_MUST_CHECK;
/* Put those of a text that is fine, and one of all others; there is room for as many and one. A
 * sink then goes by them. */
void torc_log_put_levels(torc_log_config *config, unsigned owner, torc_str text);
/* Change the levels of an owner by a text; `replaces`: those that are not in it go. */
torc_err torc_log_change_levels(torc_log_inside *self, unsigned owner, torc_str text,
                                bool replaces) TORC_MUST_CHECK;
/* Free all configurations. */
void torc_log_configs_free(torc_log_inside *self);

/* ---- log_deliver.c ---- */

void torc_log_deliver(torc_log_inside *self, const torc_log_config *config,
                      const torc_log_record *record);

/* ---- log_sink.c ---- */

/* The options, with a name where there is none. */
torc_log_sink_options torc_log_sink_named(const torc_log_sink_options *given, const char *name);

/* ---- log_secret.c ---- */

/* Room for what an event looks like without its secrets, and with failures as texts. */
typedef struct torc_log_redaction {
    torc_log_record record;
    torc_log_field fields[TORC_LOG_REDACTED_MAX];
    char text[2048]; /* URLs without credentials, and failures */
    size_t text_len;
} torc_log_redaction;

/* Find a URL's user and password in a text, from `from` on: from behind `://` to before the `@`.
 * False: there is none. */
bool torc_log_find_userinfo(torc_str text, size_t from, size_t *start, size_t *end);
/* Whether anything of it is not to be logged. */
bool torc_log_has_secrets(const torc_log_config *config, const torc_log_record *record);
/* The event without its secrets: itself, if it has none. */
const torc_log_record *torc_log_redact(const torc_log_config *config, const torc_log_record *record,
                                       torc_log_redaction *redaction);

/* ---- log_format.c ---- */

/* Append an event as a line, with at most `value_max` bytes of its text and of each value. Safe in
 * handlers of signals as text and as logfmt. */
void torc_log_format_short(torc_buf *buf, const torc_log_record *record, torc_log_format format,
                           size_t value_max);
/* Make a whole line, with values as long as fit into `line`. */
torc_err torc_log_make_line(torc_buf *line, const torc_log_record *record,
                            torc_log_format format) TORC_MUST_CHECK;

#endif
