/* SPDX-License-Identifier: MIT */
/*
 * Media types from a file.
 *
 *  - The file is read whole, and no further than its maximum, whatever it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <torc/buf.h>
#include <torc/media_types.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 1024 * 1024,
    STEP = 16384
};

static torc_err read_all(int fd, torc_buf *text) {
    for (;;) {
        char *room = torc_buf_reserve(text, STEP);
        if (!room)
            return torc_buf_err(text) == TORC_ERR_LIMIT ? TORC_ERR_TOO_LARGE : torc_buf_err(text);
        const ssize_t len = read(fd, room, STEP);
        if (len < 0 && errno == EINTR) continue;
        if (len < 0) return torc_err_from_errno(errno);
        if (len == 0) return TORC_OK;
        torc_buf_commit(text, (size_t)len);
    }
}

static torc_err read_file(const char *path, torc_buf *text) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) return torc_err_from_errno(errno);
    const torc_err err = read_all(fd, text);
    close(fd);
    return err;
}

torc_err torc_media_types_load(torc_media_types *types, const char *path,
                               torc_media_types_error *error) {
    torc_buf text;
    torc_err err;

    if (error) *error = (torc_media_types_error){0};
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, FILE_BYTES_MAX + STEP);
    err = read_file(path, &text);
    if (!err && text.len > FILE_BYTES_MAX) err = TORC_ERR_TOO_LARGE;
    if (!err)
        err = torc_media_types_parse(types, torc_buf_str(&text), error);
    else if (error)
        snprintf(error->text, sizeof(error->text), "%s", torc_err_text(err));
    torc_buf_dispose(&text);
    return err;
}
