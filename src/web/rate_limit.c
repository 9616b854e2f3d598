/* SPDX-License-Identifier: MIT */
/*
 * Rate limits.
 *
 *  - A request takes from its bucket once, when it comes. What the store answered is kept with the
 *    request, under the middleware's own address, for the fields of the response.
 *  - A store that cannot answer lets everybody through: the limit protects the service and is no
 *    reason to be without it.
 *  - Keys begin with the limit's name and their kind, so that an address is never taken for the
 *    value of a field. Long values are digests.
 *  - Partition keys that are told are digests of these keys.
 *  - Refusals are logged once a second at most, with how many there were.
 */
#include <torc/rate_limit.h>

#include <stdio.h>
#include <torc/base64.h>
#include <torc/digest.h>
#include <torc/log.h>
#include <torc/reply.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/options.h"
#include "http/request.h"
#include "reactor/reactor.h"
#include "web/middleware_new.h"
#include "web/site.h"

enum {
    NAME_MAX_LEN = 32,
    PLAIN_MAX = 128, /* bytes of a value that are the key themselves */
    KEY_MAX = NAME_MAX_LEN + 2 + PLAIN_MAX,
    LOG_MS = 1000,
    DIGEST_BYTES = 32,
    PARTITION_BYTES = 12, /* of a digest, told */
    LEFT_MAX = NAME_MAX_LEN + 96
};

typedef struct rate_limit {
    torc_middleware base;
    torc_rate_limit_options options; /* its texts are in `text` */
    torc_rate rate;
    torc_field policy; /* whole, to be lent */
    torc_str name;
    uint64_t next_log_ms, refused; /* of which nothing was logged yet */
    char text[];
} rate_limit;

static rate_limit *self_of(torc_middleware *middleware) {
    return torc_container_of(middleware, rate_limit, base);
}

/* What is kept of a request until its response. */
typedef struct taken {
    torc_rate_answer answer;
    bool has_partition;
    char partition[PARTITION_BYTES];
} taken;

/* ---- keys ---- */

typedef struct key {
    char bytes[KEY_MAX];
    size_t len;
} key;

static void put(key *to, const void *bytes, size_t len) {
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

/* False: such a client has none. */
static bool put_address(key *to, const torc_addr *addr) {
    const struct in6_addr *v6 = &addr->as.in6.sin6_addr;

    put(to, "a", 1);
    if (torc_addr_family(addr) == AF_INET)
        put(to, &addr->as.in.sin_addr, 4);
    else if (torc_addr_family(addr) == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
        put(to, (const char *)v6 + 12, 4);
    else if (torc_addr_family(addr) == AF_INET6)
        put(to, v6, 8);
    else
        return false;
    return true;
}

static bool put_value(key *to, torc_str value) {
    char digest[DIGEST_BYTES];

    put(to, value.len <= PLAIN_MAX ? "v" : "d", 1);
    if (value.len <= PLAIN_MAX) {
        put(to, value.bytes, value.len);
        return true;
    }
    if (torc_digest_of(TORC_DIGEST_SHA256, value, digest)) return false;
    put(to, digest, sizeof(digest));
    return true;
}

/* False: the request is not counted. */
static bool make_key(const rate_limit *self, torc_request *request, key *to) {
    const torc_rate_limit_options *options = &self->options;
    torc_str value = torc_str_make(NULL, 0);

    to->len = 0;
    put(to, self->name.bytes, self->name.len);
    put(to, "", 1);
    if (options->key) {
        value = options->key(options->context, request);
        return value.bytes && put_value(to, value);
    }
    if (options->field) value = torc_request_field(request, options->field);
    if (value.bytes) return put_value(to, value);
    const torc_addr client = torc_request_client(request);
    return put_address(to, &client);
}

/* ---- requests ---- */

static uint32_t cost_of(const rate_limit *self, torc_request *request) {
    const torc_rate_limit_options *options = &self->options;

    if (options->cost_of) return options->cost_of(options->context, request);
    return options->cost ? options->cost : 1;
}

/* What a client is to be told: full seconds, from 1 on. */
static uint64_t in_seconds(uint64_t ms) {
    return ms <= 1000 ? 1 : (ms + 999) / 1000;
}

static void log_refusal(rate_limit *self, torc_request *request) {
    const torc_handler *handler = torc_request_handler(request);
    torc_reactor *reactor = torc_request_reactor(request);
    const torc_addr client = torc_request_client(request);
    char text[TORC_ADDR_TEXT_MAX];

    self->refused++;
    if (reactor->now_ms < self->next_log_ms) return;
    TORC_LOG_WARN(handler->log ? handler->log : reactor->log, "web",
                  self->options.is_dry_run ? "requests would be beyond the rate"
                                           : "requests are beyond the rate",
                  TORC_LOG_STR("limit", self->name), TORC_LOG_UINT("requests", self->refused),
                  TORC_LOG_STR("client", torc_addr_host_text(&client, text)),
                  TORC_LOG_STR("target", torc_request_target_to_log(request)));
    self->next_log_ms = reactor->now_ms + LOG_MS;
    self->refused = 0;
}

static torc_render refuse(torc_request *request, const torc_rate_answer *answer) {
    const uint64_t seconds = in_seconds(answer->retry_ms);
    char text[24], detail[80];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)seconds);
    snprintf(detail, sizeof(detail), "Too many requests. Try again in %llu second%s.",
             (unsigned long long)seconds, seconds == 1 ? "" : "s");
    torc_response_set(request, "Retry-After", torc_str_of(text));
    return torc_reply_status(request, 429, detail);
}

/* Keep the answer for the response; without memory this tells nothing of it. */
static void keep(rate_limit *self, torc_request *request, const torc_rate_answer *answer,
                 const key *of) {
    taken *kept = torc_arena_alloc(torc_request_arena(request), sizeof(*kept));
    char digest[DIGEST_BYTES];

    if (!kept) return;
    *kept = (taken){.answer = *answer};
    if (self->options.shows_partition &&
        !torc_digest_of(TORC_DIGEST_SHA256, torc_str_make(of->bytes, of->len), digest)) {
        memcpy(kept->partition, digest, PARTITION_BYTES);
        kept->has_partition = true;
    }
    (void)!torc_request_set_value(request, self, kept);
}

static torc_render request_received(torc_middleware *middleware, torc_request *request) {
    rate_limit *self = self_of(middleware);
    const torc_rate_limit_options *options = &self->options;
    torc_rate_store *store = options->store ? options->store : torc_site_rate_store(request);
    torc_rate_answer answer;
    key of;

    if (options->skips && options->skips(options->context, request)) return TORC_RENDER_NEXT;
    if (!store || !make_key(self, request, &of)) return TORC_RENDER_NEXT;
    if (store->ops->take(store, torc_str_make(of.bytes, of.len), &self->rate,
                         cost_of(self, request), torc_request_reactor(request)->now_us, &answer))
        return TORC_RENDER_NEXT;
    if (torc_request_is_gone(request)) return TORC_RENDER_DONE; /* the store may have waited */
    if (!answer.is_allowed) log_refusal(self, request);
    if (options->is_dry_run) return TORC_RENDER_NEXT;
    if (!options->hides_fields) keep(self, request, &answer, &of);
    return answer.is_allowed ? TORC_RENDER_NEXT : refuse(request, &answer);
}

/* ---- responses ---- */

/* Until the next is there, when none is left; else until all are. */
static uint64_t reset_s(const torc_rate_answer *answer, const torc_rate *rate) {
    if (!answer->is_allowed) return in_seconds(answer->retry_ms);
    if (answer->left > 0) return (answer->full_ms + 999) / 1000;
    /* One of as many as the bucket holds: the first of them. */
    const uint64_t interval_ms = (uint64_t)rate->per_s * 1000 / rate->count;
    const uint64_t others_ms = interval_ms * (torc_rate_burst(rate) - 1);
    return in_seconds(answer->full_ms > others_ms ? answer->full_ms - others_ms : 1);
}

/* Several limits tell each of their own: these fields are lists. */
static void add(torc_request *request, const torc_field *field) {
    if (torc_response_field(request, field->name.bytes).bytes)
        torc_response_add(request, field->name.bytes, field->value);
    else
        torc_response_lend(request, field, 1);
}

/* A partition is told as a sequence of bytes (RFC 9651 §3.3.5). */
static void write_left(const rate_limit *self, const taken *kept, torc_buf *text) {
    torc_buf_add_byte(text, '"');
    torc_buf_add(text, self->name);
    torc_buf_add(text, TORC_STR("\";r="));
    torc_buf_add_uint(text, kept->answer.left);
    torc_buf_add(text, TORC_STR(";t="));
    torc_buf_add_uint(text, reset_s(&kept->answer, &self->rate));
    if (!kept->has_partition) return;
    torc_buf_add(text, TORC_STR(";pk=:"));
    torc_base64_encode(text, torc_str_make(kept->partition, PARTITION_BYTES), TORC_BASE64_STANDARD);
    torc_buf_add_byte(text, ':');
}

static void response_starting(torc_middleware *middleware, torc_request *request) {
    rate_limit *self = self_of(middleware);
    const taken *kept = torc_request_value(request, self);
    torc_field left = {.name = TORC_STR("RateLimit")};
    torc_buf text;
    char *bytes;

    if (!kept) return;
    bytes = torc_arena_bytes(torc_request_arena(request), LEFT_MAX);
    if (!bytes) return;
    torc_buf_init_fixed(&text, bytes, LEFT_MAX);
    write_left(self, kept, &text);
    left.value = torc_buf_str(&text);
    add(request, &self->policy);
    add(request, &left);
}

/* ---- options ---- */

static bool is_name(torc_str name) {
    for (size_t i = 0; i < name.len; i++) {
        const char byte = name.bytes[i];
        if (!torc_is_alnum(byte) && byte != '-' && byte != '_' && byte != '.') return false;
    }
    return name.len > 0 && name.len <= NAME_MAX_LEN;
}

static torc_rate_limit_options read_options(const torc_rate_limit_options *given) {
    torc_rate_limit_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.name) options.name = "default";
    return options;
}

static const char *check_rate(const char *text, torc_rate *rate, char wrong[200]) {
    if (!text) return "there is no rate: write one as 100/min";
    switch (torc_rate_parse(torc_str_of(text), rate)) {
    case TORC_OK:
        return NULL;
    case TORC_ERR_LIMIT:
        snprintf(wrong, 200,
                 "'%.60s' is beyond what a rate may be: 100000/s, 1000000 at once, "
                 "full within a year",
                 text);
        return wrong;
    default:
        snprintf(wrong, 200, "'%.60s' is no rate: write it as 100/s, 30/min or 10/s,burst=50",
                 text);
        return wrong;
    }
}

const char *torc_rate_limit_check(const torc_rate_limit_options *given, char text[200]) {
    const torc_rate_limit_options options = read_options(given);
    torc_rate rate;

    if (!is_name(torc_str_of(options.name))) {
        snprintf(text, 200, "the name '%.60s' is not of 1 to 32 letters, digits, `-`, `_` and `.`",
                 options.name);
        return text;
    }
    if (options.field && options.key) return "a key is either a field or a function";
    if (options.field && !torc_field_name_is_valid(torc_str_of(options.field))) {
        snprintf(text, 200, "'%.80s' is no name of a field", options.field);
        return text;
    }
    return check_rate(options.rate, &rate, text);
}

/* ---- life ---- */

static void dispose(torc_middleware *middleware) {
    torc_dealloc(NULL, self_of(middleware));
}

static const torc_middleware_ops ops = {
    .request_received = request_received,
    .response_starting = response_starting,
    .dispose = dispose,
    .name = "rate limit",
};

static char *copy(char **at, const char *text) {
    const size_t size = strlen(text) + 1;
    char *own = memcpy(*at, text, size);

    *at += size;
    return own;
}

static void fill(rate_limit *self, const torc_rate_limit_options *options, size_t policy_size) {
    char *at = self->text;

    self->options = *options;
    self->name = torc_str_of(copy(&at, options->name));
    if (options->field) self->options.field = copy(&at, options->field);
    self->policy.name = TORC_STR("RateLimit-Policy");
    self->policy.value.bytes = at;
    self->policy.value.len =
        (size_t)snprintf(at, policy_size, "\"%s\";q=%u;w=%u", options->name,
                         (unsigned)self->rate.count, (unsigned)self->rate.per_s);
}

torc_middleware *torc_rate_limit_new(const torc_rate_limit_options *given) {
    const torc_rate_limit_options options = read_options(given);
    char text[200];

    const char *wrong = torc_rate_limit_check(&options, text);
    if (wrong) return torc_middleware_refused("rate limit", wrong);
    const size_t policy_size = NAME_MAX_LEN + 48;
    const size_t size = strlen(options.name) + 1 + (options.field ? strlen(options.field) + 1 : 0);
    rate_limit *self =
        torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + size + policy_size);
    if (!self) return NULL;
    (void)!torc_rate_parse(torc_str_of(options.rate), &self->rate); /* it was checked */
    self->base.ops = &ops;
    self->base.on_fiber = options.store && options.store->may_wait;
    fill(self, &options, policy_size);
    return &self->base;
}
