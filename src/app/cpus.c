/* SPDX-License-Identifier: MIT */
/*
 * How many processors there are to use.
 *
 *  - A quota holds for a group and all those within it, so the smallest from the process's own
 *    group up to the root counts. In a container the root is what the container sees of them.
 *  - What cannot be read allows all: there are machines without cgroups.
 */
#include "app/cpus.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <torc/str.h>
#include <unistd.h>

enum {
    TEXT_BYTES = 4096
};

/* A small file's text; empty when it cannot be read. */
static torc_str read_text(const char *path, char text[TEXT_BYTES]) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = -1;

    if (fd >= 0) {
        len = read(fd, text, TEXT_BYTES);
        close(fd);
    }
    return torc_str_make(text, len > 0 ? (size_t)len : 0);
}

/* Take what stands before `end`, which goes too, or all. */
static torc_str take_until(torc_str *text, char end) {
    const char *found = text->len ? memchr(text->bytes, end, text->len) : NULL;
    const size_t len = found ? (size_t)(found - text->bytes) : text->len;
    const torc_str taken = torc_str_head(*text, len);

    *text = torc_str_from(*text, found ? len + 1 : len);
    return taken;
}

/* Processors that a quota of `quota` in each `period` (both in microseconds) keeps busy; 0: all. */
static size_t whole(torc_str quota, torc_str period) {
    uint64_t quota_us, period_us;

    if (torc_str_parse_uint(quota, INT64_MAX, &quota_us) ||
        torc_str_parse_uint(period, INT64_MAX, &period_us) || quota_us == 0 || period_us == 0)
        return 0; /* "max", "-1", or nothing */
    const uint64_t count = (quota_us - 1) / period_us + 1;
    return count < TORC_CPUS_MAX ? (size_t)count : TORC_CPUS_MAX;
}

/* Version 2: `cpu.max` holds both. */
static size_t of_group_v2(const char *folder) {
    char path[PATH_MAX + 32], bytes[TEXT_BYTES];

    snprintf(path, sizeof(path), "%s/cpu.max", folder);
    torc_str text = read_text(path, bytes);
    const torc_str quota = take_until(&text, ' ');
    return whole(quota, take_until(&text, '\n'));
}

/* Version 1: a file each. */
static size_t of_group_v1(const char *folder) {
    char path[PATH_MAX + 32], quota[TEXT_BYTES], period[TEXT_BYTES];

    snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
    torc_str quota_text = read_text(path, quota);
    snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
    torc_str period_text = read_text(path, period);
    return whole(take_until(&quota_text, '\n'), take_until(&period_text, '\n'));
}

static size_t smaller(size_t a, size_t b) {
    return a == 0 || (b > 0 && b < a) ? b : a;
}

/* The smallest quota from a group up to the root of its hierarchy. */
static size_t of_groups(const char *hierarchy, torc_str group, size_t (*read)(const char *)) {
    char folder[PATH_MAX];
    size_t least = 0;

    for (;;) {
        while (group.len > 0 && group.bytes[group.len - 1] == '/') group.len--;
        const int len = snprintf(folder, sizeof(folder), "%s%.*s", hierarchy, TORC_STR_ARGS(group));
        if (len > 0 && (size_t)len < sizeof(folder)) least = smaller(least, read(folder));
        if (group.len == 0) return least;
        while (group.len > 0 && group.bytes[group.len - 1] != '/') group.len--;
    }
}

/* Whether `cpu` is among the controllers, which are separated by commas. */
static bool has_cpu(torc_str controllers) {
    while (controllers.len > 0)
        if (torc_str_equals(take_until(&controllers, ','), TORC_STR("cpu"))) return true;
    return false;
}

size_t torc_cpus_of_quota(const char *root) {
    char path[PATH_MAX], bytes[TEXT_BYTES];
    size_t least = 0;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    torc_str text = read_text(path, bytes);
    while (text.len > 0) { /* number ":" controllers ":" group, and of version 2 "0::" group */
        torc_str group = take_until(&text, '\n');
        take_until(&group, ':');
        const torc_str controllers = take_until(&group, ':');
        if (controllers.len == 0) {
            snprintf(path, sizeof(path), "%s/sys/fs/cgroup", root);
            least = smaller(least, of_groups(path, group, of_group_v2));
        } else if (has_cpu(controllers)) {
            snprintf(path, sizeof(path), "%s/sys/fs/cgroup/%.*s", root, TORC_STR_ARGS(controllers));
            least = smaller(least, of_groups(path, group, of_group_v1));
        }
    }
    return least;
}

/* Those that the process may run on. A machine of more processors than the set has is large. */
static size_t of_affinity(void) {
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set)) {
        const long count = sysconf(_SC_NPROCESSORS_ONLN);
        return count > 0 ? (size_t)count : 1;
    }
    return (size_t)CPU_COUNT(&set);
}

size_t torc_cpus_usable(void) {
    const size_t count = smaller(of_affinity(), torc_cpus_of_quota(""));

    return count < 1 ? 1 : count > TORC_CPUS_MAX ? TORC_CPUS_MAX : count;
}
