/* SPDX-License-Identifier: MIT */
/*
 * Failures: trees of what went wrong.
 *
 *  - What a failure came from is the list that starts with `cause`; but for groups it has one.
 *  - On the way down by `cause` there are at most TORC_FAILURE_CAUSES_MAX below the first, so that
 *    what tries again for ever does not remember for ever; and recursion is bounded.
 *  - The message stands behind the struct, in the same allocation.
 */
#include <stdio.h>
#include <string.h>
#include <torc/failure.h>

struct torc_failure {
    torc_memory *memory;
    torc_failure *cause, *next;
    const char *place;
    torc_err err;
    char message[];
};

torc_failure *torc_failure_new_at(torc_memory *memory, const char *place, torc_err err,
                                  const char *format, ...) {
    char message[TORC_FAILURE_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (len < 0) message[0] = '\0';
    const size_t size = strlen(message) + 1;
    torc_failure *failure = torc_alloc(memory, TORC_MEMORY_OTHER, sizeof(*failure) + size);
    if (!failure) return NULL;
    *failure = (torc_failure){.memory = memory, .place = place, .err = err};
    memcpy(failure->message, message, size);
    return failure;
}

void torc_failure_free(torc_failure *failure) {
    torc_failure *next;

    for (; failure; failure = next) {
        next = failure->next;
        torc_failure_free(failure->cause);
        torc_dealloc(failure->memory, failure);
    }
}

/* How many stand one below the other, this one first. */
static unsigned depth_of(const torc_failure *failure) {
    unsigned deepest = 0;

    for (const torc_failure *each = failure ? failure->cause : NULL; each; each = each->next) {
        const unsigned depth = depth_of(each);
        if (depth > deepest) deepest = depth;
    }
    return failure ? deepest + 1 : 0;
}

/* Drop what stands deeper than `depth` below. */
static void cut(torc_failure *failure, unsigned depth) {
    for (; failure; failure = failure->next) {
        if (depth > 0) {
            cut(failure->cause, depth - 1);
        } else {
            torc_failure_free(failure->cause);
            failure->cause = NULL;
        }
    }
}

/* Put it where `above` stand over it. */
static void put(torc_failure *added, torc_failure **place, unsigned above) {
    if (above > TORC_FAILURE_CAUSES_MAX) {
        torc_failure_free(added);
        return;
    }
    *place = added;
    if (above + depth_of(added) - 1 > TORC_FAILURE_CAUSES_MAX)
        cut(added, TORC_FAILURE_CAUSES_MAX - above);
}

void torc_failure_add_cause(torc_failure *failure, torc_failure *cause) {
    torc_failure **place;
    unsigned above = 1;

    if (!failure || !cause) {
        torc_failure_free(cause);
        return;
    }
    for (place = &failure->cause; *place; place = &(*place)->cause) above++;
    put(cause, place, above);
}

void torc_failure_add_member(torc_failure *failure, torc_failure *member) {
    torc_failure **place;

    if (!failure || !member) {
        torc_failure_free(member);
        return;
    }
    for (place = &failure->cause; *place;) place = &(*place)->next;
    put(member, place, 1);
}

torc_err torc_failure_err(const torc_failure *failure) {
    return failure ? failure->err : TORC_OK;
}

const char *torc_failure_message(const torc_failure *failure) {
    return failure ? failure->message : "";
}

const char *torc_failure_place(const torc_failure *failure) {
    return failure && failure->place ? failure->place : "";
}

const torc_failure *torc_failure_cause(const torc_failure *failure) {
    return failure ? failure->cause : NULL;
}

const torc_failure *torc_failure_next(const torc_failure *failure) {
    return failure ? failure->next : NULL;
}

const torc_failure *torc_failure_find(const torc_failure *failure, torc_err err) {
    const torc_failure *found = NULL;

    if (!failure || failure->err == err) return failure;
    for (const torc_failure *each = failure->cause; each && !found; each = each->next)
        found = torc_failure_find(each, err);
    return found;
}

/* As compilers write it, "../src/a.c:1", from the folder of the build. */
static const char *readable(const char *place) {
    while (strncmp(place, "../", 3) == 0) place += 3;
    return place;
}

static void format_one(const torc_failure *failure, torc_buf *text) {
    if (failure->message[0]) torc_buf_addf(text, "%s: ", failure->message);
    torc_buf_add(text, torc_str_of(torc_err_text(failure->err)));
    if (failure->place) torc_buf_addf(text, " (%s)", readable(failure->place));
}

void torc_failure_format(const torc_failure *failure, torc_buf *text) {
    if (!failure) return;
    format_one(failure, text);
    const bool is_group = failure->cause && failure->cause->next;
    unsigned number = 0;
    for (const torc_failure *each = failure->cause; each; each = each->next) {
        torc_buf_add(text, torc_str_of(number ? "; " : ", because "));
        if (is_group) torc_buf_addf(text, "(%u) ", number + 1);
        number++;
        torc_failure_format(each, text);
    }
}
