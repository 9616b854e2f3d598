/* SPDX-License-Identifier: MIT */
/*
 * Users, groups, capabilities, the root folder.
 *
 *  - The order is fixed: the root folder and the bounding set need rights that the user lacks, the
 *    groups need those that setresuid() ends; no new privileges comes last.
 *  - What was dropped is asked for again: a process that gets it does not serve.
 *  - Whoever is the user already may say so without being root: the rest is dropped all the same.
 */
#include "app/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <torc/err.h>
#include <unistd.h>

#include "app/options.h"

enum {
    ENTRY_BYTES = 16 * 1024, /* of an entry of the name service */
    NAME_BYTES = 64
};

/* ---- names ---- */

/* Whether `value` is a number, and which. The highest means "unchanged" to the kernel. */
static bool is_number(const char *value, uint32_t *number) {
    uint64_t wide;

    if (torc_str_parse_uint(torc_str_of(value), UINT32_MAX - 1, &wide)) return false;
    *number = (uint32_t)wide;
    return true;
}

/* Keep in `nearest` whichever of it and `name` is nearer to `value`. */
static void keep_nearer(const char *value, const char *name, char nearest[NAME_BYTES]) {
    const char *both[] = {nearest, name};
    const size_t skip = nearest[0] ? 0 : 1;

    if (torc_str_nearest(torc_str_of(value), both + skip, 2 - skip) == name)
        snprintf(nearest, NAME_BYTES, "%s", name);
}

static const char *unknown(const char *what, const char *nearest, char text[160]) {
    if (nearest[0])
        snprintf(text, 160, "there is no such %s; did you mean %s?", what, nearest);
    else
        snprintf(text, 160, "there is no such %s on this system", what);
    return text;
}

static const char *unknown_user(const char *value, char text[160]) {
    char nearest[NAME_BYTES] = "";
    const struct passwd *entry;

    setpwent();
    while ((entry = getpwent())) keep_nearer(value, entry->pw_name, nearest);
    endpwent();
    return unknown("user", nearest, text);
}

static const char *unknown_group(const char *value, char text[160]) {
    char nearest[NAME_BYTES] = "";
    const struct group *entry;

    setgrent();
    while ((entry = getgrent())) keep_nearer(value, entry->gr_name, nearest);
    endgrent();
    return unknown("group", nearest, text);
}

static const char *take_entry(torc_rights *rights, const struct passwd *entry, char text[160]) {
    rights->uid = entry->pw_uid;
    rights->group_count = TORC_RIGHTS_GROUPS_MAX;
    if (getgrouplist(entry->pw_name, entry->pw_gid, rights->groups, &rights->group_count) < 0) {
        snprintf(text, 160, "the user is in %d groups, of which at most %d can be taken",
                 rights->group_count, TORC_RIGHTS_GROUPS_MAX);
        return text;
    }
    if (!rights->group) rights->gid = entry->pw_gid;
    rights->has_gid = true;
    return NULL;
}

const char *torc_rights_set_user(torc_rights *rights, const char *value, char text[160]) {
    struct passwd space, *entry = NULL;
    char strings[ENTRY_BYTES];
    uint32_t number;
    int failure;

    if (is_number(value, &number))
        failure = getpwuid_r(number, &space, strings, sizeof(strings), &entry);
    else
        failure = getpwnam_r(value, &space, strings, sizeof(strings), &entry);
    if (!entry && !is_number(value, &number)) {
        if (!failure || failure == ENOENT) return unknown_user(value, text);
        snprintf(text, 160, "users cannot be looked up: %s",
                 torc_err_text(torc_err_from_errno(failure)));
        return text;
    }
    if ((entry ? entry->pw_uid : number) == 0) return "that is root, who drops nothing";
    rights->user = value;
    if (entry) return take_entry(rights, entry, text);
    rights->uid = number; /* a number without a name: its group has to be told */
    rights->group_count = 0;
    return NULL;
}

const char *torc_rights_set_group(torc_rights *rights, const char *value, char text[160]) {
    struct group space, *entry = NULL;
    char strings[ENTRY_BYTES];
    uint32_t number;

    if (!is_number(value, &number)) {
        const int failure = getgrnam_r(value, &space, strings, sizeof(strings), &entry);
        if (!entry && (!failure || failure == ENOENT)) return unknown_group(value, text);
        if (!entry) {
            snprintf(text, 160, "groups cannot be looked up: %s",
                     torc_err_text(torc_err_from_errno(failure)));
            return text;
        }
        number = entry->gr_gid;
    }
    rights->group = value;
    rights->gid = number;
    rights->has_gid = true;
    return NULL;
}

const char *torc_rights_check(const torc_rights *rights) {
    if (rights->user && !rights->has_gid)
        return "--user: the number has no entry that tells its group; add --group";
    if (rights->group && !rights->user) return "--group: has no meaning without --user";
    if (rights->chroot && !rights->user) return "--chroot: keeps nobody in who is root; add --user";
    return NULL;
}

/* ---- dropping ---- */

static const char *failed(const char *what, char text[160]) {
    const int number = errno;

    snprintf(text, 160, "%s: %s%s", what, torc_err_text(torc_err_from_errno(number)),
             number == EPERM ? "; start it as root, or without this option" : "");
    return text;
}

/* The zone of the local time is read before its file is out of reach. */
static const char *change_root(const char *folder, char text[160]) {
    char option[80];

    if (!folder) return NULL;
    tzset();
    snprintf(option, sizeof(option), "--chroot %s", folder);
    if (chdir(folder) || chroot(".") || chdir("/")) return failed(option, text);
    return NULL;
}

/* None of root's rights can come back by executing a program. Not all who call may do this. */
static void drop_bounds(void) {
    for (unsigned long right = 0; prctl(PR_CAPBSET_READ, right, 0, 0, 0) >= 0; right++)
        (void)prctl(PR_CAPBSET_DROP, right, 0, 0, 0);
}

static bool is_user_already(const torc_rights *rights) {
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    return getresuid(&real, &effective, &saved) == 0 &&
           getresgid(&real_group, &effective_group, &saved_group) == 0 && real == rights->uid &&
           effective == rights->uid && saved == rights->uid && real_group == rights->gid &&
           effective_group == rights->gid && saved_group == rights->gid;
}

static const char *change_user(const torc_rights *rights, char text[160]) {
    if (is_user_already(rights)) return NULL;
    if (setgroups((size_t)rights->group_count, rights->groups))
        return failed("--user: leaving the groups", text);
    if (setresgid(rights->gid, rights->gid, rights->gid))
        return failed(rights->group ? "--group" : "--user: its group", text);
    if (setresuid(rights->uid, rights->uid, rights->uid)) return failed("--user", text);
    return NULL;
}

static bool set_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};

    return syscall(SYS_capset, &header, none) == 0;
}

static bool has_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2] = {{0}, {0}};

    return syscall(SYS_capget, &header, now) != 0 || now[0].permitted || now[1].permitted ||
           now[0].effective || now[1].effective || now[0].inheritable || now[1].inheritable;
}

static const char *drop_capabilities(char text[160]) {
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* goes with the others, too */
    return set_capabilities() ? NULL : failed("--user: its capabilities", text);
}

/* What must not work any more. */
static bool is_regained(const torc_rights *rights) {
    return !is_user_already(rights) || setresuid(0, 0, 0) == 0 || setuid(0) == 0 ||
           seteuid(0) == 0 || (rights->gid != 0 && setresgid(0, 0, 0) == 0) || has_capabilities();
}

const char *torc_rights_drop(const torc_rights *rights, char text[160]) {
    const char *wrong;

    if (!rights->user) return NULL;
    wrong = change_root(rights->chroot, text);
    if (wrong) return wrong;
    drop_bounds();
    wrong = change_user(rights, text);
    if (!wrong) wrong = drop_capabilities(text);
    if (wrong) return wrong;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return failed("no new privileges", text);
    return is_regained(rights) ? "--user: the rights of root could be had again" : NULL;
}
