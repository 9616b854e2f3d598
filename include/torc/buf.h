/* SPDX-License-Identifier: MIT */
#ifndef TORC_BUF_H
#define TORC_BUF_H

#include <stdarg.h>
#include <torc/memory.h>
#include <torc/str.h>

/**
 * Buffers that grow up to a maximum.
 *
 * Appending returns nothing: what fails (memory, the maximum) makes the buffer fail for good, and
 * torc_buf_err() is asked once, at the end; until then the bytes before the failure stand. The
 * bytes move when the buffer grows. A buffer belongs to the thread of its memory.
 */
struct torc_buf {
    char *bytes; /* not ended by NUL; NULL while nothing was appended */
    size_t len;
    size_t capacity;     /* private */
    size_t max;          /* private */
    torc_memory *memory; /* private */
    uint8_t class_;      /* private */
    bool fixed;          /* private: the bytes are the caller's */
    int16_t err;         /* private */
};

TORC_BEGIN_DECLS

/** Make an empty buffer that will hold at most `max` bytes. Allocates nothing yet. */
TORC_API void torc_buf_init(torc_buf *buf, torc_memory *memory, torc_memory_class class_,
                            size_t max);
/** Make an empty buffer over `size` bytes of the caller's, which never grows. */
TORC_API void torc_buf_init_fixed(torc_buf *buf, void *bytes, size_t size);
/** Free what the buffer holds and leave it empty and without an error. */
TORC_API void torc_buf_dispose(torc_buf *buf);
TORC_API void torc_buf_add(torc_buf *buf, torc_str str);
TORC_API void torc_buf_add_byte(torc_buf *buf, char byte);
/** Append decimal digits. */
TORC_API void torc_buf_add_uint(torc_buf *buf, uint64_t value);
TORC_API void torc_buf_add_int(torc_buf *buf, int64_t value);
/** Append two small hexadecimal digits per byte. */
TORC_API void torc_buf_add_hex(torc_buf *buf, torc_str bytes);
/** Append as printf would; not for hot paths. A fixed buffer needs room for a NUL, too. */
TORC_API void torc_buf_addf(torc_buf *buf, const char *format, ...) TORC_PRINTF(2, 3);
TORC_API void torc_buf_vaddf(torc_buf *buf, const char *format, va_list arguments)
    TORC_PRINTF(2, 0);
/**
 * Room for `len` more bytes, to be written by the caller and then counted by torc_buf_commit().
 * NULL when the buffer failed.
 */
TORC_API char *torc_buf_reserve(torc_buf *buf, size_t len);
/** Count `len` bytes that were written to what torc_buf_reserve() returned. */
TORC_API void torc_buf_commit(torc_buf *buf, size_t len);
/** Remove `len` bytes (at most all) from the front. */
TORC_API void torc_buf_consume(torc_buf *buf, size_t len);
/** Cut to `len` bytes, if it is longer. */
TORC_API void torc_buf_truncate(torc_buf *buf, size_t len);
/** Forget the bytes and the error, keep the memory. */
TORC_API void torc_buf_clear(torc_buf *buf);
/** TORC_OK, or the first failure since it was made or cleared: TORC_ERR_NO_MEMORY, TORC_ERR_LIMIT.
 */
TORC_API torc_err torc_buf_err(const torc_buf *buf);
/** Make the buffer fail with `err`, unless it has failed. */
TORC_API void torc_buf_fail(torc_buf *buf, torc_err err);

TORC_END_DECLS

/** What the buffer holds, valid until it is changed. */
static inline torc_str torc_buf_str(const torc_buf *buf) {
    return torc_str_make(buf->bytes, buf->len);
}

#endif
