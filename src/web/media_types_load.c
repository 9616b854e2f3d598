/* SPDX-License-Identifier: MIT */
/*
 * Media types from a file.
 */
#include <stdio.h>
#include <torc/media_types.h>

#include "web/file_text.h"

enum {
    FILE_BYTES_MAX = 1024 * 1024
};

torc_err torc_media_types_load(torc_media_types *types, const char *path,
                               torc_media_types_error *error) {
    torc_buf text;
    torc_err err;

    if (error) *error = (torc_media_types_error){0};
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 2 * FILE_BYTES_MAX);
    err = torc_file_text_read(path, FILE_BYTES_MAX, &text);
    if (!err)
        err = torc_media_types_parse(types, torc_buf_str(&text), error);
    else if (error)
        snprintf(error->text, sizeof(error->text), "%s", torc_err_text(err));
    torc_buf_dispose(&text);
    return err;
}
