/* SPDX-License-Identifier: MIT */
/*
 * How fast a library reads and writes JSON: four documents, always the same, each read again and
 * again for a while, then written. Prints a line for each: its name, its bytes, and the bytes per
 * second of CPU time for reading (with dropping what was read) and writing.
 *
 *     json_torc [SECONDS]
 *
 *  - statuses: as of a social network, strings of which many are not ASCII;
 *  - coordinates: numbers of 15 to 17 digits;
 *  - reply: a small object, as most APIs answer;
 *  - mixed: deep, indented, of everything.
 */
#include "json_bench.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct text {
    char *bytes;
    size_t len, capacity;
} text;

static uint64_t seed = 88172645463325252u;

static unsigned random_below(unsigned bound) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 20) % bound;
}

#define ADD(to, ...)                                                                               \
    do {                                                                                           \
        char piece_[1024];                                                                         \
        add(to, piece_, (size_t)snprintf(piece_, sizeof piece_, __VA_ARGS__));                     \
    } while (0)

static void add(text *to, const char *bytes, size_t len) {
    if (to->capacity - to->len < len) {
        to->capacity = (to->len + len) * 2;
        to->bytes = realloc(to->bytes, to->capacity);
        if (!to->bytes) abort();
    }
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

/* ---- statuses ---- */

static const char *const words[] = {"the",
                                    "of",
                                    "a",
                                    "server",
                                    "RT",
                                    "@torc_http",
                                    "http:\\/\\/t.co\\/8Lq1x",
                                    "caf\xc3\xa9",
                                    "na\xc3\xafve",
                                    "today",
                                    "\\n",
                                    "now",
                                    "\\\"yes\\\"",
                                    "is",
                                    "\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf",
                                    "\xe4\xb8\x96\xe7\x95\x8c",
                                    "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
                                    "\xf0\x9f\x98\x80",
                                    "#hashtag",
                                    "reactor"};

static void add_words(text *to, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        ADD(to, "%s%s", i ? " " : "", words[random_below(sizeof words / sizeof words[0])]);
}

static void add_user(text *to) {
    const unsigned id = random_below(2000000000);

    ADD(to, "{\"id\":%u,\"id_str\":\"%u\",\"name\":\"", id, id);
    add_words(to, 2);
    ADD(to, "\",\"screen_name\":\"user_%u\",\"location\":\"\",\"description\":\"", id % 10000);
    add_words(to, 12);
    ADD(to,
        "\",\"url\":null,\"protected\":false,\"followers_count\":%u,\"friends_count\":%u,"
        "\"created_at\":\"Sun Aug 31 00:29:15 +0000 2014\",\"favourites_count\":%u,"
        "\"utc_offset\":%d,\"geo_enabled\":%s,\"verified\":false,\"lang\":\"ja\","
        "\"profile_background_color\":\"C0DEED\",\"profile_image_url\":"
        "\"http:\\/\\/pbs.example.com\\/profile_images\\/%u\\/Dk_normal.jpeg\","
        "\"default_profile\":true,\"following\":false}",
        random_below(100000), random_below(3000), random_below(20000),
        (int)random_below(86400) - 43200, random_below(2) ? "true" : "false", id);
}

static void add_status(text *to) {
    const unsigned id = random_below(2000000000);

    ADD(to,
        "{\"metadata\":{\"result_type\":\"recent\",\"iso_language_code\":\"ja\"},"
        "\"created_at\":\"Sun Aug 31 00:29:14 +0000 2014\",\"id\":5058749%u,"
        "\"id_str\":\"5058749%u\",\"text\":\"",
        id, id);
    add_words(to, 4 + random_below(16));
    ADD(to, "\",\"source\":\"<a href=\\\"http:\\/\\/example.com\\/download\\\">web<\\/a>\","
            "\"truncated\":false,\"in_reply_to_status_id\":null,\"user\":");
    add_user(to);
    ADD(to,
        ",\"geo\":null,\"coordinates\":null,\"retweet_count\":%u,\"favorite_count\":%u,"
        "\"entities\":{\"hashtags\":[{\"text\":\"torc\",\"indices\":[%u,%u]}],\"symbols\":[],"
        "\"urls\":[],\"user_mentions\":[]},\"favorited\":false,\"retweeted\":false}",
        random_below(1000), random_below(1000), random_below(70), random_below(70) + 70);
}

static void make_statuses(text *to) {
    ADD(to, "{\"statuses\":[");
    for (unsigned i = 0; i < 500; i++) {
        if (i) ADD(to, ",");
        add_status(to);
    }
    ADD(to, "],\"search_metadata\":{\"completed_in\":0.087,\"count\":500}}");
}

/* ---- coordinates ---- */

static void make_coordinates(text *to) {
    ADD(to, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (unsigned shape = 0; shape < 200; shape++) {
        ADD(to, "%s{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[",
            shape ? "," : "");
        for (unsigned i = 0; i < 120; i++)
            ADD(to, "%s[%.15g,%.17g]", i ? "," : "", -(double)random_below(2000000000) / 1.3e7,
                (double)random_below(2000000000) / 2.7e7);
        ADD(to, "]]}}");
    }
    ADD(to, "]}");
}

/* ---- a reply ---- */

static void make_reply(text *to) {
    ADD(to, "{\"id\":48213,\"name\":\"Ada Lovelace\",\"email\":\"ada@example.com\",\"active\":true,"
            "\"roles\":[\"admin\",\"writer\"],\"address\":{\"street\":\"12 St. James's Square\","
            "\"city\":\"London\",\"zip\":null},\"balance\":1250.75,"
            "\"created\":\"2024-05-17T09:30:00Z\",\"links\":{\"self\":\"/users/48213\"}}");
}

/* ---- of everything ---- */

static void indent(text *to, unsigned depth) {
    ADD(to, "\n%*s", (int)depth * 2, "");
}

static void add_mixed(text *to, unsigned depth) {
    const unsigned kind = random_below(depth < 3 ? 3 : depth > 10 ? 5 : 9), count = 3 + kind;

    if (depth <= 10 && (depth < 3 || kind >= 5)) {
        const int is_object = depth < 3 || kind % 2;
        ADD(to, is_object ? "{" : "[");
        for (unsigned i = 0; i < count % 5 + 2; i++) {
            if (i) ADD(to, ",");
            indent(to, depth + 1);
            if (is_object) ADD(to, "\"member_%u\": ", i);
            add_mixed(to, depth + 1);
        }
        indent(to, depth);
        ADD(to, is_object ? "}" : "]");
    } else if (kind == 0) {
        ADD(to, "%u", random_below(100000));
    } else if (kind == 1) {
        ADD(to, "%.6g", random_below(1000000) / 1000.0);
    } else if (kind == 2) {
        ADD(to, "\"a text of number %u, of usual length\"", random_below(1000));
    } else {
        ADD(to, kind == 3 ? "true" : "null");
    }
}

static void make_mixed(text *to) {
    ADD(to, "[");
    for (unsigned i = 0; i < 3; i++) {
        if (i) ADD(to, ",");
        add_mixed(to, 1);
    }
    ADD(to, "]\n");
}

/* ---- measuring ---- */

static double cpu_seconds(void) {
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *document, const char *what) {
    fprintf(stderr, "%s: cannot %s %s\n", library.name, what, document);
    exit(1);
}

static void *read_or_fail(const char *name, const text *document) {
    void *const tree = library.read(document->bytes, document->len);

    if (!tree) fail(name, "read");
    return tree;
}

/* Times that take about a hundredth of a second. */
static unsigned batch_of(const text *document) {
    return (unsigned)(2000000 / document->len + 1);
}

static double measure_read(const char *name, const text *document, double seconds) {
    const unsigned batch = batch_of(document);
    const double start = cpu_seconds();
    double now, total = 0;

    do {
        for (unsigned i = 0; i < batch; i++) library.drop(read_or_fail(name, document));
        total += (double)document->len * batch;
        now = cpu_seconds();
    } while (now - start < seconds);
    return total / (now - start);
}

static double measure_write(const char *name, const text *document, double seconds) {
    void *const tree = read_or_fail(name, document);
    const unsigned batch = batch_of(document);
    const double start = cpu_seconds();
    double now, total = 0;

    do {
        for (unsigned i = 0; i < batch; i++) {
            const size_t len = library.write(tree);
            if (len == 0) fail(name, "write");
            total += (double)len;
        }
        now = cpu_seconds();
    } while (now - start < seconds);
    library.drop(tree);
    return total / (now - start);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*make)(text *to);
    } documents[] = {{"statuses", make_statuses},
                     {"coordinates", make_coordinates},
                     {"reply", make_reply},
                     {"mixed", make_mixed}};
    const double seconds = argc > 1 ? atof(argv[1]) : 0.5;

    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        text document = {0};
        documents[i].make(&document);
        const double read = measure_read(documents[i].name, &document, seconds);
        const double write = measure_write(documents[i].name, &document, seconds);
        printf("%s %zu %.0f %.0f\n", documents[i].name, document.len, read, write);
        free(document.bytes);
    }
    return 0;
}
