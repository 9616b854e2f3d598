/* SPDX-License-Identifier: MIT */
/*
 * Time zones of the system's database: files of RFC 8536.
 *
 *  - A zone is one allocation: moments in order, the offset from each on, and the rule for what
 *    comes after the last of them.
 *  - A file has its data twice, first with times of 32 bits; only the second is used, if it is
 *    there.
 *  - A name leads nowhere but into the database: it has no `..` and is not absolute.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/civil.h"
#include "base/zone_rule.h"

enum {
    HEADER_SIZE = 44,
    TYPE_SIZE = 6,
    FILE_MAX = 256 * 1024,
    NAME_MAX_BYTES = 128,
    OFFSET_MAX = 26 * 3600 /* a bound of the format: RFC 8536 §3.2 */
};

static const char DATABASE[] = "/usr/share/zoneinfo/";

typedef struct zone_moment {
    int64_t at;
    int32_t offset; /* from there on */
    bool is_dst;
} zone_moment;

struct torc_zone {
    torc_memory *memory;
    torc_zone_rule rule;
    bool has_rule;
    zone_moment before; /* what is in force before the first moment */
    size_t count;
    zone_moment moments[];
};

static torc_zone *make(torc_memory *memory, size_t count) {
    torc_zone *zone =
        torc_alloc_zero(memory, TORC_MEMORY_OTHER, 1, sizeof(*zone) + count * sizeof(zone_moment));

    if (!zone) return NULL;
    zone->memory = memory;
    zone->count = count;
    return zone;
}

/* ---- the file ---- */

/* One of the two blocks of a file: where its parts are. */
typedef struct block {
    const unsigned char *times, *indexes, *types;
    size_t time_size; /* 4 or 8 */
    size_t time_count, type_count;
    size_t size; /* of all of it, with its header */
    char version;
} block;

static uint64_t read_number(const unsigned char *bytes, size_t size) {
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) number = number << 8 | bytes[i];
    return number;
}

static bool read_block(torc_str bytes, size_t time_size, block *found) {
    const unsigned char *at = (const unsigned char *)bytes.bytes;
    uint64_t counts[6];

    if (bytes.len < HEADER_SIZE || memcmp(at, "TZif", 4) != 0) return false;
    for (size_t i = 0; i < 6; i++) counts[i] = read_number(at + 20 + 4 * i, 4);
    const uint64_t utc = counts[0], std = counts[1], leaps = counts[2], times = counts[3];
    const uint64_t types = counts[4], letters = counts[5];
    const uint64_t size = HEADER_SIZE + times * (time_size + 1) + types * TYPE_SIZE + letters +
                          leaps * (time_size + 4) + std + utc;
    if (size > bytes.len || types == 0 || types > 256) return false;
    *found = (block){
        .times = at + HEADER_SIZE,
        .indexes = at + HEADER_SIZE + times * time_size,
        .types = at + HEADER_SIZE + times * (time_size + 1),
        .time_size = time_size,
        .time_count = (size_t)times,
        .type_count = (size_t)types,
        .size = (size_t)size,
        .version = (char)at[4],
    };
    return true;
}

static bool read_type(const block *from, size_t index, zone_moment *moment) {
    const unsigned char *type = from->types + index * TYPE_SIZE;

    if (index >= from->type_count) return false;
    moment->offset = (int32_t)(uint32_t)read_number(type, 4);
    moment->is_dst = type[4] != 0;
    return moment->offset >= -OFFSET_MAX && moment->offset <= OFFSET_MAX;
}

static int64_t read_time(const block *from, size_t index) {
    const uint64_t number = read_number(from->times + index * from->time_size, from->time_size);
    return from->time_size == 8 ? (int64_t)number : (int32_t)(uint32_t)number;
}

static bool read_moments(const block *from, torc_zone *zone) {
    if (!read_type(from, 0, &zone->before)) return false;
    for (size_t i = 0; i < zone->count; i++) {
        zone_moment *moment = &zone->moments[i];
        moment->at = read_time(from, i);
        if (!read_type(from, from->indexes[i], moment)) return false;
        if (i > 0 && moment->at <= moment[-1].at) return false;
    }
    return true;
}

/* The last line: empty, or the rule for the time after the last moment. */
static bool read_footer(torc_str rest, torc_zone *zone) {
    const char *end = rest.len > 1 ? memchr(rest.bytes + 1, '\n', rest.len - 1) : NULL;

    if (!end || rest.bytes[0] != '\n') return false;
    const torc_str rule = torc_str_make(rest.bytes + 1, (size_t)(end - rest.bytes) - 1);
    zone->has_rule = rule.len > 0;
    return !zone->has_rule || !torc_zone_rule_parse(rule, &zone->rule);
}

torc_err torc_zone_parse(torc_memory *memory, torc_str bytes, torc_zone **zone) {
    block first, second;
    const bool is_file = read_block(bytes, 4, &first);
    const bool is_long = is_file && first.version >= '2';
    torc_zone *made;

    if (!is_file) return TORC_ERR_SYNTAX;
    const torc_str rest = torc_str_from(bytes, first.size);
    if (is_long && !read_block(rest, 8, &second)) return TORC_ERR_SYNTAX;
    const block *used = is_long ? &second : &first;
    made = make(memory, used->time_count);
    if (!made) return TORC_ERR_NO_MEMORY;
    if (!read_moments(used, made) ||
        (is_long && !read_footer(torc_str_from(rest, second.size), made))) {
        torc_zone_free(made);
        return TORC_ERR_SYNTAX;
    }
    *zone = made;
    return TORC_OK;
}

torc_err torc_zone_parse_rule(torc_memory *memory, torc_str text, torc_zone **zone) {
    torc_zone_rule rule;
    torc_err err = torc_zone_rule_parse(text, &rule);
    torc_zone *made;

    if (err) return err;
    made = make(memory, 0);
    if (!made) return TORC_ERR_NO_MEMORY;
    made->rule = rule;
    made->has_rule = true;
    *zone = made;
    return TORC_OK;
}

/* ---- loading ---- */

static bool read_all(int fd, char *bytes, size_t len) {
    size_t have = 0;

    while (have < len) {
        const ssize_t got = read(fd, bytes + have, len - have);
        if (got == 0 || (got < 0 && errno != EINTR)) return false;
        if (got > 0) have += (size_t)got;
    }
    return true;
}

static torc_err parse_file(torc_memory *memory, int fd, torc_zone **zone) {
    struct stat info;
    torc_err err;

    if (fstat(fd, &info)) return torc_err_from_errno(errno);
    if (!S_ISREG(info.st_mode)) return TORC_ERR_NOT_FOUND; /* Europe, a folder */
    if (info.st_size <= 0 || info.st_size > FILE_MAX) return TORC_ERR_SYNTAX;
    const size_t len = (size_t)info.st_size;
    char *bytes = torc_alloc(memory, TORC_MEMORY_OTHER, len);
    if (!bytes) return TORC_ERR_NO_MEMORY;
    err = read_all(fd, bytes, len) ? torc_zone_parse(memory, torc_str_make(bytes, len), zone)
                                   : TORC_ERR_SYSTEM;
    torc_dealloc(memory, bytes);
    return err;
}

static torc_err load_file(torc_memory *memory, const char *path, torc_zone **zone) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    torc_err err;

    if (fd < 0) {
        err = torc_err_from_errno(errno);
        return err == TORC_ERR_NOT_DIRECTORY ? TORC_ERR_NOT_FOUND : err;
    }
    err = parse_file(memory, fd, zone);
    close(fd);
    return err;
}

static bool is_name(const char *name) {
    const size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_BYTES || name[0] == '/' || name[0] == '.') return false;
    if (strstr(name, "..")) return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/.") ==
           len;
}

static torc_err load_name(torc_memory *memory, const char *name, torc_zone **zone) {
    char path[sizeof(DATABASE) + NAME_MAX_BYTES];

    if (!is_name(name)) return TORC_ERR_INVALID;
    snprintf(path, sizeof(path), "%s%s", DATABASE, name);
    return load_file(memory, path, zone);
}

/* As the C library reads TZ: a name, a file, or a rule. */
static torc_err load_local(torc_memory *memory, torc_zone **zone) {
    const char *name = secure_getenv("TZ");
    torc_err err;

    if (!name) {
        err = load_file(memory, "/etc/localtime", zone);
        return err == TORC_ERR_NOT_FOUND ? torc_zone_load(memory, "UTC", zone) : err;
    }
    if (*name == ':') name++;
    if (*name == '\0') return torc_zone_load(memory, "UTC", zone);
    if (*name == '/') return load_file(memory, name, zone);
    err = load_name(memory, name, zone);
    if (err != TORC_ERR_NOT_FOUND && err != TORC_ERR_INVALID) return err;
    return torc_zone_parse_rule(memory, torc_str_of(name), zone) ? err : TORC_OK;
}

torc_err torc_zone_load(torc_memory *memory, const char *name, torc_zone **zone) {
    if (strcmp(name, "UTC") == 0) return torc_zone_parse_rule(memory, TORC_STR("UTC0"), zone);
    return strcmp(name, "local") == 0 ? load_local(memory, zone) : load_name(memory, name, zone);
}

void torc_zone_free(torc_zone *zone) {
    if (zone) torc_dealloc(zone->memory, zone);
}

/* ---- asking ---- */

/* How many moments have come. */
static size_t passed(const torc_zone *zone, int64_t seconds) {
    size_t low = 0, high = zone->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (zone->moments[middle].at <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

torc_zone_period torc_zone_period_at(const torc_zone *zone, int64_t seconds) {
    const size_t next = passed(zone, seconds);
    const zone_moment *moment = next > 0 ? &zone->moments[next - 1] : &zone->before;
    const int64_t begin = next > 0 ? moment->at : INT64_MIN;

    if (next == zone->count && zone->has_rule) {
        torc_zone_period period = torc_zone_rule_period(&zone->rule, seconds);
        if (period.begin < begin) period.begin = begin;
        return period;
    }
    return (torc_zone_period){
        .begin = begin,
        .end = next < zone->count ? zone->moments[next].at : INT64_MAX,
        .offset = moment->offset,
        .is_dst = moment->is_dst,
    };
}

torc_civil torc_zone_civil(const torc_zone *zone, int64_t seconds) {
    return torc_civil_of(seconds + (zone ? torc_zone_period_at(zone, seconds).offset : 0));
}
