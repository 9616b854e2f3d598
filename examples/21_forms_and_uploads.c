/* SPDX-License-Identifier: MIT */
/* Forms: a short one read at once, and uploads that go to the disk as they come. */
#include <stdio.h>
#include <torc/torc.h>

static const char *folder = "."; /* where photos go */

static const char page[] =
    "<!DOCTYPE html><title>Forms</title>"
    "<form method=post action=/sign><input name=name><input name=topic value=a>"
    "<input name=topic value=b><button>Sign</button></form>"
    "<form method=post action=/photos enctype=multipart/form-data>"
    "<input type=file name=photo multiple><button>Upload</button></form>";

static torc_render show_page(torc_request *request) {
    return torc_reply_static(request, 200, "text/html; charset=utf-8", torc_str_of(page));
}

/* The whole form: urlencoded or multipart, as the page likes. */
static torc_render sign(torc_request *request) {
    const torc_form_entries *form;
    const torc_form_entry *topic;
    size_t place = 0;

    const torc_err err = torc_request_form(request, &form);
    if (err) return torc_reply_error(request, err); /* 400, 413 or 415 */
    if (torc_form_value(form, "name").len == 0)
        return torc_reply_status(request, 422, "a name is missing");
    for (size_t i = 0; i < form->count; i++) /* they are bytes, and JSON is text */
        if (!torc_utf8_is_valid(form->items[i].value))
            return torc_reply_status(request, 422, "something is not in UTF-8");

    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_object(json);
    torc_json_member_str(json, "name", torc_form_value(form, "name"));
    torc_json_member_array(json, "topics");
    while ((topic = torc_form_find_next(form, "topic", &place))) torc_json_str(json, topic->value);
    torc_json_close_array(json);
    torc_json_close_object(json);
    return torc_reply_end(request);
}

/* Each file is written while it comes; the disk and the peer wait for each other. */
static torc_err save_photos(torc_request *request, torc_json *json) {
    const torc_form_part *part;
    torc_form *form;
    char path[4096];
    uint64_t len;
    torc_err err = torc_form_open(request, NULL, &form);

    for (unsigned number = 1; !err && !(err = torc_form_next(form, &part)) && part; number++) {
        if (torc_form_leaf_name(part->filename).len == 0) continue; /* no file, or none chosen */
        if (!torc_utf8_is_valid(part->filename)) return TORC_ERR_SYNTAX; /* 400 */
        torc_json_open_object(json);
        torc_json_member_str(json, "name", torc_form_leaf_name(part->filename));
        /* A peer's file name is shown, never opened: the file gets one of ours. */
        snprintf(path, sizeof(path), "%s/photo-%u", folder, number);
        err = torc_form_save(form, path, 0644, &len);
        torc_json_member_uint(json, "bytes", err ? 0 : len);
        torc_json_close_object(json);
    }
    return err;
}

static torc_render take_photos(torc_request *request) {
    torc_limits *limits = torc_request_limits(request);

    limits->body_bytes_max = 500u * 1024 * 1024;
    limits->form_file_bytes_max = 100u * 1024 * 1024;
    torc_json *json = torc_reply_json(request, 201);
    torc_json_open_array(json);
    const torc_err err = save_photos(request, json);
    if (err) return torc_reply_error(request, err); /* takes the place of the document */
    torc_json_close_array(json);
    return torc_reply_end(request);
}

static const char *set_folder(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    folder = value;
    return NULL;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("forms_and_uploads");
    torc_app_add_option(app, "photos", "DIR", "the folder of the photos (.)", set_folder);
    torc_app_route(app, "GET /", show_page);
    torc_app_route(app, "POST /sign", sign);
    torc_app_route(app, "POST /photos", take_photos);
    return torc_app_run(app, argc, argv);
}
