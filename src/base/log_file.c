/* SPDX-License-Identifier: MIT */
/*
 * Files that lines are appended to.
 *
 *  - `fd` is one number from opening to closing: dup3() puts the new file in its place, at once for
 *    all threads, while a write that is under way ends in the old one.
 *  - `folder` is -1 for what is never opened again: the standard streams, pipes, devices.
 *  - All is opened O_NONBLOCK, which means nothing to files; a description that is shared with
 *    others (the standard output that a shell gave) is never set so: it is opened anew, or left.
 */
#include "base/log_file.h"
#include "base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"

enum {
    FLAGS = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
    DAY = 86400,    /* seconds */
    NUMBER_MAX = 16 /* characters of ".1" and its like, with the NUL */
};

struct torc_log_file {
    int fd, folder;
    torc_log_file_options options;
    uid_t owner;
    gid_t group;
    int64_t stretch; /* of local time in which the file was begun, or last written to */
    bool is_socket;
    const char *name; /* within the folder: in `path` */
    char path[];
};

static torc_err err_now(void) {
    return errno == ENXIO ? TORC_ERR_REFUSED : torc_err_from_errno(errno);
}

/* ---- opening ---- */

static torc_log_file_options read_options(const torc_log_file_options *given) {
    torc_log_file_options options = {0};

    TORC_OPTIONS_READ(&options, given);
    if (!options.mode) options.mode = 0640;
    if (!options.keep) options.keep = 7;
    return options;
}

/*
 * A stream that others have, too. A pipe or a terminal is opened anew, to be written to without
 * waiting; not a file, whose offset is shared, and sockets cannot be.
 */
static int open_stream(int stream) {
    struct stat status;
    char path[32];

    if (fstat(stream, &status)) return -1;
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", stream);
        const int fd = open(path, FLAGS);
        if (fd >= 0) return fd;
    }
    return fcntl(stream, F_DUPFD_CLOEXEC, 3);
}

static int open_folder(torc_log_file *self) {
    char *slash = strrchr(self->path, '/');
    int folder;

    if (!slash) return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (slash == self->path) return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    *slash = '\0';
    folder = open(self->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';
    return folder;
}

/* The stretch of local time that a second is in; without a length there is one only. Weeks begin on
 * Mondays, and 1970 began on a Thursday. */
static int64_t stretch_of(const torc_log_file *self, time_t seconds) {
    const uint32_t length = self->options.rotate_seconds;
    struct tm tm;

    if (!length || !localtime_r(&seconds, &tm)) return 0;
    const int64_t since = (int64_t)seconds + tm.tm_gmtoff;
    return (since + (length % (7 * DAY) == 0 ? 3 * DAY : 0)) / length;
}

/* A file that has other names is not given away: one of these may be what it is known by. */
static torc_err give_to_owner(const torc_log_file *self, int fd) {
    struct stat status;

    if (self->owner == (uid_t)-1 && self->group == (gid_t)-1) return TORC_OK;
    if (fstat(fd, &status) == 0 && status.st_nlink > 1) return TORC_OK;
    return fchown(fd, self->owner, self->group) ? torc_err_from_errno(errno) : TORC_OK;
}

/* Open what a link of /proc leads to, which only the kernel can follow, or the path that another
 * link holds: the one that was looked at, not one that has come in its place. */
static int follow(const torc_log_file *self, int link) {
    struct statfs about;
    char target[PATH_MAX];
    const ssize_t len = readlinkat(link, "", target, sizeof(target));

    if (fstatfs(link, &about) == 0 && about.f_type == PROC_SUPER_MAGIC)
        return openat(self->folder, self->name, FLAGS);
    if (len < 0 || len == (ssize_t)sizeof(target)) return -1;
    target[len] = '\0';
    return openat(self->folder, target, FLAGS | O_CREAT, self->options.mode);
}

/*
 * Root follows only links that are root's: whoever else may write to the log's folder, as the user
 * does as whom the server serves, could have any file appended to, and be made its owner.
 */
static int follow_own(const torc_log_file *self) {
    const int link = openat(self->folder, self->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    int fd = -1;

    if (link < 0) return -1;
    if (fstat(link, &status) == 0 && status.st_uid != 0)
        errno = EACCES;
    else
        fd = follow(self, link);
    const int failure = errno;
    close(link);
    errno = failure;
    return fd;
}

static int open_or_make(const torc_log_file *self) {
    const bool is_root = geteuid() == 0;
    const int fd = openat(self->folder, self->name, FLAGS | O_CREAT | (is_root ? O_NOFOLLOW : 0),
                          self->options.mode);

    return fd < 0 && errno == ELOOP && is_root ? follow_own(self) : fd;
}

/* Open what has the name, or make it. */
static torc_err open_named(torc_log_file *self, int *fd) {
    struct stat status;

    *fd = open_or_make(self);
    if (*fd < 0) return err_now();
    if (fstat(*fd, &status)) {
        const torc_err err = torc_err_from_errno(errno);
        close(*fd);
        return err;
    }
    self->stretch = stretch_of(self, status.st_size > 0 ? status.st_mtime : time(NULL));
    return TORC_OK;
}

static torc_err open_path(torc_log_file *self) {
    const char *slash = strrchr(self->path, '/');
    struct stat status;

    self->name = slash ? slash + 1 : self->path;
    if (!*self->name) return TORC_ERR_IS_DIRECTORY;
    self->folder = open_folder(self);
    if (self->folder < 0) return torc_err_from_errno(errno);
    const torc_err err = open_named(self, &self->fd);
    if (err) return err;
    if (fstat(self->fd, &status) == 0 && !S_ISREG(status.st_mode)) {
        close(self->folder);
        self->folder = -1;
    }
    return TORC_OK;
}

/* The standard stream that a path means, or -1. By name they could not be opened where they are
 * sockets, as a service manager gives them. */
static int stream_of(const char *path) {
    if (strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0) return STDOUT_FILENO;
    return strcmp(path, "+") == 0 || strcmp(path, "/dev/stderr") == 0 ? STDERR_FILENO : -1;
}

static torc_err open_any(torc_log_file *self) {
    const int stream = stream_of(self->path);
    struct stat status;
    torc_err err = TORC_OK;

    if (stream >= 0) {
        self->fd = open_stream(stream);
        if (self->fd < 0) err = torc_err_from_errno(errno);
    } else {
        err = open_path(self);
    }
    self->is_socket = !err && fstat(self->fd, &status) == 0 && S_ISSOCK(status.st_mode);
    return err;
}

torc_err torc_log_file_open(const char *path, const torc_log_file_options *options,
                            torc_log_file **file) {
    const size_t size = strlen(path) + 1;
    torc_log_file *self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self) + size);

    if (!self) return TORC_ERR_NO_MEMORY;
    memcpy(self->path, path, size);
    self->options = read_options(options);
    self->fd = self->folder = -1;
    self->owner = (uid_t)-1;
    self->group = (gid_t)-1;
    const torc_err err = open_any(self);
    if (err) {
        torc_log_file_close(self);
        return err;
    }
    *file = self;
    return TORC_OK;
}

void torc_log_file_close(torc_log_file *file) {
    if (!file) return;
    if (file->fd >= 0) close(file->fd);
    if (file->folder >= 0) close(file->folder);
    torc_dealloc(NULL, file);
}

int torc_log_file_fd(const torc_log_file *file) {
    return file->fd;
}

const char *torc_log_file_path(const torc_log_file *file) {
    return file->path;
}

bool torc_log_file_is_ordinary(const torc_log_file *file) {
    return file->folder >= 0;
}

bool torc_log_file_is_socket(const torc_log_file *file) {
    return file->is_socket;
}

torc_err torc_log_file_set_owner(torc_log_file *file, uid_t owner, gid_t group) {
    if (!torc_log_file_is_ordinary(file)) return TORC_OK;
    file->owner = owner;
    file->group = group;
    return give_to_owner(file, file->fd);
}

/* ---- opening again ---- */

torc_err torc_log_file_reopen(torc_log_file *file) {
    torc_err err;
    int fd;

    if (!torc_log_file_is_ordinary(file)) return TORC_OK;
    err = open_named(file, &fd);
    if (err) return err;
    /* Without the right to, the file stays whose it is: who moved it away may have made it. */
    (void)give_to_owner(file, fd);
    if (dup3(fd, file->fd, O_CLOEXEC) < 0) err = torc_err_from_errno(errno);
    close(fd);
    return err;
}

/* ---- rotation ---- */

static bool is_due(torc_log_file *self) {
    struct stat status;

    if (!self->options.rotate_bytes && !self->options.rotate_seconds) return false;
    if (fstat(self->fd, &status) || status.st_size == 0) {
        self->stretch = stretch_of(self, time(NULL)); /* what is empty gets no older */
        return false;
    }
    if (self->options.rotate_bytes && (uint64_t)status.st_size >= self->options.rotate_bytes)
        return true;
    return stretch_of(self, time(NULL)) != self->stretch;
}

/* Whether the name still leads to the file that is open: not so when somebody has moved it away. */
static bool has_name(const torc_log_file *self) {
    struct stat open_one, named;

    return fstat(self->fd, &open_one) == 0 && fstatat(self->folder, self->name, &named, 0) == 0 &&
           open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

/* Give FILE.n-1 the name FILE.n, FILE itself FILE.1. What is not there is no failure. */
static torc_err move(const torc_log_file *self, uint32_t n, char *from, char *to, size_t size) {
    if (n == 1)
        snprintf(from, size, "%s", self->name);
    else
        snprintf(from, size, "%s.%u", self->name, n - 1);
    snprintf(to, size, "%s.%u", self->name, n);
    if (renameat(self->folder, from, self->folder, to) && errno != ENOENT)
        return torc_err_from_errno(errno);
    return TORC_OK;
}

static torc_err move_all(const torc_log_file *self) {
    const size_t size = strlen(self->name) + NUMBER_MAX;
    char *names = torc_alloc(NULL, TORC_MEMORY_OTHER, 2 * size);
    torc_err err = TORC_OK;

    if (!names) return TORC_ERR_NO_MEMORY;
    for (uint32_t n = self->options.keep; n > 0 && !err; n--)
        err = move(self, n, names, names + size, size);
    torc_dealloc(NULL, names);
    return err;
}

torc_err torc_log_file_rotate_if_due(torc_log_file *file, bool *rotated) {
    torc_err err = TORC_OK;

    *rotated = false;
    if (!torc_log_file_is_ordinary(file) || !is_due(file)) return TORC_OK;
    /* Moved already, be it by this: what is missing is the new file. */
    if (has_name(file)) err = move_all(file);
    if (!err) err = torc_log_file_reopen(file);
    *rotated = !err;
    return err;
}
