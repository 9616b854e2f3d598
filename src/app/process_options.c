/* SPDX-License-Identifier: MIT */
/*
 * The options of the process: users, the background, the filter of system calls.
 *
 *  - Users and groups are looked up here, so a name that is not there is a mistake of the
 *    arguments. Files and folders are tried when the program starts.
 */
#include "app/process_options.h"

#include "app/app.h"
#include "app/seccomp.h"

static const char *apply_user(torc_app *app, const char *value, char text[160]) {
    return torc_rights_set_user(&app->settings.process.rights, value, text);
}

static const char *apply_group(torc_app *app, const char *value, char text[160]) {
    return torc_rights_set_group(&app->settings.process.rights, value, text);
}

static const char *apply_chroot(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!value[0]) return "name the folder that becomes the root";
    app->settings.process.rights.chroot = value;
    return NULL;
}

static const char *apply_seccomp(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.process.seccomp = true;
    return torc_seccomp_missing();
}

static const char *apply_pidfile(torc_app *app, const char *value, char text[160]) {
    (void)text;
    if (!value[0]) return "name the file";
    app->settings.process.pidfile = value;
    return NULL;
}

static const char *apply_daemonize(torc_app *app, const char *value, char text[160]) {
    (void)value;
    (void)text;
    app->settings.process.daemonize = true;
    return NULL;
}

static const char *apply_umask(torc_app *app, const char *value, char text[160]) {
    mode_t mode = 0;
    size_t len = 0;

    (void)text;
    for (; value[len] >= '0' && value[len] <= '7' && len < 4; len++)
        mode = mode * 8 + (mode_t)(value[len] - '0');
    if (len == 0 || value[len] || mode > 0777) return "it is octal, from 000 to 777, as in 027";
    app->settings.process.umask = mode;
    app->settings.process.has_umask = true;
    return NULL;
}

const torc_option torc_app_process_options[TORC_PROCESS_OPTION_COUNT] = {
    {"user", "USER",
     "listen first, then serve as this user\n"
     "A name or a number. Sockets, logs and the pidfile are opened before; then all rights of root "
     "are dropped, with the way back to them, in every process. What is opened later (a log after "
     "its rotation) is opened by this user.",
     apply_user},
    {"group", "GROUP",
     "with this group (the user's own)\n"
     "A name or a number. The user's other groups are kept.",
     apply_group},
    {"chroot", "DIR",
     "with this folder as the root of all paths\n"
     "It needs --user. Paths that are opened later are paths in it: with `--chroot /srv --path "
     "/www` the folder /srv/www is served.",
     apply_chroot},
    {"seccomp", NULL,
     "refuse system calls that Torc never makes\n"
     "By a filter in the kernel, once it serves: no programs are started, no memory becomes "
     "executable. A refused call fails, and the kernel's log tells of it.",
     apply_seccomp},
    {"pidfile", "FILE",
     "write the process's number there; run only once\n"
     "The file is locked while the process lives, so a file that was left behind is in nobody's "
     "way. It is removed at the end or, where the user may not do so, emptied.",
     apply_pidfile},
    {"daemonize", NULL,
     "serve in the background; return when it serves\n"
     "It returns 0 when it serves, or 1 after saying why not. The folder stays the same; the "
     "standard streams lead nowhere, so --log-file is needed.",
     apply_daemonize},
    {"umask", "OCTAL", "permissions that new files lack (or 027 if daemon)", apply_umask},
};

const char *torc_app_process_check(const torc_app_process_settings *settings, bool has_log_file) {
    if (settings->daemonize && !has_log_file)
        return "--daemonize: nobody would see the log; add --log-file FILE (or /dev/null)";
    return torc_rights_check(&settings->rights);
}
