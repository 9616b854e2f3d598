#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The library never exits, prints, or changes what a signal does: its objects call nothing that would. Prints TAP.

    check_imports.py libtorc.a

What each kind of functions is, and which objects may call them all the same, stands below. A failed assertion ends
the program, saying where: it is a mistake of the programmer's, and the C library's to tell.
"""
import re
import subprocess
import sys

from tap import report

# A kind: the functions (with the names that fortified headers give them), and the objects that are excepted.
KINDS = {
    "never exits": (
        r"_?exit|_Exit|quick_exit|abort|raise|kill|tgkill|err|errx|verr|verrx|error|atexit|__cxa_atexit",
        {
            "src_app_daemon.c.o": "the process between the two forks of --daemonize, which is nobody's",
            "src_app_worker.c.o": "a worker, which torc_app_run() forked, does not return to the program",
            "src_app_crew.c.o": "a worker that does not end when it must is killed",
            "src_reactor_spawn.c.o": "a child that cannot run its program (torc/spawn.h), or be watched",
            "src_reactor_subprocess.c.o": "a child is told to end (torc/process.h)",
        },
    ),
    "never forks": (
        r"v?fork|clone|posix_spawnp?|system|popen|exec[lv]p?e?|fexecve|wait(pid|id|3|4)?|daemon",
        {
            "src_app_crew.c.o": "workers (torc/app.h)",
            "src_app_daemon.c.o": "--daemonize",
            "src_app_serve.c.o": "process 1 waits for the children of others",
            "src_reactor_spawn.c.o": "children that the program asks for (torc/spawn.h)",
            "src_reactor_subprocess.c.o": "those are waited for",
        },
    ),
    "never prints": (
        r"v?printf|v?fprintf|v?dprintf|puts|fputs|putchar|putc|fputc|fwrite|perror|psignal|warnx?|vwarnx?|v?syslog"
        r"|stdout|stderr|stdin|fdopen|fopen|fopen64",
        {
            "src_app_run.c.o": "torc_app_run() is a program's main(): what cannot be done",
            "src_app_announce.c.o": "where it serves, for who sits at the terminal",
            "src_app_app_options.c.o": "its help, and what is wrong with its options",
            "src_web_user_folders.c.o": "reads /etc/passwd for the list of users",
        },
    ),
    "leaves what signals do": (
        r"signal|bsd_signal|sysv_signal|sigaction|sigset|siginterrupt|sigaltstack|sigvec",
        {"src_app_crash.c.o": "--crash-report, of a program that torc_app_run() runs"},
    ),
    # SIGPIPE, which sendfile() raises; what a signalfd tells; a thread of the pool takes none.
    "changes masks of signals where it says so": (
        r"sigprocmask|pthread_sigmask|sigblock|sigsetmask",
        {
            "src_reactor_reactor.c.o": "SIGPIPE, SIGXFSZ (torc/reactor.h)",
            "src_reactor_signal.c.o": "what is watched (torc/signal.h)",
            "src_reactor_stall.c.o": "the watchdog's thread takes none",
            "src_reactor_thread_pool.c.o": "the pool's threads take none",
            "src_app_parent.c.o": "a parent's, until it returns (docs/design/workers.md)",
            "src_app_run.c.o": "those that end or reload a program, until it takes them (docs/design/workers.md)",
            "src_app_worker.c.o": "SIGCHLD, which its parent has blocked",
            "src_reactor_spawn.c.o": "all are held back while a child is made",
        },
    ),
    "leaves what the process shares": (
        r"setlocale|uselocale|umask|chdir|fchdir|chroot|setenv|putenv|unsetenv|clearenv|srand|srandom|setrlimit|nice|alarm"
        r"|setitimer|localtime|gmtime|strtok|strerror|asctime|ctime|getpwnam|getpwuid|gethostbyname|readdir64_r"
        r"|[sge](?:et|nd)(?:pw|gr)ent",
        {
            "src_app_run.c.o": "a program's limit of descriptors (torc/app.h)",
            "src_reactor_spawn.c.o": "a child's own, in the child",
            "src_app_notify.c.o": "a program's start takes NOTIFY_SOCKET from the environment, for itself alone",
            "src_app_process.c.o": "--umask, and a daemon's",
            "src_app_rights.c.o": "a program's start: --chroot, and the names that are near to an unknown one",
            "src_transport_inherited.c.o": "torc_inherited_take(), which says so",
        },
    ),
    "stays who it is": (
        r"set(?:e|re|res|fs)?[ug]id|setgroups|initgroups|setsid|setpgid|daemon|capset|prctl|unshare|seccomp",
        {
            "src_app_daemon.c.o": "--daemonize: a session of its own",
            "src_app_rights.c.o": "--user",
            "src_reactor_spawn.c.o": "a child's own, in the child",
            "src_app_seccomp.c.o": "--seccomp",
        },
    ),
}


def imports(archive):
    """Pairs of an object and a name that it wants from elsewhere."""
    text = subprocess.run(
        ["nm", "-A", "--undefined-only", archive], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    for line in text.splitlines():
        place, name = re.fullmatch(r"(.*):\s+[UwvV] (\S+)", line).groups()
        yield place.rsplit(":", 1)[-1], name


def plain(name):
    """A name without what fortified headers, versions and large files make of it."""
    return re.sub(r"(?:64)?(?:@.*)?$", "", re.sub(r"^__(\w+)_chk\b", r"\1", name))


def problems(kind, wanted):
    functions, excepted = KINDS[kind]
    for place, name in sorted(wanted):
        if re.fullmatch(functions, plain(name)) and place not in excepted:
            yield f"{place} calls {name}"


def unused(wanted):
    """Exceptions that nothing needs any more."""
    for functions, excepted in KINDS.values():
        for place in excepted:
            if not any(place == object_ and re.fullmatch(functions, plain(name)) for object_, name in wanted):
                yield f"{place} needs no exception"


def missed():
    """What is forbidden is found, under each of its names, and only where it is."""
    bad = ["setresuid", "setpwent", "exit", "_exit", "fork", "waitpid", "__fprintf_chk", "__printf_chk@GLIBC_2.3.4", "stderr",
           "sigaction", "pthread_sigmask", "umask"]
    for name in bad:
        if not any(list(problems(kind, [("src_base_str.c.o", name)])) for kind in KINDS):
            yield f"{name} is not found"
    for name in ["snprintf", "__snprintf_chk", "write", "signalfd", "sigaddset", "torc_exit", "__assert_fail"]:
        for kind in KINDS:
            yield from problems(kind, [("src_base_str.c.o", name)])


if __name__ == "__main__":
    everything = set(imports(sys.argv[1]))
    cases = [(kind, problems(kind, everything)) for kind in KINDS]
    cases.append(("no exception is out of date", unused(everything)))
    cases.append(("what is forbidden is found", missed()))
    cases.append(("objects were looked at", [] if len({place for place, _ in everything}) > 50 else ["hardly any"]))
    sys.exit(report(cases))
