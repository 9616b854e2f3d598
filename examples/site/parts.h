/* SPDX-License-Identifier: MIT */
#ifndef PARTS_H
#define PARTS_H

#include <torc/app.h>

/* The parts of the site that are in files of their own: each puts its routes into the tree. */
void upload_use(torc_app *app);  /* PUT and POST /upload, GET and POST /files */
void cookies_use(torc_app *app); /* /cookies */
void errors_use(torc_app *app);  /* own pages for what goes wrong, and /fail */

/* In the process that serves, where they have what belongs to it. */
const char *cookies_start(torc_app *app);
void cookies_stop(void);

#endif
