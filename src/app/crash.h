/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_CRASH_H
#define TORC_APP_CRASH_H

#include <torc/types.h>

/*
 * The report of a crash.
 *
 * From torc_crash_watch() to torc_crash_forget(), a SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT of
 * the process, or of one that it forks, has written to `fd`: the signal, where it was, whether a
 * fiber's stack has overflowed, and the last events of the log. Then the signal has its usual
 * effect. Signals that somebody handles already (a sanitizer, the program) are left alone. One app
 * at a time, in the thread that serves.
 */
void torc_crash_watch(torc_app *app, int fd);
void torc_crash_forget(void);

#endif
