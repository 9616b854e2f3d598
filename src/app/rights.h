/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_RIGHTS_H
#define TORC_APP_RIGHTS_H

#include <sys/types.h>
#include <torc/types.h>

/*
 * Giving up rights: what root (or who has some of its rights) opens first, somebody with none
 * serves.
 *
 * Names are looked up when they are set, as arguments are read: nothing of the system's name
 * service is needed later, beneath a chroot. Only the calling thread may be there yet when rights
 * are dropped.
 */
enum {
    TORC_RIGHTS_GROUPS_MAX = 64
};

typedef struct torc_rights {
    const char *user, *group; /* as they were written, the caller's; NULL: not set */
    const char *chroot;       /* the caller's; NULL: none */
    uid_t uid;
    gid_t gid; /* the group that was set, or the user's own */
    bool has_gid;
    gid_t groups[TORC_RIGHTS_GROUPS_MAX]; /* all of the user's */
    int group_count;
} torc_rights;

/* Each answers NULL, or why the value cannot be used, as a sentence part in `text`. */
const char *torc_rights_set_user(torc_rights *rights, const char *value, char text[160]);
const char *torc_rights_set_group(torc_rights *rights, const char *value, char text[160]);
/* Whether what was set goes together; NULL, or the mistake with the name of its option. */
const char *torc_rights_check(const torc_rights *rights);
/*
 * Become the user for good: change the root folder, leave all groups but the user's, drop all
 * capabilities and the way back to them, and let no program that is executed have more (no new
 * privileges). Answers NULL when this is done and was tried in vain to undo; else why not, and the
 * process must end. Without a user there is nothing to be done.
 */
const char *torc_rights_drop(const torc_rights *rights, char text[160]);

#endif
