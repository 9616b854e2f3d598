/* SPDX-License-Identifier: MIT */
#ifndef TORC_CLI_WEB_HOSTS_H
#define TORC_CLI_WEB_HOSTS_H

#include <torc/torc.h>

/*
 * Options of torc web by which hosts have folders of their own, and paths lead elsewhere.
 */
void torc_web_hosts_add_options(torc_app *app);
/* From the app's start: put what was asked for around its root. `files` is as folders are served.
 */
void torc_web_hosts_put(torc_app *app, const torc_static_files_options *files);

#endif
