/* SPDX-License-Identifier: MIT */
/*
 * Media types by the extensions of names.
 *
 *  - The table is sorted by extension, in small letters, for a binary search.
 */
#include "message/media_type.h"

enum {
    EXTENSION_MAX = 12
};

typedef struct media_type {
    char extension[EXTENSION_MAX];
    torc_str type;
} media_type;

#define TYPE(extension, type)                                                                      \
    { extension, TORC_STR_INIT(type) }

static const media_type types[] = {
    TYPE("7z", "application/x-7z-compressed"),
    TYPE("aac", "audio/aac"),
    TYPE("apng", "image/apng"),
    TYPE("atom", "application/atom+xml"),
    TYPE("avif", "image/avif"),
    TYPE("bmp", "image/bmp"),
    TYPE("bz2", "application/x-bzip2"),
    TYPE("c", "text/x-c"),
    TYPE("css", "text/css"),
    TYPE("csv", "text/csv"),
    TYPE("flac", "audio/flac"),
    TYPE("gif", "image/gif"),
    TYPE("gz", "application/gzip"),
    TYPE("h", "text/x-c"),
    TYPE("htm", "text/html"),
    TYPE("html", "text/html"),
    TYPE("ico", "image/vnd.microsoft.icon"),
    TYPE("ics", "text/calendar"),
    TYPE("jpeg", "image/jpeg"),
    TYPE("jpg", "image/jpeg"),
    TYPE("js", "text/javascript"),
    TYPE("json", "application/json"),
    TYPE("jsonld", "application/ld+json"),
    TYPE("md", "text/markdown"),
    TYPE("mid", "audio/midi"),
    TYPE("mjs", "text/javascript"),
    TYPE("mp3", "audio/mpeg"),
    TYPE("mp4", "video/mp4"),
    TYPE("oga", "audio/ogg"),
    TYPE("ogg", "audio/ogg"),
    TYPE("ogv", "video/ogg"),
    TYPE("opus", "audio/ogg"),
    TYPE("otf", "font/otf"),
    TYPE("pdf", "application/pdf"),
    TYPE("png", "image/png"),
    TYPE("rss", "application/rss+xml"),
    TYPE("rtf", "application/rtf"),
    TYPE("svg", "image/svg+xml"),
    TYPE("tar", "application/x-tar"),
    TYPE("tif", "image/tiff"),
    TYPE("tiff", "image/tiff"),
    TYPE("ttf", "font/ttf"),
    TYPE("txt", "text/plain"),
    TYPE("vtt", "text/vtt"),
    TYPE("wasm", "application/wasm"),
    TYPE("wav", "audio/wav"),
    TYPE("weba", "audio/webm"),
    TYPE("webm", "video/webm"),
    TYPE("webmanifest", "application/manifest+json"),
    TYPE("webp", "image/webp"),
    TYPE("woff", "font/woff"),
    TYPE("woff2", "font/woff2"),
    TYPE("xhtml", "application/xhtml+xml"),
    TYPE("xml", "application/xml"),
    TYPE("xz", "application/x-xz"),
    TYPE("zip", "application/zip"),
    TYPE("zst", "application/zstd"),
};

/* What stands behind the last dot, in small letters; empty: nothing that could be in the table. */
static torc_str extension_of(torc_str name, char extension[EXTENSION_MAX]) {
    size_t start = name.len;

    while (start > 0 && name.bytes[start - 1] != '.') start--;
    const torc_str text = torc_str_from(name, start);
    if (start == 0 || text.len > EXTENSION_MAX) return torc_str_make("", 0);
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.bytes[i];
        extension[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return torc_str_make(extension, text.len);
}

torc_str torc_media_type_of_name(torc_str name) {
    char bytes[EXTENSION_MAX];
    const torc_str extension = extension_of(name, bytes);
    size_t low = 0, high = TORC_COUNT_OF(types);

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = torc_str_compare(torc_str_of(types[middle].extension), extension);
        if (order == 0) return types[middle].type;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return torc_str_make(NULL, 0);
}
