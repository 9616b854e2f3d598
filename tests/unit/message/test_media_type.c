/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "message/media_type.h"

/* The first and the last of the table are found, and what lies between them. */
static void extensions_have_types(void **state) {
    static const struct {
        const char *extension, *type;
    } cases[] = {
        {"3g2", "video/3gpp2"},
        {"7z", "application/x-7z-compressed"},
        {"avif", "image/avif"},
        {"c", "text/x-c"},
        {"css", "text/css"},
        {"gz", "application/gzip"},
        {"htm", "text/html"},
        {"html", "text/html"},
        {"js", "text/javascript"},
        {"json", "application/json"},
        {"md", "text/markdown"},
        {"mjs", "text/javascript"},
        {"mp4", "video/mp4"},
        {"svg", "image/svg+xml"},
        {"txt", "text/plain"},
        {"wasm", "application/wasm"},
        {"webmanifest", "application/manifest+json"},
        {"webp", "image/webp"},
        {"woff", "font/woff"},
        {"woff2", "font/woff2"},
        {"zst", "application/zstd"},
    };

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++)
        check_str_at(torc_media_type_of_extension(torc_str_of(cases[i].extension)),
                     torc_str_of(cases[i].type), __FILE__, __LINE__);
}

static void what_is_not_known_has_none(void **state) {
    static const char *const names[] = {"", "0", "xyz", "htmlx", "HTML", ".html", "zzz"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++)
        assert_null(torc_media_type_of_extension(torc_str_of(names[i])).bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions_have_types),
        cmocka_unit_test(what_is_not_known_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
