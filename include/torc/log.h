/* SPDX-License-Identifier: MIT */
#ifndef TORC_LOG_H
#define TORC_LOG_H

#include <torc/buf.h>

/**
 * Logs: events with a namespace, a level, a text and fields.
 *
 *     TORC_LOG_INFO(log, "http", "a request was answered", TORC_LOG_STR("path", path),
 *                   TORC_LOG_INT("status", 200));
 *
 * The text is constant, what varies is in the fields. Fields are not evaluated when the level is
 * not enabled. A log that is NULL is silent. What comes from outside cannot forge lines or control
 * a terminal: it is quoted and escaped. Credentials are not logged: a text whose key names one
 * (torc_log_is_secret()) is replaced by "[redacted]" before any sink sees it, and so is what stands
 * before the host in a URL.
 *
 * A log hands its events to its sinks, up to TORC_LOG_SINKS_MAX of them: those that are made here,
 * those of <torc/log_sinks.h> (syslog, the journal), the ring of <torc/log_ring.h>, and the
 * program's own. A sink goes by the levels of its own, if it has some, else by those of the log. It
 * never waits: what it cannot take now is lost and counted. That it fails is told to the others,
 * once; that it works again, to all, with the number of events that were lost.
 *
 * Any thread may log, and change levels, at any time, if the sinks allow it (those made here do,
 * but for the buffer's).
 */
typedef enum torc_log_level {
    TORC_LOG_LEVEL_DEBUG,
    TORC_LOG_LEVEL_INFO,
    TORC_LOG_LEVEL_WARN,
    TORC_LOG_LEVEL_ERROR,
    TORC_LOG_LEVEL_CRITICAL,
    TORC_LOG_LEVEL_OFF /* as a setting only */
} torc_log_level;

typedef enum torc_log_kind {
    TORC_LOG_KIND_STR,
    TORC_LOG_KIND_INT,
    TORC_LOG_KIND_UINT,
    TORC_LOG_KIND_DOUBLE,
    TORC_LOG_KIND_BOOL,
    TORC_LOG_KIND_DURATION, /* `int_`: microseconds */
    TORC_LOG_KIND_TIME,     /* `int_`: microseconds since 1970 UTC */
    TORC_LOG_KIND_BYTES,    /* `str`: shown in hexadecimal */
    TORC_LOG_KIND_FAILURE   /* sinks have it as a text, with its causes */
} torc_log_kind;

/** A key, a word of [A-Za-z0-9_.-], and a value, lent for the call. */
typedef struct torc_log_field {
    const char *key;
    torc_log_kind kind;
    union {
        torc_str str;
        int64_t int_;
        uint64_t uint_;
        double double_;
        bool bool_;
        const torc_failure *failure; /* NULL: none */
    } value;
} torc_log_field;

/** An event on its way to the sinks. */
typedef struct torc_log_record {
    int64_t time_us; /* since 1970 UTC */
    torc_log_level level;
    int32_t offset_s;  /* east of UTC, in which the time is to be shown */
    const char *space; /* the namespace */
    const char *text;
    const torc_log_field *fields;
    size_t field_count;
} torc_log_record;

typedef enum torc_log_format {
    TORC_LOG_FORMAT_AUTO, /* text on a terminal, JSON elsewhere */
    TORC_LOG_FORMAT_TEXT,
    TORC_LOG_FORMAT_JSON,
    TORC_LOG_FORMAT_LOGFMT,
    TORC_LOG_FORMAT_JSON_SEQ /* JSON with a record separator before each object, RFC 7464 */
} torc_log_format;

/** Takes an event; everything in it is lent for the call. */
typedef void torc_log_sink_fn(void *context, const torc_log_record *record);
/** The same, and answers whether it could: TORC_ERR_AGAIN when it is full, else why it fails. Must
 * not wait. */
typedef torc_err torc_log_write_fn(void *context, const torc_log_record *record);
/** Whether a sink is to have the event. */
typedef bool torc_log_filter_fn(void *context, const torc_log_record *record);

/** A destination of events, which lives as long as its log. */
typedef struct torc_log_sink torc_log_sink;
typedef struct torc_log_ring torc_log_ring;

enum {
    TORC_LOG_SINKS_MAX = 16
};

/** How a sink is added; zero but for `size` is fine. Texts are copied. */
typedef struct torc_log_sink_options {
    size_t size;                /* sizeof(torc_log_sink_options) */
    const char *name;           /* by which it is told of; NULL: what kind it is */
    const char *levels;         /* its own, "warn,http=debug"; NULL: those of the log */
    torc_log_filter_fn *filter; /* asked after the levels; NULL: all */
    void *filter_context;
    const torc_log_ring *replay; /* what this keeps is told to it first; NULL: nothing */
} torc_log_sink_options;

/** Private, but for its size not being fixed. */
struct torc_log {
    int lowest; /* level that any namespace has enabled; read and written atomically */
};

TORC_BEGIN_DECLS

/** Make a log, at INFO, over a function of the caller's; NULL: without a sink. `memory` is NULL if
 * other threads are to change levels. */
TORC_API torc_err torc_log_new(torc_memory *memory, torc_log_sink_fn *sink, void *context,
                               torc_log **log) TORC_MUST_CHECK;
/** Make a log with one sink, as torc_log_add_fd() adds it. */
TORC_API torc_err torc_log_new_fd(torc_memory *memory, int fd, torc_log_format format,
                                  torc_log **log) TORC_MUST_CHECK;
/** Make a log that appends a line per event to a buffer (AUTO: as text), for tests. */
TORC_API torc_err torc_log_new_buf(torc_memory *memory, torc_buf *buf, torc_log_format format,
                                   torc_log **log) TORC_MUST_CHECK;
/** Free it and its sinks. Nobody may be logging. */
TORC_API void torc_log_free(torc_log *log);

/**
 * Add a sink of the caller's; `dispose`, which may be NULL, is called with `context` when the log
 * is freed, or when this fails. `options` and `sink` may be NULL. TORC_ERR_LIMIT when there are
 * TORC_LOG_SINKS_MAX, TORC_ERR_SYNTAX for levels that are malformed.
 */
TORC_API torc_err torc_log_add_sink(torc_log *log, torc_log_write_fn *write,
                                    void (*dispose)(void *context), void *context,
                                    const torc_log_sink_options *options,
                                    torc_log_sink **sink) TORC_MUST_CHECK;
/**
 * Add a sink that writes a line per event to a descriptor, which stays the caller's. What the
 * descriptor does not take at once is lost. A pipe without a reader raises SIGPIPE where that is
 * not blocked.
 */
TORC_API torc_err torc_log_add_fd(torc_log *log, int fd, torc_log_format format,
                                  const torc_log_sink_options *options,
                                  torc_log_sink **sink) TORC_MUST_CHECK;
/** Events that the sink lost. */
TORC_API uint64_t torc_log_sink_lost(const torc_log_sink *sink);
/** Whether what it was given last is lost. */
TORC_API bool torc_log_sink_is_failing(const torc_log_sink *sink);
/** As torc_log_set_levels(), for the sink alone, which goes by its own levels from then on. */
TORC_API torc_err torc_log_sink_set_levels(torc_log_sink *sink, torc_str text) TORC_MUST_CHECK;

/**
 * Enable `level` and those above it for a namespace and those within it ("http" has "http.parse"),
 * or for all that have no setting of their own when `space` is NULL or empty. Any thread. A log
 * has at most 256 settings: TORC_ERR_LIMIT.
 */
TORC_API torc_err torc_log_set_level(torc_log *log, const char *space,
                                     torc_log_level level) TORC_MUST_CHECK;
/** The same from a text, "info,http=debug,tls=off". On an error, TORC_ERR_SYNTAX mostly, nothing
 * has changed. */
TORC_API torc_err torc_log_set_levels(torc_log *log, torc_str text) TORC_MUST_CHECK;
/** The same, and all settings that are not in the text go: those without one are at INFO. */
TORC_API torc_err torc_log_replace_levels(torc_log *log, torc_str text) TORC_MUST_CHECK;
/** Whether a text is one for torc_log_set_levels(): TORC_OK or TORC_ERR_SYNTAX. */
TORC_API torc_err torc_log_levels_check(torc_str text) TORC_MUST_CHECK;
/** Take the time from a function (of a test) instead of the system's clock. Before others log. */
TORC_API void torc_log_set_clock(torc_log *log, int64_t (*now_us)(void *context), void *context);
/** Show times as local ones with their offset, instead of UTC. Before others log. */
TORC_API void torc_log_set_local_time(torc_log *log, bool is_local);
/** Events that sinks lost, of all sinks, since the log was made. */
TORC_API uint64_t torc_log_dropped(const torc_log *log);
/** Whether an event would reach a sink; see TORC_LOG_IS_ENABLED for the quick form. */
TORC_API bool torc_log_is_enabled(const torc_log *log, const char *space, torc_log_level level);
/** Log an event, if it is enabled. `fields` may be NULL when `count` is 0. */
TORC_API void torc_log_event(torc_log *log, torc_log_level level, const char *space,
                             const char *text, const torc_log_field *fields, size_t count);

/**
 * Whether a key, or a field of a message, names what is never logged: what has "authorization",
 * "cookie", "password", "passwd", "passphrase", "secret", "token", "credential", "apikey",
 * "privatekey" or "sessionid" in it, in any case and with any of `-_.` between.
 */
TORC_API bool torc_log_is_secret(torc_str key);
/** Never log the values of such keys, either. Any thread. */
TORC_API torc_err torc_log_hide(torc_log *log, const char *key) TORC_MUST_CHECK;
/** The field of a key, or NULL. */
TORC_API const torc_log_field *torc_log_record_field(const torc_log_record *record,
                                                     const char *key);

/** "debug", "info", "warn", "error", "critical", "off". */
TORC_API const char *torc_log_level_name(torc_log_level level);
/** The level of a name, whatever its case. TORC_ERR_SYNTAX for others. */
TORC_API torc_err torc_log_level_parse(torc_str name, torc_log_level *level) TORC_MUST_CHECK;

/** Append an event as a line for people, and its line end; for sinks. */
TORC_API void torc_log_format_text(torc_buf *buf, const torc_log_record *record);
/** Append an event as a JSON object, and a line end; for sinks. */
TORC_API void torc_log_format_json(torc_buf *buf, const torc_log_record *record);
/** Append an event as a line of `key=value` pairs; for sinks. */
TORC_API void torc_log_format_logfmt(torc_buf *buf, const torc_log_record *record);

/* The fields' constructors, behind the macros. */
static inline torc_log_field torc_log_field_make(const char *key, torc_log_kind kind) {
    torc_log_field field;
    memset(&field, 0, sizeof field);
    field.key = key;
    field.kind = kind;
    return field;
}

static inline torc_log_field torc_log_field_str(const char *key, torc_str value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_STR);
    field.value.str = value;
    return field;
}

static inline torc_log_field torc_log_field_int(const char *key, int64_t value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_INT);
    field.value.int_ = value;
    return field;
}

static inline torc_log_field torc_log_field_uint(const char *key, uint64_t value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_UINT);
    field.value.uint_ = value;
    return field;
}

static inline torc_log_field torc_log_field_double(const char *key, double value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_DOUBLE);
    field.value.double_ = value;
    return field;
}

static inline torc_log_field torc_log_field_bool(const char *key, bool value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_BOOL);
    field.value.bool_ = value;
    return field;
}

static inline torc_log_field torc_log_field_us(const char *key, torc_log_kind kind, int64_t us) {
    torc_log_field field = torc_log_field_make(key, kind);
    field.value.int_ = us;
    return field;
}

static inline torc_log_field torc_log_field_bytes(const char *key, torc_str value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_BYTES);
    field.value.str = value;
    return field;
}

static inline torc_log_field torc_log_field_failure(const char *key, const torc_failure *value) {
    torc_log_field field = torc_log_field_make(key, TORC_LOG_KIND_FAILURE);
    field.value.failure = value;
    return field;
}

static inline int torc_log_lowest(const torc_log *log) {
    return __atomic_load_n(&log->lowest, __ATOMIC_RELAXED);
}

TORC_END_DECLS

/**
 * Fields: a key and a value. TEXT takes a `char *`, ERR a torc_err, whose name it logs; DURATION
 * microseconds ("1.5ms" for people, seconds as a number in JSON), TIME microseconds since 1970 UTC,
 * BYTES a torc_str that is no text, FAILURE a torc_failure with all that it came from.
 */
#define TORC_LOG_STR(key, value) torc_log_field_str(key, value)
#define TORC_LOG_TEXT(key, value) torc_log_field_str(key, torc_str_of(value))
#define TORC_LOG_INT(key, value) torc_log_field_int(key, value)
#define TORC_LOG_UINT(key, value) torc_log_field_uint(key, value)
#define TORC_LOG_DOUBLE(key, value) torc_log_field_double(key, value)
#define TORC_LOG_BOOL(key, value) torc_log_field_bool(key, value)
#define TORC_LOG_DURATION(key, us) torc_log_field_us(key, TORC_LOG_KIND_DURATION, us)
#define TORC_LOG_TIME(key, us) torc_log_field_us(key, TORC_LOG_KIND_TIME, us)
#define TORC_LOG_BYTES(key, value) torc_log_field_bytes(key, value)
#define TORC_LOG_FAILURE(key, value) torc_log_field_failure(key, value)
#define TORC_LOG_ERR(key, value) torc_log_field_str(key, torc_str_of(torc_err_name(value)))

/** Events below this level are not even compiled: define it before this is included, to 1 for INFO
 * and so on. */
#ifndef TORC_LOG_LEVEL_COMPILED
#define TORC_LOG_LEVEL_COMPILED 0
#endif
/** torc_log_is_enabled(), with the two tests that mostly decide made in place. */
#define TORC_LOG_IS_ENABLED(log, space, level)                                                     \
    ((int)(level) >= TORC_LOG_LEVEL_COMPILED && (log) && torc_log_lowest(log) <= (int)(level) &&   \
     torc_log_is_enabled(log, space, level))

/** Log an event: the log, its namespace, its text, and any number of fields. */
#define TORC_LOG_DEBUG(log, space, ...) TORC_LOG_AT(log, TORC_LOG_LEVEL_DEBUG, space, __VA_ARGS__)
#define TORC_LOG_INFO(log, space, ...) TORC_LOG_AT(log, TORC_LOG_LEVEL_INFO, space, __VA_ARGS__)
#define TORC_LOG_WARN(log, space, ...) TORC_LOG_AT(log, TORC_LOG_LEVEL_WARN, space, __VA_ARGS__)
#define TORC_LOG_ERROR(log, space, ...) TORC_LOG_AT(log, TORC_LOG_LEVEL_ERROR, space, __VA_ARGS__)
#define TORC_LOG_CRITICAL(log, space, ...)                                                         \
    TORC_LOG_AT(log, TORC_LOG_LEVEL_CRITICAL, space, __VA_ARGS__)
#define TORC_LOG_AT(log, level, space, ...)                                                        \
    TORC_LOG_WITH_LAST(log, level, space, __VA_ARGS__, torc_log_field_bool("", false))
/* Private. The last field is there so that there is one always, and is not logged. */
#define TORC_LOG_WITH_LAST(log, level, space, text, ...)                                           \
    do {                                                                                           \
        torc_log *const torc_log_ = (log);                                                         \
        if (TORC_LOG_IS_ENABLED(torc_log_, space, level)) {                                        \
            const torc_log_field torc_fields_[] = {__VA_ARGS__};                                   \
            torc_log_event(torc_log_, level, space, text, torc_fields_,                            \
                           TORC_COUNT_OF(torc_fields_) - 1);                                       \
        }                                                                                          \
    } while (0)

#endif
