/* SPDX-License-Identifier: MIT */
/*
 * Cutting endpoint strings into arguments, and reading these.
 *
 *   string   = prefix ":" argument *( ":" argument )
 *   argument = value, or name "=" value; a backslash escapes itself, ":" and "="
 *
 *  - The string is cut first, with the place of each byte; then each argument is bound to the
 *    parameter of its name, or to the first that has none yet.
 *  - A value may be a string itself. The places of its bytes are those in the whole, so whatever is
 *    wrong is told where the reader wrote it.
 */
#include "transport/endpoint_arguments.h"

#include <stdarg.h>
#include <stdio.h>

static size_t place_of(const torc_endpoint_source *source, size_t start) {
    return source->places ? source->places[start] : source->offset + start;
}

/* ---- what is wrong ---- */

TORC_PRINTF(3, 0)
static torc_err say(const torc_endpoint_source *source, size_t start, const char *format,
                    va_list values) {
    torc_endpoint_error *error = source->error;

    if (!error) return TORC_ERR_SYNTAX;
    error->place = place_of(source, start);
    const int len = snprintf(error->text, sizeof(error->text), "at byte %zu: ", error->place);
    vsnprintf(error->text + len, sizeof(error->text) - (size_t)len, format, values);
    return TORC_ERR_SYNTAX;
}

torc_err torc_endpoint_wrong_at(const torc_endpoint_source *source, size_t start,
                                const char *format, ...) {
    va_list values;

    va_start(values, format);
    const torc_err err = say(source, start, format, values);
    va_end(values);
    return err;
}

/* The argument of a parameter; NULL: not given, or the prefix has no such. */
static const torc_endpoint_item *find(const torc_endpoint_arguments *arguments,
                                      const char *parameter) {
    for (size_t i = 0; i < TORC_ENDPOINT_PARAMETERS_MAX && arguments->prefix->parameters[i]; i++)
        if (strcmp(arguments->prefix->parameters[i], parameter) == 0) return arguments->bound[i];
    return NULL;
}

torc_err torc_endpoint_wrong(const torc_endpoint_arguments *arguments, const char *parameter,
                             const char *format, ...) {
    const torc_endpoint_item *item = parameter ? find(arguments, parameter) : NULL;
    va_list values;

    va_start(values, format);
    const torc_err err = say(
        &arguments->source, item ? item->start : strlen(arguments->prefix->prefix), format, values);
    va_end(values);
    return err;
}

/* ---- cutting ---- */

torc_err torc_endpoint_check(const torc_endpoint_source *source) {
    const torc_str string = source->string;

    if (string.len == 0)
        return torc_endpoint_wrong_at(source, 0,
                                      "an endpoint is missing: write tcp:8080 or unix:/path");
    if (memchr(string.bytes, '\0', string.len))
        return torc_endpoint_wrong_at(source, 0, "an endpoint has no NUL in it");
    if (string.len >= TORC_ENDPOINT_TEXT_MAX)
        return torc_endpoint_wrong_at(source, TORC_ENDPOINT_TEXT_MAX,
                                      "longer than an endpoint can be, %d bytes",
                                      TORC_ENDPOINT_TEXT_MAX - 1);
    if (source->depth >= TORC_ENDPOINT_NESTED_MAX)
        return torc_endpoint_wrong_at(source, 0, "endpoints are nested %d deep at most",
                                      TORC_ENDPOINT_NESTED_MAX);
    return TORC_OK;
}

static const torc_endpoint_prefix *find_in(const torc_endpoint_prefix *prefixes, size_t count,
                                           torc_str word) {
    for (size_t i = 0; i < count; i++)
        if (torc_str_equals(word, torc_str_of(prefixes[i].prefix))) return &prefixes[i];
    return NULL;
}

const torc_endpoint_prefix *torc_endpoint_find_prefix(const torc_endpoint_source *source,
                                                      const torc_endpoint_prefix *own,
                                                      size_t count) {
    const ptrdiff_t colon = torc_str_find_byte(source->string, ':');
    const torc_str word =
        torc_str_head(source->string, colon < 0 ? source->string.len : (size_t)colon);
    const torc_endpoint_prefix *found = find_in(own, count, word);

    if (found || !source->others) return found;
    return find_in(source->others->items, source->others->count, word);
}

/* Where a part of the source is put together. */
typedef struct cutter {
    torc_endpoint_arguments *arguments;
    size_t to, start;
} cutter;

static void put(cutter *cut, char c, size_t from) {
    cut->arguments->text[cut->to] = c;
    cut->arguments->places[cut->to++] = (uint16_t)place_of(&cut->arguments->source, from);
}

/* What was put since the last part, NUL-ended. */
static torc_str take_part(cutter *cut, size_t from) {
    char *bytes = cut->arguments->text + cut->start;
    const size_t len = cut->to - cut->start;

    put(cut, '\0', from);
    cut->start = cut->to;
    return torc_str_make(bytes, len);
}

static torc_err cut_source(torc_endpoint_arguments *arguments) {
    const torc_endpoint_source *source = &arguments->source;
    const torc_str string = source->string;
    torc_endpoint_item *item = &arguments->items[0];
    cutter cut = {.arguments = arguments};

    *item = (torc_endpoint_item){0};
    for (size_t i = 0; i < string.len; i++) {
        const char c = string.bytes[i];
        if (c == '\\') {
            if (i + 1 == string.len)
                return torc_endpoint_wrong_at(
                    source, i, "a `\\` escapes the byte behind it, and there is none");
            put(&cut, string.bytes[i + 1], i);
            i++;
        } else if (c == '=' && !item->name.bytes) {
            item->name = take_part(&cut, i);
        } else if (c == ':') {
            item->value = take_part(&cut, i);
            if (++arguments->count == TORC_COUNT_OF(arguments->items))
                return torc_endpoint_wrong_at(source, i, "too many arguments");
            item = &arguments->items[arguments->count];
            *item = (torc_endpoint_item){.start = i + 1};
        } else {
            put(&cut, c, i);
        }
    }
    item->value = take_part(&cut, string.len);
    arguments->count++;
    return TORC_OK;
}

/* ---- binding ---- */

static size_t count_parameters(const torc_endpoint_prefix *prefix) {
    size_t count = 0;

    while (count < TORC_ENDPOINT_PARAMETERS_MAX && prefix->parameters[count]) count++;
    return count;
}

static size_t named(const torc_endpoint_prefix *prefix, torc_str name) {
    const size_t count = count_parameters(prefix);

    for (size_t i = 0; i < count; i++)
        if (torc_str_equals(name, torc_str_of(prefix->parameters[i]))) return i;
    return count;
}

static torc_err unknown(const torc_endpoint_arguments *arguments, const torc_endpoint_item *item) {
    const torc_endpoint_prefix *prefix = arguments->prefix;
    const size_t count = count_parameters(prefix);
    char names[200] = "";
    size_t len = 0;

    if (!item->name.bytes)
        return torc_endpoint_wrong_at(&arguments->source, item->start,
                                      "`%.*s` is one argument too many",
                                      TORC_STR_ARGS(item->value));
    for (size_t i = 0; i < count && len < sizeof(names); i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
                                prefix->parameters[i]);
    return torc_endpoint_wrong_at(
        &arguments->source, item->start, "no argument `%.*s`; there are %s",
        item->name.len > 40 ? 40 : (int)item->name.len, item->name.bytes, count ? names : "none");
}

static torc_err bind_arguments(torc_endpoint_arguments *arguments) {
    const torc_endpoint_prefix *prefix = arguments->prefix;
    const size_t count = count_parameters(prefix);
    size_t positional = 0;

    for (size_t i = 1; i < arguments->count; i++) {
        const torc_endpoint_item *item = &arguments->items[i];
        const size_t to = item->name.bytes ? named(prefix, item->name) : positional++;
        /* A colon at the end of `stdio:` begins no argument. */
        if (!item->name.bytes && item->value.len == 0 && to == 0 && prefix->positional == 0 &&
            arguments->count == 2)
            break;
        if (to >= count || (!item->name.bytes && to >= prefix->positional))
            return unknown(arguments, item);
        if (arguments->bound[to])
            return torc_endpoint_wrong_at(&arguments->source, item->start, "`%s` is given twice",
                                          prefix->parameters[to]);
        arguments->bound[to] = item;
    }
    if (!prefix->missing || (arguments->bound[0] && arguments->bound[0]->value.len > 0))
        return TORC_OK;
    return torc_endpoint_wrong(arguments, prefix->parameters[0], "%s", prefix->missing);
}

torc_err torc_endpoint_cut(torc_endpoint_arguments *arguments, const torc_endpoint_source *source,
                           const torc_endpoint_prefix *prefix) {
    arguments->prefix = prefix;
    arguments->source = *source;
    arguments->count = 0;
    memset(arguments->bound, 0, sizeof(arguments->bound));
    const torc_err err = cut_source(arguments);
    return err ? err : bind_arguments(arguments);
}

/* ---- strings in strings ---- */

bool torc_endpoint_is_named(const torc_endpoint_source *source,
                            const torc_endpoint_prefix *prefix) {
    const torc_str rest = torc_str_from(source->string, strlen(prefix->prefix));
    const ptrdiff_t equals = torc_str_find_byte(rest, '=');

    if (equals < 1) return false;
    return named(prefix, torc_str_make(rest.bytes + 1, (size_t)equals - 1)) <
           count_parameters(prefix);
}

torc_err torc_endpoint_nested(torc_endpoint_arguments *arguments, const char *parameter,
                              torc_endpoint_source *source) {
    const torc_endpoint_item *item = find(arguments, parameter);

    *source = arguments->source;
    source->depth++;
    source->string = item ? item->value : torc_str_make("", 0);
    source->places =
        item ? arguments->places + (item->value.bytes - arguments->text) : arguments->places;
    return torc_endpoint_check(source);
}

torc_err torc_endpoint_rest(const torc_endpoint_source *source, const torc_endpoint_prefix *prefix,
                            torc_endpoint_source *rest) {
    const size_t len = strlen(prefix->prefix);

    if (source->string.len <= len + 1)
        return torc_endpoint_wrong_at(source, len, "%s", prefix->missing);
    *rest = *source;
    rest->depth++;
    rest->string = torc_str_from(source->string, len + 1);
    if (rest->places)
        rest->places += len + 1;
    else
        rest->offset += len + 1;
    return TORC_OK;
}

/* ---- values ---- */

torc_str torc_endpoint_argument(const torc_endpoint_arguments *arguments, const char *parameter) {
    const torc_endpoint_item *item = find(arguments, parameter);
    return item ? item->value : torc_str_make(NULL, 0);
}

torc_err torc_endpoint_number(const torc_endpoint_arguments *arguments, const char *parameter,
                              uint64_t max, uint64_t *number) {
    const torc_str value = torc_endpoint_argument(arguments, parameter);

    if (!value.bytes || !torc_str_parse_uint(value, max, number)) return TORC_OK;
    return torc_endpoint_wrong(arguments, parameter, "%s is a number from 0 to %llu, not `%.*s`",
                               parameter, (unsigned long long)max, TORC_STR_ARGS(value));
}

torc_err torc_endpoint_flag(const torc_endpoint_arguments *arguments, const char *parameter,
                            bool *flag) {
    uint64_t number = *flag;
    const torc_err err = torc_endpoint_number(arguments, parameter, 1, &number);

    *flag = number != 0;
    return err;
}

torc_err torc_endpoint_seconds(const torc_endpoint_arguments *arguments, const char *parameter,
                               uint64_t *ms) {
    const torc_str value = torc_endpoint_argument(arguments, parameter);
    torc_str rest = value, whole;
    uint64_t seconds, thousandths = 0;

    if (!value.bytes) return TORC_OK;
    (void)torc_str_split(&rest, '.', &whole);
    const bool has_point = whole.len < value.len;
    torc_err err = torc_str_parse_uint(whole, 1000000, &seconds);
    if (!err && has_point) {
        err = rest.len < 1 || rest.len > 3 ? TORC_ERR_SYNTAX
                                           : torc_str_parse_uint(rest, 999, &thousandths);
        for (size_t i = rest.len; i < 3; i++) thousandths *= 10;
    }
    if (err)
        return torc_endpoint_wrong(arguments, parameter,
                                   "%s is in seconds, as 30 or 0.25, not `%.*s`", parameter,
                                   TORC_STR_ARGS(value));
    *ms = seconds * 1000 + thousandths;
    return TORC_OK;
}

torc_err torc_endpoint_texts_add(torc_endpoint_texts *texts, torc_str value,
                                 torc_endpoint_text *text) {
    if (texts->len == 0) texts->len = 1;
    if (value.len >= sizeof(texts->bytes) - texts->len) return TORC_ERR_LIMIT;
    memcpy(texts->bytes + texts->len, value.bytes, value.len);
    *text = texts->len;
    texts->len = (uint16_t)(texts->len + value.len);
    texts->bytes[texts->len++] = '\0';
    return TORC_OK;
}

torc_err torc_endpoint_keep(torc_endpoint_arguments *arguments, const char *parameter,
                            torc_endpoint_texts *texts, torc_endpoint_text *text) {
    const torc_str value = torc_endpoint_argument(arguments, parameter);

    if (!value.bytes) return TORC_OK;
    if (value.len == 0)
        return torc_endpoint_wrong(arguments, parameter, "%s is empty; leave it out", parameter);
    if (!torc_endpoint_texts_add(texts, value, text)) return TORC_OK;
    return torc_endpoint_wrong(arguments, parameter, "the whole is longer than an endpoint can be");
}

const char *torc_endpoint_text_of(const torc_endpoint_texts *texts, torc_endpoint_text text) {
    return text ? texts->bytes + text : NULL;
}

torc_str torc_endpoint_unbracketed(torc_str host) {
    if (host.len > 1 && host.bytes[0] == '[' && host.bytes[host.len - 1] == ']')
        return torc_str_make(host.bytes + 1, host.len - 2);
    return host;
}

torc_err torc_endpoint_read_path(torc_endpoint_arguments *arguments, const char *parameter,
                                 torc_addr *addr) {
    const torc_str path = torc_endpoint_argument(arguments, parameter);

    if (path.len > sizeof(addr->as.un.sun_path) - 1)
        return torc_endpoint_wrong(arguments, parameter, "a socket's path has at most %zu bytes",
                                   sizeof(addr->as.un.sun_path) - 1);
    if (torc_addr_parse_unix(path, addr))
        return torc_endpoint_wrong(arguments, parameter,
                                   "an abstract name has something behind the `@`");
    return TORC_OK;
}

torc_err torc_endpoint_read_host_port(const torc_endpoint_source *source, torc_str *host,
                                      uint16_t *port, const char *advice) {
    const torc_str string = source->string;
    size_t colon = string.len;
    uint64_t number;

    while (colon > 0 && string.bytes[colon - 1] != ':') colon--;
    const torc_str digits = torc_str_from(string, colon);
    if (torc_str_parse_uint(digits, 65535, &number))
        return torc_endpoint_wrong_at(source, colon,
                                      "`%.*s` is no port, and the whole no endpoint: write %s",
                                      digits.len > 60 ? 60 : (int)digits.len, digits.bytes, advice);
    *host = torc_str_head(string, colon ? colon - 1 : 0);
    *port = (uint16_t)number;
    return TORC_OK;
}

/* ---- TLS ---- */

static torc_err read_min_version(const torc_endpoint_arguments *arguments, torc_endpoint_tls *tls) {
    static const struct {
        torc_str text;
        uint8_t version;
    } versions[] = {
        {TORC_STR_INIT("1.2"), 12},
        {TORC_STR_INIT("1.3"), 13},
        {TORC_STR_INIT("TLSv1_2"), 12}, /* Twisted's */
        {TORC_STR_INIT("TLSv1_3"), 13},
    };
    const torc_str value = torc_endpoint_argument(arguments, "minTLS");

    if (!value.bytes) return TORC_OK;
    for (size_t i = 0; i < TORC_COUNT_OF(versions); i++)
        if (torc_str_equals(value, versions[i].text)) {
            tls->min_version = versions[i].version;
            return TORC_OK;
        }
    return torc_endpoint_wrong(arguments, "minTLS", "minTLS is 1.2 or 1.3, not `%.*s`",
                               TORC_STR_ARGS(value));
}

/* Twisted's names of OpenSSL's methods: those that negotiate mean what is done anyway. */
static torc_err read_method(const torc_endpoint_arguments *arguments, torc_endpoint_tls *tls) {
    const torc_str value = torc_endpoint_argument(arguments, "sslmethod");

    if (!value.bytes || torc_str_equals(value, TORC_STR("TLS_METHOD")) ||
        torc_str_equals(value, TORC_STR("SSLv23_METHOD")))
        return TORC_OK;
    if (torc_str_equals(value, TORC_STR("TLSv1_2_METHOD"))) {
        if (!tls->min_version) tls->min_version = 12;
        return TORC_OK;
    }
    return torc_endpoint_wrong(arguments, "sslmethod",
                               "versions before TLS 1.2 are not spoken; leave sslmethod out, or "
                               "write minTLS=1.2 or minTLS=1.3");
}

static torc_err read_profile(const torc_endpoint_arguments *arguments) {
    const torc_str value = torc_endpoint_argument(arguments, "profile");

    if (!value.bytes || torc_str_equals(value, TORC_STR("modern")) ||
        torc_str_equals(value, TORC_STR("compatible")) ||
        torc_str_equals(value, TORC_STR("strict")))
        return TORC_OK;
    return torc_endpoint_wrong(arguments, "profile",
                               "the profile is modern, compatible or strict, not `%.*s`",
                               TORC_STR_ARGS(value));
}

torc_err torc_endpoint_read_tls(torc_endpoint_arguments *arguments, torc_endpoint_texts *texts,
                                torc_endpoint_tls *tls) {
    torc_err err = read_min_version(arguments, tls);

    if (!err) err = read_method(arguments, tls);
    if (!err) err = read_profile(arguments);
    if (!err) err = torc_endpoint_keep(arguments, "profile", texts, &tls->profile);
    if (!err) err = torc_endpoint_keep(arguments, "privateKey", texts, &tls->private_key);
    if (!err) err = torc_endpoint_keep(arguments, "alpn", texts, &tls->alpn);
    if (!err && torc_endpoint_argument(arguments, "dhParameters").bytes)
        return torc_endpoint_wrong(arguments, "dhParameters",
                                   "keys are exchanged by elliptic curves alone (RFC 9325 §4.1); "
                                   "leave dhParameters out");
    return err;
}

/* ---- writing ---- */

void torc_endpoint_quote(torc_str value, torc_buf *string) {
    for (size_t i = 0; i < value.len; i++) {
        const char c = value.bytes[i];
        if (c == ':' || c == '=' || c == '\\') torc_buf_add_byte(string, '\\');
        torc_buf_add_byte(string, c);
    }
}
