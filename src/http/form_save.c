/* SPDX-License-Identifier: MIT */
/*
 * A part of a form, poured into a file.
 *
 *  - The bytes are gathered and written by a thread; while that is slow no more is wished for, the
 *    body is not read, and the peer is held back. So an upload holds the same little memory
 *    whatever its length and however slow the disk.
 *  - A file that is saved by its name has another one until it is whole. What fails on the way, a
 *    peer that is gone, too, removes it, even if the saving was cancelled.
 *  - A saving waits for one thing at a time: an operation on the file (`doing`), or bytes of the
 *    part. It is ended by settle(), once, which gives the file its name or removes it; from then on
 *    nothing stops it. When a name is given, its deferred is decided: whoever waits is told.
 *  - It may outlive its request, whose end is told: `form` is NULL then.
 *
 *     opening --opened--> reading <--written / got_chunk--> writing
 *     any of them --settle--> settling --finish--> freed
 */
#include <torc/fiber.h>

#include "base/alloc.h"
#include "http/form_state.h"
#include "reactor/deferred.h"
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

/* ---- a saving ---- */

typedef enum saving_phase {
    OPENING,
    READING,
    WRITING,
    SETTLING
} saving_phase;

typedef struct saving {
    torc_reactor *reactor;
    torc_form *form;
    torc_request_watch watch;
    torc_deferred *result;
    torc_deferred *doing; /* what is waited for; NULL: nothing of the file's */
    torc_callback done;
    torc_file *file;
    torc_file_batch batch;
    uint64_t written;
    uint64_t *len; /* where to tell it; NULL: nowhere */
    torc_err err;  /* why it ends */
    saving_phase phase;
    bool has_all; /* of the part */
    bool is_open; /* the file is the caller's, and stays */
    char path[];
} saving;

static void await_file(saving *self, torc_deferred *doing, torc_callback_fn *fired) {
    self->doing = doing;
    torc_deferred_then(doing, &self->done, fired);
}

/* What was waited for is there. */
static saving *end_wait(torc_callback *callback) {
    saving *self = torc_container_of(callback, saving, done);

    self->doing = NULL;
    return self;
}

/* ---- the end ---- */

static void finish(saving *self) {
    torc_reactor *reactor = self->reactor;
    torc_deferred *result = self->result;
    const torc_err err = self->err;

    if (self->form) torc_request_unwatch(&self->watch);
    torc_file_close(self->file);
    if (!err && self->len && torc_deferred_is_wanted(result)) *self->len = self->written;
    torc_dealloc(&reactor->memory, self);
    if (err)
        (void)torc_deferred_fail_at(result, err, NULL);
    else
        (void)torc_deferred_fire(result, NULL, NULL);
}

static void removed(torc_callback *callback, torc_err err, void *value) {
    saving *self = end_wait(callback);

    (void)value;
    if (err) { /* there are no threads left: here, then */
        torc_file_dispose(self->file);
        self->file = NULL;
    }
    finish(self);
}

static void discard(saving *self, torc_err err) {
    self->err = err;
    await_file(self, torc_file_defer_unlink(self->reactor, torc_file_path(self->file)), removed);
}

static void renamed(torc_callback *callback, torc_err err, void *value) {
    saving *self = end_wait(callback);

    (void)value;
    if (err)
        discard(self, err);
    else
        finish(self);
}

/* Give the file its name, or remove it. */
static void settle(saving *self, torc_err err) {
    self->phase = SETTLING;
    self->err = err;
    torc_file_batch_dispose(&self->batch);
    if (self->is_open || !self->file) {
        finish(self);
    } else if (err) {
        discard(self, err);
    } else {
        torc_deferred_decide(self->result);
        await_file(self,
                   torc_file_defer_rename(self->reactor, torc_file_path(self->file), self->path),
                   renamed);
    }
}

/* ---- on the way ---- */

static torc_form_chunk_fn got_chunk;

static void read_on(saving *self) {
    torc_err err = self->err;

    if (!err) err = torc_form_request_chunk(self->form, got_chunk, self);
    if (err)
        settle(self, err);
    else
        self->phase = READING;
}

static void written(torc_callback *callback, torc_err err, void *value) {
    saving *self = end_wait(callback);

    if (!err) torc_file_batch_flushed(&self->batch, value);
    if (err)
        settle(self, err);
    else if (self->has_all)
        settle(self, self->err);
    else
        read_on(self);
}

static void write_batch(saving *self) {
    self->phase = WRITING;
    await_file(self, torc_file_batch_defer_flush(&self->batch), written);
}

static void got_chunk(torc_form *form, torc_err err, torc_str chunk, void *context) {
    saving *self = context;

    (void)form;
    self->has_all = !err && chunk.len == 0;
    self->written += chunk.len;
    if (!err) err = torc_file_batch_gather(&self->batch, chunk);
    if (err)
        settle(self, err);
    else if (torc_file_batch_is_full(&self->batch) || (self->has_all && self->batch.len > 0))
        write_batch(self);
    else if (self->has_all)
        settle(self, TORC_OK);
    else
        read_on(self);
}

static void opened(torc_callback *callback, torc_err err, void *value) {
    saving *self = end_wait(callback);

    if (err) {
        settle(self, err);
        return;
    }
    self->file = self->batch.file = value;
    read_on(self);
}

/* Nobody wants it any more, or nothing more comes. */
static void stop(saving *self, torc_err err) {
    if (self->phase == SETTLING) return;
    if (!self->err) self->err = err;
    if (self->phase != READING) return; /* the operation is, and tells */
    if (self->form) torc_form_give_up(self->form);
    settle(self, self->err);
}

static void cancel(torc_deferred *deferred, void *context) {
    saving *self = context;

    (void)deferred;
    if (self->doing && self->phase != SETTLING)
        torc_deferred_cancel(self->doing);
    else
        stop(self, TORC_ERR_CANCELLED);
}

static void request_ended(torc_request_watch *watch, torc_request *request, torc_err reason) {
    saving *self = torc_container_of(watch, saving, watch);

    (void)request;
    if (self->phase == READING) torc_form_give_up(self->form);
    self->form = NULL;
    stop(self, reason ? reason : TORC_ERR_GONE);
}

/* ---- the beginning ---- */

static torc_err begin(torc_form *form, torc_str path, uint64_t *len, saving **saver) {
    torc_reactor *reactor = form->request->reactor;
    saving *self;

    if (request_is_over(form->request)) return TORC_ERR_GONE;
    self = torc_alloc_zero(&reactor->memory, TORC_MEMORY_OTHER, 1, sizeof(*self) + path.len + 1);
    if (!self) return TORC_ERR_NO_MEMORY;
    self->result = torc_deferred_new(reactor);
    if (torc_deferred_is_out_of_memory(self->result)) {
        torc_dealloc(&reactor->memory, self);
        return TORC_ERR_NO_MEMORY;
    }
    self->reactor = reactor;
    self->form = form;
    self->len = len;
    memcpy(self->path, path.bytes, path.len);
    torc_deferred_set_canceller(self->result, cancel, self);
    torc_request_watch_end(form->request, &self->watch, request_ended);
    *saver = self;
    return TORC_OK;
}

/* The folder that the path is in: made of the path's own bytes, which are changed meanwhile. */
static torc_deferred *open_beside(saving *self, unsigned mode) {
    char *slash = strrchr(self->path, '/');
    torc_deferred *opening;

    if (!slash) return torc_file_defer_open_named_as(self->reactor, ".", mode);
    if (slash == self->path) return torc_file_defer_open_named_as(self->reactor, "/", mode);
    *slash = '\0';
    opening = torc_file_defer_open_named_as(self->reactor, self->path, mode);
    *slash = '/';
    return opening;
}

torc_deferred *torc_form_defer_save(torc_form *form, const char *path, unsigned mode,
                                    uint64_t *len) {
    saving *self;
    const torc_err err = begin(form, torc_str_of(path), len, &self);

    if (err) return torc_deferred_failed(form->request->reactor, err);
    await_file(self, open_beside(self, mode), opened);
    return self->result;
}

torc_deferred *torc_form_defer_save_to(torc_form *form, torc_file *file, uint64_t *len) {
    torc_deferred *result;
    saving *self;
    torc_err err = begin(form, torc_str_make("", 0), len, &self);

    if (err) return torc_deferred_failed(form->request->reactor, err);
    self->is_open = true;
    self->file = self->batch.file = file;
    file->refs++;
    result = self->result;
    read_on(self);
    return result;
}

/* ---- on a fiber ---- */

torc_err torc_form_save(torc_form *form, const char *path, unsigned mode, uint64_t *len) {
    return torc_await(torc_form_defer_save(form, path, mode, len), NULL);
}

torc_err torc_form_save_to(torc_form *form, torc_file *file, uint64_t *len) {
    return torc_await(torc_form_defer_save_to(form, file, len), NULL);
}
