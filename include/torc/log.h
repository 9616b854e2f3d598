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
 * a terminal: it is quoted and escaped.
 *
 * Any thread may log, if the sink allows it (those made here do, but for the buffer's). Changing
 * levels is for the one thread that made the log, before others log.
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
    TORC_LOG_KIND_BOOL
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
    } value;
} torc_log_field;

/** An event on its way to the sink. */
typedef struct torc_log_record {
    int64_t time_us; /* since 1970 UTC */
    torc_log_level level;
    const char *space; /* the namespace */
    const char *text;
    const torc_log_field *fields;
    size_t field_count;
} torc_log_record;

typedef enum torc_log_format {
    TORC_LOG_FORMAT_AUTO, /* text on a terminal, JSON elsewhere */
    TORC_LOG_FORMAT_TEXT,
    TORC_LOG_FORMAT_JSON
} torc_log_format;

/** Takes an event; everything in it is lent for the call. */
typedef void torc_log_sink_fn(void *context, const torc_log_record *record);

/** Private, but for its size not being fixed. */
struct torc_log {
    torc_log_level lowest; /* that any namespace has enabled */
};

TORC_BEGIN_DECLS

/** Make a log, at INFO, over a function of the caller's. */
TORC_API torc_err torc_log_new(torc_memory *memory, torc_log_sink_fn *sink, void *context,
                               torc_log **log) TORC_MUST_CHECK;
/**
 * Make a log that writes a line per event to a descriptor, which stays the caller's. Lines that the
 * descriptor does not take at once are dropped and counted. A pipe without a reader raises SIGPIPE
 * where that is not blocked.
 */
TORC_API torc_err torc_log_new_fd(torc_memory *memory, int fd, torc_log_format format,
                                  torc_log **log) TORC_MUST_CHECK;
/** Make a log that appends a line per event to a buffer (AUTO: as text), for tests. */
TORC_API torc_err torc_log_new_buf(torc_memory *memory, torc_buf *buf, torc_log_format format,
                                   torc_log **log) TORC_MUST_CHECK;
TORC_API void torc_log_free(torc_log *log);
/**
 * Enable `level` and those above it for a namespace and those within it ("http" has "http.parse"),
 * or for all that have no setting of their own when `space` is NULL or empty.
 */
TORC_API torc_err torc_log_set_level(torc_log *log, const char *space,
                                     torc_log_level level) TORC_MUST_CHECK;
/** The same from a text, "info,http=debug,tls=off". TORC_ERR_SYNTAX, with nothing changed. */
TORC_API torc_err torc_log_set_levels(torc_log *log, torc_str text) TORC_MUST_CHECK;
/** Take the time from a function (of a test) instead of the system's clock. */
TORC_API void torc_log_set_clock(torc_log *log, int64_t (*now_us)(void *context), void *context);
/** Lines that a descriptor did not take, since the log was made. Any thread. */
TORC_API uint64_t torc_log_dropped(const torc_log *log);
/** Whether an event would reach the sink; see TORC_LOG_IS_ENABLED for the quick form. */
TORC_API bool torc_log_is_enabled(const torc_log *log, const char *space, torc_log_level level);
/** Log an event, if it is enabled. `fields` may be NULL when `count` is 0. */
TORC_API void torc_log_event(torc_log *log, torc_log_level level, const char *space,
                             const char *text, const torc_log_field *fields, size_t count);

/** "debug", "info", "warn", "error", "critical", "off". */
TORC_API const char *torc_log_level_name(torc_log_level level);
/** The level of a name, whatever its case. TORC_ERR_SYNTAX for others. */
TORC_API torc_err torc_log_level_parse(torc_str name, torc_log_level *level) TORC_MUST_CHECK;

/** Append an event as a line for people, and its line end; for sinks. */
TORC_API void torc_log_format_text(torc_buf *buf, const torc_log_record *record);
/** Append an event as a JSON object, and a line end; for sinks. */
TORC_API void torc_log_format_json(torc_buf *buf, const torc_log_record *record);

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

TORC_END_DECLS

/** Fields: a key and a value. TEXT takes a `char *`, ERR a torc_err, whose name it logs. */
#define TORC_LOG_STR(key, value) torc_log_field_str(key, value)
#define TORC_LOG_TEXT(key, value) torc_log_field_str(key, torc_str_of(value))
#define TORC_LOG_INT(key, value) torc_log_field_int(key, value)
#define TORC_LOG_UINT(key, value) torc_log_field_uint(key, value)
#define TORC_LOG_DOUBLE(key, value) torc_log_field_double(key, value)
#define TORC_LOG_BOOL(key, value) torc_log_field_bool(key, value)
#define TORC_LOG_ERR(key, value) torc_log_field_str(key, torc_str_of(torc_err_name(value)))

/** torc_log_is_enabled(), with the two tests that mostly decide made in place. */
#define TORC_LOG_IS_ENABLED(log, space, level)                                                     \
    ((log) && (log)->lowest <= (level) && torc_log_is_enabled(log, space, level))

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
