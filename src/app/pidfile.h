/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_PIDFILE_H
#define TORC_APP_PIDFILE_H

/*
 * The file that holds the number of the process, for scripts, and for keeping a second server away.
 *
 * Whoever has it locked is alive. The number in it alone says nothing: after a crash another
 * process may have that number, and in a container it is always 1.
 */
typedef struct torc_pidfile {
    const char *path; /* the caller's; NULL: there is none */
    int fd;           /* open and locked */
} torc_pidfile;

/*
 * Write this process's number into the file at `path`, which is made or, when nobody has it locked
 * any more, taken over. The lock is this process's: a child has it not. Answers NULL, or why not.
 */
const char *torc_pidfile_open(torc_pidfile *pidfile, const char *path, char text[160]);
/*
 * Remove the file. Where that is no longer allowed, or the file is out of reach of a chroot, it is
 * emptied.
 */
void torc_pidfile_close(torc_pidfile *pidfile);

#endif
