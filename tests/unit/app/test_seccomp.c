/* SPDX-License-Identifier: MIT */
/* The filter, run by a machine of the test's own; and in a child, where the kernel has filters. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/seccomp.h"
#include "check.h"

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

enum {
    OWN_PID = 4711
};

/* What the filter answers to a call: the kernel's machine, as far as filters use it. */
static uint32_t run(const torc_seccomp_filter *filter, const struct seccomp_data *data) {
    uint32_t loaded = 0;

    for (size_t at = 0; at < filter->count; at++) {
        const struct sock_filter *step = &filter->steps[at];
        bool is_so = false;

        if (BPF_CLASS(step->code) == BPF_RET) return step->k;
        if (BPF_CLASS(step->code) == BPF_LD) {
            assert_true(step->k % 4 == 0 && step->k + 4 <= sizeof(*data));
            memcpy(&loaded, (const char *)data + step->k, 4);
            continue;
        }
        assert_int_equal(BPF_CLASS(step->code), BPF_JMP);
        if (BPF_OP(step->code) == BPF_JEQ) is_so = loaded == step->k;
        if (BPF_OP(step->code) == BPF_JGE) is_so = loaded >= step->k;
        if (BPF_OP(step->code) == BPF_JSET) is_so = (loaded & step->k) != 0;
        at += is_so ? step->jt : step->jf;
    }
    fail_msg("the program has no end");
    return 0;
}

static uint32_t answer(torc_seccomp_role role, long call, uint64_t first, uint64_t second,
                       uint64_t third) {
    const struct seccomp_data data = {
        .nr = (int)call, .arch = ARCH, .args = {first, second, third}};
    torc_seccomp_filter filter;

    torc_seccomp_build(role, OWN_PID, &filter);
    assert_true(filter.count < TORC_SECCOMP_STEPS_MAX);
    return run(&filter, &data);
}

static void check_allowed(torc_seccomp_role role, long call, uint64_t first, uint64_t second,
                          uint64_t third) {
    assert_int_equal(answer(role, call, first, second, third), SECCOMP_RET_ALLOW);
}

static void check_refused(torc_seccomp_role role, long call, uint64_t first, uint64_t second,
                          uint64_t third, int number) {
    assert_int_equal(answer(role, call, first, second, third),
                     SECCOMP_RET_ERRNO | (uint32_t)number);
}

static void what_serving_takes_is_allowed(void **state) {
    static const long calls[] = {
        SYS_read,     SYS_write,   SYS_close,         SYS_openat,      SYS_openat2,
        SYS_sendfile, SYS_accept4, SYS_epoll_pwait,   SYS_epoll_ctl,   SYS_recvfrom,
        SYS_sendmsg,  SYS_futex,   SYS_inotify_init1, SYS_unlinkat,    SYS_getrandom,
        SYS_eventfd2, SYS_munmap,  SYS_exit_group,    SYS_signalfd4,   SYS_pread64,
        SYS_preadv2,  SYS_statx,   SYS_getdents64,    SYS_rt_sigreturn};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(calls); i++) {
        check_allowed(TORC_SECCOMP_SERVES, calls[i], 0, 0, 0);
        check_allowed(TORC_SECCOMP_PARENT, calls[i], 0, 0, 0);
    }
}

static void what_would_give_power_is_refused(void **state) {
    static const long calls[] = {SYS_execve,
                                 SYS_execveat,
                                 SYS_ptrace,
                                 SYS_setuid,
                                 SYS_setresuid,
                                 SYS_chroot,
                                 SYS_mount,
                                 SYS_bpf,
                                 SYS_unshare,
                                 SYS_setns,
                                 SYS_keyctl,
                                 SYS_perf_event_open,
                                 SYS_personality,
                                 SYS_pkey_mprotect,
                                 SYS_process_vm_writev,
                                 SYS_init_module,
                                 SYS_kexec_load,
                                 SYS_symlinkat,
                                 SYS_mknodat,
                                 SYS_io_uring_setup,
                                 SYS_userfaultfd,
                                 SYS_clone3,
                                 SYS_shmat};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(calls); i++) {
        check_refused(TORC_SECCOMP_SERVES, calls[i], 0, 0, 0, ENOSYS);
        check_refused(TORC_SECCOMP_PARENT, calls[i], 0, 0, 0, ENOSYS);
    }
}

static void memory_is_never_executable(void **state) {
    (void)state;
    check_allowed(TORC_SECCOMP_SERVES, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE);
    check_allowed(TORC_SECCOMP_SERVES, SYS_mprotect, 0, 4096, PROT_NONE);
    check_refused(TORC_SECCOMP_SERVES, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, EPERM);
    check_refused(TORC_SECCOMP_PARENT, SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC, EPERM);
}

static void processes_are_the_parents_to_make(void **state) {
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;

    (void)state;
    check_allowed(TORC_SECCOMP_SERVES, SYS_clone, thread, 0, 0);
    check_refused(TORC_SECCOMP_SERVES, SYS_clone, 17 /* SIGCHLD */, 0, 0, EPERM);
    check_allowed(TORC_SECCOMP_PARENT, SYS_clone, 17, 0, 0);
    check_refused(TORC_SECCOMP_PARENT, SYS_clone, 17 | CLONE_NEWUSER, 0, 0, EPERM);
    check_refused(TORC_SECCOMP_SERVES, SYS_kill, 1, 9, 0, ENOSYS);
    check_allowed(TORC_SECCOMP_PARENT, SYS_kill, 1, 9, 0);
    check_allowed(TORC_SECCOMP_PARENT, SYS_wait4, 0, 0, 0);
    check_allowed(TORC_SECCOMP_PARENT, SYS_seccomp, 0, 0, 0);
    check_refused(TORC_SECCOMP_SERVES, SYS_seccomp, 0, 0, 0, ENOSYS);
    check_allowed(TORC_SECCOMP_SERVES, SYS_tgkill, OWN_PID, OWN_PID, 6); /* abort() */
    check_refused(TORC_SECCOMP_SERVES, SYS_tgkill, 1, 1, 6, EPERM);
}

static void arguments_decide_where_a_call_has_many_uses(void **state) {
    (void)state;
    check_allowed(TORC_SECCOMP_SERVES, SYS_socket, AF_INET6, SOCK_STREAM, 0);
    check_refused(TORC_SECCOMP_SERVES, SYS_socket, AF_NETLINK, SOCK_RAW, 0, EPERM);
    check_refused(TORC_SECCOMP_SERVES, SYS_socket, AF_PACKET, SOCK_RAW, 0, EPERM);
    check_allowed(TORC_SECCOMP_SERVES, SYS_ioctl, 0, TCGETS, 0);
    check_refused(TORC_SECCOMP_SERVES, SYS_ioctl, 0, TIOCSTI, 0, EPERM);
    check_allowed(TORC_SECCOMP_SERVES, SYS_prctl, PR_SET_NAME, 0, 0);
    check_refused(TORC_SECCOMP_SERVES, SYS_prctl, PR_SET_DUMPABLE, 1, 0, EPERM);
    check_allowed(TORC_SECCOMP_PARENT, SYS_prctl, PR_SET_PDEATHSIG, 0, 0);
}

/* A number means another call there. */
static void another_abi_ends_the_process(void **state) {
    struct seccomp_data data = {.nr = SYS_read, .arch = AUDIT_ARCH_I386};
    torc_seccomp_filter filter;

    (void)state;
    torc_seccomp_build(TORC_SECCOMP_SERVES, OWN_PID, &filter);
    assert_int_equal(run(&filter, &data), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
    data = (struct seccomp_data){.nr = 0x40000000, .arch = ARCH};
    assert_int_equal(run(&filter, &data), SECCOMP_RET_KILL_PROCESS);
#endif
}

/* ---- in the kernel ---- */

static void *do_nothing(void *argument) {
    return argument;
}

/* In the child: 0, or the number of what was not so. */
static int look_around(void) {
    char *const arguments[] = {NULL};
    char text[160];
    pthread_t thread;

    if (torc_seccomp_install(TORC_SECCOMP_SERVES, text)) return 77;
    if (execve("/bin/true", arguments, arguments) != -1 || errno != ENOSYS) return 1;
    if (fork() != -1 || errno != EPERM) return 2;
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return 3;
    if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return 4;
    if (pthread_create(&thread, NULL, do_nothing, NULL) || pthread_join(thread, NULL)) return 5;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != -1) return 6; /* asking is not allowed either */
    free(malloc(10000000));
    return 0;
}

/* Emulators, valgrind and sanitizers make calls of their own. */
static void the_kernel_refuses(void **state) {
    int status;

    (void)state;
    if (torc_seccomp_missing()) skip_test(torc_seccomp_missing());
    const pid_t child = fork();
    if (child == 0) _exit(look_around());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) skip_test("this kernel has no filters");
    assert_int_equal(status, 0);
}

static void a_parents_children_take_a_narrower_one(void **state) {
    int status;

    (void)state;
    if (torc_seccomp_missing()) skip_test(torc_seccomp_missing());
    const pid_t parent = fork();
    if (parent == 0) {
        char text[160];
        if (torc_seccomp_install(TORC_SECCOMP_PARENT, text)) _exit(77);
        const pid_t child = fork();
        if (child == 0) _exit(look_around());
        if (child < 0 || waitpid(child, &status, 0) != child) _exit(100);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 101);
    }
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip_test("this kernel has no filters");
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_serving_takes_is_allowed),
        cmocka_unit_test(what_would_give_power_is_refused),
        cmocka_unit_test(memory_is_never_executable),
        cmocka_unit_test(processes_are_the_parents_to_make),
        cmocka_unit_test(arguments_decide_where_a_call_has_many_uses),
        cmocka_unit_test(another_abi_ends_the_process),
        cmocka_unit_test(the_kernel_refuses),
        cmocka_unit_test(a_parents_children_take_a_narrower_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
