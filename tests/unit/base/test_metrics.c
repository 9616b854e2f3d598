/* SPDX-License-Identifier: MIT */
#include <torc/metrics.h>

#include "check.h"

static void counters_and_gauges_are_found_by_name(void **state) {
    torc_metrics metrics;
    torc_counter requests = {.value = 9};
    torc_gauge open = {0};
    torc_metrics_init(&metrics);

    torc_metrics_add_counter(&metrics, &requests, "requests", "Requests answered.", "");
    torc_metrics_add_gauge(&metrics, &open, "open", "Connections open.", "");
    torc_counter_add(&requests, 2);
    torc_counter_add(&requests, 3);
    torc_gauge_add(&open, 5);
    torc_gauge_add(&open, -7);
    const torc_metric *found = torc_metrics_find(&metrics, TORC_STR("requests"));
    assert_non_null(found);
    assert_int_equal(found->kind, TORC_METRIC_COUNTER);
    assert_string_equal(found->help, "Requests answered.");
    assert_int_equal(torc_metric_value(found), 5);
    found = torc_metrics_find(&metrics, TORC_STR("open"));
    assert_int_equal(found->kind, TORC_METRIC_GAUGE);
    assert_int_equal(torc_metric_value(found), -2);
    torc_gauge_set(&open, 8);
    assert_int_equal(torc_metric_value(found), 8);
    assert_null(torc_metrics_find(&metrics, TORC_STR("ope")));
    torc_metrics_dispose(&metrics);
}

static void a_counter_beyond_int64_stops_there(void **state) {
    torc_metrics metrics;
    torc_counter counter;
    torc_metrics_init(&metrics);

    torc_metrics_add_counter(&metrics, &counter, "c", "", "");
    torc_counter_add(&counter, UINT64_MAX);
    assert_int_equal(torc_metric_value(&counter.metric), INT64_MAX);
    torc_metrics_dispose(&metrics);
}

static void walking_follows_the_order_of_registration(void **state) {
    static const char *const names[] = {"a", "b", "c"};
    torc_metrics metrics;
    torc_counter counters[3];
    const torc_metric *metric = NULL;
    torc_metrics_init(&metrics);

    assert_null(torc_metrics_next(&metrics, NULL));
    for (int i = 0; i < 3; i++) {
        torc_metrics_add_counter(&metrics, &counters[i], names[i], "", "");
    }
    for (int i = 0; i < 3; i++) {
        metric = torc_metrics_next(&metrics, metric);
        assert_string_equal(metric->name, names[i]);
    }
    assert_null(torc_metrics_next(&metrics, metric));
    torc_metric_remove(&counters[1].metric);
    torc_metric_remove(&counters[1].metric);
    metric = torc_metrics_next(&metrics, torc_metrics_next(&metrics, NULL));
    assert_string_equal(metric->name, "c");
    torc_metrics_dispose(&metrics);
    torc_metric_remove(&counters[0].metric);
    assert_null(torc_metrics_next(&metrics, NULL));
}

static int64_t value_of(const torc_metrics *metrics, const char *name) {
    const torc_metric *metric = torc_metrics_find(metrics, torc_str_of(name));
    assert_non_null(metric);
    return torc_metric_value(metric);
}

static void memory_is_read_where_it_is_counted(void **state) {
    torc_memory memory;
    torc_metrics metrics;
    torc_memory_metrics of;
    size_t count = 0;
    torc_memory_init(&memory, 1000);
    torc_metrics_init(&metrics);

    torc_metrics_add_memory(&metrics, &of, &memory);
    check_ok(torc_memory_charge(&memory, TORC_MEMORY_INPUT, 100));
    check_ok(torc_memory_charge(&memory, TORC_MEMORY_FIBER, 50));
    check_err(torc_memory_charge(&memory, TORC_MEMORY_FIBER, 5000), TORC_ERR_NO_MEMORY);
    torc_memory_discharge(&memory, TORC_MEMORY_FIBER, 10);
    assert_int_equal(value_of(&metrics, "memory_input"), 100);
    assert_int_equal(value_of(&metrics, "memory_fiber"), 40);
    assert_int_equal(value_of(&metrics, "memory_used"), 140);
    assert_int_equal(value_of(&metrics, "memory_peak"), 150);
    assert_int_equal(value_of(&metrics, "memory_refused"), 1);
    for (const torc_metric *metric = NULL; (metric = torc_metrics_next(&metrics, metric));) {
        assert_true(strlen(metric->name) > 0 && strlen(metric->help) > 0);
        count++;
    }
    assert_int_equal(count, TORC_MEMORY_CLASSES + 4);
    torc_metrics_remove_memory(&of);
    assert_null(torc_metrics_next(&metrics, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges_are_found_by_name),
        cmocka_unit_test(a_counter_beyond_int64_stops_there),
        cmocka_unit_test(walking_follows_the_order_of_registration),
        cmocka_unit_test(memory_is_read_where_it_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
