/* SPDX-License-Identifier: MIT */
#include <torc/memory.h>

#include "faults.h"
#include "http/html.h"

static void the_five_characters_are_escaped(void **state) {
    torc_buf page;

    (void)state;
    torc_buf_init(&page, NULL, TORC_MEMORY_OTHER, 1000);
    torc_html_add(&page, TORC_STR("<a href=\"x\">'&'</a>"));
    check_str(torc_buf_str(&page), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    torc_buf_dispose(&page);
}

static void what_is_clean_stays(void **state) {
    torc_buf page;

    (void)state;
    torc_buf_init(&page, NULL, TORC_MEMORY_OTHER, 1000);
    torc_html_add(&page, TORC_STR("plain \xc3\xa9"));
    torc_html_add(&page, TORC_STR(""));
    torc_html_add(&page, TORC_STR("&end"));
    check_str(torc_buf_str(&page), "plain \xc3\xa9&amp;end");
    torc_buf_dispose(&page);
}

static void a_page_escapes_its_three_texts(void **state) {
    torc_buf page;

    (void)state;
    torc_buf_init(&page, NULL, TORC_MEMORY_OTHER, 1000);
    torc_html_add_page(&page, TORC_STR("<t>"), TORC_STR("<h>"), TORC_STR("<p>"));
    assert_true(torc_str_find(torc_buf_str(&page), TORC_STR("<title>&lt;t&gt;</title>")) > 0);
    assert_true(torc_str_find(torc_buf_str(&page), TORC_STR("<h1>&lt;h&gt;</h1>")) > 0);
    assert_true(torc_str_find(torc_buf_str(&page), TORC_STR("<p>&lt;p&gt;</p>")) > 0);
    torc_buf_dispose(&page);
}

static void no_paragraph_leaves_no_element(void **state) {
    torc_buf page;

    (void)state;
    torc_buf_init(&page, NULL, TORC_MEMORY_OTHER, 1000);
    torc_html_add_page(&page, TORC_STR("t"), TORC_STR("h"), TORC_STR(""));
    assert_true(torc_str_find(torc_buf_str(&page), TORC_STR("<p>")) < 0);
    torc_buf_dispose(&page);
}

static torc_err add_page(torc_memory *memory, void *context) {
    torc_buf page;

    (void)context;
    torc_buf_init(&page, memory, TORC_MEMORY_OTHER, 1000);
    torc_html_add_page(&page, TORC_STR("title"), TORC_STR("<heading>"), TORC_STR("& more"));
    const torc_err err = torc_buf_err(&page);
    torc_buf_dispose(&page);
    return err;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    faults_each(add_page, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_five_characters_are_escaped),
        cmocka_unit_test(what_is_clean_stays),
        cmocka_unit_test(a_page_escapes_its_three_texts),
        cmocka_unit_test(no_paragraph_leaves_no_element),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
