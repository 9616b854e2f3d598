/* SPDX-License-Identifier: MIT */
/*
 * What a log goes by: its sinks, and the levels of namespaces.
 *
 *  - A configuration is never changed once others can see it: a change makes a copy, and publishes
 *    that. Changes are made one after the other, under `changing`.
 *  - Who reads counts itself first (`readers`) and then takes the pointer; who publishes changes
 *    the pointer first and then looks at the count. So when that is 0 nobody has an older one.
 *    Nobody waits: what cannot be freed now is freed by a later change, or with the log.
 *  - `base.lowest` is the lowest level that any sink may have, so that what is below it needs no
 *    search. It is only a hint: an event that comes while it changes may go by the old one.
 *  - Of several settings that match a namespace, the longest counts. The first of an owner is that
 *    of all others, and has no text.
 */
#include "base/log.h"

const torc_log_config *torc_log_hold(const torc_log_inside *self) {
    torc_log_inside *counted = (torc_log_inside *)(uintptr_t)self;

    atomic_fetch_add(&counted->readers, 1);
    return atomic_load(&counted->config);
}

void torc_log_release(const torc_log_inside *self) {
    torc_log_inside *counted = (torc_log_inside *)(uintptr_t)self;

    atomic_fetch_sub(&counted->readers, 1);
}

/* ---- settings ---- */

static torc_log_setting *find_setting(torc_log_config *config, unsigned owner, torc_str space) {
    for (size_t i = 0; i < config->setting_count; i++) {
        torc_log_setting *setting = &config->settings[i];
        if (setting->owner == owner && torc_str_equals(setting->space, space)) return setting;
    }
    return NULL;
}

void torc_log_put_setting(torc_log_config *config, unsigned owner, torc_str space,
                          torc_log_level level) {
    torc_log_setting *setting = find_setting(config, owner, space);

    if (!setting) {
        setting = &config->settings[config->setting_count++];
        *setting = (torc_log_setting){torc_str_make(config->free_text, space.len), level, owner};
        if (space.len) memcpy(config->free_text, space.bytes, space.len);
        config->free_text += space.len;
        config->hidden_count += owner == TORC_LOG_OWNER_HIDDEN;
    }
    setting->level = level;
}

void torc_log_drop_settings(torc_log_config *config, unsigned owner) {
    size_t kept = 0;

    for (size_t i = 0; i < config->setting_count; i++)
        if (config->settings[i].owner != owner) config->settings[kept++] = config->settings[i];
    config->setting_count = kept;
}

/* Whether `setting` is `space` or one that it is within. */
static bool covers(const torc_log_setting *setting, torc_str space) {
    const size_t len = setting->space.len;

    return torc_str_starts_with(space, setting->space) &&
           (len == 0 || space.len == len || space.bytes[len] == '.');
}

static torc_log_level level_of(const torc_log_config *config, unsigned owner, torc_str space) {
    const torc_log_setting *found = NULL;

    for (size_t i = 0; i < config->setting_count; i++) {
        const torc_log_setting *setting = &config->settings[i];
        if (setting->owner != owner || !covers(setting, space)) continue;
        if (!found || setting->space.len >= found->space.len) found = setting;
    }
    return found ? found->level : TORC_LOG_LEVEL_INFO;
}

bool torc_log_config_enables(const torc_log_config *config, size_t sink, torc_str space,
                             torc_log_level level) {
    const unsigned owner = config->has_own[sink] ? (unsigned)sink + 1 : TORC_LOG_OWNER_LOG;

    return level >= level_of(config, owner, space);
}

/* ---- changes ---- */

static torc_log_config *copy_of(torc_log_inside *self, const torc_log_config *old, size_t settings,
                                size_t bytes) {
    const size_t old_count = old ? old->setting_count : 0;
    size_t text_room = bytes;

    for (size_t i = 0; i < old_count; i++) text_room += old->settings[i].space.len;
    const size_t head = sizeof(*old) + (old_count + settings) * sizeof(torc_log_setting);
    torc_log_config *made =
        torc_alloc_zero(self->memory, TORC_MEMORY_OTHER, 1, head + text_room + 1);
    if (!made) return NULL;
    made->free_text = (char *)made + head;
    if (!old) return made;
    memcpy(made->sinks, old->sinks, sizeof(made->sinks));
    memcpy(made->has_own, old->has_own, sizeof(made->has_own));
    made->sink_count = old->sink_count;
    for (size_t i = 0; i < old_count; i++)
        torc_log_put_setting(made, old->settings[i].owner, old->settings[i].space,
                             old->settings[i].level);
    return made;
}

torc_log_config *torc_log_change(torc_log_inside *self, size_t settings, size_t bytes) {
    pthread_mutex_lock(&self->changing);
    torc_log_config *made = copy_of(self, atomic_load(&self->config), settings, bytes);
    if (!made) pthread_mutex_unlock(&self->changing);
    return made;
}

void torc_log_give_up(torc_log_inside *self, torc_log_config *config) {
    torc_dealloc(self->memory, config);
    pthread_mutex_unlock(&self->changing);
}

/* What no sink goes by enables nothing. */
static torc_log_level lowest_of(const torc_log_config *config) {
    torc_log_level lowest = TORC_LOG_LEVEL_OFF;

    for (size_t i = 0; i < config->setting_count; i++) {
        const torc_log_setting *setting = &config->settings[i];
        bool is_used = false;
        for (size_t sink = 0; sink < config->sink_count; sink++)
            is_used |= setting->owner == (config->has_own[sink] ? sink + 1 : TORC_LOG_OWNER_LOG);
        if (is_used && setting->level < lowest) lowest = setting->level;
    }
    return lowest;
}

static void free_list(torc_log_inside *self) {
    torc_log_config *next;

    for (torc_log_config *config = self->replaced; config; config = next) {
        next = config->next;
        torc_dealloc(self->memory, config);
    }
    self->replaced = NULL;
}

void torc_log_publish(torc_log_inside *self, torc_log_config *config) {
    __atomic_store_n(&self->base.lowest, (int)lowest_of(config), __ATOMIC_RELAXED);
    torc_log_config *old = atomic_exchange(&self->config, config);
    if (old) {
        old->next = self->replaced;
        self->replaced = old;
    }
    if (atomic_load(&self->readers) == 0) free_list(self);
    pthread_mutex_unlock(&self->changing);
}

void torc_log_configs_free(torc_log_inside *self) {
    free_list(self);
    torc_dealloc(self->memory, atomic_load(&self->config));
}

/* ---- levels from a text ---- */

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

torc_err torc_log_count_settings(torc_str text, size_t *count) {
    torc_str part, space;
    torc_log_level level;

    *count = 0;
    while (torc_str_split(&text, ',', &part)) {
        if (parse_setting(part, &space, &level)) return TORC_ERR_SYNTAX;
        ++*count;
    }
    return TORC_OK;
}

torc_err torc_log_levels_check(torc_str text) {
    size_t count;
    const torc_err err = torc_log_count_settings(text, &count);

    return !err && count > TORC_LOG_SETTINGS_MAX / 2 ? TORC_ERR_SYNTAX : err;
}

void torc_log_put_levels(torc_log_config *config, unsigned owner, torc_str text) {
    torc_str part, space;
    torc_log_level level;

    if (!find_setting(config, owner, torc_str_make(NULL, 0)))
        torc_log_put_setting(config, owner, torc_str_make(NULL, 0), TORC_LOG_LEVEL_INFO);
    while (torc_str_split(&text, ',', &part))
        if (!parse_setting(part, &space, &level)) torc_log_put_setting(config, owner, space, level);
    if (owner != TORC_LOG_OWNER_LOG) config->has_own[owner - 1] = true;
}

torc_err torc_log_change_levels(torc_log_inside *self, unsigned owner, torc_str text,
                                bool replaces) {
    size_t count;
    const torc_err err = torc_log_count_settings(text, &count);

    if (err) return err;
    torc_log_config *config = torc_log_change(self, count + 1, text.len);
    if (!config) return TORC_ERR_NO_MEMORY;
    if (replaces) torc_log_drop_settings(config, owner);
    torc_log_put_levels(config, owner, text);
    if (config->setting_count > TORC_LOG_SETTINGS_MAX) {
        torc_log_give_up(self, config);
        return TORC_ERR_LIMIT;
    }
    torc_log_publish(self, config);
    return TORC_OK;
}
