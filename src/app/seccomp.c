/* SPDX-License-Identifier: MIT */
/*
 * The filter of system calls, as a program for the kernel's BPF machine.
 *
 *  - Calls are told by number, and a number means something on one architecture only: a call by
 *    another ABI (32 bits on x86-64) ends the process, for it is none of this program's.
 *  - What is allowed whatever its arguments is in one table, what depends on them has a rule.
 *  - clone3() hides its flags from a filter, so the kernel seems not to have it: the C library then
 *    uses clone().
 *  - Memory is writable or executable when it is mapped, and does not become executable: code that
 *    was smuggled in as data stays data.
 */
#include "app/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <torc/err.h>
#include <unistd.h>

#if defined(__x86_64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u /* of the number: the x32 ABI, which has other structs */
#elif defined(__aarch64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#define X32_BIT 0u
#else
#define AUDIT_ARCH_HERE 0u /* another number, and other structs: no filter */
#define X32_BIT 0u
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* Allowed to all, whatever the arguments. */
static const int allowed[] = {
    /* what a request costs comes first */
    SYS_epoll_pwait,
    SYS_recvfrom,
    SYS_sendto,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_read,
    SYS_write,
    SYS_writev,
    SYS_readv,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_sendfile,
    SYS_epoll_ctl,
    SYS_accept4,
    SYS_close,
    SYS_futex,
    /* files */
    SYS_openat,
    SYS_openat2,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_lseek,
    SYS_fcntl,
    SYS_flock,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fsync,
    SYS_fdatasync,
    SYS_fadvise64,
    SYS_readahead,
    SYS_splice,
    SYS_copy_file_range,
    SYS_renameat,
    SYS_renameat2,
    SYS_unlinkat,
    SYS_mkdirat,
    SYS_fchmod,
    SYS_fchown,
    SYS_fchmodat,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_memfd_create,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    SYS_close_range,
    /* sockets */
    SYS_accept,
    SYS_bind,
    SYS_listen,
    SYS_connect,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_sendmmsg,
    SYS_recvmmsg,
    /* waiting and time */
    SYS_epoll_create1,
    SYS_epoll_pwait2,
    SYS_eventfd2,
    SYS_ppoll,
    SYS_pselect6,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_restart_syscall,
    /* memory and threads */
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_membarrier,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_set_tid_address,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_getcpu,
    SYS_exit,
    SYS_exit_group,
    /* signals */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigpending,
    SYS_rt_sigtimedwait,
    SYS_signalfd4,
    SYS_sigaltstack,
    /* who one is, and what one has */
    SYS_wait4, /* children of others come to process 1 */
    SYS_waitid,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrusage,
    SYS_prlimit64,
    SYS_getrandom,
    SYS_sysinfo,
    SYS_uname,
#ifdef __x86_64__
    /* the elder forms, which the C library still uses where they exist */
    SYS_epoll_wait,
    SYS_epoll_create,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_rename,
    SYS_unlink,
    SYS_mkdir,
    SYS_chmod,
    SYS_dup2,
    SYS_pipe,
    SYS_poll,
    SYS_select,
    SYS_time,
    SYS_getrlimit,
#endif
};

/* Allowed to a parent besides: its children, and a narrower filter for them. */
static const int allowed_to_parent[] = {
    SYS_kill,  SYS_tgkill, SYS_pidfd_open, SYS_pidfd_send_signal,
    SYS_seccomp, SYS_setpriority, SYS_umask,
};

/* What glibc and Torc ask of a descriptor; TIOCSTI, which types into a terminal, is not among it.
 */
static const uint32_t ioctls[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, TIOCOUTQ, SIOCGIFINDEX};
static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6};
/* A thread's name, and the names of mappings that newer C libraries give. */
static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */};
/* The parent's children besides: their end with the parent's, and the filter. */
static const uint32_t parent_prctls[] = {
    PR_SET_NAME,         PR_GET_NAME,           0x53564d41, PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS,
    PR_GET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER};

/* Namespaces, in which a user is root again. */
enum {
    CLONE_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                       CLONE_NEWPID | CLONE_NEWNET
};

static void step(torc_seccomp_filter *filter, struct sock_filter one) {
    if (filter->count < TORC_SECCOMP_STEPS_MAX) filter->steps[filter->count++] = one;
}

static void load(torc_seccomp_filter *filter, size_t place) {
    step(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)place));
}

static void answer(torc_seccomp_filter *filter, uint32_t action) {
    step(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Skip `skipped` steps unless what was loaded is `value`. */
static void unless_equal(torc_seccomp_filter *filter, uint32_t value, uint8_t skipped) {
    step(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped));
}

/* Allow it when what was loaded is `value`. */
static void allow_equal(torc_seccomp_filter *filter, uint32_t value) {
    unless_equal(filter, value, 1);
    answer(filter, SECCOMP_RET_ALLOW);
}

/* Allow it when what was loaded has any of the bits, or none of them. */
static void allow_bits(torc_seccomp_filter *filter, uint32_t bits, bool any) {
    step(filter,
         (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, any ? 0 : 1, any ? 1 : 0));
    answer(filter, SECCOMP_RET_ALLOW);
}

/* The lower half of an argument: both architectures are little-endian. */
static size_t argument(size_t number) {
    return offsetof(struct seccomp_data, args) + number * sizeof(uint64_t);
}

static void begin(torc_seccomp_filter *filter, uint32_t arch, uint32_t other_abi) {
    load(filter, offsetof(struct seccomp_data, arch));
    step(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0));
    answer(filter, SECCOMP_RET_KILL_PROCESS);
    load(filter, offsetof(struct seccomp_data, nr));
    if (!other_abi) return;
    step(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, other_abi, 0, 1));
    answer(filter, SECCOMP_RET_KILL_PROCESS);
}

static void allow_all(torc_seccomp_filter *filter, const int *calls, size_t count) {
    for (size_t i = 0; i < count; i++) allow_equal(filter, (uint32_t)calls[i]);
}

/* Allow a call when its argument is one of these, and else refuse it. */
static void allow_one_of(torc_seccomp_filter *filter, int call, size_t number,
                         const uint32_t *values, size_t count) {
    unless_equal(filter, (uint32_t)call, (uint8_t)(2 * count + 2));
    load(filter, argument(number));
    for (size_t i = 0; i < count; i++) allow_equal(filter, values[i]);
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

/* Allow a call when its argument has any of the bits, or none of them, and else refuse it. */
static void allow_with_bits(torc_seccomp_filter *filter, int call, size_t number, uint32_t bits,
                            bool any) {
    unless_equal(filter, (uint32_t)call, 4);
    load(filter, argument(number));
    allow_bits(filter, bits, any);
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

static void add_rules(torc_seccomp_filter *filter) {
    allow_with_bits(filter, SYS_mmap, 2, PROT_EXEC, false);
    allow_with_bits(filter, SYS_mprotect, 2, PROT_EXEC, false);
    allow_one_of(filter, SYS_socket, 0, families, TORC_COUNT_OF(families));
    allow_one_of(filter, SYS_socketpair, 0, families, 1);
    allow_one_of(filter, SYS_ioctl, 1, ioctls, TORC_COUNT_OF(ioctls));
}

/* A signal to itself is what abort() sends. */
static void add_rules_of_server(torc_seccomp_filter *filter, uint32_t pid) {
    allow_one_of(filter, SYS_tgkill, 0, &pid, 1);
    allow_with_bits(filter, SYS_clone, 0, CLONE_THREAD, true);
    allow_one_of(filter, SYS_prctl, 0, prctls, TORC_COUNT_OF(prctls));
}

static void add_rules_of_parent(torc_seccomp_filter *filter) {
    allow_all(filter, allowed_to_parent, TORC_COUNT_OF(allowed_to_parent));
    allow_with_bits(filter, SYS_clone, 0, CLONE_NAMESPACES, false);
    allow_one_of(filter, SYS_prctl, 0, parent_prctls, TORC_COUNT_OF(parent_prctls));
}

void torc_seccomp_build(torc_seccomp_role role, uint32_t pid, torc_seccomp_filter *filter) {
    filter->count = 0;
    begin(filter, AUDIT_ARCH_HERE, X32_BIT);
    allow_all(filter, allowed, TORC_COUNT_OF(allowed));
    add_rules(filter);
    if (role == TORC_SECCOMP_PARENT)
        add_rules_of_parent(filter);
    else
        add_rules_of_server(filter, pid);
    answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
}

const char *torc_seccomp_missing(void) {
    if (AUDIT_ARCH_HERE == 0) return "there is a filter for x86-64 and aarch64 only";
    if (HAS_SANITIZER) return "this build has a sanitizer, which makes calls of its own";
    return NULL;
}

static const char *refused(char text[160]) {
    const int number = errno;

    if (number == ENOSYS || number == EINVAL) return "this kernel has no filters of system calls";
    snprintf(text, 160, "%s", torc_err_text(torc_err_from_errno(number)));
    return text;
}

const char *torc_seccomp_install(torc_seccomp_role role, char text[160]) {
    torc_seccomp_filter filter;
    const char *missing = torc_seccomp_missing();

    if (missing) return missing;
    torc_seccomp_build(role, (uint32_t)getpid(), &filter);
    const struct sock_fprog program = {.len = (unsigned short)filter.count, .filter = filter.steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return refused(text);
    const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG, &program);
    if (result == 0) return NULL;
    if (result > 0) return "a thread of the process has another filter";
    return refused(text);
}
