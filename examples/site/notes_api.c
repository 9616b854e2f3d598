/* SPDX-License-Identifier: MIT */
/* The notes for programs: JSON, with problems (RFC 9457) for mistakes, told of by /openapi.json. */
#include "notes.h"

#include <stdio.h>

static torc_render refuse(torc_request *request, int status, const char *detail) {
    const torc_problem problem = {.status = status, .detail = detail};
    return torc_reply_problem(request, &problem);
}

/* Read the body into `input`; false: what is wrong with it was answered, as a problem, too. */
static bool read_note(torc_request *request, note *input) {
    torc_request_limits(request)->body_bytes_max = NOTE_BODY_MAX;
    return !torc_request_json_struct(request, &input_json, input);
}

/* Who says by If-Match or If-None-Match which version he has is answered by that. */
static torc_condition check_version(torc_request *request, const note *it) {
    char etag[40];
    snprintf(etag, sizeof(etag), "\"%lld-%u\"", (long long)it->id, (unsigned)it->version);
    const torc_validators validators = {.etag = torc_str_of(etag), .last_modified = TORC_NO_DATE};
    return torc_request_check(request, &validators);
}

static torc_render reply_note(torc_request *request, int status, const note *it) {
    torc_json_write_struct(torc_reply_json(request, status), &note_json, it);
    return torc_reply_end(request);
}

/* The note that a request is about; NULL: what there is to say was said. */
static const note *find_note(torc_request *request) {
    const note *it = note_find(torc_request_param_int(request, "id"));
    if (!it) return refuse(request, 404, "There is no such note."), NULL;

    const torc_condition condition = check_version(request, it);
    if (condition == TORC_CONDITION_PROCEED) return it;
    return torc_reply_condition(request, condition), NULL;
}

static torc_render list_notes(torc_request *request) {
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_array(json);
    for (size_t i = 0; i < note_count(); i++) torc_json_write_struct(json, &note_json, note_at(i));
    torc_json_close_array(json);
    return torc_reply_end(request);
}

static torc_render make_note(torc_request *request) {
    note input = {0};
    if (!read_note(request, &input)) return TORC_RENDER_DONE;

    const note *it = note_add(&input);
    if (!it) return refuse(request, 507, "There are 100 notes already.");
    torc_response_set(request, "Location",
                      torc_request_url_for(request, "note", TORC_URL_INT("id", it->id)));
    return reply_note(request, 201, it);
}

static torc_render show_note(torc_request *request) {
    const note *it = find_note(request);
    return it ? reply_note(request, 200, it) : TORC_RENDER_DONE;
}

static torc_render replace_note(torc_request *request) {
    note input = {0};
    if (!read_note(request, &input)) return TORC_RENDER_DONE;
    const note *it = find_note(request); /* after the body: reading that may have taken a while */
    if (!it) return TORC_RENDER_DONE;

    note_change(it->id, &input);
    (void)check_version(request, it); /* the new ETag */
    return reply_note(request, 200, it);
}

static torc_render remove_note(torc_request *request) {
    const note *it = find_note(request);
    if (!it) return TORC_RENDER_DONE;

    note_remove(it->id);
    torc_response_remove(request, "ETag");
    torc_response_set_status(request, 204, NULL);
    return torc_reply_end(request);
}

/* Errors in here are for programs, whatever they accept. */
static torc_render reply_problem(torc_request *request, const torc_error_reply *error,
                                 void *context) {
    const char *detail = torc_arena_cstr(torc_request_arena(request), error->detail);
    (void)context;
    return refuse(request, error->status, error->detail.len ? detail : NULL);
}

/* ---- what /openapi.json tells ---- */

#define RESPONSES(table) .responses = (table), .response_count = TORC_COUNT_OF(table)
#define OF(schema_fn, map)                                                                         \
    { .schema = schema_fn, .of = &(map) }

static const torc_route_response list_responses[] = {
    {.status = 200, .content = OF(torc_schema_structs, note_json)}, {.status = 429}};
static const torc_route_response make_responses[] = {
    {.status = 201, .content = OF(torc_schema_struct, note_json)},
    {.status = 400},
    {.status = 413},
    {.status = 415},
    {.status = 422},
    {.status = 429},
    {.status = 507},
};
static const torc_route_response show_responses[] = {
    {.status = 200, .content = OF(torc_schema_struct, note_json)},
    {.status = 304},
    {.status = 404},
    {.status = 429},
};
static const torc_route_response replace_responses[] = {
    {.status = 200, .content = OF(torc_schema_struct, note_json)},
    {.status = 400},
    {.status = 404},
    {.status = 412},
    {.status = 413},
    {.status = 415},
    {.status = 422},
    {.status = 429},
};
static const torc_route_response remove_responses[] = {
    {.status = 204}, {.status = 404}, {.status = 412}, {.status = 429}};
static const torc_openapi_info info = {.title = "Notes", .version = "1"};

static void add_routes(torc_resource *all) {
    torc_resource *one = torc_resource_group(all, "/{id:uint}");

    torc_resource_route_with(all, "GET", list_notes,
                             TORC_ROUTE_OPTIONS(.name = "notes",
                                                .summary = "All notes, the newest first",
                                                RESPONSES(list_responses)));
    torc_resource_route_with(all, "POST", make_note,
                             TORC_ROUTE_OPTIONS(.name = "new_note", .summary = "A new note",
                                                .body = OF(torc_schema_struct, input_json),
                                                RESPONSES(make_responses)));
    torc_resource_route_with(
        one, "GET", show_note,
        TORC_ROUTE_OPTIONS(.name = "note", .summary = "One note", RESPONSES(show_responses)));
    torc_resource_route_with(one, "PUT", replace_note,
                             TORC_ROUTE_OPTIONS(.name = "replace_note", .summary = "Another text",
                                                .body = OF(torc_schema_struct, input_json),
                                                RESPONSES(replace_responses)));
    torc_resource_route_with(one, "DELETE", remove_note,
                             TORC_ROUTE_OPTIONS(.name = "remove_note", .summary = "No more note",
                                                RESPONSES(remove_responses)));
}

void notes_use_api(torc_app *app) {
    torc_resource *api = torc_resource_group(torc_app_root(app), "/api");
    const torc_rate_limit_options rate = {.size = sizeof(rate), .rate = "600/min,burst=100"};

    torc_resource_use(api, torc_rate_limit_new(&rate));
    torc_resource_on_error(api, reply_problem, NULL);
    add_routes(torc_resource_group(api, "/notes"));
    torc_resource_put_child(torc_app_root(app), "openapi.json", torc_openapi_new(&info));
}
