/* SPDX-License-Identifier: MIT */
/*
 * Access logs: lines by the steps of a format, straight into the buffer of a writer.
 *
 *  - Nothing is allocated for a line, and no step writes more than its budget.
 *  - Whatever a value is, what is written of it is printable and ends neither the line nor the
 *    quotes around it (see put_escaped()).
 *  - Times and the last address are kept as texts: most lines have the same.
 */
#include "web/access_format.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <torc/reply.h>
#include <torc/request_id.h>
#include <torc/utf8.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/civil.h"
#include "base/log.h"
#include "base/log_value.h"
#include "http/request.h"
#include "reactor/reactor.h"

enum {
    CLF_LEN = 28, /* [24/Nov/2026:19:33:51 +0000] */
    ISO_LEN = 27, /* 2026-11-24T19:33:51.123456Z */
    NUMBER_MAX = 20
};

struct torc_access_log {
    torc_observer observer;
    torc_log_writer *writer;
    torc_access_format *format;
    uint64_t process;
    int64_t clf_second, iso_second; /* of which the texts are */
    char clf[64], iso[64];          /* longer than they are, as the compiler wants it */
    torc_addr addr;
    torc_str addr_text; /* in `addr_bytes` */
    char addr_bytes[TORC_ADDR_TEXT_MAX];
};

/* A line that is being written: of a request, or of one that was refused. */
typedef struct line {
    torc_access_log *log;
    torc_request *request; /* NULL: refused */
    const torc_outcome *outcome;
    const torc_refusal *refusal;
    torc_access_style style;
    char *at, *end; /* `end`: of what the present step may write */
} line;

static const torc_str nothing;

/* ---- texts ---- */

static void put(line *self, torc_str text) {
    memcpy(self->at, text.bytes, text.len);
    self->at += text.len;
}

static void put_uint(line *self, uint64_t number) {
    char digits[NUMBER_MAX], *at = digits + NUMBER_MAX;

    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put(self, torc_str_make(at, (size_t)(digits + NUMBER_MAX - at)));
}

/* The bytes of a word that are 0, each as its highest bit. */
static uint64_t zeros(uint64_t word) {
    return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
}

static bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Whether these eight bytes all are. */
static bool are_plain(const char *bytes) {
    uint64_t word;

    memcpy(&word, bytes, 8);
    return !((word & 0x8080808080808080u) | zeros(word & 0xe0e0e0e0e0e0e0e0u) |
             zeros(word ^ 0x7f7f7f7f7f7f7f7fu) | zeros(word ^ 0x2222222222222222u) |
             zeros(word ^ 0x5c5c5c5c5c5c5c5cu));
}

/* How many bytes at the beginning are printable ASCII, but for quotes and backslashes. */
static size_t plain_len(torc_str text) {
    size_t len = 0;

    while (text.len - len >= 8 && are_plain(text.bytes + len)) len += 8;
    /* What is left, together with what was seen before it. */
    if (text.len >= 8 && text.len - len < 8 && are_plain(text.bytes + text.len - 8))
        return text.len;
    while (len < text.len && is_plain((unsigned char)text.bytes[len])) len++;
    return len;
}

/* Take the first character of what is not plain, and write what stands for it; how long that is. */
static size_t escape_json(torc_str *rest, char to[8]) {
    const char *start = rest->bytes;
    uint32_t code;

    if (torc_utf8_decode(rest, &code)) {
        *rest = torc_str_from(*rest, 1);
        code = 0xfffd;
    } else if (code == '"' || code == '\\') {
        to[0] = '\\';
        to[1] = (char)code;
        return 2;
    } else if (!torc_log_is_deceptive(code)) {
        memcpy(to, start, (size_t)(rest->bytes - start));
        return (size_t)(rest->bytes - start);
    }
    return (size_t)snprintf(to, 8, "\\u%04x", (unsigned)code & 0xffff);
}

static size_t escape_text(torc_str *rest, char to[8]) {
    const unsigned char byte = (unsigned char)rest->bytes[0];

    *rest = torc_str_from(*rest, 1);
    to[0] = '\\';
    to[1] = (char)byte;
    if (byte == '"' || byte == '\\') return 2;
    to[1] = 'x';
    to[2] = torc_hex_of(byte >> 4);
    to[3] = torc_hex_of(byte);
    return 4;
}

/* Write a text such that it stays within its line and its quotes; one that is too long is cut, and
 * nothing is written of one for which those before it have left no room. */
static void put_escaped(line *self, torc_str text) {
    const torc_str dots = TORC_STR("...");

    if (self->end - self->at < (ptrdiff_t)dots.len) return;
    const char *end = self->end - dots.len;
    while (text.len > 0) {
        const torc_str plain = torc_str_head(text, plain_len(text));
        if (plain.len > (size_t)(end - self->at)) {
            put(self, torc_str_head(plain, (size_t)(end - self->at)));
            put(self, dots);
            return;
        }
        put(self, plain);
        text = torc_str_from(text, plain.len);
        if (!text.len) return;
        char escaped[8];
        const size_t len = self->style == TORC_ACCESS_TEXT ? escape_text(&text, escaped)
                                                           : escape_json(&text, escaped);
        if (len > (size_t)(end - self->at)) {
            put(self, dots);
            return;
        }
        put(self, torc_str_make(escaped, len));
    }
}

/* A text of the client's: of its URLs, users and passwords are not logged. */
static void put_redacted(line *self, torc_str text) {
    size_t start, end;

    while (torc_str_find_byte(text, '@') >= 0 && torc_log_find_userinfo(text, 0, &start, &end)) {
        put_escaped(self, torc_str_head(text, start));
        put_escaped(self, TORC_STR("[redacted]"));
        text = torc_str_from(text, end);
    }
    put_escaped(self, text);
}

/* A text that is known to be plain: a token, an address. */
static void put_plain(line *self, torc_str text) {
    if (text.len > (size_t)(self->end - self->at))
        put_escaped(self, text);
    else
        put(self, text);
}

/* What is not there, in each style. */
static void put_nothing(line *self) {
    if (self->style == TORC_ACCESS_TEXT) put(self, TORC_STR("-"));
    if (self->style == TORC_ACCESS_JSON) put(self, TORC_STR("null"));
}

static void put_quote(line *self) {
    if (self->style != TORC_ACCESS_TEXT) *self->at++ = '"';
}

static void put_text(line *self, torc_str text) {
    if (!text.bytes || (!text.len && self->style == TORC_ACCESS_TEXT)) {
        put_nothing(self);
        return;
    }
    self->end -= 2; /* the quotes */
    put_quote(self);
    put_redacted(self, text);
    put_quote(self);
}

static void put_plain_text(line *self, torc_str text) {
    self->end -= 2;
    put_quote(self);
    put_plain(self, text);
    put_quote(self);
}

/* ---- times ---- */

static int64_t seconds_now(const line *self) {
    return torc_reactor_wall_seconds(torc_log_writer_reactor(self->log->writer));
}

/* Microseconds since 1970; seconds, where a test moves the time. */
static int64_t us_now(const line *self) {
    struct timespec now;

    if (torc_log_writer_reactor(self->log->writer)->clock->is_moved)
        return seconds_now(self) * 1000000;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void put_clf(line *self) {
    torc_access_log *log = self->log;
    const int64_t now = seconds_now(self);
    const time_t seconds = (time_t)now;
    struct tm tm = {.tm_mday = 1};

    if (log->clf_second != now) {
        localtime_r(&seconds, &tm);
        const int zone = (int)(tm.tm_gmtoff / 60), minutes = zone < 0 ? -zone : zone;
        snprintf(log->clf, sizeof(log->clf), "[%02d/%.3s/%04d:%02d:%02d:%02d %c%02d%02d]",
                 tm.tm_mday % 100, torc_civil_months + 3 * (tm.tm_mon % 12),
                 (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100,
                 zone < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
        log->clf_second = now;
    }
    put(self, torc_str_make(log->clf, CLF_LEN));
}

static void put_iso(line *self) {
    torc_access_log *log = self->log;
    const int64_t now = us_now(self), second = now / 1000000;
    const time_t seconds = (time_t)second;
    struct tm tm = {.tm_mday = 1};
    uint32_t us = (uint32_t)(now % 1000000);

    if (log->iso_second != second) {
        gmtime_r(&seconds, &tm);
        snprintf(log->iso, sizeof(log->iso), "%04d-%02d-%02dT%02d:%02d:%02d.000000Z",
                 (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
                 tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
        log->iso_second = second;
    }
    for (int i = 25; i > 19; i--, us /= 10) log->iso[i] = (char)('0' + us % 10);
    if (self->style == TORC_ACCESS_JSON) put_quote(self);
    put(self, torc_str_make(log->iso, ISO_LEN));
    if (self->style == TORC_ACCESS_JSON) put_quote(self);
}

static void put_time(line *self, torc_access_kind kind) {
    if (kind == TORC_ACCESS_TIME_CLF)
        put_clf(self);
    else if (kind == TORC_ACCESS_TIME_ISO)
        put_iso(self);
    else if (kind == TORC_ACCESS_TIME_S)
        put_uint(self, (uint64_t)seconds_now(self));
    else
        put_uint(self, (uint64_t)us_now(self) / (kind == TORC_ACCESS_TIME_MS ? 1000 : 1));
}

static void put_duration(line *self, torc_access_kind kind) {
    const uint64_t us = self->request ? torc_request_duration_us(self->request) : 0;

    put_uint(self, kind == TORC_ACCESS_DURATION_US   ? us
                   : kind == TORC_ACCESS_DURATION_MS ? us / 1000
                                                     : us / 1000000);
}

/* ---- values ---- */

static bool is_same_host(const torc_addr *a, const torc_addr *b) {
    if (a->len != b->len || a->as.any.sa_family != b->as.any.sa_family) return false;
    if (a->as.any.sa_family == AF_INET) return a->as.in.sin_addr.s_addr == b->as.in.sin_addr.s_addr;
    return a->as.any.sa_family == AF_INET6 &&
           IN6_ARE_ADDR_EQUAL(&a->as.in6.sin6_addr, &b->as.in6.sin6_addr);
}

/* An address without its port; of a UNIX socket, which has none mostly, what it is. */
static void put_addr(line *self, const torc_addr *addr) {
    torc_access_log *log = self->log;

    if (!addr->len) {
        put_nothing(self);
    } else if (torc_addr_family(addr) == AF_UNIX) {
        put_plain_text(self, TORC_STR("unix:"));
    } else {
        if (!is_same_host(addr, &log->addr)) {
            log->addr_text = torc_addr_host_text(addr, log->addr_bytes);
            log->addr = *addr;
        }
        put_plain_text(self, log->addr_text);
    }
}

static void put_peer(line *self) {
    const torc_addr peer = self->request ? torc_request_peer(self->request) : self->refusal->peer;
    put_addr(self, &peer);
}

static void put_client(line *self) {
    const torc_addr client =
        self->request ? torc_request_client(self->request) : self->refusal->peer;
    put_addr(self, &client);
}

static torc_str protocol_of(const torc_request *request) {
    switch (torc_request_version(request)) {
    case 10:
        return TORC_STR("HTTP/1.0");
    case 11:
        return TORC_STR("HTTP/1.1");
    case 20:
        return TORC_STR("HTTP/2.0");
    default:
        return TORC_STR("HTTP/3.0");
    }
}

/* The line of a request; of one that was refused, what came of it. */
static void put_line(line *self) {
    if (!self->request) {
        put_text(self, self->refusal->line);
        return;
    }
    self->end -= 16; /* what stands behind the target */
    put_quote(self);
    put_plain(self, torc_request_method_text(self->request));
    put(self, TORC_STR(" "));
    self->end--;
    put_redacted(self, torc_request_target(self->request));
    put(self, TORC_STR(" "));
    put(self, protocol_of(self->request));
    put_quote(self);
}

static void put_query(line *self) {
    const torc_str query = self->request ? torc_request_query(self->request) : nothing;

    if (query.bytes && self->style == TORC_ACCESS_TEXT) {
        put(self, TORC_STR("?"));
        put_redacted(self, query);
    } else if (self->style != TORC_ACCESS_TEXT) {
        put_text(self, query);
    }
}

static void put_port(line *self) {
    const torc_addr host = self->request ? torc_request_host(self->request) : (torc_addr){0};
    const uint16_t port = torc_addr_port(&host);

    if (port)
        put_uint(self, port);
    else
        put_nothing(self);
}

static torc_str reason_of(const line *self) {
    if (!self->request) return TORC_STR("REFUSED");
    return self->outcome->reason ? torc_str_of(torc_err_name(self->outcome->reason)) : nothing;
}

static bool is_whole(const line *self) {
    return !self->request || !self->outcome->reason;
}

/* The texts of a request; one that was refused has none, but what came of it. */
static torc_str text_of(const line *self, const torc_access_step *step) {
    const torc_request *request = self->request;

    if (!request) return step->kind == TORC_ACCESS_TARGET ? self->refusal->line : nothing;
    switch (step->kind) {
    case TORC_ACCESS_TARGET:
        return torc_request_target(request);
    case TORC_ACCESS_PATH:
        return torc_request_path(request);
    case TORC_ACCESS_HOST:
        return torc_request_hostname(request);
    case TORC_ACCESS_REQUEST_ID:
        return torc_request_id(request);
    case TORC_ACCESS_FIELD_IN:
        return step->field != TORC_FIELD_OTHER ? torc_request_field_id(request, step->field)
                                               : torc_request_field(request, step->text.bytes);
    case TORC_ACCESS_FIELD_OUT:
        return torc_response_field(request, step->text.bytes);
    default:
        return nothing;
    }
}

/* What the parser lets through as a token is plain. */
static void put_token(line *self, torc_access_kind kind) {
    if (!self->request)
        put_nothing(self);
    else
        put_plain_text(self, kind == TORC_ACCESS_METHOD ? torc_request_method_text(self->request)
                                                        : protocol_of(self->request));
}

static void put_body_bytes(line *self, bool or_dash) {
    const uint64_t bytes = self->request ? self->outcome->body_bytes : 0;

    if (or_dash && !bytes)
        put_nothing(self);
    else
        put_uint(self, bytes);
}

/* The steps that are times and numbers; false: it is another. */
static bool put_number(line *self, torc_access_kind kind) {
    switch (kind) {
    case TORC_ACCESS_TIME_CLF:
    case TORC_ACCESS_TIME_ISO:
    case TORC_ACCESS_TIME_S:
    case TORC_ACCESS_TIME_MS:
    case TORC_ACCESS_TIME_US:
        put_time(self, kind);
        return true;
    case TORC_ACCESS_STATUS:
        put_uint(self, (uint64_t)(self->request ? self->outcome->status : self->refusal->status));
        return true;
    case TORC_ACCESS_BODY_BYTES:
    case TORC_ACCESS_BODY_BYTES_OR_DASH:
        put_body_bytes(self, kind == TORC_ACCESS_BODY_BYTES_OR_DASH);
        return true;
    case TORC_ACCESS_SENT_BYTES:
        put_uint(self, self->request ? self->outcome->sent_bytes : 0);
        return true;
    case TORC_ACCESS_DURATION_S:
    case TORC_ACCESS_DURATION_MS:
    case TORC_ACCESS_DURATION_US:
        put_duration(self, kind);
        return true;
    case TORC_ACCESS_PORT:
        put_port(self);
        return true;
    case TORC_ACCESS_PROCESS:
        put_uint(self, self->log->process);
        return true;
    default:
        return false;
    }
}

static void put_step(line *self, const torc_access_step *step) {
    switch (step->kind) {
    case TORC_ACCESS_LITERAL:
        put(self, step->text);
        break;
    case TORC_ACCESS_CLIENT:
        put_client(self);
        break;
    case TORC_ACCESS_PEER:
        put_peer(self);
        break;
    case TORC_ACCESS_LINE:
        put_line(self);
        break;
    case TORC_ACCESS_METHOD:
    case TORC_ACCESS_PROTOCOL:
        put_token(self, step->kind);
        break;
    case TORC_ACCESS_QUERY:
        put_query(self);
        break;
    case TORC_ACCESS_STATE:
        put(self, is_whole(self) ? TORC_STR("+") : TORC_STR("X"));
        break;
    case TORC_ACCESS_REASON:
        put_text(self, reason_of(self));
        break;
    default:
        if (!put_number(self, step->kind)) put_text(self, text_of(self, step));
    }
}

static void write_line(line *self) {
    const torc_access_format *format = self->log->format;
    char *start = torc_log_writer_reserve(self->log->writer, TORC_LOG_LINE_MAX);

    if (!start) return; /* counted there */
    self->style = format->style;
    self->at = start;
    for (uint32_t i = 0; i < format->count; i++) {
        self->end = self->at + format->budget;
        put_step(self, &format->steps[i]);
    }
    put(self, TORC_STR("\n"));
    torc_log_writer_commit(self->log->writer, (size_t)(self->at - start));
}

static torc_access_log *log_of(torc_observer *observer) {
    return torc_container_of(observer, torc_access_log, observer);
}

static void request_over(torc_observer *observer, torc_request *request,
                         const torc_outcome *outcome) {
    line self = {.log = log_of(observer), .request = request, .outcome = outcome};
    write_line(&self);
}

static void request_refused(torc_observer *observer, const torc_refusal *refusal) {
    line self = {.log = log_of(observer), .refusal = refusal};
    write_line(&self);
}

static const torc_observer_ops observer_ops = {
    .request_over = request_over,
    .request_refused = request_refused,
};

/* ---- life ---- */

torc_err torc_access_log_new(torc_log_writer *writer, torc_str format,
                             torc_access_format_error *error, torc_access_log **log) {
    torc_access_format *read;
    const torc_err err = torc_access_format_parse(format, error, &read);
    torc_access_log *self;

    if (err) return err;
    self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) {
        torc_access_format_free(read);
        return TORC_ERR_NO_MEMORY;
    }
    self->observer.ops = &observer_ops;
    self->writer = writer;
    self->format = read;
    self->process = (uint64_t)getpid();
    self->clf_second = self->iso_second = INT64_MIN;
    *log = self;
    return TORC_OK;
}

void torc_access_log_free(torc_access_log *log) {
    if (!log) return;
    torc_access_format_free(log->format);
    torc_dealloc(NULL, log);
}

torc_observer *torc_access_log_observer(torc_access_log *log) {
    return &log->observer;
}
