/* SPDX-License-Identifier: MIT */
/*
 * Whole forms: all entries in a list, their values in memory, and files past a threshold on disk.
 *
 *  - Names and values together are bounded by `form_values_bytes_max`, files in memory by
 *    `body_memory_max`; the rest of a form is on disk, so what it holds does not grow with it.
 *  - A value is gathered in one buffer, and copied at its length when it is complete.
 *  - Temporary files have no name: nothing is left of them whatever happens. They are closed when
 *    the request is retired, or at once if the form turns out to be none.
 *  - Entries are found by looking at one after another: they are few (`form_parts_max`), and no
 *    choice of names makes it slower.
 */
#include "base/alloc.h"
#include "base/options.h"
#include "http/body_reader.h"
#include "http/form_state.h"
#include "reactor/file_batch.h"

typedef struct spooled {
    struct spooled *next;
    torc_file *file;
} spooled;

struct torc_form_whole {
    torc_form *form;
    torc_holding holding;
    torc_err err;
    torc_arena arena; /* names and values */
    torc_buf value;   /* of the entry that is being read */
    torc_form_entry *items;
    size_t count, capacity;
    uint64_t values_bytes; /* names and values */
    uint64_t files_bytes;  /* of files in memory */
    spooled *files;
    torc_form_entries entries;
};

static void close_files(torc_form_whole *self) {
    for (spooled *file = self->files; file; file = file->next) torc_file_close(file->file);
    self->files = NULL;
}

static void release(torc_holding *holding) {
    torc_form_whole *self = torc_container_of(holding, torc_form_whole, holding);

    close_files(self);
    torc_buf_dispose(&self->value);
    torc_dealloc(&self->form->request->reactor->memory, self->items);
    torc_arena_dispose(&self->arena);
}

static torc_err make_whole(torc_form *form) {
    torc_reactor *reactor = form->request->reactor;
    torc_form_whole *self = torc_arena_alloc_zero(form->request->arena, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    self->form = form;
    self->err = TORC_ERR_STATE; /* until it is read */
    self->holding.release = release;
    torc_arena_init(&self->arena, &reactor->pages, SIZE_MAX / 2);
    torc_buf_init(&self->value, &reactor->memory, TORC_MEMORY_INPUT, SIZE_MAX / 2);
    torc_request_hold(form->request, &self->holding);
    form->whole = self;
    return TORC_OK;
}

static torc_err too_large(torc_form_whole *self, const char *problem) {
    self->form->problem = problem;
    return TORC_ERR_TOO_LARGE;
}

/* Count bytes that are kept in memory for good. */
static torc_err count(torc_form_whole *self, uint64_t len) {
    const torc_limits *limits = torc_request_limits_now(self->form->request);

    self->values_bytes += len;
    if (self->values_bytes <= limits->form_values_bytes_max) return TORC_OK;
    return too_large(self, "the fields of the form are too long together");
}

/* ---- entries ---- */

static torc_err make_room(torc_form_whole *self) {
    torc_memory *memory = &self->form->request->reactor->memory;
    const size_t capacity = self->capacity ? self->capacity * 2 : 8;
    const size_t size = capacity * sizeof(self->items[0]);
    torc_form_entry *items;

    if (self->count < self->capacity) return TORC_OK;
    items = self->items ? torc_realloc(memory, self->items, size)
                        : torc_alloc(memory, TORC_MEMORY_INPUT, size);
    if (!items) return TORC_ERR_NO_MEMORY;
    self->items = items;
    self->capacity = capacity;
    return TORC_OK;
}

/* A copy that is counted; what is not there stays so. */
static torc_err copy(torc_form_whole *self, torc_str text, torc_str *to) {
    const torc_err err = count(self, text.len);

    if (err) return err;
    if (text.len > 0) return torc_arena_copy(&self->arena, text, to);
    *to = torc_str_make(text.bytes ? "" : NULL, 0);
    return TORC_OK;
}

static torc_err add_entry(torc_form_whole *self, const torc_form_part *part,
                          torc_form_entry **entry) {
    torc_form_entry made = {.fd = -1};
    torc_err err = make_room(self);

    if (!err) err = copy(self, part->name, &made.name);
    if (!err) err = copy(self, part->filename, &made.filename);
    if (!err) err = copy(self, part->content_type, &made.content_type);
    if (err) return err;
    *entry = &self->items[self->count++];
    **entry = made;
    return TORC_OK;
}

/* What was gathered is the entry's value. */
static torc_err take_value(torc_form_whole *self, torc_form_entry *entry) {
    const torc_str value = torc_buf_str(&self->value);

    entry->len = value.len;
    entry->value = torc_str_make("", 0);
    return value.len ? torc_arena_copy(&self->arena, value, &entry->value) : TORC_OK;
}

static torc_err gather(torc_form_whole *self, torc_str chunk) {
    torc_buf_add(&self->value, chunk);
    return torc_buf_err(&self->value);
}

static torc_err read_value(torc_form_whole *self, torc_form_entry *entry) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_form_read(self->form, &chunk)) && chunk.len > 0) {
        err = count(self, chunk.len);
        if (!err) err = gather(self, chunk);
        if (err) return err;
    }
    return err ? err : take_value(self, entry);
}

/* ---- files ---- */

static torc_err open_file(torc_form_whole *self, torc_file **file) {
    spooled *made = torc_arena_alloc(&self->arena, sizeof(*made));
    torc_err err;

    if (!made) return TORC_ERR_NO_MEMORY;
    err = torc_body_open_spool(self->form->request->reactor, self->form->folder, file);
    if (err) return err;
    *made = (spooled){.next = self->files, .file = *file};
    self->files = made;
    return TORC_OK;
}

/* What was gathered and all that follows goes into a file of its own; `chunk` is between them. */
static torc_err spool(torc_form_whole *self, torc_str chunk, torc_form_entry *entry) {
    torc_file_batch batch = {.file = NULL};
    uint64_t len;
    torc_err err = open_file(self, &batch.file);

    if (err) return err;
    err = torc_file_batch_add(&batch, torc_buf_str(&self->value));
    torc_buf_dispose(&self->value); /* its memory is not held while the disk is waited for */
    if (!err) err = torc_file_batch_add(&batch, chunk);
    if (!err) err = torc_form_pour(self->form, &batch, &len);
    torc_file_batch_dispose(&batch);
    entry->fd = torc_file_fd(batch.file);
    entry->len = torc_file_position(batch.file);
    return err;
}

static torc_err read_file(torc_form_whole *self, torc_form_entry *entry) {
    const uint64_t memory_max = torc_request_limits_now(self->form->request)->body_memory_max;
    torc_str chunk;
    torc_err err;

    while (!(err = torc_form_read(self->form, &chunk)) && chunk.len > 0) {
        self->files_bytes += chunk.len;
        if (self->files_bytes > memory_max) {
            self->files_bytes -= chunk.len + self->value.len;
            return spool(self, chunk, entry);
        }
        err = gather(self, chunk);
        if (err) return err;
    }
    return err ? err : take_value(self, entry);
}

/* ---- the form ---- */

static torc_err read_entry(torc_form_whole *self, const torc_form_part *part) {
    const bool is_file = part->filename.bytes != NULL, is_bare = part->is_bare;
    torc_form_entry *entry;
    torc_err err = add_entry(self, part, &entry);

    if (err || is_bare) return err;
    torc_buf_clear(&self->value);
    return is_file ? read_file(self, entry) : read_value(self, entry);
}

static torc_err read_entries(torc_form_whole *self) {
    const torc_form_part *part;
    torc_err err;

    while (!(err = torc_form_next(self->form, &part)) && part) {
        err = read_entry(self, part);
        if (err) return err;
    }
    return err;
}

static torc_err read_whole(torc_form_whole *self) {
    self->err = read_entries(self);
    torc_buf_dispose(&self->value);
    if (self->err) close_files(self);
    self->entries = (torc_form_entries){.items = self->items, .count = self->count};
    return self->err;
}

torc_err torc_request_form_with(torc_request *request, const torc_form_options *options,
                                const torc_form_entries **entries) {
    torc_form *form = torc_form_of(request);
    torc_err err = TORC_OK;

    if (form && !form->whole) return TORC_ERR_STATE;
    if (!form) {
        err = torc_form_open(request, options, &form);
        if (!err) err = make_whole(form);
        if (!err) err = read_whole(form->whole);
    }
    if (!err) err = form->whole->err;
    if (!err) *entries = &form->whole->entries;
    return err;
}

torc_err torc_request_form(torc_request *request, const torc_form_entries **entries) {
    return torc_request_form_with(request, NULL, entries);
}

/* ---- for renders off fibers ---- */

typedef struct asking {
    torc_request *request;
    torc_holding holding;
    torc_call call;
    torc_form_options options;
    torc_form_entries_fn *whole;
    void *context;
} asking;

static void release_asking(torc_holding *holding) {
    torc_call_cancel(&torc_container_of(holding, asking, holding)->call);
}

static torc_render read_and_tell(torc_request *request, void *context) {
    const asking *self = context;
    const torc_form_entries *entries = NULL;
    const torc_err err = torc_request_form_with(request, &self->options, &entries);

    self->whole(request, err, entries, self->context);
    return TORC_RENDER_NOT_DONE_YET;
}

static void run_asking(torc_call *call) {
    asking *self = torc_container_of(call, asking, call);

    if (self->request->is_running)
        self->whole(self->request, TORC_ERR_STATE, NULL, self->context);
    else
        torc_request_run(self->request, read_and_tell, self, true);
}

torc_err torc_request_request_form(torc_request *request, const torc_form_options *options,
                                   torc_form_entries_fn *whole, void *context) {
    asking *self;

    if (request_is_over(request)) return TORC_ERR_GONE;
    if (request->fiber) return TORC_ERR_STATE;
    self = torc_arena_alloc_zero(request->arena, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    self->request = request;
    self->holding.release = release_asking;
    self->call.run = run_asking;
    TORC_OPTIONS_READ(&self->options, options);
    self->whole = whole;
    self->context = context;
    torc_request_hold(request, &self->holding);
    torc_reactor_post(request->reactor, &self->call);
    return TORC_OK;
}

/* ---- looking up ---- */

const torc_form_entry *torc_form_find_next(const torc_form_entries *entries, const char *name,
                                           size_t *place) {
    const torc_str wanted = torc_str_of(name);

    while (*place < entries->count) {
        const torc_form_entry *entry = &entries->items[(*place)++];
        if (torc_str_equals(entry->name, wanted)) return entry;
    }
    return NULL;
}

const torc_form_entry *torc_form_find(const torc_form_entries *entries, const char *name) {
    size_t place = 0;

    return torc_form_find_next(entries, name, &place);
}

torc_str torc_form_value(const torc_form_entries *entries, const char *name) {
    const torc_form_entry *entry;
    size_t place = 0;

    while ((entry = torc_form_find_next(entries, name, &place)))
        if (!entry->filename.bytes) return entry->value;
    return torc_str_make(NULL, 0);
}
