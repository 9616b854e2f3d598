/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"
#include "check.h"

/* The key of the authors' vectors: the bytes 0 to 15. */
static const torc_siphash_key vector_key = {{0x0706050403020100u, 0x0f0e0d0c0b0a0908u}};

static void hashes_are_those_of_the_published_vectors(void **state) {
    /* Of the texts of the bytes 0, 1, 2 … with lengths from 0 on. */
    static const uint64_t expected[] = {0xabac0158050fc4dcu, 0xc9f49bf37d57ca93u,
                                        0x82cb9b024dc7d44du};
    char text[TORC_COUNT_OF(expected)];

    for (size_t len = 0; len < TORC_COUNT_OF(expected); len++) {
        text[len] = (char)len;
        assert_true(torc_siphash(&vector_key, torc_str_make(text, len)) == expected[len]);
    }
}

static void every_byte_and_the_length_count(void **state) {
    char text[40] = {0};

    for (size_t len = 1; len < sizeof text; len++) {
        const uint64_t hash = torc_siphash(&vector_key, torc_str_make(text, len));
        assert_true(hash != torc_siphash(&vector_key, torc_str_make(text, len - 1)));
        for (size_t i = 0; i < len; i++) {
            text[i] = 1;
            assert_true(hash != torc_siphash(&vector_key, torc_str_make(text, len)));
            text[i] = 0;
        }
    }
}

static void another_key_gives_other_hashes(void **state) {
    const torc_siphash_key a = torc_siphash_key_random(), b = torc_siphash_key_random();

    assert_memory_not_equal(&a, &b, sizeof a);
    assert_true(torc_siphash(&a, TORC_STR("x")) != torc_siphash(&b, TORC_STR("x")));
}

/* For every byte and place, the hash is that of the text made small byte by byte. */
static void without_case_exactly_the_letters_are_folded(void **state) {
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[19], small[19];

        for (size_t i = 0; i < sizeof text; i++) {
            const unsigned one = (byte + (unsigned)i * 85) & 0xff;
            text[i] = (char)one;
            small[i] = (char)(one >= 'A' && one <= 'Z' ? one + 32 : one);
        }
        assert_true(torc_siphash_nocase(&vector_key, torc_str_make(text, sizeof text)) ==
                    torc_siphash(&vector_key, torc_str_make(small, sizeof small)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_published_vectors),
        cmocka_unit_test(every_byte_and_the_length_count),
        cmocka_unit_test(another_key_gives_other_hashes),
        cmocka_unit_test(without_case_exactly_the_letters_are_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
