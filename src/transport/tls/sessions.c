/* SPDX-License-Identifier: MIT */
/*
 * The sessions that a client may resume.
 *
 *  - At most SESSIONS_MAX, the one that was put or taken last in front. So few are looked through.
 *  - Configurations belong to several threads: a lock is held for that, and never while anything is
 *    called that could wait.
 */
#include "transport/tls/sessions.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"

enum {
    SESSIONS_MAX = 64,
    KEY_MAX = 272
};

typedef struct entry {
    SSL_SESSION *session;
    size_t len;
    char key[KEY_MAX];
} entry;

struct torc_tls_sessions {
    pthread_mutex_t lock;
    size_t count;
    entry *entries[SESSIONS_MAX];
};

torc_tls_sessions *torc_tls_sessions_new(void) {
    torc_tls_sessions *self = torc_alloc_zero(NULL, TORC_MEMORY_CACHE, 1, sizeof(*self));

    if (self && pthread_mutex_init(&self->lock, NULL)) {
        torc_dealloc(NULL, self);
        return NULL;
    }
    return self;
}

static void free_entry(entry *one) {
    if (!one) return;
    SSL_SESSION_free(one->session);
    torc_dealloc(NULL, one);
}

void torc_tls_sessions_free(torc_tls_sessions *self) {
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) free_entry(self->entries[i]);
    pthread_mutex_destroy(&self->lock);
    torc_dealloc(NULL, self);
}

/* Take the entry of a key out; NULL: there is none. */
static entry *cut(torc_tls_sessions *self, torc_str key) {
    for (size_t i = 0; i < self->count; i++) {
        entry *one = self->entries[i];
        if (!torc_str_equals(torc_str_make(one->key, one->len), key)) continue;
        memmove(&self->entries[i], &self->entries[i + 1],
                (--self->count - i) * sizeof(self->entries[0]));
        return one;
    }
    return NULL;
}

/* Put an entry in front; answers the one that had to go. */
static entry *push(torc_tls_sessions *self, entry *one) {
    entry *last = self->count == SESSIONS_MAX ? self->entries[--self->count] : NULL;

    memmove(&self->entries[1], &self->entries[0], self->count * sizeof(self->entries[0]));
    self->entries[0] = one;
    self->count++;
    return last;
}

void torc_tls_sessions_put(torc_tls_sessions *self, torc_str key, SSL_SESSION *session) {
    entry *made = key.len <= KEY_MAX ? torc_alloc(NULL, TORC_MEMORY_CACHE, sizeof(*made)) : NULL;

    if (!made) return;
    SSL_SESSION_up_ref(session);
    made->session = session;
    made->len = key.len;
    memcpy(made->key, key.bytes, key.len);
    pthread_mutex_lock(&self->lock);
    entry *same = cut(self, key), *last = push(self, made);
    pthread_mutex_unlock(&self->lock);
    free_entry(same);
    free_entry(last);
}

SSL_SESSION *torc_tls_sessions_take(torc_tls_sessions *self, torc_str key) {
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&self->lock);
    entry *one = cut(self, key);
    if (one && SSL_SESSION_get_protocol_version(one->session) < TLS1_3_VERSION) {
        session = one->session;
        SSL_SESSION_up_ref(session);
        (void)push(self, one);
        one = NULL;
    }
    pthread_mutex_unlock(&self->lock);
    if (one) {
        session = one->session;
        torc_dealloc(NULL, one);
    }
    return session;
}
