/* SPDX-License-Identifier: MIT */
/*
 * A part of a form, poured into a file.
 *
 *  - The bytes are gathered and written by a thread; while that is slow the fiber waits, the body
 *    is not read, and the peer is held back. So an upload holds the same little memory whatever
 *    its length and however slow the disk.
 *  - A file that is saved by its name has another one until it is whole. What fails on the way, a
 *    peer that is gone, too, removes it, even if the fiber was cancelled.
 */
#include <torc/fiber.h>

#include "http/form_state.h"
#include "reactor/file_batch.h"

torc_err torc_form_pour(torc_form *form, torc_file_batch *batch, uint64_t *len) {
    torc_str chunk;
    torc_err err;

    *len = 0;
    while (!(err = torc_form_read(form, &chunk)) && chunk.len > 0) {
        err = torc_file_batch_add(batch, chunk);
        if (err) return err;
        *len += chunk.len;
    }
    return err ? err : torc_file_batch_flush(batch);
}

torc_err torc_form_save_to(torc_form *form, torc_file *file, uint64_t *len) {
    torc_file_batch batch = {.file = file};
    uint64_t written;
    const torc_err err = torc_form_pour(form, &batch, &written);

    torc_file_batch_dispose(&batch);
    if (!err && len) *len = written;
    return err;
}

/* The folder that the path is in: on the heap, for a fiber's stack is small. */
static char *folder_of(torc_reactor *reactor, const char *path) {
    const char *slash = strrchr(path, '/');
    const size_t len = slash ? (size_t)(slash - path) : 0;
    const torc_str folder = !slash ? TORC_STR(".") : torc_str_make(path, len ? len : 1);
    char *text = torc_alloc(&reactor->memory, TORC_MEMORY_OTHER, folder.len + 1);

    if (!text) return NULL;
    memcpy(text, folder.bytes, folder.len);
    text[folder.len] = '\0';
    return text;
}

/* Give the file its name, or remove it. */
static torc_err settle(torc_reactor *reactor, torc_file *file, const char *path, torc_err err) {
    torc_shield_begin(reactor);
    if (!err) err = torc_file_rename(reactor, torc_file_path(file), path);
    if (err && torc_file_unlink(reactor, torc_file_path(file))) {
        torc_shield_end(reactor);
        torc_file_dispose(file); /* there are no threads left: here, then */
        return err;
    }
    torc_shield_end(reactor);
    torc_file_close(file);
    return err;
}

torc_err torc_form_save(torc_form *form, const char *path, unsigned mode, uint64_t *len) {
    torc_reactor *reactor = form->request->reactor;
    char *folder = folder_of(reactor, path);
    torc_file *file;
    torc_err err;

    if (!folder) return TORC_ERR_NO_MEMORY;
    err = torc_file_open_named_as(reactor, folder, mode, &file);
    torc_dealloc(&reactor->memory, folder);
    if (err) return err;
    return settle(reactor, file, path, torc_form_save_to(form, file, len));
}
