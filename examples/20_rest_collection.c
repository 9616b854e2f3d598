/* SPDX-License-Identifier: MIT */
/* A REST collection: notes that are listed, made, read, replaced and removed, and an OpenAPI
 * document of it all. */
#include <stdio.h>
#include <string.h>
#include <torc/torc.h>

/* ---- what a note is, in C and in JSON ---- */

typedef struct note {
    int64_t id;
    char title[81];
    char text[1001];
    bool done;
    uint32_t version;
} note;

/* What a client sends: the title is required, unknown members are a mistake. */
static const torc_json_field input_fields[] = {
    TORC_JSON_FIELD_TEXT(note, title, .min = 1, .max = 20),
    TORC_JSON_FIELD_TEXT(note, text, .optional = true, .max = 200),
    TORC_JSON_FIELD_BOOL(note, done, .optional = true),
};
static const torc_json_struct input_json = TORC_JSON_STRUCT(note, input_fields);

static const torc_json_field note_fields[] = {
    TORC_JSON_FIELD_INT(note, id, .min = 1, .max = -1),
    TORC_JSON_FIELD_TEXT(note, title, .min = 1, .max = 20),
    TORC_JSON_FIELD_TEXT(note, text, .max = 200),
    TORC_JSON_FIELD_BOOL(note, done),
};
static const torc_json_struct note_json = TORC_JSON_STRUCT(note, note_fields);

/* ---- where the notes are: in memory, in the one process that serves ---- */

enum {
    NOTES_MAX = 1000,
    BODY_MAX = 8192,
    PAGE_MAX = 100
};

static note notes[NOTES_MAX];
static size_t note_count;
static int64_t last_id;

static note *find(int64_t id) {
    for (size_t i = 0; i < note_count; i++)
        if (notes[i].id == id) return &notes[i];
    return NULL;
}

static bool is_taken(const note *input, const note *but) {
    for (size_t i = 0; i < note_count; i++)
        if (&notes[i] != but && strcmp(notes[i].title, input->title) == 0) return true;
    return false;
}

/* ---- mistakes: each has its status ---- */

static torc_render refuse(torc_request *request, int status, const char *detail) {
    const torc_problem problem = {.status = status, .detail = detail};
    return torc_reply_problem(request, &problem);
}

/* Read the body into `input`; false: what is wrong was answered (400, 413, 415 or 422). */
static bool read_note(torc_request *request, note *input) {
    torc_request_limits(request)->body_bytes_max = BODY_MAX;
    return !torc_request_json_struct(request, &input_json, input);
}

/* The version that a client has seen is told by its ETag. */
static torc_condition check_version(torc_request *request, const note *it) {
    char etag[32];
    snprintf(etag, sizeof(etag), "\"%lld-%u\"", (long long)it->id, (unsigned)it->version);
    const torc_validators validators = {.etag = torc_str_of(etag), .last_modified = TORC_NO_DATE};
    return torc_request_check(request, &validators);
}

/* Of what is new there are no conditions any more. */
static void tell_version(torc_request *request, const note *it) {
    (void)check_version(request, it);
}

/* The note that a change is meant for: who changes one says which version it has seen, so that
 * nobody overwrites what he has not read. NULL: the mistake was answered. */
static note *find_to_change(torc_request *request) {
    note *it = find(torc_request_param_int(request, "id"));

    if (!it) return refuse(request, 404, "There is no such note."), NULL;
    if (!torc_request_field(request, "If-Match").bytes)
        return refuse(request, 428, "Say by If-Match which version is meant."), NULL;
    if (check_version(request, it) != TORC_CONDITION_PROCEED)
        return refuse(request, 412, "The note was changed meanwhile."), NULL;
    return it;
}

static torc_render reply_note(torc_request *request, int status, const note *it) {
    torc_json *json = torc_reply_json(request, status);
    torc_json_write_struct(json, &note_json, it);
    return torc_reply_end(request);
}

/* ---- the routes ---- */

/* A number in the query, which has been checked by what the route says of it. */
static uint64_t read_arg(torc_request *request, const char *name, uint64_t value) {
    torc_str text;
    if (torc_request_arg(request, name, &text))
        (void)!torc_str_parse_uint(text, UINT64_MAX, &value);
    return value;
}

static torc_render list_notes(torc_request *request) {
    const uint64_t limit = read_arg(request, "limit", 20), offset = read_arg(request, "offset", 0);

    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_array(json);
    for (size_t i = offset; i < note_count && i < offset + limit; i++)
        torc_json_write_struct(json, &note_json, &notes[i]);
    torc_json_close_array(json);
    return torc_reply_end(request);
}

static torc_render make_note(torc_request *request) {
    note input;
    if (!read_note(request, &input)) return TORC_RENDER_DONE;
    if (is_taken(&input, NULL)) return refuse(request, 409, "There is a note with this title.");
    if (note_count == NOTES_MAX) return refuse(request, 507, "There are 1000 notes already.");

    note *it = &notes[note_count++];
    *it = input;
    it->id = ++last_id;
    it->version = 1;
    torc_response_set(request, "Location",
                      torc_request_url_for(request, "note", TORC_URL_INT("id", it->id)));
    tell_version(request, it);
    return reply_note(request, 201, it);
}

static torc_render show_note(torc_request *request) {
    const note *it = find(torc_request_param_int(request, "id"));
    if (!it) return refuse(request, 404, "There is no such note.");
    const torc_condition condition = check_version(request, it);
    if (condition != TORC_CONDITION_PROCEED) return torc_reply_condition(request, condition);
    return reply_note(request, 200, it);
}

static torc_render replace_note(torc_request *request) {
    note input;
    if (!read_note(request, &input)) return TORC_RENDER_DONE;
    note *it = find_to_change(request);
    if (!it) return TORC_RENDER_DONE;
    if (is_taken(&input, it)) return refuse(request, 409, "There is a note with this title.");

    input.id = it->id;
    input.version = it->version + 1;
    *it = input;
    tell_version(request, it);
    return reply_note(request, 200, it);
}

static torc_render remove_note(torc_request *request) {
    note *it = find_to_change(request);
    if (!it) return TORC_RENDER_DONE;
    const size_t place = (size_t)(it - notes);
    memmove(it, it + 1, (--note_count - place) * sizeof(*it));
    torc_response_set_status(request, 204, NULL);
    return torc_reply_end(request);
}

/* ---- what the document tells of them ---- */

#define INPUTS(table) .inputs = (table), .input_count = TORC_COUNT_OF(table)
#define RESPONSES(table) .responses = (table), .response_count = TORC_COUNT_OF(table)
#define BODY(map)                                                                                  \
    { .schema = torc_schema_struct, .of = &(map) }

static const torc_route_input paging[] = {
    {.name = "limit", .kind = TORC_PARAM_UINT, .min = 1, .max = PAGE_MAX},
    {.name = "offset", .kind = TORC_PARAM_UINT, .min = 0, .max = 1000000},
};
static const torc_route_input seen[] = {
    {.name = "If-None-Match", .kind = TORC_PARAM_STR, .is_field = true}};
static const torc_route_input meant[] = {
    {.name = "If-Match", .kind = TORC_PARAM_STR, .is_field = true, .is_required = true}};

static const torc_route_response list_responses[] = {
    {.status = 200, .content = {.schema = torc_schema_structs, .of = &note_json}},
};
static const torc_route_response make_responses[] = {
    {.status = 201, .content = BODY(note_json)},
    {.status = 400},
    {.status = 409},
    {.status = 413},
    {.status = 415},
    {.status = 422},
    {.status = 507},
};
static const torc_route_response show_responses[] = {
    {.status = 200, .content = BODY(note_json)},
    {.status = 304},
    {.status = 404},
};
static const torc_route_response replace_responses[] = {
    {.status = 200, .content = BODY(note_json)},
    {.status = 400},
    {.status = 404},
    {.status = 409},
    {.status = 412},
    {.status = 413},
    {.status = 415},
    {.status = 422},
    {.status = 428},
};
static const torc_route_response remove_responses[] = {
    {.status = 204},
    {.status = 404},
    {.status = 412},
    {.status = 428},
};

static const torc_openapi_info info = {.title = "Notes", .version = "1"};

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("rest_collection");
    torc_resource *root = torc_app_root(app);
    torc_resource *all = torc_resource_group(root, "/notes");
    torc_resource *one = torc_resource_group(all, "/{id:uint}");

    torc_resource_route_with(all, "GET", list_notes,
                             TORC_ROUTE_OPTIONS(.name = "notes", .summary = "All notes",
                                                INPUTS(paging), .checks_inputs = true,
                                                RESPONSES(list_responses)));
    torc_resource_route_with(all, "POST", make_note,
                             TORC_ROUTE_OPTIONS(.name = "new_note", .summary = "A new note",
                                                .body = BODY(input_json),
                                                RESPONSES(make_responses)));
    torc_resource_route_with(one, "GET", show_note,
                             TORC_ROUTE_OPTIONS(.name = "note", .summary = "One note", INPUTS(seen),
                                                RESPONSES(show_responses)));
    torc_resource_route_with(one, "PUT", replace_note,
                             TORC_ROUTE_OPTIONS(.name = "replace_note", .summary = "Another text",
                                                INPUTS(meant), .body = BODY(input_json),
                                                RESPONSES(replace_responses)));
    torc_resource_route_with(one, "DELETE", remove_note,
                             TORC_ROUTE_OPTIONS(.name = "remove_note", .summary = "No more note",
                                                INPUTS(meant), RESPONSES(remove_responses)));
    torc_resource_put_child(root, "openapi.json", torc_openapi_new(&info));
    torc_app_set_workers(app, 1); /* the notes are in its memory */
    return torc_app_run(app, argc, argv);
}
