/* SPDX-License-Identifier: MIT */
/*
 * What the tests of uploads need: parts of forms that are saved, spooled, or read and dropped, on
 * a disk that is as slow as they like. TORC_TEST_FOLDER is where files go, TORC_TEST_DISK_US how
 * long each write of a file takes. By the public API, but for the disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <torc/torc.h>
#include <unistd.h>

#include "reactor/syscalls.h"

static const char *folder;
static useconds_t disk_us;

/* Called on the threads that write. */
static bool wait_for_disk(torc_sys_faults *faults, torc_sys_kind kind, size_t *len) {
    (void)faults;
    (void)len;
    if (kind == TORC_SYS_WRITE && disk_us) usleep(disk_us);
    return false;
}

static torc_sys_faults slow_disk = {.fails = wait_for_disk};

static torc_render reply_length(torc_request *request, torc_err err, uint64_t len) {
    char text[32];

    if (err) return torc_reply_error(request, err);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)len);
    return torc_reply_text(request, 200, text);
}

static void allow_uploads(torc_request *request) {
    torc_request_reactor(request)->sys_faults = &slow_disk;
    torc_request_limits(request)->body_bytes_max = TORC_UNLIMITED_BYTES;
}

/* Each file of the form under its own name. */
static torc_render save(torc_request *request) {
    const torc_form_part *part;
    uint64_t len = 0, all = 0;
    torc_form *form;
    char path[512];

    allow_uploads(request);
    torc_err err = torc_form_open(request, NULL, &form);
    while (!err && !(err = torc_form_next(form, &part)) && part) {
        const torc_str name = torc_form_leaf_name(part->filename);
        if (name.len == 0) continue;
        snprintf(path, sizeof(path), "%s/%.*s", folder, TORC_STR_ARGS(torc_str_head(name, 100)));
        err = torc_form_save(form, path, 0644, &len);
        all += len;
    }
    return reply_length(request, err, all);
}

static torc_render drop(torc_request *request) {
    const torc_form_part *part;
    torc_form *form;
    torc_str chunk;
    uint64_t all = 0;

    allow_uploads(request);
    torc_err err = torc_form_open(request, NULL, &form);
    while (!err && !(err = torc_form_next(form, &part)) && part)
        while (!(err = torc_form_read(form, &chunk)) && chunk.len > 0) all += chunk.len;
    return reply_length(request, err, all);
}

static torc_render spool(torc_request *request) {
    const torc_form_options options = {.size = sizeof(options), .folder = folder};
    const torc_form_entries *entries;
    uint64_t all = 0;

    allow_uploads(request);
    const torc_err err = torc_request_form_with(request, &options, &entries);
    for (size_t i = 0; !err && i < entries->count; i++) all += entries->items[i].len;
    return reply_length(request, err, all);
}

/* With the limits of the listener. */
static torc_render limited(torc_request *request) {
    const torc_form_entries *entries;
    const torc_err err = torc_request_form(request, &entries);

    return reply_length(request, err, err ? 0 : entries->count);
}

static torc_render hello(torc_request *request) {
    return torc_reply_text(request, 200, "hello");
}

int main(int argc, char **argv) {
    const char *wait = getenv("TORC_TEST_DISK_US");
    torc_app *app = torc_app_new("upload_site");

    folder = getenv("TORC_TEST_FOLDER");
    if (!folder) folder = "/tmp";
    disk_us = wait ? (useconds_t)strtoul(wait, NULL, 10) : 0;
    torc_app_route(app, "GET /", hello);
    torc_app_route(app, "POST /save", save);
    torc_app_route(app, "POST /drop", drop);
    torc_app_route(app, "POST /spool", spool);
    torc_app_route(app, "POST /limited", limited);
    return torc_app_run(app, argc, argv);
}
