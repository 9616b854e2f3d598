/* SPDX-License-Identifier: MIT */
/* Cookies: a theme that the visitor chooses, and a count of visits that he can read and not change.
 */
#include "page.h"
#include "parts.h"

/* Made anew by each process: a count that another has signed begins again. */
static torc_signer *signer;

static const char *const themes[] = {"auto", "light", "dark"};

const char *cookies_start(torc_app *app) {
    torc_memory *memory = torc_reactor_memory(torc_app_reactor(app));
    char key[32];
    torc_err err = torc_random_bytes(key, sizeof(key));

    if (!err)
        err = torc_signer_new(memory, TORC_DIGEST_SHA256, torc_str_make(key, sizeof(key)), &signer);
    torc_secret_wipe(key, sizeof(key));
    return err ? torc_err_text(err) : NULL;
}

void cookies_stop(void) {
    torc_signer_free(signer);
    signer = NULL;
}

/* The visits that the cookie tells, if it is one of ours. */
static uint64_t read_visits(torc_request *request) {
    uint64_t visits = 0;
    torc_str text, value;

    if (!torc_request_cookie(request, "visits", &text)) return 0;
    if (!torc_cookie_verify(signer, TORC_STR("visits"), text, &value)) return 0;
    return torc_str_parse_uint(value, 1000000, &visits) ? 0 : visits;
}

static torc_err set_visits(torc_request *request, torc_str visits) {
    char bytes[128];
    torc_buf buf;

    torc_buf_init_fixed(&buf, bytes, sizeof(bytes));
    const torc_err err = torc_cookie_sign(signer, TORC_STR("visits"), visits, &buf);
    if (err) return err;
    torc_response_add_cookie(request, &(torc_cookie){.name = TORC_STR("visits"),
                                                     .value = torc_buf_str(&buf),
                                                     .path = TORC_STR("/cookies"),
                                                     .same_site = TORC_SAME_SITE_LAX,
                                                     .is_http_only = true});
    return TORC_OK;
}

static torc_render show_cookies(torc_request *request) {
    char digits[24];
    torc_buf buf;

    torc_buf_init_fixed(&buf, digits, sizeof(digits));
    torc_buf_add_uint(&buf, read_visits(request) + 1);
    const torc_err err = set_visits(request, torc_buf_str(&buf));
    if (err) return torc_reply_error(request, err);
    const page_value values[] = {{"visits", torc_buf_str(&buf), false}};
    return page_reply(request, 200, "cookies", values, 1);
}

static torc_cookie theme_cookie(torc_str value) {
    return (torc_cookie){.name = TORC_STR("theme"),
                         .value = value,
                         .path = TORC_STR("/"),
                         .same_site = TORC_SAME_SITE_LAX,
                         .max_age = 30 * 86400,
                         .has_max_age = true,
                         .is_http_only = true};
}

static torc_render take_theme(torc_request *request) {
    const torc_form_entries *form;
    const torc_err err = torc_request_form(request, &form);
    if (err) return torc_reply_error(request, err);

    const torc_str theme = torc_form_value(form, "theme");
    for (size_t i = 0; i < TORC_COUNT_OF(themes); i++) {
        if (!torc_str_equals(theme, torc_str_of(themes[i]))) continue;
        const torc_cookie cookie = theme_cookie(theme);
        torc_response_add_cookie(request, &cookie);
        return torc_reply_redirect(request, 303, "/cookies");
    }
    return torc_reply_status(request, 422, "A theme is auto, light or dark.");
}

static torc_render forget(torc_request *request) {
    const torc_cookie theme = theme_cookie(TORC_STR(""));
    const torc_cookie visits = {.name = TORC_STR("visits"), .path = TORC_STR("/cookies")};

    torc_response_delete_cookie(request, &theme);
    torc_response_delete_cookie(request, &visits);
    return torc_reply_redirect(request, 303, "/");
}

void cookies_use(torc_app *app) {
    page_route(app, "GET /cookies", show_cookies);
    page_route(app, "POST /cookies", take_theme);
    page_route(app, "POST /cookies/forget", forget);
}
