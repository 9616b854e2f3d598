/* SPDX-License-Identifier: MIT */
/* Forms as a whole, files of forms that are saved, and what goes wrong on the way. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <torc/form.h>
#include <unistd.h>

#include "faults.h"
#include "http_fixture.h"
#include "reactor/syscalls.h"

#define MULTIPART                                                                                  \
    "POST /\nContent-Type: multipart/form-data; boundary=b\nTransfer-Encoding: chunked"
#define URLENCODED                                                                                 \
    "POST /\nContent-Type: application/x-www-form-urlencoded\nTransfer-Encoding: chunked"

/* A folder of its own, with nothing in it when the test begins. */
static char folder[] = "/tmp/torc-form-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

/* Names in the folder. */
static int count_files(void) {
    DIR *open = opendir(folder);
    int count = -2; /* "." and ".." */

    assert_non_null(open);
    while (readdir(open)) count++;
    closedir(open);
    return count;
}

static int count_descriptors(void) {
    int count = 0;

    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* ---- forms of the test ---- */

static char form[64 * 1024];
static size_t form_len;

static void add_text(const char *text) {
    memcpy(form + form_len, text, strlen(text));
    form_len += strlen(text);
}

static char byte_at(size_t at) {
    return (char)("abc\r\n-"[at * at % 6]);
}

/* `filename` NULL: a field. */
static void add_part(const char *name, const char *filename, size_t len) {
    char head[200];

    if (filename)
        snprintf(head, sizeof(head),
                 "--b\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
                 "Content-Type: a/b\r\n\r\n",
                 name, filename);
    else
        snprintf(head, sizeof(head), "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n",
                 name);
    add_text(head);
    for (size_t i = 0; i < len; i++) form[form_len++] = byte_at(i);
    add_text("\r\n");
}

static void begin_form(void) {
    form_len = 0;
}

static void end_form(void) {
    add_text("--b--\r\n");
}

/* Send it in pieces. */
static void send_form(torc_test_request *test, size_t piece) {
    for (size_t at = 0; at < form_len; at += piece)
        torc_test_request_send(test, torc_str_head(torc_str_make(form + at, form_len - at), piece));
    torc_test_request_send_end(test);
}

/* Turn, waiting for threads, until the response is complete or the request over. */
static void run_with_threads(http_fixture *self, torc_test_request *test) {
    torc_test_request_run(test);
    for (int i = 0; i < 1000 && !torc_test_request_is_complete(test) && self->ended == 0; i++)
        check_ok(torc_reactor_turn(self->reactor, 10));
    torc_test_request_run(test);
}

/* ---- what the renders see ---- */

static struct {
    torc_err err;
    size_t memory_max;
    torc_limits limits;
    void (*look)(const torc_form_entries *entries);
    bool was_told, is_over;
    const char *path, *folder; /* NULL: that of the test */
    torc_request *request;
} seen;

static void begin(http_fixture *self) {
    memset(&seen, 0, sizeof(seen));
    seen.limits.size = sizeof(seen.limits);
    self->received = self->ended = 0;
    begin_form();
}

static void narrow(torc_request *request) {
    torc_limits *limits = torc_request_limits(request);
    *limits = torc_limits_inherit(&seen.limits, limits);
}

static torc_form_options in_folder(void) {
    return (torc_form_options){.size = sizeof(torc_form_options),
                               .folder = seen.folder ? seen.folder : folder};
}

static torc_render read_whole(torc_request *request, void *context) {
    const torc_form_options options = in_folder();
    const torc_form_entries *entries = NULL, *again = NULL;

    (void)context;
    narrow(request);
    seen.err = torc_request_form_with(request, &options, &entries);
    assert_int_equal(torc_request_form(request, &again), seen.err);
    assert_ptr_equal(again, entries);
    assert_int_equal(count_files(), 0); /* what is spooled has no name */
    if (seen.err) return torc_reply_error(request, seen.err);
    if (seen.look) seen.look(entries);
    return torc_reply_text(request, 200, "");
}

static void got_entries(torc_request *request, torc_err err, const torc_form_entries *entries,
                        void *context) {
    assert_true(torc_fiber_is_here(torc_request_reactor(request)));
    assert_ptr_equal(context, &seen);
    seen.was_told = true;
    seen.err = err;
    if (!err && seen.look) seen.look(entries);
    if (err)
        torc_reply_error(request, err);
    else
        torc_reply_text(request, 200, "");
}

static torc_render ask_for_whole(torc_request *request, void *context) {
    const torc_form_options options = in_folder();

    (void)context;
    narrow(request);
    seen.was_told = false;
    check_ok(torc_request_request_form(request, &options, got_entries, &seen));
    assert_false(seen.was_told);
    return TORC_RENDER_NOT_DONE_YET;
}

/* The form as it is, by both ways and in pieces of several sizes. */
static void check_whole(http_fixture *self, const char *head, int status) {
    static const size_t pieces[] = {1, 7, 4096, SIZE_MAX / 2};

    for (size_t i = 0; i < 2 * TORC_COUNT_OF(pieces); i++) {
        const int descriptors = count_descriptors();
        self->on_fiber = i % 2;
        self->received = self->ended = 0;
        torc_test_request *test =
            http_begin(self, self->on_fiber ? read_whole : ask_for_whole, head);
        send_form(test, pieces[i / 2]);
        run_with_threads(self, test);
        assert_int_equal(torc_test_request_status(test), status);
        torc_test_request_free(test);
        assert_true(count_descriptors() <= descriptors + 4); /* threads of the pool may have come */
        assert_int_equal(count_files(), 0);
    }
}

/* ---- entries ---- */

static void look_at_fields(const torc_form_entries *entries) {
    size_t place = 0;

    assert_int_equal(entries->count, 6);
    check_str(entries->items[0].name, "a");
    check_str(entries->items[0].value, "1");
    check_str(torc_form_find_next(entries, "a", &place)->value, "1");
    check_str(torc_form_find_next(entries, "a", &place)->value, "x y");
    assert_int_equal(place, 3);
    assert_null(torc_form_find_next(entries, "a", &place));
    assert_null(torc_form_find(entries, "z"));
    check_str(torc_form_value(entries, "b"), "");
    assert_non_null(torc_form_value(entries, "b").bytes);
    assert_null(torc_form_value(entries, "z").bytes);
    assert_non_null(torc_form_find(entries, "flag"));
    assert_null(torc_form_find(entries, "flag")->value.bytes);
    check_str(torc_form_value(entries, ""), "n");
    check_str(torc_form_value(entries, "%"), "%4");
    for (size_t i = 0; i < entries->count; i++) {
        assert_int_equal(entries->items[i].fd, -1);
        assert_null(entries->items[i].filename.bytes);
        assert_int_equal(entries->items[i].len, entries->items[i].value.len);
    }
}

static void fields_are_found_by_name_and_in_order(void **state) {
    begin(*state);
    seen.look = look_at_fields;
    add_text("a=1&b=&a=x+%79&flag&=n&%25=%4");
    check_whole(*state, URLENCODED, 200);
}

static void check_content(const torc_form_entry *entry, size_t len) {
    assert_int_equal(entry->len, len);
    for (size_t at = 0; at < len; at++) {
        char byte = entry->fd < 0 ? entry->value.bytes[at] : '\0';
        if (entry->fd >= 0) assert_int_equal(pread(entry->fd, &byte, 1, (off_t)at), 1);
        assert_int_equal(byte, byte_at(at));
    }
}

static void look_at_files(const torc_form_entries *entries) {
    assert_int_equal(entries->count, 7);
    const torc_form_entry *items = entries->items;

    check_str(items[0].filename, "small.txt");
    check_str(items[0].content_type, "a/b");
    check_content(&items[0], 10);
    assert_int_equal(items[0].fd, -1);
    check_content(&items[1], 5000);
    assert_true(items[1].fd >= 0);
    assert_null(items[1].value.bytes);
    check_content(&items[2], 300);
    assert_null(items[2].filename.bytes);
    assert_null(items[2].content_type.bytes);
    check_content(&items[3], 90);
    assert_int_equal(items[3].fd, -1);
    check_content(&items[4], 1);
    assert_true(items[4].fd >= 0);
    assert_int_not_equal(items[4].fd, items[1].fd);
    assert_non_null(items[5].filename.bytes);
    assert_int_equal(items[5].filename.len + items[5].len, 0);
    assert_int_equal(items[5].fd, -1);
    check_content(&items[6], 30);
    check_content(torc_form_find(entries, "f"), 10);
    assert_int_equal(torc_form_value(entries, "f").len, 30); /* the one that is no file */
}

/* 100 bytes of files in memory: the first, and the fourth that still fits. */
static void files_past_the_threshold_are_spooled(void **state) {
    begin(*state);
    seen.look = look_at_files;
    seen.limits.body_memory_max = 100;
    add_part("f", "small.txt", 10);
    add_part("f", "large", 5000);
    add_part("v", NULL, 300);
    add_part("f", "fits", 90);
    add_part("f", "does not", 1);
    add_part("f", "", 0);
    add_part("f", NULL, 30);
    end_form();
    check_whole(*state, MULTIPART, 200);
}

/* The peer has not asked for the folder. */
static void a_folder_that_is_not_there_is_no_404(void **state) {
    begin(*state);
    seen.folder = "/nowhere/at-all";
    seen.limits.body_memory_max = 100;
    add_part("f", "large", 5000);
    end_form();
    check_whole(*state, MULTIPART, 500);
    assert_int_equal(seen.err, TORC_ERR_SYSTEM);
}

static void look_at_nothing(const torc_form_entries *entries) {
    assert_int_equal(entries->count, 0);
    assert_null(torc_form_find(entries, "a"));
}

static void a_form_may_be_empty(void **state) {
    begin(*state);
    seen.look = look_at_nothing;
    check_whole(*state, URLENCODED, 200);
    end_form();
    check_whole(*state, MULTIPART, 200);
}

/* ---- limits, and what is no form ---- */

static void values_have_a_limit_together(void **state) {
    begin(*state);
    seen.limits.form_values_bytes_max = 100;
    add_part("a", NULL, 49);
    add_part("b", NULL, 49);
    add_part("f", "f", 1000); /* its content is not counted, its names are */
    end_form();
    check_whole(*state, MULTIPART, 413);
    assert_int_equal(seen.err, TORC_ERR_TOO_LARGE);
    seen.limits.form_values_bytes_max = 105;
    check_whole(*state, MULTIPART, 200);
}

static void what_is_no_form_leaves_nothing(void **state) {
    begin(*state);
    seen.limits.body_memory_max = 100;
    add_part("f", "f", 1000);
    add_part("g", "f", 1000);
    check_whole(*state, MULTIPART, 400);
    assert_int_equal(seen.err, TORC_ERR_TRUNCATED);
    check_whole(*state, "POST /\nContent-Type: a/b\nTransfer-Encoding: chunked", 415);
    check_whole(*state, "POST /\nContent-Type: multipart/form-data\nContent-Length: 5", 400);
    seen.limits.form_file_bytes_max = 500;
    check_whole(*state, MULTIPART, 413);
    seen.limits.body_bytes_max = 600;
    check_whole(*state, MULTIPART, 413);
}

static torc_render ask_on_a_fiber(torc_request *request, void *context) {
    (void)context;
    assert_int_equal(torc_request_request_form(request, NULL, got_entries, &seen), TORC_ERR_STATE);
    torc_reply_text(request, 200, "");
    assert_int_equal(torc_request_request_form(request, NULL, got_entries, &seen), TORC_ERR_GONE);
    return TORC_RENDER_DONE;
}

static torc_render ask_twice(torc_request *request, void *context) {
    (void)context;
    check_ok(torc_request_request_form(request, NULL, got_entries, &seen));
    torc_reply_text(request, 200, "");
    return TORC_RENDER_DONE;
}

static void asking_at_the_wrong_time_is_told(void **state) {
    http_fixture *self = *state;

    begin(self);
    self->on_fiber = true;
    torc_test_request_free(http_ask(self, ask_on_a_fiber, "GET /"));
    self->on_fiber = false;
    torc_test_request_free(http_ask(self, ask_twice, "GET /"));
    assert_false(seen.was_told);
}

/* ---- loss ---- */

static void losing_in_the_middle_leaves_nothing(void **state) {
    http_fixture *self = *state;

    for (int turns = 1; turns < 12; turns++) {
        begin(self);
        seen.limits.body_memory_max = 100;
        add_part("f", "f", 30000);
        self->on_fiber = turns % 2;
        const int descriptors = count_descriptors();
        torc_test_request *test =
            http_begin(self, self->on_fiber ? read_whole : ask_for_whole, MULTIPART);
        torc_test_request_send(test, torc_str_make(form, form_len));
        for (int i = 0; i < turns; i++) check_ok(torc_reactor_turn(self->reactor, 1));
        torc_test_request_disconnect(test);
        run_with_threads(self, test);
        if (self->on_fiber || seen.was_told)
            assert_true(seen.err == TORC_ERR_LOST || seen.err == TORC_ERR_GONE);
        assert_int_equal(self->ended, 1);
        torc_test_request_free(test);
        assert_int_equal(count_files(), 0);
        /* What a thread was still writing is closed when that is done. */
        for (int i = 0; i < 100 && count_descriptors() > descriptors + 4; i++)
            check_ok(torc_reactor_turn(self->reactor, 10));
        assert_true(count_descriptors() <= descriptors + 4);
    }
}

/* ---- saving ---- */

static torc_render save(torc_request *request, void *context) {
    const torc_form_part *part;
    torc_form *opened;
    uint64_t len = 0;

    (void)context;
    narrow(request);
    check_ok(torc_form_open(request, NULL, &opened));
    seen.err = torc_form_next(opened, &part);
    if (!seen.err) seen.err = torc_form_save(opened, seen.path, 0640, &len);
    seen.was_told = true;
    if (!seen.err) seen.err = torc_form_next(opened, &part);
    if (!seen.err) assert_null(part);
    char text[32];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)len);
    return seen.err ? torc_reply_error(request, seen.err) : torc_reply_text(request, 200, text);
}

/* The same by callbacks, off fibers. */
static struct {
    bool is_wanted;
    torc_ticket ticket;
    torc_form *form;
    torc_callback saved;
    torc_deferred *saving;
    uint64_t len;
} callbacks;

static void tell_saved(torc_request *request) {
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)callbacks.len);
    if (seen.err)
        torc_reply_error(request, seen.err);
    else
        torc_reply_text(request, 200, text);
}

static void got_last(torc_form *opened, torc_err err, const torc_form_part *part, void *context) {
    (void)context;
    seen.err = err;
    assert_null(part);
    tell_saved(torc_form_request(opened));
}

static torc_request *take_request(void) {
    torc_request *request = torc_ticket_request(&callbacks.ticket);

    torc_ticket_return(&callbacks.ticket);
    return request;
}

static void saved(torc_callback *callback, torc_err err, void *value) {
    torc_request *request = take_request();

    (void)callback;
    assert_null(value);
    seen.err = err;
    seen.was_told = true;
    if (!err && request) seen.err = torc_form_request_next(callbacks.form, got_last, NULL);
    if (request && seen.err) tell_saved(request);
}

static void got_part(torc_form *opened, torc_err err, const torc_form_part *part, void *context) {
    (void)context;
    if (err) {
        seen.err = err;
        seen.was_told = true;
        torc_ticket_return(&callbacks.ticket);
        tell_saved(torc_form_request(opened));
        return;
    }
    assert_non_null(part);
    callbacks.saving = torc_form_defer_save(opened, seen.path, 0640, &callbacks.len);
    torc_deferred_then(callbacks.saving, &callbacks.saved, saved);
}

static torc_render save_by_callbacks(torc_request *request, void *context) {
    (void)context;
    narrow(request);
    callbacks.len = 0;
    seen.err = torc_ticket_take(request, &callbacks.ticket);
    if (!seen.err) seen.err = torc_form_open(request, NULL, &callbacks.form);
    if (!seen.err) seen.err = torc_form_request_next(callbacks.form, got_part, NULL);
    if (seen.err) seen.was_told = true;
    if (seen.err) torc_ticket_return(&callbacks.ticket);
    return seen.err ? torc_reply_error(request, seen.err) : TORC_RENDER_NOT_DONE_YET;
}

static torc_test_request *begin_saving(http_fixture *self, const char *path, size_t len) {
    begin(self);
    seen.path = path;
    add_part("f", "f", len);
    end_form();
    self->on_fiber = !callbacks.is_wanted;
    return http_begin(self, callbacks.is_wanted ? save_by_callbacks : save, MULTIPART);
}

static int finish_saving(http_fixture *self, torc_test_request *test) {
    send_form(test, 10000);
    run_with_threads(self, test);
    const int status = torc_test_request_status(test);
    torc_test_request_free(test);
    return status;
}

static void check_saved(const char *path, size_t len) {
    struct stat status;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    check_content(&(torc_form_entry){.fd = fd, .len = (uint64_t)status.st_size}, len);
    close(fd);
}

static void a_part_is_saved_whole(void **state) {
    static const size_t sizes[] = {0, 1, 20000};
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    const mode_t mask = umask(0);
    for (size_t i = 0; i < TORC_COUNT_OF(sizes); i++) { /* also in place of the one before */
        torc_test_request *test = begin_saving(*state, path, sizes[i]);
        assert_int_equal(finish_saving(*state, test), 200);
        check_saved(path, sizes[i]);
        assert_int_equal(count_files(), 1);
    }
    umask(mask);
    assert_int_equal(unlink(path), 0);
}

static void what_cannot_be_saved_leaves_nothing(void **state) {
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/nowhere/saved", folder);
    assert_int_equal(finish_saving(self, begin_saving(self, path, 10)), 404);
    assert_int_equal(finish_saving(self, begin_saving(self, folder, 10)), 500);
    snprintf(path, sizeof(path), "%s/saved", folder);
    torc_test_request *test = begin_saving(self, path, 20000);
    seen.limits.form_file_bytes_max = 10000;
    assert_int_equal(finish_saving(self, test), 413);
    assert_int_equal(count_files(), 0);
}

static void losing_while_saving_leaves_nothing(void **state) {
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    for (int turns = 1; turns < 12; turns++) {
        torc_test_request *test = begin_saving(self, path, 20000);
        torc_test_request_send(test, torc_str_make(form, 15000));
        for (int i = 0; i < turns; i++) check_ok(torc_reactor_turn(self->reactor, 1));
        torc_test_request_disconnect(test);
        run_with_threads(self, test);
        torc_test_request_free(test);
        for (int i = 0; i < 100 && (count_files() > 0 || !seen.was_told); i++)
            check_ok(torc_reactor_turn(self->reactor, 10));
        assert_true(seen.was_told);
        assert_true(seen.err == TORC_ERR_LOST || seen.err == TORC_ERR_GONE);
        assert_int_equal(count_files(), 0);
    }
}

/* Each test of the fiber's form is one of the callbacks'. */
static void by_callbacks(void (*test)(void **state), void **state) {
    callbacks.is_wanted = true;
    test(state);
    callbacks.is_wanted = false;
}

static void a_part_is_saved_whole_by_callbacks(void **state) {
    by_callbacks(a_part_is_saved_whole, state);
}

static void what_callbacks_cannot_save_leaves_nothing(void **state) {
    by_callbacks(what_cannot_be_saved_leaves_nothing, state);
}

static void losing_while_callbacks_save_leaves_nothing(void **state) {
    by_callbacks(losing_while_saving_leaves_nothing, state);
}

static bool is_saved(void) {
    return seen.was_told;
}

static void turn_until(http_fixture *self, bool (*holds)(void)) {
    for (int i = 0; i < 500 && !holds(); i++) check_ok(torc_reactor_turn(self->reactor, 10));
    assert_true(holds());
}

static bool is_alone(void) {
    return count_files() == 0;
}

/* A saving that has begun, so many turns later. */
static torc_test_request *begin_and_turn(http_fixture *self, const char *path, int turns) {
    torc_test_request *test = begin_saving(self, path, 20000);

    torc_test_request_send(test, torc_str_make(form, 15000));
    callbacks.saving = NULL;
    for (int i = 0; i < turns || !callbacks.saving; i++)
        check_ok(torc_reactor_turn(self->reactor, 1));
    return test;
}

/* Whenever it is cancelled, nothing is left, and what is read next is the rest of the form. */
static void a_saving_that_is_cancelled_leaves_nothing(void **state) {
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    callbacks.is_wanted = true;
    for (int turns = 1; turns < 12; turns++) {
        torc_test_request *test = begin_and_turn(self, path, turns);
        torc_deferred_cancel(callbacks.saving);
        turn_until(self, is_saved);
        assert_int_equal(seen.err, TORC_ERR_CANCELLED);
        turn_until(self, is_alone); /* a thread may just have opened it */
        assert_int_equal(callbacks.len, 0);
        torc_test_request_free(test);
    }
    callbacks.is_wanted = false;
}

/* One that is dropped goes on removing what it has made, though its request and its form are gone.
 */
static void a_saving_that_is_dropped_leaves_nothing(void **state) {
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    callbacks.is_wanted = true;
    for (int turns = 1; turns < 12; turns++) {
        torc_test_request *test = begin_and_turn(self, path, turns);
        torc_callback_cancel(&callbacks.saved);
        torc_ticket_return(&callbacks.ticket);
        torc_test_request_free(test);
        turn_until(self, is_alone);
        assert_false(seen.was_told);
    }
    callbacks.is_wanted = false;
}

/* A fiber that waits no longer goes on with the rest of the form. */
static torc_render give_up_and_read_on(torc_request *request, void *context) {
    torc_reactor *reactor = torc_request_reactor(request);
    const torc_form_part *part;
    torc_deadline deadline;
    torc_form *opened;
    torc_err err;

    (void)context;
    check_ok(torc_form_open(request, NULL, &opened));
    check_ok(torc_form_next(opened, &part));
    torc_deadline_begin(reactor, &deadline, 20);
    err = torc_form_save(opened, seen.path, 0640, NULL);
    torc_deadline_end(reactor, &deadline);
    assert_int_equal(err, TORC_ERR_TIMEOUT);
    seen.was_told = true;
    check_ok(torc_form_next(opened, &part));
    check_str(part->name, "g");
    check_ok(torc_form_next(opened, &part));
    assert_null(part);
    return torc_reply_text(request, 200, "");
}

static void a_form_is_read_on_when_saving_took_too_long(void **state) {
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    begin(self);
    seen.path = path;
    add_part("f", "f", 20000);
    add_part("g", NULL, 3);
    end_form();
    self->on_fiber = true;
    torc_test_request *test = http_begin(self, give_up_and_read_on, MULTIPART);
    torc_test_request_send(test, torc_str_make(form, 15000));
    turn_until(self, is_saved);
    torc_test_request_send(test, torc_str_make(form + 15000, form_len - 15000));
    torc_test_request_send_end(test);
    run_with_threads(self, test);
    assert_int_equal(torc_test_request_status(test), 200);
    turn_until(self, is_alone);
    torc_test_request_free(test);
}

/* ---- to a file that is open ---- */

static torc_file *opened_file;

static void got_file(torc_callback *callback, torc_err err, void *value) {
    (void)callback;
    check_ok(err);
    opened_file = value;
}

static bool has_file(void) {
    return opened_file != NULL;
}

static void open_file(http_fixture *self, const char *path) {
    torc_callback opening;

    opened_file = NULL;
    torc_deferred_then(torc_file_defer_open(self->reactor, path, O_RDWR | O_CREAT, 0640), &opening,
                       got_file);
    turn_until(self, has_file);
}

static void saved_to(torc_callback *callback, torc_err err, void *value) {
    torc_request *request = take_request();

    (void)callback, (void)value;
    seen.err = err;
    seen.was_told = true;
    if (request) tell_saved(request);
}

/* Nobody else keeps the file open. */
static void save_to(torc_form *opened, torc_err err, const torc_form_part *part, void *context) {
    check_ok(err);
    assert_non_null(part);
    callbacks.saving = torc_form_defer_save_to(opened, opened_file, &callbacks.len);
    assert_int_equal(torc_form_request_next(opened, got_last, NULL), TORC_ERR_STATE);
    torc_deferred_then(callbacks.saving, &callbacks.saved, saved_to);
    torc_file_close(opened_file);
    if (context) torc_deferred_cancel(callbacks.saving);
}

static torc_render save_to_open(torc_request *request, void *context) {
    callbacks.len = 0;
    check_ok(torc_ticket_take(request, &callbacks.ticket));
    check_ok(torc_form_open(request, NULL, &callbacks.form));
    check_ok(torc_form_request_next(callbacks.form, save_to, context));
    return TORC_RENDER_NOT_DONE_YET;
}

static void a_part_is_saved_to_an_open_file_by_callbacks(void **state) {
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    const mode_t mask = umask(0);
    for (int cancels = 0; cancels < 2; cancels++) {
        begin(self);
        add_part("f", "f", 20000);
        end_form();
        open_file(self, path);
        self->context = cancels ? self : NULL;
        torc_test_request *test = http_begin(self, save_to_open, MULTIPART);
        assert_int_equal(finish_saving(self, test), cancels ? 500 : 200);
        assert_int_equal(seen.err, cancels ? TORC_ERR_CANCELLED : TORC_OK);
        check_saved(path, 20000); /* of the first: the second has written nothing */
        assert_int_equal(count_files(), 1);
    }
    umask(mask);
    assert_int_equal(unlink(path), 0);
}

/* After the request has ended there is no form to save from. */
static torc_render save_too_late(torc_request *request, void *context) {
    torc_err err;

    (void)context;
    check_ok(torc_form_open(request, NULL, &callbacks.form));
    torc_reply_text(request, 200, "");
    err = torc_await(torc_form_defer_save(callbacks.form, "/nowhere/at-all", 0640, NULL), NULL);
    assert_int_equal(err, TORC_ERR_GONE);
    return TORC_RENDER_DONE;
}

static void nothing_is_saved_of_a_request_that_is_over(void **state) {
    http_fixture *self = *state;

    begin(self);
    self->on_fiber = true;
    torc_test_request_free(http_ask(self, save_too_late, MULTIPART));
}

/* ---- disks and memory that fail ---- */

typedef struct disk {
    torc_sys_faults base;
    torc_sys_kind kind;
    int number; /* of the call that fails */
    int asked;
} disk;

static bool disk_fails(torc_sys_faults *base, torc_sys_kind kind, size_t *len) {
    disk *self = torc_container_of(base, disk, base);

    (void)len;
    if (kind != self->kind || __atomic_add_fetch(&self->asked, 1, __ATOMIC_RELAXED) != self->number)
        return false;
    errno = ENOSPC;
    return true;
}

static void disks_fail(void **state) {
    static const torc_sys_kind kinds[] = {TORC_SYS_OPEN, TORC_SYS_WRITE, TORC_SYS_RENAME};
    http_fixture *self = *state;
    char path[100];

    snprintf(path, sizeof(path), "%s/saved", folder);
    for (size_t i = 0; i < TORC_COUNT_OF(kinds); i++) {
        disk bad = {.base.fails = disk_fails, .kind = kinds[i], .number = 1};
        self->reactor->sys_faults = &bad.base;
        for (int by = 0; by < 2; by++) {
            bad.asked = 0;
            callbacks.is_wanted = by == 1;
            assert_int_equal(finish_saving(self, begin_saving(self, path, 20000)), 500);
            assert_int_equal(seen.err, TORC_ERR_NO_SPACE);
            assert_int_equal(count_files(), 0);
        }
        callbacks.is_wanted = false;
        if (kinds[i] == TORC_SYS_RENAME) break;
        for (bad.number = 1; bad.number < 3; bad.number++) {
            begin(self);
            bad.asked = 0;
            seen.limits.body_memory_max = 100;
            add_part("f", "f", 1000);
            add_part("g", "g", 1000);
            end_form();
            self->on_fiber = true;
            torc_test_request *test = http_begin(self, read_whole, MULTIPART);
            assert_int_equal(finish_saving(self, test), 500);
            assert_int_equal(seen.err, TORC_ERR_NO_SPACE);
        }
    }
    self->reactor->sys_faults = NULL;
}

/* A reactor of its own, so that its pools hide nothing. True: nothing failed. */
static bool run_with_fault(void **state, bool saves, uint64_t fail_at, bool all_from) {
    char path[100];
    faults injected;

    assert_int_equal(http_set_up(state), 0);
    http_fixture *self = *state;
    torc_memory *memory = torc_reactor_memory(self->reactor);
    snprintf(path, sizeof(path), "%s/saved", folder);
    torc_test_request *test = begin_saving(self, path, 2000);
    if (!saves) {
        torc_test_request_free(test);
        begin(self);
        seen.limits.body_memory_max = 100;
        add_part("a", NULL, 5);
        add_part("f", "f", 1000);
        end_form();
        test = http_begin(self, fail_at % 2 ? read_whole : ask_for_whole, MULTIPART);
        self->on_fiber = fail_at % 2;
    }
    send_form(test, 500);
    faults_arm(&injected, memory, fail_at);
    injected.all_from = all_from;
    run_with_threads(self, test);
    faults_disarm(memory);
    const int status = torc_test_request_status(test);
    if (!injected.hit) assert_int_equal(status, 200);
    assert_true(status == 200 || status >= 500 || torc_test_request_was_reset(test));
    torc_test_request_free(test);
    if (saves && status == 200) assert_int_equal(unlink(path), 0);
    assert_int_equal(count_files(), 0);
    assert_int_equal(http_tear_down(state), 0);
    return !injected.hit;
}

static void failing_allocations_are_answered(void **state) {
    http_tear_down(state);
    for (int i = 0; i < 8; i++) {
        uint64_t fail_at = 1;
        callbacks.is_wanted = i & 4;
        if (!(i & 1) && callbacks.is_wanted) continue; /* nothing is saved */
        while (!run_with_fault(state, i & 1, fail_at, i & 2)) assert_true(++fail_at < 1000);
        assert_true(fail_at > 5);
    }
    callbacks.is_wanted = false;
    assert_int_equal(http_set_up(state), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        HTTP_TEST(fields_are_found_by_name_and_in_order),
        HTTP_TEST(files_past_the_threshold_are_spooled),
        HTTP_TEST(a_folder_that_is_not_there_is_no_404),
        HTTP_TEST(a_form_may_be_empty),
        HTTP_TEST(values_have_a_limit_together),
        HTTP_TEST(what_is_no_form_leaves_nothing),
        HTTP_TEST(asking_at_the_wrong_time_is_told),
        HTTP_TEST(losing_in_the_middle_leaves_nothing),
        HTTP_TEST(a_part_is_saved_whole),
        HTTP_TEST(what_cannot_be_saved_leaves_nothing),
        HTTP_TEST(losing_while_saving_leaves_nothing),
        HTTP_TEST(a_part_is_saved_whole_by_callbacks),
        HTTP_TEST(what_callbacks_cannot_save_leaves_nothing),
        HTTP_TEST(losing_while_callbacks_save_leaves_nothing),
        HTTP_TEST(a_saving_that_is_cancelled_leaves_nothing),
        HTTP_TEST(a_saving_that_is_dropped_leaves_nothing),
        HTTP_TEST(a_form_is_read_on_when_saving_took_too_long),
        HTTP_TEST(a_part_is_saved_to_an_open_file_by_callbacks),
        HTTP_TEST(nothing_is_saved_of_a_request_that_is_over),
        HTTP_TEST(disks_fail),
        HTTP_TEST(failing_allocations_are_answered),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
