/* SPDX-License-Identifier: MIT */
/*
 * Small files, read whole while a program is set up.
 */
#include "web/file_text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    STEP = 16384
};

/* One byte more than may be tells that there are too many. */
static torc_err read_all(int fd, size_t max, torc_buf *text) {
    for (size_t total = 0; total <= max;) {
        const size_t step = max + 1 - total < STEP ? max + 1 - total : STEP;
        char *room = torc_buf_reserve(text, step);
        if (!room)
            return torc_buf_err(text) == TORC_ERR_LIMIT ? TORC_ERR_TOO_LARGE : torc_buf_err(text);
        const ssize_t len = read(fd, room, step);
        if (len < 0 && errno == EINTR) continue;
        if (len < 0) return torc_err_from_errno(errno);
        if (len == 0) return TORC_OK;
        torc_buf_commit(text, (size_t)len);
        total += (size_t)len;
    }
    return TORC_ERR_TOO_LARGE;
}

torc_err torc_file_text_read(const char *path, size_t max, torc_buf *text) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) return torc_err_from_errno(errno);
    const torc_err err = read_all(fd, max, text);
    close(fd);
    return err;
}
