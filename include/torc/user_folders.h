/* SPDX-License-Identifier: MIT */
#ifndef TORC_USER_FOLDERS_H
#define TORC_USER_FOLDERS_H

#include <sys/types.h>
#include <torc/static_files.h>

/**
 * The folders of a machine's users: /~joe/… is served from the folder public_html in joe's home.
 *
 *     torc_resource_put_child(root, "users", torc_user_folders_new(NULL));
 *     torc_resource_rewrite(root, "/~{user}", "/users/{user}");
 *
 * Users are looked up on a thread, and what was found is kept for a short time. A user without such
 * a folder is as one that does not exist. Nothing outside of the folder is ever read: see
 * <torc/static_files.h>; the server needs the right to read it.
 */
enum {
    TORC_USER_NAME_MAX = 32,
    TORC_USER_HOME_MAX = 1024
};

/**
 * Find a user's home: its absolute path, in `home`. Any thread. TORC_ERR_NOT_FOUND: there is none,
 * or it is not for the web.
 */
typedef torc_err torc_user_home_fn(void *context, const char *user, char home[TORC_USER_HOME_MAX]);

typedef struct torc_user_folders_options {
    size_t size;        /* sizeof(torc_user_folders_options) */
    const char *folder; /* within the home; "public_html"; "": the home itself. Copied */
    uid_t uid_min;      /* users below are none: 1000; systems' own accounts have no pages */
    bool is_listed;     /* the resource itself is a page with a link for each user of /etc/passwd */
    uint32_t users_max; /* that are kept at a time: 64 */
    const torc_static_files_options *files; /* how they are served; lent, with all that it points
                                               to, for as long as the resource lives */
    torc_user_home_fn *home_of;             /* in place of the system's users; NULL: getpwnam_r() */
    void *context;                          /* of it; outlives the resource */
} torc_user_folders_options;

TORC_BEGIN_DECLS

/** Make the resource: users are its children. NULL when out of memory, and for a folder that leads
 * out of the home. */
TORC_API torc_resource *torc_user_folders_new(const torc_user_folders_options *options);

TORC_END_DECLS

#endif
