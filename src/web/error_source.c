/* SPDX-License-Identifier: MIT */
/*
 * Lines of sources.
 *
 *  - A place is written by the compiler, so its path is as good as the program. What there is now
 *    at that path may be anything: it is read line by line, up to the one wanted, and long lines
 *    are cut.
 */
#include "web/error_source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AROUND = TORC_SOURCE_LINES / 2,
    LINE_MAX = TORC_SOURCE_BYTES / TORC_SOURCE_LINES
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
static FILE *open_source(const char *path) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    while (fd < 0 && strncmp(path, "../", 3) == 0) path += 3;
    if (fd < 0) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    FILE *file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? fdopen(fd, "r") : NULL;
    if (!file) close(fd);
    return file;
}

/* The next line, cut; false at the end. */
static bool read_line(FILE *file, char *line, size_t size, size_t *len) {
    int byte;

    for (*len = 0; (byte = getc(file)) != EOF && byte != '\n';)
        if (*len < size) line[(*len)++] = (char)byte;
    return byte != EOF || *len > 0;
}

bool torc_source_read(const char *place, torc_source_lines *lines) {
    char path[512];
    FILE *file;
    size_t at = 0, len;

    if (!read_place(place, path, &lines->wanted)) return false;
    file = open_source(path);
    if (!file) return false;
    lines->first = lines->wanted > AROUND ? lines->wanted - AROUND : 1;
    lines->count = 0;
    for (uint32_t number = 1; lines->count < TORC_SOURCE_LINES; number++) {
        if (!read_line(file, lines->bytes + at, LINE_MAX, &len)) break;
        if (number < lines->first) continue;
        lines->at[lines->count++] = torc_str_make(lines->bytes + at, len);
        at += len;
    }
    fclose(file);
    return lines->count > lines->wanted - lines->first;
}
