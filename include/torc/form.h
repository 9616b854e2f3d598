/* SPDX-License-Identifier: MIT */
#ifndef TORC_FORM_H
#define TORC_FORM_H

#include <torc/body.h>
#include <torc/file.h>

/**
 * Forms: the fields and files that a page posts, as they come or as a whole.
 *
 * Both kinds of content are read: application/x-www-form-urlencoded, and multipart/form-data (RFC
 * 7578), which has files. Nothing of a form is read before it is asked for; what else a body is,
 * torc_body_read() and its like give.
 *
 *     torc_form *form;
 *     const torc_form_part *part;
 *     torc_err err = torc_form_open(request, NULL, &form);
 *     while (!err && !(err = torc_form_next(form, &part)) && part)
 *         if (part->filename.bytes) err = torc_form_save(form, path_of(part), 0644, NULL);
 *     if (err) return torc_reply_error(request, err);
 *
 * A form that is short, or whose files may go to temporary files, is had at once:
 *
 *     const torc_form_entries *entries;
 *     torc_err err = torc_request_form(request, &entries);
 *     if (err) return torc_reply_error(request, err);
 *     torc_str name = torc_form_value(entries, "name");
 *
 * Names and values are bytes, in the order in which they came, duplicates and all; a page in UTF-8
 * sends UTF-8. What a peer names a file is what it says: torc_form_leaf_name() makes of it a name
 * without a path, and nothing makes it unique.
 *
 * Errors, with the statuses that torc_reply_error() makes of them: TORC_ERR_MEDIA_TYPE (415) for
 * other content, and for such in a content coding that is not decoded (<torc/decompress.h>);
 * TORC_ERR_SYNTAX (400) for a boundary or a part that is none; TORC_ERR_TRUNCATED (400) for a body
 * that ends before its form; TORC_ERR_TOO_LARGE (413) beyond a limit (`form_…` and `body_bytes_max`
 * of torc_request_limits(), which a route changes before it opens the form); and those of
 * torc_body_read().
 */
typedef struct torc_form torc_form;

/** A field or a file. Its slices are valid until the next one is asked for. */
typedef struct torc_form_part {
    torc_str name;         /* decoded; may be empty */
    torc_str filename;     /* of a file, as the peer names it; empty: none was chosen. Else NULL */
    torc_str content_type; /* as said; `.bytes` NULL: nothing was */
    const torc_fields *fields; /* all that the part's head says; NULL of urlencoded ones */
    bool is_bare;              /* urlencoded without an `=`: there is no value */
} torc_form_part;

/** A field or a file of a whole form. Lives as long as the request. */
typedef struct torc_form_entry {
    torc_str name;
    torc_str value;    /* `.bytes` NULL: without an `=`, or of a file that is in `fd` */
    torc_str filename; /* `.bytes` NULL: it is no file */
    torc_str content_type;
    uint64_t len;
    int fd; /* of a file that was spooled: read it by pread. -1: `value`. The request's */
} torc_form_entry;

typedef struct torc_form_entries {
    const torc_form_entry *items;
    size_t count;
} torc_form_entries;

/** How a form is read; zeros are the defaults. */
typedef struct torc_form_options {
    size_t size;        /* sizeof(torc_form_options) */
    const char *folder; /* of temporary files; NULL: $TMPDIR or /tmp. Lent */
} torc_form_options;

/** Told of a part, or of the end of the form (NULL), or why neither comes. */
typedef void torc_form_part_fn(torc_form *form, torc_err err, const torc_form_part *part,
                               void *context);
/** Told of bytes of a part, lent until it returns; empty: the part's end. */
typedef void torc_form_chunk_fn(torc_form *form, torc_err err, torc_str chunk, void *context);
/** Told of the whole form, on a fiber. `entries` is NULL if there was an error. */
typedef void torc_form_entries_fn(torc_request *request, torc_err err,
                                  const torc_form_entries *entries, void *context);

TORC_BEGIN_DECLS

/* ---- part by part ---- */

/**
 * Begin to read the body as a form; nothing is read yet. The form lives as long as the request.
 * `options` may be NULL. TORC_ERR_MEDIA_TYPE, TORC_ERR_SYNTAX (the boundary), TORC_ERR_STATE if
 * the body was read in another way, or as a form already.
 */
TORC_API torc_err torc_form_open(torc_request *request, const torc_form_options *options,
                                 torc_form **form) TORC_MUST_CHECK;
/**
 * On a fiber: wait for the next part; what is left of the one before is skipped. NULL at the end of
 * the form, when the body has come to its end, too.
 */
TORC_API torc_err torc_form_next(torc_form *form, const torc_form_part **part) TORC_MUST_CHECK;
/** On a fiber: wait for bytes of the part; empty at its end. Valid until the form is asked again.
 */
TORC_API torc_err torc_form_read(torc_form *form, torc_str *chunk) TORC_MUST_CHECK;
/**
 * On a fiber: write what is left of the part into a file with these rights (but for the umask's
 * bits), by a thread. The file gets its name when it is whole, in place of one that has it; if
 * anything fails, nothing is left. `*len`, which may be NULL, is what was written.
 */
TORC_API torc_err torc_form_save(torc_form *form, const char *path, unsigned mode,
                                 uint64_t *len) TORC_MUST_CHECK;
/** The same to an open file, from its position on, which moves. */
TORC_API torc_err torc_form_save_to(torc_form *form, torc_file *file,
                                    uint64_t *len) TORC_MUST_CHECK;
/**
 * As torc_form_next(), told once, later, by a callback. One wish at a time: TORC_ERR_STATE while
 * another is outstanding; TORC_ERR_GONE when the request is over.
 */
TORC_API torc_err torc_form_request_next(torc_form *form, torc_form_part_fn *part,
                                         void *context) TORC_MUST_CHECK;
/** As torc_form_read(), told once, later, by a callback. */
TORC_API torc_err torc_form_request_chunk(torc_form *form, torc_form_chunk_fn *chunk,
                                          void *context) TORC_MUST_CHECK;
/**
 * As torc_form_save(): fires with NULL when the file has its name. Fails when the form or the file
 * does, when the request ends before (TORC_ERR_LOST, TORC_ERR_GONE …), and when it is cancelled,
 * always after the new file was removed (but for one that a thread is about to open when it is
 * cancelled: that is removed when the thread has returned); cancelled, or dropped, when the name is
 * being given already, it leaves the whole file. `len`, which may be NULL, is written to before it
 * fires, if somebody still waits for it then. It may be made in the callback that is told of the
 * part, and counts as a wish: TORC_ERR_STATE.
 * A request that ends while the name is being given does not make it fail: who is told off fibers
 * asks a ticket whether the request, and the form with it, is still there, and keeps `len` outside
 * of it.
 */
TORC_API torc_deferred *torc_form_defer_save(torc_form *form, const char *path, unsigned mode,
                                             uint64_t *len);
/** As torc_form_save_to(), likewise; the file need not stay open for it. */
TORC_API torc_deferred *torc_form_defer_save_to(torc_form *form, torc_file *file, uint64_t *len);
/** The request that it is the body of. */
TORC_API torc_request *torc_form_request(const torc_form *form);
/** What is wrong with the form of a request, for people: NULL while nothing is. Static. */
TORC_API const char *torc_form_problem(const torc_request *request);

/* ---- as a whole ---- */

/**
 * On a fiber: read the whole form. Fields are kept in memory, at most `form_values_bytes_max` of
 * them; files up to `body_memory_max` together, and past that in temporary files without a name,
 * one for each. The same again when it is asked again.
 */
TORC_API torc_err torc_request_form(torc_request *request,
                                    const torc_form_entries **entries) TORC_MUST_CHECK;
/** The same with options, for who asks first. */
TORC_API torc_err torc_request_form_with(torc_request *request, const torc_form_options *options,
                                         const torc_form_entries **entries) TORC_MUST_CHECK;
/**
 * The same for a render off fibers, which returns TORC_RENDER_NOT_DONE_YET: `whole` is called once,
 * later, on a fiber of the request's own, so it may wait. It is not called when the request is over
 * before that fiber runs (which includes that there was none to be had: that replies 503).
 * TORC_ERR_GONE, TORC_ERR_NO_MEMORY; TORC_ERR_STATE on a fiber of the request's.
 */
TORC_API torc_err torc_request_request_form(torc_request *request, const torc_form_options *options,
                                            torc_form_entries_fn *whole,
                                            void *context) TORC_MUST_CHECK;
/** The first entry of that name; NULL: none. */
TORC_API const torc_form_entry *torc_form_find(const torc_form_entries *entries, const char *name);
/** The first of that name at or behind `*place`, which moves behind it. Start with 0. */
TORC_API const torc_form_entry *torc_form_find_next(const torc_form_entries *entries,
                                                    const char *name, size_t *place);
/** The value of the first entry of that name which is no file; `.bytes` NULL: there is none. */
TORC_API torc_str torc_form_value(const torc_form_entries *entries, const char *name);

/**
 * What stands behind the last `/` or `\` of a peer's file name, so that it leads nowhere; empty for
 * "." and "..", too.
 */
TORC_API torc_str torc_form_leaf_name(torc_str filename);

TORC_END_DECLS

#endif
