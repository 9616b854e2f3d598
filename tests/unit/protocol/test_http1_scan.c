/* SPDX-License-Identifier: MIT */
#include "protocol/http1/scan.h"

#include "guarded.h"

/* What stops a run by the grammars, written once more. */
static bool is_in_value(int c) {
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static bool is_in_target(int c) {
    return c > ' ' && c < 0x7f;
}

static bool is_in_token(int c) {
    return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

typedef struct scan {
    const char *name;
    torc_scan_fn *vector, *scalar;
    bool (*is_in)(int c);
} scan;

static const scan scans[] = {
    {"value", torc_scan_value, torc_scan_value_scalar, is_in_value},
    {"target", torc_scan_target, torc_scan_target_scalar, is_in_target},
    {"token", torc_scan_token, torc_scan_token_scalar, is_in_token},
};

enum {
    LEN_MAX = 200 /* beyond what the widest vectors and their short beginnings take */
};

static void check(const scan *of, const char *at, const char *end, const char *expected) {
    if (of->scalar(at, end) != expected)
        fail_msg("%s: the scalar one at %td of %td", of->name, of->scalar(at, end) - at, end - at);
    if (of->vector(at, end) != expected)
        fail_msg("%s: at %td of %td, not %td", of->name, of->vector(at, end) - at, end - at,
                 expected - at);
}

static void every_byte_ends_a_run_or_not(void **state) {
    (void)state;
    for (size_t s = 0; s < TORC_COUNT_OF(scans); s++)
        for (int c = 0; c < 256; c++)
            for (size_t at = 0; at < 80; at++) { /* at each place of each width */
                char text[80];
                memset(text, 'a', sizeof(text));
                text[at] = (char)c;
                check(&scans[s], text, text + sizeof(text),
                      text + (scans[s].is_in(c) ? sizeof(text) : at));
            }
}

/* Behind the end stand bytes that would end a run, or a page that must not be read. */
static void runs_of_every_length_end_at_their_end(void **state) {
    guarded memory = guarded_new(1);

    (void)state;
    for (size_t s = 0; s < TORC_COUNT_OF(scans); s++)
        for (size_t len = 0; len <= LEN_MAX; len++) {
            char *const at = memory.start + memory.size - len;
            memset(at, 'a', len);
            check(&scans[s], at, at + len, at + len);
            for (size_t stop = 0; stop < len; stop++) {
                at[stop] = '\r';
                check(&scans[s], at, at + len, at + stop);
                at[stop] = 'a';
            }
        }
    guarded_free(&memory);
}

static void every_alignment_is_fine(void **state) {
    guarded memory = guarded_new(1);

    (void)state;
    for (size_t s = 0; s < TORC_COUNT_OF(scans); s++)
        for (size_t shift = 0; shift < 64; shift++)
            for (size_t len = 0; len <= 100; len++) {
                char *const at = memory.start + shift;
                memset(memory.start, '\n', memory.size);
                memset(at, '-', len);
                check(&scans[s], at, at + len, at + len);     /* the end counts */
                check(&scans[s], at, at + len + 1, at + len); /* and so does the byte */
                check(&scans[s], at, memory.start + memory.size, at + len);
            }
    guarded_free(&memory);
}

static void bytes_of_all_kinds_make_the_same_runs(void **state) {
    guarded memory = guarded_new(1);
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const size_t len = (seed >> 8) % (LEN_MAX + 1);
        char *const at = memory.start + memory.size - len;
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1103515245 + 12345;
            /* Mostly what goes on, so that runs are long; otherwise anything. */
            at[i] = (seed >> 16) % 64 ? "aZ0-_!~*"[(seed >> 24) % 8] : (char)(seed >> 24);
        }
        for (size_t s = 0; s < TORC_COUNT_OF(scans); s++) {
            const char *expected = at;
            while (expected < at + len && scans[s].is_in((unsigned char)*expected)) expected++;
            check(&scans[s], at, at + len, expected);
        }
    }
    guarded_free(&memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_ends_a_run_or_not),
        cmocka_unit_test(runs_of_every_length_end_at_their_end),
        cmocka_unit_test(every_alignment_is_fine),
        cmocka_unit_test(bytes_of_all_kinds_make_the_same_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
