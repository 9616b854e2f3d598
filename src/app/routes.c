/* SPDX-License-Identifier: MIT */
/*
 * --routes: what a program answers, as it was set up before torc_app_run().
 */
#include "app/routes.h"

#include <string.h>

#include "web/openapi.h"

/* People would take a table without a line for a program that answers nothing. */
static torc_err write_table(const torc_app *app, torc_buf *text) {
    const torc_err err = torc_routes_write_text(app->root, text);
    const ptrdiff_t end = torc_str_find_byte(torc_buf_str(text), '\n');

    if (err || (size_t)end + 1 < text->len) return err;
    torc_buf_add(text,
                 TORC_STR("Nothing before it serves: what it answers is added at its start.\n"));
    return torc_buf_err(text);
}

torc_err torc_app_write_routes(const torc_app *app, torc_buf *text) {
    const char *form = app->settings.routes_form;
    const torc_openapi_info info = {
        .title = app->name, .version = "0", .description = app->description};
    torc_json json;
    torc_err err, end;

    if (!form || strcmp(form, "text") == 0) return write_table(app, text);
    torc_json_init_buf(&json, text, TORC_JSON_PLAIN);
    err = strcmp(form, "json") == 0 ? torc_routes_write_json(app->root, &json)
                                    : torc_openapi_write_first(app->root, &info, &json);
    end = torc_json_end(&json);
    torc_buf_add_byte(text, '\n');
    return err ? err : end ? end : torc_buf_err(text);
}
