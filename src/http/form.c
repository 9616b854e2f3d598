/* SPDX-License-Identifier: MIT */
/*
 * Forms part by part: the body of a request through the parser of its kind.
 *
 *  - The body is asked for more only when all that was read is parsed, so a peer is read no faster
 *    than its form.
 *  - What is wrong with the form stays (`err`); what ends a wait (a deadline, a loss) is the wait's
 *    or the body's, and a read that is given up loses nothing.
 *  - Bytes for a callback are lent by the wire. Wishes that are made while it is told are granted
 *    from the same bytes, behind the callback and not within it; what nobody has wished for by
 *    then is copied, at most what the body lends at once.
 */
#include "http/form_state.h"

#include "base/alloc.h"
#include "base/options.h"
#include "http/body_reader.h"

static void release(torc_holding *holding) {
    torc_form *form = torc_container_of(holding, torc_form, holding);

    torc_call_cancel(&form->telling);
    torc_buf_dispose(&form->kept);
    if (form->is_multipart)
        torc_multipart_dispose(&form->by.multipart);
    else
        torc_urlencoded_dispose(&form->by.urlencoded);
}

/* ---- opening ---- */

torc_form *torc_form_of(const torc_request *request) {
    return request->reader ? request->reader->form : NULL;
}

/* The parser for the content that was announced. */
static torc_err choose_parser(torc_form *form, torc_form_kind kind, torc_str content_type) {
    const torc_limits *limits = torc_request_limits_now(form->request);
    char bytes[TORC_BOUNDARY_MAX];
    torc_str boundary;

    if (kind == TORC_FORM_KIND_URLENCODED) {
        torc_urlencoded_init(&form->by.urlencoded, form->request->reactor, limits);
        return TORC_OK;
    }
    if (!torc_multipart_boundary(content_type, bytes, &boundary)) return TORC_ERR_SYNTAX;
    form->is_multipart = true;
    torc_multipart_init(&form->by.multipart, form->request->reactor, limits, boundary);
    return TORC_OK;
}

static void run_telling(torc_call *call);

torc_err torc_form_open(torc_request *request, const torc_form_options *options, torc_form **form) {
    torc_form_options known = {.size = sizeof(known)};
    const torc_str content_type = torc_request_field_id(request, TORC_FIELD_CONTENT_TYPE);
    const torc_form_kind kind = torc_form_kind_of(content_type);
    torc_body_reader *reader;
    torc_err err;

    if (kind == TORC_FORM_KIND_NONE) return TORC_ERR_MEDIA_TYPE;
    err = torc_body_check_coding(request);
    if (!err) err = torc_body_reader_of(request, &reader);
    if (!err && (reader->form || reader->is_collected || reader->lent)) err = TORC_ERR_STATE;
    if (err) return err;

    torc_form *self = torc_arena_alloc_zero(request->arena, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    TORC_OPTIONS_READ(&known, options);
    self->request = request;
    self->folder = known.folder;
    self->telling.run = run_telling;
    self->holding.release = release;
    err = choose_parser(self, kind, content_type);
    if (err) return err;
    torc_buf_init(&self->kept, &request->reactor->memory, TORC_MEMORY_INPUT, SIZE_MAX / 2);
    torc_request_hold(request, &self->holding);
    reader->form = self;
    *form = self;
    return TORC_OK;
}

/* ---- events ---- */

static torc_form_event fail(torc_form *self, torc_err err, const char *problem) {
    self->err = (int16_t)err;
    self->problem = problem;
    return TORC_FORM_BAD;
}

static torc_form_event count_part(torc_form *self) {
    const torc_limits *limits = torc_request_limits_now(self->request);

    self->is_in_part = true;
    self->part_bytes = 0;
    if (++self->part_count > limits->form_parts_max)
        return fail(self, TORC_ERR_TOO_LARGE, "the form has too many parts");
    if (self->by.parser.part.filename.bytes && ++self->file_count > limits->form_files_max)
        return fail(self, TORC_ERR_TOO_LARGE, "the form has too many files");
    return TORC_FORM_PART;
}

static torc_form_event count_content(torc_form *self, size_t len) {
    const torc_limits *limits = torc_request_limits_now(self->request);
    const bool is_file = self->by.parser.part.filename.bytes != NULL;
    const uint64_t value_max = limits->form_value_bytes_max == TORC_UNLIMITED
                                   ? TORC_UNLIMITED_BYTES
                                   : limits->form_value_bytes_max;

    self->part_bytes += len;
    if (self->part_bytes > (is_file ? limits->form_file_bytes_max : value_max))
        return fail(self, TORC_ERR_TOO_LARGE,
                    is_file ? "a file is too long" : "the value of a field is too long");
    return TORC_FORM_CONTENT;
}

/* The next event of what was read; TORC_FORM_MORE: more is to be read first. */
static torc_form_event step(torc_form *self, torc_str *content) {
    torc_form_event event;

    if (self->err) return TORC_FORM_BAD;
    if (self->has_ended) return TORC_FORM_END;
    event = self->is_multipart
                ? torc_multipart_parse(&self->by.multipart, &self->rest, self->is_last, content)
                : torc_urlencoded_parse(&self->by.urlencoded, &self->rest, self->is_last, content);
    if (event == TORC_FORM_PART) return count_part(self);
    if (event == TORC_FORM_CONTENT) return count_content(self, content->len);
    if (event == TORC_FORM_BAD) return fail(self, self->by.parser.err, self->by.parser.problem);
    if (event == TORC_FORM_PART_END) self->is_in_part = false;
    if (event == TORC_FORM_END) self->has_ended = true;
    return event;
}

static void take_chunk(torc_form *self, torc_str chunk) {
    self->rest = chunk;
    self->is_last = chunk.len == 0;
}

/* ---- on a fiber ---- */

static torc_err await_event(torc_form *self, torc_form_event *event, torc_str *content) {
    torc_str chunk;

    if (self->wish != TORC_FORM_NOTHING) return TORC_ERR_STATE;
    while ((*event = step(self, content)) == TORC_FORM_MORE) {
        const torc_err err = torc_body_read(self->request, &chunk);
        if (err) return err;
        take_chunk(self, chunk);
    }
    return *event == TORC_FORM_BAD ? (torc_err)self->err : TORC_OK;
}

torc_err torc_form_next(torc_form *form, const torc_form_part **part) {
    torc_form_event event;
    torc_str content;
    torc_err err;

    do {
        err = await_event(form, &event, &content);
        if (err) return err;
    } while (event != TORC_FORM_PART && event != TORC_FORM_END);
    *part = event == TORC_FORM_PART ? &form->by.parser.part : NULL;
    return TORC_OK;
}

torc_err torc_form_read(torc_form *form, torc_str *chunk) {
    torc_form_event event;
    torc_str content = {"", 0};
    torc_err err = (torc_err)form->err;

    if (!err && form->is_in_part) err = await_event(form, &event, &content);
    if (err) return err;
    *chunk = form->is_in_part ? content : torc_str_make("", 0);
    return TORC_OK;
}

/* ---- by callbacks ---- */

static void tell_part(torc_form *self, torc_err err, const torc_form_part *part) {
    self->wish = TORC_FORM_NOTHING;
    self->part_fn(self, err, part, self->context);
}

static void tell_chunk(torc_form *self, torc_err err, torc_str chunk) {
    self->wish = TORC_FORM_NOTHING;
    self->chunk_fn(self, err, chunk, self->context);
}

static void tell_error(torc_form *self, torc_err err) {
    if (self->wish == TORC_FORM_NEXT)
        tell_part(self, err, NULL);
    else
        tell_chunk(self, err, torc_str_make(NULL, 0));
}

/* Whether the event is what was wished for decides; others are passed over. */
static void grant(torc_form *self, torc_form_event event, torc_str content) {
    if (event == TORC_FORM_BAD)
        tell_error(self, (torc_err)self->err);
    else if (self->wish == TORC_FORM_CHUNK && event == TORC_FORM_CONTENT)
        tell_chunk(self, TORC_OK, content);
    else if (self->wish == TORC_FORM_CHUNK)
        tell_chunk(self, TORC_OK, torc_str_make("", 0));
    else if (event == TORC_FORM_PART)
        tell_part(self, TORC_OK, &self->by.parser.part);
    else if (event == TORC_FORM_END)
        tell_part(self, TORC_OK, NULL);
}

/* What is left of lent bytes is wanted later. */
static void keep_rest(torc_form *self) {
    if (self->rest.len == 0 || self->rest.bytes == NULL) return;
    torc_buf_clear(&self->kept);
    torc_buf_add(&self->kept, self->rest);
    self->rest = torc_buf_str(&self->kept);
    if (torc_buf_err(&self->kept))
        (void)fail(self, TORC_ERR_NO_MEMORY, torc_err_text(TORC_ERR_NO_MEMORY));
}

static void got_chunk(torc_request *request, torc_err err, torc_str chunk, void *context);

/* One step towards the wish; false: that takes more bytes. */
static bool step_for_wish(torc_form *self) {
    torc_str content = {"", 0};
    torc_form_event event = TORC_FORM_PART_END;

    if (request_is_over(self->request)) {
        tell_error(self, TORC_ERR_GONE);
        return true;
    }
    if (self->wish == TORC_FORM_NEXT || self->is_in_part || self->err) event = step(self, &content);
    if (event != TORC_FORM_MORE) grant(self, event, content);
    return event != TORC_FORM_MORE;
}

/* Grant wishes as long as there are any and bytes for them; `are_lent`: those go away behind this.
 */
static void pump(torc_form *self, bool are_lent) {
    torc_err err;

    self->is_pumping = true;
    while (self->wish != TORC_FORM_NOTHING && step_for_wish(self)) continue;
    self->is_pumping = false;
    if (self->wish == TORC_FORM_NOTHING) {
        if (are_lent) keep_rest(self);
        return;
    }
    err = torc_body_request_chunk(self->request, got_chunk, self);
    if (err) tell_error(self, err);
}

static void got_chunk(torc_request *request, torc_err err, torc_str chunk, void *context) {
    torc_form *self = context;

    (void)request;
    if (err) {
        tell_error(self, err);
    } else {
        take_chunk(self, chunk);
        pump(self, true);
    }
}

static void run_telling(torc_call *call) {
    torc_form *self = torc_container_of(call, torc_form, telling);

    if (self->wish != TORC_FORM_NOTHING) pump(self, false);
}

/* Whether the body has to be asked: nothing is left of it to be parsed. */
static bool needs_bytes(const torc_form *self) {
    return !self->err && !self->has_ended && !self->is_last && self->rest.len == 0 &&
           self->wish == TORC_FORM_NEXT;
}

static torc_err make_wish(torc_form *self, torc_form_wish wish, void *context) {
    torc_err err = TORC_OK;

    if (request_is_over(self->request)) return TORC_ERR_GONE;
    if (self->wish != TORC_FORM_NOTHING) return TORC_ERR_STATE;
    self->wish = (uint8_t)wish;
    self->context = context;
    if (self->is_pumping) return TORC_OK;
    if (needs_bytes(self))
        err = torc_body_request_chunk(self->request, got_chunk, self);
    else
        torc_reactor_post(self->request->reactor, &self->telling);
    if (err) self->wish = TORC_FORM_NOTHING;
    return err;
}

torc_err torc_form_request_next(torc_form *form, torc_form_part_fn *part, void *context) {
    if (form->wish == TORC_FORM_NOTHING) form->part_fn = part;
    return make_wish(form, TORC_FORM_NEXT, context);
}

torc_err torc_form_request_chunk(torc_form *form, torc_form_chunk_fn *chunk, void *context) {
    if (form->wish == TORC_FORM_NOTHING) form->chunk_fn = chunk;
    return make_wish(form, TORC_FORM_CHUNK, context);
}

void torc_form_give_up(torc_form *form) {
    if (form->wish == TORC_FORM_NOTHING) return;
    form->wish = TORC_FORM_NOTHING;
    torc_call_cancel(&form->telling);
    torc_body_give_up(form->request->reader);
}

/* ---- asking ---- */

torc_request *torc_form_request(const torc_form *form) {
    return form->request;
}

const char *torc_form_problem(const torc_request *request) {
    const torc_form *form = torc_form_of(request);
    const torc_str content_type = torc_request_field_id(request, TORC_FIELD_CONTENT_TYPE);
    const torc_form_kind kind = torc_form_kind_of(content_type);
    char bytes[TORC_BOUNDARY_MAX];
    torc_str boundary;

    if (form) return form->problem;
    if (kind == TORC_FORM_KIND_NONE) return "the content is no form";
    if (torc_body_is_coded(request)) return "the content is in a coding, and is to be in none";
    if (kind == TORC_FORM_KIND_MULTIPART &&
        !torc_multipart_boundary(content_type, bytes, &boundary))
        return "the content type has no valid boundary";
    return NULL;
}

torc_str torc_form_leaf_name(torc_str filename) {
    size_t start = filename.len;

    while (start > 0 && filename.bytes[start - 1] != '/' && filename.bytes[start - 1] != '\\')
        start--;
    const torc_str leaf = torc_str_from(filename, start);
    const bool leads_nowhere =
        torc_str_equals(leaf, TORC_STR(".")) || torc_str_equals(leaf, TORC_STR(".."));
    return leads_nowhere ? torc_str_make("", 0) : leaf;
}
