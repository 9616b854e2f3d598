/* SPDX-License-Identifier: MIT */
/* TLS: a folder as a site, by https, and what is known of who asks. */
#include <torc/torc.h>

/* Of a request's connection: whether it is secure, for which name, and whose certificate was shown
 * by the client, if there was one and it is trusted. */
static torc_render who(torc_request *request) {
    const torc_tls_session *tls = torc_request_link_info(request)->tls;
    torc_json *json = torc_reply_json(request, 200);

    torc_json_open_object(json);
    torc_json_member_bool(json, "secure", torc_request_is_secure(request));
    torc_json_member_str(json, "version", tls ? tls->version : (torc_str){0});
    torc_json_member_str(json, "name", tls ? tls->server_name : (torc_str){0});
    torc_json_member_str(json, "client", tls ? tls->peer_name : (torc_str){0});
    torc_json_close_object(json);
    return torc_reply_end(request);
}

static const char *folder = ".";

static const char *set_folder(torc_app *app, const char *value, char text[160]) {
    (void)app;
    (void)text;
    folder = value;
    return NULL;
}

static void start(torc_app *app) {
    torc_resource_put_rest(torc_app_root(app), torc_static_files_new(folder, NULL));
}

int main(int argc, char **argv) {
    torc_app *app = torc_app_new("tls");

    torc_app_set_listen(app, "ssl:8443:interface=127.0.0.1");
    torc_app_add_option(app, "folder", "DIR", "the folder to serve (.)", set_folder);
    torc_app_route(app, "GET /who", who);
    torc_app_on_start(app, start);
    return torc_app_run(app, argc, argv);
}
