/* SPDX-License-Identifier: MIT */
/*
 * Events for syslog: RFC 5424, and the older form that local daemons read.
 *
 *  - What RFC 5424 wants to be printable ASCII without spaces is made so, byte by byte; "-" stands
 *    for what is empty.
 *  - Values are escaped twice: first as for people, so that nothing in them ends a line or deceives
 *    a terminal, then `"`, `\` and `]` (RFC 5424 §6.3.3).
 */
#include <stdio.h>
#include <torc/log_sinks.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/log.h"
#include "base/log_socket.h"
#include "base/log_value.h"
#include "base/options.h"

enum {
    UDP_BYTES = 2048, /* what every receiver should take (RFC 5424 §6.1) */
    NAME_MAX_BYTES = 256
};

typedef struct syslog_sink {
    torc_memory *memory;
    torc_log_socket socket;
    torc_log_syslog_options options;
    size_t message_max;
    char hostname[NAME_MAX_BYTES], app_name[49], sd_id[33];
} syslog_sink;

/* ---- names ---- */

static const char *const facilities[] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7",
};

int torc_log_facility_parse(torc_str name) {
    for (size_t i = 0; i < TORC_COUNT_OF(facilities); i++)
        if (torc_str_equals_nocase(name, torc_str_of(facilities[i]))) return (int)i;
    return -1;
}

/* The severities of syslog: debug 7, info 6, warning 4, error 3, critical 2. */
static int priority_of(const torc_log_record *record, int facility) {
    static const int severities[] = {7, 6, 4, 3, 2, 2};

    return (facility < 0 ? 1 : facility) * 8 + severities[record->level];
}

/* Printable ASCII without spaces, and without `also`; "-" for nothing. */
static void put_word(torc_buf *buf, torc_str word, size_t max, const char *also) {
    const size_t len = word.len < max ? word.len : max;

    if (len == 0) torc_buf_add_byte(buf, '-');
    for (size_t i = 0; i < len; i++) {
        const char byte = word.bytes[i];
        const bool fits = byte > ' ' && byte < 0x7f && !strchr(also, byte);
        torc_buf_add_byte(buf, fits ? byte : '_');
    }
}

/* ---- RFC 5424 ---- */

static void put_param_text(torc_buf *buf, torc_str text) {
    for (size_t i = 0; i < text.len; i++) {
        const char byte = text.bytes[i];
        if (byte == '"' || byte == '\\' || byte == ']') torc_buf_add_byte(buf, '\\');
        torc_buf_add_byte(buf, byte);
    }
}

/* A piece at a time, so that any length needs little room here. */
static void put_param_value(torc_buf *buf, torc_str value) {
    char bytes[256];
    torc_buf piece;

    while (value.len > 0 && !torc_buf_err(buf)) { /* the rest of a large value is not looked at */
        const torc_str some = torc_log_cut(value, 24);
        const torc_str taken = some.len ? some : torc_str_head(value, 1);
        torc_buf_init_fixed(&piece, bytes, sizeof(bytes));
        torc_log_put_escaped(&piece, taken, false);
        put_param_text(buf, torc_buf_str(&piece));
        value = torc_str_from(value, taken.len);
    }
}

static void put_param(torc_buf *buf, const torc_log_field *field, size_t max) {
    char bytes[1024];
    torc_buf room;

    torc_buf_init_fixed(&room, bytes, sizeof(bytes));
    torc_buf_add_byte(buf, ' ');
    put_word(buf, torc_str_of(field->key), 32, "=]\"");
    torc_buf_add(buf, TORC_STR("=\""));
    const bool is_text = field->kind == TORC_LOG_KIND_STR;
    put_param_value(buf, torc_log_plain_value(&room, field, is_text || max < 500 ? max : 500));
    torc_buf_add_byte(buf, '"');
}

static void put_params(torc_buf *buf, const torc_log_record *record,
                       const torc_log_syslog_options *syslog, size_t max) {
    if (record->field_count == 0) {
        torc_buf_add_byte(buf, '-');
        return;
    }
    torc_buf_add_byte(buf, '[');
    put_word(buf, torc_str_of(syslog->sd_id ? syslog->sd_id : "torc@32473"), 32, "=]\"");
    for (size_t i = 0; i < record->field_count; i++) put_param(buf, &record->fields[i], max);
    torc_buf_add_byte(buf, ']');
}

static void format_5424(torc_buf *buf, const torc_log_record *record,
                        const torc_log_syslog_options *syslog, size_t max) {
    torc_buf_add_byte(buf, '<');
    torc_buf_add_uint(buf, (uint64_t)priority_of(record, syslog->facility));
    torc_buf_add(buf, TORC_STR(">1 "));
    torc_log_put_time(buf, record->time_us, record->offset_s, 6);
    torc_buf_add_byte(buf, ' ');
    put_word(buf, torc_str_of(syslog->hostname), 255, "");
    torc_buf_add_byte(buf, ' ');
    put_word(buf, torc_str_of(syslog->app_name), 48, "");
    torc_buf_add_byte(buf, ' ');
    torc_buf_add_uint(buf, (uint64_t)getpid());
    torc_buf_add_byte(buf, ' ');
    put_word(buf, torc_str_of(record->space), 32, "");
    torc_buf_add_byte(buf, ' ');
    put_params(buf, record, syslog, max);
    torc_buf_add_byte(buf, ' ');
    torc_log_put_escaped(buf, torc_log_cut(torc_str_of(record->text), max), false);
}

/* ---- RFC 3164, as local daemons read it: without a host ---- */

static void put_bsd_time(torc_buf *buf, const torc_log_record *record) {
    const int64_t seconds = torc_floor_div(record->time_us, 1000000);
    const torc_civil civil = torc_civil_of(seconds + record->offset_s);

    torc_buf_add(buf, torc_str_make(torc_civil_months + 3 * (civil.month - 1), 3));
    torc_buf_add(buf, civil.day < 10 ? TORC_STR("  ") : TORC_STR(" "));
    torc_buf_add_int(buf, civil.day);
    torc_buf_add_byte(buf, ' ');
    torc_log_put_clock(buf, &civil);
}

static void format_bsd(torc_buf *buf, const torc_log_record *record,
                       const torc_log_syslog_options *syslog, size_t max) {
    torc_buf_add_byte(buf, '<');
    torc_buf_add_uint(buf, (uint64_t)priority_of(record, syslog->facility));
    torc_buf_add_byte(buf, '>');
    put_bsd_time(buf, record);
    torc_buf_add_byte(buf, ' ');
    put_word(buf, torc_str_of(syslog->app_name), 48, "[]:");
    torc_buf_add_byte(buf, '[');
    torc_buf_add_uint(buf, (uint64_t)getpid());
    torc_buf_add(buf, TORC_STR("]: ["));
    torc_log_put_escaped(buf, torc_str_of(record->space), false);
    torc_buf_add(buf, TORC_STR("] "));
    torc_log_put_escaped(buf, torc_log_cut(torc_str_of(record->text), max), false);
    torc_log_put_fields(buf, record, max);
}

void torc_log_format_syslog(torc_buf *buf, const torc_log_record *record,
                            const torc_log_syslog_options *syslog, size_t value_max) {
    if (syslog->form == TORC_LOG_SYSLOG_BSD)
        format_bsd(buf, record, syslog, value_max);
    else
        format_5424(buf, record, syslog, value_max);
}

/* ---- the sink ---- */

static torc_err make_message(const syslog_sink *self, torc_buf *message,
                             const torc_log_record *record) {
    static const size_t value_max[] = {SIZE_MAX, 512, 64, 8};
    torc_log_record bare = *record;

    for (size_t i = 0; i < TORC_COUNT_OF(value_max); i++) {
        torc_buf_clear(message);
        torc_log_format_syslog(message, record, &self->options, value_max[i]);
        if (!torc_buf_err(message)) return TORC_OK;
    }
    bare.field_count = 0;
    torc_buf_clear(message);
    torc_log_format_syslog(message, &bare, &self->options, 512);
    return torc_buf_err(message);
}

static torc_err write_to_syslog(void *context, const torc_log_record *record) {
    syslog_sink *self = context;
    char bytes[TORC_LOG_LINE_BYTES];
    struct iovec part = {.iov_base = bytes};
    const struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, self->message_max);
    const torc_err err = make_message(self, &buf, record);
    if (err) return err;
    part.iov_len = buf.len;
    return torc_log_socket_send(&self->socket, &message);
}

static void dispose(void *context) {
    syslog_sink *self = context;

    torc_log_socket_close(&self->socket);
    torc_dealloc(self->memory, self);
}

/* The options with texts of the sink's own. */
static bool take_options(syslog_sink *self, const torc_log_syslog_options *given) {
    torc_log_syslog_options *options = &self->options;

    options->facility = -1;
    TORC_OPTIONS_READ(options, given);
    if (options->facility < -1 || options->facility >= (int)TORC_COUNT_OF(facilities)) return false;
    if (options->hostname)
        snprintf(self->hostname, sizeof(self->hostname), "%s", options->hostname);
    else if (gethostname(self->hostname, sizeof(self->hostname) - 1))
        self->hostname[0] = '\0';
    snprintf(self->app_name, sizeof(self->app_name), "%s",
             options->app_name ? options->app_name : "torc");
    snprintf(self->sd_id, sizeof(self->sd_id), "%s",
             options->sd_id ? options->sd_id : "torc@32473");
    options->hostname = self->hostname;
    options->app_name = self->app_name;
    options->sd_id = self->sd_id;
    self->message_max = options->addr ? UDP_BYTES : TORC_LOG_LINE_BYTES;
    return true;
}

static torc_err open_sink(syslog_sink *self, const torc_log_syslog_options *given) {
    if (!take_options(self, given)) return TORC_ERR_INVALID;
    const torc_log_syslog_options *options = &self->options;
    const char *path = options->addr ? NULL : options->path ? options->path : "/dev/log";
    const torc_err err = torc_log_socket_open(&self->socket, path, options->addr);
    self->options.addr = NULL; /* it was lent, as the path was */
    self->options.path = NULL;
    return err;
}

torc_err torc_log_add_syslog(torc_log *log, const torc_log_syslog_options *syslog,
                             const torc_log_sink_options *options, torc_log_sink **sink) {
    torc_memory *memory = torc_container_of(log, torc_log_inside, base)->memory;
    const torc_log_sink_options as = torc_log_sink_named(options, "syslog");
    syslog_sink *self = torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->memory = memory;
    self->socket.fd = -1;
    const torc_err err = open_sink(self, syslog);
    if (err) {
        dispose(self);
        return err;
    }
    return torc_log_add_sink(log, write_to_syslog, dispose, self, &as, sink);
}
