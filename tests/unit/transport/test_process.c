/* SPDX-License-Identifier: MIT */
/*
 * Child processes, real ones: /bin/sh, /bin/cat. Nothing here depends on how long they take.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <torc/fiber.h>

#include "both_pollers.h"
#include "children.h"
#include "reactor/reactor.h"
#include "reactor/subprocess.h"
#include "terminals.h"

static torc_reactor *reactor;
static child it;
static int fds_before;

static int set_up(bool is_late) {
    fds_before = open_fd_count();
    child_init(&it);
    return new_reactor(is_late, NULL, &reactor) ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_reactor_free(reactor);
    check_no_children();
    if (open_fd_count() != fds_before) print_error("a descriptor was left open\n");
    return open_fd_count() != fds_before;
}

static void spawn(torc_spawn_options options) {
    options.size = sizeof(options);
    const torc_err err = torc_process_spawn(reactor, &options, &it.base, &it.error);
    if (err) print_error("%s\n", it.error.text);
    check_ok(err);
    assert_non_null(it.base.process);
}

static const char *const *script(const char *text) {
    static const char *arguments[3] = {"-c"};
    arguments[1] = text;
    return arguments;
}

static void spawn_script(const char *text) {
    spawn((torc_spawn_options){.program = "/bin/sh", .arguments = script(text)});
}

static void run_script(const char *text) {
    spawn_script(text);
    until(reactor, it.ends);
}

static void run(torc_spawn_options options) {
    spawn(options);
    until(reactor, it.ends);
}

/* ---- what is told ---- */

static void output_errors_and_the_end_are_told(void **state) {
    (void)state;
    run_script("echo out; echo err >&2; exit 3");
    check_text(&it, 1, "out\n");
    check_text(&it, 2, "err\n");
    assert_int_equal(it.status.code, 3);
    assert_int_equal(it.status.signal, 0);
    assert_int_equal(it.exits, 1);
    assert_null(it.base.process);
}

static void what_is_written_is_read_by_the_child(void **state) {
    (void)state;
    spawn((torc_spawn_options){.program = "cat"});
    torc_process_write(it.base.process, TORC_STR("hello\n"));
    until(reactor, it.len[1] == 6);
    torc_process_write(it.base.process, TORC_STR("world\n"));
    torc_process_close_input(it.base.process);
    torc_process_close_input(it.base.process);
    torc_process_write(it.base.process, TORC_STR("not this\n"));
    until(reactor, it.ends);
    check_text(&it, 1, "hello\nworld\n");
    assert_true(torc_exit_is_success(&it.status));
}

static void the_end_waits_for_the_output_of_others(void **state) {
    (void)state;
    spawn_script("(read line; echo $line) <&3 & exit 7");
    torc_process_free(it.base.process);
    child_init(&it);

    const torc_spawn_fd fds[] = {{.fd = 0, .kind = TORC_SPAWN_NULL},
                                 {.fd = 1, .kind = TORC_SPAWN_OUTPUT},
                                 {.fd = 3, .kind = TORC_SPAWN_INPUT}};
    spawn((torc_spawn_options){.program = "/bin/sh",
                               .arguments = script("(read line; echo $line) <&3 & exit 7"),
                               .fds = fds,
                               .fd_count = 3});
    until(reactor, it.exits);
    assert_int_equal(it.ends, 0); /* another holds the pipe */
    assert_int_equal(it.status.code, 7);
    torc_transport_write(torc_process_pipe(it.base.process, 3), TORC_STR("late\n"));
    until(reactor, it.ends);
    check_text(&it, 1, "late\n");
}

static void much_is_read_with_backpressure(void **state) {
    (void)state;
    spawn((torc_spawn_options){
        .program = "/bin/sh",
        .arguments = script("dd if=/dev/zero bs=1000 count=1000 2>/dev/null; echo done >&2")});
    torc_transport_pause(torc_process_pipe(it.base.process, 1));
    for (int i = 0; i < 20; i++) children_turn(reactor);
    assert_true(it.total <= 128 * 1024); /* one delivery may still come */
    assert_int_equal(it.ends, 0);
    it.take = 1000;
    while (!it.ends) {
        torc_transport *pipe = torc_process_pipe(it.base.process, 1);
        if (pipe) torc_transport_resume(pipe);
        children_turn(reactor);
    }
    assert_int_equal(it.len[1], 1000000);
    check_text(&it, 2, "done\n");
}

static void much_is_written_with_marks(void **state) {
    enum {
        LEN = 500000
    };
    char *bytes = malloc(LEN);

    (void)state;
    memset(bytes, 'x', LEN);
    spawn_script("read go; wc -c");
    torc_transport_set_marks(torc_process_pipe(it.base.process, 0), 1000, 100000);
    torc_process_write(it.base.process, torc_str_make(bytes, LEN));
    for (int i = 0; i < 5; i++) children_turn(reactor);
    assert_int_equal(torc_transport_room(torc_process_pipe(it.base.process, 0)), 0);
    torc_process_write(it.base.process, TORC_STR("\nabc"));
    torc_process_close_input(it.base.process);
    until(reactor, it.ends);
    check_text(&it, 1, "3\n");
    free(bytes);
}

static void a_child_that_does_not_read_loses_what_was_written(void **state) {
    enum {
        LEN = 500000
    };
    char *bytes = calloc(1, LEN);

    (void)state;
    spawn_script("exec <&-; echo closed; read x <&3; echo $x");
    torc_process_write(it.base.process, torc_str_make(bytes, LEN));
    until(reactor, it.ends);
    check_text(&it, 1, "closed\n\n");
    assert_int_equal(it.pipes_closed, 3);
    free(bytes);
}

static void a_pipe_may_be_closed(void **state) {
    (void)state;
    spawn_script("trap '' PIPE; read x; echo gone || exit 9");
    torc_transport_close(torc_process_pipe(it.base.process, 1));
    until(reactor, it.pipes_closed == 1);
    assert_null(torc_process_pipe(it.base.process, 1));
    assert_null(torc_process_pipe(it.base.process, 17));
    torc_process_write(it.base.process, TORC_STR("go\n"));
    until(reactor, it.ends);
    assert_int_equal(it.status.code, 9);
}

/* ---- what it is started with ---- */

static void descriptors_are_chosen(void **state) {
    char path[] = "/tmp/torc-test-XXXXXX", text[16] = "";
    const int file = mkstemp(path);

    (void)state;
    unlink(path);
    const torc_spawn_fd fds[] = {{.fd = 7, .kind = TORC_SPAWN_INPUT},
                                 {.fd = 1, .kind = TORC_SPAWN_OUTPUT},
                                 {.fd = 2, .kind = TORC_SPAWN_SAME, .from = 1},
                                 {.fd = 5, .kind = TORC_SPAWN_INHERIT, .from = file},
                                 {.fd = 9, .kind = TORC_SPAWN_OUTPUT}};
    spawn((torc_spawn_options){
        .program = "/bin/sh",
        .arguments = script("read a <&7; echo $a; echo err >&2; echo file >&5; echo nine >&9;"
                            "read b && echo not empty; echo end"),
        .fds = fds,
        .fd_count = TORC_COUNT_OF(fds)});
    torc_transport_write(torc_process_pipe(it.base.process, 7), TORC_STR("seven\n"));
    until(reactor, it.ends);
    check_text(&it, 1, "seven\nerr\nend\n");
    check_text(&it, 0, "nine\n"); /* where the others are noted */
    assert_int_equal(pread(file, text, sizeof(text), 0), 5);
    assert_string_equal(text, "file\n");
    close(file);
}

/* Each is where another comes from: none may be overwritten before it was copied. */
static void descriptors_may_be_exchanged(void **state) {
    int a[2], b[2];
    char text[8] = "";

    (void)state;
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    const torc_spawn_fd fds[] = {{.fd = a[1], .kind = TORC_SPAWN_INHERIT, .from = b[1]},
                                 {.fd = b[1], .kind = TORC_SPAWN_INHERIT, .from = a[1]}};
    char line[64];
    snprintf(line, sizeof(line), "echo a >&%d; echo b >&%d", b[1], a[1]);
    run((torc_spawn_options){
        .program = "/bin/bash", .arguments = script(line), .fds = fds, .fd_count = 2});
    assert_int_equal(read(a[0], text, sizeof(text)), 2);
    assert_string_equal(text, "a\n");
    assert_int_equal(read(b[0], text, sizeof(text)), 2);
    assert_string_equal(text, "b\n");
    for (int i = 0; i < 2; i++) {
        close(a[i]);
        close(b[i]);
    }
}

/* Even those that are not closed by exec. */
static void no_descriptor_leaks(void **state) {
    const int leaky = dup(2);
    const int high = fcntl(2, F_DUPFD, 200);

    (void)state;
    run_script("ls /proc/self/fd | sort -n | tr '\\n' ' '");
    check_text(&it, 1, "0 1 2 3 "); /* 3 is ls's own */
    close(leaky);
    if (high >= 0) close(high);
}

static void the_environment_is_given_or_inherited(void **state) {
    static const char *const two[] = {"A=1", "B=2 3", NULL};
    static const char *const none[] = {NULL};

    (void)state;
    run((torc_spawn_options){.program = "/usr/bin/env", .environment = two});
    check_text(&it, 1, "A=1\nB=2 3\n");
    child_init(&it);
    run((torc_spawn_options){.program = "env", .environment = none});
    check_text(&it, 1, "");
    child_init(&it);
    setenv("TORC_TEST", "inherited", 1);
    run_script("echo $TORC_TEST");
    unsetenv("TORC_TEST");
    check_text(&it, 1, "inherited\n");
}

static void arguments_and_the_name_are_given(void **state) {
    static const char *const arguments[] = {"-c", "echo \"$0|$1|$2\"", "zero", "a b", "", NULL};

    (void)state;
    run((torc_spawn_options){.program = "/bin/sh", .arguments = arguments});
    check_text(&it, 1, "zero|a b|\n");
    child_init(&it);
    run((torc_spawn_options){.program = "/bin/sh",
                             .name = "-other",
                             .arguments = script("tr '\\0' ' ' </proc/$$/cmdline | cut -c1-9")});
    check_text(&it, 1, "-other -c\n");
}

static void the_folder_the_mask_and_limits_are_set(void **state) {
    static const torc_spawn_limit limits[] = {{RLIMIT_NOFILE, 50, 60},
                                              {RLIMIT_CORE, 0, UINT64_MAX}};

    (void)state;
    run((torc_spawn_options){.program = "/bin/sh",
                             .arguments = script("pwd; umask; ulimit -n; ulimit -Hn; ulimit -c"),
                             .folder = "/usr",
                             .has_umask = true,
                             .umask = 077,
                             .limits = limits,
                             .limit_count = getuid() == 0 ? 2 : 1});
    assert_true(torc_str_starts_with(torc_str_make(it.got[1], it.len[1]),
                                     TORC_STR("/usr\n0077\n50\n60\n")));
}

static void the_limit_of_descriptors_is_given_back(void **state) {
    (void)state;
    reactor->files_before = 123;
    run_script("ulimit -n");
    check_text(&it, 1, "123\n");
}

static void it_is_another_user(void **state) {
    static const uint32_t groups[] = {12, 13};
    static const torc_spawn_user user = {
        .uid = 65534, .gid = 65533, .groups = groups, .group_count = 2};

    (void)state;
    if (getuid() != 0) {
        const torc_spawn_options options = {
            .size = sizeof(options), .program = "id", .user = &user};
        check_err(torc_process_spawn(reactor, &options, &it.base, &it.error), TORC_ERR_PERMISSION);
        assert_string_equal(it.error.text, "user: permission denied");
        return;
    }
    run((torc_spawn_options){.program = "/bin/sh",
                             .arguments =
                                 script("id -u; id -g; id -G; grep CapEff /proc/self/status"
                                        " | tr -d '\\t0'"),
                             .user = &user});
    check_text(&it, 1, "65534\n65533\n65533 12 13\nCapEff:\n");
}

static void users_are_found(void **state) {
    uint32_t groups[64];
    torc_spawn_user user;

    (void)state;
    check_ok(torc_spawn_user_find("root", groups, 64, &user));
    assert_int_equal(user.uid, 0);
    assert_int_equal(user.gid, 0);
    assert_true(user.group_count >= 1 && user.groups[0] == 0);
    check_ok(torc_spawn_user_find("0", groups, 64, &user));
    assert_int_equal(user.uid, 0);
    check_ok(torc_spawn_user_find("4000123", groups, 64, &user));
    assert_int_equal(user.uid, 4000123);
    assert_int_equal(user.group_count, 0);
    check_err(torc_spawn_user_find("torc-no-such", groups, 64, &user), TORC_ERR_NOT_FOUND);
    check_err(torc_spawn_user_find("root", groups, 0, &user), TORC_ERR_LIMIT);
}

static void ignore(int number) {
    (void)number;
}

/* This process has much blocked, ignored and handled. */
static void signals_are_as_for_any_program(void **state) {
    const struct sigaction ignoring = {.sa_handler = SIG_IGN}, handling = {.sa_handler = ignore},
                           default_ = {.sa_handler = SIG_DFL};
    sigset_t all, before, after;

    (void)state;
    /* Who runs the test in the background ignores some for it. */
    for (int number = 1; number < 32; number++) (void)!sigaction(number, &default_, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sigaction(SIGPIPE, &ignoring, NULL);
    sigaction(SIGHUP, &ignoring, NULL);
    sigaction(SIGUSR1, &handling, NULL);
    spawn((torc_spawn_options){.program = "cat",
                               .arguments = (const char *const[]){"/proc/self/status", NULL}});
    pthread_sigmask(SIG_SETMASK, &before, &after);
    sigaction(SIGPIPE, &default_, NULL);
    sigaction(SIGHUP, &default_, NULL);
    sigaction(SIGUSR1, &default_, NULL);
    assert_int_equal(sigismember(&after, SIGUSR1), 1); /* and are here as they were */
    until(reactor, it.ends);
    assert_non_null(strstr(it.got[1], "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000001\n"
                                      "SigCgt:\t0000000000000000\n"));
}

static int group_of(torc_spawn_group group, bool session) {
    child_init(&it);
    run((torc_spawn_options){.program = "/bin/sh",
                             .arguments = script("set -- $(cat /proc/$$/stat); echo $1 $5 $6"),
                             .group = group});
    int pid, pgid, sid;
    assert_int_equal(sscanf(it.got[1], "%d %d %d", &pid, &pgid, &sid), 3);
    assert_int_equal(pgid == pid, group != TORC_SPAWN_SAME_GROUP);
    assert_int_equal(sid == pid, session);
    return pgid;
}

static void groups_and_sessions_are_made(void **state) {
    (void)state;
    group_of(TORC_SPAWN_OWN_GROUP, false);
    group_of(TORC_SPAWN_SESSION, true);
    assert_int_equal(group_of(TORC_SPAWN_SAME_GROUP, false), getpgrp());
}

/* ---- terminals ---- */

static void a_terminal_echoes(void **state) {
    (void)state;
    if (!terminals_are_there()) skip_test("there is no /dev/pts");
    spawn((torc_spawn_options){.program = "cat", .has_terminal = true});
    torc_process_write(it.base.process, TORC_STR("hello\n"));
    until(reactor, it.len[1] == 14);
    check_text(&it, 1, "hello\r\nhello\r\n");
    torc_process_close_input(it.base.process);
    until(reactor, it.ends);
    assert_int_equal(it.status.code, 0);
    assert_int_equal(it.pipes_closed, 1);
}

static void a_terminal_has_a_size_and_is_the_childs_own(void **state) {
    (void)state;
    if (!terminals_are_there()) skip_test("there is no /dev/pts");
    spawn((torc_spawn_options){
        .program = "/bin/sh",
        .arguments = script("test -t 0 && test -t 1 && test -t 2 || exit 1; stty -echo; stty size;"
                            "read x; stty size; : </dev/tty && echo mine"),
        .has_terminal = true,
        .columns = 100,
        .rows = 30});
    until(reactor, it.len[1] >= 8);
    check_text(&it, 1, "30 100\r\n");
    check_ok(torc_process_set_window(it.base.process, 90, 20));
    torc_process_write(it.base.process, TORC_STR("\n"));
    until(reactor, it.ends);
    check_text(&it, 1, "30 100\r\n20 90\r\nmine\r\n");
    assert_int_equal(it.status.code, 0);
}

static void ctrl_c_at_a_terminal_interrupts(void **state) {
    (void)state;
    if (!terminals_are_there()) skip_test("there is no /dev/pts");
    spawn((torc_spawn_options){
        .program = "/bin/sh", .arguments = script("echo ready; exec cat"), .has_terminal = true});
    until(reactor, it.len[1] >= 7);
    torc_process_write(it.base.process, TORC_STR("\003"));
    until(reactor, it.ends);
    assert_int_equal(it.status.signal, SIGINT);
    assert_int_equal(it.status.code, -1);
}

static void without_a_terminal_there_is_no_window(void **state) {
    (void)state;
    spawn((torc_spawn_options){.program = "cat"});
    check_err(torc_process_set_window(it.base.process, 10, 10), TORC_ERR_STATE);
    torc_process_free(it.base.process);
}

/* ---- what goes wrong ---- */

static void check_refused(torc_spawn_options options, torc_err err, const char *text) {
    const int open_before = open_fd_count();

    options.size = sizeof(options);
    check_err(torc_process_spawn(reactor, &options, &it.base, &it.error), err);
    assert_string_equal(it.error.text, text);
    assert_int_equal(it.error.err, err);
    check_err(torc_process_spawn(reactor, &options, &it.base, NULL), err);
    assert_null(it.base.process);
    assert_int_equal(open_fd_count(), open_before);
    check_no_children();
}

static void what_cannot_be_started_says_why(void **state) {
    static const char *const elsewhere[] = {"PATH=/nowhere::/usr/lib", NULL};
    static const torc_spawn_limit limit = {RLIMIT_NOFILE, 20, 10};
    char script_path[] = "/tmp/torc-test-XXXXXX";
    const int file = mkstemp(script_path);

    (void)state;
    assert_true(file >= 0 && write(file, "echo\n", 5) == 5);
    fchmod(file, 0755);
    close(file);
    check_refused((torc_spawn_options){.program = "torc-no-such"}, TORC_ERR_NOT_FOUND,
                  "no such program: torc-no-such");
    check_refused((torc_spawn_options){.program = "sh", .environment = elsewhere},
                  TORC_ERR_NOT_FOUND, "no such program: sh");
    check_refused((torc_spawn_options){.program = "/etc/passwd"}, TORC_ERR_PERMISSION,
                  "program /etc/passwd: permission denied");
    check_refused((torc_spawn_options){.program = "/bin/sh", .folder = "/no/such"},
                  TORC_ERR_NOT_FOUND, "working directory /no/such: there is no such thing");
    check_refused((torc_spawn_options){.program = "/bin/sh", .limits = &limit, .limit_count = 1},
                  TORC_ERR_INVALID, "limits: an argument has no meaning here");
    check_refused((torc_spawn_options){0}, TORC_ERR_INVALID, "no program is named");
    char text[200];
    snprintf(text, sizeof(text), "not a program, nor a script that begins with #!: %s",
             script_path);
    check_refused((torc_spawn_options){.program = script_path}, TORC_ERR_SYSTEM, text);
    unlink(script_path);
}

static void refused_fds(int fd, torc_spawn_fd_kind kind, int from, const char *text) {
    const torc_spawn_fd fds[] = {{.fd = 1, .kind = TORC_SPAWN_OUTPUT},
                                 {.fd = fd, .kind = kind, .from = from}};
    check_refused((torc_spawn_options){.program = "true", .fds = fds, .fd_count = 2},
                  TORC_ERR_INVALID, text);
}

static void descriptors_that_cannot_be_are_refused(void **state) {
    (void)state;
    refused_fds(1, TORC_SPAWN_NULL, 0, "descriptor 1: it is named twice");
    refused_fds(256, TORC_SPAWN_NULL, 0, "descriptor 256: a child's are 0 to 255");
    refused_fds(-1, TORC_SPAWN_NULL, 0, "descriptor -1: a child's are 0 to 255");
    refused_fds(2, TORC_SPAWN_INHERIT, 999, "descriptor 2: what it is to inherit is not open");
    refused_fds(2, TORC_SPAWN_SAME, 5,
                "descriptor 2: what it is to be the same as is not named before it");
    refused_fds(2, (torc_spawn_fd_kind)17, 5, "descriptor 2: there is no such kind");
    check_refused((torc_spawn_options){.program = "true", .fd_count = TORC_SPAWN_FDS_MAX + 1},
                  TORC_ERR_INVALID, "too many descriptors");
}

static void failing_calls_leave_nothing(void **state) {
    const torc_spawn_options options = {
        .size = sizeof(options), .program = "cat", .has_terminal = false};
    bool was_hit = true;

    (void)state;
    for (uint64_t n = 1; was_hit; n++) {
        assert_true(n < 20);
        const int open_before = open_fd_count();
        torc_test_fail_calls(reactor, TORC_TEST_SPAWN, n, 1, EMFILE);
        const torc_err err = torc_process_spawn(reactor, &options, &it.base, &it.error);
        was_hit = torc_test_call_count(reactor, TORC_TEST_SPAWN) >= n;
        torc_test_fail_calls(reactor, TORC_TEST_SPAWN, 0, 0, 0);
        check_err(err, was_hit ? TORC_ERR_FILE_TABLE_FULL : TORC_OK);
        if (err) {
            assert_non_null(strstr(it.error.text, ": too many open files"));
            assert_int_equal(open_fd_count(), open_before);
            check_no_children();
        }
    }
    torc_process_free(it.base.process);
    until(reactor, torc_list_is_empty(&reactor->children));
    for (uint64_t n = 1; n <= 4; n++) {
        torc_test_fail_calls(reactor, TORC_TEST_REGISTER, n, 1, ENOSPC);
        const torc_err err = torc_process_spawn(reactor, &options, &it.base, &it.error);
        torc_test_fail_calls(reactor, TORC_TEST_REGISTER, 0, 0, 0);
        torc_process_free(it.base.process);
        assert_true(err || n > 1);
        torc_test_settle(reactor);
        torc_test_advance(reactor, 100); /* a watch is tried again */
        until(reactor, torc_list_is_empty(&reactor->children));
    }
}

static void failing_allocations_leave_nothing(void **state) {
    const torc_spawn_options options = {.size = sizeof(options), .program = "cat"};
    bool was_hit = true;

    (void)state;
    for (uint64_t n = 1; was_hit; n++) {
        assert_true(n < 60);
        torc_test_settle(reactor);
        const size_t used = reactor->memory.used_total;
        torc_test_fail_allocation(reactor, n);
        const torc_err err = torc_process_spawn(reactor, &options, &it.base, &it.error);
        was_hit = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(err, was_hit ? TORC_ERR_NO_MEMORY : TORC_OK);
        if (err) assert_null(it.base.process);
        torc_process_free(it.base.process);
        until(reactor, torc_list_is_empty(&reactor->children));
        torc_test_settle(reactor);
        until(reactor, reactor->memory.used_total <= used + 4096);
    }
}

/* The table is really full. */
static void a_full_table_is_an_error(void **state) {
    struct rlimit before, few;
    const torc_spawn_options options = {.size = sizeof(options), .program = "cat"};

    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    const int free_from = dup(0);
    close(free_from);
    for (int room = 0; room < 9; room++) {
        few.rlim_cur = (rlim_t)(free_from + room);
        setrlimit(RLIMIT_NOFILE, &few);
        const torc_err err = torc_process_spawn(reactor, &options, &it.base, &it.error);
        setrlimit(RLIMIT_NOFILE, &before);
        if (err) check_err(err, TORC_ERR_FILE_TABLE_FULL);
        if (room < 6) assert_true(err != TORC_OK);
        torc_process_free(it.base.process);
    }
}

/* ---- ending ---- */

static void signals_are_sent(void **state) {
    (void)state;
    spawn_script("trap 'echo usr; exit 4' USR1; echo ready; while :; do read x; done");
    until(reactor, it.len[1] == 6);
    assert_true(torc_process_pid(it.base.process) > 1);
    check_ok(torc_process_signal(it.base.process, SIGUSR1));
    until(reactor, it.exits);
    if (it.base.process) check_err(torc_process_signal(it.base.process, SIGUSR1), TORC_ERR_STATE);
    until(reactor, it.ends);
    check_text(&it, 1, "ready\nusr\n");
    assert_int_equal(it.status.code, 4);
}

static void cancelling_ends_it(void **state) {
    (void)state;
    spawn((torc_spawn_options){.program = "cat"});
    torc_process_cancel(it.base.process);
    torc_process_cancel(it.base.process);
    until(reactor, it.ends);
    assert_int_equal(it.status.signal, SIGTERM);
}

static void one_that_ignores_it_is_killed(void **state) {
    (void)state;
    spawn((torc_spawn_options){.program = "/bin/sh",
                               .arguments =
                                   script("trap '' TERM; echo ready; while :; do read x; done"),
                               .grace_ms = 1000});
    until(reactor, it.len[1] == 6);
    torc_process_cancel(it.base.process);
    torc_test_advance(reactor, 999);
    for (int i = 0; i < 5; i++) children_turn(reactor);
    assert_int_equal(it.exits, 0);
    torc_test_advance(reactor, 1);
    until(reactor, it.ends);
    assert_int_equal(it.status.signal, SIGKILL);
}

static void one_that_is_stopped_ends_too(void **state) {
    (void)state;
    spawn_script("echo ready; kill -STOP $$; echo never");
    until(reactor, it.len[1] == 6);
    torc_process_cancel(it.base.process);
    until(reactor, it.ends);
    assert_int_equal(it.status.signal, SIGTERM);
}

/* They would hold its pipes. */
static void its_children_end_with_it(void **state) {
    (void)state;
    spawn_script("(trap '' TERM; echo ready; exec sleep 1000) & wait");
    until(reactor, it.len[1] == 6);
    torc_process_cancel(it.base.process);
    until(reactor, it.ends);
    assert_int_equal(it.status.signal, SIGTERM);
}

static void who_lets_go_is_told_nothing_more(void **state) {
    (void)state;
    spawn_script("trap 'exit 0' TERM; echo ready; while :; do read x; done");
    until(reactor, it.len[1] == 6);
    torc_process *process = it.base.process;
    torc_process_free(process);
    assert_null(it.base.process);
    until(reactor, torc_list_is_empty(&reactor->children));
    torc_test_settle(reactor);
    check_no_children();
    assert_int_equal(it.exits, 0);
    torc_process_free(NULL);
}

static void it_may_be_freed_when_told(void **state) {
    (void)state;
    it.frees_at_exit = true;
    spawn_script("exit 0");
    until(reactor, it.exits);
    torc_test_settle(reactor);
    assert_int_equal(it.ends, 0);
}

static void a_freed_reactor_kills_and_tells(void **state) {
    (void)state;
    spawn_script("trap '' TERM; echo ready; while :; do read x; done");
    until(reactor, it.len[1] == 6);
    torc_reactor_free(reactor);
    assert_int_equal(it.ends, 1);
    assert_int_equal(it.status.signal, SIGKILL);
    check_no_children();
    check_ok(torc_test_reactor_new(NULL, &reactor));
}

/* A process that dies suddenly frees no reactor. */
static void it_ends_with_a_process_that_dies(void **state) {
    int held[2];
    char byte;

    (void)state;
    assert_int_equal(pipe2(held, O_CLOEXEC), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        const torc_spawn_fd fd = {.fd = 5, .kind = TORC_SPAWN_INHERIT, .from = held[1]};
        const torc_spawn_options options = {.size = sizeof(options),
                                            .program = "sleep",
                                            .arguments = (const char *const[]){"1000", NULL},
                                            .fds = &fd,
                                            .fd_count = 1};
        torc_reactor *own;
        const bool has_failed =
            torc_test_reactor_new(NULL, &own) || torc_process_spawn(own, &options, &it.base, NULL);
        _exit(has_failed);
    }
    close(held[1]);
    int result;
    assert_int_equal(waitpid(pid, &result, 0), pid);
    assert_int_equal(result, 0);
    assert_int_equal(read(held[0], &byte, 1), 0); /* nobody holds the other end */
    close(held[0]);
}

static void a_status_that_others_took_is_unknown(void **state) {
    (void)state;
    spawn_script("exit 5");
    waitpid(torc_process_pid(it.base.process), NULL, 0);
    until(reactor, it.ends);
    assert_int_equal(it.status.code, -1);
    assert_int_equal(it.status.signal, 0);
}

/* As process 1 does, which waits for all. */
static void who_waits_for_all_leaves_its_own_to_the_reactor(void **state) {
    siginfo_t info = {0};

    (void)state;
    const pid_t other = fork();
    if (other == 0) _exit(0);
    spawn_script("exit 6");
    assert_int_equal(
        waitid(P_PID, (id_t)torc_process_pid(it.base.process), &info, WEXITED | WNOWAIT), 0);
    assert_true(torc_subprocess_wait_for(reactor, torc_process_pid(it.base.process)));
    assert_false(torc_subprocess_wait_for(reactor, other));
    assert_int_equal(waitpid(other, NULL, 0), other);
    check_err(torc_process_signal(it.base.process, SIGTERM), TORC_ERR_STATE);
    until(reactor, it.ends);
    assert_int_equal(it.status.code, 6);
}

static void many_at_once_leave_no_zombies(void **state) {
    enum {
        COUNT = 200
    };
    static child many[COUNT];
    int ends;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        const torc_spawn_options options = {.size = sizeof(options),
                                            .program = "/bin/echo",
                                            .arguments = (const char *const[]){"x", NULL}};
        child_init(&many[i]);
        check_ok(torc_process_spawn(reactor, &options, &many[i].base, &it.error));
    }
    do {
        children_turn(reactor);
        ends = 0;
        for (int i = 0; i < COUNT; i++) ends += many[i].ends;
    } while (ends < COUNT);
    for (int i = 0; i < COUNT; i++) check_text(&many[i], 1, "x\n");
    check_no_children();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(output_errors_and_the_end_are_told),
        BOTH(what_is_written_is_read_by_the_child),
        BOTH(the_end_waits_for_the_output_of_others),
        BOTH(much_is_read_with_backpressure),
        BOTH(much_is_written_with_marks),
        BOTH(a_child_that_does_not_read_loses_what_was_written),
        BOTH(a_pipe_may_be_closed),
        BOTH(descriptors_are_chosen),
        BOTH(descriptors_may_be_exchanged),
        BOTH(no_descriptor_leaks),
        BOTH(the_environment_is_given_or_inherited),
        BOTH(arguments_and_the_name_are_given),
        BOTH(the_folder_the_mask_and_limits_are_set),
        BOTH(the_limit_of_descriptors_is_given_back),
        BOTH(it_is_another_user),
        BOTH(users_are_found),
        BOTH(signals_are_as_for_any_program),
        BOTH(groups_and_sessions_are_made),
        BOTH(a_terminal_echoes),
        BOTH(a_terminal_has_a_size_and_is_the_childs_own),
        BOTH(ctrl_c_at_a_terminal_interrupts),
        BOTH(without_a_terminal_there_is_no_window),
        BOTH(what_cannot_be_started_says_why),
        BOTH(descriptors_that_cannot_be_are_refused),
        BOTH(failing_calls_leave_nothing),
        BOTH(failing_allocations_leave_nothing),
        BOTH(a_full_table_is_an_error),
        BOTH(signals_are_sent),
        BOTH(cancelling_ends_it),
        BOTH(one_that_ignores_it_is_killed),
        BOTH(one_that_is_stopped_ends_too),
        BOTH(its_children_end_with_it),
        BOTH(who_lets_go_is_told_nothing_more),
        BOTH(it_may_be_freed_when_told),
        BOTH(a_freed_reactor_kills_and_tells),
        BOTH(it_ends_with_a_process_that_dies),
        BOTH(a_status_that_others_took_is_unknown),
        BOTH(who_waits_for_all_leaves_its_own_to_the_reactor),
        BOTH(many_at_once_leave_no_zombies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
