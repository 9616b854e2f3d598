/* SPDX-License-Identifier: MIT */
/*
 * Lines of sources.
 *
 *  - A place is written by the compiler, so its path is as good as the program. What there is now
 *    at that path may be anything: no more than a source has is read, and long lines are cut.
 */
#include "web/error_source.h"

#include <string.h>

#include "web/file_text.h"

enum {
    AROUND = TORC_SOURCE_LINES / 2,
    CUT_MAX = TORC_SOURCE_BYTES / TORC_SOURCE_LINES,
    SOURCE_MAX = 1024 * 1024
};

static bool read_place(const char *place, char path[512], uint32_t *line) {
    const char *colon = strrchr(place, ':');
    uint64_t number;

    if (!colon || (size_t)(colon - place) >= 512) return false;
    if (torc_str_parse_uint(torc_str_of(colon + 1), 10000000, &number) || !number) return false;
    memcpy(path, place, (size_t)(colon - place));
    path[colon - place] = '\0';
    *line = (uint32_t)number;
    return true;
}

/* As the compiler wrote it, or from the folder of the sources, which is above that of the build. */
static torc_err read_source(const char *path, torc_buf *text) {
    torc_err err = torc_file_text_read(path, SOURCE_MAX, text);

    if (err != TORC_ERR_NOT_FOUND || strncmp(path, "../", 3) != 0) return err;
    while (strncmp(path, "../", 3) == 0) path += 3;
    return torc_file_text_read(path, SOURCE_MAX, text);
}

static void find_lines(torc_str text, torc_source_lines *lines) {
    const uint32_t first = lines->wanted > AROUND ? lines->wanted - AROUND : 1;
    size_t at = 0;
    torc_str line;

    lines->first = first;
    lines->count = 0;
    for (uint32_t number = 1; torc_str_split(&text, '\n', &line); number++) {
        const torc_str cut = torc_str_head(line, CUT_MAX);
        if (number < first) continue;
        if (lines->count == TORC_SOURCE_LINES) return;
        if (cut.len) memcpy(lines->bytes + at, cut.bytes, cut.len);
        lines->at[lines->count++] = torc_str_make(lines->bytes + at, cut.len);
        at += cut.len;
    }
}

bool torc_source_read(const char *place, torc_source_lines *lines) {
    char path[512];
    torc_buf text;
    torc_err err;

    if (!read_place(place, path, &lines->wanted)) return false;
    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, 2 * SOURCE_MAX);
    err = read_source(path, &text);
    if (!err) find_lines(torc_buf_str(&text), lines);
    torc_buf_dispose(&text);
    return !err && lines->count > lines->wanted - lines->first;
}
