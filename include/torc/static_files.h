/* SPDX-License-Identifier: MIT */
#ifndef TORC_STATIC_FILES_H
#define TORC_STATIC_FILES_H

#include <torc/fields.h>
#include <torc/media_types.h>
#include <torc/resource.h>

/**
 * Static files: a folder, or one file, as a resource.
 *
 * Nothing outside the folder is ever served, whatever `..`, encodings and symbolic links try; nor
 * are names that begin with a dot, but for `.well-known` (RFC 8615). GET and HEAD are answered,
 * with ETag and Last-Modified and what depends on them: 304, 412, ranges. A folder is answered by
 * its index or by a listing, and asked for without the slash by a redirect that keeps the query.
 * The reactor never waits for a disk.
 *
 * A file `page.html` may have compressed siblings, `page.html.br`, `.zst` or `.gz`, made in advance
 * and no older than it is: a peer that accepts the coding gets the sibling, with a tag of its own.
 * All answers for such a file say `Vary: Accept-Encoding`.
 *
 * Options are copied, but for `media_types`. Lists of texts end in NULL, and have no more than
 * TORC_STATIC_LIST_MAX members:
 *
 *     const char *const index[] = {"index.html", "index.htm", NULL};
 *     const torc_static_files_options options = {.size = sizeof(options), .index = index};
 *     torc_resource_put_child(root, "docs", torc_static_files_new("/srv/docs", &options));
 */
enum {
    TORC_STATIC_LIST_MAX = 64,
    TORC_STATIC_INDEX_MAX = 8,     /* of index names */
    TORC_STATIC_EXTENSIONS_MAX = 6 /* of a kind: each ignored one is a file to look for */
};

/** How files are served; zeros are the defaults. */
typedef struct torc_static_files_options {
    size_t size; /* sizeof(torc_static_files_options) */
    /* The names that stand for their folder, in order; NULL: "index.html"; empty: none. */
    const char *const *index;
    const char *default_type;            /* "application/octet-stream" */
    const torc_media_types *media_types; /* lent for as long as the resource lives; NULL: those that
                                            are built in */
    const char *charset; /* added to text types that name none, "utf-8" say; NULL: nothing is added,
                            as the server does not know */
    /* Extensions that a path may lack: with "html", /a answers a.html when there is no a; "*": with
     * any. NULL: none. */
    const char *const *ignored_extensions;
    /* Extensions of files that are whole responses, "asis" say: a head, an empty line, and the
     * content. What the head says is sent, but for what frames a message; one that is malformed is
     * a 500. NULL: none. */
    const char *const *as_is_extensions;
    /* PATTERN=VALUE: Cache-Control for the files that match, the first that does. A pattern without
     * a slash is for names ("*.css"), one that begins with a slash for paths beneath the folder
     * ("/assets/" and a star); `*` stands for any bytes, `?` for one. NULL: no field. */
    const char *const *cache_control;
    /* Added to each response, as those of torc_site_options are; copied. */
    const torc_field *fields;
    size_t field_count;
    /* A file beneath the folder that is sent, as a 404, where nothing is found. NULL: the error
     * page. */
    const char *not_found;
    /* A file beneath the folder that is sent, as a 200, where nothing is found and a page might be
     * meant: the last name of the path has no dot, and HTML is accepted. For applications that look
     * at the path themselves. NULL: none. */
    const char *fallback;
    torc_render_fn *child_not_found; /* answers where nothing is found, in place of `not_found` */
    torc_render_fn *forbidden; /* answers for what may not be read, in place of the page of 403 */
    /* Answer a folder that has no index by what is in it, as a page that can be sorted; as JSON to
     * who asks for it, by Accept or `?format=json`. Names that would not be found are left out, and
     * all beyond 10,000. Off: 404. */
    bool list;
    bool dotfiles;             /* serve names that begin with a dot, too */
    bool ignore_precompressed; /* look for no siblings: saves looking for them */
    /* The last extension as a coding, as Twisted does: data.tar.gz is application/x-tar in gzip. A
     * browser unpacks it on the way, and saves a data.tar.gz that is none; so it is off, and such a
     * file is what it is, application/gzip. (An .svgz is in gzip always: it has no other use.) */
    bool extensions_are_codings;
    /* What is kept of files, by each reactor that serves them; changes of them are noticed. Zeros
     * are the defaults. */
    bool cache_is_off;           /* everything is looked at for each request */
    uint32_t cache_entries_max;  /* 4096 paths */
    uint32_t cache_open_max;     /* 128 more, of files that are held open */
    size_t cache_bytes_max;      /* 32 MiB of memory */
    size_t cache_file_bytes_max; /* 64 KiB: the content of files up to this size is in memory */
} torc_static_files_options;

TORC_BEGIN_DECLS

/**
 * The files at `path`, a folder or a single file, which may come to be later; relative ones are
 * those of the process. NULL when out of memory, and for options that torc_static_files_check()
 * finds fault with.
 */
TORC_API torc_resource *torc_static_files_new(const char *path,
                                              const torc_static_files_options *options);
/** What is wrong with the options, as a sentence part in `text`; NULL: nothing. */
TORC_API const char *torc_static_files_check(const torc_static_files_options *options,
                                             char text[200]);

TORC_END_DECLS

#endif
