/* SPDX-License-Identifier: MIT */
#ifndef TORC_LOG_WRITER_H
#define TORC_LOG_WRITER_H

#include <torc/log_file.h>
#include <torc/reactor.h>
#include <torc/str.h>

/**
 * Writers of lines: what a reactor has to say goes into buffers, and from there to a file by
 * threads, so that a slow disk holds nobody up.
 *
 * Lines are written when a buffer is full, or after some time; whole lines only, in their order.
 * While the file takes nothing (the disk is full or slow, a pipe's reader sleeps) lines are kept up
 * to a bound; beyond it they are lost, counted, and that is reported, once for each time. When the
 * file takes again what it was given in part is completed, or taken back: no line is torn.
 */
typedef struct torc_log_writer torc_log_writer;

typedef struct torc_log_writer_options {
    size_t size;       /* sizeof(torc_log_writer_options) */
    uint32_t flush_ms; /* the longest time that a line waits to be written; 0: 1000 */
    size_t kept_bytes; /* the most that waits; 0: 1 MiB */
    bool rotates;      /* rotate the file when it is due: in one process only */
    torc_log *log;     /* where it is said that lines are lost; NULL: the reactor's.
                          Must outlive the writer */
} torc_log_writer_options;

enum {
    TORC_LOG_LINE_MAX = 32 * 1024 /* bytes of a line, with its end */
};

TORC_BEGIN_DECLS

/**
 * Make a writer for a file, which is lent and must be closed after the writer is freed. `options`
 * may be NULL.
 */
TORC_API torc_err torc_log_writer_new(torc_reactor *reactor, torc_log_file *file,
                                      const torc_log_writer_options *options,
                                      torc_log_writer **writer) TORC_MUST_CHECK;
/**
 * Let go of it. Once the reactor is freed, before or after this, all that is left is written, and
 * waited for. NULL is fine.
 */
TORC_API void torc_log_writer_free(torc_log_writer *writer);
/**
 * Room for a line of at most `max` bytes (TORC_LOG_LINE_MAX), to be filled at once and committed;
 * NULL when there is none: then the line is lost.
 */
TORC_API char *torc_log_writer_reserve(torc_log_writer *writer, size_t max);
/** The line is there: so many bytes, and the last of them is its end. */
TORC_API void torc_log_writer_commit(torc_log_writer *writer, size_t len);
/** Both in one: a copy of `line`, and a line end. One that is too long is lost. */
TORC_API void torc_log_writer_add(torc_log_writer *writer, torc_str line);
/** Write what there is, soon. */
TORC_API void torc_log_writer_flush(torc_log_writer *writer);
/** Reopen the file, soon: the lines of until now go to the old one, as far as it takes them, those
 * from now on to the new one. */
TORC_API void torc_log_writer_reopen(torc_log_writer *writer);
/** The reactor; NULL once it is freed. */
TORC_API torc_reactor *torc_log_writer_reactor(const torc_log_writer *writer);
/** Lines that were lost. */
TORC_API uint64_t torc_log_writer_lost(const torc_log_writer *writer);

TORC_END_DECLS

#endif
