/* SPDX-License-Identifier: MIT */
/*
 * What is told of a crash.
 *
 *  - The handler runs on a stack of its own, since the one that was in use may be full; and calls
 *    nothing that allocates or takes a lock of this program's. What it needs was made before:
 *    backtrace() loads a library when it is called first.
 *  - Its signal has the default effect again when it is entered, so a second crash, within it, ends
 *    the process. When it returns, the instruction that failed is met again; a signal that was sent
 *    is sent once more.
 */
#include "app/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/app.h"
#include "reactor/fiber.h"

enum {
    STACK_BYTES = 128 * 1024,
    FRAMES_MAX = 64
};

static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
static const char *const names[] = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"};

/* There is one process, and so one of this. `app` is NULL while nothing is watched. */
static struct {
    torc_app *app;
    int fd;
    bool is_taken[TORC_COUNT_OF(numbers)];
    _Alignas(16) char stack[STACK_BYTES]; /* which the address sanitizer unpoisons */
} watch;

/* ---- telling ---- */

static void say(torc_buf *line, const char *text) {
    torc_buf_add(line, torc_str_of(text));
}

static void end_line(torc_buf *line) {
    torc_buf_add_byte(line, '\n');
    (void)!write(watch.fd, line->bytes, line->len);
    torc_buf_clear(line);
    say(line, watch.app->name);
    say(line, ": ");
}

static const char *name_of(int number) {
    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++)
        if (numbers[i] == number) return names[i];
    return "a signal";
}

static void say_address(torc_buf *line, uintptr_t address) {
    char bytes[sizeof(address)];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(address >> (8 * (sizeof(bytes) - 1 - i)) & 255);
    say(line, "0x");
    torc_buf_add_hex(line, torc_str_make(bytes, sizeof(bytes)));
}

static bool was_sent(const siginfo_t *why) {
    return why->si_code <= 0;
}

static void say_signal(torc_buf *line, const siginfo_t *why) {
    say(line, "process ");
    torc_buf_add_int(line, getpid());
    say(line, " crashes: ");
    say(line, name_of(why->si_signo));
    if (was_sent(why)) {
        say(line, " from process ");
        torc_buf_add_int(line, why->si_pid);
    } else {
        say(line, " at address ");
        say_address(line, (uintptr_t)why->si_addr);
    }
    end_line(line);
}

/* Memory that is guarded, below the stack of the fiber that runs. */
static void say_overflow(torc_buf *line, const siginfo_t *why) {
    size_t size;

    if (was_sent(why) || !watch.app->reactor ||
        !torc_fiber_has_overflowed(watch.app->reactor, why->si_addr, &size))
        return;
    say(line, "the stack of a fiber has overflowed: its ");
    torc_buf_add_uint(line, size);
    say(line, " bytes are too few for what it calls, see below; keep large arrays off it, or set "
              "fiber_stack_size");
    end_line(line);
}

static void say_frames(torc_buf *line) {
    void *frames[FRAMES_MAX];

    say(line, "it was here:");
    end_line(line);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), watch.fd);
}

static void say_events(torc_buf *line) {
    if (!watch.app->logs.ring) return;
    say(line, "the last events of its log:");
    end_line(line);
    torc_log_ring_dump(watch.app->logs.ring, watch.fd);
}

static void crashed(int number, siginfo_t *why, void *context) {
    char bytes[512];
    torc_buf line;

    (void)context;
    torc_buf_init_fixed(&line, bytes, sizeof(bytes));
    say(&line, watch.app->name);
    say(&line, ": ");
    say_signal(&line, why);
    say_overflow(&line, why);
    say_events(&line);
    say_frames(&line);
    say(&line, "end of the report");
    end_line(&line);
    /* A filter of system calls may forbid this; to go on is worse. */
    if (was_sent(why) && syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number))
        __builtin_trap();
}

/* ---- watching ---- */

void torc_crash_watch(torc_app *app, int fd) {
    const stack_t own = {.ss_sp = watch.stack, .ss_size = sizeof(watch.stack)};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND}, old;
    void *frames[1];

    watch.app = app;
    watch.fd = fd;
    (void)backtrace(frames, 1);
    (void)sigaltstack(&own, NULL);
    action.sa_sigaction = crashed;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++)
        watch.is_taken[i] = sigaction(numbers[i], NULL, &old) == 0 &&
                            !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL &&
                            sigaction(numbers[i], &action, NULL) == 0;
}

void torc_crash_forget(void) {
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    const stack_t none = {.ss_flags = SS_DISABLE};

    if (!watch.app) return;
    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++)
        if (watch.is_taken[i]) (void)sigaction(numbers[i], &usual, NULL);
    (void)sigaltstack(&none, NULL);
    watch.app = NULL;
}
