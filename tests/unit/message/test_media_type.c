/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "message/media_type.h"

static void types_go_by_the_last_extension(void **state) {
    (void)state;
    check_str(torc_media_type_of_name(TORC_STR("a.html")), "text/html");
    check_str(torc_media_type_of_name(TORC_STR("a.tar.gz")), "application/gzip");
    check_str(torc_media_type_of_name(TORC_STR("A.JPEG")), "image/jpeg");
    check_str(torc_media_type_of_name(TORC_STR(".css")), "text/css");
    check_str(torc_media_type_of_name(TORC_STR("x.webmanifest")), "application/manifest+json");
}

/* The first and the last of the table are found, and so is the whole of it in order. */
static void the_ends_of_the_table_are_found(void **state) {
    (void)state;
    check_str(torc_media_type_of_name(TORC_STR("a.7z")), "application/x-7z-compressed");
    check_str(torc_media_type_of_name(TORC_STR("a.zst")), "application/zstd");
    check_str(torc_media_type_of_name(TORC_STR("a.c")), "text/x-c");
    check_str(torc_media_type_of_name(TORC_STR("a.woff")), "font/woff");
    check_str(torc_media_type_of_name(TORC_STR("a.woff2")), "font/woff2");
    check_str(torc_media_type_of_name(TORC_STR("a.js")), "text/javascript");
    check_str(torc_media_type_of_name(TORC_STR("a.json")), "application/json");
}

static void what_is_not_known_has_none(void **state) {
    static const char *const names[] = {"",        "html",           "a.", "a.xyz", ".",
                                        "a.htmlx", "a.longerthanall"};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(names); i++)
        assert_null(torc_media_type_of_name(torc_str_of(names[i])).bytes);
    assert_null(torc_media_type_of_name(torc_str_make(NULL, 0)).bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_go_by_the_last_extension),
        cmocka_unit_test(the_ends_of_the_table_are_found),
        cmocka_unit_test(what_is_not_known_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
