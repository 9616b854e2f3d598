/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_APP_H
#define TORC_APP_APP_H

#include <signal.h>
#include <sys/resource.h>
#include <torc/app.h>
#include <torc/log.h>
#include <torc/site.h>
#include <torc/timer.h>

#include "app/log_options.h"
#include "app/logs.h"
#include "app/options.h"
#include "app/process.h"
#include "app/process_options.h"
#include "app/shared.h"
#include "app/sockets.h"
#include "app/tls.h"
#include "app/tls_options.h"
#include "web/rate_table.h"

enum {
    TORC_APP_OWN_OPTIONS_MAX = 64,
    TORC_APP_OWN_GROUPS_MAX = 8,
    TORC_APP_FIELDS_MAX = 32,
    TORC_APP_PROXIES_MAX = 64
};

/* What the arguments set: complete before anything is opened. */
typedef struct torc_app_settings {
    torc_limits limits;
    const char *endpoints[TORC_SOCKETS_ENDPOINTS_MAX];
    size_t endpoint_count;
    torc_log_settings log;
    torc_cidr proxies[TORC_APP_PROXIES_MAX]; /* that are trusted */
    size_t proxy_count;
    torc_proxy_field proxy_field;
    unsigned proxy_claims; /* torc_proxy_claim bits, if has_proxy_claims */
    bool has_proxy_claims;
    torc_field fields[TORC_APP_FIELDS_MAX]; /* of every response */
    size_t field_count;
    torc_app_process_settings process;
    torc_app_tls_settings tls;
    bool show_errors;
    int64_t stall_ms;        /* -1: not said */
    int workers;             /* 0: serve in this process; TORC_APP_WORKERS_AUTO */
    const char *help_topic;  /* NULL: all of it */
    const char *routes_form; /* NULL: a table */
    bool wants_help, wants_version, wants_routes;
} torc_app_settings;

/* Options of the program's own that stand together. */
typedef struct torc_app_group {
    const char *title;
    size_t first, count;
} torc_app_group;

/*
 * An app: what the program set up, what the arguments say, and what serves. The program's thread
 * owns it.
 */
struct torc_app {
    char name[64];
    const char *description;
    const char *subject; /* what is served, in words; NULL: not said */
    torc_resource *root; /* until the site takes it */
    torc_app_start_fn *start, *stop;
    torc_app_task_fn *task;   /* done instead of serving; NULL: it serves */
    torc_service services;    /* the root of those that the program added */
    bool lacks_service;       /* there was no memory for one */
    torc_observer *observers; /* the newest first, until the site has them */
    void *context;
    const char *default_endpoint;
    torc_option own[TORC_APP_OWN_OPTIONS_MAX];
    torc_app_group own_groups[TORC_APP_OWN_GROUPS_MAX];
    size_t own_count, own_group_count;
    bool has_too_many; /* options or groups */
    torc_app_settings settings;

    torc_log *log;
    torc_logs logs;
    torc_app_process process;
    torc_sockets sockets;
    torc_app_tls tls;
    torc_rate_table_store rates; /* shared by all workers, while there is a table */
    sigset_t signals_before;     /* the mask of who started it */
    rlim_t files_before;         /* the limit of descriptors that was raised; 0: it was not */
    struct torc_worker *worker;  /* this process is one; NULL: it is not */
    torc_reactor *reactor;       /* while it serves */
    torc_site *site;
    bool is_refused; /* by the program itself, for the reason in `refusal` */
    char refusal[240];
    void (*failed)(void *context, const char *text); /* who hears what torc_app_fail() says; NULL:
                                                        the standard error */
    void *failed_context;
};

/* A signal that came, and when. Zero: none did. */
typedef struct torc_last_signal {
    int number;
    uint64_t at_ms;
} torc_last_signal;

/* What becomes of a program that runs, to be told to who watches over it. */
typedef enum torc_app_event {
    TORC_APP_READY, /* it serves; after a reload, again */
    TORC_APP_RELOADING,
    TORC_APP_STOPPING
} torc_app_event;

/* Whether this stands for one that there was no memory for. */
bool torc_app_is_none(const torc_app *app);
/* Read the arguments, and answer --help and its like. False: there is nothing to serve, and
 * `*exit_code` is set. */
bool torc_app_read_arguments(torc_app *app, int argc, char **argv, int *exit_code);
/* Serve in this process until it is told to end. False: it could not, as was said. */
bool torc_app_serve(torc_app *app);
/* Say in one line what could not be done; `why` may be NULL. A worker says it to its parent. Always
 * false. */
bool torc_app_fail(const torc_app *app, const char *what, const char *why);
/* Say in the log where the program can be reached: once, when it serves. */
void torc_app_announce(const torc_app *app);
/* In a worker, first of all: what is the parent's alone is left to it. */
void torc_app_forked(torc_app *app);
/* Tell who watches over the program; by the process that was started. */
void torc_app_tell(torc_app *app, torc_app_event event);
/* Say in the log that it has stopped, and what it has done; as TORC_SHARED_… counts it. */
void torc_app_tell_counts(const torc_app *app, const uint64_t counts[TORC_SHARED_COUNTS]);
/* Some tools send a signal to a process and to its group: whether this one was the last one, too, a
 * moment ago. */
bool torc_app_is_repeated(torc_last_signal *last, int number, uint64_t now_ms);
/* Open the log files of this process anew. */
void torc_app_reopen_logs(torc_app *app);

#endif
