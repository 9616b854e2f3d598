/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "faults.h"
#include "reactor/chain.h"

static torc_memory memory;
static torc_page_pool pages;
static torc_chain_pool pool;
static torc_chain chain;

static int set_up(void **state) {
    (void)state;
    torc_memory_init(&memory, 0);
    torc_page_pool_init(&pages, &memory, 2);
    torc_chain_pool_init(&pool, &pages, 4);
    torc_chain_init(&chain, &pool);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    torc_chain_clear(&chain);
    assert_int_equal(pages.used_count, 0);
    torc_chain_pool_dispose(&pool);
    torc_page_pool_dispose(&pages);
    assert_int_equal(memory.used_total, 0);
    return 0;
}

/* The bytes of a chain, ranges of files read from them. */
static char *text_of(const torc_chain *of) {
    char *text = malloc(of->len + 1);
    size_t len = 0;

    assert_non_null(text);
    for (const torc_segment *segment = of->first; segment; segment = segment->next) {
        if (segment->kind == TORC_SEGMENT_FILE)
            assert_int_equal(
                pread(segment->owner.file->fd, text + len, segment->len, (off_t)segment->offset),
                (ssize_t)segment->len);
        else
            memcpy(text + len, segment->bytes, segment->len);
        len += segment->len;
        if (!segment->next) assert_ptr_equal(segment, of->last);
    }
    assert_int_equal(len, of->len);
    text[len] = '\0';
    return text;
}

static void check_chain(const torc_chain *of, const char *expected) {
    char *text = text_of(of);
    assert_string_equal(text, expected);
    free(text);
}

static size_t count_segments(const torc_chain *of) {
    size_t count = 0;
    for (const torc_segment *segment = of->first; segment; segment = segment->next) count++;
    return count;
}

static void add(torc_chain *to, const char *text) {
    check_ok(torc_chain_add_bytes(to, torc_str_of(text)));
}

static torc_chunk *chunk_of(const char *text) {
    torc_chunk *chunk = torc_chunk_copy(&memory, torc_str_of(text));
    assert_non_null(chunk);
    return chunk;
}

static void add_chunk(torc_chain *to, const char *text) {
    torc_chunk *chunk = chunk_of(text);
    check_ok(torc_chain_add_chunk(to, chunk, 0, chunk->len));
    torc_chunk_unref(chunk);
}

static torc_shared_file *file_of(const char *text) {
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    torc_shared_file *file = torc_shared_file_new(&memory, fd);

    assert_true(fd >= 0);
    assert_non_null(file);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return file;
}

static void add_file(torc_chain *to, const char *text) {
    torc_shared_file *file = file_of(text);
    check_ok(torc_chain_add_file(to, file, 0, strlen(text)));
    torc_shared_file_unref(file);
}

static void bytes_gather_in_a_page(void **state) {
    (void)state;
    add(&chain, "hello");
    add(&chain, "");
    add(&chain, ", world");
    check_chain(&chain, "hello, world");
    assert_int_equal(count_segments(&chain), 1);
    assert_int_equal(memory.used[TORC_MEMORY_OUTPUT] > 0, 1);
}

static void bytes_go_over_pages(void **state) {
    enum {
        LEN = 3 * TORC_PAGE_BYTES + 100
    };
    char *bytes = malloc(LEN + 1);

    (void)state;
    memset(bytes, 'x', LEN);
    bytes[LEN] = '\0';
    bytes[0] = 'a';
    bytes[LEN - 1] = 'z';
    check_ok(torc_chain_add_bytes(&chain, torc_str_make(bytes, LEN)));
    check_chain(&chain, bytes);
    assert_int_equal(count_segments(&chain), 4);
    free(bytes);
}

static void what_is_reserved_counts_when_it_is_committed(void **state) {
    char *to;

    (void)state;
    add(&chain, "a");
    to = torc_chain_reserve(&chain, TORC_PAGE_BYTES); /* does not fit behind it: another page */
    assert_non_null(to);
    assert_int_equal(chain.len, 1);
    memcpy(to, "bc", 2);
    torc_chain_commit(&chain, 2);
    to = torc_chain_reserve(&chain, 1);
    assert_non_null(to);
    *to = 'd';
    torc_chain_commit(&chain, 1);
    check_chain(&chain, "abcd");
}

static void nothing_may_be_committed(void **state) {
    (void)state;
    assert_non_null(torc_chain_reserve(&chain, 100));
    assert_int_equal(chain.len, 0);
    add(&chain, "x");
    check_chain(&chain, "x");
}

static void chunks_are_referred_to(void **state) {
    torc_chunk *chunk = chunk_of("0123456789");

    (void)state;
    check_ok(torc_chain_add_chunk(&chain, chunk, 2, 5));
    check_ok(torc_chain_add_chunk(&chain, chunk, 0, 0));
    assert_int_equal(chunk->refs, 2);
    assert_ptr_equal(chain.first->bytes, chunk->bytes + 2);
    add(&chain, "x"); /* never behind a chunk's own bytes */
    check_chain(&chain, "23456x");
    torc_chain_consume(&chain, 3);
    check_chain(&chain, "56x");
    torc_chain_consume(&chain, 2);
    assert_int_equal(chunk->refs, 1);
    torc_chunk_unref(chunk);
}

static void files_are_closed_with_the_last_reference(void **state) {
    torc_shared_file *file = file_of("0123456789");
    const int fd = file->fd;

    (void)state;
    check_ok(torc_chain_add_file(&chain, file, 3, 4));
    check_ok(torc_chain_add_file(&chain, file, 0, 0));
    assert_int_equal(file->refs, 2);
    torc_shared_file_unref(file);
    check_chain(&chain, "3456");
    torc_chain_consume(&chain, 1);
    check_chain(&chain, "456");
    assert_true(fcntl(fd, F_GETFD) >= 0);
    torc_chain_clear(&chain);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void consuming_drops_what_is_gone(void **state) {
    (void)state;
    add(&chain, "abc");
    add_chunk(&chain, "defgh");
    torc_chain_consume(&chain, 0);
    torc_chain_consume(&chain, 2);
    check_chain(&chain, "cdefgh");
    torc_chain_consume(&chain, 1);
    check_chain(&chain, "defgh");
    assert_int_equal(count_segments(&chain), 1);
    torc_chain_consume(&chain, 100);
    assert_int_equal(chain.len, 0);
    assert_null(chain.first);
    assert_null(chain.last);
}

static void moving_leaves_nothing(void **state) {
    torc_chain other;

    (void)state;
    torc_chain_init(&other, &pool);
    add(&chain, "one ");
    torc_chain_move(&chain, &other);
    check_chain(&chain, "one ");
    add(&other, "two");
    torc_chain_move(&chain, &other); /* short: joined with the page */
    assert_int_equal(count_segments(&chain), 1);
    add_chunk(&other, " three");
    add_file(&other, " four");
    torc_chain_move(&chain, &other);
    check_chain(&chain, "one two three four");
    assert_int_equal(other.len, 0);
    assert_null(other.first);
    add(&other, "!"); /* it may be used again */
    torc_chain_move(&chain, &other);
    check_chain(&chain, "one two three four!");
}

static void long_bytes_are_moved_not_copied(void **state) {
    char bytes[514];
    torc_chain other;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    for (size_t len = 512; len <= 513; len++) {
        torc_chain_init(&other, &pool);
        torc_chain_clear(&chain);
        add(&chain, "head");
        check_ok(torc_chain_add_bytes(&other, torc_str_make(bytes, len)));
        torc_chain_move(&chain, &other);
        assert_int_equal(count_segments(&chain), len <= 512 ? 1 : 2);
        assert_int_equal(chain.len, len + 4);
    }
}

static void a_head_may_be_moved(void **state) {
    torc_chain other;

    (void)state;
    torc_chain_init(&other, &pool);
    add(&chain, "abcdef");
    add_file(&chain, "ghijkl");
    check_ok(torc_chain_move_head(&other, &chain, 0));
    assert_int_equal(other.len, 0);
    check_ok(torc_chain_move_head(&other, &chain, 4));
    check_chain(&other, "abcd");
    check_chain(&chain, "efghijkl");
    check_ok(torc_chain_move_head(&other, &chain, 4));
    check_chain(&other, "abcdefgh");
    check_chain(&chain, "ijkl");
    add(&chain, "mn");
    add(&other, "!"); /* not into the page that both refer to */
    check_chain(&chain, "ijklmn");
    check_ok(torc_chain_move_head(&other, &chain, 100));
    check_chain(&other, "abcdefgh!ijklmn");
    assert_int_equal(chain.len, 0);
    torc_chain_clear(&other);
}

/* A page that was split has two segments: what is added goes behind the last alone. */
static void what_is_behind_a_split_may_grow(void **state) {
    torc_chain other;

    (void)state;
    torc_chain_init(&other, &pool);
    add(&chain, "abcdef");
    check_ok(torc_chain_move_head(&other, &chain, 2));
    add(&chain, "ghi");
    add(&other, "XYZ");
    check_chain(&chain, "cdefghi");
    check_chain(&other, "abXYZ");
    torc_chain_clear(&other);
}

static void pieces_are_described_for_writing(void **state) {
    struct iovec pieces[4];
    size_t total;

    (void)state;
    add(&chain, "abc");
    add_chunk(&chain, "def");
    add_chunk(&chain, "ghi");
    add_file(&chain, "jkl");
    add(&chain, "mno");
    assert_int_equal(torc_chain_iov(&chain, pieces, 4, 100, &total), 3); /* up to the file */
    assert_int_equal(total, 9);
    assert_int_equal(torc_chain_iov(&chain, pieces, 2, 100, &total), 2);
    assert_int_equal(total, 6);
    assert_int_equal(torc_chain_iov(&chain, pieces, 4, 4, &total), 2);
    assert_int_equal(total, 4);
    assert_int_equal(pieces[1].iov_len, 1);
    assert_memory_equal(pieces[1].iov_base, "d", 1);
    assert_int_equal(torc_chain_iov(&chain, pieces, 4, 0, &total), 0);
    assert_int_equal(total, 0);
    torc_chain_consume(&chain, 9);
    assert_int_equal(torc_chain_iov(&chain, pieces, 4, 100, &total), 0);
}

static void an_empty_tail_is_no_piece(void **state) {
    struct iovec pieces[4];
    size_t total;

    (void)state;
    add_chunk(&chain, "abc");
    assert_non_null(torc_chain_reserve(&chain, 10));
    assert_int_equal(torc_chain_iov(&chain, pieces, 4, 100, &total), 1);
    torc_chain_consume(&chain, 3);
    assert_int_equal(chain.len, 0);
}

static void segments_are_used_again(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        add_chunk(&chain, "x");
        torc_chain_clear(&chain);
    }
    assert_int_equal(pool.free_count, 1);
    for (int i = 0; i < 10; i++) add_chunk(&chain, "x");
    torc_chain_clear(&chain);
    assert_int_equal(pool.free_count, 4); /* as many as it may keep */
}

/* All of the bytes or none, and what was there stands. */
static torc_err add_much(torc_memory *of, void *context) {
    enum {
        LEN = 2 * TORC_PAGE_BYTES
    };
    torc_page_pool own_pages;
    torc_chain_pool own_pool;
    torc_chain own, head;
    char *bytes = malloc(LEN);
    torc_err err;

    (void)context;
    memset(bytes, 'x', LEN);
    torc_page_pool_init(&own_pages, of, 0);
    torc_chain_pool_init(&own_pool, &own_pages, 0);
    torc_chain_init(&own, &own_pool);
    torc_chain_init(&head, &own_pool);
    err = torc_chain_add_bytes(&own, TORC_STR("first"));
    if (!err) {
        err = torc_chain_add_bytes(&own, torc_str_make(bytes, LEN));
        if (err) check_chain(&own, "first");
    }
    if (!err) {
        err = torc_chain_move_head(&head, &own, 3);
        assert_int_equal(head.len, err ? 0 : 3);
        assert_int_equal(own.len + head.len, LEN + 5);
    }
    torc_chunk *chunk = err ? NULL : torc_chunk_copy(of, TORC_STR("chunk"));
    if (!err && !chunk) err = TORC_ERR_NO_MEMORY;
    if (!err) err = torc_chain_add_chunk(&own, chunk, 0, 5);
    if (chunk) torc_chunk_unref(chunk);
    const int fd = dup(1);
    torc_shared_file *file = err ? NULL : torc_shared_file_new(of, fd);
    if (!err && !file) err = TORC_ERR_NO_MEMORY;
    if (!err) err = torc_chain_add_file(&own, file, 0, 5);
    if (file)
        torc_shared_file_unref(file);
    else
        close(fd);
    torc_chain_clear(&own);
    torc_chain_clear(&head);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    torc_chain_pool_dispose(&own_pool);
    torc_page_pool_dispose(&own_pages);
    free(bytes);
    return err;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    faults_each(add_much, NULL);
}

/* ---- against a plain string ---- */

static uint32_t seed = 1;

static uint32_t next_number(uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

typedef struct model {
    torc_chain chain;
    char text[20000];
    size_t len;
} model;

static void model_add(model *self, torc_shared_file *file, torc_chunk *chunk) {
    const size_t len = next_number(400) + 1;
    char bytes[401];

    switch (next_number(3)) {
    case 0:
        for (size_t i = 0; i < len; i++) bytes[i] = (char)('a' + next_number(26));
        check_ok(torc_chain_add_bytes(&self->chain, torc_str_make(bytes, len)));
        memcpy(self->text + self->len, bytes, len);
        break;
    case 1:
        check_ok(torc_chain_add_chunk(&self->chain, chunk, 7, len));
        memcpy(self->text + self->len, chunk->bytes + 7, len);
        break;
    default:
        check_ok(torc_chain_add_file(&self->chain, file, 9, len));
        assert_int_equal(pread(file->fd, self->text + self->len, len, 9), (ssize_t)len);
        break;
    }
    self->len += len;
}

static void model_drop(model *self, size_t len) {
    memmove(self->text, self->text + len, self->len - len);
    self->len -= len;
}

static void it_behaves_as_a_string_does(void **state) {
    model *one = calloc(1, sizeof(*one)), *other = calloc(1, sizeof(*other));
    char text[501];

    (void)state;
    for (size_t i = 0; i < 500; i++) text[i] = (char)('A' + i % 26);
    text[500] = '\0';
    torc_shared_file *file = file_of(text);
    torc_chunk *chunk = chunk_of(text);
    torc_chain_init(&one->chain, &pool);
    torc_chain_init(&other->chain, &pool);
    for (int i = 0; i < 3000; i++) {
        model *self = next_number(2) ? one : other, *to = self == one ? other : one;
        const size_t len = next_number((uint32_t)self->len + 1);
        if (self->len < 8000 && next_number(2)) {
            model_add(self, file, chunk);
        } else if (next_number(3) == 0 && to->len < 8000) {
            check_ok(torc_chain_move_head(&to->chain, &self->chain, len));
            memcpy(to->text + to->len, self->text, len);
            to->len += len;
            model_drop(self, len);
        } else {
            torc_chain_consume(&self->chain, len);
            model_drop(self, len);
        }
        one->text[one->len] = other->text[other->len] = '\0';
        check_chain(&one->chain, one->text);
        check_chain(&other->chain, other->text);
    }
    torc_chain_clear(&one->chain);
    torc_chain_clear(&other->chain);
    torc_shared_file_unref(file);
    torc_chunk_unref(chunk);
    free(one);
    free(other);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bytes_gather_in_a_page),
        TEST(bytes_go_over_pages),
        TEST(what_is_reserved_counts_when_it_is_committed),
        TEST(nothing_may_be_committed),
        TEST(chunks_are_referred_to),
        TEST(files_are_closed_with_the_last_reference),
        TEST(consuming_drops_what_is_gone),
        TEST(moving_leaves_nothing),
        TEST(long_bytes_are_moved_not_copied),
        TEST(a_head_may_be_moved),
        TEST(what_is_behind_a_split_may_grow),
        TEST(pieces_are_described_for_writing),
        TEST(an_empty_tail_is_no_piece),
        TEST(segments_are_used_again),
        TEST(every_allocation_may_fail),
        TEST(it_behaves_as_a_string_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
