/* SPDX-License-Identifier: MIT */
/*
 * What may have been meant by a name that is unknown.
 *
 *  - The nearest is the one that takes the fewest changes of a letter: put in, left out, or
 *    another.
 */
#include <torc/str.h>

enum {
    NAME_MAX_LEN = 40
};

static size_t least(size_t a, size_t b, size_t c) {
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Number of single-letter changes between two names, of which `b` is at most NAME_MAX_LEN long. */
static size_t distance(torc_str a, torc_str b) {
    size_t row[NAME_MAX_LEN + 1];

    for (size_t j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const size_t change = diagonal + (a.bytes[i - 1] != b.bytes[j - 1]);
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, change);
        }
    }
    return row[b.len];
}

const char *torc_str_nearest(torc_str str, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t best = str.len / 2 + 1; /* further away is another word */

    if (str.len > NAME_MAX_LEN) return NULL;
    for (size_t i = 0; i < count; i++) {
        const torc_str known = torc_str_of(names[i]);
        const size_t changes = known.len <= NAME_MAX_LEN ? distance(str, known) : best;
        if (changes < best) {
            best = changes;
            nearest = names[i];
        }
    }
    return nearest;
}
