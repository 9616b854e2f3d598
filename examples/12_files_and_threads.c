/* SPDX-License-Identifier: MIT */
/* What would hold the loop is done elsewhere: notes in files, sums on threads, names, and a watch.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <torc/torc.h>

static const char *folder = "notes";

/* ---- files: each call waits, and the others go on ---- */

/* A note's path; its name has letters and digits only, so that it leads nowhere else. */
static torc_err path_of(torc_request *request, char path[256]) {
    const torc_str name = torc_request_param(request, "name");

    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.bytes[i])) return TORC_ERR_NOT_FOUND;
    const int len = snprintf(path, 256, "%s/%.*s", folder, TORC_STR_ARGS(name));
    return len < 256 ? TORC_OK : TORC_ERR_NOT_FOUND;
}

static torc_render read_note(torc_request *request) {
    torc_file_result *note;
    char path[256];
    torc_err err = path_of(request, path);

    if (!err) err = torc_file_read_whole(torc_request_reactor(request), path, 65536, &note);
    if (err) return torc_reply_error(request, err);
    torc_reply_bytes(request, 200, "text/plain; charset=utf-8", note->bytes); /* copied */
    torc_file_result_free(note);
    return TORC_RENDER_DONE;
}

/* Whoever reads meanwhile finds all of the old note or all of the new, even after a crash. */
static torc_render write_note(torc_request *request) {
    torc_reactor *reactor = torc_request_reactor(request);
    torc_str note;
    char path[256];
    torc_err err = path_of(request, path);

    if (!err) err = torc_body_read_all(request, 65536, &note);
    if (!err) err = torc_file_replace(reactor, path, note, 0666);
    if (err) return torc_reply_error(request, err);
    return torc_reply_text(request, 201, "written\n");
}

static torc_render list_notes(torc_request *request) {
    torc_file_result *notes;
    torc_err err = torc_file_list(torc_request_reactor(request), folder, 1000, &notes);

    if (err) return torc_reply_error(request, err);
    torc_json *json = torc_reply_json(request, 200);
    torc_json_open_array(json);
    for (size_t i = 0; i < notes->entry_count; i++) torc_json_text(json, notes->entries[i].name);
    torc_json_close_array(json);
    torc_file_result_free(notes);
    return torc_reply_end(request);
}

/* ---- threads: what computes long ---- */

typedef struct sum {
    uint64_t up_to, result;
} sum;

/* On a thread: it may touch nothing but what it is given, which is a copy. */
static torc_err add_up(void *data) {
    sum *self = data;

    for (uint64_t i = 1; i <= self->up_to; i++) self->result += i * i;
    return TORC_OK;
}

static torc_render compute(torc_request *request) {
    sum squares = {.up_to = 1000000};
    char text[64];
    const torc_err err = torc_await_thread(torc_request_reactor(request), TORC_THREAD_CPU, add_up,
                                           &squares, sizeof(squares), NULL);

    if (err) return torc_reply_error(request, err); /* TORC_ERR_BUSY: too many wait already */
    snprintf(text, sizeof(text), "%llu\n", (unsigned long long)squares.result);
    return torc_reply_text(request, 200, text);
}

/* ---- names ---- */

static torc_render resolve(torc_request *request) {
    const torc_str host = torc_request_param(request, "host");
    char text[512] = "", name[256], addr[TORC_ADDR_TEXT_MAX];
    torc_addr_list *list;

    snprintf(name, sizeof(name), "%.*s", TORC_STR_ARGS(host));
    const torc_err err = torc_resolve_await(torc_request_reactor(request), name, 0, &list);
    if (err) {
        snprintf(text, sizeof(text), "%s\n", torc_resolve_err_text(err));
        return torc_reply_text(request, err == TORC_ERR_NOT_FOUND ? 404 : 502, text);
    }
    for (size_t i = 0, len = 0; i < list->count && i < 8; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n",
                                torc_addr_host_text(&list->addrs[i], addr).bytes);
    torc_addr_list_free(list);
    return torc_reply_text(request, 200, text);
}

/* ---- watching: whoever changes a note, this is told ---- */

static torc_path_watch *watch;
static unsigned change_count;

static void note_changed(torc_path_watch *of, const torc_path_event *event, void *context) {
    (void)of;
    (void)context;
    if (event->change == TORC_PATH_MOVED_HERE || event->change == TORC_PATH_CLOSED) change_count++;
}

static torc_render show_changes(torc_request *request) {
    char text[32];

    snprintf(text, sizeof(text), "%u\n", change_count);
    return torc_reply_text(request, 200, text);
}

/* In each worker, before it serves: there is time to wait for the disk. */
static void start(torc_app *app) {
    if (mkdir(folder, 0777) && errno != EEXIST) {
        torc_app_refuse(app, "cannot make the folder of notes: see --notes");
        return;
    }
    if (torc_path_watch_new(torc_app_reactor(app), folder, NULL, note_changed, NULL, &watch))
        torc_app_refuse(app, "cannot watch the folder of notes: see --notes");
}

static void stop(torc_app *app) {
    (void)app;
    torc_path_watch_free(watch);
}

static const char *set_folder(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    folder = value;
    return NULL;
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("files_and_threads");
    torc_app_add_option(app, "notes", "DIR", "the folder of the notes (notes)", set_folder);
    torc_app_on_start(app, start);
    torc_app_on_stop(app, stop);
    torc_app_route(app, "GET /notes", list_notes);
    torc_app_route(app, "GET /notes/{name}", read_note);
    torc_app_route(app, "PUT /notes/{name}", write_note);
    torc_app_route(app, "GET /squares", compute);
    torc_app_route(app, "GET /addresses/{host}", resolve);
    torc_app_route(app, "GET /changes", show_changes);
    return torc_app_run(app, argc, argv);
}
