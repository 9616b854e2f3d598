/* SPDX-License-Identifier: MIT */
/*
 * Logs: which events are enabled, and handing them to the sinks.
 *
 *  - Whoever logs holds the configuration (log_config.c) from looking at the levels until the last
 *    sink has had the event.
 *  - An event has lost its secrets before any sink, and any filter, sees it.
 */
#include "base/log.h"

#include <time.h>

static torc_log_inside *inside_of(torc_log *log) {
    return torc_container_of(log, torc_log_inside, base);
}

static int64_t system_now_us(void *context) {
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- life ---- */

static torc_err make_config(torc_log_inside *self) {
    torc_log_config *config = torc_log_change(self, 1, 0);

    if (!config) return TORC_ERR_NO_MEMORY;
    torc_log_put_setting(config, TORC_LOG_OWNER_LOG, torc_str_make(NULL, 0), TORC_LOG_LEVEL_INFO);
    torc_log_publish(self, config);
    return TORC_OK;
}

/* A sink over a function that cannot fail. */
typedef struct plain_sink {
    torc_memory *memory;
    torc_log_sink_fn *sink;
    void *context;
} plain_sink;

static torc_err write_plain(void *context, const torc_log_record *record) {
    const plain_sink *self = context;

    self->sink(self->context, record);
    return TORC_OK;
}

static void dispose_plain(void *context) {
    plain_sink *self = context;

    torc_dealloc(self->memory, self);
}

static torc_err add_plain(torc_log *log, torc_log_sink_fn *sink, void *context) {
    torc_memory *memory = inside_of(log)->memory;
    plain_sink *self = torc_alloc(memory, TORC_MEMORY_OTHER, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    *self = (plain_sink){memory, sink, context};
    return torc_log_add_sink(log, write_plain, dispose_plain, self, NULL, NULL);
}

torc_err torc_log_new(torc_memory *memory, torc_log_sink_fn *sink, void *context, torc_log **log) {
    torc_log_inside *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->memory = memory;
    self->now_us = system_now_us;
    pthread_mutex_init(&self->changing, NULL);
    torc_err err = make_config(self);
    if (!err && sink) err = add_plain(&self->base, sink, context);
    if (err) {
        torc_log_free(&self->base);
        return err;
    }
    *log = &self->base;
    return TORC_OK;
}

void torc_log_free(torc_log *log) {
    if (!log) return;

    torc_log_inside *self = inside_of(log);
    const torc_log_config *config = atomic_load(&self->config);
    for (size_t i = 0; config && i < config->sink_count; i++) {
        torc_log_sink *sink = config->sinks[i];
        if (sink->dispose) sink->dispose(sink->context);
        torc_dealloc(self->memory, sink);
    }
    torc_log_configs_free(self);
    pthread_mutex_destroy(&self->changing);
    torc_dealloc(self->memory, self);
}

void torc_log_set_clock(torc_log *log, int64_t (*now_us)(void *context), void *context) {
    torc_log_inside *self = inside_of(log);

    self->now_us = now_us;
    self->clock_context = context;
}

void torc_log_set_local_time(torc_log *log, bool is_local) {
    inside_of(log)->is_local = is_local;
}

/* ---- levels ---- */

torc_err torc_log_set_level(torc_log *log, const char *space, torc_log_level level) {
    torc_log_inside *self = inside_of(log);
    const torc_str name = torc_str_of(space);
    torc_log_config *config = torc_log_change(self, 1, name.len);

    if (!config) return TORC_ERR_NO_MEMORY;
    torc_log_put_setting(config, TORC_LOG_OWNER_LOG, name, level);
    if (config->setting_count > TORC_LOG_SETTINGS_MAX) {
        torc_log_give_up(self, config);
        return TORC_ERR_LIMIT;
    }
    torc_log_publish(self, config);
    return TORC_OK;
}

torc_err torc_log_set_levels(torc_log *log, torc_str text) {
    return torc_log_change_levels(inside_of(log), TORC_LOG_OWNER_LOG, text, false);
}

torc_err torc_log_replace_levels(torc_log *log, torc_str text) {
    return torc_log_change_levels(inside_of(log), TORC_LOG_OWNER_LOG, text, true);
}

torc_err torc_log_sink_set_levels(torc_log_sink *sink, torc_str text) {
    return torc_log_change_levels(sink->log, sink->owner, text, false);
}

bool torc_log_is_enabled(const torc_log *log, const char *space, torc_log_level level) {
    if (!log || (int)level < torc_log_lowest(log) || level >= TORC_LOG_LEVEL_OFF) return false;

    const torc_log_inside *self = torc_container_of(log, const torc_log_inside, base);
    const torc_log_config *config = torc_log_hold(self);
    const torc_str name = torc_str_of(space);
    bool is_enabled = false;
    for (size_t i = 0; i < config->sink_count && !is_enabled; i++)
        is_enabled = torc_log_config_enables(config, i, name, level);
    torc_log_release(self);
    return is_enabled;
}

/* ---- events ---- */

static int32_t offset_of(int64_t time_us) {
    const time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm = {0};

    return localtime_r(&seconds, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

void torc_log_event(torc_log *log, torc_log_level level, const char *space, const char *text,
                    const torc_log_field *fields, size_t count) {
    if (!torc_log_is_enabled(log, space, level)) return;

    torc_log_inside *self = inside_of(log);
    torc_log_record record = {
        .time_us = self->now_us(self->clock_context),
        .level = level,
        .space = space,
        .text = text,
        .fields = fields,
        .field_count = count,
    };
    if (self->is_local) record.offset_s = offset_of(record.time_us);
    const torc_log_config *config = torc_log_hold(self);
    torc_log_deliver(self, config, &record);
    torc_log_release(self);
}

const torc_log_field *torc_log_record_field(const torc_log_record *record, const char *key) {
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].key, key) == 0) return &record->fields[i];
    return NULL;
}

/* ---- names of levels ---- */

static const char *const names[] = {"debug", "info", "warn", "error", "critical", "off"};

const char *torc_log_level_name(torc_log_level level) {
    return (size_t)level < TORC_COUNT_OF(names) ? names[level] : "unknown";
}

torc_err torc_log_level_parse(torc_str name, torc_log_level *level) {
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++) {
        if (!torc_str_equals_nocase(name, torc_str_of(names[i]))) continue;
        *level = (torc_log_level)i;
        return TORC_OK;
    }
    return TORC_ERR_SYNTAX;
}
