/* SPDX-License-Identifier: MIT */
/*
 * The files of keys and certificates.
 *
 *  - A file is written under another name beside its own, which nobody had, with its permissions;
 *    only when all of it is on the disk it is moved: who reads finds the old one or the new one.
 *  - Without leave to replace, the move fails where there is a file: no look before it can be late.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <torc/certificate.h>
#include <torc/random.h>
#include <unistd.h>

enum {
    FILE_MAX = 1024 * 1024,
    PIECE = 16 * 1024
};

static bool write_all(int fd, torc_str bytes) {
    while (bytes.len > 0) {
        const ssize_t count = write(fd, bytes.bytes, bytes.len);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        bytes = torc_str_from(bytes, (size_t)count);
    }
    return true;
}

/* Write it all under `name`; on failure nothing of that name is left, and errno says why. */
static bool write_new(const char *name, torc_str pem, uint32_t mode) {
    const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0) return false;
    bool fine = fchmod(fd, mode) == 0 && write_all(fd, pem) && fsync(fd) == 0;
    int why = errno;
    if (close(fd) && fine) {
        fine = false;
        why = errno;
    }
    if (!fine) unlink(name);
    errno = why;
    return fine;
}

/* A folder's file system may not know how to move without replacing: a second name does it, too. */
static bool move_to_new(const char *from, const char *to) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    return link(from, to) == 0 && unlink(from) == 0;
}

torc_err torc_pem_save(const char *path, torc_str pem, uint32_t mode, bool replace) {
    char name[PATH_MAX];
    uint64_t number;
    const torc_err err = torc_random_bytes(&number, sizeof number);

    if (err) return err;
    if (snprintf(name, sizeof name, "%s.%016llx", path, (unsigned long long)number) >=
        (int)sizeof name)
        return TORC_ERR_LIMIT;
    if (!write_new(name, pem, mode)) return torc_err_from_errno(errno);
    if (replace ? rename(name, path) == 0 : move_to_new(name, path)) return TORC_OK;
    const int why = errno;
    unlink(name);
    return torc_err_from_errno(why);
}

/* Up to the end, and not beyond what a file may have. */
static torc_err read_all(int fd, torc_buf *pem) {
    for (size_t got = 0; got <= FILE_MAX;) {
        char *const room = torc_buf_reserve(pem, PIECE);
        if (!room) return torc_buf_err(pem);
        const ssize_t count = read(fd, room, PIECE);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return torc_err_from_errno(errno);
        if (count == 0) return TORC_OK;
        torc_buf_commit(pem, (size_t)count);
        got += (size_t)count;
    }
    return TORC_ERR_TOO_LARGE;
}

torc_err torc_pem_load(const char *path, torc_buf *pem) {
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) return torc_err_from_errno(errno);
    torc_err err = fstat(fd, &about) ? torc_err_from_errno(errno) : TORC_OK;
    if (!err && S_ISDIR(about.st_mode)) err = TORC_ERR_IS_DIRECTORY;
    if (!err && !S_ISREG(about.st_mode)) err = TORC_ERR_INVALID;
    if (!err) err = read_all(fd, pem);
    close(fd);
    return err;
}
