/* SPDX-License-Identifier: MIT */
/*
 * Results of deferreds, looked at by a test.
 *
 *  - A deferred that is taken is told to a callback on the stack, which is cancelled before that
 *    returns.
 */
#include <stdio.h>

#include "reactor/reactor.h"
#include "testing/expect.h"

typedef struct result {
    torc_owner owner;
    torc_reactor *reactor;
    void *value;
    torc_err err;
    bool has_fired;
} result;

static void fired(torc_callback *callback, torc_err err, void *value) {
    result *self = torc_container_of(callback, result, owner.callback);

    self->has_fired = true;
    self->err = err;
    self->value = value;
}

/* Take it, and let `ms` pass at most until it has fired. */
static void wait(result *self, torc_deferred *deferred, uint64_t ms) {
    *self = (result){.reactor = deferred->reactor};
    torc_deferred_own(deferred, &self->owner, fired);
    torc_test_settle_all(self->reactor);
    while (!self->has_fired && ms > 0) ms -= torc_test_advance_some(self->reactor, ms);
    torc_callback_cancel(&self->owner.callback);
}

/* What went wrong, for people; frees what is known of it. */
static void add_error(torc_buf *text, result *self) {
    torc_failure *failure =
        torc_owner_take_failure(&self->owner, &self->reactor->memory, self->err);

    torc_buf_addf(text, "%s", torc_err_text(self->err));
    if (failure) torc_buf_addf(text, "\n    ");
    torc_failure_format(failure, text);
    torc_failure_free(failure);
}

static void tell(const char *place, const char *made_at, const char *should, result *self) {
    torc_buf text;

    torc_buf_init(&text, NULL, TORC_MEMORY_OTHER, TORC_TEST_TEXT_MAX);
    torc_buf_addf(&text, "the deferred that was made at %s ",
                  made_at ? made_at : "a place of the library");
    if (!self->has_fired)
        torc_buf_addf(&text, "has not fired, and should %s", should);
    else if (self->err) {
        torc_buf_addf(&text, "should %s, and has failed: ", should);
        add_error(&text, self);
    } else {
        torc_buf_addf(&text, "has a value, and should %s", should);
        torc_deferred_dispose_of(self->value, self->owner.dispose);
    }
    torc_test_fail_buf(place, &text);
}

void *torc_test_await_value_at(const char *place, torc_deferred *deferred, uint64_t ms) {
    const char *made_at = deferred->made_at;
    result self;

    wait(&self, deferred, ms);
    if (self.has_fired && !self.err) return self.value;
    tell(place, made_at, "have a value", &self);
    return NULL;
}

void *torc_test_expect_value_at(const char *place, torc_deferred *deferred) {
    return torc_test_await_value_at(place, deferred, 0);
}

bool torc_test_expect_error_at(const char *place, torc_deferred *deferred, torc_err err) {
    const char *made_at = deferred->made_at;
    char should[160];
    result self;

    wait(&self, deferred, 0);
    const bool is_right = self.has_fired && self.err && (!err || self.err == err);
    if (is_right) {
        torc_failure_free(self.owner.failure);
        return true;
    }
    snprintf(should, sizeof(should), "fail%s%s", err ? " with: " : "",
             err ? torc_err_text(err) : "");
    tell(place, made_at, should, &self);
    return false;
}

bool torc_test_expect_no_result_at(const char *place, torc_deferred *deferred) {
    torc_test_settle_all(deferred->reactor);
    if (!torc_deferred_has_fired(deferred)) return true;
    torc_test_fail_at(place, "the deferred that was made at %s has a result already: %s",
                      deferred->made_at ? deferred->made_at : "a place of the library",
                      deferred->err ? torc_err_text((torc_err)deferred->err) : "a value");
    return false;
}
