/* SPDX-License-Identifier: MIT */
/*
 * The file with the number of the process.
 *
 *  - No link is followed, and nothing but an ordinary file with one name is written to: the folder
 *    may be anybody's, and the program root's.
 *  - What holds anything but a number is somebody's file, and stays.
 *  - The file that was locked is the one that stands at the path, also when another server has
 *    removed its own in between.
 *  - Only the file that was locked is removed, never another one at the same path.
 */
#include "app/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <torc/err.h>
#include <unistd.h>

enum {
    TRIES_MAX = 8
};

static const char *refused(char text[160]) {
    snprintf(text, 160, "%s", torc_err_text(torc_err_from_errno(errno)));
    return text;
}

/* Whether a descriptor is the file at a path. */
static bool is_at(const char *path, int fd) {
    struct stat open, named;

    return fstat(fd, &open) == 0 && lstat(path, &named) == 0 && open.st_ino == named.st_ino &&
           open.st_dev == named.st_dev;
}

/* The number of the process that has the file locked; by the file, when the kernel does not tell.
 */
static long holder_of(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char digits[24] = "";
    long pid = 0;

    if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
        return lock.l_pid;
    if (pread(fd, digits, sizeof(digits) - 1, 0) > 0) (void)!sscanf(digits, "%ld", &pid);
    return pid;
}

static const char *lock(int fd, char text[160]) {
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &whole) == 0) return NULL;
    if (errno != EAGAIN && errno != EACCES) return refused(text);
    snprintf(text, 160, "process %ld runs with it; stop that one, or name another file",
             holder_of(fd));
    return text;
}

static const char *check_kind(int fd, char text[160]) {
    struct stat about;

    if (fstat(fd, &about)) return refused(text);
    if (S_ISREG(about.st_mode) && about.st_nlink <= 1) return NULL;
    snprintf(text, 160, "it is no ordinary file with one name");
    return text;
}

/* Whether a server may have left it: it is empty, or begins with a number. */
static const char *check_content(int fd) {
    char first = '0';

    if (pread(fd, &first, 1, 0) < 0 || (first >= '0' && first <= '9')) return NULL;
    return "it holds no number of a process; name another file, or remove it";
}

/* Open and lock the file at the path. */
static const char *take(const char *path, int *fd, char text[160]) {
    for (int i = 0; i < TRIES_MAX; i++) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
        if (*fd < 0) return errno == ELOOP ? "it is a symbolic link" : refused(text);
        const char *why = check_kind(*fd, text);
        if (!why) why = check_content(*fd);
        if (!why) why = lock(*fd, text);
        if (!why && is_at(path, *fd)) return NULL;
        close(*fd);
        if (why) return why;
    }
    return "it is replaced again and again";
}

const char *torc_pidfile_open(torc_pidfile *pidfile, const char *path, char text[160]) {
    char digits[24];
    int fd;

    *pidfile = (torc_pidfile){.fd = -1};
    const char *wrong = take(path, &fd, text);
    if (wrong) return wrong;
    const int len = snprintf(digits, sizeof(digits), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, digits, (size_t)len, 0) != len) {
        wrong = refused(text);
        close(fd);
        return wrong;
    }
    *pidfile = (torc_pidfile){.path = path, .fd = fd};
    return NULL;
}

void torc_pidfile_close(torc_pidfile *pidfile) {
    if (!pidfile->path) return;
    if (!is_at(pidfile->path, pidfile->fd) || unlink(pidfile->path))
        (void)!ftruncate(pidfile->fd, 0);
    close(pidfile->fd);
    *pidfile = (torc_pidfile){.fd = -1};
}
