/* SPDX-License-Identifier: MIT */
/*
 * Asking the system for a name: getaddrinfo(), on a thread.
 *
 *  - It may wait for many seconds and cannot be stopped. So a look-up is memory of its own, not of
 *    the reactor's: when that is freed, a thread in a look-up is left behind.
 *  - The job is given up by the reactor's thread when it is told, and by the thread when it is
 *    left: the last of the two frees it.
 *  - The addresses become a list on the reactor's thread.
 */
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <torc/thread.h>

#include "base/alloc.h"
#include "reactor/syscalls.h"
#include "transport/names.h"

enum {
    ADDRESSES_MAX = 64 /* of one name: what a server of names may make us keep and try */
};

struct torc_lookup {
    torc_job job;
    torc_reactor *reactor;
    torc_lookup_fn *answered;
    void *context;
    struct addrinfo *found;
    int trouble; /* of EAI_… */
    int number;  /* errno, of EAI_SYSTEM */
    atomic_int refs;
    char host[TORC_NAME_MAX + 1];
};

static torc_lookup *of_job(torc_job *job) {
    return torc_container_of(job, torc_lookup, job);
}

static void unref(torc_lookup *self) {
    if (atomic_fetch_sub(&self->refs, 1) > 1) return;
    if (self->found) freeaddrinfo(self->found);
    torc_dealloc(NULL, self);
}

/* ---- on the thread ---- */

static void ask(torc_lookup *self, int flags) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};

    self->trouble = getaddrinfo(self->host, NULL, &hints, &self->found);
    self->number = self->trouble == EAI_SYSTEM ? errno : 0;
    if (self->trouble) self->found = NULL;
}

static bool is_unknown(int trouble) {
    return trouble == EAI_NONAME || trouble == EAI_NODATA || trouble == EAI_ADDRFAMILY;
}

/*
 * AI_ADDRCONFIG asks for no addresses of a family that the machine has none of but loopback ones:
 * servers that never answer for IPv6 cost nothing then. But it also hides what /etc/hosts says of
 * ::1, so what is not found is looked for without it.
 */
static void work(torc_job *job) {
    torc_lookup *self = of_job(job);

    ask(self, AI_ADDRCONFIG);
    if (is_unknown(self->trouble)) ask(self, 0);
}

static void left(torc_job *job) {
    unref(of_job(job));
}

/* ---- on the reactor's ---- */

static torc_err error_of(const torc_lookup *self) {
    if (is_unknown(self->trouble)) return TORC_ERR_NOT_FOUND;
    if (self->trouble == EAI_AGAIN) return TORC_ERR_AGAIN;
    if (self->trouble == EAI_MEMORY) return TORC_ERR_NO_MEMORY;
    return self->number ? torc_err_from_errno(self->number) : TORC_ERR_SYSTEM;
}

static torc_err list_of(const torc_lookup *self, torc_addr_list **list) {
    torc_addr addrs[ADDRESSES_MAX];
    size_t count = 0;

    for (const struct addrinfo *at = self->found; at && count < ADDRESSES_MAX; at = at->ai_next) {
        if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
        torc_addr *addr = &addrs[count++];
        *addr = (torc_addr){.len = at->ai_addrlen};
        memcpy(&addr->as, at->ai_addr, at->ai_addrlen);
    }
    if (count == 0) return TORC_ERR_NOT_FOUND;
    *list = torc_addr_list_new(self->reactor, addrs, count);
    if (!*list) return TORC_ERR_NO_MEMORY;
    (*list)->keep_ms = UINT32_MAX; /* as long as others let it */
    return TORC_OK;
}

static void done(torc_job *job) {
    torc_lookup *self = of_job(job);
    torc_addr_list *list = NULL;
    torc_err err = job->err;

    if (!err && self->trouble) err = error_of(self);
    if (!err) err = list_of(self, &list);
    self->answered(self->context, err, list);
    if (!job->is_left) unref(self);
    unref(self);
}

torc_err torc_lookup_start(torc_reactor *reactor, const char *host, torc_lookup_fn *answered,
                           void *context, torc_lookup **lookup) {
    torc_lookup *self;
    torc_err err;

    if (torc_sys_fails(reactor, TORC_SYS_RESOLVE, NULL)) return torc_err_from_errno(errno);
    self = torc_alloc_zero(NULL, TORC_MEMORY_OTHER, 1, sizeof(*self));
    if (!self) return TORC_ERR_NO_MEMORY;
    self->job =
        (torc_job){.work = work, .done = done, .left = left, .thread_class = TORC_THREAD_NAME};
    self->reactor = reactor;
    self->answered = answered;
    self->context = context;
    atomic_init(&self->refs, 2);
    memcpy(self->host, host, strlen(host) + 1);
    err = torc_job_submit(reactor, &self->job);
    if (err)
        torc_dealloc(NULL, self);
    else
        *lookup = self;
    return err;
}

bool torc_lookup_abandon(torc_lookup *lookup) {
    if (!torc_job_abandon(&lookup->job)) return false;
    torc_dealloc(NULL, lookup);
    return true;
}
