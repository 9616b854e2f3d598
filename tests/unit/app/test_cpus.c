/* SPDX-License-Identifier: MIT */
/* How many processors there are to use: quotas of cgroups, as files of a folder. */
#include "app/cpus.h"

#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char folder[] = "/tmp/torc-cpus-XXXXXX";

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static int set_up(void **state) {
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file with its folders. */
static void write_file(const char *path, const char *text) {
    char whole[512];

    snprintf(whole, sizeof(whole), "%s/%s", folder, path);
    for (char *slash = whole + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        assert_true(mkdir(whole, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void without_groups_all_are_allowed(void **state) {
    (void)state;
    assert_int_equal(torc_cpus_of_quota(folder), 0);
    write_file("proc/self/cgroup", "0::/a\n");
    assert_int_equal(torc_cpus_of_quota(folder), 0);
    write_file("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    assert_int_equal(torc_cpus_of_quota(folder), 0);
}

static void a_quota_is_rounded_up(void **state) {
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"1000 100000\n", 1},
        {"100000 100000\n", 1},
        {"100001 100000\n", 2},
        {"250000 100000\n", 3},
        {"400000 100000\n", 4},
        {"40000 10000\n", 4},
        {"100000 0\n", 0},
        {"0 100000\n", 0},
        {"\n", 0},
        {"100000", 0},
        {"9000000000000000000 1\n", TORC_CPUS_MAX},
    };

    (void)state;
    write_file("proc/self/cgroup", "0::/\n");
    for (size_t i = 0; i < TORC_COUNT_OF(cases); i++) {
        write_file("sys/fs/cgroup/cpu.max", cases[i].text);
        assert_int_equal(torc_cpus_of_quota(folder), cases[i].count);
    }
}

/* A quota holds for all within a group. */
static void the_smallest_of_all_groups_above_counts(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "0::/a/b/c\n");
    write_file("sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
    assert_int_equal(torc_cpus_of_quota(folder), 8);
    write_file("sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    write_file("sys/fs/cgroup/a/b/cpu.max", "500000 100000\n");
    assert_int_equal(torc_cpus_of_quota(folder), 3);
    write_file("sys/fs/cgroup/cpu.max", "200000 100000\n");
    assert_int_equal(torc_cpus_of_quota(folder), 2);
}

static void version_1_has_a_file_each(void **state) {
    (void)state;
    write_file("proc/self/cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/a\n1:name=systemd:/y\n0::/\n");
    write_file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    write_file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    assert_int_equal(torc_cpus_of_quota(folder), 0);
    write_file("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "150000\n");
    assert_int_equal(torc_cpus_of_quota(folder), 2);
}

static void this_process_may_use_some(void **state) {
    cpu_set_t set;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    const size_t count = torc_cpus_usable();
    assert_true(count >= 1 && count <= (size_t)CPU_COUNT(&set));
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(without_groups_all_are_allowed),
        CASE(a_quota_is_rounded_up),
        CASE(the_smallest_of_all_groups_above_counts),
        CASE(version_1_has_a_file_each),
        CASE(this_process_may_use_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
