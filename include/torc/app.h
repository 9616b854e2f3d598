/* SPDX-License-Identifier: MIT */
#ifndef TORC_APP_H
#define TORC_APP_H

#include <torc/middleware.h>
#include <torc/observer.h>
#include <torc/rate.h>
#include <torc/reactor.h>
#include <torc/reply.h>
#include <torc/resource.h>
#include <torc/service.h>

/**
 * Apps: a site with routes, run as a program with the options of a server.
 *
 * torc_app_run() gives every program `--listen`, `--workers`, `--log-level`, `--log-format`,
 * limits, TLS (`--tls-cert` and its like, for `ssl:` endpoints), `--help`, `--version`, signals and
 * a graceful stop. It is the one place of the library that reads arguments, prints (help and
 * mistakes), forks, and takes signals, by signalfd; it changes no handler.
 *
 * A program is served by workers: processes that torc_app_run() forks, one for each processor that
 * may be used unless torc_app_set_workers() or --workers says otherwise, and replaces when they
 * die. What a worker changes in memory, no other sees. The program's set-up, up to torc_app_run(),
 * runs once, and makes no threads and no reactor; `on_start` runs in each worker, and again at a
 * reload (SIGHUP), when new workers take over from the old: so what is read there is read anew. See
 * docs/design/workers.md.
 */
typedef void torc_app_start_fn(torc_app *app);
/** What a program does that does not serve; answers its exit code. */
typedef int torc_app_task_fn(torc_app *app);

enum {
    TORC_APP_WORKERS_AUTO = -1 /* one for each processor that this process may use */
};

TORC_BEGIN_DECLS

/** Make an app; `name` is copied and shown in help and logs. Never NULL: out of memory is reported
 * by run. */
TORC_API torc_app *torc_app_new(const char *name);
/** Free an app that was not run. torc_app_run() frees its own. NULL is fine. */
TORC_API void torc_app_free(torc_app *app);
/** Add a route, as torc_resource_route() on the root. */
TORC_API void torc_app_route(torc_app *app, const char *pattern, torc_render_fn *render);
/** Put a middleware around the whole tree, as torc_resource_use() on the root. */
TORC_API void torc_app_use(torc_app *app, torc_middleware *middleware);
/** The root of the tree, to put resources into. */
TORC_API torc_resource *torc_app_root(torc_app *app);
/**
 * Where rates are counted by all workers together, for as long as the program runs: for some
 * 130,000 keys at once. What limits of the app's own site count by, unless they are told otherwise.
 * Before torc_app_run() it is there and has no answer yet.
 */
TORC_API torc_rate_store *torc_app_rate_store(torc_app *app);
/** Called in each serving process, when its reactor is there and before it serves: make what
 * belongs to it here, or say by torc_app_refuse() why that cannot be. */
TORC_API void torc_app_on_start(torc_app *app, torc_app_start_fn *start);
/** Called there after the last request. */
TORC_API void torc_app_on_stop(torc_app *app, torc_app_start_fn *stop);
/**
 * Add a service, which this takes: its `privileged_start` is called once, before the program gives
 * up its rights; it starts in each serving process after `on_start` and before the process serves,
 * and stops there in reverse order after the last request, for limits.drain_ms at most. One that
 * cannot start is the end of the program, as by torc_app_refuse(). NULL, of a service for which
 * there was no memory, is one that cannot.
 */
TORC_API void torc_app_add_service(torc_app *app, torc_service *service);
/** Tell an observer of every request (see <torc/observer.h>); in each worker, what it is there. */
TORC_API void torc_app_add_observer(torc_app *app, torc_observer *observer);
/**
 * From `on_start`: the program cannot serve, for this reason, which names what is wrong and what to
 * do. It then ends with this line and exit code 1; a reload is called off, and the former workers
 * go on. The text is copied; the first one counts.
 */
TORC_API void torc_app_refuse(torc_app *app, const char *text);
/**
 * How many workers there are unless --workers says otherwise: TORC_APP_WORKERS_AUTO at first. A
 * program that keeps in memory what all requests are to see has 1. With 0 it serves in the process
 * that called torc_app_run(), for debuggers and tests: then there is nobody to replace it, and no
 * reload.
 */
TORC_API void torc_app_set_workers(torc_app *app, int count);
/** From `on_start` on; NULL before. */
TORC_API torc_reactor *torc_app_reactor(torc_app *app);
TORC_API void torc_app_set_context(torc_app *app, void *context);
TORC_API void *torc_app_context(const torc_app *app);
/** The endpoint that is listened on when no --listen is given; "tcp:8080:interface=127.0.0.1"
 * unless set. */
TORC_API void torc_app_set_listen(torc_app *app, const char *endpoint);
/**
 * Apply the value of an option of the program's own; NULL for one that takes none. Answers NULL, or
 * why the value cannot be used, as a sentence part: static, or in `text`.
 */
typedef const char *torc_app_option_fn(torc_app *app, const char *value, char text[160]);
/**
 * Add an option `--name`, or `--name ARGUMENT` when `argument` (its name in the help) is not NULL.
 *
 * The argument says what it is, for reading and for a shell's completion: `FILE`, `PATH`, `DIR`,
 * `USER`, `GROUP` and `N` (a number) are that, any other name in capitals is free text, small
 * letters are a word: `auto|N`, or `text|json`, which is no other than one of these. `[NAME]` may
 * be lacking. `NAME...` may be given several times; of any other the last one counts, and `apply`
 * is called for each.
 *
 * The help is one line, of which the option's column leaves 50 letters; what follows a newline is
 * for a manual only. The strings must outlive the app.
 */
TORC_API void torc_app_add_option(torc_app *app, const char *name, const char *argument,
                                  const char *help, torc_app_option_fn *apply);
/** Options that are added after this stand together in the help, under this title ("Options"). A
 * program has at most 64 options in 8 groups. */
TORC_API void torc_app_add_group(torc_app *app, const char *title);
/** The limits that the listeners get; changed by options. */
TORC_API torc_limits *torc_app_limits(torc_app *app);
/** What stands below the usage line of --help: one or two sentences. */
TORC_API void torc_app_set_description(torc_app *app, const char *description);
/**
 * Let torc_app_run() do this instead of serving: for a program, or a command of one, that does
 * something and ends. It then has the options of its own, --help and --version alone, and neither
 * listens nor forks. The task may print.
 */
TORC_API void torc_app_set_task(torc_app *app, torc_app_task_fn *task);
/** What is served ("the files of /srv/www"), for the lines that tell where it is once it serves.
 * The text must outlive the app. */
TORC_API void torc_app_set_subject(torc_app *app, const char *subject);
/**
 * Read the arguments, listen, serve until SIGTERM, SIGINT or SIGQUIT, and free the app. Returns the
 * exit code: 0 when a signal ended it, 1 when something failed (a port in use), 2 for a mistake in
 * the arguments. Workers do not return from it.
 */
TORC_API int torc_app_run(torc_app *app, int argc, char **argv);

TORC_END_DECLS

#endif
