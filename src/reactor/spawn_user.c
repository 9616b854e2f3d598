/* SPDX-License-Identifier: MIT */
/*
 * Looking up whose rights a child is to have.
 */
#include <torc/spawn.h>

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

#include "reactor/reactor.h"

enum {
    TEXT_MAX = 16 * 1024,
    GROUPS_MAX = 1024
};

/* A number need not be anybody's. */
static torc_err find(const char *name, char *text, struct passwd *entry) {
    struct passwd *found = NULL;
    uint64_t number;

    if (torc_str_parse_uint(torc_str_of(name), UINT32_MAX - 1, &number)) {
        getpwnam_r(name, entry, text, TEXT_MAX, &found);
        return found ? TORC_OK : TORC_ERR_NOT_FOUND;
    }
    getpwuid_r((uid_t)number, entry, text, TEXT_MAX, &found);
    if (!found) *entry = (struct passwd){.pw_uid = (uid_t)number, .pw_gid = (gid_t)number};
    return TORC_OK;
}

torc_err torc_spawn_user_find(const char *name, uint32_t *groups, size_t group_max,
                              torc_spawn_user *user) {
    _Static_assert(sizeof(gid_t) == sizeof(*groups), "the kernel's");
    int count = group_max < GROUPS_MAX ? (int)group_max : GROUPS_MAX;
    struct passwd entry;
    char text[TEXT_MAX];

    const torc_err err = find(name, text, &entry);
    if (err) return err;
    if (!entry.pw_name)
        count = 0;
    else if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) < 0)
        return TORC_ERR_LIMIT;
    *user = (torc_spawn_user){
        .uid = entry.pw_uid, .gid = entry.pw_gid, .groups = groups, .group_count = (size_t)count};
    return TORC_OK;
}
