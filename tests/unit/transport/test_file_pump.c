/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <torc/testing.h>
#include <torc/thread.h>
#include <unistd.h>

#include "check.h"
#include "reactor/reactor.h"
#include "transport/file_pump.h"

enum {
    LEN = 3 * TORC_FILE_PIECE / 2
};

static torc_reactor *reactor;
static torc_file_pump pump;
static torc_shared_file *file;
static torc_chain range, chain;
static char *bytes;
static int reads;

static void read_(torc_file_pump *which) {
    assert_ptr_equal(which, &pump);
    reads++;
}

static int set_up_with(const torc_reactor_options *options) {
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    bytes = malloc(LEN);
    for (size_t i = 0; i < LEN; i++) bytes[i] = (char)(i * 7 + i / 256);
    if (fd < 0 || write(fd, bytes, LEN) != LEN) return -1;
    if (torc_test_reactor_new(options, &reactor)) return -1;
    reads = 0;
    torc_file_pump_init(&pump, reactor, read_);
    torc_chain_init(&range, &reactor->chains);
    torc_chain_init(&chain, &reactor->chains);
    file = torc_shared_file_new(&reactor->memory, fd);
    return torc_chain_add_file(&range, file, 0, LEN) ? -1 : 0;
}

static int set_up(void **state) {
    (void)state;
    return set_up_with(NULL);
}

static int set_up_narrow(void **state) {
    const torc_reactor_options options = {.size = sizeof(options),
                                          .threads[TORC_THREAD_FILE] = {1, 1}};

    (void)state;
    return set_up_with(&options);
}

static int tear_down(void **state) {
    (void)state;
    torc_file_pump_stop(&pump);
    torc_chain_clear(&chain);
    torc_chain_clear(&range);
    torc_test_finish_jobs(reactor);
    torc_test_settle(reactor);
    assert_int_equal(file->refs, 1);
    torc_shared_file_unref(file);
    torc_reactor_free(reactor);
    free(bytes);
    return 0;
}

static torc_err next_piece(size_t max, size_t *len) {
    const torc_err err = torc_file_pump_next(&pump, range.first, max, &chain, len);
    if (!err) torc_chain_consume(&range, *len);
    return err;
}

/* Whether what is cached is read at once: not by every kernel, file system and emulator. */
static bool is_at_once(void) {
    char byte;
    const struct iovec piece = {.iov_base = &byte, .iov_len = 1};

    return preadv2(file->fd, &piece, 1, 0, RWF_NOWAIT) == 1;
}

/* The same, after a thread has read it, if it has to. */
static torc_err next_piece_at_last(const torc_segment *of, size_t max, size_t *len) {
    torc_err err = torc_file_pump_next(&pump, of, max, &chain, len);

    if (err == TORC_ERR_AGAIN) {
        torc_test_finish_jobs(reactor);
        err = torc_file_pump_next(&pump, of, max, &chain, len);
    }
    if (!err && of == range.first) torc_chain_consume(&range, *len);
    return err;
}

/* What the chain has, all in one piece. */
static void check_chain(size_t from, size_t len) {
    struct iovec pieces[64];
    size_t total, at = from;

    assert_int_equal(chain.len, len);
    const int count = torc_chain_iov(&chain, pieces, 64, SIZE_MAX, &total);
    assert_int_equal(total, len);
    for (int i = 0; i < count; i++) {
        assert_memory_equal(pieces[i].iov_base, bytes + at, pieces[i].iov_len);
        at += pieces[i].iov_len;
    }
}

static void what_is_cached_is_read_at_once(void **state) {
    size_t len = 0;

    (void)state;
    check_ok(next_piece_at_last(range.first, 100, &len));
    assert_int_equal(len, 100);
    check_ok(next_piece_at_last(range.first, SIZE_MAX, &len));
    assert_int_equal(len, TORC_FILE_PIECE);
    check_ok(next_piece_at_last(range.first, SIZE_MAX, &len));
    assert_int_equal(len, LEN - 100 - TORC_FILE_PIECE);
    check_chain(0, LEN);
    assert_int_equal(range.len, 0);
    assert_int_equal(reactor->counts.jobs, is_at_once() ? 0 : 3);
    assert_int_equal(reads, reactor->counts.jobs);
}

static void what_is_not_is_read_by_a_thread(void **state) {
    static const int numbers[] = {EAGAIN, EOPNOTSUPP, ENOSYS, EINVAL};

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(numbers); i++) {
        size_t len = 0;
        torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, numbers[i]);
        check_err(next_piece(100, &len), TORC_ERR_AGAIN);
        check_err(next_piece(100, &len), TORC_ERR_AGAIN); /* one at a time */
        assert_int_equal(reads, 0);
        torc_test_finish_jobs(reactor);
        assert_int_equal(reads, 1);
        check_ok(next_piece(100, &len));
        assert_int_equal(len, 100);
        reads = 0;
    }
    check_chain(0, 400);
    assert_int_equal(reactor->counts.jobs, 4);
}

static void no_more_than_the_range_is_read(void **state) {
    torc_segment part = *range.first;
    size_t len = 0;

    (void)state;
    part.offset = 10;
    part.len = 30;
    check_ok(next_piece_at_last(&part, SIZE_MAX, &len));
    assert_int_equal(len, 30);
    check_chain(10, 30);
}

typedef struct blocker {
    torc_job base;
    int ends[2];
} blocker;

static void block(torc_job *job) {
    char byte;
    (void)!read(torc_container_of(job, blocker, base)->ends[0], &byte, 1);
}

static void unblocked(torc_job *job) {
    (void)job;
}

/* All threads are busy: what is stopped is taken back, and not read. */
static void what_no_thread_has_begun_is_taken_back(void **state) {
    blocker jobs[4];
    size_t len = 0;

    (void)state;
    for (size_t i = 0; i < TORC_COUNT_OF(jobs); i++) {
        jobs[i].base = (torc_job){.work = block, .done = unblocked};
        assert_int_equal(pipe2(jobs[i].ends, O_CLOEXEC), 0);
        check_ok(torc_job_submit(reactor, &jobs[i].base));
    }
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_AGAIN);
    assert_int_equal(file->refs, 3);
    torc_file_pump_stop(&pump);
    assert_int_equal(file->refs, 2);
    for (size_t i = 0; i < TORC_COUNT_OF(jobs); i++) close(jobs[i].ends[1]);
    torc_test_finish_jobs(reactor);
    for (size_t i = 0; i < TORC_COUNT_OF(jobs); i++) close(jobs[i].ends[0]);
    assert_int_equal(torc_test_call_count(reactor, TORC_TEST_READ), 1);
}

static void short_reads_are_pieces(void **state) {
    size_t len = 0;

    (void)state;
    torc_test_limit_calls(reactor, TORC_TEST_READ, 7);
    check_ok(next_piece_at_last(range.first, 100, &len));
    assert_int_equal(len, 7);
    check_ok(next_piece_at_last(range.first, 100, &len));
    check_chain(0, 14);
}

static void errors_are_told(void **state) {
    size_t len = 77;

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EACCES);
    check_err(next_piece(100, &len), TORC_ERR_PERMISSION);
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 2, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_AGAIN);
    torc_test_finish_jobs(reactor);
    assert_int_equal(reads, 1);
    assert_int_not_equal(next_piece(100, &len), TORC_OK); /* the thread's read failed, too */
    assert_int_equal(len, 77);
    assert_int_equal(chain.len, 0);
}

static void a_file_that_is_shorter_is_truncated(void **state) {
    size_t len = 0;

    (void)state;
    assert_int_equal(ftruncate(file->fd, 50), 0);
    check_ok(next_piece_at_last(range.first, 100, &len));
    assert_int_equal(len, 50);
    check_err(next_piece_at_last(range.first, 100, &len), TORC_ERR_TRUNCATED);
}

static void what_nobody_waits_for_is_dropped(void **state) {
    size_t len = 0;

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_AGAIN);
    torc_file_pump_stop(&pump);
    torc_file_pump_stop(&pump);
    torc_test_finish_jobs(reactor);
    assert_int_equal(reads, 0);

    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_AGAIN);
    torc_test_finish_jobs(reactor);
    assert_int_equal(reads, 1);
    torc_file_pump_stop(&pump); /* it was read, and not asked for */
    check_ok(next_piece_at_last(range.first, 100, &len));
    check_chain(0, 100);
}

static void the_file_stays_open_under_the_thread(void **state) {
    size_t len = 0;

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_AGAIN);
    assert_int_equal(file->refs, 3);
    torc_chain_clear(&range);
    assert_int_equal(file->refs, 2);
    torc_test_finish_jobs(reactor);
    torc_file_pump_stop(&pump);
    assert_int_equal(file->refs, 1);
}

static void threads_may_be_out(void **state) {
    size_t len = 0;

    (void)state;
    torc_test_fail_calls(reactor, TORC_TEST_THREAD, 1, 100, EAGAIN);
    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_LIMIT);
    if (is_at_once()) check_ok(next_piece(100, &len)); /* what is at hand can be had all the same */
}

static void a_freed_reactor_ends_the_reading(void **state) {
    size_t len = 0;

    torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
    check_err(next_piece(100, &len), TORC_ERR_AGAIN);
    torc_file_pump_stop(&pump);
    torc_chain_clear(&range);
    torc_shared_file_ref(file);
    torc_shared_file_unref(file);
    torc_shared_file_unref(file); /* the reading's is the last, perhaps */
    torc_reactor_free(reactor);
    free(bytes);
    assert_int_equal(set_up(state), 0);
}

static void every_allocation_may_fail(void **state) {
    bool has_failed = true;

    (void)state;
    for (uint64_t n = 1; has_failed; n++) {
        size_t len = 0;
        assert_true(n < 50);
        torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
        torc_test_fail_allocation(reactor, n);
        torc_err err = torc_file_pump_next(&pump, range.first, 100, &chain, &len);
        torc_test_finish_jobs(reactor);
        if (err == TORC_ERR_AGAIN) err = torc_file_pump_next(&pump, range.first, 100, &chain, &len);
        has_failed = torc_test_allocation_failed(reactor);
        torc_test_fail_allocation(reactor, 0);
        check_err(err, has_failed ? TORC_ERR_NO_MEMORY : TORC_OK);
        assert_int_equal(len, has_failed ? 0 : 100);
    }
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void wait_at_gate(torc_job *job) {
    (void)job;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void ended(torc_job *job) {
    (void)job;
}

/* Have the thread and the queue in use until the gate is opened. */
static void fill_queue(torc_job jobs[2]) {
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 2; i++) {
        jobs[i] = (torc_job){.work = wait_at_gate, .done = ended};
        for (int n = 0; torc_job_submit(reactor, &jobs[i]) != TORC_OK; n++) {
            assert_true(n < 1000); /* until the thread has taken the first */
            usleep(1000);
        }
    }
}

static void where_the_queue_is_full_it_comes_again(void **state) {
    torc_job jobs[2];
    size_t len = 0;

    (void)state;
    for (int is_stopped = 0; is_stopped < 2; is_stopped++) {
        fill_queue(jobs);
        torc_test_fail_calls(reactor, TORC_TEST_READ, 1, 1, EAGAIN);
        check_err(next_piece(SIZE_MAX, &len), TORC_ERR_AGAIN);
        torc_test_advance(reactor, 50);
        assert_int_equal(reads, 0);
        if (is_stopped) torc_file_pump_stop(&pump);
        pthread_mutex_unlock(&gate);
        torc_test_finish_jobs(reactor);
        torc_test_advance(reactor, 20);
        torc_test_finish_jobs(reactor);
        assert_int_equal(reads, is_stopped ? 0 : 1);
        if (!is_stopped) check_ok(next_piece(SIZE_MAX, &len));
        reads = 0;
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_cached_is_read_at_once),
        TEST(what_is_not_is_read_by_a_thread),
        TEST(no_more_than_the_range_is_read),
        TEST(what_no_thread_has_begun_is_taken_back),
        TEST(short_reads_are_pieces),
        TEST(errors_are_told),
        TEST(a_file_that_is_shorter_is_truncated),
        TEST(what_nobody_waits_for_is_dropped),
        TEST(the_file_stays_open_under_the_thread),
        TEST(threads_may_be_out),
        cmocka_unit_test_setup_teardown(where_the_queue_is_full_it_comes_again, set_up_narrow,
                                        tear_down),
        TEST(a_freed_reactor_ends_the_reading),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
