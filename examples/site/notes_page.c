/* SPDX-License-Identifier: MIT */
/* The notes for people: a list, and forms that need no script. What a form sends is made JSON and
 * checked as what programs send. */
#include <stdio.h>
#include <string.h>

#include "notes.h"
#include "page.h"

enum {
    LIST_MAX = 512 * 1024
};

static void add_note(torc_buf *html, const note *it) {
    torc_buf_add(html, TORC_STR("<li><div><strong>"));
    html_add(html, torc_str_of(it->title));
    torc_buf_add(html, TORC_STR("</strong> "));
    html_add(html, torc_str_of(it->text));
    torc_buf_addf(html,
                  "</div><form method=\"post\" action=\"/notes/%lld/remove\">"
                  "<button class=\"quiet\" aria-label=\"Remove: ",
                  (long long)it->id);
    html_add(html, torc_str_of(it->title));
    torc_buf_add(html, TORC_STR("\">Remove</button></form></li>\n"));
}

static torc_render reply_list(torc_request *request, int status, const char *mistake,
                              const note *input) {
    torc_buf list;

    torc_buf_init(&list, torc_reactor_memory(torc_request_reactor(request)), TORC_MEMORY_OUTPUT,
                  LIST_MAX);
    for (size_t i = 0; i < note_count(); i++) add_note(&list, note_at(i));
    const page_value values[] = {
        {"list", torc_buf_str(&list), true},
        {"mistake", torc_str_of(mistake), false},
        {"title-value", torc_str_of(input ? input->title : ""), false},
        {"text-value", torc_str_of(input ? input->text : ""), false},
    };
    const torc_err err = torc_buf_err(&list);
    const torc_render answer =
        err ? torc_reply_error(request, err)
            : page_reply(request, status, "notes", values, TORC_COUNT_OF(values));
    torc_buf_dispose(&list);
    return answer;
}

static torc_render show_notes(torc_request *request) {
    return reply_list(request, 200, "", NULL);
}

/* The form's fields as the document that a program would have sent. */
static torc_err write_json(torc_request *request, const torc_form_entries *form, torc_buf *buf) {
    torc_json json;
    (void)request;

    torc_json_init_buf(&json, buf, (torc_json_options){0});
    torc_json_open_object(&json);
    torc_json_member_str(&json, "title", torc_form_value(form, "title"));
    torc_json_member_str(&json, "text", torc_form_value(form, "text"));
    torc_json_close_object(&json);
    return torc_json_end(&json);
}

static torc_render take_note(torc_request *request) {
    const torc_form_entries *form;
    torc_json_error error;
    note input = {0};
    char bytes[NOTE_BODY_MAX];
    torc_buf buf;

    torc_request_limits(request)->body_bytes_max = NOTE_BODY_MAX;
    torc_err err = torc_request_form(request, &form);
    if (err) return torc_reply_error(request, err);
    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    err = write_json(request, form, &buf);
    if (err) return torc_reply_status(request, 413, "That is no note, that is a book.");
    err = torc_json_parse_struct(torc_request_arena(request), torc_buf_str(&buf), NULL, &input_json,
                                 &input, &error);
    if (err == TORC_ERR_INVALID) {
        char mistake[sizeof(error.pointer) + sizeof(error.text) + 2];
        snprintf(mistake, sizeof(mistake), "%.250s %.250s", error.pointer + 1, error.text);
        return reply_list(request, 422, mistake, &input);
    }
    if (err) return torc_reply_error(request, err);
    if (!note_add(&input)) return reply_list(request, 507, "There are 100 notes already.", &input);
    return torc_reply_redirect(request, 303, "/notes");
}

static torc_render remove_note(torc_request *request) {
    const int64_t id = torc_request_param_int(request, "id");
    if (note_find(id)) note_remove(id);
    return torc_reply_redirect(request, 303, "/notes");
}

void notes_use_page(torc_app *app) {
    page_route(app, "GET /notes", show_notes);
    page_route(app, "POST /notes", take_note);
    page_route(app, "POST /notes/{id:uint}/remove", remove_note);
}
