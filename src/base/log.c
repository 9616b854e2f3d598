/* SPDX-License-Identifier: MIT */
/*
 * Logs: which events are enabled, and handing them to the sink.
 *
 *  - `base.lowest` is the lowest of all levels set, so that what is below it needs no search.
 *  - Of several settings that match a namespace, the longest counts.
 *  - Nothing here changes while an event is logged, so any thread may log.
 */
#include <time.h>

#include "base/log.h"

static torc_log_inside *inside_of(torc_log *log) {
    return torc_container_of(log, torc_log_inside, base);
}

static int64_t system_now_us(void *context) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

torc_err torc_log_new(torc_memory *memory, torc_log_sink_fn *sink, void *context, torc_log **log) {
    torc_log_inside *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof *self);

    if (!self) return TORC_ERR_NO_MEMORY;
    self->memory = memory;
    self->sink = sink;
    self->context = context;
    self->now_us = system_now_us;
    self->level = self->base.lowest = TORC_LOG_LEVEL_INFO;
    *log = &self->base;
    return TORC_OK;
}

void torc_log_free(torc_log *log) {
    if (!log) return;

    torc_log_inside *self = inside_of(log);
    for (size_t i = 0; i < self->setting_count; i++) {
        torc_dealloc(self->memory, self->settings[i].space);
    }
    torc_dealloc(self->memory, self->settings);
    torc_dealloc(self->memory, self);
}

void torc_log_set_clock(torc_log *log, int64_t (*now_us)(void *context), void *context) {
    torc_log_inside *self = inside_of(log);

    self->now_us = now_us;
    self->clock_context = context;
}

static void find_lowest(torc_log_inside *self) {
    torc_log_level lowest = self->level;

    for (size_t i = 0; i < self->setting_count; i++) {
        if (self->settings[i].level < lowest) lowest = self->settings[i].level;
    }
    self->base.lowest = lowest;
}

static torc_log_setting *find_setting(torc_log_inside *self, torc_str space) {
    for (size_t i = 0; i < self->setting_count; i++) {
        torc_log_setting *setting = &self->settings[i];
        if (torc_str_equals(torc_str_make(setting->space, setting->len), space)) return setting;
    }
    return NULL;
}

static torc_err add_setting(torc_log_inside *self, torc_str space, torc_log_level level) {
    const size_t size = (self->setting_count + 1) * sizeof(torc_log_setting);
    torc_log_setting *settings = self->settings ? torc_realloc(self->memory, self->settings, size)
                                                : torc_alloc(self->memory, TORC_MEMORY_OTHER, size);

    if (!settings) return TORC_ERR_NO_MEMORY;
    self->settings = settings;

    char *copy = torc_alloc(self->memory, TORC_MEMORY_OTHER, space.len);
    if (!copy) return TORC_ERR_NO_MEMORY;
    memcpy(copy, space.bytes, space.len);
    settings[self->setting_count++] = (torc_log_setting){copy, space.len, level};
    return TORC_OK;
}

static torc_err set_level(torc_log_inside *self, torc_str space, torc_log_level level) {
    torc_log_setting *setting = find_setting(self, space);
    torc_err err = TORC_OK;

    if (space.len == 0) {
        self->level = level;
    } else if (setting) {
        setting->level = level;
    } else {
        err = add_setting(self, space, level);
    }
    find_lowest(self);
    return err;
}

torc_err torc_log_set_level(torc_log *log, const char *space, torc_log_level level) {
    return set_level(inside_of(log), torc_str_of(space), level);
}

/* "debug" or "http=debug". */
static torc_err parse_setting(torc_str part, torc_str *space, torc_log_level *level) {
    const ptrdiff_t equals = torc_str_find_byte(part, '=');

    *space = torc_str_make(NULL, 0);
    if (equals == 0) return TORC_ERR_SYNTAX;
    if (equals > 0) {
        *space = torc_str_trim(torc_str_head(part, (size_t)equals));
        part = torc_str_from(part, (size_t)equals + 1);
        if (space->len == 0) return TORC_ERR_SYNTAX;
    }
    return torc_log_level_parse(torc_str_trim(part), level);
}

torc_err torc_log_set_levels(torc_log *log, torc_str text) {
    torc_str rest = text, part, space;
    torc_log_level level;
    torc_err err = TORC_OK;

    while (torc_str_split(&rest, ',', &part)) {
        if (parse_setting(part, &space, &level)) return TORC_ERR_SYNTAX;
    }
    for (rest = text; !err && torc_str_split(&rest, ',', &part);) {
        err = parse_setting(part, &space, &level);
        if (!err) err = set_level(inside_of(log), space, level);
    }
    return err;
}

/* Whether `setting` is `space` or one that it is within. */
static bool covers(const torc_log_setting *setting, torc_str space) {
    return torc_str_starts_with(space, torc_str_make(setting->space, setting->len)) &&
           (space.len == setting->len || space.bytes[setting->len] == '.');
}

static torc_log_level level_of(const torc_log_inside *self, torc_str space) {
    torc_log_level level = self->level;
    size_t longest = 0;

    for (size_t i = 0; i < self->setting_count; i++) {
        const torc_log_setting *setting = &self->settings[i];
        if (setting->len <= longest || !covers(setting, space)) continue;
        longest = setting->len;
        level = setting->level;
    }
    return level;
}

bool torc_log_is_enabled(const torc_log *log, const char *space, torc_log_level level) {
    if (!log || level < log->lowest || level >= TORC_LOG_LEVEL_OFF) return false;

    const torc_log_inside *self = torc_container_of(log, const torc_log_inside, base);
    return level >= level_of(self, torc_str_of(space));
}

void torc_log_event(torc_log *log, torc_log_level level, const char *space, const char *text,
                    const torc_log_field *fields, size_t count) {
    if (!torc_log_is_enabled(log, space, level)) return;

    torc_log_inside *self = inside_of(log);
    const torc_log_record record = {
        .time_us = self->now_us(self->clock_context),
        .level = level,
        .space = space,
        .text = text,
        .fields = fields,
        .field_count = count,
    };
    self->sink(self->context, &record);
}

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
