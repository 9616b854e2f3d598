/* SPDX-License-Identifier: MIT */
/*
 * Decoding the body of a request while it is read.
 *
 *  - What the wire brings is kept as it came, within the window; what is read is decoded then, a
 *    page at a time. So a short body that decodes to a long one takes no more memory than others,
 *    unless it is wanted as a whole.
 *  - The limit of the body holds for both forms of it.
 *  - The end of the body is the end of the coder's input: what is not complete then is truncated.
 */
#include <torc/reactor.h>
#include <torc/reply.h>

#include "http/body_reader.h"
#include "http/request.h"

unsigned torc_request_codings(const torc_request *request, torc_str *name) {
    const torc_field *field;
    torc_str rest, member;
    unsigned count = 0;
    uint32_t place = 0;

    if (request->head->body_len == 0) return 0; /* what it says is of nothing */
    while (
        (field = torc_fields_next_id(&request->head->fields, TORC_FIELD_CONTENT_ENCODING, &place)))
        for (rest = field->value; torc_list_member_next(&rest, &member);) {
            if (torc_str_equals_nocase(member, TORC_STR("identity"))) continue;
            *name = member;
            count++;
        }
    return count;
}

void torc_request_decode_body(torc_request *request, torc_coding coding, uint32_t ratio_max) {
    request->ratio_max = ratio_max;
    request->decoded = (uint8_t)(coding + 1u) & 7u;
}

torc_err torc_body_begin_decoding(torc_body_reader *reader) {
    torc_request *request = reader->request;
    const torc_decoder_limits limits = {
        .bytes_max = reader->max == TORC_UNLIMITED_BYTES ? 0 : reader->max,
        .ratio_max = request->ratio_max,
    };
    torc_body_decoder *self = torc_arena_alloc_zero(request->arena, 1, sizeof(*self));

    if (!self) return TORC_ERR_NO_MEMORY;
    reader->decoder = self;
    return torc_decoder_new(torc_reactor_coders(request->reactor),
                            (torc_coding)(request->decoded - 1), &limits, &self->coder);
}

/* What is left of the oldest page. */
static torc_str rest_of_page(const torc_body_reader *reader) {
    const torc_body_piece *piece = torc_body_piece_of(reader->first);
    return torc_str_make(piece->bytes + reader->decoder->taken,
                         piece->len - reader->decoder->taken);
}

static void take(torc_body_reader *reader, size_t len) {
    reader->decoder->taken += (uint32_t)len;
    if (rest_of_page(reader).len > 0) return;
    torc_page_unref(torc_body_take_page(reader));
    reader->decoder->taken = 0;
}

static void end(torc_body_decoder *self) {
    torc_coder_free(self->coder);
    self->coder = NULL;
}

/* One step of the coder; TORC_ERR_AGAIN: it has to be given more. */
static torc_err step(torc_body_reader *reader, torc_coder_flow *flow) {
    torc_body_decoder *self = reader->decoder;
    const bool is_last = reader->is_complete && (!reader->first || !reader->first->next);

    if (!reader->first && !self->has_more && !is_last) return TORC_ERR_AGAIN;
    flow->input = reader->first ? rest_of_page(reader) : torc_str_make("", 0);
    const size_t len = flow->input.len;
    const torc_err err =
        torc_coder_step(self->coder, is_last ? TORC_CODER_END : TORC_CODER_WRITE, flow);
    if (err && err != TORC_ERR_AGAIN) return err;
    self->has_more = err == TORC_ERR_AGAIN;
    if (reader->first) take(reader, len - flow->input.len);
    if (!err && is_last) end(self);
    return TORC_OK;
}

torc_err torc_body_decode(torc_body_reader *reader, torc_str *chunk) {
    torc_body_decoder *self = reader->decoder;
    torc_page *page = torc_page_take(&reader->request->reactor->pages, TORC_MEMORY_INPUT);
    torc_coder_flow flow = {.out = page ? page->bytes : NULL, .room = TORC_PAGE_BYTES};
    torc_err err = page ? TORC_OK : TORC_ERR_NO_MEMORY;

    while (!err && self->coder && flow.made == 0) err = step(reader, &flow);
    if (!err && flow.made > 0)
        reader->lent = page;
    else if (page)
        torc_page_unref(page);
    if (err && err != TORC_ERR_AGAIN) torc_body_fail(reader, err);
    *chunk = torc_str_make(flow.made > 0 ? flow.out : "", flow.made);
    return err;
}

torc_err torc_body_collect_decoded(torc_body_reader *reader) {
    torc_str chunk;
    torc_err err;

    while (!(err = torc_body_decode(reader, &chunk)) && chunk.len > 0) {
        torc_buf_add(&reader->whole, chunk);
        torc_body_drop_lent(reader);
        if (torc_buf_err(&reader->whole)) break;
    }
    return err && err != TORC_ERR_AGAIN ? err : torc_body_whole_err(reader);
}

bool torc_body_is_coded(const torc_request *request) {
    torc_str name;

    return !request->decoded && torc_request_codings(request, &name) > 0;
}

torc_err torc_body_check_coding(torc_request *request) {
    if (!torc_body_is_coded(request)) return TORC_OK;
    torc_response_set(request, "Accept-Encoding", TORC_STR("identity"));
    return TORC_ERR_MEDIA_TYPE;
}
